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

/* wire_newcomer.proof_of_possession: Ed25519 by the identity over "palique-register-v1" |
 * handshake hash | name. The identity's certificate names the device. */
void proof_register(uint8_t out[PROOF_SIZE], const struct identity *by,
		    const uint8_t handshake_hash[64], const struct name *name);
/* ERR_AUTH, as of the two below. */
int proof_register_verify(const uint8_t proof[PROOF_SIZE], const struct identity_public *by,
			  const uint8_t handshake_hash[64], const struct name *name);

/* RECOVER.proof: by the recovery code's key over "palique-recover-v1" | handshake hash | name. */
void proof_recover(uint8_t out[PROOF_SIZE], const struct identity *by,
		   const uint8_t handshake_hash[64], const struct name *name);
int proof_recover_verify(const uint8_t proof[PROOF_SIZE], const struct identity_public *by,
			 const uint8_t handshake_hash[64], const struct name *name);

/* DELETE.proof: by the identity over "palique-delete-v1" | handshake hash | name. */
void proof_delete(uint8_t out[PROOF_SIZE], const struct identity *by,
		  const uint8_t handshake_hash[64], const struct name *name);
int proof_delete_verify(const uint8_t proof[PROOF_SIZE], const struct identity_public *by,
			const uint8_t handshake_hash[64], const struct name *name);

#endif
