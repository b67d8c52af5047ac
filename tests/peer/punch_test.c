#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/punch_inside.h"
#include "shared/error.h"
#include "tests/at.h"
#include "tests/punch_net.h"

/* --- what an attempt needs of an endpoint --- */

void endpoint_send_stray(struct endpoint *e, const struct path *path, struct bytes contents,
			 uint8_t ttl)
{
	punch_net_send(e, path, contents, ttl);
}

uint16_t endpoint_extra_socket(struct endpoint *e)
{
	return punch_net_socket(e);
}

void endpoint_release_socket(struct endpoint *e, uint16_t socket)
{
	punch_net_release(e, socket);
}

static struct punch_net net;

static void begin(enum nat_box_kind a, enum nat_box_kind b, uint64_t seed)
{
	punch_net_init(&net, a, b, seed);
	punch_net_classify(&net);
}

/* From the moment the dialler was introduced. */
static mono_ns took(void)
{
	struct endpoint *e = &net.sides[net.sides[0].is_dialler ? 0 : 1];

	return e->linked_at - e->introduced_at;
}

/* --- who meets whom --- */

static bool is_random(enum nat_box_kind kind)
{
	return kind == BOX_SYM || kind == BOX_SYMADM;
}

/* What meets within a few thousand strays in each second, and by luck within what may arrive. */
static bool is_luck(enum nat_box_kind a, enum nat_box_kind b)
{
	return (is_random(a) && b == BOX_SYMBLK) || (a == BOX_SYMBLK && is_random(b));
}

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

/* --- limits --- */

/* How many of one side's have left that may arrive, by the millisecond. */
static unsigned left_at[2][16000];
static mono_ns counted_from;

static bool count_only(struct punch_net *n, unsigned from, const struct path *path,
		       struct bytes data, uint8_t ttl)
{
	uint64_t ms = (n->now - counted_from) / MILLISECOND;

	(void)path;
	(void)data;
	if (ttl == 0 && ms < 16000)
		left_at[from][ms]++;
	return ttl != 0; /* nothing is ever answered */
}

static void in_no_second_more_arrive_than_a_scanner_is_known_by(void **state)
{
	static const enum nat_box_kind pairs[][2] = {
		{ BOX_PRC, BOX_SYM },       { BOX_PRC, BOX_SYMBLK },
		{ BOX_PRC, BOX_SYMSEQ },    { BOX_SYMSEQ, BOX_SYMBLK },
		{ BOX_SYMBLK, BOX_SYMBLK }, { BOX_SYMSEQ, BOX_SYMSEQ },
		{ BOX_SYM, BOX_SYMBLK },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		memset(left_at, 0, sizeof left_at);
		begin(pairs[i][0], pairs[i][1], i);
		counted_from = net.now;
		net.tap = count_only;
		assert_false(punch_net_run(&net, 12 * SECOND));
		for (unsigned side = 0; side < 2; side++) {
			unsigned all = 0;

			for (unsigned ms = 0; ms < 15000; ms++) {
				unsigned second = 0;

				for (unsigned k = 0; k < 1000; k++)
					second += left_at[side][ms + k];
				/* and a handful to their other addresses */
				assert_true(second <= PUNCH_RATE + 2 * PUNCH_BUDGET);
				all += left_at[side][ms];
			}
			assert_true(all <= PUNCH_SPRAYED_MAX + 2 * PUNCH_BUDGET);
			assert_true(net.sides[side].report.sprayed <=
				    PUNCH_SPRAYED_MAX + (is_luck(pairs[i][0], pairs[i][1])
								 ? PUNCH_OPENED_MAX
								 : PUNCH_SPRAYED_MAX));
			assert_true(net.sides[side].sockets_at_once <= PUNCH_SOCKETS);
		}
		punch_net_clear(&net);
	}
}

