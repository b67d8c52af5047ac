/* Time that runs out: messages that disappear, and rules how long to keep the others. What is due
 * comes out of here; whoever holds the rows wipes it.
 *
 * The wall clock may be years wrong and be put right at any moment, and then neither everything may
 * be deleted at once nor anything be kept for ever. So deadlines are in a clock of our own, which
 * stands `shift` behind the wall clock: while the program runs it goes with the monotonic clock
 * (a wall clock that leaps by more than EXPIRY_LEAP changes the shift and nothing else); of time
 * in which nobody looked - the machine slept, the program was not running - it counts what the
 * wall clock says, but not more than EXPIRY_UNSEEN each time, and never backwards. The shift is in the
 * store. A clock that is right all the time has a shift of zero but for long absences: then things stay
 * longer, by as much. */
#ifndef PALIQUE_PEER_EXPIRY_H
#define PALIQUE_PEER_EXPIRY_H

#include "peer/person.h"
#include "peer/rooms.h"

#define EXPIRY_LEAP   ((wall_ms)5 * 60 * 1000)
#define EXPIRY_UNSEEN ((wall_ms)24 * 3600 * 1000)
enum {
	EXPIRY_BATCH = 200, /* that are due in one step, at most */
	EXPIRY_DAYS_MAX = 36500,
};

struct expiry;
struct expiry *expiry_new(struct rooms *rooms);
void expiry_free(struct expiry *x); /* NULL is harmless */

/* For column `expires` of a message of ours, or of another device of ours, with a life: it counts from when
 * it was said (`sent_at`, by the clock of who said it, but not from the future). 0 (NULL in the column): the
 * wall clock has leapt just now, and it counts from when it is clear why. */
wall_ms expiry_at(struct expiry *x, wall_ms sent_at, uint32_t life);
/* What the person said is read as far as rows of chain say now: of what has a life it counts from now on (or
 * from when it is clear why the wall clock leapt). */
void expiry_read(struct expiry *x, const struct person *p);
/* Column `expires` as the wall clock will show it; 0 stays 0. */
wall_ms expiry_shown(const struct expiry *x, wall_ms expires);

/* A rule was changed: what it lets go is due at once. */
void expiry_changed(struct expiry *x);

/* In each step: when to be called again. */
mono_ns expiry_step(struct expiry *x);
/* The next message whose time has come, each once in a step; false: no more (in this step). */
bool expiry_next(struct expiry *x, uint64_t *id);
/* It cannot go yet (nobody has it but us): it is due again in an hour. */
void expiry_later(struct expiry *x, uint64_t id);
/* It has gone, and is never due again. */
void expiry_over(struct expiry *x, uint64_t id);

#endif
