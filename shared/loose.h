/* Datagrams that belong to no link any more, or never did, until they are sent. */
#ifndef PALIQUE_SHARED_LOOSE_H
#define PALIQUE_SHARED_LOOSE_H

#include "shared/bytes.h"
#include "shared/path.h"

enum { LOOSE_MAX = 1024 }; /* waiting; more are dropped */

/* Zeroed: empty. */
struct loose {
	struct loose_datagram *first, *last;
	size_t count;
};

void loose_clear(struct loose *q);
/* A copy is queued. `ttl` as of struct datagram. */
void loose_add(struct loose *q, const struct path *path, struct bytes data, uint8_t ttl);
/* The oldest is copied to `room`, which is large enough for all that was added: its
 * size, 0 when there is none. */
size_t loose_take(struct loose *q, uint8_t *room, struct path *path, uint8_t *ttl);

#endif
