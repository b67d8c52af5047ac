#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/keys.h"

static void a_device_key_pair_belongs_together(void **state)
{
	struct device a, b;
	uint8_t ab[32], ba[32];

	(void)state;
	device_make(&a);
	device_make(&b);
	assert_false(device_public_equal(&a.public, &b.public));
	assert_true(device_public_equal(&a.public, &a.public));
	assert_int_equal(crypto_scalarmult(ab, a.secret.bytes, b.public.bytes), 0);
	assert_int_equal(crypto_scalarmult(ba, b.secret.bytes, a.public.bytes), 0);
	assert_memory_equal(ab, ba, 32);
	device_wipe(&a);
	assert_true(sodium_is_zero(a.secret.bytes, sizeof a.secret.bytes));
}

static void what_is_sealed_to_an_identity_only_its_owner_opens(void **state)
{
	struct identity owner, other;
	struct buf sealed = { 0 }, plain = { 0 };

	(void)state;
	identity_make(&owner);
	identity_make(&other);
	assert_false(identity_public_equal(&owner.public, &other.public));
	assert_int_equal(identity_seal(&owner.public, bytes_text("a greeting"), &sealed), 0);
	assert_int_equal(sealed.size, 10 + SEAL_OVERHEAD);
	assert_int_equal(identity_open(&other, buf_view(&sealed), &plain), ERR_AUTH);
	assert_int_equal(plain.size, 0);
	assert_int_equal(identity_open(&owner, buf_view(&sealed), &plain), 0);
	assert_true(bytes_equal(buf_view(&plain), bytes_text("a greeting")));
	buf_clear(&sealed);
	buf_clear(&plain);
}

static void a_seal_that_was_changed_or_cut_does_not_open(void **state)
{
	struct identity owner;
	struct buf sealed = { 0 }, plain = { 0 };
	size_t i;

	(void)state;
	identity_make(&owner);
	identity_seal(&owner.public, bytes_text("x"), &sealed);
	for (i = 0; i < sealed.size; i++) {
		sealed.data[i] ^= 1;
		assert_int_equal(identity_open(&owner, buf_view(&sealed), &plain), ERR_AUTH);
		sealed.data[i] ^= 1;
		assert_true(identity_open(&owner, bytes_of(sealed.data, i), &plain) < 0);
	}
	assert_int_equal(plain.size, 0);
	buf_clear(&sealed);
	buf_clear(&plain);
}

static void nothing_is_sealed_to_what_is_no_key(void **state)
{
	struct identity_public zero = { { 0 } }, one = { { 1 } };
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(identity_seal(&zero, bytes_text("x"), &out), ERR_AUTH);
	assert_int_equal(identity_seal(&one, bytes_text("x"), &out), ERR_AUTH);
	assert_int_equal(out.size, 0);
	buf_clear(&out);
}

static void seals_respect_the_limit_of_where_they_go(void **state)
{
	struct identity owner;
	struct buf sealed, plain;

	(void)state;
	identity_make(&owner);
	buf_init(&sealed, SEAL_OVERHEAD + 3);
	assert_int_equal(identity_seal(&owner.public, bytes_text("four"), &sealed), ERR_LIMIT);
	assert_int_equal(identity_seal(&owner.public, bytes_text("abc"), &sealed), 0);
	buf_init(&plain, 2);
	assert_int_equal(identity_open(&owner, buf_view(&sealed), &plain), ERR_LIMIT);
	buf_clear(&sealed);
	buf_clear(&plain);
}

static void a_fingerprint_is_eight_groups_of_four_digits(void **state)
{
	struct identity a, b;
	char of_a[FINGERPRINT_SIZE], of_b[FINGERPRINT_SIZE];
	size_t i;

	(void)state;
	identity_make(&a);
	identity_make(&b);
	fingerprint_of(&a.public, of_a);
	fingerprint_of(&b.public, of_b);
	assert_int_equal(strlen(of_a), FINGERPRINT_SIZE - 1);
	for (i = 0; i < FINGERPRINT_SIZE - 1; i++)
		assert_true(i % 5 == 4 ? of_a[i] == ' '
				       : strchr("0123456789abcdef", of_a[i]) != NULL);
	assert_string_not_equal(of_a, of_b);
}

static void the_knock_of_a_directory_follows_from_its_key(void **state)
{
	struct device_public a = { { 1 } }, b = { { 2 } };
	struct knock first = knock_of_directory(&a), again = knock_of_directory(&a);
	struct knock other = knock_of_directory(&b);

	(void)state;
	assert_memory_equal(first.bytes, again.bytes, sizeof first.bytes);
	assert_memory_not_equal(first.bytes, other.bytes, sizeof first.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_key_pair_belongs_together),
		cmocka_unit_test(what_is_sealed_to_an_identity_only_its_owner_opens),
		cmocka_unit_test(a_seal_that_was_changed_or_cut_does_not_open),
		cmocka_unit_test(nothing_is_sealed_to_what_is_no_key),
		cmocka_unit_test(seals_respect_the_limit_of_where_they_go),
		cmocka_unit_test(a_fingerprint_is_eight_groups_of_four_digits),
		cmocka_unit_test(the_knock_of_a_directory_follows_from_its_key),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
