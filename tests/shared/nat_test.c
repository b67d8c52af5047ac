#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "shared/nat.h"

static struct nat classify(const char *const *texts)
{
	struct address samples[NAT_SAMPLES_MAX], ours;
	unsigned count = 0;

	assert_int_equal(address_parse(&ours, "192.0.2.1:4000", 0), 0);
	for (; texts[count]; count++)
		assert_int_equal(address_parse(&samples[count], texts[count], 0), 0);
	return nat_classify(samples, count, &ours);
}
#define SEEN(...) classify((const char *const[]){ __VA_ARGS__, NULL })

static void what_everybody_sees_alike_is_easy(void **state)
{
	struct nat nat = SEEN("203.0.113.1:9", "203.0.113.1:9", "203.0.113.1:9");

	(void)state;
	assert_int_equal(nat.mapping, NAT_EASY);
	assert_true(nat_is_easy(&nat));
	assert_int_equal(nat.filtering, NAT_FILTER_UNKNOWN);
	nat = SEEN("192.0.2.1:4000", "192.0.2.1:4000");
	assert_int_equal(nat.mapping, NAT_NONE);
	assert_true(nat_is_easy(&nat));
	/* our own address by another port is a NAT all the same */
	assert_int_equal(SEEN("192.0.2.1:4001", "192.0.2.1:4001").mapping, NAT_EASY);
}

static void one_sample_says_nothing(void **state)
{
	struct nat nat = SEEN("192.0.2.1:4000");

	(void)state;
	assert_int_equal(nat.mapping, NAT_UNKNOWN);
	assert_false(nat_is_easy(&nat));
	assert_int_equal(nat_classify(NULL, 0, &(struct address){ 0 }).mapping, NAT_UNKNOWN);
}

static void ports_that_rise_by_little_are_a_sequence(void **state)
{
	struct nat nat = SEEN("203.0.113.1:5000", "203.0.113.1:5001", "203.0.113.1:5003",
			      "203.0.113.1:5004");

	(void)state;
	assert_int_equal(nat.mapping, NAT_SEQUENTIAL);
	assert_int_equal(nat.low, 5004);
	assert_int_equal(nat.high, 1);
	nat = SEEN("203.0.113.1:5000", "203.0.113.1:5002", "203.0.113.1:5006");
	assert_int_equal(nat.mapping, NAT_SEQUENTIAL);
	assert_int_equal(nat.high, 2);
	/* one that maps by address only shows each port twice */
	nat = SEEN("203.0.113.1:5000", "203.0.113.1:5000", "203.0.113.1:5001",
		   "203.0.113.1:5001");
	assert_int_equal(nat.mapping, NAT_SEQUENTIAL);
	assert_int_equal(nat.low, 5001);
	nat = SEEN("203.0.113.1:5000", "203.0.113.1:5005", "203.0.113.1:5006");
	assert_int_equal(nat.mapping, NAT_BLOCK);
	nat = SEEN("203.0.113.1:5003", "203.0.113.1:5002", "203.0.113.1:5001");
	assert_int_equal(nat.mapping, NAT_BLOCK);
}

static void ports_that_are_near_to_each_other_are_a_block(void **state)
{
	struct nat nat = SEEN("203.0.113.1:5200", "203.0.113.1:5400", "203.0.113.1:5300");

	(void)state;
	assert_int_equal(nat.mapping, NAT_BLOCK);
	assert_int_equal(nat.low, 5120);
	assert_int_equal(nat.high, 5631);
	nat = SEEN("203.0.113.1:5100", "203.0.113.1:5700", "203.0.113.1:5300");
	assert_int_equal(nat.low, 4096);
	assert_int_equal(nat.high, 6143);
	/* on both sides of a large power of two: not half of all ports */
	nat = SEEN("203.0.113.1:32700", "203.0.113.1:32800", "203.0.113.1:32750");
	assert_int_equal(nat.mapping, NAT_BLOCK);
	assert_int_equal(nat.low, 32700 - 512);
	assert_int_equal(nat.high, 32800 + 512);
	nat = SEEN("203.0.113.1:100", "203.0.113.1:20");
	assert_int_equal(nat.low, 1);
	assert_int_equal(SEEN("203.0.113.1:5000", "203.0.113.1:6024").mapping, NAT_RANDOM);
	assert_int_equal(SEEN("203.0.113.1:5000", "203.0.113.1:6023").mapping, NAT_BLOCK);
}

