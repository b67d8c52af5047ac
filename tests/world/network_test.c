/* The simulated network itself: a world is only as good as what it does to datagrams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "tests/world/network.h"

enum { MANY = 10000 };

static struct address at(unsigned machine)
{
	struct address a = { .family = 4, .port = 1000, .ip = { 10, 0, 0, machine } };

	return a;
}

static struct internet *begin(const struct weather *weather)
{
	struct internet *n = network_new(7);

	for (unsigned i = 0; i < 2; i++) {
		struct address a = at(i);

		network_place(n, i, 0, &a);
	}
	network_set_weather(n, weather);
	return n;
}

static void send_many(struct internet *n, unsigned count)
{
	const struct path path = { .remote = at(1) };

	for (uint32_t i = 0; i < count; i++)
		network_send(n, 0, &path, 0, (const uint8_t *)&i, sizeof i, 0);
}

struct tally {
	unsigned arrived, out_of_order, changed;
};

static struct tally receive_all(struct internet *n)
{
	struct tally t = { 0 };
	struct arrival a;
	uint32_t last = 0;

	while (network_deadline(n) != NEVER) {
		mono_ns now = network_deadline(n);

		while (network_next(n, now, &a)) {
			uint32_t number;

			assert_int_equal(a.from, 0);
			assert_int_equal(a.to, 1);
			assert_int_equal(a.size, sizeof number);
			memcpy(&number, a.data, sizeof number);
			t.arrived++;
			t.changed += number >= MANY;
			t.out_of_order += number < last;
			last = number;
		}
	}
	return t;
}

static void in_fair_weather_everything_arrives_in_order_and_in_time(void **state)
{
	const struct weather fair = { .delay = 5 * MILLISECOND };
	struct internet *n = begin(&fair);
	struct arrival a;
	struct tally t;

	(void)state;
	send_many(n, MANY);
	assert_false(network_next(n, 5 * MILLISECOND - 1, &a));
	t = receive_all(n);
	assert_int_equal(t.arrived, MANY);
	assert_int_equal(t.out_of_order + t.changed, 0);
	network_free(n);
}

static void in_a_storm_datagrams_are_lost_doubled_damaged_and_out_of_order(void **state)
{
	const struct weather storm = {
		.loss = 300, .duplicate = 50, .damage = 100, .jitter = 50 * MILLISECOND
	};
	struct internet *n = begin(&storm);
	struct network_counts c;
	struct tally t;

	(void)state;
	send_many(n, MANY);
	c = network_counts(n);
	t = receive_all(n);
	assert_in_range(c.lost, MANY * 25 / 100, MANY * 35 / 100);
	assert_in_range(c.duplicated, MANY * 2 / 100, MANY * 5 / 100);
	assert_int_equal(t.arrived, MANY - c.lost + c.duplicated);
	assert_true(t.changed > 0);
	assert_true(t.out_of_order > MANY / 10);
	network_free(n);
}

static void what_is_cut_or_sent_to_nobody_does_not_arrive(void **state)
{
	const struct weather fair = { 0 };
	struct internet *n = begin(&fair);
	struct address elsewhere = at(9);

	(void)state;
	network_cut(n, 1, 0, true);
	send_many(n, 10);
	assert_int_equal(receive_all(n).arrived, 0);
	network_mend(n);
	send_many(n, 10);
	network_place(n, 1, 0, &elsewhere);
	assert_int_equal(receive_all(n).arrived, 0);
	assert_int_equal(network_counts(n).cut, 10);
	assert_int_equal(network_counts(n).nowhere, 10);
	network_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_fair_weather_everything_arrives_in_order_and_in_time),
		cmocka_unit_test(
			in_a_storm_datagrams_are_lost_doubled_damaged_and_out_of_order),
		cmocka_unit_test(what_is_cut_or_sent_to_nobody_does_not_arrive),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
