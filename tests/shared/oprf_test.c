#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/oprf.h"

typedef const uint8_t (*elements)[OPRF_ELEMENT_SIZE];

static const uint8_t seed[OPRF_SEED_SIZE] = { 4, 2 };

static void the_output_depends_on_key_and_input_and_not_on_the_blind(void **state)
{
	uint8_t secret[32], public[32], other[32], blind[32], blinded[32], evaluated[1][32];
	uint8_t out[4][64];
	enum oprf_mode mode;
	size_t i;

	(void)state;
	for (mode = OPRF_BASE; mode <= OPRF_PARTIAL; mode++) {
		assert_int_equal(oprf_derive_key(mode, seed, bytes_text("a"), secret, public),
				 0);
		assert_int_equal(oprf_derive_key(mode, seed, bytes_text("b"), other, public),
				 0);
		assert_memory_not_equal(secret, other, 32);
		for (i = 0; i < 4; i++) {
			struct bytes input = bytes_text(i == 2 ? "another" : "input");
			uint8_t r[32], proof[64];

			oprf_random_scalar(blind);
			oprf_random_scalar(r);
			assert_int_equal(oprf_blind(mode, input, blind, blinded), 0);
			assert_int_equal(oprf_evaluate(mode, i == 3 ? other : secret,
						       bytes_text("i"), (elements)&blinded, 1,
						       r, evaluated, proof),
					 0);
			assert_int_equal(oprf_finalize(mode, input, bytes_text("i"), blind,
						       evaluated[0], out[i]),
					 0);
		}
		assert_memory_equal(out[0], out[1], 64);
		assert_memory_not_equal(out[0], out[2], 64);
		assert_memory_not_equal(out[0], out[3], 64);
	}
}

static void a_proof_holds_only_for_its_key_its_info_and_its_batch(void **state)
{
	uint8_t secret[32], public[32], other_secret[32], other[32], r[32], blind[32],
		proof[64];
	uint8_t blinded[2][32], evaluated[2][32], swapped[2][32];
	enum oprf_mode mode;

	(void)state;
	for (mode = OPRF_VERIFIABLE; mode <= OPRF_PARTIAL; mode++) {
		struct bytes info = bytes_text("epoch 1");

		oprf_derive_key(mode, seed, bytes_text("a"), secret, public);
		oprf_derive_key(mode, seed, bytes_text("b"), other_secret, other);
		oprf_random_scalar(r);
		oprf_random_scalar(blind);
		oprf_blind(mode, bytes_text("x"), blind, blinded[0]);
		oprf_blind(mode, bytes_text("y"), blind, blinded[1]);
		assert_int_equal(oprf_evaluate(mode, secret, info, (elements)blinded, 2, r,
					       evaluated, proof),
				 0);
		assert_int_equal(oprf_verify(mode, public, info, (elements)blinded,
					     (elements)evaluated, 2, proof),
				 0);
		assert_int_equal(oprf_verify(mode, other, info, (elements)blinded,
					     (elements)evaluated, 2, proof),
				 ERR_AUTH);
		assert_int_equal(oprf_verify(mode, public, info, (elements)blinded,
					     (elements)evaluated, 1, proof),
				 ERR_AUTH);
		if (mode == OPRF_PARTIAL)
			assert_int_equal(oprf_verify(mode, public, bytes_text("epoch 2"),
						     (elements)blinded, (elements)evaluated, 2,
						     proof),
					 ERR_AUTH);
		memcpy(swapped[0], evaluated[1], 32);
		memcpy(swapped[1], evaluated[0], 32);
		assert_int_equal(oprf_verify(mode, public, info, (elements)blinded,
					     (elements)swapped, 2, proof),
				 ERR_AUTH);
		/* Scalars that are not canonical, or zero. */
		memset(proof, 0xff, 32);
		assert_int_equal(oprf_verify(mode, public, info, (elements)blinded,
					     (elements)evaluated, 2, proof),
				 ERR_AUTH);
		memset(proof, 0, 64);
		assert_int_equal(oprf_verify(mode, public, info, (elements)blinded,
					     (elements)evaluated, 2, proof),
				 ERR_AUTH);
	}
}

