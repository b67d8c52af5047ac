#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/device_list.h"
#include "shared/error.h"

static struct identity first, second, third;

static struct device_public device(uint8_t number)
{
	struct device_public d = { { number, 1, 2, 3 } };

	return d;
}

/* A list of `count` devices, signed by `by`. */
static struct device_list listed(const struct identity *by, unsigned count)
{
	struct device_list l = { 0 };

	for (unsigned i = 0; i < count; i++) {
		struct device_public d = device((uint8_t)i);

		assert_int_equal(device_list_add(&l, &d, "laptop", 1700000000000 + i), 0);
	}
	device_list_sign(&l, by);
	return l;
}

static void encoded(struct buf *out, const struct device_list *l)
{
	out->size = 0;
	assert_int_equal(device_list_encode(l, out), 0);
}

static void a_list_survives_the_wire_and_verifies(void **state)
{
	struct device_list l = listed(&first, 3), got;
	struct device_public one = device(1), other = device(9);
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(l.version, 1);
	encoded(&b, &l);
	assert_int_equal(device_list_decode(&got, buf_view(&b)), 0);
	assert_int_equal(device_list_verify(&got), 0);
	assert_true(identity_public_equal(&got.identity, &first.public));
	assert_int_equal(got.version, 1);
	assert_int_equal(got.count, 3);
	assert_true(device_list_find(&got, &one)->since == 1700000000001);
	assert_string_equal(device_list_find(&got, &one)->label, "laptop");
	assert_null(device_list_find(&got, &other));
	buf_clear(&b);
}

static void the_longest_list_is_within_its_limit(void **state)
{
	struct device_list l = { 0 }, got;
	struct identity who[DEVICE_LIST_PAST_MAX + 2];
	struct buf b = { 0 };

	(void)state;
	for (unsigned i = 0; i < DEVICE_LIST_PAST_MAX + 2; i++)
		identity_make(&who[i]);
	for (unsigned i = 0; i < DEVICE_LIST_MAX; i++) {
		struct device_public d = device((uint8_t)i);

		assert_int_equal(device_list_add(&l, &d, "12345678901234567890123456789012...",
						 INT64_MIN),
				 0);
	}
	l.version = INT64_MAX - DEVICE_LIST_PAST_MAX - 2;
	device_list_sign(&l, &who[0]);
	for (unsigned i = 0; i < DEVICE_LIST_PAST_MAX + 1; i++) {
		device_list_succeed(&l, &who[i], &who[i + 1].public);
		device_list_sign(&l, &who[i + 1]);
		assert_int_equal(device_list_verify(&l), 0);
	}
	assert_true(l.version == INT64_MAX);
	encoded(&b, &l);
	assert_in_range(b.size, 1, DEVICE_LIST_SIZE_MAX);
	assert_int_equal(device_list_decode(&got, buf_view(&b)), 0);
	assert_int_equal(device_list_verify(&got), 0);
	/* The oldest was forgotten. */
	assert_int_equal(got.past_count, DEVICE_LIST_PAST_MAX);
	assert_false(device_list_descends(&got, &who[0].public));
	for (unsigned i = 1; i < DEVICE_LIST_PAST_MAX + 2; i++)
		assert_true(device_list_descends(&got, &who[i].public));
	buf_clear(&b);
}

static void every_bit_of_a_list_counts(void **state)
{
	struct device_list l = listed(&first, 2), got;
	struct buf b = { 0 };

	(void)state;
	device_list_succeed(&l, &first, &second.public);
	device_list_sign(&l, &second);
	encoded(&b, &l);
	for (size_t i = 0; i < b.size * 8; i++) {
		b.data[i / 8] ^= 1 << i % 8;
		assert_true(device_list_decode(&got, buf_view(&b)) < 0 ||
			    device_list_verify(&got) == ERR_AUTH);
		b.data[i / 8] ^= 1 << i % 8;
	}
	assert_int_equal(device_list_decode(&got, buf_view(&b)), 0);
	assert_int_equal(device_list_verify(&got), 0);
	buf_clear(&b);
}

