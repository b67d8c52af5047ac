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
#include "shared/kdf.h"
#include "shared/vault.h"

static const struct name alice = { "alice" }, bob = { "bob" };
static struct symmetric_key key, other_key;

/* A vault with `count` contacts whose names begin with the later ones. */
static struct vault made(unsigned count)
{
	struct vault v = { .requests = REQUESTS_LINK, .settings_stamp = 7, .count = count };

	identity_make(&v.identity);
	v.contacts = count ? memory_array(count, sizeof v.contacts[0]) : NULL;
	for (unsigned i = 0; i < count; i++) {
		struct vault_contact *c = &v.contacts[i];

		snprintf(c->name.text, sizeof c->name.text, "contact%025u", count - i);
		c->state = (enum vault_state)(i % 4);
		c->has_identity = i % 3 > 0;
		if (c->has_identity)
			memset(&c->identity, (int)i, sizeof c->identity);
		c->is_verified = i % 5 == 1;
		c->consent = (enum consent)(i % 3);
		c->stamp = INT64_MAX - i;
	}
	return v;
}

static void sealed(struct buf *out, const struct vault *v, uint64_t version)
{
	out->size = 0;
	assert_int_equal(vault_seal(v, &key, &alice, version, out), 0);
}

static void what_was_sealed_comes_back(void **state)
{
	struct vault v = made(40), got;
	struct buf b = { 0 };

	(void)state;
	v.past_count = 2;
	memset(v.past, 0x5a, 2 * sizeof v.past[0]);
	v.has_recovery = true;
	memset(&v.recovery, 3, sizeof v.recovery);
	v.has_next = true;
	identity_make(&v.next);
	sealed(&b, &v, 9);
	assert_int_equal(vault_open(&got, buf_view(&b), &key, &alice, 9), 0);
	assert_memory_equal(&got.identity, &v.identity, sizeof v.identity);
	assert_true(got.has_next);
	assert_memory_equal(&got.next, &v.next, sizeof v.next);
	assert_int_equal(got.past_count, 2);
	assert_memory_equal(got.past, v.past, sizeof v.past);
	assert_true(got.has_recovery);
	assert_memory_equal(&got.recovery, &v.recovery, sizeof v.recovery);
	assert_int_equal(got.requests, REQUESTS_LINK);
	assert_int_equal(got.settings_stamp, 7);
	assert_int_equal(got.count, 40);
	for (unsigned i = 0; i < 40; i++) { /* sorted by name */
		struct vault_contact *one = &got.contacts[39 - i], *sent = &v.contacts[i];

		assert_string_equal(one->name.text, sent->name.text);
		assert_int_equal(one->state, sent->state);
		assert_int_equal(one->has_identity, sent->has_identity);
		assert_memory_equal(&one->identity, &sent->identity, sizeof one->identity);
		assert_int_equal(one->is_verified, sent->is_verified);
		assert_int_equal(one->consent, sent->consent);
		assert_true(one->stamp == sent->stamp);
	}
	vault_clear(&got);
	assert_true(sodium_is_zero((const uint8_t *)&got, sizeof got));
	vault_clear(&got);
	vault_clear(&v);
	buf_clear(&b);
}

static void the_size_says_little(void **state)
{
	struct vault v = made(0), w = made(30);
	struct buf b = { 0 };

	(void)state;
	sealed(&b, &v, 1);
	assert_int_equal(b.size, VAULT_FIRST_SIZE);
	sealed(&b, &w, 1);
	assert_int_equal(b.size, VAULT_FIRST_SIZE);
	w.past_count = DEVICE_LIST_PAST_MAX;
	w.has_next = true;
	w.count = 0;
	sealed(&b, &w, 1);
	assert_int_equal(b.size, VAULT_FIRST_SIZE);
	w.count = 30;
	vault_clear(&v);
	vault_clear(&w);
	buf_clear(&b);
}

