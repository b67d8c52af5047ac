#include "tests/world/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/punch.h"
#include "tests/world/story_inside.h"

#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

enum {
	RESTARTS = 10,      /* of the directory, a minute apart, in a quiet day */
	NOTICED_IN_S = 10,  /* ... where a contact holds a link and has something to say */
	CUT_OFF_IN_S = 1,   /* ... that is revoked */
	VANISHED_IN_S = 30, /* one that vanishes is told to its contacts within this */
	SETTLE_S = 240,     /* everyone is back, and everything delivered, within this */
};

/* --- how it begins and ends --- */

struct dice *story_dice(struct story *s)
{
	return world_dice(s->world);
}

/* How many machines each person has: one, or some have more. */
static void share_out(struct dice *shape, unsigned persons, unsigned most,
		      unsigned machines[PEOPLE_MAX])
{
	unsigned left = most - persons;

	for (unsigned a = 0; a < PEOPLE_MAX; a++)
		machines[a] = 1;
	for (unsigned rich = dice_between(shape, 1, 2); rich > 0 && left > 0; rich--) {
		unsigned a = dice_below(shape, persons),
			 more = dice_between(shape, 1, left < 2 ? left : 2);

		machines[a] += more;
		left -= more;
	}
}

struct cast {
	unsigned persons, machines[PEOPLE_MAX];
	bool is_v6, has_host_name, has_nats;
	bool has_open_third; /* and no hard NATs */
};

static void begin(struct story *s, uint64_t seed, const struct cast *cast)
{
	bool is_by_invitation = seed % 2;
	struct world_config config = {
		.seed = seed,
		.registration = is_by_invitation ? REGISTRATION_INVITE : REGISTRATION_OPEN,
		.is_v6 = cast->is_v6,
		.has_nats = cast->has_nats,
		.has_open_third = cast->has_open_third,
		.has_relays = cast->has_nats && !s->has_partings && !cast->has_open_third,
		.has_host_name = cast->has_host_name,
		.on_event = people_on_event,
		.on_start = people_on_start,
		.on_send = people_on_send,
	};

	s->has_hard_nats = config.has_relays;
	s->persons = cast->persons;
	for (unsigned a = 0; a < cast->persons; a++)
		config.peers += cast->machines[a];
	s->machines = config.peers;
	s->people = people_new(cast->persons, cast->machines);
	config.user = s->people;
	s->world = world_new(&config);
	people_live(s->people, s->world);
	world_start(s->world, WORLD_DIRECTORY);
	if (is_by_invitation)
		people_invite(s->people);
	for (unsigned i = 1; i <= s->machines; i++)
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
void story_live(struct story *s, mono_ns how_long)
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
	for (unsigned a = 1; a <= s->persons; a++)
		for (unsigned b = 1; b <= s->persons; b++)
			if (a != b && people_wishes(s->people, a, b) != WISH_BLOCKED)
				people_wish(s->people, a, b, WISH_CONTACT);
}

static bool is_settled(struct story *s, char *why, size_t size)
{
	return people_all_in(s->people, why, size) &&
	       people_presence_is_true(s->people, why, size) &&
	       people_machines_agree(s->people, why, size) &&
	       people_nothing_is_owed(s->people, why, size);
}

/* Lives until all is as it should be; nothing else may take longer than the bound. Who met a hard NAT in
 * vain, while the weather was bad, rests before trying again. */
static void settle(struct story *s, const char *when)
{
	unsigned bound = SETTLE_S + (s->has_hard_nats ? PUNCH_REST / SECOND : 0);
	mono_ns until = world_now(s->world) + bound * SECOND;
	char why[128] = "";

	while (!world_trouble(s->world)) {
		story_live(s, SECOND);
		if (is_settled(s, why, sizeof why)) {
			people_settled(s->people);
			return;
		}
		if (world_now(s->world) > until)
			world_fail(s->world, "%s, after %u s of calm: %s", when, bound, why);
	}
}

static void expect_presence(struct story *s, const char *when)
{
	char why[128];

	if (!people_presence_is_true(s->people, why, sizeof why))
		world_fail(s->world, "%s: %s", when, why);
}

unsigned story_any_machine(struct story *s)
{
	return 1 + dice_below(story_dice(s), s->machines);
}

unsigned story_any_person(struct story *s)
{
	return 1 + dice_below(story_dice(s), s->persons);
}

unsigned story_any_other(struct story *s, unsigned than)
{
	return 1 + (than - 1 + 1 + dice_below(story_dice(s), s->persons - 1)) % s->persons;
}

unsigned story_owner(struct story *s, unsigned machine)
{
	return people_owner(s->people, machine);
}

static void fair_weather(struct story *s)
{
	struct weather fair = { .delay = 10 * MILLISECOND, .jitter = 2 * MILLISECOND };

	network_set_weather(world_network(s->world), &fair);
	network_mend(world_network(s->world));
	world_no_more_crashes(s->world);
	world_rouse(s->world);
}

