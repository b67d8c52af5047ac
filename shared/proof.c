#include "shared/proof.h"

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "shared/kdf.h"

static const char context_label[] = "palique-OPAQUE-v1";
static const char register_label[] = "palique-register-v1";
static const char enrol_label[] = "palique-enrol";

void proof_context(uint8_t out[PROOF_CONTEXT_SIZE], enum ksf ksf,
		   const uint8_t handshake_hash[64])
{
	size_t label = sizeof context_label - 1;

	_Static_assert(sizeof context_label - 1 + 1 + 64 == PROOF_CONTEXT_SIZE, "context");
	memcpy(out, context_label, label);
	out[label] = (uint8_t)ksf;
	memcpy(out + label + 1, handshake_hash, 64);
}

/* What the identity signs; returns its size. */
static size_t register_text(uint8_t out[sizeof register_label - 1 + 64 + NAME_MAX],
			    const uint8_t handshake_hash[64], const struct name *name)
{
	size_t label = sizeof register_label - 1, length = strlen(name->text);

	memcpy(out, register_label, label);
	memcpy(out + label, handshake_hash, 64);
	memcpy(out + label + 64, name->text, length);
	return label + 64 + length;
}

void proof_register(uint8_t out[PROOF_SIZE], const struct identity *by,
		    const uint8_t handshake_hash[64], const struct name *name)
{
	uint8_t text[sizeof register_label - 1 + 64 + NAME_MAX];
	size_t size = register_text(text, handshake_hash, name);

	crypto_sign_detached(out, NULL, text, size, by->secret.bytes);
}

int proof_register_verify(const uint8_t proof[PROOF_SIZE], const struct identity_public *by,
			  const uint8_t handshake_hash[64], const struct name *name)
{
	uint8_t text[sizeof register_label - 1 + 64 + NAME_MAX];
	size_t size = register_text(text, handshake_hash, name);

	if (crypto_sign_verify_detached(proof, text, size, by->bytes) != 0)
		return ERR_AUTH;
	return 0;
}

void proof_enrol(uint8_t out[PROOF_SIZE], const uint8_t session_key[OPAQUE_SESSION_KEY_SIZE],
		 const struct device_public *device, const uint8_t handshake_hash[64])
{
	uint8_t key[32], text[32 + 64];

	_Static_assert((int)OPAQUE_SESSION_KEY_SIZE == (int)HKDF_PRK_SIZE,
		       "session key is a PRK");
	hkdf_expand(key, sizeof key, session_key, bytes_text(enrol_label));
	memcpy(text, device->bytes, 32);
	memcpy(text + 32, handshake_hash, 64);
	hmac_sha512(out, BYTES(key), BYTES(text));
	sodium_memzero(key, sizeof key);
}
