#include "tests/world/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/punch.h"
#include "tests/world/story_inside.h"

/* --- how it begins and ends --- */

struct dice *story_dice(struct story *s)
{
	return world_dice(s->world);
}

/* How many machines each person has: one, or some have more. */
void story_share_out(struct dice *shape, unsigned persons, unsigned most,
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

void story_begin(struct story *s, uint64_t seed, const struct cast *cast)
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

void story_wish_all_contacts(struct story *s)
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
 * vain, as one in three does, rests before trying again, ever longer: until somebody opens the lid. */
void story_settle(struct story *s, const char *when)
{
	unsigned bound = SETTLE_S + (s->has_hard_nats ? PUNCH_REST / SECOND : 0);
	mono_ns until = world_now(s->world) + bound * SECOND;
	char why[128] = "";

	for (unsigned seconds = 0; !world_trouble(s->world); seconds++) {
		if (s->has_hard_nats && seconds > 0 && seconds % SETTLE_S == 0)
			world_open_lids(s->world);
		story_live(s, SECOND);
		if (is_settled(s, why, sizeof why)) {
			people_settled(s->people);
			return;
		}
		if (world_now(s->world) > until)
			world_fail(s->world, "%s, after %u s of calm: %s", when, bound, why);
	}
}

void story_await(struct story *s, bool (*is_so)(struct people *p, char *why, size_t size),
		 const char *when)
{
	mono_ns until = world_now(s->world) + SETTLE_S * SECOND;
	char why[128] = "";

	while (!world_trouble(s->world) && !is_so(s->people, why, sizeof why)) {
		story_live(s, SECOND);
		if (world_now(s->world) > until)
			world_fail(s->world, "%s, after %d s of calm: %s", when, SETTLE_S, why);
	}
}

void story_expect_presence(struct story *s, const char *when)
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

void story_fair_weather(struct story *s)
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
		story_settle(s, "with a new recovery code");
	}
	people_remember_contacts(s->people, a);
	people_lose_machine(s->people, m, dice_chance(story_dice(s), 500));
	people_unshut(s->people, m);
	s->newest = m;
	world_start(s->world, m);
	story_settle(s, "with a machine that began anew");
	people_expect_contacts(s->people, a);
	people_greet_all(s->people);
	story_settle(s, "with a machine that began anew, and texts");
}

/* Another machine of the person has all that was said before, and gives it, while both die and come back. */
static void grant_the_past(struct story *s)
{
	unsigned newer = s->newest, older = newer;
	unsigned a = story_owner(s, newer);

	for (unsigned m = 1; m <= s->machines; m++)
		if (m != newer && story_owner(s, m) == a && people_is_in(s->people, m))
			older = m;
	if (!people_grant(s->people, older, newer))
		return;
	for (unsigned i = dice_below(story_dice(s), 3); i > 0; i--) {
		unsigned m = dice_chance(story_dice(s), 500) ? older : newer;

		story_live(s, dice_below(story_dice(s), 600) * MILLISECOND);
		world_crash(s->world, m);
		story_live(s, dice_below(story_dice(s), 3000) * MILLISECOND);
		world_start(s->world, m);
	}
	story_await(s, people_past_is_there, "history was granted");
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
	story_settle(s, "with all back, and who may have an address");
	story_live(s, 30 * SECOND);
	people_judge_addresses(s->people);
	people_be_strict(s->people, false);
	if (!people_lift_bans(s->people))
		return;
	story_settle(s, "with everybody talking again");
	people_greet_all(s->people);
	story_settle(s, "with everybody talking again, and texts");
}

/* Beside the texts: files, and what was read. */
static void settle_the_rest(struct story *s)
{
	people_fetch_all(s->people);
	story_await(s, people_parcels_are_there, "all files are wanted");
	people_read_all(s->people);
	story_await(s, people_all_is_read, "all was read");
}

