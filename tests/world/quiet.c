/* A quiet day: hours of little talk, and what must stay true in them. */
#include "tests/world/story_inside.h"

#define MINUTE (60 * SECOND)

enum {
	RESTARTS = 10,      /* of the directory, a minute apart, in a quiet day */
	NOTICED_IN_S = 10,  /* ... where a contact holds a link and has something to say */
	CUT_OFF_IN_S = 1,   /* ... that is revoked */
	VANISHED_IN_S = 30, /* one that vanishes is told to its contacts within this */
};

static void directory_restarts_each_minute(struct story *s)
{
	for (unsigned i = 0; i < RESTARTS && !world_trouble(s->world); i++) {
		if (dice_chance(story_dice(s), 500))
			world_stop(s->world, WORLD_DIRECTORY);
		else
			world_crash(s->world, WORLD_DIRECTORY);
		storm_say_one(s);
		story_live(s, dice_between(story_dice(s), 1, 10) * SECOND);
		world_start(s->world, WORLD_DIRECTORY);
		story_live(s, 50 * SECOND);
		storm_say_one(s);
	}
}

static void comes_back(struct story *s, unsigned who)
{
	story_live(s, dice_between(story_dice(s), 1, 3600) * SECOND);
	world_start(s->world, who);
	story_live(s, 5 * SECOND);
	story_expect_presence(s, "after somebody came back");
}

/* Who leaves is gone at once. */
static void somebody_leaves(struct story *s)
{
	unsigned who = story_any_machine(s);

	world_stop(s->world, who);
	story_live(s, SECOND);
	story_expect_presence(s, "after somebody left");
	comes_back(s, who);
}

/* Who vanishes is not online any more within 30 s. */
static void somebody_vanishes(struct story *s)
{
	unsigned who = story_any_machine(s);

	world_crash(s->world, who);
	story_live(s, (VANISHED_IN_S + 1) * SECOND);
	story_expect_presence(s, "after somebody vanished");
	comes_back(s, who);
}

static void a_partner_vanishes(struct story *s)
{
	unsigned who = story_any_machine(s), person = story_owner(s, who),
		 partner = story_any_other(s, person),
		 at = people_some_machine(s->people, partner, story_dice(s));

	/* Who has another machine stays online. */
	if (people_machine_count(s->people, person) > 1)
		return;
	people_say(s->people, at, person, 100);
	story_live(s, 3 * SECOND);
	if (!people_is_linked(s->people, at, person))
		world_fail(s->world, "machines %u and %u have talked and are not linked", at,
			   who);
	world_crash(s->world, who);
	people_say(s->people, at, person, 100);
	story_live(s, (NOTICED_IN_S + 1) * SECOND);
	if (people_sees_online(s->people, at, person))
		world_fail(s->world, "machine %u has not noticed within %d s that %u is gone",
			   at, NOTICED_IN_S, who);
	comes_back(s, who);
}

/* What a revoked machine held it keeps, and gets nothing more until it is let in again. */
static void somebody_is_revoked(struct story *s)
{
	unsigned who = story_any_machine(s), person = story_owner(s, who),
		 other = story_any_other(s, person);
	uint64_t heard;

	if (!people_revoke(s->people, who))
		return;
	people_hold_back(s->people, who, 20 * SECOND);
	story_live(s, CUT_OFF_IN_S * SECOND);
	if (!people_is_cut_off(s->people, who))
		world_fail(s->world, "machine %u is revoked and not cut off within %d s", who,
			   CUT_OFF_IN_S);
	heard = people_heard_on(s->people, who);
	people_say(s->people, people_some_machine(s->people, other, story_dice(s)), person,
		   100);
	story_live(s, 5 * SECOND);
	if (people_heard_on(s->people, who) != heard)
		world_fail(s->world, "machine %u is revoked and hears what is said later", who);
	story_settle(s, "after a revocation");
}

/* Hours in which nothing is heard, and everybody else goes on. */
static void somebody_sleeps(struct story *s)
{
	unsigned who = story_any_machine(s);

	world_sleep(s->world, who, dice_between(story_dice(s), 1, 3600) * SECOND);
	while (world_is_asleep(s->world, who) && !world_trouble(s->world))
		story_live(s, 10 * SECOND);
	story_settle(s, "after a sleep");
}

/* Two who talk move at the same moment, within their networks or from one to another. */
static void a_pair_moves(struct story *s)
{
	unsigned m = story_any_machine(s), b = story_any_other(s, story_owner(s, m)),
		 n = people_some_machine(s->people, b, story_dice(s));

	people_say(s->people, m, b, 100);
	story_live(s, 3 * SECOND);
	for (unsigned i = 0; i < 2; i++) {
		unsigned who = i ? n : m;

		if (dice_chance(story_dice(s), 500))
			world_change_lan(s->world, who);
		else
			world_move(s->world, who, dice_chance(story_dice(s), 500));
	}
	people_say(s->people, m, b, 100);
	story_settle(s, "after two moved at once");
}

static void (*const quiet_happenings[])(struct story *s) = {
	directory_restarts_each_minute,
	somebody_leaves,
	somebody_vanishes,
	a_partner_vanishes,
	somebody_is_revoked,
	somebody_sleeps,
	a_pair_moves,
	storm_move_somebody,
};
enum { QUIET_KINDS = sizeof quiet_happenings / sizeof *quiet_happenings };

void story_quiet_day(struct story *s, uint64_t seed)
{
	struct dice shape;
	struct cast cast = { 0 };
	unsigned hours;

	dice_init(&shape, seed, 3);
	hours = dice_between(&shape, 2, 8);
	cast.persons = dice_between(&shape, 2, 3);
	story_share_out(&shape, cast.persons, cast.persons + dice_below(&shape, 3),
			cast.machines);
	cast.is_v6 = dice_chance(&shape, 500);
	cast.has_host_name = dice_chance(&shape, 500);
	cast.has_nats = dice_chance(&shape, 600);
	story_begin(s, seed, &cast);
	story_fair_weather(s);
	story_wish_all_contacts(s);
	story_settle(s, "at the beginning of a quiet day");
	for (unsigned i = 0; i < hours && !world_trouble(s->world); i++) {
		story_live(s, dice_between(story_dice(s), 1, 50) * MINUTE);
		story_expect_presence(s, "in a quiet hour");
		storm_say_one(s);
		story_live(s, 30 * SECOND);
		quiet_happenings[dice_below(story_dice(s), QUIET_KINDS)](s);
	}
	story_settle(s, "at the end of a quiet day");
	people_greet_all(s->people);
	story_settle(s, "at the end of a quiet day, with texts");
	people_judge(s->people);
}
