#include "tests/world/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

enum {
	RESTARTS = 10,      /* of the directory, a minute apart, in a quiet day */
	NOTICED_IN_S = 10,  /* ... where a contact holds a link and has something to say */
	VANISHED_IN_S = 30, /* one that vanishes is told to its contacts within this */
	SETTLE_S = 240,     /* everyone is back, and everything delivered, within this */
};

struct story {
	struct world *world;
	struct people *people;
	unsigned peers;
	bool has_partings; /* people also block and remove one another */
	struct weather worst;
};

/* --- how it begins and ends --- */

static struct dice *dice(struct story *s)
{
	return world_dice(s->world);
}

static void begin(struct story *s, uint64_t seed, unsigned peers, bool is_v6,
		  bool has_host_name)
{
	bool is_by_invitation = seed % 2;
	struct world_config config = {
		.seed = seed,
		.peers = peers,
		.registration = is_by_invitation ? REGISTRATION_INVITE : REGISTRATION_OPEN,
		.is_v6 = is_v6,
		.has_host_name = has_host_name,
		.on_event = people_on_event,
		.on_start = people_on_start,
	};

	s->peers = peers;
	s->people = people_new(peers);
	config.user = s->people;
	s->world = world_new(&config);
	people_live(s->people, s->world);
	world_start(s->world, WORLD_DIRECTORY);
	if (is_by_invitation)
		people_invite(s->people);
	for (unsigned i = 1; i <= peers; i++)
		world_start(s->world, i);
}

static void end(struct story *s, const char *kind, struct story_result *result)
{
	struct server_status status = world_directory_status(s->world);

	memset(result, 0, sizeof *result);
	result->kind = kind;
	if (world_trouble(s->world) && getenv("TRACE"))
		people_print(s->people);
	if (world_trouble(s->world))
		snprintf(result->trouble, sizeof result->trouble, "%s (at %.3f s)",
			 world_trouble(s->world), world_now(s->world) / 1e9);
	result->simulated = world_now(s->world);
	result->people = people_counts(s->people);
	result->network = network_counts(world_network(s->world));
	result->world = world_counts(s->world);
	result->directory_bytes = result->network.bytes_of[WORLD_DIRECTORY];
	result->introductions = status.introductions;
	result->logins = status.key_logins;
	world_free(s->world);
	people_free(s->people);
}

/* Time passes, and persons do what they do by themselves. */
static void live(struct story *s, mono_ns how_long)
{
	for (mono_ns left = how_long; left > 0 && !world_trouble(s->world);) {
		mono_ns part = mono_earlier(left, SECOND);

		world_run(s->world, part);
		people_tend(s->people);
		left -= part;
	}
}

static void wish_all_contacts(struct story *s)
{
	for (unsigned a = 1; a <= s->peers; a++)
		for (unsigned b = 1; b <= s->peers; b++)
			if (a != b && people_wishes(s->people, a, b) != WISH_BLOCKED)
				people_wish(s->people, a, b, WISH_CONTACT);
}

/* Lives until presence is true and all is delivered; nothing else may take longer than the bound. */
static void settle(struct story *s, const char *when)
{
	mono_ns until = world_now(s->world) + SETTLE_S * SECOND;
	char why[128] = "";

	while (!world_trouble(s->world)) {
		live(s, SECOND);
		if (!people_all_joined(s->people))
			snprintf(why, sizeof why, "somebody cannot join");
		else if (people_presence_is_true(s->people, why, sizeof why) &&
			 people_nothing_is_owed(s->people, why, sizeof why))
			return;
		if (world_now(s->world) > until)
			world_fail(s->world, "%s, after %d s of calm: %s", when, SETTLE_S, why);
	}
}

static void expect_presence(struct story *s, const char *when)
{
	char why[128];

	if (!people_presence_is_true(s->people, why, sizeof why))
		world_fail(s->world, "%s: %s", when, why);
}