static void a_list_of_another_length_is_refused_whole(void **state)
{
	struct device_list l = listed(&first, 2), got, before;
	static const uint8_t large[DEVICE_LIST_SIZE_MAX + 1];
	struct buf b = { 0 };

	(void)state;
	encoded(&b, &l);
	memset(&got, 0x5a, sizeof got);
	before = got;
	for (size_t size = 0; size < b.size; size++) {
		uint8_t *exact = malloc(size ? size : 1); /* reading beyond is seen */

		memcpy(exact, b.data, size);
		assert_true(device_list_decode(&got, bytes_of(exact, size)) < 0);
		free(exact);
	}
	buf_append_byte(&b, 0);
	assert_true(device_list_decode(&got, buf_view(&b)) < 0);
	assert_int_equal(device_list_decode(&got, BYTES(large)), ERR_LIMIT);
	assert_memory_equal(&got, &before, sizeof got);
	buf_clear(&b);
}

static void no_device(struct device_list *l)
{
	l->count = 0;
}
static void too_many_devices(struct device_list *l)
{
	l->count = DEVICE_LIST_MAX + 1;
}
static void too_many_past(struct device_list *l)
{
	l->past_count = DEVICE_LIST_PAST_MAX + 1;
}
static void no_version(struct device_list *l)
{
	l->version = 0;
}
static void large_version(struct device_list *l)
{
	l->version = (uint64_t)INT64_MAX + 1;
}
static void one_device_twice(struct device_list *l)
{
	l->devices[1] = l->devices[0];
}
static void a_label_of_two_lines(struct device_list *l)
{
	memcpy(l->devices[1].label, "a\nb", 4);
}
static void a_label_without_end(struct device_list *l)
{
	memset(l->devices[1].label, 'x', sizeof l->devices[1].label);
}
static void itself_before_itself(struct device_list *l)
{
	l->past[0].identity = l->identity;
}
static void one_identity_twice(struct device_list *l)
{
	l->past[1] = l->past[0];
	l->past_count = 2;
}

static void what_may_not_stand_in_a_list_is_neither_written_nor_verified(void **state)
{
	static const struct {
		void (*spoil)(struct device_list *);
		int err;
	} rows[] = {
		{ no_device, ERR_LIMIT },
		{ too_many_devices, ERR_LIMIT },
		{ too_many_past, ERR_LIMIT },
		{ no_version, ERR_LIMIT },
		{ large_version, ERR_LIMIT },
		{ one_device_twice, ERR_FORMAT },
		{ a_label_of_two_lines, ERR_FORMAT },
		{ a_label_without_end, ERR_FORMAT },
		{ itself_before_itself, ERR_FORMAT },
		{ one_identity_twice, ERR_FORMAT },
	};
	struct buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct device_list l = listed(&first, 2);
		int err;

		device_list_succeed(&l, &first, &second.public);
		device_list_sign(&l, &second);
		rows[i].spoil(&l);
		err = device_list_encode(&l, &b);
		if (err != rows[i].err || device_list_verify(&l) != ERR_AUTH)
			fail_msg("row %zu: %s", i, error_name(err));
		assert_int_equal(b.size, 0);
	}
	buf_clear(&b);
}

/* Made by hand, since our encoder does not write them: what is replaced, what stands there
 * instead, and how the decoder says no. */
static void what_may_not_stand_in_a_list_is_not_read(void **state)
{
	static const struct {
		const char *what, *instead;
		size_t size;
		int err;
	} rows[] = {
		{ "\x01\x92\x93", "\x00\x92\x93", 3, ERR_LIMIT },  /* version 0 */
		{ "\xa2\x61\x61", "\xa2\x61\x0a", 3, ERR_FORMAT }, /* a line feed in a label */
		{ "\xa2\x61\x61", "\xa2\xff\x61", 3, ERR_FORMAT }, /* no UTF-8 */
		{ "\x01\x92\x93", "\x01\x91\x93", 3,
		  ERR_FORMAT }, /* one device said, two there */
		{ "\x01\x92\x93", "\x01\x93\x93", 3, ERR_FORMAT }, /* three said */
		{ "\x93\xc4\x20\x01", "\x93\xc4\x20\x00", 4,
		  ERR_FORMAT }, /* the same device twice; the signer's key may begin with 1 */
		{ "\xa2\x61\x61", "\xc4\x01\x61", 3, ERR_FORMAT }, /* bytes for a text */
		{ "\x94\xc4\x20", "\x95\xc4\x20", 3, ERR_FORMAT }, /* five fields */
	};
	struct device_list l = { 0 }, got;
	struct device_public a = { { 0 } }, b = { { 1 } };
	struct buf out = { 0 };

	(void)state;
	device_list_add(&l, &a, "aa", 5);
	device_list_add(&l, &b, "aa", 5);
	device_list_sign(&l, &first);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t *at;
		int err;

		encoded(&out, &l);
		assert_int_equal(device_list_decode(&got, buf_view(&out)), 0);
		at = memmem(out.data, out.size, rows[i].what, rows[i].size);
		assert_non_null(at);
		memcpy(at, rows[i].instead, rows[i].size);
		err = device_list_decode(&got, buf_view(&out));
		if (err != rows[i].err)
			fail_msg("row %zu: %s", i, error_name(err));
	}
	buf_clear(&out);
}

