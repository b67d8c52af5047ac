/* Two that look for each other: who meets whom, how soon, and which path is better. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>

#include "tests/at.h"
#include "tests/punch_story.h"

/* --- who meets whom --- */

/* Neither of them easy, open or a block, and at least one random: the work of a relay. */
static bool is_for_relay(enum nat_box_kind a, enum nat_box_kind b)
{
	return (is_random(a) && (is_random(b) || b == BOX_SYMSEQ)) ||
	       (a == BOX_SYMSEQ && is_random(b));
}

static void every_pair_of_nats_that_can_meet_meets(void **state)
{
	(void)state;
	for (int a = 0; a < BOX_KINDS; a++) {
		for (int b = 0; b < BOX_KINDS; b++) {
			for (uint64_t seed = 1; seed <= 3 && !is_luck(a, b); seed++) {
				bool is_linked;

				begin(a, b, seed);
				is_linked = punch_net_run(&net, PUNCH_LENGTH);
				if (is_linked == is_for_relay(a, b))
					fail_msg("%s x %s, seed %u", nat_box_names[a],
						 nat_box_names[b], (unsigned)seed);
				punch_net_clear(&net);
			}
		}
	}
}

static void who_has_no_chance_does_not_spray(void **state)
{
	(void)state;
	for (int a = 0; a < BOX_KINDS; a++) {
		for (int b = 0; b < BOX_KINDS; b++) {
			if (!is_for_relay(a, b))
				continue;
			begin(a, b, 1);
			punch_net_run(&net, PUNCH_LENGTH);
			assert_int_equal(net.sides[0].report.sprayed, 0);
			assert_int_equal(net.sides[1].report.sprayed, 0);
			punch_net_clear(&net);
		}
	}
}

/* Two in three of these, in ten seconds; and not by letting more arrive than anybody may. */
static void a_block_and_a_random_nat_have_a_chance_and_no_router_bans_us(void **state)
{
	static const enum nat_box_kind kinds[] = { BOX_SYM, BOX_SYMADM };
	unsigned linked = 0;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		for (uint64_t seed = 1; seed <= 3; seed++) {
			punch_net_init(&net, kinds[i], BOX_SYMBLK, seed);
			net.boxes[0].scan_limit = net.boxes[1].scan_limit = 200;
			punch_net_classify(&net);
			linked += punch_net_run(&net, PUNCH_LENGTH);
			for (int side = 0; side < 2; side++) {
				assert_int_equal(net.boxes[side].bans, 0);
				assert_true(net.sides[side].report.sprayed <=
					    PUNCH_OPENED_MAX + PUNCH_SPRAYED_MAX);
			}
			punch_net_clear(&net);
		}
	}
	assert_true(linked >= 4);
}

static void sequential_nats_meet_though_others_use_them_too(void **state)
{
	struct address elsewhere = at("192.0.2.200:1000"), other = at("192.168.1.9:99"), as;

	(void)state;
	for (unsigned flows = 0; flows <= 80; flows += 10) {
		begin(BOX_SYMSEQ, BOX_SYMSEQ, flows + 1);
		for (unsigned i = 0; i < flows; i++) {
			elsewhere.port++;
			nat_box_out(&net.boxes[i % 2], &other, &elsewhere, net.now, &as);
		}
		assert_true(punch_net_run(&net, PUNCH_LENGTH));
		assert_true(flows > 20 || took() < 300 * MILLISECOND);
		punch_net_clear(&net);
		begin(BOX_PRC, BOX_SYMSEQ, flows + 1);
		for (unsigned i = 0; i < flows; i++) {
			elsewhere.port++;
			nat_box_out(&net.boxes[1], &other, &elsewhere, net.now, &as);
		}
		assert_true(punch_net_run(&net, PUNCH_LENGTH));
		punch_net_clear(&net);
	}
}