/* They die while they are becoming somebody, and so does the directory. */
static void hard_beginning(struct story *s)
{
	for (unsigned i = dice_between(story_dice(s), 2, 12); i > 0 && !world_trouble(s->world);
	     i--) {
		story_live(s, dice_below(story_dice(s), 900) * MILLISECOND);
		if (dice_chance(story_dice(s), 300))
			storm_crash_the_directory(s);
		else
			storm_crash_a_machine(s);
		storm_start_somebody(s);
	}
}

/* A person stands before a new machine, with a name and a password or a code: all comes back. */
static void begin_anew(struct story *s)
{
	unsigned m = story_any_machine(s), a = story_owner(s, m);

	if (dice_chance(story_dice(s), 400)) {
		people_make_code(s->people, a);
		settle(s, "with a new recovery code");
	}
	people_remember_contacts(s->people, a);
	people_lose_machine(s->people, m, dice_chance(story_dice(s), 500));
	people_unshut(s->people, m);
	world_start(s->world, m);
	settle(s, "with a machine that began anew");
	people_expect_contacts(s->people, a);
	people_greet_all(s->people);
	settle(s, "with a machine that began anew, and texts");
}

static void shut_somebody_out(struct story *s)
{
	unsigned m = story_any_machine(s);

	if (people_machine_count(s->people, story_owner(s, m)) > 1)
		people_shut_out(s->people, m);
}

/* All who are there know by now who may have whose address, and keep to it; what was written to
 * somebody who was never to get it arrives when that changes. */
static void keep_to_what_was_decided(struct story *s)
{
	story_live(s, 15 * SECOND);
	people_be_strict(s->people, true);
	people_judge_addresses(s->people);
	people_greet_all(s->people);
	settle(s, "with all back, and who may have an address");
	story_live(s, 30 * SECOND);
	people_judge_addresses(s->people);
	people_be_strict(s->people, false);
	if (!people_lift_bans(s->people))
		return;
	settle(s, "with everybody talking again");
	people_greet_all(s->people);
	settle(s, "with everybody talking again, and texts");
}

/* Those who parted come together again in half of the worlds; else they stay apart. */
static void calm(struct story *s)
{
	bool all_meet = dice_chance(story_dice(s), 500);
	unsigned absent = dice_chance(story_dice(s), 700) ? story_any_machine(s)
							  : 0; /* 0: nobody */

	fair_weather(s);
	for (unsigned a = 1; a <= s->persons && all_meet; a++)
		for (unsigned b = 1; b <= s->persons; b++)
			if (a != b)
				people_wish(s->people, a, b, WISH_CONTACT);
	if (s->has_accidents && dice_chance(story_dice(s), 250))
		shut_somebody_out(s);
	/* Who is to revoke another machine of its own has to be there. */
	if (absent && people_shuts_out(s->people, story_owner(s, absent)))
		absent = 0;
	for (unsigned i = 0; i <= s->machines; i++)
		if (!absent || i != absent)
			world_start(s->world, i);
	if (absent) {
		world_crash(s->world, absent);
		story_live(s, SETTLE_S * SECOND);
		expect_presence(s, "with one away");
		world_start(s->world, absent);
	}
	settle(s, "with all back");
	people_greet_all(s->people);
	settle(s, "with all back, and texts");
	keep_to_what_was_decided(s);
	people_judge(s->people);
	if (!s->has_accidents || dice_chance(story_dice(s), 500) || world_trouble(s->world))
		return;
	begin_anew(s);
	people_judge(s->people);
}

static void storm(struct story *s, uint64_t seed)
{
	struct dice shape;
	struct cast cast;
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
	s->has_accidents = dice_chance(&shape, 600);
	happening = dice_between(&shape, 100, 500);
	if (dice_chance(&shape, 600)) {
		cast.persons = dice_between(&shape, 2, 4);
		share_out(&shape, cast.persons, WORLD_PEERS_MAX, cast.machines);
	} else {
		cast.persons = dice_between(&shape, 2, 6);
		share_out(&shape, cast.persons, cast.persons, cast.machines);
	}
	cast.is_v6 = dice_chance(&shape, 500);
	cast.has_host_name = dice_chance(&shape, 500);
	cast.has_nats = dice_chance(&shape, 600);
	begin(s, seed, &cast);
	s->has_consents = s->has_hard_nats && cast.persons > 2 && dice_chance(&shape, 600);
	if (dice_chance(&shape, 500))
		storm_change_weather(s);
	wish_all_contacts(s);
	if (dice_chance(story_dice(s), 500))
		hard_beginning(s);
	story_live(s, 20 * SECOND);
	for (; happening > 0 && !world_trouble(s->world); happening--) {
		story_live(s, dice_below(story_dice(s), 1500) * MILLISECOND);
		storm_happens(s);
	}
	calm(s);
}