static void the_largest_vault_is_within_its_limit(void **state)
{
	struct vault v = made(VAULT_CONTACTS_MAX), got;
	struct buf b = { 0 };

	(void)state;
	v.past_count = DEVICE_LIST_PAST_MAX;
	v.has_recovery = v.has_next = true;
	for (unsigned i = 0; i < v.count; i++)
		v.contacts[i].has_identity = true;
	sealed(&b, &v, INT64_MAX);
	assert_in_range(b.size, VAULT_SIZE_MAX / 2, VAULT_SIZE_MAX);
	assert_int_equal(vault_open(&got, buf_view(&b), &key, &alice, INT64_MAX), 0);
	assert_int_equal(got.count, VAULT_CONTACTS_MAX);
	vault_clear(&got);
	v.count++;
	b.size = 0;
	assert_int_equal(vault_seal(&v, &key, &alice, 1, &b), ERR_LIMIT);
	assert_int_equal(b.size, 0);
	v.count--;
	b.limit = VAULT_FIRST_SIZE;
	assert_int_equal(vault_seal(&v, &key, &alice, 1, &b), ERR_LIMIT);
	assert_int_equal(b.size, 0);
	vault_clear(&v);
	buf_clear(&b);
}

static void a_vault_opens_for_its_key_name_and_version_only(void **state)
{
	struct vault v = made(1), got, before;
	struct buf b = { 0 };

	(void)state;
	sealed(&b, &v, 3);
	memset(&got, 0x5a, sizeof got);
	before = got;
	assert_int_equal(vault_open(&got, buf_view(&b), &other_key, &alice, 3), ERR_AUTH);
	assert_int_equal(vault_open(&got, buf_view(&b), &key, &bob, 3), ERR_AUTH);
	assert_int_equal(vault_open(&got, buf_view(&b), &key, &alice, 2), ERR_AUTH);
	assert_int_equal(vault_open(&got, buf_view(&b), &key, &alice, 4), ERR_AUTH);
	assert_memory_equal(&got, &before, sizeof got);
	vault_clear(&v);
	buf_clear(&b);
}

static void every_byte_of_the_seal_counts(void **state)
{
	struct vault v = made(1), got;
	struct buf b = { 0 };

	(void)state;
	sealed(&b, &v, 1);
	for (size_t i = 0; i < b.size; i += i < 64 ? 1 : 61) {
		b.data[i] ^= 0x10;
		assert_int_equal(vault_open(&got, buf_view(&b), &key, &alice, 1), ERR_AUTH);
		b.data[i] ^= 0x10;
	}
	assert_int_equal(vault_open(&got, buf_view(&b), &key, &alice, 1), 0);
	vault_clear(&got);
	vault_clear(&v);
	buf_clear(&b);
}

static void a_vault_of_another_size_is_refused_before_it_is_opened(void **state)
{
	static const size_t sizes[] = { 0,
					1,
					VAULT_OVERHEAD,
					VAULT_STEP,
					VAULT_FIRST_SIZE - 1,
					VAULT_FIRST_SIZE + 1,
					2 * VAULT_STEP,
					VAULT_SIZE_MAX };
	static uint8_t large[VAULT_SIZE_MAX + 1];
	struct vault got;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		assert_int_equal(vault_open(&got, bytes_of(large, sizes[i]), &key, &alice, 1),
				 ERR_FORMAT);
	assert_int_equal(vault_open(&got, BYTES(large), &key, &alice, 1), ERR_LIMIT);
}

/* --- contents that we do not write, sealed as they are written down ---------------------- */

/* XChaCha20-Poly1305 over contents | 0x80 | zeros, without the code under test. */
static void seal_by_hand(struct buf *out, struct bytes contents, uint64_t version)
{
	static uint8_t plain[VAULT_STEP];
	uint8_t bound[16 + 1 + 5 + 8] = "palique-vault-v1\5alice", *room;

	assert_true(contents.size < sizeof plain);
	memset(plain, 0, sizeof plain);
	memcpy(plain, contents.data, contents.size);
	plain[contents.size] = 0x80;
	for (unsigned i = 0; i < 8; i++)
		bound[22 + i] = (uint8_t)(version >> (56 - 8 * i));
	out->size = 0;
	room = buf_room(out, VAULT_FIRST_SIZE);
	memset(room, 9, 24);
	crypto_aead_xchacha20poly1305_ietf_encrypt(room + 24, NULL, plain, sizeof plain, bound,
						   sizeof bound, NULL, room, key.bytes);
	buf_grew(out, VAULT_FIRST_SIZE);
}

