#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "directory/limits.h"
#include "shared/error.h"

static const uint8_t key[16] = { 1 };
static const struct address home = { .family = 4, .port = 1, .ip = { 10, 0, 0, 1 } };
static const struct address neighbour = { .family = 4, .port = 2, .ip = { 10, 0, 0, 77 } };
static const struct address elsewhere = { .family = 4, .port = 1, .ip = { 10, 0, 1, 1 } };
static const struct name alice = { "alice" }, bob = { "bob" };

static struct limits *fresh(void)
{
	struct limits_config config = limits_default();

	return limits_new(&config, key);
}

static void a_bucket_empties_and_fills_with_time(void **state)
{
	struct bucket_size size = { 3, 1000 };
	struct bucket b = { 0 };
	mono_ns wait = 0, now = 50 * SECOND;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(bucket_take(&b, &size, 1, now, &wait));
	assert_false(bucket_take(&b, &size, 1, now, &wait));
	assert_int_equal(wait, SECOND);
	assert_false(bucket_take(&b, &size, 1, now + 999 * MILLISECOND, &wait));
	assert_true(bucket_take(&b, &size, 1, now + SECOND, &wait));
	assert_false(bucket_take(&b, &size, 1, now + SECOND, &wait));
	/* never more than full, however long it takes */
	now += 500 * SECOND;
	assert_true(bucket_take(&b, &size, 3, now, NULL));
	assert_false(bucket_take(&b, &size, 1, now, NULL));
	bucket_give_back(&b, 2);
	assert_true(bucket_take(&b, &size, 2, now, NULL));
}

static void guesses_are_counted_by_prefix_and_name(void **state)
{
	struct limits *l = fresh();
	uint32_t wait = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(limits_take(l, LIMIT_LOGIN, &home, &alice, 0, &wait), 0);
	assert_int_equal(limits_take(l, LIMIT_LOGIN, &neighbour, &alice, 0, &wait), ERR_BUSY);
	assert_in_range(wait, 1, 121);
	assert_int_equal(limits_take(l, LIMIT_LOGIN, &home, &bob, 0, &wait), 0);
	assert_int_equal(limits_take(l, LIMIT_LOGIN, &elsewhere, &alice, 0, &wait), 0);
	limits_give_back(l, LIMIT_LOGIN, &neighbour, &alice);
	assert_int_equal(limits_take(l, LIMIT_LOGIN, &home, &alice, 0, &wait), 0);
	limits_free(l);
}

static void a_name_is_limited_wherever_the_guesses_come_from(void **state)
{
	struct limits *l = fresh();
	struct limits_config config = limits_default();
	uint32_t wait;

	(void)state;
	config.size[LIMIT_LOGIN_NAME].burst = 2;
	limits_configure(l, &config);
	assert_int_equal(limits_take(l, LIMIT_LOGIN_NAME, &home, &alice, 0, &wait), 0);
	assert_int_equal(limits_take(l, LIMIT_LOGIN_NAME, &elsewhere, &alice, 0, &wait), 0);
	assert_int_equal(limits_take(l, LIMIT_LOGIN_NAME, &home, &alice, 0, &wait), ERR_BUSY);
	assert_int_equal(limits_take(l, LIMIT_LOGIN_NAME, &home, &bob, 0, &wait), 0);
	limits_free(l);
}

static void each_one_beyond_the_bucket_costs_more_work_and_time_forgets(void **state)
{
	struct limits *l = fresh();
	struct limits_config config = limits_default();
	unsigned last = 0, bits;
	uint32_t wait;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(limits_work(l, LIMIT_LOGIN, &home, &alice, 0), 0);
		assert_int_equal(limits_take(l, LIMIT_LOGIN, &home, &alice, 0, &wait), 0);
	}
	assert_int_equal(limits_work(l, LIMIT_LOGIN, &home, &alice, 0), LIMITS_WORK_MIN);
	for (int i = 0; i < 1000; i++) {
		bits = limits_work(l, LIMIT_LOGIN, &home, &alice, 0);
		assert_in_range(bits, last, LIMITS_WORK_DEFAULT);
		last = bits;
		limits_overdraw(l, LIMIT_LOGIN, &home, &alice, 0);
	}
	assert_int_equal(last, LIMITS_WORK_DEFAULT);
	/* for that name from there, nobody else */
	assert_int_equal(limits_work(l, LIMIT_LOGIN, &elsewhere, &alice, 0), 0);
	assert_int_equal(limits_work(l, LIMIT_LOGIN, &home, &bob, 0), 0);
	config.work_bits_max = 3;
	limits_configure(l, &config);
	assert_int_equal(limits_work(l, LIMIT_LOGIN, &home, &alice, 0), 3);
	config.work_bits_max = 0;
	limits_configure(l, &config);
	assert_int_equal(limits_work(l, LIMIT_LOGIN, &home, &alice, 0), 0);
	assert_int_equal(limits_take(l, LIMIT_LOGIN, &home, &alice, 0, &wait), ERR_BUSY);
	limits_free(l);
	l = fresh();
	for (int i = 0; i < 1000; i++)
		limits_overdraw(l, LIMIT_LOGIN, &home, &alice, 0);
	/* 32 times five beyond, one comes back in two minutes */
	assert_int_not_equal(limits_work(l, LIMIT_LOGIN, &home, &alice, 3600 * SECOND), 0);
	assert_int_equal(
		limits_work(l, LIMIT_LOGIN, &home, &alice, (mono_ns)33 * 5 * 120 * SECOND), 0);
	limits_free(l);
}

/* More sources than the table has room for: those in trouble are not what is forgotten. */
static void a_flood_of_sources_does_not_wash_away_who_is_limited(void **state)
{
	struct limits *l = fresh();
	uint32_t wait;

	(void)state;
	for (int i = 0; i < 5; i++)
		limits_take(l, LIMIT_LOGIN, &home, &alice, 0, &wait);
	for (unsigned i = 0; i < 4 * LIMITS_BUCKETS; i++) {
		struct address a = { .family = 4, .ip = { 100, i >> 16, i >> 8, 1 } };

		a.ip[1] = (uint8_t)(i >> 16);
		a.ip[0] = (uint8_t)(100 + (i & 15));
		limits_take(l, LIMIT_LOGIN, &a, &bob, 0, &wait);
	}
	assert_int_equal(limits_take(l, LIMIT_LOGIN, &home, &alice, 0, &wait), ERR_BUSY);
	limits_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_empties_and_fills_with_time),
		cmocka_unit_test(guesses_are_counted_by_prefix_and_name),
		cmocka_unit_test(each_one_beyond_the_bucket_costs_more_work_and_time_forgets),
		cmocka_unit_test(a_name_is_limited_wherever_the_guesses_come_from),
		cmocka_unit_test(a_flood_of_sources_does_not_wash_away_who_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
