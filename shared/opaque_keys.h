/* What both sides of OPAQUE compute (RFC 9807): the wire forms field by field, the keys behind
 * a password, the envelope and the key exchange. For opaque.c. */
#ifndef PALIQUE_SHARED_OPAQUE_KEYS_H
#define PALIQUE_SHARED_OPAQUE_KEYS_H

#include <sodium.h>

#include "shared/kdf.h"
#include "shared/opaque.h"
#include "shared/oprf.h"

/* Section 4 and 6: the sizes of ristretto255 and SHA-512. */
enum {
	OPAQUE_NONCE_SIZE = 32,
	OPAQUE_SEED_SIZE = 32,
	OPAQUE_ELEMENT_SIZE = OPRF_ELEMENT_SIZE,
	OPAQUE_HASH_SIZE = 64,
	OPAQUE_MAC_SIZE = 64,
	OPAQUE_NAME_MAX_SIZE = 65535, /* of identities and the context: two bytes of length */
	OPAQUE_ENVELOPE_SIZE = OPAQUE_NONCE_SIZE + OPAQUE_MAC_SIZE,
	OPAQUE_MASKED_SIZE = OPAQUE_ELEMENT_SIZE + OPAQUE_ENVELOPE_SIZE,
};

/* The wire forms of sections 4.1, 5.1 and 6.1, field by field. */
struct opaque_envelope {
	uint8_t nonce[OPAQUE_NONCE_SIZE], tag[OPAQUE_MAC_SIZE];
};
struct opaque_record {
	uint8_t client_public[OPAQUE_ELEMENT_SIZE], masking_key[OPAQUE_HASH_SIZE];
	struct opaque_envelope envelope;
};
struct opaque_response {
	uint8_t evaluated[OPAQUE_ELEMENT_SIZE], server_public[OPAQUE_ELEMENT_SIZE];
};
struct opaque_ke1 {
	uint8_t blinded[OPAQUE_ELEMENT_SIZE], client_nonce[OPAQUE_NONCE_SIZE],
		client_keyshare[OPAQUE_ELEMENT_SIZE];
};
struct opaque_masked {
	uint8_t server_public[OPAQUE_ELEMENT_SIZE];
	struct opaque_envelope envelope;
};
struct opaque_ke2 {
	uint8_t evaluated[OPAQUE_ELEMENT_SIZE], masking_nonce[OPAQUE_NONCE_SIZE],
		masked[OPAQUE_MASKED_SIZE];
	uint8_t server_nonce[OPAQUE_NONCE_SIZE], server_keyshare[OPAQUE_ELEMENT_SIZE],
		server_mac[OPAQUE_MAC_SIZE];
};
_Static_assert(sizeof(struct opaque_record) == OPAQUE_RECORD_SIZE, "bytes only, no padding");
_Static_assert(sizeof(struct opaque_response) == OPAQUE_RESPONSE_SIZE, "");
_Static_assert(sizeof(struct opaque_ke1) == OPAQUE_KE1_SIZE, "");
_Static_assert(sizeof(struct opaque_ke2) == OPAQUE_KE2_SIZE, "");
_Static_assert(sizeof(struct opaque_masked) == OPAQUE_MASKED_SIZE, "");

struct opaque_pair {
	uint8_t secret[OPRF_SCALAR_SIZE], public[OPAQUE_ELEMENT_SIZE];
};

/* DeriveKeyPair of the OPRF's base mode (RFC 9497 section 3.2.1). */
int opaque_derive_pair(struct opaque_pair *pair, const uint8_t seed[OPAQUE_SEED_SIZE],
		       const char *label);

/* DeriveDiffieHellmanKeyPair (section 2.1) */
int opaque_derive_dh_pair(struct opaque_pair *pair, const uint8_t seed[OPAQUE_SEED_SIZE]);

/* Expand(prk, nonce || label, size) */
void opaque_expand(uint8_t *out, size_t size, const uint8_t prk[HKDF_PRK_SIZE],
		   struct bytes nonce, const char *label);

/* The password's key from the OPRF's output and its stretched form (section 5.2). */
void opaque_randomize(uint8_t out[HKDF_PRK_SIZE], const uint8_t oprf_output[OPAQUE_HASH_SIZE],
		      const uint8_t stretched[OPAQUE_HASH_SIZE]);

/* Whether names and context fit their two bytes of length. */
bool opaque_names_fit(struct opaque_names names, struct bytes context);

/* Section 4: where there is no identity, the public key stands for it. */
struct bytes opaque_name_or_key(struct bytes name, const uint8_t key[OPAQUE_ELEMENT_SIZE]);

/* All that follows from the password's key, an envelope's nonce and the two sides. */
struct opaque_opened {
	uint8_t tag[OPAQUE_MAC_SIZE];
	uint8_t export_key[OPAQUE_HASH_SIZE];
	struct opaque_pair client;
};

/* The envelope's tag is what it must be; whether it is, the caller sees. Secrets in `o` are the
 * caller's to wipe. ERR_AUTH: there is no such key pair (never, in practice). */
int opaque_envelope_derive(struct opaque_opened *o, const uint8_t key[HKDF_PRK_SIZE],
			   const uint8_t nonce[OPAQUE_NONCE_SIZE],
			   const uint8_t server_public[OPAQUE_ELEMENT_SIZE],
			   struct opaque_names names);

/* The server's key and the envelope, hidden and shown by the same pad (section 6.3.2.2). */
void opaque_mask(uint8_t out[OPAQUE_MASKED_SIZE], const uint8_t in[OPAQUE_MASKED_SIZE],
		 const uint8_t masking_key[OPAQUE_HASH_SIZE],
		 const uint8_t nonce[OPAQUE_NONCE_SIZE]);

/* The three points of 3DH, in the order in which both sides know them. */
struct opaque_shares {
	uint8_t points[3][OPAQUE_ELEMENT_SIZE];
};

struct opaque_exchange {
	uint8_t server_mac[OPAQUE_MAC_SIZE], client_mac[OPAQUE_MAC_SIZE],
		session_key[OPAQUE_HASH_SIZE];
};

/* The hash state after the preamble; names are already keys where they were empty. */
void opaque_preamble(crypto_hash_sha512_state *state, struct opaque_names names,
		     struct bytes context, const struct opaque_ke1 *ke1,
		     const struct opaque_ke2 *ke2);

/* DeriveKeys and both MACs; `state` is the preamble's. */
void opaque_exchange_derive(struct opaque_exchange *x, const struct opaque_shares *shares,
			    const crypto_hash_sha512_state *state);

#endif
