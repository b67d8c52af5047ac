#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "shared/shares.h"

static struct symmetric_key key;
static struct share shares[SHARES_COUNT];

static int begin(void **state)
{
	(void)state;
	shares_make(&key, shares);
	return 0;
}

static void any_two_shares_give_the_key(void **state)
{
	(void)state;
	for (int i = 0; i < SHARES_COUNT; i++) {
		assert_int_equal(shares[i].number, i + 1);
		for (int j = 0; j < SHARES_COUNT; j++) {
			struct symmetric_key joined;

			if (i == j)
				continue;
			assert_int_equal(shares_join(&joined, &shares[i], &shares[j]), 0);
			assert_memory_equal(&joined, &key, sizeof key);
		}
	}
}

static void keys_are_fresh_each_time(void **state)
{
	struct symmetric_key other;
	struct share more[SHARES_COUNT];

	(void)state;
	shares_make(&other, more);
	assert_memory_not_equal(&other, &key, sizeof key);
	for (int i = 0; i < SHARES_COUNT; i++)
		assert_memory_not_equal(more[i].bytes, shares[i].bytes, SHARE_SIZE);
}

static void shares_of_two_secrets_give_another_key(void **state)
{
	struct symmetric_key other, joined;
	struct share more[SHARES_COUNT];

	(void)state;
	shares_make(&other, more);
	assert_int_equal(shares_join(&joined, &shares[0], &more[1]), 0);
	assert_memory_not_equal(&joined, &key, sizeof key);
	assert_memory_not_equal(&joined, &other, sizeof key);
}

static void the_same_share_twice_is_refused(void **state)
{
	struct symmetric_key joined;
	struct share renumbered = shares[0];

	(void)state;
	assert_int_equal(shares_join(&joined, &shares[1], &shares[1]), ERR_FORMAT);
	/* under another number it is a share of something else */
	renumbered.number = 2;
	assert_int_equal(shares_join(&joined, &shares[0], &renumbered), 0);
	assert_memory_not_equal(&joined, &key, sizeof key);
}

static void what_is_no_share_is_refused(void **state)
{
	struct symmetric_key joined;
	struct share bad = shares[0];

	(void)state;
	bad.number = 0;
	assert_int_equal(shares_join(&joined, &bad, &shares[1]), ERR_FORMAT);
	bad.number = SHARES_COUNT + 1;
	assert_int_equal(shares_join(&joined, &bad, &shares[1]), ERR_FORMAT);
	bad = shares[0];
	memset(bad.bytes, 0xff, sizeof bad.bytes);
	assert_int_equal(shares_join(&joined, &bad, &shares[1]), ERR_FORMAT);
	assert_int_equal(shares_join(&joined, &shares[1], &bad), ERR_FORMAT);
}

/* The key as a second reader of the description would compute it: the secret is
 * 2 * share 1 - share 2, the key BLAKE2b-256 of the label and it. */
static void the_key_is_the_hash_of_label_and_secret(void **state)
{
	uint8_t text[17 + 32] = "palique-shares-v1", expected[32];

	(void)state;
	crypto_core_ristretto255_scalar_add(text + 17, shares[0].bytes, shares[0].bytes);
	crypto_core_ristretto255_scalar_sub(text + 17, text + 17, shares[1].bytes);
	crypto_generichash(expected, sizeof expected, text, sizeof text, NULL, 0);
	assert_memory_equal(expected, key.bytes, sizeof expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup(name, begin)
		ROW(any_two_shares_give_the_key),
		ROW(keys_are_fresh_each_time),
		ROW(shares_of_two_secrets_give_another_key),
		ROW(the_same_share_twice_is_refused),
		ROW(what_is_no_share_is_refused),
		ROW(the_key_is_the_hash_of_label_and_secret),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
