/* When a link does not wait for the other side: after stream data nothing authentic is heard
 * any more, or an address has changed. It pings then, a few times. */
#ifndef PALIQUE_SHARED_LINK_UNREST_H
#define PALIQUE_SHARED_LINK_UNREST_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/clock.h"

struct link;

enum {
	LINK_UNREST_PINGS = 4,
	LINK_UNREST_LARGE = 400, /* a datagram of so much has data in it, or what is carried */
};
#define LINK_UNREST_AFTER (300 * MILLISECOND) /* or three round trips, and then doubled */
#define LINK_UNREST_SOON  (100 * MILLISECOND) /* or one round trip: after a move */

struct link_unrest {
	mono_ns at, wait; /* the next ping; 0: calm */
	unsigned left;
	bool is_pressing;   /* the ping goes even past a full window */
	bool is_after_data; /* it waits for more: not since a move */
	bool has_data;      /* since the last authentic packet */
};

/* The round trip (shared/endpoint.h) is here, too, and: pings after quiet as configured. */
void link_keep_alive_set(struct link *l);

/* Something authentic was heard, in a datagram of `size` bytes. */
void link_unrest_heard(struct link *l, size_t size, mono_ns now);
/* Pings at once, and again soon unless something is heard. `is_pressing`: what is in flight is
 * lost, most likely. */
void link_unrest_begin(struct link *l, bool is_pressing, mono_ns now);
/* There was no room for anything: whether the ping must go all the same. Once for each. */
bool link_unrest_presses(struct link *l);
void link_unrest_tick(struct link *l, mono_ns now);
mono_ns link_unrest_at(const struct link *l);

#endif
