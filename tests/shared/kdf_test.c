#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/kdf.h"

static void a_longer_output_begins_with_the_shorter_one(void **state)
{
	uint8_t prk[HKDF_PRK_SIZE] = { 7 }, a[200], b[200];
	size_t size;

	(void)state;
	assert_int_equal(hkdf_expand(a, sizeof a, prk, bytes_text("info")), 0);
	for (size = 0; size <= sizeof b; size += 13) {
		assert_int_equal(hkdf_expand(b, size, prk, bytes_text("info")), 0);
		assert_memory_equal(a, b, size);
	}
}

static void an_output_longer_than_the_counter_allows_is_refused(void **state)
{
	uint8_t prk[HKDF_PRK_SIZE] = { 0 }, *out = malloc(HKDF_OUTPUT_MAX + 1);

	(void)state;
	assert_int_equal(hkdf_expand(out, HKDF_OUTPUT_MAX, prk, bytes_text("")), 0);
	assert_int_equal(hkdf_expand(out, HKDF_OUTPUT_MAX + 1, prk, bytes_text("")), ERR_LIMIT);
	assert_int_equal(hkdf_expand(out, SIZE_MAX, prk, bytes_text("")), ERR_LIMIT);
	free(out);
}

static void no_salt_is_the_same_as_a_salt_of_zeros(void **state)
{
	uint8_t zeros[64] = { 0 }, a[64], b[64], c[64];

	(void)state;
	hkdf_extract(a, (struct bytes){ 0 }, bytes_text("key material"));
	hkdf_extract(b, BYTES(zeros), bytes_text("key material"));
	hkdf_extract(c, bytes_text("salt"), bytes_text("key material"));
	assert_memory_equal(a, b, 64);
	assert_memory_not_equal(a, c, 64);
}

static void a_key_longer_than_a_block_is_hashed_first(void **state)
{
	uint8_t key[200], hashed[64], a[64], b[64];

	(void)state;
	memset(key, 0x42, sizeof key);
	crypto_hash_sha512(hashed, key, sizeof key);
	hmac_sha512(a, BYTES(key), bytes_text("m"));
	hmac_sha512(b, BYTES(hashed), bytes_text("m"));
	assert_memory_equal(a, b, 64);
}

static void labels_and_sizes_give_independent_keys(void **state)
{
	uint8_t secret[32] = { 1 }, a[64], b[64], c[32];

	(void)state;
	kdf_label(a, 64, secret, "one");
	kdf_label(b, 64, secret, "two");
	kdf_label(c, 32, secret, "one");
	assert_memory_not_equal(a, b, 64);
	assert_memory_not_equal(a, c, 32);
	secret[31] ^= 1;
	kdf_label(b, 64, secret, "one");
	assert_memory_not_equal(a, b, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_longer_output_begins_with_the_shorter_one),
		cmocka_unit_test(an_output_longer_than_the_counter_allows_is_refused),
		cmocka_unit_test(no_salt_is_the_same_as_a_salt_of_zeros),
		cmocka_unit_test(a_key_longer_than_a_block_is_hashed_first),
		cmocka_unit_test(labels_and_sizes_give_independent_keys),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