static void neighbours_meet_without_the_router(void **state)
{
	(void)state;
	punch_net_init(&net, BOX_PRC, BOX_PRC, 1);
	net.sides[1].box = &net.boxes[0];
	net.sides[1].home = at("192.168.1.3:7000");
	net.sides[1].network.addresses[0] = net.sides[1].home;
	punch_net_classify(&net);
	assert_true(punch_net_run(&net, PUNCH_LENGTH));
	assert_true(took() < 5 * MILLISECOND);
	assert_int_equal(net.sides[0].linked.kind, PATH_LAN);
	punch_net_clear(&net);
}

static void two_behind_one_router_that_keeps_them_apart_meet_by_its_outside(void **state)
{
	(void)state;
	punch_net_init(&net, BOX_PRC, BOX_PRC, 1);
	net.boxes[0].hairpins = true;
	net.sides[1].box = &net.boxes[0];
	net.sides[1].home = at("192.168.1.3:7000");
	punch_net_classify(&net);
	net.sides[0].goal.candidates.list[0].address.ip[3] = 77;
	net.sides[1].goal.candidates.list[0].address.ip[3] = 77;
	assert_true(punch_net_run(&net, PUNCH_LENGTH));
	assert_int_equal(net.sides[0].linked.kind, PATH_PUNCHED);
	punch_net_clear(&net);
}

/* --- how soon --- */

static void two_home_routers_cost_a_round_trip_and_half_of_the_directorys(void **state)
{
	static const enum nat_box_kind kinds[] = { BOX_FW, BOX_ARC, BOX_PRC, BOX_LINUX };

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		begin(kinds[i / 4], kinds[i % 4], i);
		assert_true(punch_net_run(&net, PUNCH_LENGTH));
		/* 20 ms to the middle each: path 80, directory 40 */
		assert_true(took() <= 120 * MILLISECOND);
		assert_int_equal(net.initials, 1);
		assert_true(net.sides[0].first_offer_at - net.sides[0].introduced_at <=
			    20 * MILLISECOND);
		punch_net_clear(&net);
	}
	begin(BOX_PUBLIC, BOX_PUBLIC, 1);
	assert_true(punch_net_run(&net, PUNCH_LENGTH));
	assert_int_equal(took(), 80 * MILLISECOND);
	punch_net_clear(&net);
}

static int compare(const void *a, const void *b)
{
	mono_ns x = *(const mono_ns *)a, y = *(const mono_ns *)b;

	return x < y ? -1 : x > y;
}

static void a_twentieth_lost_on_both_lines_does_not_make_it_three_times_as_long(void **state)
{
	enum { RUNS = 600 };
	static mono_ns times[RUNS];

	(void)state;
	for (unsigned i = 0; i < RUNS; i++) {
		begin(BOX_PRC, BOX_LINUX, i);
		net.loss = 50;
		assert_true(punch_net_run(&net, PUNCH_LENGTH));
		times[i] = took();
		punch_net_clear(&net);
	}
	qsort(times, RUNS, sizeof times[0], compare);
	assert_true(times[RUNS * 99 / 100] <= 3 * 120 * MILLISECOND);
}

/* --- routers that strays upset --- */

static bool leaky_pair_meets(bool knows_that_it_is_closed, uint64_t seed)
{
	bool is_linked;

	punch_net_init(&net, BOX_LINUX, BOX_LINUX, seed);
	net.boxes[0].is_leaky = net.boxes[1].is_leaky = true;
	net.sides[0].to_box = 60 * MILLISECOND;
	punch_net_classify(&net);
	if (!knows_that_it_is_closed)
		net.sides[1].goal.theirs.filtering = NAT_OPEN;
	is_linked = punch_net_run(&net, PUNCH_LENGTH);
	punch_net_clear(&net);
	return is_linked;
}

static void a_first_packet_that_dies_early_saves_routers_that_strays_confuse(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		assert_true(leaky_pair_meets(true, seed));
		assert_false(leaky_pair_meets(false, seed));
	}
}

