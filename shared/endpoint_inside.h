/* What the rooms of an endpoint share: the lists of its links and how they end
 * (endpoint_end.c), with whom there may be one (endpoint_who.c), the door (endpoint_door.c);
 * endpoint.c moves the datagrams. Nobody else includes this. */
#ifndef PALIQUE_SHARED_ENDPOINT_INSIDE_H
#define PALIQUE_SHARED_ENDPOINT_INSIDE_H

#include "shared/cid_map.h"
#include "shared/device_links.h"
#include "shared/early.h"
#include "shared/extra_sockets.h"
#include "shared/half_open.h"
#include "shared/link.h"
#include "shared/loose.h"
#include "shared/tunnel.h"

struct endpoint {
	struct link_home home;
	struct endpoint_config config;
	struct door_keys keys;
	struct device_links devices;
	struct cid_map *admitted; /* by identity; the value is &relayed_only for those */
	char relayed_only;
	struct early early;
	struct tunnels tunnels;
	struct extra_sockets sockets;
	struct deadline_heap deadlines;
	struct link *links;
	struct link *taken_down; /* its LINK_DOWN was taken: freed at the next call */
	struct loose loose;
	struct half_open half_open;
	struct endpoint_counters counters;
};

/* --- endpoint_end.c --- */

void endpoint_list(struct endpoint *e, struct link *l);
void endpoint_schedule(struct endpoint *e, struct link *l, mono_ns now);
void endpoint_destroy(struct endpoint *e, struct link *l);
/* A datagram of a link that may be over before it is sent. */
void endpoint_say(struct endpoint *e, const struct path *path, struct bytes datagram);
void endpoint_say_goodbye(struct endpoint *e, struct link *l, uint64_t code, mono_ns now);
/* The owner is told; the link goes when it has taken that. */
void endpoint_down(struct endpoint *e, struct link *l, int error, uint64_t code);
/* Nothing of this link was ever told, or its owner has let go of it. */
void endpoint_let_go(struct endpoint *e, struct link *l, mono_ns now);
/* Another link to the device takes its place. */
void endpoint_replace(struct endpoint *e, struct link *l, mono_ns now);

/* --- endpoint_who.c --- */

/* link_home's `judge`. */
int endpoint_judge(void *owner, struct link *l);
/* Whether they may only come through a tunnel. */
bool endpoint_is_relayed_only(const struct endpoint *e, const struct identity_public *who);
/* Acts on what the last call has left in the link. False: it is over, perhaps freed. */
bool endpoint_settle(struct endpoint *e, struct link *l, mono_ns now);

/* --- endpoint_door.c --- */

/* A datagram of a long header that belongs to no link: a new one, or NULL. */
struct link *endpoint_accept(struct endpoint *e, const struct path *path,
			     const uint8_t *datagram, size_t size, mono_ns now);

#endif