static void the_identity_and_what_is_not_canonical_are_refused(void **state)
{
	static const uint8_t bad[][32] = { { 0 }, { 1 }, { [0] = 0xed, [31] = 0x7f } };
	uint8_t secret[32], public[32], out[1][32], r[32], scalar[32] = { 0 };
	size_t i;

	(void)state;
	oprf_derive_key(OPRF_BASE, seed, bytes_text(""), secret, public);
	oprf_random_scalar(r);
	for (i = 0; i < 3; i++) {
		assert_false(oprf_is_element(bad[i]));
		assert_int_equal(oprf_multiply(out[0], secret, bad[i]), ERR_AUTH);
		assert_int_equal(oprf_evaluate(OPRF_BASE, secret, bytes_text(""), &bad[i], 1,
					       NULL, out, NULL),
				 ERR_AUTH);
	}
	assert_true(oprf_is_element(public));
	assert_false(oprf_is_scalar(scalar));
	assert_int_equal(oprf_multiply(out[0], scalar, public), ERR_AUTH);
	assert_int_equal(oprf_blind(OPRF_BASE, bytes_text("x"), scalar, out[0]), ERR_AUTH);
	memset(scalar, 0xff, 32);
	assert_false(oprf_is_scalar(scalar));
	assert_true(oprf_is_scalar(r));
}

static void what_is_too_long_is_refused(void **state)
{
	static const uint8_t large[OPRF_INPUT_MAX + 1], many[OPRF_BATCH_MAX + 1][32];
	static uint8_t results[OPRF_BATCH_MAX + 1][32];
	uint8_t r[32], out[64], secret[32], public[32];

	(void)state;
	oprf_random_scalar(r);
	oprf_derive_key(OPRF_BASE, seed, bytes_text(""), secret, public);
	assert_int_equal(oprf_blind(OPRF_BASE, BYTES(large), r, out), ERR_LIMIT);
	assert_int_equal(oprf_derive_key(OPRF_BASE, seed, BYTES(large), out, out + 32),
			 ERR_LIMIT);
	assert_int_equal(oprf_finalize(OPRF_BASE, BYTES(large), bytes_text(""), r, public, out),
			 ERR_LIMIT);
	assert_int_equal(oprf_evaluate(OPRF_BASE, secret, bytes_text(""), many,
				       OPRF_BATCH_MAX + 1, NULL, results, NULL),
			 ERR_LIMIT);
	assert_int_equal(
		oprf_evaluate(OPRF_BASE, secret, bytes_text(""), many, 0, NULL, results, NULL),
		ERR_LIMIT);
	assert_int_equal(
		oprf_expand_message(out, 255 * 64 + 1, bytes_text(""), bytes_text("d")),
		ERR_LIMIT);
	assert_int_equal(oprf_expand_message(out, 64, bytes_text(""), bytes_text("")),
			 ERR_LIMIT);
}

static void a_long_tag_counts_as_its_hash(void **state)
{
	uint8_t tag[256], with_prefix[17 + 256], hash[64], a[64], b[64];

	(void)state;
	memset(tag, 'a', sizeof tag);
	memcpy(with_prefix, "H2C-OVERSIZE-DST-", 17);
	memcpy(with_prefix + 17, tag, sizeof tag);
	crypto_hash_sha512(hash, with_prefix, sizeof with_prefix);
	assert_int_equal(oprf_expand_message(a, 64, bytes_text("m"), BYTES(tag)), 0);
	assert_int_equal(oprf_expand_message(b, 64, bytes_text("m"), BYTES(hash)), 0);
	assert_memory_equal(a, b, 64);
	assert_int_equal(oprf_expand_message(b, 64, bytes_text("m"), bytes_of(tag, 255)), 0);
	assert_memory_not_equal(a, b, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_output_depends_on_key_and_input_and_not_on_the_blind),
		cmocka_unit_test(a_proof_holds_only_for_its_key_its_info_and_its_batch),
		cmocka_unit_test(the_identity_and_what_is_not_canonical_are_refused),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(a_long_tag_counts_as_its_hash),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