static void routers_that_ban_scanners_do_not_ban_us(void **state)
{
	static const enum nat_box_kind pairs[][2] = {
		{ BOX_LINUX, BOX_SYM },     { BOX_PRC, BOX_SYMBLK },
		{ BOX_FW, BOX_SYMSEQ },     { BOX_SYMSEQ, BOX_SYMBLK },
		{ BOX_SYMBLK, BOX_SYMBLK }, { BOX_SYMSEQ, BOX_SYMSEQ }
	};

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		for (uint64_t seed = 1; seed <= 8; seed++) {
			punch_net_init(&net, pairs[i][0], pairs[i][1], seed);
			net.boxes[0].scan_limit = net.boxes[1].scan_limit = 200;
			punch_net_classify(&net);
			assert_true(punch_net_run(&net, PUNCH_LENGTH));
			assert_int_equal(net.boxes[0].bans, 0);
			assert_int_equal(net.boxes[1].bans, 0);
			punch_net_clear(&net);
		}
	}
}

/* --- who comes online only now --- */

static void before_an_introduction_nothing_goes_behind_their_nat(void **state)
{
	struct punch_goal goal;
	struct endpoint *e = &net.sides[0];
	struct address mapped = at("198.51.100.1:4242");

	(void)state;
	begin(BOX_LINUX, BOX_LINUX, 1);
	for (int i = 0; i < 2; i++) {
		net.sides[i].goal.is_introduced = false;
		net.sides[i].goal.is_awaited = true;
		candidates_add(&net.sides[i].goal.candidates, CANDIDATE_MAPPED, &mapped);
	}
	assert_false(punch_net_run(&net, SECOND));
	/* who asked it how open it is; then to what is mapped three probes and a handshake */
	assert_int_equal(net.boxes[1].strays[0].port, 7000);
	assert_int_equal(net.boxes[1].stray_count, 5);
	for (unsigned i = 1; i < 5; i++)
		assert_int_equal(net.boxes[1].strays[i].port, 4242);
	for (int i = 0; i < 2; i++) {
		goal = net.sides[i].goal;
		goal.is_introduced = true;
		goal.network = &net.sides[i].network;
		punch_introduced(net.sides[i].punch, &goal, net.now);
	}
	e->introduced_at = net.now;
	assert_true(punch_net_run(&net, SECOND));
	assert_true(took() <= 120 * MILLISECOND);
	punch_net_clear(&net);
}

/* One of both learns what NAT is before it when it was introduced already; the directory tells the
 * other. False: they have not met within three seconds. */
static bool meet_unclassified(enum nat_box_kind a, enum nat_box_kind b, bool is_told)
{
	static const struct nat unknown;
	struct punch_goal known[2];
	bool is_linked;

	begin(a, b, 3);
	for (int i = 0; i < 2; i++)
		known[i] = net.sides[i].goal;
	net.sides[0].goal.theirs = net.sides[1].goal.ours = unknown;
	is_linked = punch_net_run(&net, 100 * MILLISECOND);
	assert_false(is_linked);
	if (is_told)
		renew(1, &known[1]);
	is_linked = punch_net_run(&net, 40 * MILLISECOND);
	if (is_told)
		renew(0, &known[0]);
	return is_linked || punch_net_run(&net, 3 * SECOND);
}

static void a_nat_that_becomes_known_during_an_attempt_is_met(void **state)
{
	static const enum nat_box_kind pairs[][2] = { { BOX_LINUX, BOX_SYM },
						      { BOX_SYM, BOX_LINUX },
						      { BOX_PRC, BOX_SYMBLK },
						      { BOX_SYMSEQ, BOX_SYMSEQ } };

	(void)state;
	for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		assert_false(meet_unclassified(pairs[i][0], pairs[i][1], false));
		punch_net_clear(&net);
		if (!meet_unclassified(pairs[i][0], pairs[i][1], true))
			fail_msg("%s x %s", nat_box_names[pairs[i][0]],
				 nat_box_names[pairs[i][1]]);
		punch_net_clear(&net);
	}
}

