/* The inside of a story, for story.c (how it begins, settles and ends) and storm.c (all that can
 * happen in a storm) and nobody else. */
#ifndef PALIQUE_TESTS_WORLD_STORY_INSIDE_H
#define PALIQUE_TESTS_WORLD_STORY_INSIDE_H

#include "tests/world/people.h"

struct story {
	struct world *world;
	struct people *people;
	unsigned machines, persons;
	bool has_partings;  /* people also block and remove one another */
	bool has_hard_nats; /* also such as need a relay: everybody relays */
	bool has_consents;  /* not everybody may have everybody's address */
	bool has_accidents; /* devices, passwords and keys change */
	struct weather worst;
};

/* --- story.c --- */

struct dice *story_dice(struct story *s);
/* Time passes, and persons do what they do by themselves. */
void story_live(struct story *s, mono_ns how_long);
unsigned story_any_machine(struct story *s);
unsigned story_any_person(struct story *s);
unsigned story_any_other(struct story *s, unsigned than); /* person */
unsigned story_owner(struct story *s, unsigned machine);

/* --- storm.c --- */

void storm_happens(struct story *s); /* one thing */
void storm_say_one(struct story *s);
void storm_crash_a_machine(struct story *s);
void storm_crash_the_directory(struct story *s);
void storm_start_somebody(struct story *s);
void storm_move_somebody(struct story *s);
void storm_change_weather(struct story *s);

#endif