static unsigned any_peer(struct story *s)
{
	return 1 + dice_below(dice(s), s->peers);
}

static unsigned any_other(struct story *s, unsigned than)
{
	return 1 + (than - 1 + 1 + dice_below(dice(s), s->peers - 1)) % s->peers;
}

static size_t any_size(struct story *s)
{
	struct dice *d = dice(s);
	unsigned kind = dice_below(d, 100);

	if (kind < 70)
		return dice_between(d, 20, 200);
	if (kind < 85)
		return dice_between(d, 1, 20);
	if (kind < 97)
		return dice_between(d, 200, 3000);
	return kind == 99 ? WIRE_TEXT_MAX : dice_between(d, 3000, WIRE_TEXT_MAX);
}

/* --- the storm: one row for each thing that happens, with its weight --- */

static void say_one(struct story *s)
{
	unsigned a = any_peer(s);

	people_say(s->people, a, any_other(s, a), any_size(s));
}

static void say_many(struct story *s)
{
	unsigned a = any_peer(s), b = any_other(s, a);

	for (unsigned count = dice_between(dice(s), 5, 60); count > 0; count--)
		people_say(s->people, a, b, any_size(s));
}

static void crash_a_peer(struct story *s)
{
	unsigned a = any_peer(s);

	if (dice_chance(dice(s), 500))
		world_crash(s->world, a);
	else
		world_crash_soon(s->world, a, dice_below(dice(s), 8));
}

static void stop_a_peer(struct story *s)
{
	world_stop(s->world, any_peer(s));
}

static void crash_the_directory(struct story *s)
{
	if (dice_chance(dice(s), 500))
		world_crash(s->world, WORLD_DIRECTORY);
	else
		world_crash_soon(s->world, WORLD_DIRECTORY, dice_below(dice(s), 8));
}

static void stop_the_directory(struct story *s)
{
	world_stop(s->world, WORLD_DIRECTORY);
}

static void start_somebody(struct story *s)
{
	for (unsigned i = 0; i <= s->peers; i++)
		if (dice_chance(dice(s), 400))
			world_start(s->world, i);
}

static void cut_a_pair(struct story *s)
{
	unsigned a = any_peer(s),
		 b = dice_chance(dice(s), 300) ? WORLD_DIRECTORY : any_other(s, a);

	world_cut(s->world, a, b, true);
}

static void mend_cuts(struct story *s)
{
	network_mend(world_network(s->world));
}

static void move_somebody(struct story *s)
{
	unsigned a = dice_chance(dice(s), 150) ? WORLD_DIRECTORY : any_peer(s);

	world_move(s->world, a, dice_chance(dice(s), 500));
}

static void jump_a_clock(struct story *s)
{
	int64_t by = (int64_t)dice_below(dice(s), 7200000) - 3600000;

	world_jump_clock(s->world, dice_below(dice(s), s->peers + 1), by);
}

static void change_weather(struct story *s)
{
	struct weather weather = {
		.loss = dice_below(dice(s), s->worst.loss + 1),
		.duplicate = dice_below(dice(s), s->worst.duplicate + 1),
		.damage = dice_below(dice(s), s->worst.damage + 1),
		.delay = dice_below(dice(s), s->worst.delay + 1),
		.jitter = dice_below(dice(s), s->worst.jitter + 1),
	};

	network_set_weather(world_network(s->world), &weather);
}

static void part_or_meet(struct story *s)
{
	unsigned a = any_peer(s), b = any_other(s, a);

	if (!s->has_partings)
		return;
	if (people_wishes(s->people, a, b) != WISH_CONTACT)
		people_wish(s->people, a, b, WISH_CONTACT);
	else
		people_wish(s->people, a, b,
			    dice_chance(dice(s), 500) ? WISH_BLOCKED : WISH_NOTHING);
}

static void wait_long(struct story *s)
{
	live(s, dice_between(dice(s), 5, 90) * SECOND);
}