/* docs/protocol.md, Device list and its example. */
static void the_wire_form_is_the_one_that_is_written_down(void **state)
{
	static const uint8_t seed[32] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
					  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	static const char body[] =
		"94c4208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
		"0191"
		"93c4200303030303030303030303030303030303030303030303030303030303030303"
		"cf0000018bcfe56800a66c6170746f7090";
	struct identity by;
	struct device_list l = { 0 };
	struct device_public d;
	struct buf b = { 0 }, text = { 0 };
	char hex[1024];

	(void)state;
	crypto_sign_seed_keypair(by.public.bytes, by.secret.bytes, seed);
	memset(&d, 3, sizeof d);
	device_list_add(&l, &d, "laptop", 1700000000000);
	device_list_sign(&l, &by);
	encoded(&b, &l);
	bytes_to_hex(bytes_of(b.data, b.size - 64), hex);
	assert_string_equal(hex, body);
	buf_append(&text, bytes_text("palique-devices-v1"));
	buf_append(&text, bytes_of(b.data, b.size - 64));
	assert_int_equal(crypto_sign_verify_detached(b.data + b.size - 64, text.data, text.size,
						     by.public.bytes),
			 0);

	device_list_succeed(&l, &by, &second.public);
	text.size = 0;
	buf_append(&text, bytes_text("palique-successor-v1"));
	buf_append(&text, BYTES(by.public.bytes));
	buf_append(&text, BYTES(second.public.bytes));
	assert_int_equal(crypto_sign_verify_detached(l.past[0].signature, text.data, text.size,
						     by.public.bytes),
			 0);
	buf_clear(&b);
	buf_clear(&text);
}

static void a_device_is_taken_in_once_named_anew_and_removed(void **state)
{
	struct device_list l = { 0 };
	struct device_public a = device(1), b = device(2), c = device(3);

	(void)state;
	assert_int_equal(device_list_add(&l, &a, "one", 1), 0);
	assert_int_equal(device_list_add(&l, &b, "two", 2), 0);
	assert_int_equal(device_list_add(&l, &a, "1\n", 3), 0);
	assert_int_equal(l.count, 2);
	assert_string_equal(device_list_find(&l, &a)->label, "1");
	assert_true(device_list_find(&l, &a)->since == 1);
	assert_int_equal(device_list_remove(&l, &c), ERR_NOT_FOUND);
	assert_int_equal(device_list_remove(&l, &a), 0);
	assert_int_equal(l.count, 1);
	assert_null(device_list_find(&l, &a));
	assert_string_equal(device_list_find(&l, &b)->label, "two");
}

static void a_name_that_another_device_has_gets_a_number(void **state)
{
	struct device_list l = { 0 };
	char label[CERTIFICATE_LABEL_MAX + 1];
	struct device_public d;

	(void)state;
	device_list_distinct(&l, "laptop", label);
	assert_string_equal(label, "laptop");
	device_list_distinct(&l, "lap\ntop", label);
	assert_string_equal(label, "lap");
	for (uint8_t i = 0; i < 11; i++) {
		d = device(i);
		device_list_distinct(&l, "laptop", label);
		assert_int_equal(device_list_add(&l, &d, label, i), 0);
	}
	assert_string_equal(l.devices[0].label, "laptop");
	assert_string_equal(l.devices[1].label, "laptop 2");
	assert_string_equal(l.devices[10].label, "laptop 11");
	d = device(1);
	assert_int_equal(device_list_remove(&l, &d), 0);
	device_list_distinct(&l, "laptop", label); /* the number is free again */
	assert_string_equal(label, "laptop 2");
	/* as long as may be: a letter of two bytes makes room for the number */
	d = device(12);
	assert_int_equal(device_list_add(&l, &d, "ññññññññññññññññ", 1), 0);
	device_list_distinct(&l, "ññññññññññññññññ", label);
	assert_string_equal(label, "ñññññññññññññññ 2");
	d = device(13);
	assert_int_equal(device_list_add(&l, &d, "", 1), 0);
	device_list_distinct(&l, "", label);
	assert_string_equal(label, "");
}