static void of_many_sockets_the_one_that_was_found_stays(void **state)
{
	unsigned kept = 0;

	(void)state;
	begin(BOX_PRC, BOX_SYM, 3);
	assert_true(punch_net_run(&net, PUNCH_LENGTH));
	assert_int_equal(net.sides[1].sockets_at_once, PUNCH_SOCKETS);
	punch_net_run(&net, 0);
	for (unsigned i = 0; i < PATH_EXTRA_MAX; i++)
		kept += net.sides[1].in_use[i];
	assert_int_equal(kept, 1);
	assert_int_equal(net.sides[0].linked.kind, PATH_SPRAYED);
	assert_true(net.sides[1].linked.path.socket >= PATH_EXTRA);
	assert_true(net.sides[1].in_use[net.sides[1].linked.path.socket - PATH_EXTRA]);
	punch_net_clear(&net);
}

static bool lose_all(struct punch_net *n, unsigned from, const struct path *path,
		     struct bytes data, uint8_t ttl)
{
	(void)n;
	(void)from;
	(void)path;
	(void)data;
	(void)ttl;
	return false;
}

static void a_spray_that_found_nothing_rests(void **state)
{
	(void)state;
	begin(BOX_PRC, BOX_SYM, 1);
	net.tap = lose_all;
	assert_false(punch_net_run(&net, 11 * SECOND));
	assert_true(net.sides[0].report.sprayed > 1000);
	assert_true(net.sides[1].report.sprayed >= PUNCH_SOCKETS);
	punch_net_again(&net);
	assert_false(punch_net_run(&net, 11 * SECOND));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(net.sides[i].report.sprayed, 0);
		assert_true(net.sides[i].report.is_resting);
	}
	/* the device has another address: no reason to begin again */
	for (unsigned i = 0; i < net.sides[0].goal.candidates.count; i++)
		net.sides[0].goal.candidates.list[i].address.ip[3]++;
	net.sides[0].goal.seen.ip[3]++;
	punch_net_again(&net);
	assert_false(punch_net_run(&net, 11 * SECOND));
	assert_int_equal(net.sides[0].report.sprayed, 0);
	/* another device at the first one's address: neither */
	for (unsigned i = 0; i < net.sides[0].goal.candidates.count; i++)
		net.sides[0].goal.candidates.list[i].address.ip[3]--;
	net.sides[0].goal.seen.ip[3]--;
	net.sides[0].goal.keys.in.bytes[0] ^= 1;
	punch_net_again(&net);
	assert_false(punch_net_run(&net, 11 * SECOND));
	assert_int_equal(net.sides[0].report.sprayed, 0);
	net.sides[0].goal.keys.in.bytes[0] ^= 1;
	net.now += PUNCH_REST;
	net.tap = NULL;
	punch_net_classify(&net);
	punch_net_again(&net);
	assert_true(punch_net_run(&net, 11 * SECOND));
	punch_net_clear(&net);
}

static void who_is_sprayed_at_in_vain_all_day_is_sprayed_at_a_few_times(void **state)
{
	mono_ns until;
	unsigned sprays = 0;

	(void)state;
	begin(BOX_PRC, BOX_SYM, 1);
	net.tap = lose_all;
	for (until = net.now + PUNCH_DAY; net.now < until; net.now += 4 * 60 * SECOND) {
		punch_net_again(&net);
		assert_false(punch_net_run(&net, 11 * SECOND));
		sprays += net.sides[0].report.sprayed > 0;
	}
	/* after 10, 20, 40 minutes, ... of rest */
	assert_in_range(sprays, 3, 8);
	punch_net_clear(&net);
}

static void nothing_is_sprayed_where_each_byte_costs_or_it_is_not_wanted(void **state)
{
	(void)state;
	for (int way = 0; way < 2; way++) {
		begin(BOX_PRC, BOX_SYM, 1);
		for (int i = 0; i < 2; i++) {
			net.sides[i].network.is_metered = way == 0;
			net.sides[i].goal.may_spray = way == 0;
		}
		assert_false(punch_net_run(&net, 11 * SECOND));
		for (int i = 0; i < 2; i++) {
			assert_int_equal(net.sides[i].report.sprayed, 0);
			assert_int_equal(net.sides[i].sockets_at_once, 0);
		}
		punch_net_clear(&net);
	}
}

