#include "shared/safety.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"

enum { HALF_DIGITS = SAFETY_DIGITS / 2, GROUP_BYTES = 5, GROUP_DIGITS = 5 };
enum { CODE_BYTES = 32 }; /* of each fingerprint, as Signal's code has them */

void safety_key(uint8_t out[SAFETY_KEY_SIZE], const struct identity_public *key)
{
	out[0] = 0x06;
	memcpy(out + 1, key->bytes, sizeof key->bytes);
}

/* H(...H(H(0x0000 | key | id | key) | key)... | key), which makes a search for a
 * second key with the same digits dearer. */
static void fingerprint(uint8_t hash[crypto_hash_sha512_BYTES], struct safety_side side)
{
	static const uint8_t version[2];
	crypto_hash_sha512_state state;
	unsigned i;

	for (i = 0; i < SAFETY_ITERATIONS; i++) {
		crypto_hash_sha512_init(&state);
		if (i == 0) {
			crypto_hash_sha512_update(&state, version, sizeof version);
			crypto_hash_sha512_update(&state, side.key.data, side.key.size);
			crypto_hash_sha512_update(&state, side.id.data, side.id.size);
		} else {
			crypto_hash_sha512_update(&state, hash, crypto_hash_sha512_BYTES);
		}
		crypto_hash_sha512_update(&state, side.key.data, side.key.size);
		crypto_hash_sha512_final(&state, hash);
	}
}

/* Six groups of five bytes, big-endian, each modulo 100 000. */
static void digits(char out[HALF_DIGITS + 1], const uint8_t hash[crypto_hash_sha512_BYTES])
{
	size_t at, i;

	for (at = 0; at < HALF_DIGITS; at += GROUP_DIGITS, hash += GROUP_BYTES) {
		uint64_t v = 0;

		for (i = 0; i < GROUP_BYTES; i++)
			v = v << 8 | hash[i];
		snprintf(out + at, GROUP_DIGITS + 1, "%05u", (unsigned)(v % 100000));
	}
}

static bool sides_fit(struct safety_side a, struct safety_side b)
{
	return a.key.size <= SAFETY_KEY_MAX && a.id.size <= SAFETY_ID_MAX &&
	       b.key.size <= SAFETY_KEY_MAX && b.id.size <= SAFETY_ID_MAX;
}

int safety_number(char out[SAFETY_DIGITS + 1], struct safety_side a, struct safety_side b)
{
	uint8_t hash_a[crypto_hash_sha512_BYTES], hash_b[crypto_hash_sha512_BYTES];
	char half_a[HALF_DIGITS + 1], half_b[HALF_DIGITS + 1];
	bool is_a_first;

	if (!sides_fit(a, b))
		return ERR_LIMIT;
	fingerprint(hash_a, a);
	fingerprint(hash_b, b);
	digits(half_a, hash_a);
	digits(half_b, hash_b);
	is_a_first = strcmp(half_a, half_b) < 0;
	memcpy(out, is_a_first ? half_a : half_b, HALF_DIGITS);
	memcpy(out + HALF_DIGITS, is_a_first ? half_b : half_a, HALF_DIGITS + 1);
	return 0;
}

int safety_code(char out[SAFETY_CODE_SIZE], struct safety_side a, struct safety_side b)
{
	static const char scheme[] = "palique-safety:1:";
	uint8_t hash_a[crypto_hash_sha512_BYTES], hash_b[crypto_hash_sha512_BYTES];
	uint8_t both[2 * CODE_BYTES];
	bool is_a_first;

	_Static_assert(sizeof scheme - 1 + BYTES_BASE64_SIZE(sizeof both) == SAFETY_CODE_SIZE,
		       "the code's size");
	if (!sides_fit(a, b))
		return ERR_LIMIT;
	fingerprint(hash_a, a);
	fingerprint(hash_b, b);
	is_a_first = memcmp(hash_a, hash_b, CODE_BYTES) < 0;
	memcpy(both, is_a_first ? hash_a : hash_b, CODE_BYTES);
	memcpy(both + CODE_BYTES, is_a_first ? hash_b : hash_a, CODE_BYTES);
	memcpy(out, scheme, sizeof scheme - 1);
	bytes_to_base64(BYTES(both), out + sizeof scheme - 1);
	return 0;
}
