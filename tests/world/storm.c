/* The storm: one row for each thing that happens, with its weight. */
#include "tests/world/story_inside.h"

#define TEN_YEARS_MS ((int64_t)3652 * 86400 * 1000)

static size_t any_size(struct story *s)
{
	struct dice *d = story_dice(s);
	unsigned kind = dice_below(d, 100);

	if (kind < 70)
		return dice_between(d, 20, 200);
	if (kind < 85)
		return dice_between(d, 1, 20);
	if (kind < 97)
		return dice_between(d, 200, 3000);
	return kind == 99 ? WIRE_TEXT_MAX : dice_between(d, 3000, WIRE_TEXT_MAX);
}

void storm_say_one(struct story *s)
{
	unsigned m = story_any_machine(s);

	people_say(s->people, m, story_any_other(s, story_owner(s, m)), any_size(s));
}

static void play(struct story *s)
{
	unsigned m = story_any_machine(s), b = story_any_other(s, story_owner(s, m));

	for (unsigned count = dice_between(story_dice(s), 1, 6); count > 0; count--)
		people_play(s->people, m, b);
}

static void offer(struct story *s)
{
	unsigned m = story_any_machine(s);

	people_offer(s->people, m, story_any_other(s, story_owner(s, m)));
}

static void meddle(struct story *s)
{
	unsigned m = story_any_machine(s);

	people_meddle(s->people, m, story_any_other(s, story_owner(s, m)));
}

static void read_what_came(struct story *s)
{
	unsigned m = story_any_machine(s);

	people_read(s->people, m, story_any_other(s, story_owner(s, m)));
}

static void say_many(struct story *s)
{
	unsigned m = story_any_machine(s), b = story_any_other(s, story_owner(s, m));

	for (unsigned count = dice_between(story_dice(s), 5, 60); count > 0; count--)
		people_say(s->people, m, b, any_size(s));
}

void storm_crash_a_machine(struct story *s)
{
	unsigned a = story_any_machine(s);

	if (dice_chance(story_dice(s), 500))
		world_crash(s->world, a);
	else
		world_crash_soon(s->world, a, dice_below(story_dice(s), 8));
}

static void cut_the_power(struct story *s)
{
	world_cut_power_soon(s->world, dice_below(story_dice(s), s->machines + 1),
			     dice_below(story_dice(s), 40));
}

static void spoil_a_disk(struct story *s)
{
	static const enum bad_disk_fault faults[] = { BAD_DISK_FULL, BAD_DISK_FULL,
						      BAD_DISK_FAILS, BAD_DISK_LOCKED };

	world_spoil_disk(s->world, story_any_machine(s), faults[dice_below(story_dice(s), 4)],
			 dice_between(story_dice(s), 1, 40) * SECOND);
}

static void stop_a_machine(struct story *s)
{
	world_stop(s->world, story_any_machine(s));
}

void storm_crash_the_directory(struct story *s)
{
	if (dice_chance(story_dice(s), 500))
		world_crash(s->world, WORLD_DIRECTORY);
	else
		world_crash_soon(s->world, WORLD_DIRECTORY, dice_below(story_dice(s), 8));
}

static void stop_the_directory(struct story *s)
{
	world_stop(s->world, WORLD_DIRECTORY);
}

void storm_start_somebody(struct story *s)
{
	for (unsigned i = 0; i <= s->machines; i++)
		if (dice_chance(story_dice(s), 400))
			world_start(s->world, i);
}

static void cut_a_pair(struct story *s)
{
	unsigned a = story_any_machine(s),
		 b = 1 + (a + dice_below(story_dice(s), s->machines - 1)) % s->machines;

	world_cut(s->world, a, dice_chance(story_dice(s), 300) ? WORLD_DIRECTORY : b, true);
}

static void mend_cuts(struct story *s)
{
	network_mend(world_network(s->world));
}

void storm_move_somebody(struct story *s)
{
	unsigned a = dice_chance(story_dice(s), 150) ? WORLD_DIRECTORY : story_any_machine(s);

	world_move(s->world, a, dice_chance(story_dice(s), 500));
}

static void move_a_pair(struct story *s)
{
	storm_move_somebody(s);
	storm_move_somebody(s);
}

static void change_a_lan(struct story *s)
{
	world_change_lan(s->world, story_any_machine(s));
}

static void put_to_sleep(struct story *s)
{
	world_sleep(s->world, story_any_machine(s),
		    dice_between(story_dice(s), 1, 200) * SECOND);
}

static void break_a_router(struct story *s)
{
	world_break_router(s->world, story_any_machine(s),
			   dice_between(story_dice(s), 1, 60) * SECOND);
}