static void a_pool_of_addresses_is_random(void **state)
{
	struct nat nat = SEEN("203.0.113.1:5000", "203.0.113.2:5000");

	(void)state;
	assert_int_equal(nat.mapping, NAT_RANDOM);
	assert_int_equal(nat.low, 0);
	assert_int_equal(nat.high, 0);
}

static void guesses_of_a_sequence_come_in_growing_windows(void **state)
{
	struct nat nat = { .mapping = NAT_SEQUENTIAL, .low = 5000, .high = 2 };
	struct nat_guess g;

	(void)state;
	nat_guess_begin(&g, &nat);
	for (unsigned window = NAT_WINDOW; window <= NAT_WINDOW_MAX; window += NAT_WINDOW)
		for (unsigned i = 1; i <= window; i++)
			assert_int_equal(nat_guess_next(&g), 5000 + 2 * i);
	assert_int_equal(nat_guess_next(&g), 5002);
}

static void guesses_behind_the_last_port_begin_anew(void **state)
{
	struct nat nat = { .mapping = NAT_SEQUENTIAL, .low = 65534, .high = 1 };
	struct nat_guess g;

	(void)state;
	nat_guess_begin(&g, &nat);
	assert_int_equal(nat_guess_next(&g), 65535);
	assert_int_equal(nat_guess_next(&g), 1024);
}

static void a_block_is_guessed_whole_before_anything_twice(void **state)
{
	struct nat nat = { .mapping = NAT_BLOCK, .low = 5120, .high = 5631 };
	uint8_t seen[65536] = { 0 };
	struct nat_guess g;
	unsigned port, in_order = 0, last = 0, outside = 0;

	(void)state;
	nat_guess_begin(&g, &nat);
	for (unsigned i = 0; i < 512; i++) {
		port = nat_guess_next(&g);
		assert_in_range(port, 5120, 5631);
		assert_int_equal(seen[port]++, 0);
		in_order += port == last + 1;
		last = port;
	}
	assert_true(in_order < 30);
	for (unsigned i = 0; i < 512; i++)
		nat_guess_next(&g);
	/* it is not what it seemed: everywhere else then */
	for (unsigned i = 0; i < 512; i++) {
		port = nat_guess_next(&g);
		assert_in_range(port, 1024, 65535);
		outside += port < 5120 || port > 5631;
	}
	assert_true(outside > 450);
}

static void random_guesses_do_not_repeat(void **state)
{
	struct nat nat = { .mapping = NAT_RANDOM };
	static uint8_t seen[65536];
	struct nat_guess g;

	(void)state;
	memset(seen, 0, sizeof seen);
	nat_guess_begin(&g, &nat);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 65536 - 1024; i++) {
			unsigned port = nat_guess_next(&g);

			assert_true(port >= 1024);
			assert_int_equal(seen[port]++, round);
		}
	}
}

static void nothing_that_a_record_says_leads_to_a_servers_port(void **state)
{
	static const struct nat nats[] = {
		{ .mapping = NAT_BLOCK, .low = 1, .high = 600 },
		{ .mapping = NAT_BLOCK, .low = 900, .high = 30 },
		{ .mapping = NAT_BLOCK, .low = 65535, .high = 65535 },
		{ .mapping = NAT_SEQUENTIAL, .low = 10, .high = 1 },
		{ .mapping = NAT_SEQUENTIAL, .low = 65535, .high = 65535 },
		{ .mapping = NAT_SEQUENTIAL, .low = 5000, .high = 0 },
		{ .mapping = 77, .low = 3, .high = 4 },
	};
	struct nat_guess g;

	(void)state;
	for (size_t i = 0; i < sizeof nats / sizeof nats[0]; i++) {
		nat_guess_begin(&g, &nats[i]);
		for (unsigned k = 0; k < 5000; k++)
			assert_in_range(nat_guess_next(&g), 1024, 65535);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_everybody_sees_alike_is_easy),
		cmocka_unit_test(one_sample_says_nothing),
		cmocka_unit_test(ports_that_rise_by_little_are_a_sequence),
		cmocka_unit_test(ports_that_are_near_to_each_other_are_a_block),
		cmocka_unit_test(a_pool_of_addresses_is_random),
		cmocka_unit_test(guesses_of_a_sequence_come_in_growing_windows),
		cmocka_unit_test(guesses_behind_the_last_port_begin_anew),
		cmocka_unit_test(a_block_is_guessed_whole_before_anything_twice),
		cmocka_unit_test(random_guesses_do_not_repeat),
		cmocka_unit_test(nothing_that_a_record_says_leads_to_a_servers_port),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