static int opened_from_hex(const char *hex, struct vault *v)
{
	uint8_t contents[512];
	size_t size = strlen(hex) / 2;
	struct buf b = { 0 };
	int err;

	assert_int_equal(bytes_from_hex(hex, contents, size), 0);
	seal_by_hand(&b, bytes_of(contents, size), 0x0102030405060708);
	err = vault_open(v, buf_view(&b), &key, &alice, 0x0102030405060708);
	buf_clear(&b);
	return err;
}

#define SEED "c4200101010101010101010101010101010101010101010101010101010101010101"
#define KEY3 "c4200303030303030303030303030303030303030303030303030303030303030303"
#define BOB  "96a3626f6201" KEY3 "c301cf0000018bcfe56800"
#define ROY  "96a3726f7903c0c20005"

/* docs/protocol.md, Vault and its example. */
static void the_contents_are_those_of_the_documentation(void **state)
{
	struct vault v;

	(void)state;
	assert_int_equal(opened_from_hex("9802" SEED "c090c0010792" BOB ROY, &v), 0);
	assert_memory_equal(v.identity.public.bytes, "\x8a\x88\xe3\xdd\x74\x09\xf1\x95", 8);
	assert_false(v.has_next);
	assert_int_equal(v.past_count, 0);
	assert_false(v.has_recovery);
	assert_int_equal(v.requests, REQUESTS_LINK);
	assert_int_equal(v.settings_stamp, 7);
	assert_int_equal(v.count, 2);
	assert_string_equal(v.contacts[0].name.text, "bob");
	assert_int_equal(v.contacts[0].state, VAULT_MUTUAL);
	assert_true(v.contacts[0].has_identity && v.contacts[0].is_verified);
	assert_true(v.contacts[0].stamp == 1700000000000);
	assert_int_equal(v.contacts[0].consent, CONSENT_RELAY);
	assert_int_equal(v.contacts[1].state, VAULT_GONE);
	assert_false(v.contacts[1].has_identity || v.contacts[1].is_verified);
	vault_clear(&v);
	assert_int_equal(opened_from_hex("9802" KEY3 SEED "90c0010790", &v), 0);
	assert_true(v.has_next);
	assert_memory_equal(v.next.public.bytes, "\x8a\x88\xe3\xdd\x74\x09\xf1\x95", 8);
	vault_clear(&v);
}

/* Of a device that has not been renewed yet. */
static void a_vault_from_before_there_was_consent_is_read(void **state)
{
	struct vault v;

	(void)state;
	assert_int_equal(opened_from_hex("9801" SEED "c090c0010792"
					 "95a3626f6201" KEY3 "c3cf0000018bcfe56800"
					 "95a3726f7903c0c205",
					 &v),
			 0);
	assert_int_equal(v.count, 2);
	assert_true(v.contacts[0].is_verified && v.contacts[0].stamp == 1700000000000);
	assert_int_equal(v.contacts[0].consent, CONSENT_DIRECT);
	assert_int_equal(v.contacts[1].consent, CONSENT_DIRECT);
	vault_clear(&v);
}

/* Where nobody is hidden from anybody the form is the one that devices know which have not been renewed. */
static void whom_we_are_hidden_from_is_kept(void **state)
{
	struct vault v = made(3), got = { 0 };
	struct buf out = { 0 };

	(void)state;
	v.contacts[1].is_hidden = true;
	for (unsigned i = 0; i < 3; i++) {
		sealed(&out, &v, 1);
		assert_int_equal(vault_open(&got, buf_view(&out), &key, &alice, 1), 0);
		assert_int_equal(got.is_invisible, i == 1);
		for (unsigned k = 0; k < got.count; k++)
			assert_int_equal(got.contacts[k].is_hidden,
					 i == 0 && name_equal(&got.contacts[k].name,
							      &v.contacts[1].name));
		vault_clear(&got);
		v.contacts[1].is_hidden = false;
		v.is_invisible = i == 0;
	}
	buf_clear(&out);
	vault_clear(&v);
	assert_int_equal(opened_from_hex("9903" SEED "c090c001c30791"
					 "97a3626f6201" KEY3 "c301c3cf0000018bcfe56800",
					 &v),
			 0);
	assert_true(v.is_invisible && v.contacts[0].is_hidden);
	assert_int_equal(v.contacts[0].consent, CONSENT_RELAY);
	vault_clear(&v);
}

