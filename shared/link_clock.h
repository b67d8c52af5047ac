/* The library's clock, which may be ahead of ours. Nothing else makes it write when its timer has
 * backed off (RFC 9002 section 6.2) or the congestion window is full, and after an outage both
 * would go on for seconds. Its own timeouts are therefore not used. */
#ifndef PALIQUE_SHARED_LINK_CLOCK_H
#define PALIQUE_SHARED_LINK_CLOCK_H

#include <stdbool.h>

#include "shared/clock.h"

struct link;

/* What the library is told of time. */
mono_ns link_library_now(const struct link *l, mono_ns now);
/* When it wants to be told next, by our clock. */
mono_ns link_library_due(const struct link *l);

/* What is in flight is probed for now: the next packets are written whatever the window. With
 * their answer all that was sent before and is not acknowledged counts as lost. False:
 * nothing is in flight, or the clock would run too far ahead. Round trips that are under way
 * are measured too long by what it jumps. */
bool link_hurry(struct link *l, mono_ns now);

#endif