static void only_an_address_that_they_have_signed_is_sprayed_at(void **state)
{
	(void)state;
	begin(BOX_PRC, BOX_SYM, 1);
	/* the directory says where they are, and their record does not */
	net.sides[0].goal.seen = at("192.0.2.99:5000");
	for (unsigned i = 0; i < net.sides[0].goal.candidates.count; i++)
		if (net.sides[0].goal.candidates.list[i].kind == CANDIDATE_REFLEXIVE)
			net.sides[0].goal.candidates.list[i].kind = CANDIDATE_HOST;
	assert_false(punch_net_run(&net, 11 * SECOND));
	assert_int_equal(net.sides[0].report.sprayed, 0);
	assert_true(punch_net_went_to(&net, "192.0.2.99") > 0);
	assert_true(punch_net_went_to(&net, "192.0.2.99") <= PUNCH_BUDGET);
	punch_net_clear(&net);
	/* their record says where they are, and the directory does not see them there */
	begin(BOX_PRC, BOX_SYM, 1);
	net.sides[0].goal.seen = at("198.51.100.77:5000");
	assert_false(punch_net_run(&net, 11 * SECOND));
	assert_int_equal(net.sides[0].report.sprayed, 0);
	punch_net_clear(&net);
}

static void one_sprays_at_a_time(void **state)
{
	struct punch *other;
	struct punch_goal goal;

	(void)state;
	begin(BOX_PRC, BOX_SYM, 1);
	net.tap = lose_all;
	punch_net_run(&net, SECOND);
	assert_true(net.sides[0].report.is_spraying);
	goal = net.sides[0].goal;
	goal.keys.in.bytes[0] ^= 1;
	for (unsigned i = 0; i < goal.candidates.count; i++)
		goal.candidates.list[i].address.ip[0]++;
	goal.seen.ip[0]++;
	other = punch_new(&net.sides[0], &net.sides[0].limits, &goal, net.now);
	for (mono_ns now = net.now; now < net.now + 2 * SECOND; now += 10 * MILLISECOND)
		assert_true(punch_step(other, now));
	assert_int_equal(punch_report(other).sprayed, 0);
	punch_free(net.sides[0].punch);
	net.sides[0].punch = NULL;
	for (mono_ns now = net.now + 2 * SECOND; now < net.now + 4 * SECOND;
	     now += 10 * MILLISECOND)
		assert_true(punch_step(other, now));
	assert_true(punch_report(other).sprayed > 0);
	punch_free(other);
	punch_net_clear(&net);
}

/* A victim's, under many ports and names, by record and directory. */
static void begin_with_victim(void)
{
	begin(BOX_PRC, BOX_PRC, 1);
	for (int i = 0; i < 14; i++) {
		struct address a = at("192.0.2.99:1");

		a.port = (uint16_t)(5000 + i);
		candidates_add(&net.sides[0].goal.candidates,
			       (enum candidate_kind)(CANDIDATE_HOST + i % 3), &a);
	}
	net.sides[0].goal.seen = at("192.0.2.99:999");
}

static unsigned to_victim(void)
{
	return punch_net_went_to(&net, "192.0.2.99");
}

static void an_address_that_does_not_answer_gets_a_handful(void **state)
{
	(void)state;
	begin_with_victim();
	punch_net_again(&net);
	punch_net_run(&net, 11 * SECOND);
	assert_int_equal(to_victim(), PUNCH_BUDGET);
	assert_true(net.sides[0].unproved_offers <= LINK_OFFERS_MAX);
	punch_net_clear(&net);
}

static unsigned fulls, lows;

