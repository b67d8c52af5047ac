#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/peer_record.h"
#include "tests/at.h"

static struct identity alice, bob;

static int setup(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	identity_make(&alice);
	identity_make(&bob);
	return 0;
}

static struct peer_record example(void)
{
	struct peer_record r = {
		.device = { { 1, 2, 3 } },
		.number = 1700000000000,
		.knock = { { 4, 5, 6 } },
		.nat = { NAT_SEQUENTIAL, NAT_FILTERED, 40000, 2 },
		.is_relay = true,
	};
	struct address host = at("[2001:db8::1]:5"), seen = at("192.0.2.1:40000");

	candidates_add(&r.candidates, CANDIDATE_HOST, &host);
	candidates_add(&r.candidates, CANDIDATE_REFLEXIVE, &seen);
	peer_record_sign(&r, &alice);
	return r;
}

/* As large as one can be. */
static struct peer_record largest(void)
{
	struct peer_record r = { .number = UINT64_MAX,
				 .nat = { NAT_BLOCK, NAT_OPEN, 65000, 65535 } };

	for (uint16_t i = 0; i < CANDIDATES_MAX; i++) {
		struct address a = at("[2001:db8::1]:65535");

		a.ip[15] = (uint8_t)(i + 1);
		candidates_add(&r.candidates, CANDIDATE_HOST, &a);
	}
	assert_int_equal(r.candidates.count, CANDIDATES_MAX);
	peer_record_sign(&r, &alice);
	return r;
}

static void a_record_comes_back_and_its_signature_holds(void **state)
{
	struct peer_record sent[] = { example(), largest() }, got;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct buf out = { 0 };

		assert_int_equal(peer_record_encode(&sent[i], &out), 0);
		assert_true(out.size <= PEER_RECORD_SIZE_MAX);
		assert_int_equal(peer_record_decode(&got, buf_view(&out)), 0);
		assert_true(peer_record_equal(&sent[i], &got));
		assert_int_equal(got.candidates.count, sent[i].candidates.count);
		assert_int_equal(peer_record_verify(&got, &alice.public), 0);
		assert_int_equal(peer_record_verify(&got, &bob.public), ERR_AUTH);
		buf_clear(&out);
	}
}

/* The signature covers the domain and the bytes before its own. */
static void the_signature_is_the_one_of_the_documentation(void **state)
{
	struct peer_record r = example();
	struct buf all = { 0 };

	(void)state;
	buf_append(&all, bytes_text("palique-peer-record-v1"));
	assert_int_equal(peer_record_encode(&r, &all), 0);
	assert_int_equal(all.data[22], 0x97);
	assert_int_equal(all.data[all.size - 66], 0xc4);
	assert_memory_equal(all.data + all.size - 64, r.signature, 64);
	assert_int_equal(crypto_sign_verify_detached(r.signature, all.data, all.size - 66,
						     alice.public.bytes),
			 0);
	buf_clear(&all);
}

static void every_changed_bit_is_found(void **state)
{
	struct peer_record sent = example(), got;
	struct buf out = { 0 };

	(void)state;
	peer_record_encode(&sent, &out);
	for (size_t bit = 0; bit < out.size * 8; bit++) {
		out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (peer_record_decode(&got, buf_view(&out)) == 0) {
			assert_int_equal(peer_record_verify(&got, &alice.public), ERR_AUTH);
			assert_false(peer_record_equal(&sent, &got));
		}
		out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	buf_clear(&out);
}

static void every_truncation_and_every_trailing_byte_is_refused(void **state)
{
	static const struct peer_record none;
	struct peer_record sent = example(), got = sent;
	struct buf out = { 0 };

	(void)state;
	peer_record_encode(&sent, &out);
	for (size_t size = 0; size < out.size; size++)
		assert_true(peer_record_decode(&got, bytes_of(out.data, size)) < 0);
	buf_append_byte(&out, 0);
	got = sent;
	assert_true(peer_record_decode(&got, buf_view(&out)) < 0);
	assert_memory_equal(&got, &none, sizeof got);
	assert_true(peer_record_equal(&got, &none));
	assert_false(peer_record_equal(&got, &sent));
	buf_clear(&out);
}

static void no_number(struct peer_record *r)
{
	r->number = 0;
}
static void other_mapping(struct peer_record *r)
{
	r->nat.mapping = (enum nat_mapping)(NAT_RANDOM + 1);
}
static void other_filtering(struct peer_record *r)
{
	r->nat.filtering = (enum nat_filtering)(NAT_FILTERED + 1);
}
static void no_step(struct peer_record *r)
{
	r->nat.high = 0;
}
static void wide_step(struct peer_record *r)
{
	r->nat.high = NAT_STEP_MAX + 1;
}
static void empty_block(struct peer_record *r)
{
	r->nat = (struct nat){ NAT_BLOCK, NAT_OPEN, 1000, 999 };
}
static void ports_of_an_easy_nat(struct peer_record *r)
{
	r->nat.mapping = NAT_EASY;
}
static void many_candidates(struct peer_record *r)
{
	r->candidates.count = CANDIDATES_MAX + 1;
}
static void other_candidate(struct peer_record *r)
{
	r->candidates.list[0].kind = (enum candidate_kind)5;
}
static void multicast(struct peer_record *r)
{
	r->candidates.list[1].address = at("224.0.0.1:5");
}
static void an_address_twice(struct peer_record *r)
{
	r->candidates.list[1].address = r->candidates.list[0].address;
}

static void fields_beyond_their_limits_are_refused(void **state)
{
	static const struct {
		void (*spoil)(struct peer_record *);
		int err;
	} rows[] = {
		{ no_number, ERR_LIMIT },
		{ other_mapping, ERR_LIMIT },
		{ other_filtering, ERR_LIMIT },
		{ no_step, ERR_FORMAT },
		{ wide_step, ERR_FORMAT },
		{ empty_block, ERR_FORMAT },
		{ ports_of_an_easy_nat, ERR_FORMAT },
		{ many_candidates, ERR_LIMIT },
		{ other_candidate, ERR_LIMIT },
		{ multicast, ERR_FORMAT },
		{ an_address_twice, ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct peer_record r = example();
		struct buf out = { 0 };

		buf_append_byte(&out, 'x');
		rows[i].spoil(&r);
		assert_int_equal(peer_record_encode(&r, &out), rows[i].err);
		assert_int_equal(out.size, 1);
		assert_int_equal(peer_record_verify(&r, &alice.public), ERR_AUTH);
		buf_clear(&out);
	}
}

static void what_is_too_large_is_not_read(void **state)
{
	static uint8_t large[PEER_RECORD_SIZE_MAX + 1];
	struct peer_record got;

	(void)state;
	memset(large, 0x97, sizeof large);
	assert_int_equal(peer_record_decode(&got, BYTES(large)), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_comes_back_and_its_signature_holds),
		cmocka_unit_test(the_signature_is_the_one_of_the_documentation),
		cmocka_unit_test(every_changed_bit_is_found),
		cmocka_unit_test(every_truncation_and_every_trailing_byte_is_refused),
		cmocka_unit_test(fields_beyond_their_limits_are_refused),
		cmocka_unit_test(what_is_too_large_is_not_read),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
