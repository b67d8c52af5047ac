/* What the directory is told of us: how we can be reached, whose names we list, and who of them
 * may have our addresses. */
#ifndef PALIQUE_PEER_LISTING_H
#define PALIQUE_PEER_LISTING_H

#include "peer/rooms.h"
#include "shared/wire.h"

/* Zeroed: nothing was said yet. */
struct listing {
	bool is_started;     /* in this session: what follows are changes */
	uint64_t open, shut; /* numbers of the records that were published last */
};

/* A new session: everything is to be said. */
void listing_start(struct listing *l);
/* After the commit: says what differs from what the directory was told. `is_early`: whom we list
 * may be another matter in a moment, so that a session does not begin with it: whoever was
 * blocked while we were away would see us come. */
void listing_release(struct listing *l, struct rooms *r, bool is_early);

#endif
