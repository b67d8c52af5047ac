/* Alice and Bob, who know each other, and room for another machine of Alice's, in a town. */
#ifndef PALIQUE_TESTS_COUPLE_H
#define PALIQUE_TESTS_COUPLE_H

#include "tests/town.h"

enum { ALICE, BOB, ALICE_TOO };

int build_couple(void **state); /* a struct town, razed by raze_town() */
struct engine *at(struct town *t, unsigned i);
void pass(struct town *t, mono_ns length);
struct contact contact(struct town *t, unsigned i, const char *name);
/* Alice logs in on her other machine. */
void log_in_too(struct town *t);

#endif
