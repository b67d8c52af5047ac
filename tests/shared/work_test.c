#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/work.h"

static void work_that_was_done_is_taken_and_other_work_is_not(void **state)
{
	struct work w = { .challenge = "a challenge", .bits = 12 }, other = w;
	uint64_t nonce, others = 0;

	(void)state;
	assert_int_equal(work_solve(&w, &nonce, NULL, NULL), 0);
	assert_true(work_check(&w, nonce));
	for (uint64_t n = 0; n < nonce; n++)
		assert_false(work_check(&w, n)); /* the first one is found */
	for (other.challenge[15] = 1; other.challenge[15] <= 64; other.challenge[15]++)
		others += work_check(&other, nonce);
	assert_in_range(others, 0, 1); /* by luck, one in 4096 */
}

/* By hand: the nonce stands behind the challenge as 8 bytes, big-endian. */
static void the_bits_are_counted_from_the_front_of_the_hash(void **state)
{
	struct work w = { .challenge = "0123456789abcde" };
	uint8_t text[24] = "0123456789abcde", hash[32];

	(void)state;
	for (unsigned n = 0; n < 2000; n++) {
		unsigned zeros = 0;

		text[22] = (uint8_t)(n >> 8);
		text[23] = (uint8_t)n;
		crypto_generichash(hash, sizeof hash, text, sizeof text, NULL, 0);
		while (zeros < 256 && !(hash[zeros / 8] & 0x80 >> zeros % 8))
			zeros++;
		for (w.bits = 0; w.bits < 20; w.bits++)
			assert_int_equal(work_check(&w, n), w.bits <= zeros);
	}
}

static void too_much_work_is_not_begun(void **state)
{
	struct work w = { .bits = WORK_BITS_MAX + 1 };
	uint64_t nonce = 7;

	(void)state;
	assert_int_equal(work_solve(&w, &nonce, NULL, NULL), ERR_LIMIT);
	assert_int_equal(nonce, 7);
	w.bits = 255; /* no hash that anybody knows begins so */
	assert_false(work_check(&w, 0));
}

static bool after_some(void *user)
{
	return ++*(unsigned *)user > 3;
}

static void work_can_be_given_up(void **state)
{
	struct work w = { .challenge = "b", .bits = WORK_BITS_MAX };
	unsigned asked = 0;
	uint64_t nonce = 7;

	(void)state;
	assert_int_equal(work_solve(&w, &nonce, after_some, &asked), ERR_CLOSED);
	assert_int_equal(asked, 4);
	assert_int_equal(nonce, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_that_was_done_is_taken_and_other_work_is_not),
		cmocka_unit_test(the_bits_are_counted_from_the_front_of_the_hash),
		cmocka_unit_test(too_much_work_is_not_begun),
		cmocka_unit_test(work_can_be_given_up),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
