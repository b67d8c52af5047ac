/* Without a directory, and with one that lies. */
#include <stdio.h>

#include "peer/punch.h"
#include "tests/world/story_inside.h"

/* Lives until nothing is owed to anybody; who is online nobody can tell. */
static void deliver(struct story *s, const char *when)
{
	mono_ns until = world_now(s->world) + SETTLE_S * SECOND;
	char why[128] = "";

	while (!world_trouble(s->world)) {
		story_live(s, SECOND);
		if (people_nothing_is_owed(s->people, why, sizeof why))
			return;
		if (world_now(s->world) > until)
			world_fail(s->world, "%s, after %d s: %s", when, SETTLE_S, why);
	}
}

static void begin_again_elsewhere(struct story *s, unsigned machine)
{
	if (dice_chance(story_dice(s), 500))
		world_stop(s->world, machine);
	else
		world_crash(s->world, machine);
	world_move(s->world, machine, false);
}

/* It dies for good, while all know each other and hold links. Who stays is reached, and who begins
 * again elsewhere is found through the one that stays; then, where no routers are, that one moves. */
void story_without_a_directory(struct story *s, uint64_t seed)
{
	struct cast cast = { .machines = { 1, 1, 1, 1 }, .has_open_third = true };
	struct dice shape;

	dice_init(&shape, seed, 3);
	cast.persons = dice_between(&shape, 3, 4);
	cast.is_v6 = dice_chance(&shape, 300);
	cast.has_nats = dice_chance(&shape, 800);
	story_begin(s, seed, &cast);
	story_fair_weather(s);
	story_wish_all_contacts(s);
	story_settle(s, "before the directory dies");
	people_greet_all(s->people);
	story_settle(s, "before the directory dies, with texts");
	story_live(s, dice_between(story_dice(s), 40, 200) * SECOND);
	world_crash(s->world, WORLD_DIRECTORY);
	story_live(s, dice_below(story_dice(s), 60) * SECOND);
	people_greet_all(s->people);
	deliver(s, "without the directory");
	for (unsigned m = 2; m <= s->machines; m++)
		begin_again_elsewhere(s, m);
	story_live(s, dice_below(story_dice(s), 60) * SECOND);
	for (unsigned m = 2; m <= s->machines; m++) {
		story_live(s, dice_below(story_dice(s), 5000) * MILLISECOND);
		world_start(s->world, m);
	}
	story_live(s, SECOND);
	people_greet_all(s->people);
	deliver(s, "without the directory, and begun again elsewhere");
	if (!cast.has_nats) { /* else nobody would let it in, from where it is now */
		world_move(s->world, 1, false);
		people_greet_all(s->people);
		deliver(s, "without the directory, when the third had moved");
	}
	people_judge(s->people);
}

/* All are said to be where somebody is who has nothing to do with it, and nobody is found where they
 * are: the same address is tried again and again. */
void story_with_a_lie(struct story *s, uint64_t seed)
{
	struct cast cast = { .persons = 3, .machines = { 1, 1, 1 } };
	struct address victim = { .family = 4, .port = 50000, .ip = { 198, 18, 7, 7 } };
	struct dice shape;
	uint64_t most;

	dice_init(&shape, seed, 3);
	story_begin(s, seed, &cast);
	world_lie(s->world, &victim);
	story_fair_weather(s);
	story_wish_all_contacts(s);
	for (unsigned a = 1; a <= s->machines; a++)
		for (unsigned b = 1; b < a; b++)
			world_cut(s->world, a, b, true);
	for (unsigned i = dice_between(&shape, 5, 25); i > 0 && !world_trouble(s->world); i--) {
		storm_say_one(s);
		story_live(s, 60 * SECOND);
	}
	most = world_counts(s->world).to_victim;
	if (most > PUNCH_DAILY)
		world_fail(s->world,
			   "a machine has sent %llu datagrams to somebody else's address",
			   (unsigned long long)most);
	network_mend(world_network(s->world));
	/* Who has not answered for so long is tried again before as long a while has passed. */
	story_live(s, world_now(s->world));
	story_settle(s, "with a directory that lies");
	people_judge(s->people);
}
