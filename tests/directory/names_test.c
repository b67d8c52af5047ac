#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "directory/names.h"

enum { MANY = 5000 };
static const uint8_t key[16] = { 7 };

static struct name name_number(unsigned n)
{
	struct name name;
	char text[16];

	snprintf(text, sizeof text, "n%u", n);
	assert_int_equal(name_parse(&name, bytes_text(text)), 0);
	return name;
}

static void a_name_keeps_its_number_while_somebody_holds_it(void **state)
{
	struct names *n = names_new(key);
	struct name alice = name_number(1), bob = name_number(2);
	name_id id = names_hold(n, &alice);

	(void)state;
	assert_int_equal(names_find(n, &bob), NAMES_NONE);
	assert_int_equal(names_hold(n, &alice), id);
	names_hold_again(n, id);
	assert_int_equal(names_count(n), 1);
	assert_true(names_hold(n, &bob) != id);
	names_release(n, id);
	names_release(n, id);
	assert_int_equal(names_find(n, &alice), id);
	assert_string_equal(names_of(n, id)->text, alice.text);
	names_release(n, id);
	assert_int_equal(names_find(n, &alice), NAMES_NONE);
	assert_int_equal(names_count(n), 1);
	names_free(n);
}

static void many_that_come_and_go_are_told_apart_and_use_numbers_again(void **state)
{
	struct names *n = names_new(key);
	name_id *ids = calloc(MANY, sizeof *ids), highest = 0;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < MANY; i++) {
			struct name name = name_number(round * MANY + i);

			ids[i] = names_hold(n, &name);
			highest = ids[i] > highest ? ids[i] : highest;
		}
		assert_int_equal(names_count(n), MANY);
		/* Every second one goes first: the others are found all the same. */
		for (unsigned i = 0; i < MANY; i += 2)
			names_release(n, ids[i]);
		for (unsigned i = 1; i < MANY; i += 2) {
			struct name name = name_number(round * MANY + i);

			assert_int_equal(names_find(n, &name), ids[i]);
			assert_string_equal(names_of(n, ids[i])->text, name.text);
		}
		for (unsigned i = 1; i < MANY; i += 2)
			names_release(n, ids[i]);
		assert_int_equal(names_count(n), 0);
	}
	/* Others keep arrays by it. */
	assert_in_range(highest, MANY - 1, MANY);
	free(ids);
	names_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_keeps_its_number_while_somebody_holds_it),
		cmocka_unit_test(many_that_come_and_go_are_told_apart_and_use_numbers_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