static const struct {
	unsigned weight;
	void (*happen)(struct story *s);
} happenings[] = {
	{ 500, say_one },       { 40, say_many },           { 14, crash_a_peer },
	{ 10, stop_a_peer },    { 6, crash_the_directory }, { 4, stop_the_directory },
	{ 70, start_somebody }, { 12, cut_a_pair },         { 16, mend_cuts },
	{ 12, move_somebody },  { 4, jump_a_clock },        { 10, change_weather },
	{ 10, part_or_meet },   { 6, wait_long },
};

static void something_happens(struct story *s)
{
	unsigned sum = 0, at;

	for (size_t i = 0; i < sizeof happenings / sizeof *happenings; i++)
		sum += happenings[i].weight;
	at = dice_below(dice(s), sum);
	for (size_t i = 0; i < sizeof happenings / sizeof *happenings; i++) {
		if (at < happenings[i].weight) {
			happenings[i].happen(s);
			return;
		}
		at -= happenings[i].weight;
	}
}

static void fair_weather(struct story *s)
{
	struct weather fair = { .delay = 10 * MILLISECOND, .jitter = 2 * MILLISECOND };

	network_set_weather(world_network(s->world), &fair);
	network_mend(world_network(s->world));
	world_no_more_crashes(s->world);
}

/* They die while they are becoming somebody, and so does the directory. */
static void hard_beginning(struct story *s)
{
	for (unsigned i = dice_between(dice(s), 2, 12); i > 0 && !world_trouble(s->world);
	     i--) {
		live(s, dice_below(dice(s), 900) * MILLISECOND);
		if (dice_chance(dice(s), 300))
			crash_the_directory(s);
		else
			crash_a_peer(s);
		start_somebody(s);
	}
}

/* Those who parted come together again in half of the worlds; else they stay apart. */
static void calm(struct story *s)
{
	bool all_meet = dice_chance(dice(s), 500);
	unsigned absent = dice_chance(dice(s), 700) ? any_peer(s) : 0; /* 0: nobody */

	fair_weather(s);
	for (unsigned a = 1; a <= s->peers && all_meet; a++)
		for (unsigned b = 1; b <= s->peers; b++)
			if (a != b)
				people_wish(s->people, a, b, WISH_CONTACT);
	for (unsigned i = 0; i <= s->peers; i++)
		if (!absent || i != absent)
			world_start(s->world, i);
	if (absent) {
		world_crash(s->world, absent);
		live(s, SETTLE_S * SECOND);
		expect_presence(s, "with one away");
		world_start(s->world, absent);
	}
	settle(s, "with all back");
	people_judge(s->people);
}

static void storm(struct story *s, uint64_t seed)
{
	struct dice shape;
	unsigned happening;

	dice_init(&shape, seed, 3);
	s->worst = (struct weather){
		.loss = dice_below(&shape, 301),
		.duplicate = dice_below(&shape, 60),
		.damage = dice_below(&shape, 30),
		.delay = dice_between(&shape, 1, 200) * MILLISECOND,
		.jitter = dice_below(&shape, 100) * MILLISECOND,
	};
	s->has_partings = dice_chance(&shape, 300);
	happening = dice_between(&shape, 100, 500);
	begin(s, seed, dice_between(&shape, 2, WORLD_PEERS_MAX), dice_chance(&shape, 500),
	      dice_chance(&shape, 500));
	if (dice_chance(&shape, 500))
		change_weather(s);
	wish_all_contacts(s);
	if (dice_chance(dice(s), 500))
		hard_beginning(s);
	live(s, 20 * SECOND);
	for (; happening > 0 && !world_trouble(s->world); happening--) {
		live(s, dice_below(dice(s), 1500) * MILLISECOND);
		something_happens(s);
	}
	calm(s);
}

/* --- a quiet day --- */