static bool count_to_victim(struct punch_net *n, unsigned from, const struct path *path,
			    struct bytes data, uint8_t ttl)
{
	struct address victim = at("192.0.2.99:1");

	(void)n;
	(void)data;
	if (from == 0 && address_same_ip(&path->remote, &victim))
		*(ttl == 0 ? &fulls : &lows) += 1;
	return false;
}

/* Attempts go on for as long as something is owed, whoever asks for them. */
static void run_a_day(bool is_network_unsteady)
{
	mono_ns until = net.now + PUNCH_DAY;

	fulls = lows = 0;
	for (unsigned i = 0; net.now < until; i++) {
		net.sides[0].goal.keys.in.bytes[1] = (uint8_t)i;
		if (is_network_unsteady && i % 8 == 0)
			punch_limits_renew(&net.sides[0].limits, net.now);
		punch_net_again(&net);
		assert_false(punch_net_run(&net, 11 * SECOND));
		net.now += 30 * SECOND;
	}
}

static void an_address_that_never_answers_gets_a_handful_in_a_day(void **state)
{
	(void)state;
	for (int is_unsteady = 0; is_unsteady <= 1; is_unsteady++) {
		begin_with_victim();
		net.tap = count_to_victim;
		for (unsigned day = 0; day < 3; day++) {
			/* and more than nothing, or who comes back would not be found */
			unsigned least = day == 0 ? 60 : 2, most = day == 0 ? 75 : 7;

			run_a_day(is_unsteady);
			assert_in_range(fulls, least, is_unsteady ? PUNCH_DAILY : most);
			assert_true(lows <= (is_unsteady ? PUNCH_DAILY : most));
		}
		punch_net_clear(&net);
	}
}

static void who_was_away_is_found_before_an_eighth_of_that_time(void **state)
{
	struct punch_limits *l = &net.sides[0].limits;
	struct address a = at("192.0.2.1:5000");
	mono_ns since, step = 10 * SECOND;

	(void)state;
	begin(BOX_PRC, BOX_PRC, 1);
	since = net.now;
	for (mono_ns away = 60 * SECOND; away < PUNCH_DAY; away *= 3) {
		mono_ns until = since + away;

		for (; net.now < until; net.now += step)
			punch_may_send(l, &a, 7, PURSE_PROBES, net.now);
		while (!punch_may_send(l, &a, 7, PURSE_PROBES, net.now))
			net.now += step;
		assert_true(net.now <= until + away / 8 + PUNCH_TRICKLE + step);
	}
	punch_net_clear(&net);
}

/* One contact cannot have us write to half the world, a handful each. */
static void a_device_names_so_many_addresses_in_a_day(void **state)
{
	struct punch_limits *l = &net.sides[0].limits;
	struct address a = at("192.0.2.1:5000"), other = at("192.0.2.1:5000");
	unsigned sent = 0;

	(void)state;
	begin(BOX_PRC, BOX_PRC, 1);
	for (unsigned i = 0; i < 5000; i++) {
		a.ip[2] = (uint8_t)(i / 250);
		a.ip[3] = (uint8_t)(i % 250 + 1);
		sent += punch_may_send(l, &a, 7, PURSE_PROBES, net.now);
	}
	assert_int_equal(sent, 64);
	assert_true(punch_may_send(l, &other, 8, PURSE_PROBES, net.now));
	a.ip[2] = 77;
	assert_true(punch_may_send(l, &a, 8, PURSE_PROBES, net.now));
	assert_true(punch_may_send(l, &other, 7, PURSE_PROBES, net.now + PUNCH_DAY));
	punch_net_clear(&net);
}

static void private_addresses_of_another_network_get_little(void **state)
{
	(void)state;
	begin(BOX_PRC, BOX_PRC, 1);
	net.sides[0].goal.candidates.list[1].address = at("198.51.100.77:1000");
	net.sides[0].goal.seen = at("198.51.100.77:1000");
	punch_net_run(&net, 11 * SECOND);
	assert_int_equal(punch_net_went_to(&net, "192.168.2.2"), 2);
	punch_net_clear(&net);
}

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