/* --- which one is better --- */

static void paths_are_chosen_by_kind_and_v6_only_if_it_costs_nothing(void **state)
{
	const mono_ns ms = MILLISECOND;

	(void)state;
	assert_true(path_is_better(PATH_LAN, 9 * ms, PATH_PUBLIC, 1 * ms));
	assert_true(path_is_better(PATH_PUNCHED, 900 * ms, PATH_RELAYED, 1 * ms));
	assert_true(path_is_better(PATH_SPRAYED, 0, PATH_RELAYED, 0));
	assert_true(path_is_better(PATH_RELAYED, 0, PATH_NONE, 0));
	assert_false(path_is_better(PATH_NONE, 0, PATH_RELAYED, 0));
	assert_false(path_is_better(PATH_NONE, 0, PATH_NONE, 0));
	assert_true(path_is_better(PATH_MAPPED, 50 * ms, PATH_PUNCHED, 40 * ms));
	assert_true(path_is_better(PATH_IPV6, 109 * ms, PATH_PUNCHED, 100 * ms));
	assert_false(path_is_better(PATH_IPV6, 111 * ms, PATH_PUNCHED, 100 * ms));
	assert_true(path_is_better(PATH_PUNCHED, 100 * ms, PATH_IPV6, 111 * ms));
	assert_false(path_is_better(PATH_PUNCHED, 100 * ms, PATH_IPV6, 109 * ms));
	assert_true(path_is_better(PATH_IPV6, 500 * ms, PATH_RELAYED, 100 * ms));
	assert_true(path_is_better(PATH_LAN, 5 * ms, PATH_IPV6, 1 * ms));
	assert_true(path_is_better(PATH_IPV6, 0, PATH_PUBLIC, 0));
	assert_true(path_is_better(PATH_LAN, 1 * ms, PATH_LAN, 9 * ms));
	assert_false(path_is_better(PATH_LAN, 95 * ms, PATH_LAN, 100 * ms));
	assert_false(path_is_better(PATH_LAN, ms / 10, PATH_LAN, ms));
	assert_false(path_is_better(PATH_LAN, 0, PATH_LAN, 9 * ms));
	/* never both ways */
	for (int a = PATH_NONE; a <= PATH_RELAYED; a++)
		for (int b = PATH_NONE; b <= PATH_RELAYED; b++)
			for (unsigned i = 0; i < 16; i++)
				assert_false(
					path_is_better(a, i % 4 * 10 * ms, b,
						       i / 4 * 10 * ms) &&
					path_is_better(b, i / 4 * 10 * ms, a, i % 4 * 10 * ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_nats_that_can_meet_meets),
		cmocka_unit_test(who_has_no_chance_does_not_spray),
		cmocka_unit_test(a_block_and_a_random_nat_have_a_chance_and_no_router_bans_us),
		cmocka_unit_test(sequential_nats_meet_though_others_use_them_too),
		cmocka_unit_test(neighbours_meet_without_the_router),
		cmocka_unit_test(
			two_behind_one_router_that_keeps_them_apart_meet_by_its_outside),
		cmocka_unit_test(two_home_routers_cost_a_round_trip_and_half_of_the_directorys),
		cmocka_unit_test(
			a_twentieth_lost_on_both_lines_does_not_make_it_three_times_as_long),
		cmocka_unit_test(
			a_first_packet_that_dies_early_saves_routers_that_strays_confuse),
		cmocka_unit_test(routers_that_ban_scanners_do_not_ban_us),
		cmocka_unit_test(before_an_introduction_nothing_goes_behind_their_nat),
		cmocka_unit_test(a_nat_that_becomes_known_during_an_attempt_is_met),
		cmocka_unit_test(paths_are_chosen_by_kind_and_v6_only_if_it_costs_nothing),
	};

	dice_become_randombytes();
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