static void directory_restarts_each_minute(struct story *s)
{
	for (unsigned i = 0; i < RESTARTS && !world_trouble(s->world); i++) {
		if (dice_chance(dice(s), 500))
			world_stop(s->world, WORLD_DIRECTORY);
		else
			world_crash(s->world, WORLD_DIRECTORY);
		say_one(s);
		live(s, dice_between(dice(s), 1, 10) * SECOND);
		world_start(s->world, WORLD_DIRECTORY);
		live(s, 50 * SECOND);
		say_one(s);
	}
}

static void comes_back(struct story *s, unsigned who)
{
	live(s, dice_between(dice(s), 1, 3600) * SECOND);
	world_start(s->world, who);
	live(s, 5 * SECOND);
	expect_presence(s, "after somebody came back");
}

/* Who leaves is gone at once. */
static void somebody_leaves(struct story *s)
{
	unsigned who = any_peer(s);

	world_stop(s->world, who);
	live(s, SECOND);
	expect_presence(s, "after somebody left");
	comes_back(s, who);
}

/* Who vanishes is not online any more within 30 s. */
static void somebody_vanishes(struct story *s)
{
	unsigned who = any_peer(s);

	world_crash(s->world, who);
	live(s, (VANISHED_IN_S + 1) * SECOND);
	expect_presence(s, "after somebody vanished");
	comes_back(s, who);
}

static void a_partner_vanishes(struct story *s)
{
	unsigned who = any_peer(s), partner = any_other(s, who);

	people_say(s->people, partner, who, 100);
	live(s, 3 * SECOND);
	if (!people_is_linked(s->people, partner, who))
		world_fail(s->world, "peers %u and %u have talked and are not linked", partner,
			   who);
	world_crash(s->world, who);
	people_say(s->people, partner, who, 100);
	live(s, (NOTICED_IN_S + 1) * SECOND);
	if (people_sees_online(s->people, partner, who))
		world_fail(s->world, "peer %u has not noticed within %d s that %u is gone",
			   partner, NOTICED_IN_S, who);
	comes_back(s, who);
}

static void (*const quiet_happenings[])(struct story *s) = {
	directory_restarts_each_minute,
	somebody_leaves,
	somebody_vanishes,
	a_partner_vanishes,
	move_somebody,
};
enum { QUIET_KINDS = sizeof quiet_happenings / sizeof *quiet_happenings };

static void quiet_day(struct story *s, uint64_t seed)
{
	struct dice shape;
	unsigned hours;

	dice_init(&shape, seed, 3);
	hours = dice_between(&shape, 2, 8);
	begin(s, seed, dice_between(&shape, 2, 3), dice_chance(&shape, 500),
	      dice_chance(&shape, 500));
	fair_weather(s);
	wish_all_contacts(s);
	settle(s, "at the beginning of a quiet day");
	for (unsigned i = 0; i < hours && !world_trouble(s->world); i++) {
		live(s, dice_between(dice(s), 1, 50) * MINUTE);
		expect_presence(s, "in a quiet hour");
		say_one(s);
		live(s, 30 * SECOND);
		quiet_happenings[dice_below(dice(s), QUIET_KINDS)](s);
	}
	settle(s, "at the end of a quiet day");
	people_judge(s->people);
}

/* --- the stories --- */

void story_run(uint64_t seed, struct story_result *result)
{
	struct story s = { 0 };
	bool is_quiet = seed % 5 == 0;

	if (is_quiet)
		quiet_day(&s, seed);
	else
		storm(&s, seed);
	end(&s, is_quiet ? "quiet day" : "storm", result);
}

void story_talk(uint64_t seed, unsigned count, size_t size, struct story_result *result)
{
	struct story s = { 0 };

	begin(&s, seed, 2, false, false);
	fair_weather(&s);
	wish_all_contacts(&s);
	settle(&s, "before talking");
	for (unsigned i = 0; i < count; i++) {
		people_say(s.people, 1 + i % 2, 2 - i % 2, size);
		live(&s, SECOND);
	}
	settle(&s, "after talking");
	people_judge(s.people);
	end(&s, "talk", result);
}