static void a_full_list_takes_no_device_more(void **state)
{
	struct device_list l = listed(&first, DEVICE_LIST_MAX);
	struct device_public old = device(0), new = device(DEVICE_LIST_MAX);

	(void)state;
	assert_int_equal(device_list_add(&l, &new, "x", 1), ERR_FULL);
	assert_int_equal(device_list_add(&l, &old, "anew", 1), 0);
	assert_int_equal(l.count, DEVICE_LIST_MAX);
	assert_int_equal(device_list_remove(&l, &old), 0);
	assert_int_equal(device_list_add(&l, &new, "x", 1), 0);
}

static void each_signature_is_of_one_version_more(void **state)
{
	struct device_list l = listed(&first, 1);

	(void)state;
	device_list_sign(&l, &first);
	assert_int_equal(l.version, 2);
	assert_int_equal(device_list_verify(&l), 0);
	l.version--;
	assert_int_equal(device_list_verify(&l), ERR_AUTH);
}

static void a_successor_descends_from_those_who_vouched(void **state)
{
	struct device_list l = listed(&first, 1);
	struct identity stranger;

	(void)state;
	identity_make(&stranger);
	device_list_succeed(&l, &first, &second.public);
	assert_int_equal(device_list_verify(&l), ERR_AUTH); /* not signed yet */
	device_list_sign(&l, &second);
	device_list_succeed(&l, &second, &third.public);
	device_list_sign(&l, &third);
	assert_int_equal(device_list_verify(&l), 0);
	assert_true(device_list_descends(&l, &first.public));
	assert_true(device_list_descends(&l, &second.public));
	assert_true(device_list_descends(&l, &third.public));
	assert_false(device_list_descends(&l, &stranger.public));
}

/* Who takes a name over cannot claim the identity before: its word is for another. */
static void nobody_succeeds_without_the_word_of_the_one_before(void **state)
{
	struct device_list l = listed(&first, 1), stolen, forged;
	struct identity thief;

	(void)state;
	identity_make(&thief);
	device_list_succeed(&l, &first, &second.public);
	device_list_sign(&l, &second);

	stolen = l; /* the genuine word, another heir */
	stolen.identity = thief.public;
	device_list_sign(&stolen, &thief);
	assert_int_equal(device_list_verify(&stolen), ERR_AUTH);

	forged = listed(&thief, 1); /* its own word in the name of the first */
	device_list_succeed(&forged, &thief, &second.public);
	forged.past[0].identity = first.public;
	device_list_sign(&forged, &second);
	assert_int_equal(device_list_verify(&forged), ERR_AUTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_survives_the_wire_and_verifies),
		cmocka_unit_test(the_longest_list_is_within_its_limit),
		cmocka_unit_test(every_bit_of_a_list_counts),
		cmocka_unit_test(a_list_of_another_length_is_refused_whole),
		cmocka_unit_test(what_may_not_stand_in_a_list_is_neither_written_nor_verified),
		cmocka_unit_test(what_may_not_stand_in_a_list_is_not_read),
		cmocka_unit_test(the_wire_form_is_the_one_that_is_written_down),
		cmocka_unit_test(a_device_is_taken_in_once_named_anew_and_removed),
		cmocka_unit_test(a_name_that_another_device_has_gets_a_number),
		cmocka_unit_test(a_full_list_takes_no_device_more),
		cmocka_unit_test(each_signature_is_of_one_version_more),
		cmocka_unit_test(a_successor_descends_from_those_who_vouched),
		cmocka_unit_test(nobody_succeeds_without_the_word_of_the_one_before),
	};

	if (sodium_init() < 0)
		return 1;
	identity_make(&first);
	identity_make(&second);
	identity_make(&third);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
