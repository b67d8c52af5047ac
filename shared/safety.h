/* The safety number: 60 digits that two people compare to know that nobody stands between
 * them. Signal's construction, version 0. */
#ifndef PALIQUE_SHARED_SAFETY_H
#define PALIQUE_SHARED_SAFETY_H

#include "shared/keys.h"

enum {
	SAFETY_DIGITS = 60,
	SAFETY_KEY_SIZE = 33,
	SAFETY_ITERATIONS = 5200,
	SAFETY_ID_MAX = 1024,  /* bytes: our choice */
	SAFETY_KEY_MAX = 1024, /* bytes: our choice, ours are SAFETY_KEY_SIZE */
};

/* One side: an identity key as it is hashed, and what the person is called by. */
struct safety_side {
	struct bytes key, id;
};

/* 0x06 and the Ed25519 key: ours are not to be taken for Signal's X25519 keys (0x05). */
void safety_key(uint8_t out[SAFETY_KEY_SIZE], const struct identity_public *key);

/* Writes the digits and a NUL. The same whichever side calls it. Takes some
 * milliseconds. ERR_LIMIT: an id or key above its limit. */
int safety_number(char out[SAFETY_DIGITS + 1], struct safety_side a, struct safety_side b);

/* The same for a QR code: "palique-safety:1:" and the first 32 bytes of both fingerprints, the
 * lower first, in base64url. The digits come from the first 30: with the code the numbers are
 * equal too. ERR_LIMIT as above. */
enum { SAFETY_CODE_SIZE = 17 + 86 + 1 };
int safety_code(char out[SAFETY_CODE_SIZE], struct safety_side a, struct safety_side b);

#endif
