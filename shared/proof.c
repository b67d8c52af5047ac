#include "shared/proof.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"

static const char context_label[] = "palique-OPAQUE-v1";

enum { DOMAIN_MAX = 19, PROOF_TEXT_MAX = DOMAIN_MAX + 64 + NAME_MAX };

void proof_context(uint8_t out[PROOF_CONTEXT_SIZE], enum ksf ksf,
		   const uint8_t handshake_hash[64])
{
	size_t label = sizeof context_label - 1;

	_Static_assert(sizeof context_label - 1 + 1 + 64 == PROOF_CONTEXT_SIZE, "context");
	memcpy(out, context_label, label);
	out[label] = (uint8_t)ksf;
	memcpy(out + label + 1, handshake_hash, 64);
}

/* domain | handshake hash | name; returns the size. */
static size_t proof_text(uint8_t out[PROOF_TEXT_MAX], const char *domain,
			 const uint8_t handshake_hash[64], const struct name *name)
{
	size_t label = strlen(domain), length = strlen(name->text);

	assert(label <= DOMAIN_MAX);
	memcpy(out, domain, label);
	memcpy(out + label, handshake_hash, 64);
	memcpy(out + label + 64, name->text, length);
	return label + 64 + length;
}

static void prove(uint8_t out[PROOF_SIZE], const char *domain, const struct identity *by,
		  const uint8_t handshake_hash[64], const struct name *name)
{
	uint8_t text[PROOF_TEXT_MAX];
	size_t size = proof_text(text, domain, handshake_hash, name);

	crypto_sign_detached(out, NULL, text, size, by->secret.bytes);
}

static int verify(const uint8_t proof[PROOF_SIZE], const char *domain,
		  const struct identity_public *by, const uint8_t handshake_hash[64],
		  const struct name *name)
{
	uint8_t text[PROOF_TEXT_MAX];
	size_t size = proof_text(text, domain, handshake_hash, name);

	if (crypto_sign_verify_detached(proof, text, size, by->bytes) != 0)
		return ERR_AUTH;
	return 0;
}

void proof_register(uint8_t out[PROOF_SIZE], const struct identity *by,
		    const uint8_t handshake_hash[64], const struct name *name)
{
	prove(out, "palique-register-v1", by, handshake_hash, name);
}

int proof_register_verify(const uint8_t proof[PROOF_SIZE], const struct identity_public *by,
			  const uint8_t handshake_hash[64], const struct name *name)
{
	return verify(proof, "palique-register-v1", by, handshake_hash, name);
}

void proof_recover(uint8_t out[PROOF_SIZE], const struct identity *by,
		   const uint8_t handshake_hash[64], const struct name *name)
{
	prove(out, "palique-recover-v1", by, handshake_hash, name);
}

int proof_recover_verify(const uint8_t proof[PROOF_SIZE], const struct identity_public *by,
			 const uint8_t handshake_hash[64], const struct name *name)
{
	return verify(proof, "palique-recover-v1", by, handshake_hash, name);
}

void proof_delete(uint8_t out[PROOF_SIZE], const struct identity *by,
		  const uint8_t handshake_hash[64], const struct name *name)
{
	prove(out, "palique-delete-v1", by, handshake_hash, name);
}

int proof_delete_verify(const uint8_t proof[PROOF_SIZE], const struct identity_public *by,
			const uint8_t handshake_hash[64], const struct name *name)
{
	return verify(proof, "palique-delete-v1", by, handshake_hash, name);
}