/* Those who parted come together again in half of the worlds; else they stay apart. */
static void calm(struct story *s)
{
	bool all_meet = dice_chance(story_dice(s), 500);
	unsigned absent = dice_chance(story_dice(s), 700) ? story_any_machine(s)
							  : 0; /* 0: nobody */

	story_fair_weather(s);
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
		story_expect_presence(s, "with one away");
		world_start(s->world, absent);
	}
	story_settle(s, "with all back");
	people_greet_all(s->people);
	story_settle(s, "with all back, and texts");
	keep_to_what_was_decided(s);
	settle_the_rest(s);
	people_judge(s->people);
	if (!s->has_accidents || dice_chance(story_dice(s), 500) || world_trouble(s->world))
		return;
	begin_anew(s);
	people_judge(s->people);
	grant_the_past(s);
}

static void storm(struct story *s, uint64_t seed)
{
	struct dice shape;
	struct cast cast = { 0 };
	unsigned happening;

	dice_init(&shape, seed, 3);
	s->worst = (struct weather){
		.loss = dice_below(&shape, 301),
		.duplicate = dice_below(&shape, 60),
		.damage = dice_below(&shape, 30),
		.delay = dice_between(&shape, 1, 200) * MILLISECOND,
		.jitter = dice_below(&shape, 100) * MILLISECOND,
	};
	s->has_bad_lines = dice_chance(&shape, 100);
	if (s->has_bad_lines)
		s->worst = (struct weather){ .loss = 300,
					     .duplicate = 50,
					     .delay = 50 * MILLISECOND,
					     .jitter = 100 * MILLISECOND };
	s->has_partings = dice_chance(&shape, 300);
	s->has_accidents = dice_chance(&shape, 600);
	happening = dice_between(&shape, 100, 500);
	if (dice_chance(&shape, 600)) {
		cast.persons = dice_between(&shape, 2, 4);
		story_share_out(&shape, cast.persons, WORLD_PEERS_MAX, cast.machines);
	} else {
		cast.persons = dice_between(&shape, 2, 6);
		story_share_out(&shape, cast.persons, cast.persons, cast.machines);
	}
	cast.is_v6 = dice_chance(&shape, 500);
	cast.has_host_name = dice_chance(&shape, 500);
	cast.has_nats = dice_chance(&shape, 600);
	story_begin(s, seed, &cast);
	s->has_consents = s->has_hard_nats && cast.persons > 2 && dice_chance(&shape, 600);
	if (s->has_bad_lines || dice_chance(&shape, 500))
		storm_change_weather(s);
	story_wish_all_contacts(s);
	if (dice_chance(story_dice(s), 500))
		hard_beginning(s);
	story_live(s, 20 * SECOND);
	for (; happening > 0 && !world_trouble(s->world); happening--) {
		story_live(s, dice_below(story_dice(s), 1500) * MILLISECOND);
		storm_happens(s);
	}
	calm(s);
}

/* --- the stories --- */

void story_run(uint64_t seed, struct story_result *result)
{
	static const struct {
		const char *name;
		void (*tell)(struct story *s, uint64_t seed);
	} kinds[] = { { "quiet day", story_quiet_day },
		      { "storm", storm },
		      { "without a directory", story_without_a_directory },
		      { "with a lie", story_with_a_lie },
		      { "that fades", story_that_fades },
		      { "with somebody hidden", story_with_somebody_hidden },
		      { "that keeps for a while", story_that_keeps },
		      { "with programs", story_with_programs } };
	struct story s = { 0 };
	unsigned kind = seed % 5 == 0     ? 0
			: seed % 10 == 7  ? 2
			: seed % 20 == 13 ? 3
			: seed % 20 == 3  ? 4
			: seed % 20 == 9  ? 5
			: seed % 20 == 19 ? 6
			: seed % 20 == 12 ? 7
					  : 1;

	kinds[kind].tell(&s, seed);
	end(&s, kinds[kind].name, result);
}

void story_talk(uint64_t seed, unsigned count, size_t size, struct story_result *result)
{
	const struct cast cast = { .persons = 2, .machines = { 1, 1 } };
	struct story s = { 0 };

	story_begin(&s, seed, &cast);
	story_fair_weather(&s);
	story_wish_all_contacts(&s);
	story_settle(&s, "before talking");
	for (unsigned i = 0; i < count; i++) {
		people_say(s.people, 1 + i % 2, 2 - i % 2, size);
		story_live(&s, SECOND);
	}
	story_settle(&s, "after talking");
	people_judge(s.people);
	end(&s, "talk", result);
}
