/* What an attempt may send, to whom and how often, whoever asks for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "tests/at.h"
#include "tests/punch_story.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_no_second_more_arrive_than_a_scanner_is_known_by),
		cmocka_unit_test(of_many_sockets_the_one_that_was_found_stays),
		cmocka_unit_test(a_spray_that_found_nothing_rests),
		cmocka_unit_test(who_is_sprayed_at_in_vain_all_day_is_sprayed_at_a_few_times),
		cmocka_unit_test(nothing_is_sprayed_where_each_byte_costs_or_it_is_not_wanted),
		cmocka_unit_test(only_an_address_that_they_have_signed_is_sprayed_at),
		cmocka_unit_test(one_sprays_at_a_time),
		cmocka_unit_test(an_address_that_does_not_answer_gets_a_handful),
		cmocka_unit_test(an_address_that_never_answers_gets_a_handful_in_a_day),
		cmocka_unit_test(who_was_away_is_found_before_an_eighth_of_that_time),
		cmocka_unit_test(a_device_names_so_many_addresses_in_a_day),
		cmocka_unit_test(private_addresses_of_another_network_get_little),
		cmocka_unit_test(who_is_of_two_minds_is_sprayed_at_twice_at_most),
	};

	dice_become_randombytes();
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