static void what_is_no_vault_of_ours_is_refused_behind_the_seal_too(void **state)
{
	static const struct {
		const char *hex;
		int err;
	} rows[] = {
		{ "", ERR_FORMAT },
		{ "c0", ERR_FORMAT },
		{ "9903" SEED "c090c0010790", ERR_FORMAT },
		{ "9803" SEED "c090c0010790", ERR_FORMAT },
		{ "9903" SEED "c090c001020790", ERR_FORMAT }, /* no flag */
		{ "9903" SEED "c090c001c2079196a3726f7903c0c20005", ERR_FORMAT },
		{ "9904" SEED "c090c001c20790", ERR_VERSION },
		{ "9800" SEED "c090c0010790", ERR_VERSION },
		{ "9702" SEED "90c0010790", ERR_FORMAT },
		{ "9802" SEED "c090c001079000", ERR_FORMAT }, /* more behind */
		{ "9802" SEED SEED "00"
		  "90c0010790",
		  ERR_FORMAT },
		{ "9802" SEED "c40101"
		  "90c0010790",
		  ERR_FORMAT },                            /* a seed of one byte */
		{ "9802" SEED "c095c0010790", ERR_LIMIT }, /* five identities before */
		{ "9802" SEED "c090c0030790", ERR_LIMIT }, /* no such policy */
		{ "9802" SEED "c090c001cf800000000000000090", ERR_LIMIT },
		{ "9802" SEED "c090c00107dc0bb9", ERR_LIMIT }, /* 3001 contacts */
		{ "9802" SEED "c090c00107ddffffffff", ERR_LIMIT },
		{ "9802" SEED "c090c00107dc0bb8", ERR_FORMAT },     /* 3000 and none there */
		{ "9802" SEED "c090c0010792" ROY BOB, ERR_FORMAT }, /* not sorted */
		{ "9802" SEED "c090c0010792" ROY ROY, ERR_FORMAT }, /* one name twice */
		{ "9802" SEED "c090c001079196a3526f7903c0c20005", ERR_FORMAT }, /* no name */
		{ "9802" SEED "c090c001079196a3726f7904c0c20005",
		  ERR_LIMIT }, /* no such state */
		{ "9802" SEED "c090c001079196a3726f7903c0c000c5", ERR_FORMAT },
		{ "9802" SEED "c090c001079196a3726f7903c0c20305",
		  ERR_LIMIT }, /* no such consent */
		{ "9802" SEED "c090c001079195a3726f7903c0c205",
		  ERR_FORMAT }, /* of the form before */
		{ "9801" SEED "c090c001079196a3726f7903c0c20005", ERR_FORMAT },
		{ "9802" SEED "c090c40103010790", ERR_FORMAT }, /* a key of one byte */
	};
	struct vault v, before;

	(void)state;
	memset(&v, 0x5a, sizeof v);
	before = v;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int err = opened_from_hex(rows[i].hex, &v);

		if (err != rows[i].err)
			fail_msg("row %zu: %s", i, error_name(err));
		assert_memory_equal(&v, &before, sizeof v);
	}
}

static void contents_without_their_padding_are_refused(void **state)
{
	static uint8_t plain[VAULT_STEP], out[VAULT_FIRST_SIZE];
	uint8_t bound[] = "palique-vault-v1\5alice\0\0\0\0\0\0\0\1";
	struct vault v;

	(void)state;
	for (unsigned last = 0; last < 256; last++) {
		plain[VAULT_STEP - 1] = (uint8_t)last;
		crypto_aead_xchacha20poly1305_ietf_encrypt(out + 24, NULL, plain, sizeof plain,
							   bound, sizeof bound - 1, NULL, out,
							   key.bytes);
		assert_int_equal(vault_open(&v, BYTES(out), &key, &alice, 1), ERR_FORMAT);
	}
}

/* --- signatures and wraps ------------------------------------------------------------------ */

