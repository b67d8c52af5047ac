#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "directory/failures.h"
#include "shared/error.h"

/* A store that remembers, or fails. */
static struct {
	struct registry row;
	unsigned names, calls;
	uint64_t count;
	int err;
} store;

static int add_failures(struct registry *r, const struct registry_failures *list,
			unsigned count)
{
	(void)r;
	store.calls++;
	if (store.err)
		return store.err;
	store.names += count;
	for (unsigned i = 0; i < count; i++)
		store.count += list[i].count;
	return 0;
}

static const uint8_t key[16] = { 1 };
static const struct name alice = { "alice" }, bob = { "bob" };

static void failures_are_summed_and_written_at_intervals(void **state)
{
	struct failures *f = failures_new(key);

	(void)state;
	memset(&store, 0, sizeof store);
	store.row.add_failures = add_failures;
	assert_int_equal(failures_deadline(f), NEVER);
	failures_flush(f, &store.row, 10 * SECOND);
	assert_int_equal(store.calls, 0);
	failures_add(f, &alice);
	failures_add(f, &alice);
	failures_add(f, &bob);
	assert_int_equal(failures_deadline(f), (10 + FAILURES_SECONDS) * SECOND);
	store.err = ERR_FULL;
	failures_flush(f, &store.row, 80 * SECOND);
	assert_int_equal(failures_deadline(f), (80 + FAILURES_SECONDS) * SECOND);
	store.err = 0;
	failures_flush(f, &store.row, 140 * SECOND);
	assert_int_equal(store.names, 2);
	assert_int_equal(store.count, 3);
	assert_int_equal(failures_deadline(f), NEVER);
	failures_free(f);
}

static void what_is_told_is_not_written(void **state)
{
	struct failures *f = failures_new(key);

	(void)state;
	memset(&store, 0, sizeof store);
	store.row.add_failures = add_failures;
	failures_add(f, &alice);
	failures_add(f, &alice);
	assert_int_equal(failures_take(f, &bob), 0);
	assert_int_equal(failures_take(f, &alice), 2);
	assert_int_equal(failures_take(f, &alice), 0);
	failures_flush(f, &store.row, SECOND);
	assert_int_equal(store.calls, 0);
	failures_free(f);
}

/* Any number of names: the table stays as large as it is, and who is under attack stays in it. */
static void a_flood_of_names_does_not_wash_away_who_is_under_attack(void **state)
{
	struct failures *f = failures_new(key);
	struct name name;

	(void)state;
	for (int i = 0; i < 50; i++)
		failures_add(f, &alice);
	for (int i = 0; i < 20000; i++) {
		snprintf(name.text, sizeof name.text, "name%d", i);
		failures_add(f, &name);
	}
	assert_int_equal(failures_deadline(f), SECOND);
	assert_int_equal(failures_take(f, &alice), 50);
	failures_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_are_summed_and_written_at_intervals),
		cmocka_unit_test(what_is_told_is_not_written),
		cmocka_unit_test(a_flood_of_names_does_not_wash_away_who_is_under_attack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
