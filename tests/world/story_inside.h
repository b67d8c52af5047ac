/* The inside of a story, for story.c (how it begins, settles and ends), storm.c (all that can
 * happen in a storm), quiet.c, alone.c, fades.c, hides.c, keeps.c and bots.c (other stories) and nobody else. */
#ifndef PALIQUE_TESTS_WORLD_STORY_INSIDE_H
#define PALIQUE_TESTS_WORLD_STORY_INSIDE_H

#include "tests/world/people.h"

struct story {
	struct world *world;
	struct people *people;
	unsigned machines, persons;
	unsigned newest;    /* machine that began anew last */
	bool has_partings;  /* people also block and remove one another */
	bool has_hard_nats; /* also such as need a relay: everybody relays */
	bool has_consents;  /* not everybody may have everybody's address */
	bool has_bad_lines; /* the weather is at its worst, always */
	bool has_accidents; /* devices, passwords and keys change */
	struct weather worst;
};

/* Everyone is back, and everything delivered, within this. */
enum { SETTLE_S = 240 };

struct cast {
	unsigned persons, machines[PEOPLE_MAX];
	bool is_v6, has_host_name, has_nats;
	bool has_open_third; /* and no hard NATs */
};

/* --- story.c --- */

/* How many machines each person has: one, or some have more. */
void story_share_out(struct dice *shape, unsigned persons, unsigned most,
		     unsigned machines[PEOPLE_MAX]);
void story_begin(struct story *s, uint64_t seed, const struct cast *cast);
void story_fair_weather(struct story *s);
void story_wish_all_contacts(struct story *s);
/* Lives until all is as it should be; nothing else may take longer than the bound. */
void story_settle(struct story *s, const char *when);
void story_expect_presence(struct story *s, const char *when);

/* Lives until it is so. */
void story_await(struct story *s, bool (*is_so)(struct people *p, char *why, size_t size),
		 const char *when);

struct dice *story_dice(struct story *s);
/* Time passes, and persons do what they do by themselves. */
void story_live(struct story *s, mono_ns how_long);
unsigned story_any_machine(struct story *s);
unsigned story_any_person(struct story *s);
unsigned story_any_other(struct story *s, unsigned than); /* person */
unsigned story_owner(struct story *s, unsigned machine);

/* --- quiet.c, alone.c, fades.c, hides.c, keeps.c, bots.c --- */

void story_quiet_day(struct story *s, uint64_t seed);
void story_without_a_directory(struct story *s, uint64_t seed);
void story_with_a_lie(struct story *s, uint64_t seed);
void story_that_fades(struct story *s, uint64_t seed);
void story_with_somebody_hidden(struct story *s, uint64_t seed);
void story_that_keeps(struct story *s, uint64_t seed);
void story_with_programs(struct story *s, uint64_t seed);

/* --- storm.c --- */

void storm_happens(struct story *s); /* one thing */
void storm_say_one(struct story *s);
void storm_crash_a_machine(struct story *s);
void storm_crash_the_directory(struct story *s);
void storm_start_somebody(struct story *s);
void storm_move_somebody(struct story *s);
void storm_change_weather(struct story *s);

#endif
