#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

static void both_sides_show_the_same_code(void **state)
{
	uint8_t a[SAFETY_KEY_SIZE] = { 6, 1 }, b[SAFETY_KEY_SIZE] = { 6, 2 };
	struct safety_side alice = { BYTES(a), bytes_text("alice@x") };
	struct safety_side bob = { BYTES(b), bytes_text("bob@x") };
	char first[SAFETY_CODE_SIZE], second[SAFETY_CODE_SIZE];

	(void)state;
	assert_int_equal(safety_code(first, alice, bob), 0);
	assert_int_equal(safety_code(second, bob, alice), 0);
	assert_string_equal(first, second);
	assert_int_equal(strlen(first), SAFETY_CODE_SIZE - 1);
	assert_memory_equal(first, "palique-safety:1:", 17);
	b[32] ^= 1;
	assert_int_equal(safety_code(second, alice, bob), 0);
	assert_string_not_equal(first, second);
}

static int by_value(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The digits are those of the first 30 bytes of each half of the code. */
static void the_code_and_the_digits_say_the_same(void **state)
{
	uint8_t a[SAFETY_KEY_SIZE] = { 6, 1 }, b[SAFETY_KEY_SIZE] = { 6, 2 }, both[64];
	struct safety_side alice = { BYTES(a), bytes_text("alice@x") };
	struct safety_side bob = { BYTES(b), bytes_text("bob@x") };
	char code[SAFETY_CODE_SIZE], number[SAFETY_DIGITS + 1], halves[2][31];

	(void)state;
	assert_int_equal(safety_code(code, alice, bob), 0);
	assert_int_equal(safety_number(number, alice, bob), 0);
	assert_int_equal(bytes_from_base64(code + 17, strlen(code + 17), both, sizeof both), 0);
	assert_true(memcmp(both, both + 32, 32) < 0);
	for (unsigned half = 0; half < 2; half++)
		for (unsigned group = 0; group < 6; group++) {
			uint64_t v = 0;

			for (unsigned i = 0; i < 5; i++)
				v = v << 8 | both[32 * half + 5 * group + i];
			snprintf(halves[half] + 5 * group, 6, "%05u", (unsigned)(v % 100000));
		}
	qsort(halves, 2, sizeof halves[0], by_value);
	assert_memory_equal(number, halves[0], 30);
	assert_memory_equal(number + 30, halves[1], 30);
}

static void what_is_too_long_is_refused(void **state)
{
	static const uint8_t long_id[SAFETY_ID_MAX + 1];
	uint8_t key[SAFETY_KEY_SIZE] = { 6 };
	struct safety_side good = { BYTES(key), bytes_text("a") };
	struct safety_side bad = { BYTES(key), BYTES(long_id) },
			   worse = { BYTES(long_id), bytes_text("a") };
	char out[SAFETY_DIGITS + 1], code[SAFETY_CODE_SIZE];

	(void)state;
	assert_int_equal(safety_code(code, good, bad), ERR_LIMIT);
	assert_int_equal(safety_code(code, worse, good), ERR_LIMIT);
	assert_int_equal(safety_number(out, good, bad), ERR_LIMIT);
	assert_int_equal(safety_number(out, bad, good), ERR_LIMIT);
	assert_int_equal(safety_number(out, worse, good), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_read_the_same_sixty_digits),
		cmocka_unit_test(another_key_or_name_gives_other_digits),
		cmocka_unit_test(both_sides_show_the_same_code),
		cmocka_unit_test(the_code_and_the_digits_say_the_same),
		cmocka_unit_test(what_is_too_long_is_refused),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
