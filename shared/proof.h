/* What a client proves to a directory while it becomes somebody, made by one side and
 * checked by the other: each is bound to the handshake hash of the link it is said on, so
 * that it cannot be carried over to another. */
#ifndef PALIQUE_SHARED_PROOF_H
#define PALIQUE_SHARED_PROOF_H

#include "shared/keys.h"
#include "shared/ksf.h"
#include "shared/name.h"
#include "shared/opaque.h"

enum { PROOF_CONTEXT_SIZE = 17 + 1 + 64, PROOF_SIZE = 64 };

/* OPAQUE's Context of a login: "palique-OPAQUE-v1" | KSF id (one byte) | handshake hash. */
void proof_context(uint8_t out[PROOF_CONTEXT_SIZE], enum ksf ksf,
		   const uint8_t handshake_hash[64]);

/* REGISTER_FINISH.proof_of_possession: Ed25519 by the identity over "palique-register-v1" |
 * handshake hash | name. */
void proof_register(uint8_t out[PROOF_SIZE], const struct identity *by,
		    const uint8_t handshake_hash[64], const struct name *name);
/* ERR_AUTH. */
int proof_register_verify(const uint8_t proof[PROOF_SIZE], const struct identity_public *by,
			  const uint8_t handshake_hash[64], const struct name *name);

/* LOGIN_FINISH.mac: HMAC-SHA-512 under HKDF-Expand(session_key, "palique-enrol", 32) of
 * device key | handshake hash. Compare with sodium_memcmp(). */
void proof_enrol(uint8_t out[PROOF_SIZE], const uint8_t session_key[OPAQUE_SESSION_KEY_SIZE],
		 const struct device_public *device, const uint8_t handshake_hash[64]);

#endif
