/* The ways that the handshake of an attempt goes: several at once, until one is answered. Of
 * a list of addresses all get all of it. Where ways are offered one by one, a way that is not
 * proved gets one datagram, and what is repeated goes where an authentic answer came from. */
#ifndef PALIQUE_SHARED_LINK_FAN_H
#define PALIQUE_SHARED_LINK_FAN_H

#include "shared/candidate.h"
#include "shared/clock.h"
#include "shared/path.h"

enum {
	LINK_FAN_SAME_IP = 4,     /* addresses of a list that differ in the port only */
	LINK_OFFERS_HEARD = 2,    /* unproved ways above LINK_OFFERS_MAX: they knocked there */
	LINK_FAN_DATAGRAM = 1200, /* LINK_DATAGRAM_SAFE */
};
#define LINK_FAN_REPEAT     (200 * MILLISECOND) /* to ways that are proved; doubles */
#define LINK_FAN_REPEAT_MAX (800 * MILLISECOND)
#define LINK_FAN_STALE      (30 * MILLISECOND) /* then a fresh one is made, if it can be */

struct link_way {
	struct path path;
	bool is_repeated; /* gets every datagram; else one */
	bool is_proved, is_sent;
};

struct link_fan {
	bool is_offered;
	unsigned count;
	struct link_way ways[CANDIDATES_MAX];
	uint32_t pending; /* bit n: way n still gets `last` */
	size_t size;
	uint8_t last[LINK_FAN_DATAGRAM]; /* the newest datagram */
	mono_ns made_at;
	mono_ns repeat_at, repeat_wait; /* 0: no way is proved */
};

/* One more address of a list, unless it is there or too many are. Of one IP only few are
 * taken: an honest device has one or two ports there, and nobody shall have us knock at all
 * of them. */
bool link_fan_add(struct link_fan *fan, const struct address *a);
/* One more way, or proved by now. `most` ways may be not proved. False: nothing is new. */
bool link_fan_offer(struct link_fan *fan, const struct path *path, bool is_proved,
		    unsigned most, mono_ns now);

/* A fresh datagram for all that get it; then link_fan_next() until 0. */
void link_fan_keep(struct link_fan *fan, const uint8_t *datagram, size_t size, mono_ns now);
size_t link_fan_next(struct link_fan *fan, uint8_t *room, struct path *path);
/* The newest datagram once more where it may be repeated. */
void link_fan_repeat(struct link_fan *fan);

/* Whether what comes by `path` was asked for there alone, or the way is proved. */
bool link_fan_proves(const struct link_fan *fan, const struct path *path);
bool link_fan_is_loopback(const struct link_fan *fan);

#endif
