/* What the directory is told of us: how we can be reached, and whose names we list. */
#ifndef PALIQUE_PEER_LISTING_H
#define PALIQUE_PEER_LISTING_H

#include "peer/rooms.h"
#include "shared/name.h"

struct listing_change {
	struct name name;
	bool is_listed;
};

/* Zeroed: nothing to say. */
struct listing {
	bool publish_due, list_due;
	struct listing_change *changes; /* since the last commit */
	unsigned change_count;
};

void listing_clear(struct listing *l);

/* A new session: everything is to be said. */
void listing_start(struct listing *l);
void listing_change(struct listing *l, const struct name *name, bool is_listed);
/* The commit failed: changes did not happen. */
void listing_drop(struct listing *l);

/* Says what is due through directory_client_send(). */
void listing_say(struct listing *l, struct rooms *r);

#endif
