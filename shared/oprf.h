/* Oblivious pseudorandom functions over ristretto255 and SHA-512 (RFC 9497) and the hashing
 * to fields and groups under them (RFC 9380). OPAQUE uses the base mode; the verifiable and
 * the partially oblivious one are what a directory needs to show that it is honest.
 *
 * Elements are 32 bytes. One that is not canonical, or is the identity, is refused wherever
 * it comes in; so is a scalar that is zero or not below the group's order. */
#ifndef PALIQUE_SHARED_OPRF_H
#define PALIQUE_SHARED_OPRF_H

#include "shared/bytes.h"

enum oprf_mode { OPRF_BASE = 0, OPRF_VERIFIABLE = 1, OPRF_PARTIAL = 2 };

enum {
	OPRF_ELEMENT_SIZE = 32,
	OPRF_SCALAR_SIZE = 32,
	OPRF_SEED_SIZE = 32,
	OPRF_PROOF_SIZE = 64,
	OPRF_OUTPUT_SIZE = 64,
	OPRF_INPUT_MAX = 65535, /* section 1.2 */
	OPRF_BATCH_MAX = 64,    /* our choice */
};

/* RFC 9380 section 5.3.1 with SHA-512. A `dst` above 255 bytes is hashed (5.3.3). ERR_LIMIT:
 * more than 255 * 64 bytes, or an empty dst. */
int oprf_expand_message(uint8_t *out, size_t size, struct bytes message, struct bytes dst);

/* An element from 64 uniform bytes (RFC 9496 section 4.3.4). */
void oprf_element_from_uniform(uint8_t element[OPRF_ELEMENT_SIZE], const uint8_t uniform[64]);

bool oprf_is_element(const uint8_t element[OPRF_ELEMENT_SIZE]);
bool oprf_is_scalar(const uint8_t scalar[OPRF_SCALAR_SIZE]);

/* A uniformly random scalar that is not zero. */
void oprf_random_scalar(uint8_t scalar[OPRF_SCALAR_SIZE]);

/* scalar * element. ERR_AUTH: one of them is refused, or the result is the identity. */
int oprf_multiply(uint8_t out[OPRF_ELEMENT_SIZE], const uint8_t scalar[OPRF_SCALAR_SIZE],
		  const uint8_t element[OPRF_ELEMENT_SIZE]);

/* DeriveKeyPair (section 3.2.1). ERR_LIMIT: `info` above OPRF_INPUT_MAX. */
int oprf_derive_key(enum oprf_mode mode, const uint8_t seed[OPRF_SEED_SIZE], struct bytes info,
		    uint8_t secret[OPRF_SCALAR_SIZE], uint8_t public[OPRF_ELEMENT_SIZE]);

/* Client: Blind (section 3.3.1). ERR_LIMIT: `input` above OPRF_INPUT_MAX. */
int oprf_blind(enum oprf_mode mode, struct bytes input, const uint8_t blind[OPRF_SCALAR_SIZE],
	       uint8_t blinded[OPRF_ELEMENT_SIZE]);

/* Server: BlindEvaluate of a batch of `count` elements. `info` counts only in the partial
 * mode. In the other modes than the base one, `r` is the fresh random scalar of the proof
 * and `proof` is written; they may be NULL in the base mode. `evaluated` may not be where
 * `blinded` is. ERR_AUTH: an element or a key is refused. ERR_LIMIT: OPRF_BATCH_MAX. */
int oprf_evaluate(enum oprf_mode mode, const uint8_t secret[OPRF_SCALAR_SIZE],
		  struct bytes info, const uint8_t (*blinded)[OPRF_ELEMENT_SIZE], size_t count,
		  const uint8_t r[OPRF_SCALAR_SIZE], uint8_t (*evaluated)[OPRF_ELEMENT_SIZE],
		  uint8_t proof[OPRF_PROOF_SIZE]);

/* Client: does the proof hold that `public`'s owner evaluated the batch? ERR_AUTH if not.
 * Not for the base mode, which proves nothing. */
int oprf_verify(enum oprf_mode mode, const uint8_t public[OPRF_ELEMENT_SIZE], struct bytes info,
		const uint8_t (*blinded)[OPRF_ELEMENT_SIZE],
		const uint8_t (*evaluated)[OPRF_ELEMENT_SIZE], size_t count,
		const uint8_t proof[OPRF_PROOF_SIZE]);

/* Client: Finalize for one element, behind oprf_verify() where the mode has proofs. */
int oprf_finalize(enum oprf_mode mode, struct bytes input, struct bytes info,
		  const uint8_t blind[OPRF_SCALAR_SIZE],
		  const uint8_t evaluated[OPRF_ELEMENT_SIZE], uint8_t out[OPRF_OUTPUT_SIZE]);

#endif