/* --- a quiet day --- */

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
	expect_presence(s, "after somebody came back");
}

/* Who leaves is gone at once. */
static void somebody_leaves(struct story *s)
{
	unsigned who = story_any_machine(s);

	world_stop(s->world, who);
	story_live(s, SECOND);
	expect_presence(s, "after somebody left");
	comes_back(s, who);
}

/* Who vanishes is not online any more within 30 s. */
static void somebody_vanishes(struct story *s)
{
	unsigned who = story_any_machine(s);

	world_crash(s->world, who);
	story_live(s, (VANISHED_IN_S + 1) * SECOND);
	expect_presence(s, "after somebody vanished");
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
	settle(s, "after a revocation");
}

/* Hours in which nothing is heard, and everybody else goes on. */
static void somebody_sleeps(struct story *s)
{
	unsigned who = story_any_machine(s);

	world_sleep(s->world, who, dice_between(story_dice(s), 1, 3600) * SECOND);
	while (world_is_asleep(s->world, who) && !world_trouble(s->world))
		story_live(s, 10 * SECOND);
	settle(s, "after a sleep");
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
	settle(s, "after two moved at once");
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

static void quiet_day(struct story *s, uint64_t seed)
{
	struct dice shape;
	struct cast cast;
	unsigned hours;

	dice_init(&shape, seed, 3);
	hours = dice_between(&shape, 2, 8);
	cast.persons = dice_between(&shape, 2, 3);
	share_out(&shape, cast.persons, cast.persons + dice_below(&shape, 3), cast.machines);
	cast.is_v6 = dice_chance(&shape, 500);
	cast.has_host_name = dice_chance(&shape, 500);
	cast.has_nats = dice_chance(&shape, 600);
	begin(s, seed, &cast);
	fair_weather(s);
	wish_all_contacts(s);
	settle(s, "at the beginning of a quiet day");
	for (unsigned i = 0; i < hours && !world_trouble(s->world); i++) {
		story_live(s, dice_between(story_dice(s), 1, 50) * MINUTE);
		expect_presence(s, "in a quiet hour");
		storm_say_one(s);
		story_live(s, 30 * SECOND);
		quiet_happenings[dice_below(story_dice(s), QUIET_KINDS)](s);
	}
	settle(s, "at the end of a quiet day");
	people_greet_all(s->people);
	settle(s, "at the end of a quiet day, with texts");
	people_judge(s->people);
}

/* --- without a directory, and with one that lies --- */

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
static void without_a_directory(struct story *s, uint64_t seed)
{
	struct cast cast = { .machines = { 1, 1, 1, 1 }, .has_open_third = true };
	struct dice shape;

	dice_init(&shape, seed, 3);
	cast.persons = dice_between(&shape, 3, 4);
	cast.is_v6 = dice_chance(&shape, 300);
	cast.has_nats = dice_chance(&shape, 800);
	begin(s, seed, &cast);
	fair_weather(s);
	wish_all_contacts(s);
	settle(s, "before the directory dies");
	people_greet_all(s->people);
	settle(s, "before the directory dies, with texts");
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
static void with_a_lie(struct story *s, uint64_t seed)
{
	struct cast cast = { .persons = 3, .machines = { 1, 1, 1 } };
	struct address victim = { .family = 4, .port = 50000, .ip = { 198, 18, 7, 7 } };
	struct dice shape;
	uint64_t most;

	dice_init(&shape, seed, 3);
	begin(s, seed, &cast);
	world_lie(s->world, &victim);
	fair_weather(s);
	wish_all_contacts(s);
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
	settle(s, "with a directory that lies");
	people_judge(s->people);
}

/* --- the stories --- */

void story_run(uint64_t seed, struct story_result *result)
{
	static const struct {
		const char *name;
		void (*tell)(struct story *s, uint64_t seed);
	} kinds[] = { { "quiet day", quiet_day },
		      { "storm", storm },
		      { "without a directory", without_a_directory },
		      { "with a lie", with_a_lie } };
	struct story s = { 0 };
	unsigned kind = seed % 5 == 0 ? 0 : seed % 10 == 7 ? 2 : seed % 20 == 13 ? 3 : 1;

	kinds[kind].tell(&s, seed);
	end(&s, kinds[kind].name, result);
}

void story_talk(uint64_t seed, unsigned count, size_t size, struct story_result *result)
{
	const struct cast cast = { .persons = 2, .machines = { 1, 1 } };
	struct story s = { 0 };

	begin(&s, seed, &cast);
	fair_weather(&s);
	wish_all_contacts(&s);
	settle(&s, "before talking");
	for (unsigned i = 0; i < count; i++) {
		people_say(s.people, 1 + i % 2, 2 - i % 2, size);
		story_live(&s, SECOND);
	}
	settle(&s, "after talking");
	people_judge(s.people);
	end(&s, "talk", result);
}
