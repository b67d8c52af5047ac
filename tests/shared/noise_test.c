#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/noise.h"

static const char *const patterns[] = {
	"N",    "K",   "X",   "NN",   "NK",   "NX",  "XN",  "XK",   "XX",  "KN",
	"KK",   "KX",  "IN",  "IK",   "IX",   "NK1", "NX1", "X1N",  "X1K", "XK1",
	"X1K1", "X1X", "XX1", "X1X1", "K1N",  "K1K", "KK1", "K1K1", "K1X", "KX1",
	"K1X1", "I1N", "I1K", "IK1",  "I1K1", "I1X", "IX1", "I1X1",
};

enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

struct side {
	struct device our_static, our_ephemeral;
	struct noise noise;
};

/* Keys that are the same in each run, for the one test that needs them. */
static bool is_fixed;

static void key_make(struct device *d, uint8_t first)
{
	if (!is_fixed) {
		device_make(d);
		return;
	}
	memset(d->secret.bytes, first, sizeof d->secret.bytes);
	crypto_scalarmult_base(d->public.bytes, d->secret.bytes);
}

/* Both with all keys: the handshake takes what its pattern needs. */
static int begin_with(struct side sides[2], const char *protocol, unsigned psk_count,
		      struct bytes prologue_a, struct bytes prologue_b)
{
	static const struct symmetric_key psks[NOISE_PSK_MAX] = { { { 1 } },
								  { { 2 } },
								  { { 3 } } };
	int err = 0, i;

	for (i = 0; i < 2; i++) {
		key_make(&sides[i].our_static, 10 + i);
		key_make(&sides[i].our_ephemeral, 20 + i);
	}
	for (i = 0; i < 2 && err == 0; i++) {
		struct noise_keys keys = { .our_static = &sides[i].our_static,
					   .our_ephemeral = &sides[i].our_ephemeral,
					   .their_static = &sides[!i].our_static.public,
					   .psks = psks,
					   .psk_count = psk_count };

		err = noise_begin(&sides[i].noise, protocol,
				  i ? NOISE_RESPONDER : NOISE_INITIATOR,
				  i ? prologue_b : prologue_a, &keys);
	}
	return err;
}

static int begin(struct side sides[2], const char *middle, unsigned psk_count)
{
	char protocol[NOISE_PROTOCOL_NAME_MAX + 40];

	snprintf(protocol, sizeof protocol, "Noise_%s_25519_ChaChaPoly_BLAKE2b", middle);
	return begin_with(sides, protocol, psk_count, bytes_text("prologue"),
			  bytes_text("prologue"));
}

static void write_message(struct noise *n, struct buf *out, const char *payload)
{
	assert_int_equal(noise_write_tokens(n, out), 0);
	assert_int_equal(noise_write_payload(n, bytes_text(payload), out), 0);
}

/* Runs all messages; `changed`, if not negative, is the one with bit `bit` flipped. Returns
 * the error of the one that reads it. */
static int run(struct side sides[2], int changed, size_t bit)
{
	struct buf sent = { 0 }, got = { 0 };
	unsigned m;
	int err = 0;

	for (m = 0; err == 0 && !noise_is_done(&sides[0].noise); m++) {
		sent.size = got.size = 0;
		write_message(&sides[m % 2].noise, &sent, "hello");
		if ((int)m == changed)
			sent.data[bit / 8 % sent.size] ^= 1 << bit % 8;
		err = noise_read(&sides[!(m % 2)].noise, buf_view(&sent), &got);
		if (err == 0)
			assert_true(bytes_equal(buf_view(&got), bytes_text("hello")));
		else
			assert_int_equal(got.size, 0);
	}
	buf_clear(&sent);
	buf_clear(&got);
	return err;
}

static void every_pattern_ends_with_both_sides_agreeing(void **state)
{
	struct noise_cipher a1, a2, b1, b2;
	struct side sides[2];
	size_t i;

	(void)state;
	for (i = 0; i < PATTERNS; i++) {
		assert_int_equal(begin(sides, patterns[i], 0), 0);
		assert_int_equal(run(sides, -1, 0), 0);
		assert_true(noise_is_done(&sides[1].noise));
		assert_memory_equal(sides[0].noise.h, sides[1].noise.h, NOISE_HASH_SIZE);
		noise_split(&sides[0].noise, &a1, &a2);
		noise_split(&sides[1].noise, &b1, &b2);
		assert_memory_equal(a1.key, b1.key, 32);
		assert_memory_equal(a2.key, b2.key, 32);
		assert_memory_not_equal(a1.key, a2.key, 32);
	}
}

