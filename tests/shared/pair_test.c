#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/pair.h"

static struct identity alice, bob, carol;
static const struct device_public one = { { 1 } }, two = { { 2 } };

static int setup(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	identity_make(&alice);
	identity_make(&bob);
	identity_make(&carol);
	return 0;
}

static void both_sides_make_the_same_key(void **state)
{
	struct symmetric_key ab, ba, ac, bc, aa;

	(void)state;
	assert_int_equal(pair_key_make(&ab, &alice, &bob.public), 0);
	assert_int_equal(pair_key_make(&ba, &bob, &alice.public), 0);
	assert_memory_equal(&ab, &ba, sizeof ab);
	assert_int_equal(pair_key_make(&ac, &alice, &carol.public), 0);
	assert_int_equal(pair_key_make(&bc, &bob, &carol.public), 0);
	assert_memory_not_equal(&ab, &ac, sizeof ab);
	assert_memory_not_equal(&bc, &ac, sizeof ab);
	/* Two devices of one account. */
	assert_int_equal(pair_key_make(&aa, &alice, &alice.public), 0);
	assert_memory_not_equal(&ab, &aa, sizeof ab);
}

static void the_key_is_the_one_of_the_documentation(void **state)
{
	static const char domain[] = "palique-pair-v1";
	uint8_t secret[32], public[32], all[15 + 32 + 64];
	struct symmetric_key key, expected;
	bool is_alice_first = memcmp(alice.public.bytes, bob.public.bytes, 32) < 0;

	(void)state;
	assert_int_equal(crypto_sign_ed25519_sk_to_curve25519(secret, bob.secret.bytes), 0);
	assert_int_equal(crypto_sign_ed25519_pk_to_curve25519(public, alice.public.bytes), 0);
	memcpy(all, domain, 15);
	assert_int_equal(crypto_scalarmult(all + 15, secret, public), 0);
	memcpy(all + 47, (is_alice_first ? &alice : &bob)->public.bytes, 32);
	memcpy(all + 79, (is_alice_first ? &bob : &alice)->public.bytes, 32);
	crypto_generichash(expected.bytes, 32, all, sizeof all, NULL, 0);
	assert_int_equal(pair_key_make(&key, &alice, &bob.public), 0);
	assert_memory_equal(&key, &expected, sizeof key);
}

/* A point of small order would give a secret that everybody knows. */
static void a_bad_key_makes_none(void **state)
{
	static const struct identity_public bad[] = {
		{ { 0 } },                /* of order 4 */
		{ { 1 } },                /* the neutral element */
		{ { 2 } },                /* not on the curve */
		{ { [0 ... 31] = 0xff } } /* not a field element */
	};
	static const struct symmetric_key zero;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct symmetric_key key = { { 7 } };

		assert_int_equal(pair_key_make(&key, &alice, &bad[i]), ERR_AUTH);
		assert_memory_equal(&key, &zero, sizeof key);
	}
}

static void each_purpose_and_direction_has_a_key_of_its_own(void **state)
{
	struct symmetric_key ab, ac, keys[5];

	(void)state;
	pair_key_make(&ab, &alice, &bob.public);
	pair_key_make(&ac, &alice, &carol.public);
	pair_key_between(&keys[0], &ab, "palique-x-v1", &one, &two);
	pair_key_between(&keys[1], &ab, "palique-x-v1", &two, &one);
	pair_key_between(&keys[2], &ab, "palique-y-v1", &one, &two);
	pair_key_between(&keys[3], &ac, "palique-x-v1", &one, &two);
	pair_key_between(&keys[4], &ab, "palique-x-v1", &one, &one);
	for (unsigned i = 0; i < 5; i++)
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(&keys[i], &keys[j], sizeof keys[i]);
	pair_key_between(&keys[1], &ab, "palique-x-v1", &one, &two);
	assert_memory_equal(&keys[0], &keys[1], sizeof keys[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_make_the_same_key),
		cmocka_unit_test(the_key_is_the_one_of_the_documentation),
		cmocka_unit_test(a_bad_key_makes_none),
		cmocka_unit_test(each_purpose_and_direction_has_a_key_of_its_own),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