static void a_signature_is_of_one_version_of_one_account(void **state)
{
	struct vault v = made(0), w = made(0);
	uint8_t signature[VAULT_SIGNATURE_SIZE], hash[32];
	struct buf text = { 0 };

	(void)state;
	vault_sign(signature, &v.identity, &alice, 0x0203, bytes_text("sealed"));
	assert_int_equal(vault_verify(signature, &v.identity.public, &alice, 0x0203,
				      bytes_text("sealed")),
			 0);
	assert_int_equal(vault_verify(signature, &w.identity.public, &alice, 0x0203,
				      bytes_text("sealed")),
			 ERR_AUTH);
	assert_int_equal(
		vault_verify(signature, &v.identity.public, &bob, 0x0203, bytes_text("sealed")),
		ERR_AUTH);
	assert_int_equal(vault_verify(signature, &v.identity.public, &alice, 0x0204,
				      bytes_text("sealed")),
			 ERR_AUTH);
	assert_int_equal(vault_verify(signature, &v.identity.public, &alice, 0x0203,
				      bytes_text("Sealed")),
			 ERR_AUTH);
	buf_append(&text, bytes_text("palique-vault-v1alice"));
	buf_append(&text, bytes_of("\0\0\0\0\0\0\2\3", 8));
	crypto_generichash(hash, sizeof hash, (const uint8_t *)"sealed", 6, NULL, 0);
	buf_append(&text, BYTES(hash));
	assert_int_equal(crypto_sign_verify_detached(signature, text.data, text.size,
						     v.identity.public.bytes),
			 0);
	buf_clear(&text);
	vault_clear(&v);
	vault_clear(&w);
}

static void the_key_is_unwrapped_by_the_same_password_for_the_same_name(void **state)
{
	uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE] = "from the right password";
	uint8_t wrong[OPAQUE_EXPORT_KEY_SIZE] = "from another";
	uint8_t wrap[VAULT_WRAP_SIZE], again[VAULT_WRAP_SIZE];
	struct symmetric_key got = { 0 };

	(void)state;
	vault_wrap(wrap, &key, export_key, &alice);
	vault_wrap(again, &key, export_key, &alice);
	assert_memory_not_equal(wrap, again, sizeof wrap);
	assert_int_equal(vault_unwrap(&got, wrap, wrong, &alice), ERR_AUTH);
	assert_int_equal(vault_unwrap(&got, wrap, export_key, &bob), ERR_AUTH);
	for (size_t i = 0; i < sizeof wrap; i++) {
		wrap[i] ^= 1;
		assert_int_equal(vault_unwrap(&got, wrap, export_key, &alice), ERR_AUTH);
		wrap[i] ^= 1;
	}
	assert_true(sodium_is_zero(got.bytes, sizeof got.bytes));
	assert_int_equal(vault_unwrap(&got, wrap, export_key, &alice), 0);
	assert_memory_equal(got.bytes, key.bytes, sizeof key.bytes);
}

static void a_wrap_is_as_it_is_written_down(void **state)
{
	uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE] = "from the right password";
	uint8_t wrap[VAULT_WRAP_SIZE], wrapping[32], plain[32];

	(void)state;
	vault_wrap(wrap, &key, export_key, &alice);
	hkdf_expand(wrapping, 32, export_key, bytes_text("palique-vault-v1"));
	assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(
				 plain, NULL, NULL, wrap + 24, sizeof wrap - 24,
				 (const uint8_t *)"palique-wrap-v1\5alice", 21, wrap, wrapping),
			 0);
	assert_memory_equal(plain, key.bytes, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_comes_back),
		cmocka_unit_test(the_size_says_little),
		cmocka_unit_test(the_largest_vault_is_within_its_limit),
		cmocka_unit_test(a_vault_opens_for_its_key_name_and_version_only),
		cmocka_unit_test(every_byte_of_the_seal_counts),
		cmocka_unit_test(a_vault_of_another_size_is_refused_before_it_is_opened),
		cmocka_unit_test(the_contents_are_those_of_the_documentation),
		cmocka_unit_test(a_vault_from_before_there_was_consent_is_read),
		cmocka_unit_test(whom_we_are_hidden_from_is_kept),
		cmocka_unit_test(what_is_no_vault_of_ours_is_refused_behind_the_seal_too),
		cmocka_unit_test(contents_without_their_padding_are_refused),
		cmocka_unit_test(a_signature_is_of_one_version_of_one_account),
		cmocka_unit_test(the_key_is_unwrapped_by_the_same_password_for_the_same_name),
		cmocka_unit_test(a_wrap_is_as_it_is_written_down),
	};

	if (sodium_init() < 0)
		return 1;
	randombytes_buf(key.bytes, sizeof key.bytes);
	randombytes_buf(other_key.bytes, sizeof other_key.bytes);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
