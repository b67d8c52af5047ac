/* The world: see story.h. SEEDS and FROM in the environment choose how many stories and the
 * first; with TRACE=1 each is told in a line, with BEGINS=1 each is named before it begins: of one that
 * breaks the program nothing else is heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>

#include "shared/log.h"
#include "tests/world/story.h"

enum { SEEDS_BY_DEFAULT = 12 };

/* A number from 1, or nobody gets an answer: a world without seeds proves nothing. */
static uint64_t wanted(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t n;

	if (!text || !*text)
		return otherwise;
	n = strspn(text, "0123456789") == strlen(text) ? strtoull(text, NULL, 10) : 0;
	if (n == 0 || n > UINT32_MAX) {
		fprintf(stderr, "%s=%s: a number from 1 is wanted\n", name, text);
		exit(2);
	}
	return n;
}

static void add(struct story_result *sum, const struct story_result *one)
{
	sum->simulated += one->simulated;
	sum->people.said += one->people.said;
	sum->people.accepted += one->people.accepted;
	sum->people.refused += one->people.refused;
	sum->people.heard += one->people.heard;
	sum->people.logins += one->people.logins;
	sum->people.recoveries += one->people.recoveries;
	sum->people.passwords += one->people.passwords;
	sum->people.codes += one->people.codes;
	sum->people.revocations += one->people.revocations;
	sum->people.rekeys += one->people.rekeys;
	for (unsigned i = 0; i <= PATH_RELAYED; i++)
		sum->people.links[i] += one->people.links[i];
	sum->people.repaired += one->people.repaired;
	sum->people.compared += one->people.compared;
	sum->people.offered += one->people.offered;
	sum->people.granted += one->people.granted;
	sum->people.fetched += one->people.fetched;
	sum->introductions += one->introductions;
	sum->network.low += one->network.low;
	sum->network.extra += one->network.extra;
	sum->world.lan_changes += one->world.lan_changes;
	sum->world.sleeps += one->world.sleeps;
	sum->world.dead_routers += one->world.dead_routers;
	if (sum->world.to_victim < one->world.to_victim)
		sum->world.to_victim = one->world.to_victim;
	sum->world.wipes += one->world.wipes;
	sum->network.datagrams += one->network.datagrams;
	sum->network.lost += one->network.lost;
	sum->network.duplicated += one->network.duplicated;
	sum->network.damaged += one->network.damaged;
	sum->network.cut += one->network.cut;
	sum->network.nowhere += one->network.nowhere;
	sum->world.crashes += one->world.crashes;
	sum->world.restarts += one->world.restarts;
	sum->world.power_cuts += one->world.power_cuts;
	sum->world.full_disks += one->world.full_disks;
	sum->world.failing_disks += one->world.failing_disks;
	sum->world.locked_stores += one->world.locked_stores;
	sum->world.refused_starts += one->world.refused_starts;
	sum->world.partitions += one->world.partitions;
	sum->world.moves += one->world.moves;
	sum->world.clock_jumps += one->world.clock_jumps;
}

static void tell(const struct story_result *r)
{
#define N(x) ((unsigned long long)(x))
	static const char *const kinds[] = { "none",    "loopback", "lan",
					     "ipv6",    "public",   "mapped",
					     "punched", "sprayed",  "relayed" };

	printf("%.1f simulated hours, %llu messages said, %llu accepted, %llu refused with the "
	       "reason, "
	       "%llu heard; %llu that were edited, reacted to or taken back alike on two "
	       "machines\n",
	       r->simulated / 3.6e12, N(r->people.said), N(r->people.accepted),
	       N(r->people.refused), N(r->people.heard), N(r->people.compared));
	printf("files: %llu offered, %llu fetched whole; %llu times all history was granted\n",
	       N(r->people.offered), N(r->people.fetched), N(r->people.granted));
	printf("accounts: %llu logins by password, %llu recoveries, %llu new passwords, %llu "
	       "recovery codes, %llu revocations, %llu key changes, %llu machines lost\n",
	       N(r->people.logins), N(r->people.recoveries), N(r->people.passwords),
	       N(r->people.codes), N(r->people.revocations), N(r->people.rekeys),
	       N(r->world.wipes));
	printf("faults: %llu crashes, %llu orderly restarts, %llu partitions, %llu moves, %llu "
	       "clock jumps\n",
	       N(r->world.crashes), N(r->world.restarts), N(r->world.partitions),
	       N(r->world.moves), N(r->world.clock_jumps));
	printf("disks: %llu of the crashes were power cuts, %llu disks full for a while, %llu "
	       "failing, %llu stores locked, %llu starts refused\n",
	       N(r->world.power_cuts), N(r->world.full_disks), N(r->world.failing_disks),
	       N(r->world.locked_stores), N(r->world.refused_starts));
	printf("networks: %llu changes of LAN, %llu sleeps, %llu routers dead for a while; at "
	       "most "
	       "%llu datagrams of one machine to where a lie pointed\n",
	       N(r->world.lan_changes), N(r->world.sleeps), N(r->world.dead_routers),
	       N(r->world.to_victim));
	printf("links:");
	for (unsigned i = PATH_LAN; i <= PATH_RELAYED; i++)
		printf(" %s %llu,", kinds[i], N(r->people.links[i]));
	printf(" %llu repaired after a move; %llu introductions, %llu datagrams with a low "
	       "TTL, "
	       "%llu from extra sockets\n",
	       N(r->people.repaired), N(r->introductions), N(r->network.low),
	       N(r->network.extra));
	printf("datagrams: %llu, of these %llu lost, %llu doubled, %llu damaged, %llu cut off, "
	       "%llu to nobody\n",
	       N(r->network.datagrams), N(r->network.lost), N(r->network.duplicated),
	       N(r->network.damaged), N(r->network.cut), N(r->network.nowhere));
}

