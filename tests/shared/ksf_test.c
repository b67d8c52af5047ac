#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/ksf.h"

static void only_ids_of_the_table_are_known(void **state)
{
	uint8_t in[64] = { 0 }, out[64] = { 0 };

	(void)state;
	assert_true(ksf_is_known(KSF_ARGON2ID_64M));
	assert_true(ksf_is_known(KSF_ARGON2ID_256M));
	assert_false(ksf_is_known(0));
	assert_false(ksf_is_known(3));
	assert_false(ksf_is_known(UINT64_MAX));
	assert_false(ksf_is_known((UINT64_C(1) << 32) + 1)); /* does not wrap into the table */
	assert_int_equal(ksf_stretch((enum ksf)3, in, out), ERR_VERSION);
	assert_true(sodium_is_zero(out, sizeof out));
}

static void the_first_row_is_argon2id_with_three_passes_over_64_mib(void **state)
{
	static const uint8_t salt[16];
	uint8_t in[64] = { 1, 2, 3 }, a[64], b[64];

	(void)state;
	assert_int_equal(ksf_stretch(KSF_ARGON2ID_64M, in, a), 0);
	assert_int_equal(ksf_argon2id(3, 65536, BYTES(in), salt, b, sizeof b), 0);
	assert_memory_equal(a, b, sizeof a);
	in[0] ^= 1;
	assert_int_equal(ksf_stretch(KSF_ARGON2ID_64M, in, b), 0);
	assert_memory_not_equal(a, b, sizeof a);
}

static void costs_outside_the_bounds_are_refused(void **state)
{
	static const uint8_t salt[16];
	uint8_t out[64];

	(void)state;
	assert_int_equal(ksf_argon2id(0, 64, bytes_text("p"), salt, out, 64), ERR_LIMIT);
	assert_int_equal(ksf_argon2id(1, 7, bytes_text("p"), salt, out, 64), ERR_LIMIT);
	assert_int_equal(ksf_argon2id(1, UINT64_MAX, bytes_text("p"), salt, out, 64),
			 ERR_LIMIT);
	assert_int_equal(ksf_argon2id(UINT64_MAX, 64, bytes_text("p"), salt, out, 64),
			 ERR_LIMIT);
	assert_int_equal(ksf_argon2id(1, 64, bytes_text("p"), salt, out, 8), ERR_LIMIT);
	assert_int_equal(ksf_argon2id(1, 8, (struct bytes){ 0 }, salt, out, 64), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_ids_of_the_table_are_known),
		cmocka_unit_test(the_first_row_is_argon2id_with_three_passes_over_64_mib),
		cmocka_unit_test(costs_outside_the_bounds_are_refused),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
