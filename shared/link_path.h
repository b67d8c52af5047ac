/* Where the other side of a link is, and how much may be sent there. The library is told
 * of one path that never changes; a link follows the newest authentic packet by itself,
 * since either side can be the one that moves (docs/protocol.md, Roaming). */
#ifndef PALIQUE_SHARED_LINK_PATH_H
#define PALIQUE_SHARED_LINK_PATH_H

#include "shared/candidate.h"
#include "shared/clock.h"
#include "shared/path.h"

struct link;

enum {
	LINK_DATAGRAM_SAFE = 1200, /* fits every path QUIC may use (RFC 9000 section 14) */
	LINK_AMPLIFICATION = 3,    /* RFC 9000 section 8.1: toward an unproved address */
};
#define LINK_SIZE_PENALTY     (60 * SECOND) /* small datagrams after a black hole, at first */
#define LINK_SIZE_PENALTY_MAX (3600 * SECOND)

/* The newest datagram of a handshake, and who of the addresses has yet to get it. */
struct link_fan {
	unsigned count;
	struct address addresses[CANDIDATES_MAX];
	uint32_t pending; /* bit n: address n still gets `last` */
	size_t size;
	uint8_t last[LINK_DATAGRAM_SAFE];
};

/* A datagram of `size` bytes that came by `path` had an authentic packet in it. An
 * address it moves to is proved when the other side acknowledges what was sent there
 * (l->has_moved then); until then it gets three times what came from it. */
void link_follow(struct link *l, const struct path *path, size_t size, mono_ns now);

/* Large datagrams seem to vanish: small ones for a time that doubles. */
void link_stay_small(struct link *l, mono_ns now);
/* How large the next datagram may be. */
size_t link_size_allowed(const struct link *l, mono_ns now);

/* One more address for an attempt; it gets the newest datagram at once. */
void link_add_address(struct link *l, const struct address *a);
/* A fresh datagram: the first address gets it now, the others by link_fan_next(). */
void link_fan_out(struct link_fan *fan, const uint8_t *datagram, size_t size,
		  struct path *path);
size_t link_fan_next(struct link_fan *fan, uint8_t *room, struct path *path);

#endif