/* By up to an hour, or by ten years; then no invitation of the directory's is good any more. */
static void jump_a_clock(struct story *s)
{
	int64_t by = (int64_t)dice_below(story_dice(s), 7200000) - 3600000;
	unsigned machine;
	bool is_far = s->has_accidents && dice_chance(story_dice(s), 300);

	if (is_far)
		by = dice_chance(story_dice(s), 500) ? TEN_YEARS_MS : -TEN_YEARS_MS;
	machine = dice_below(story_dice(s), s->machines + 1);
	if (machine != WORLD_DIRECTORY || !is_far || people_have_joined(s->people))
		world_jump_clock(s->world, machine, by);
}

void storm_change_weather(struct story *s)
{
	struct weather weather = {
		.loss = dice_below(story_dice(s), s->worst.loss + 1),
		.duplicate = dice_below(story_dice(s), s->worst.duplicate + 1),
		.damage = dice_below(story_dice(s), s->worst.damage + 1),
		.delay = dice_below(story_dice(s), s->worst.delay + 1),
		.jitter = dice_below(story_dice(s), s->worst.jitter + 1),
	};

	network_set_weather(world_network(s->world), s->has_bad_lines ? &s->worst : &weather);
}

static void part_or_meet(struct story *s)
{
	unsigned a = story_any_person(s), b = story_any_other(s, a);

	if (!s->has_partings)
		return;
	if (people_wishes(s->people, a, b) != WISH_CONTACT)
		people_wish(s->people, a, b, WISH_CONTACT);
	else
		people_wish(s->people, a, b,
			    dice_chance(story_dice(s), 500) ? WISH_BLOCKED : WISH_NOTHING);
}

static void differ(struct story *s)
{
	unsigned a = story_any_person(s);

	if (s->has_accidents)
		people_differ(s->people, a, story_any_other(s, a));
}

static void decide_on_somebody(struct story *s)
{
	unsigned a = story_any_person(s);

	if (s->has_consents)
		people_set_consent(s->people, a, story_any_other(s, a),
				   (enum consent)dice_below(story_dice(s), 4));
}

static void show(struct story *s)
{
	people_show(s->people, story_any_machine(s));
}

static void change_a_password(struct story *s)
{
	if (s->has_accidents)
		people_change_password(s->people, story_any_person(s),
				       dice_chance(story_dice(s), 300));
}

static void make_a_code(struct story *s)
{
	if (s->has_accidents)
		people_make_code(s->people, story_any_person(s));
}

static void revoke_a_machine(struct story *s)
{
	if (s->has_accidents)
		people_revoke(s->people, story_any_machine(s));
}

static void lose_a_machine(struct story *s)
{
	unsigned m = story_any_machine(s);

	if (s->has_accidents)
		people_lose_machine(s->people, m, dice_chance(story_dice(s), 400));
}

static void name_a_device(struct story *s)
{
	if (s->has_accidents)
		people_name_a_device(s->people, story_any_person(s));
}

static void change_a_key(struct story *s)
{
	if (s->has_accidents)
		people_rekey(s->people, story_any_person(s));
}

static void wait_long(struct story *s)
{
	story_live(s, dice_between(story_dice(s), 5, 90) * SECOND);
}

static const struct {
	unsigned weight;
	void (*happen)(struct story *s);
} happenings[] = {
	{ 500, storm_say_one },
	{ 40, say_many },
	{ 60, play },
	{ 16, offer },
	{ 16, meddle },
	{ 20, read_what_came },
	{ 12, show },
	{ 14, storm_crash_a_machine },
	{ 8, cut_the_power },
	{ 8, spoil_a_disk },
	{ 10, stop_a_machine },
	{ 6, storm_crash_the_directory },
	{ 4, stop_the_directory },
	{ 70, storm_start_somebody },
	{ 12, cut_a_pair },
	{ 16, mend_cuts },
	{ 12, storm_move_somebody },
	{ 6, move_a_pair },
	{ 8, change_a_lan },
	{ 6, put_to_sleep },
	{ 6, break_a_router },
	{ 4, jump_a_clock },
	{ 10, storm_change_weather },
	{ 10, part_or_meet },
	{ 6, wait_long },
	{ 8, differ },
	{ 12, decide_on_somebody },
	{ 6, change_a_password },
	{ 5, make_a_code },
	{ 4, revoke_a_machine },
	{ 2, lose_a_machine },
	{ 2, change_a_key },
	{ 3, name_a_device },
};

void storm_happens(struct story *s)
{
	unsigned sum = 0, at;

	for (size_t i = 0; i < sizeof happenings / sizeof *happenings; i++)
		sum += happenings[i].weight;
	at = dice_below(story_dice(s), sum);
	for (size_t i = 0; i < sizeof happenings / sizeof *happenings; i++) {
		if (at < happenings[i].weight) {
			happenings[i].happen(s);
			return;
		}
		at -= happenings[i].weight;
	}
}
