/* Alice and Bob, who know each other, each with a disk that can be spoilt (tests/bad_disk.h), on a calm network.
 * Their homes are made once; each story begins with copies of them and spoils one operation of one disk. */
#ifndef PALIQUE_TESTS_SPOILT_H
#define PALIQUE_TESTS_SPOILT_H

#include "tests/bad_disk.h"
#include "tests/calm_net.h"
#include "tests/peer_fixture.h"

struct side {
	struct peer peer;
	char first[64];                 /* its home as all stories begin */
	char folder[96], downloads[96]; /* in this story */
	char image[96];                 /* what its disk held when the power went */
	unsigned lives;
};

enum { SIDES = 2 };
extern struct side sides[SIDES];
extern struct calm_net spoilt_net;
extern char homes[64]; /* the folder of all that */

int make_homes(void **state);
int remove_homes(void **state);

struct side *other_of(const struct side *s);
/* Its engine is a node of the net from now on; false: its disk does not let it. */
bool switch_on(struct side *s);
void switch_off(struct side *s);
/* Who loses its power goes on with what its disk held then. */
void spoilt_pass(mono_ns length);

/* How often the power went since the last strike_each() began. */
extern uint64_t cuts;

/* `tell` is told of the side whose disk is to be spoilt, and how: that begins with bad_disk_plan(), when it
 * wants. `close` finds the disk well again. Both end the test where something is wrong. */
struct story {
	bool leaps; /* each begins behind all that the one before has struck, not behind the first of it */
	void (*tell)(struct side *s, const struct bad_disk_plan *plan, const char *when);
	void (*close)(struct side *s, const char *when);
};
/* Each operation of these kinds is struck in a story of its own, `count` of them from there on; of each side.
 * How many stories that were. */
uint64_t strike_each(const struct story *story, enum bad_disk_fault fault, unsigned operations,
		     uint64_t count, const char *what);

#endif