/* For those who add up (tests/system/campaign.sh). */
static void tell_sum(const struct story_result *r)
{
	printf("SUM said=%llu accepted=%llu refused=%llu unanswered=%llu heard=%llu kills=%llu "
	       "power_cuts=%llu restarts=%llu full_disks=%llu failing_disks=%llu "
	       "locked_stores=%llu starts_refused=%llu clock_jumps=%llu datagrams_lost=%llu "
	       "datagrams_doubled=%llu\n",
	       N(r->people.said), N(r->people.accepted), N(r->people.refused),
	       N(r->people.said - r->people.accepted - r->people.refused), N(r->people.heard),
	       N(r->world.crashes - r->world.power_cuts), N(r->world.power_cuts),
	       N(r->world.restarts), N(r->world.full_disks), N(r->world.failing_disks),
	       N(r->world.locked_stores), N(r->world.refused_starts), N(r->world.clock_jumps),
	       N(r->network.lost), N(r->network.duplicated));
}

static void every_story_ends_with_each_message_delivered_once_and_presence_true(void **state)
{
	uint64_t seeds = wanted("SEEDS", SEEDS_BY_DEFAULT), from = wanted("FROM", 1),
		 failed = 0;
	struct story_result sum = { 0 }, one;
	struct timespec began, ended;
	double seconds;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &began);
	for (uint64_t seed = from; seed < from + seeds; seed++) {
		if (getenv("BEGINS")) {
			printf("story %llu begins\n", N(seed));
			fflush(stdout);
		}
		story_run(seed, &one);
		add(&sum, &one);
		if (getenv("TRACE")) {
			printf("seed %llu, %s: ", N(seed), one.kind);
			tell(&one);
		}
		if (one.trouble[0]) {
			failed++;
			printf("seed %llu, %s: %s\n  again: make world SEEDS=1 FROM=%llu\n",
			       N(seed), one.kind, one.trouble, N(seed));
		}
		fflush(stdout);
	}
	clock_gettime(CLOCK_MONOTONIC, &ended);
	seconds = ended.tv_sec - began.tv_sec + (ended.tv_nsec - began.tv_nsec) / 1e9;
	printf("%llu seeds from %llu in %.1f s, %llu failed\n", N(seeds), N(from), seconds,
	       N(failed));
	tell(&sum);
	tell_sum(&sum);
	assert_int_equal(failed, 0);
}

static void a_seed_tells_the_same_story_twice(void **state)
{
	struct story_result first, second;
	uint64_t seed = wanted("FROM", 1);

	(void)state;
	story_run(seed, &first);
	story_run(seed, &second);
	assert_int_equal(first.network.datagrams, second.network.datagrams);
	assert_memory_equal(first.network.hash, second.network.hash, sizeof first.network.hash);
}

static void other_seeds_tell_other_stories(void **state)
{
	struct story_result first, second;

	(void)state;
	story_talk(1, 1, 10, &first);
	story_talk(2, 1, 10, &second);
	assert_memory_not_equal(first.network.hash, second.network.hash,
				sizeof first.network.hash);
}

/* Nobody can hide a message in what the directory sees: it sees the same whether much is
 * said or little. A few datagrams of keeping alive may fall to either side of the end. */
static void the_directory_sees_the_same_bytes_whether_texts_are_short_or_long(void **state)
{
	struct story_result few, many;

	(void)state;
	story_talk(1, 20, 20, &few);
	story_talk(1, 20, WIRE_TEXT_MAX, &many);
	assert_string_equal(few.trouble, "");
	assert_string_equal(many.trouble, "");
	assert_int_equal(few.people.heard, 20);
	assert_int_equal(many.people.heard, 20);
	assert_true(many.network.bytes > few.network.bytes + 20 * (WIRE_TEXT_MAX - 20));
	assert_in_range(many.directory_bytes, few.directory_bytes - 3000,
			few.directory_bytes + 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_tells_the_same_story_twice),
		cmocka_unit_test(other_seeds_tell_other_stories),
		cmocka_unit_test(
			the_directory_sees_the_same_bytes_whether_texts_are_short_or_long),
		cmocka_unit_test(
			every_story_ends_with_each_message_delivered_once_and_presence_true),
	};

	dice_become_randombytes();
	bad_disk_begin();
	if (sodium_init() < 0)
		return 1;
	log_init(LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