/* --- who comes online only now --- */

static void renew(unsigned side, const struct punch_goal *goal)
{
	struct punch_goal g = *goal;

	g.network = &net.sides[side].network;
	g.seen.family = 0;
	punch_renewed(net.sides[side].punch, &g, net.now);
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

/* They say something else of their NAT each second, and nothing there answers. */
static void who_is_of_two_minds_is_sprayed_at_twice_at_most(void **state)
{
	struct punch_goal goal;

	(void)state;
	begin(BOX_SYM, BOX_LINUX, 1);
	net.sides[1].is_over = true;
	goal = net.sides[0].goal;
	for (unsigned i = 0; i < 9; i++) {
		punch_net_run(&net, SECOND);
		goal.theirs.low ^= 1;
		renew(0, &goal);
	}
	assert_true(net.sides[0].report.sprayed > 2 * PUNCH_SOCKETS);
	assert_true(net.sides[0].report.sprayed <= 2 * 2 * PUNCH_SOCKETS); /* low, and full */
	punch_net_clear(&net);
}

/* --- lies --- */

static uint8_t caught[4096][PROBE_SIZE_MAX];
static struct address caught_from[4096];
static size_t caught_size[4096];
static unsigned caught_count;

static bool catch_all(struct punch_net *n, unsigned from, const struct path *path,
		      struct bytes data, uint8_t ttl)
{
	(void)path;
	(void)ttl;
	if (from == 1 && caught_count < 4096 && data.size >= PROBE_SIZE) {
		memcpy(caught[caught_count], data.data, data.size);
		caught_from[caught_count] = n->sides[1].goal.our_public;
		caught_size[caught_count++] = data.size;
	}
	return true;
}

static void what_was_heard_once_is_answered_once_wherever_it_comes_from(void **state)
{
	struct address liar = at("192.0.2.99:1000"), to;
	unsigned before, heard;

	(void)state;
	caught_count = 0;
	begin(BOX_PUBLIC, BOX_PUBLIC, 1);
	net.tap = catch_all;
	assert_true(punch_net_run(&net, SECOND));
	net.sides[0].is_linked = false;
	assert_true(caught_count > 0);
	to = net.sides[0].home;
	heard = net.sides[0].report.heard;
	before = net.stranger_count;
	for (unsigned k = 0; k < 50; k++) {
		for (unsigned i = 0; i < caught_count; i++) {
			liar.ip[3] = (uint8_t)(100 + k);
			punch_net_inject(&net, &liar, &to, bytes_of(caught[i], caught_size[i]));
		}
	}
	/* what was lost on the way to us and comes by the liar is new to us: one each at most */
	punch_net_run(&net, 500 * MILLISECOND);
	assert_true(net.stranger_count <= before + caught_count);
	assert_true(net.sides[0].report.heard <= heard + caught_count + 8);
	for (unsigned i = before; i < net.stranger_count; i++)
		assert_true(net.strangers[i].count <= PUNCH_BUDGET);
	punch_net_clear(&net);
}

static void what_nobody_of_us_has_made_is_nothing(void **state)
{
	struct address liar = at("198.51.100.1:7000"), to;
	uint8_t forged[PROBE_ANSWER_SIZE];

	(void)state;
	begin(BOX_PUBLIC, BOX_PUBLIC, 1);
	net.tap = lose_all;
	to = net.sides[0].home;
	punch_net_run(&net, 30 * MILLISECOND);
	for (unsigned i = 0; i < 2000; i++) {
		struct probe probe = { .is_answer = i % 2 };
		struct probe_keys keys = net.sides[1].goal.keys;

		keys.out.bytes[i % 32] ^= 1;
		randombytes_buf(&probe.nonce, sizeof probe.nonce);
		probe_encode(forged, &probe, &keys);
		punch_net_inject(&net, &liar, &to,
				 bytes_of(forged, i % 2 ? PROBE_ANSWER_SIZE : PROBE_SIZE));
	}
	punch_net_run(&net, SECOND);
	assert_int_equal(net.sides[0].report.heard, 0);
	assert_int_equal(net.sides[0].proved_offers, 0);
	punch_net_clear(&net);
}

static struct probe asked; /* the last probe of side 0 */
static struct path asked_by;

static bool note_question(struct punch_net *n, unsigned from, const struct path *path,
			  struct bytes data, uint8_t ttl)
{
	struct probe p;

	(void)ttl;
	if (from == 0 && probe_decode(&p, data, &n->sides[1].goal.keys) == 0 && !p.is_answer) {
		asked = p;
		asked_by = *path;
	}
	return false;
}

static void answer_from(const struct address *from, const struct probe_nonce *echo)
{
	struct probe probe = { .is_answer = true, .echo = *echo };
	uint8_t out[PROBE_SIZE_MAX];
	size_t size;

	randombytes_buf(&probe.nonce, sizeof probe.nonce);
	size = probe_encode(out, &probe, &net.sides[1].goal.keys);
	punch_net_inject(&net, from, &net.sides[0].home, bytes_of(out, size));
	punch_net_run(&net, 2 * MILLISECOND);
}

static void proved_is_who_answers_what_was_asked_there_and_now(void **state)
{
	struct address elsewhere = at("192.0.2.99:7000");
	struct probe_nonce old;
	struct endpoint *e = &net.sides[0];

	(void)state;
	begin(BOX_PUBLIC, BOX_PUBLIC, 1);
	net.tap = note_question;
	punch_net_run(&net, 100 * MILLISECOND);
	assert_int_equal(e->unproved_offers, 1);
	old = asked.nonce;
	punch_net_again(&net);
	punch_net_run(&net, 100 * MILLISECOND);
	assert_int_equal(e->proved_offers, 0);
	/* of the attempt before; to another address; something of one's own */
	answer_from(&asked_by.remote, &old);
	answer_from(&elsewhere, &asked.nonce);
	old = asked.nonce;
	old.bytes[7] ^= 1;
	answer_from(&asked_by.remote, &old);
	assert_int_equal(e->proved_offers, 0);
	answer_from(&asked_by.remote, &asked.nonce);
	assert_int_equal(e->proved_offers, 1);
	assert_true(e->linked.is_proved);
	assert_true(e->linked.round_trip > 0);
	punch_net_clear(&net);
}

static void who_is_not_looked_for_is_answered_so_often(void **state)
{
	struct endpoint *e = &net.sides[0];
	struct path path = { .remote = at("192.0.2.99:7000") };
	struct probe probe = { .is_answer = false }, back;

	(void)state;
	begin(BOX_PUBLIC, BOX_PUBLIC, 1);
	for (unsigned i = 0; i < 3 * PUNCH_BUDGET; i++) {
		randombytes_buf(&probe.nonce, sizeof probe.nonce);
		punch_answer(e, &e->limits, &path, &probe, &e->goal.keys, net.now);
		/* the same again is nothing */
		punch_answer(e, &e->limits, &path, &probe, &e->goal.keys, net.now);
	}
	punch_net_run(&net, 0);
	assert_int_equal(punch_net_went_to(&net, "192.0.2.99"), PUNCH_BUDGET);
	/* what only looks like a proof that they are there */
	memset(&back, 0, sizeof back);
	back.is_answer = true;
	randombytes_buf(&back.nonce, sizeof back.nonce);
	punch_answer(e, &e->limits, &path, &back, &e->goal.keys, net.now);
	randombytes_buf(&probe.nonce, sizeof probe.nonce);
	punch_answer(e, &e->limits, &path, &probe, &e->goal.keys, net.now);
	punch_net_run(&net, 0);
	assert_int_equal(punch_net_went_to(&net, "192.0.2.99"), PUNCH_BUDGET);
	punch_net_clear(&net);
}

static struct probe said;

static bool note_answer(struct punch_net *n, unsigned from, const struct path *path,
			struct bytes data, uint8_t ttl)
{
	(void)ttl;
	(void)path;
	(void)from;
	return probe_decode(&said, data, &n->sides[1].goal.keys) == 0;
}

static void who_proves_to_be_there_is_answered_as_often_as_they_ask(void **state)
{
	struct endpoint *e = &net.sides[0];
	struct path path = { .remote = at("192.0.2.99:7000") };
	struct probe probe = { .is_answer = false }, proof = { .is_answer = true };

	(void)state;
	begin(BOX_PUBLIC, BOX_PUBLIC, 1);
	net.tap = note_answer;
	for (unsigned i = 0; i < 3 * PUNCH_BUDGET; i++) {
		randombytes_buf(&probe.nonce, sizeof probe.nonce);
		punch_answer(e, &e->limits, &path, &probe, &e->goal.keys, net.now);
		assert_memory_equal(&said.echo, &probe.nonce, sizeof probe.nonce);
		proof.echo = said.nonce;
		randombytes_buf(&proof.nonce, sizeof proof.nonce);
		punch_answer(e, &e->limits, &path, &proof, &e->goal.keys, net.now);
	}
	punch_net_run(&net, 0);
	assert_int_equal(punch_net_went_to(&net, "192.0.2.99"), 3 * PUNCH_BUDGET);
	punch_net_clear(&net);
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

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_pair_of_nats_that_can_meet_meets),
		TEST(who_has_no_chance_does_not_spray),
		TEST(a_block_and_a_random_nat_have_a_chance_and_no_router_bans_us),
		TEST(sequential_nats_meet_though_others_use_them_too),
		TEST(neighbours_meet_without_the_router),
		TEST(two_behind_one_router_that_keeps_them_apart_meet_by_its_outside),
		TEST(two_home_routers_cost_a_round_trip_and_half_of_the_directorys),
		TEST(a_twentieth_lost_on_both_lines_does_not_make_it_three_times_as_long),
		TEST(a_first_packet_that_dies_early_saves_routers_that_strays_confuse),
		TEST(routers_that_ban_scanners_do_not_ban_us),
		TEST(in_no_second_more_arrive_than_a_scanner_is_known_by),
		TEST(of_many_sockets_the_one_that_was_found_stays),
		TEST(a_spray_that_found_nothing_rests),
		TEST(who_is_sprayed_at_in_vain_all_day_is_sprayed_at_a_few_times),
		TEST(nothing_is_sprayed_where_each_byte_costs_or_it_is_not_wanted),
		TEST(only_an_address_that_they_have_signed_is_sprayed_at),
		TEST(one_sprays_at_a_time),
		TEST(an_address_that_does_not_answer_gets_a_handful),
		TEST(an_address_that_never_answers_gets_a_handful_in_a_day),
		TEST(who_was_away_is_found_before_an_eighth_of_that_time),
		TEST(a_device_names_so_many_addresses_in_a_day),
		TEST(private_addresses_of_another_network_get_little),
		TEST(before_an_introduction_nothing_goes_behind_their_nat),
		TEST(a_nat_that_becomes_known_during_an_attempt_is_met),
		TEST(who_is_of_two_minds_is_sprayed_at_twice_at_most),
		TEST(what_was_heard_once_is_answered_once_wherever_it_comes_from),
		TEST(what_nobody_of_us_has_made_is_nothing),
		TEST(proved_is_who_answers_what_was_asked_there_and_now),
		TEST(who_is_not_looked_for_is_answered_so_often),
		TEST(who_proves_to_be_there_is_answered_as_often_as_they_ask),
		TEST(paths_are_chosen_by_kind_and_v6_only_if_it_costs_nothing),
	};

	dice_become_randombytes();
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