static void a_preshared_key_may_stand_at_every_place(void **state)
{
	static const struct {
		const char *name;
		unsigned count;
	} cases[] = {
		{ "NNpsk0", 1 },
		{ "NNpsk1", 1 },
		{ "IKpsk2", 1 },
		{ "XXpsk3", 1 },
		{ "X1X1psk4", 1 },
		{ "NNpsk0+psk2", 2 },
		{ "XXpsk0+psk1", 2 },
		{ "XXpsk0+psk1+psk2+psk3", 4 },
		{ "X1Npsk0+psk1+psk2+psk3+psk4", 5 },
		{ "Npsk0", 1 },
		{ "Xpsk1", 1 },
	};
	struct side sides[2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(begin(sides, cases[i].name, cases[i].count), 0);
		assert_int_equal(run(sides, -1, 0), 0);
		assert_int_equal(begin(sides, cases[i].name, cases[i].count - 1), ERR_STATE);
		assert_int_equal(begin(sides, cases[i].name, cases[i].count), 0);
		sides[1].noise.psk[0].bytes[0] ^= 1;
		assert_true(run(sides, -1, 0) < 0);
	}
}

static void names_that_are_no_protocol_of_ours_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"Noise_",
		"Noise_IK",
		"Noise_IK_25519_ChaChaPoly_BLAKE2s",
		"Noise_IK_25519_AESGCM_BLAKE2b",
		"Noise_IK_448_ChaChaPoly_BLAKE2b",
		"noise_IK_25519_ChaChaPoly_BLAKE2b",
		"Noise__25519_ChaChaPoly_BLAKE2b",
		"Noise_I_25519_ChaChaPoly_BLAKE2b",
		"Noise_IKK_25519_ChaChaPoly_BLAKE2b",
		"Noise_IKpsk_25519_ChaChaPoly_BLAKE2b",
		"Noise_IKpsk3_25519_ChaChaPoly_BLAKE2b",
		"Noise_IKpsk22_25519_ChaChaPoly_BLAKE2b",
		"Noise_IKpsk2psk1_25519_ChaChaPoly_BLAKE2b",
		"Noise_IKpsk1+_25519_ChaChaPoly_BLAKE2b",
		"Noise_IK+psk1_25519_ChaChaPoly_BLAKE2b",
		"Noise_IKpsk1+psk1_25519_ChaChaPoly_BLAKE2b",
		"Noise_IKpsk2+psk1_25519_ChaChaPoly_BLAKE2b",
		"Noise_IKpsk~_25519_ChaChaPoly_BLAKE2b",
		"Noise_XXfallback_25519_ChaChaPoly_BLAKE2b",
		"Noise_IK_25519_ChaChaPoly_BLAKE2b_25519_ChaChaPoly_BLAKE2b",
		"Noise_X1Npsk0+psk1+psk2+psk3+psk4+psk4+psk4_25519_ChaChaPoly_BLAKE2b",
	};
	struct side sides[2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(begin_with(sides, bad[i], 1, bytes_text(""), bytes_text("")),
				 ERR_NOT_FOUND);
}

static void a_changed_bit_anywhere_ends_the_handshake(void **state)
{
	static const char *const some[] = { "IK", "XX", "NK", "IKpsk2" };
	struct side sides[2];
	size_t i, bit;

	(void)state;
	for (i = 0; i < 4; i++) {
		for (bit = 0; bit < 100 * 8; bit += 7) {
			assert_int_equal(begin(sides, some[i], i == 3), 0);
			assert_true(run(sides, 1, bit) < 0);
			assert_true(sodium_is_zero(sides[0].noise.ck, NOISE_HASH_SIZE));
		}
	}
	for (bit = 0; bit < 100 * 8; bit += 7) {
		assert_int_equal(begin(sides, "IK", 0), 0);
		assert_true(run(sides, 0, bit) < 0);
	}
}

static void prologues_must_agree_also_when_one_is_empty(void **state)
{
	static const char protocol[] = "Noise_NNpsk0_25519_ChaChaPoly_BLAKE2b";
	struct side sides[2];

	(void)state;
	assert_int_equal(begin_with(sides, protocol, 1, bytes_text(""), bytes_text("")), 0);
	assert_int_equal(run(sides, -1, 0), 0);
	assert_int_equal(begin_with(sides, protocol, 1, bytes_text(""), bytes_text("x")), 0);
	assert_true(run(sides, -1, 0) < 0);
}

/* One digest over the ends of all handshakes with fixed keys. It was taken when every pattern
 * agreed with published transcripts (cacophony's and snow's), and keeps tokens in their place
 * for those that our set of vectors does not hold. */
