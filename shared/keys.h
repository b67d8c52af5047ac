/* A type for each kind of key, so that a swap does not compile. */
#ifndef PALIQUE_SHARED_KEYS_H
#define PALIQUE_SHARED_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/bytes.h"

struct identity_public {
	uint8_t bytes[32];
}; /* Ed25519: one for each account */
struct identity_secret {
	uint8_t bytes[64];
}; /* libsodium's form: seed and public key */
struct device_public {
	uint8_t bytes[32];
}; /* X25519: one for each machine; Noise's static key */
struct device_secret {
	uint8_t bytes[32];
};
struct symmetric_key {
	uint8_t bytes[32];
}; /* stores, seals */

/* 16 random bytes that open a peer's port (docs/protocol.md, The knock). */
struct knock {
	uint8_t bytes[16];
};

struct identity {
	struct identity_public public;
	struct identity_secret secret;
};
struct device {
	struct device_public public;
	struct device_secret secret;
};

void identity_make(struct identity *identity);
void identity_wipe(struct identity *identity);
void device_make(struct device *device);
void device_wipe(struct device *device);

bool identity_public_equal(const struct identity_public *a, const struct identity_public *b);
bool device_public_equal(const struct device_public *a, const struct device_public *b);

/* The knock of a directory is public: derived from its key. */
struct knock knock_of_directory(const struct device_public *directory);

/* A fingerprint for people: 16 bytes of BLAKE2b over the key as 8 groups of 4
 * hexadecimal digits, NUL included. */
enum { FINGERPRINT_SIZE = 40 };
void fingerprint_of(const struct identity_public *key, char out[FINGERPRINT_SIZE]);

/* Something small for one person's eyes: sealed to the identity key so that only
 * its owner can open it, anonymous as to the sender (X25519 from Ed25519 and
 * libsodium's crypto_box_seal). */
enum { SEAL_OVERHEAD = 48 };
int identity_seal(const struct identity_public *to, struct bytes plain, struct buf *out);
int identity_open(const struct identity *ours, struct bytes sealed, struct buf *out);

#endif
