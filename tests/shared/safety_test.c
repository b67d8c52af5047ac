#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/safety.h"

static void both_sides_read_the_same_sixty_digits(void **state)
{
	struct identity alice, bob;
	uint8_t a[SAFETY_KEY_SIZE], b[SAFETY_KEY_SIZE];
	char first[SAFETY_DIGITS + 1], second[SAFETY_DIGITS + 1];

	(void)state;
	identity_make(&alice);
	identity_make(&bob);
	safety_key(a, &alice.public);
	safety_key(b, &bob.public);
	assert_int_equal(a[0], 6);
	assert_memory_equal(a + 1, alice.public.bytes, 32);
	assert_int_equal(safety_number(first,
				       (struct safety_side){ BYTES(a), bytes_text("alice@x") },
				       (struct safety_side){ BYTES(b), bytes_text("bob@x") }),
			 0);
	assert_int_equal(safety_number(second,
				       (struct safety_side){ BYTES(b), bytes_text("bob@x") },
				       (struct safety_side){ BYTES(a), bytes_text("alice@x") }),
			 0);
	assert_string_equal(first, second);
	assert_int_equal(strspn(first, "0123456789"), SAFETY_DIGITS);
}

static void another_key_or_name_gives_other_digits(void **state)
{
	uint8_t a[SAFETY_KEY_SIZE] = { 6, 1 }, b[SAFETY_KEY_SIZE] = { 6, 2 },
		c[SAFETY_KEY_SIZE] = { 6, 3 };
	struct safety_side alice = { BYTES(a), bytes_text("alice@x") };
	char right[SAFETY_DIGITS + 1], wrong[SAFETY_DIGITS + 1];

	(void)state;
	safety_number(right, alice, (struct safety_side){ BYTES(b), bytes_text("bob@x") });
	safety_number(wrong, alice, (struct safety_side){ BYTES(c), bytes_text("bob@x") });
	assert_string_not_equal(right, wrong);
	safety_number(wrong, alice, (struct safety_side){ BYTES(b), bytes_text("bob@y") });
	assert_string_not_equal(right, wrong);
}

static void what_is_too_long_is_refused(void **state)
{
	static const uint8_t long_id[SAFETY_ID_MAX + 1];
	uint8_t key[SAFETY_KEY_SIZE] = { 6 };
	struct safety_side good = { BYTES(key), bytes_text("a") };
	struct safety_side bad = { BYTES(key), BYTES(long_id) },
			   worse = { BYTES(long_id), bytes_text("a") };
	char out[SAFETY_DIGITS + 1];

	(void)state;
	assert_int_equal(safety_number(out, good, bad), ERR_LIMIT);
	assert_int_equal(safety_number(out, bad, good), ERR_LIMIT);
	assert_int_equal(safety_number(out, worse, good), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_read_the_same_sixty_digits),
		cmocka_unit_test(another_key_or_name_gives_other_digits),
		cmocka_unit_test(what_is_too_long_is_refused),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