static void all_transcripts_are_still_the_published_ones(void **state)
{
	static const char *const more[] = { "NNpsk0+psk2",           "IKpsk1",      "IKpsk2",
					    "XXpsk0+psk1+psk2+psk3", "XNpsk1+psk3", "Xpsk1" };
	static const unsigned counts[] = { 2, 1, 1, 4, 2, 1 };
	crypto_generichash_state all;
	uint8_t digest[32];
	char text[BYTES_HEX_SIZE(32)];
	struct side sides[2];
	size_t i;

	(void)state;
	is_fixed = true;
	crypto_generichash_init(&all, NULL, 0, sizeof digest);
	for (i = 0; i < PATTERNS + 6; i++) {
		assert_int_equal(
			i < PATTERNS ? begin(sides, patterns[i], 0)
				     : begin(sides, more[i - PATTERNS], counts[i - PATTERNS]),
			0);
		assert_int_equal(run(sides, -1, 0), 0);
		crypto_generichash_update(&all, sides[0].noise.h, NOISE_HASH_SIZE);
		crypto_generichash_update(&all, sides[0].noise.ck, NOISE_HASH_SIZE);
	}
	crypto_generichash_final(&all, digest, sizeof digest);
	is_fixed = false;
	bytes_to_hex(BYTES(digest), text);
	assert_string_equal(text,
			    "904720fd8f90f26c3f2dbba0c0c3c145a23453ae71be423d0449f84ec3a90060");
}

static void an_empty_prologue_is_mixed_too(void **state)
{
	static const char protocol[] = "Noise_NN_25519_ChaChaPoly_BLAKE2b";
	uint8_t padded[NOISE_HASH_SIZE] = { 0 }, h[NOISE_HASH_SIZE];
	struct side sides[2];

	(void)state;
	memcpy(padded, protocol, sizeof protocol - 1);
	crypto_generichash(h, sizeof h, padded, sizeof padded, NULL, 0);
	assert_int_equal(begin_with(sides, protocol, 0, bytes_text(""), bytes_text("")), 0);
	assert_memory_equal(sides[0].noise.h, h, sizeof h);
}

static void a_missing_key_is_told_before_anything_is_sent(void **state)
{
	static const char protocol[] = "Noise_IK_25519_ChaChaPoly_BLAKE2b";
	struct device ours, ephemeral;
	struct noise_keys keys = { 0 };
	struct noise n;

	(void)state;
	device_make(&ours);
	device_make(&ephemeral);
	assert_int_equal(noise_begin(&n, protocol, NOISE_INITIATOR, bytes_text(""), &keys),
			 ERR_STATE);
	keys.our_static = &ours;
	assert_int_equal(noise_begin(&n, protocol, NOISE_INITIATOR, bytes_text(""), &keys),
			 ERR_STATE);
	keys.our_ephemeral = &ephemeral;
	assert_int_equal(noise_begin(&n, protocol, NOISE_INITIATOR, bytes_text(""), &keys),
			 ERR_STATE);
	assert_int_equal(noise_begin(&n, protocol, NOISE_RESPONDER, bytes_text(""), &keys), 0);
	keys.their_static = &ours.public;
	assert_int_equal(noise_begin(&n, protocol, NOISE_INITIATOR, bytes_text(""), &keys), 0);
}

static void speaking_out_of_turn_changes_nothing(void **state)
{
	struct side sides[2];
	struct buf first = { 0 }, other = { 0 };

	(void)state;
	assert_int_equal(begin(sides, "IK", 0), 0);
	assert_int_equal(noise_read(&sides[0].noise, bytes_text("x"), &other), ERR_STATE);
	assert_int_equal(noise_write_tokens(&sides[1].noise, &other), ERR_STATE);
	assert_int_equal(noise_write_payload(&sides[0].noise, bytes_text(""), &other),
			 ERR_STATE);
	write_message(&sides[0].noise, &first, "hello");
	assert_int_equal(noise_write_tokens(&sides[0].noise, &other), ERR_STATE);
	assert_int_equal(other.size, 0);
	assert_int_equal(noise_read(&sides[1].noise, buf_view(&first), &other), 0);
	assert_int_equal(noise_read(&sides[1].noise, buf_view(&first), &other), ERR_STATE);
	buf_clear(&first);
	buf_clear(&other);
}

static void keys_can_be_taken_before_the_last_payload(void **state)
{
	struct noise_cipher early[2], late[2];
	struct side sides[2];
	struct buf message = { 0 }, payload = { 0 };

	(void)state;
	assert_int_equal(begin(sides, "IKpsk2", 1), 0);
	write_message(&sides[0].noise, &message, "");
	assert_int_equal(noise_read(&sides[1].noise, buf_view(&message), &payload), 0);
	message.size = 0;
	assert_int_equal(noise_write_tokens(&sides[1].noise, &message), 0);
	noise_split(&sides[1].noise, &early[0], &early[1]);
	assert_int_equal(noise_write_payload(&sides[1].noise, bytes_text("p"), &message), 0);
	assert_int_equal(noise_read(&sides[0].noise, buf_view(&message), &payload), 0);
	noise_split(&sides[0].noise, &late[0], &late[1]);
	assert_memory_equal(early[0].key, late[0].key, 32);
	assert_memory_equal(early[1].key, late[1].key, 32);
	buf_clear(&message);
	buf_clear(&payload);
}

