/* Inside of reach: reach.c decides when to dial, to suspect and to hang up; reach_ways.c knows
 * which ways there are. */
#ifndef PALIQUE_PEER_REACH_INSIDE_H
#define PALIQUE_PEER_REACH_INSIDE_H

#include "peer/reach.h"
#include "peer/way.h"

struct reach {
	struct rooms *rooms;
	struct way **ways; /* all of them, in the order they were made */
	unsigned count;
	uintptr_t numbers; /* given to ways so far */
	bool has_left;     /* some person has */
	bool has_lists;    /* some way has heard one */
};

struct way *reach_find_way(const struct person *p, const struct device_public *device);
/* The way to the device, a new one if needed; NULL when it is not theirs by their newest list,
 * or all places hold devices in use. */
struct way *reach_need_way(struct reach *r, struct person *p,
			   const struct device_public *device);

/* EVENT_LINK, when the first link came or the last went. */
void reach_tell_link(struct reach *r, struct person *p);
void reach_hang_up(struct reach *r, struct way *w, enum link_code code);

/* The right talks on every way, awake. */
void reach_take_changes(struct reach *r);

#endif