static void the_counter_moves_only_after_success(void **state)
{
	struct noise_cipher sender = { .key = { 5 }, .has_key = true }, receiver = sender;
	struct buf sealed = { 0 }, plain = { 0 };

	(void)state;
	assert_int_equal(noise_encrypt(&sender, bytes_text("ad"), bytes_text("one"), &sealed),
			 0);
	assert_int_equal(sender.nonce, 1);
	sealed.data[0] ^= 1;
	assert_int_equal(noise_decrypt(&receiver, bytes_text("ad"), buf_view(&sealed), &plain),
			 ERR_AUTH);
	assert_int_equal(receiver.nonce, 0);
	sealed.data[0] ^= 1;
	assert_int_equal(noise_decrypt(&receiver, bytes_text("da"), buf_view(&sealed), &plain),
			 ERR_AUTH);
	assert_int_equal(
		noise_decrypt(&receiver, bytes_text("ad"), bytes_of(sealed.data, 15), &plain),
		ERR_FORMAT);
	assert_int_equal(receiver.nonce, 0);
	assert_int_equal(plain.size, 0);
	assert_int_equal(noise_decrypt(&receiver, bytes_text("ad"), buf_view(&sealed), &plain),
			 0);
	assert_int_equal(receiver.nonce, 1);
	sender.nonce = UINT64_MAX;
	assert_int_equal(noise_encrypt(&sender, bytes_text(""), bytes_text(""), &sealed),
			 ERR_STATE);
	buf_clear(&sealed);
	buf_clear(&plain);
}

static void no_message_is_longer_than_the_limit(void **state)
{
	static const uint8_t large[NOISE_MESSAGE_MAX + 1];
	struct side sides[2];
	struct buf message = { 0 }, payload = { 0 };
	size_t fits = NOISE_MESSAGE_MAX - 32 - 48 - 16;

	(void)state;
	assert_int_equal(begin(sides, "IK", 0), 0);
	assert_int_equal(noise_write_tokens(&sides[0].noise, &message), 0);
	assert_int_equal(
		noise_write_payload(&sides[0].noise, bytes_of(large, fits + 1), &message),
		ERR_LIMIT);
	assert_int_equal(noise_write_payload(&sides[0].noise, bytes_of(large, fits), &message),
			 0);
	assert_int_equal(message.size, NOISE_MESSAGE_MAX);
	assert_int_equal(noise_read(&sides[1].noise, buf_view(&message), &payload), 0);
	assert_int_equal(begin(sides, "NN", 0), 0);
	assert_int_equal(noise_read(&sides[1].noise, BYTES(large), &payload), ERR_LIMIT);
	buf_clear(&message);
	buf_clear(&payload);
}

static void points_of_low_order_are_refused_where_they_arrive(void **state)
{
	static const uint8_t points[][32] = { { 0 }, { 1 } };
	struct side sides[2];
	struct buf payload = { 0 };
	uint8_t message[32 + 48 + 16] = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		memcpy(message, points[i], 32);
		assert_int_equal(begin(sides, "IK", 0), 0);
		assert_int_equal(noise_read(&sides[1].noise, BYTES(message), &payload),
				 ERR_AUTH);
		/* A known static key of low order: refused by the one who would write to it. */
		assert_int_equal(begin(sides, "NK", 0), 0);
		memcpy(sides[0].noise.their_static.bytes, points[i], 32);
		assert_int_equal(noise_write_tokens(&sides[0].noise, &payload), ERR_AUTH);
		assert_int_equal(payload.size, 0);
	}
	buf_clear(&payload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pattern_ends_with_both_sides_agreeing),
		cmocka_unit_test(a_preshared_key_may_stand_at_every_place),
		cmocka_unit_test(names_that_are_no_protocol_of_ours_are_refused),
		cmocka_unit_test(a_changed_bit_anywhere_ends_the_handshake),
		cmocka_unit_test(prologues_must_agree_also_when_one_is_empty),
		cmocka_unit_test(all_transcripts_are_still_the_published_ones),
		cmocka_unit_test(an_empty_prologue_is_mixed_too),
		cmocka_unit_test(a_missing_key_is_told_before_anything_is_sent),
		cmocka_unit_test(speaking_out_of_turn_changes_nothing),
		cmocka_unit_test(keys_can_be_taken_before_the_last_payload),
		cmocka_unit_test(the_counter_moves_only_after_success),
		cmocka_unit_test(no_message_is_longer_than_the_limit),
		cmocka_unit_test(points_of_low_order_are_refused_where_they_arrive),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
