#include "shared/opaque_keys.h"

#include <assert.h>
#include <string.h>

#include "shared/error.h"

/* ---- Derivations ---- */

int opaque_derive_pair(struct opaque_pair *pair, const uint8_t seed[OPAQUE_SEED_SIZE],
		       const char *label)
{
	return oprf_derive_key(OPRF_BASE, seed, bytes_text(label), pair->secret, pair->public);
}

int opaque_derive_dh_pair(struct opaque_pair *pair, const uint8_t seed[OPAQUE_SEED_SIZE])
{
	return opaque_derive_pair(pair, seed, "OPAQUE-DeriveDiffieHellmanKeyPair");
}

void opaque_expand(uint8_t *out, size_t size, const uint8_t prk[HKDF_PRK_SIZE],
		   struct bytes nonce, const char *label)
{
	uint8_t info[OPAQUE_NONCE_SIZE + 32];
	size_t length = strlen(label);
	int err;

	assert(nonce.size <= OPAQUE_NONCE_SIZE && length <= 32);
	if (nonce.size > 0)
		memcpy(info, nonce.data, nonce.size);
	memcpy(info + nonce.size, label, length);
	err = hkdf_expand(out, size, prk, bytes_of(info, nonce.size + length));
	assert(err == 0);
}

/* Derive-Secret (section 6.4.2.1): an Expand-Label with "OPAQUE-" in front. */
static void derive_secret(uint8_t out[OPAQUE_HASH_SIZE], const uint8_t secret[OPAQUE_HASH_SIZE],
			  const char *label, struct bytes hash)
{
	static const char prefix[] = "OPAQUE-";
	uint8_t info[2 + 1 + 32 + 1 + OPAQUE_HASH_SIZE];
	size_t length = sizeof prefix - 1 + strlen(label), at = 0;
	int err;

	assert(length <= 32 && hash.size <= OPAQUE_HASH_SIZE);
	info[at++] = 0;
	info[at++] = OPAQUE_HASH_SIZE;
	info[at++] = length;
	memcpy(info + at, prefix, sizeof prefix - 1);
	memcpy(info + at + sizeof prefix - 1, label, strlen(label));
	at += length;
	info[at++] = hash.size;
	if (hash.size > 0)
		memcpy(info + at, hash.data, hash.size);
	err = hkdf_expand(out, OPAQUE_HASH_SIZE, secret, bytes_of(info, at + hash.size));
	assert(err == 0);
}

void opaque_randomize(uint8_t out[HKDF_PRK_SIZE], const uint8_t oprf_output[OPAQUE_HASH_SIZE],
		      const uint8_t stretched[OPAQUE_HASH_SIZE])
{
	uint8_t both[2 * OPAQUE_HASH_SIZE];

	memcpy(both, oprf_output, OPAQUE_HASH_SIZE);
	memcpy(both + OPAQUE_HASH_SIZE, stretched, OPAQUE_HASH_SIZE);
	hkdf_extract(out, (struct bytes){ 0 }, BYTES(both));
	sodium_memzero(both, sizeof both);
}

static void mac_framed(crypto_auth_hmacsha512_state *state, struct bytes b)
{
	uint8_t size[2] = { b.size >> 8, b.size };

	crypto_auth_hmacsha512_update(state, size, sizeof size);
	crypto_auth_hmacsha512_update(state, b.data, b.size);
}

bool opaque_names_fit(struct opaque_names names, struct bytes context)
{
	return names.client.size <= OPAQUE_NAME_MAX_SIZE &&
	       names.server.size <= OPAQUE_NAME_MAX_SIZE &&
	       context.size <= OPAQUE_NAME_MAX_SIZE;
}

struct bytes opaque_name_or_key(struct bytes name, const uint8_t key[OPAQUE_ELEMENT_SIZE])
{
	return name.size > 0 ? name : bytes_of(key, OPAQUE_ELEMENT_SIZE);
}

/* ---- The envelope (section 4.1) ---- */

int opaque_envelope_derive(struct opaque_opened *o, const uint8_t key[HKDF_PRK_SIZE],
			   const uint8_t nonce[OPAQUE_NONCE_SIZE],
			   const uint8_t server_public[OPAQUE_ELEMENT_SIZE],
			   struct opaque_names names)
{
	crypto_auth_hmacsha512_state state;
	struct bytes n = bytes_of(nonce, OPAQUE_NONCE_SIZE);
	uint8_t auth_key[OPAQUE_HASH_SIZE], seed[OPAQUE_SEED_SIZE];
	int err;

	opaque_expand(auth_key, sizeof auth_key, key, n, "AuthKey");
	opaque_expand(o->export_key, sizeof o->export_key, key, n, "ExportKey");
	opaque_expand(seed, sizeof seed, key, n, "PrivateKey");
	err = opaque_derive_dh_pair(&o->client, seed);
	if (err < 0)
		goto out;
	/* nonce || CleartextCredentials */
	crypto_auth_hmacsha512_init(&state, auth_key, sizeof auth_key);
	crypto_auth_hmacsha512_update(&state, nonce, OPAQUE_NONCE_SIZE);
	crypto_auth_hmacsha512_update(&state, server_public, OPAQUE_ELEMENT_SIZE);
	mac_framed(&state, opaque_name_or_key(names.server, server_public));
	mac_framed(&state, opaque_name_or_key(names.client, o->client.public));
	crypto_auth_hmacsha512_final(&state, o->tag);
	sodium_memzero(&state, sizeof state);
out:
	sodium_memzero(auth_key, sizeof auth_key);
	sodium_memzero(seed, sizeof seed);
	return err;
}

void opaque_mask(uint8_t out[OPAQUE_MASKED_SIZE], const uint8_t in[OPAQUE_MASKED_SIZE],
		 const uint8_t masking_key[OPAQUE_HASH_SIZE],
		 const uint8_t nonce[OPAQUE_NONCE_SIZE])
{
	uint8_t pad[OPAQUE_MASKED_SIZE];
	size_t i;

	opaque_expand(pad, sizeof pad, masking_key, bytes_of(nonce, OPAQUE_NONCE_SIZE),
		      "CredentialResponsePad");
	for (i = 0; i < sizeof pad; i++)
		out[i] = in[i] ^ pad[i];
	sodium_memzero(pad, sizeof pad);
}

/* ---- The key exchange (section 6.4) ---- */

static void hash_framed(crypto_hash_sha512_state *state, struct bytes b)
{
	uint8_t size[2] = { b.size >> 8, b.size };

	crypto_hash_sha512_update(state, size, sizeof size);
	if (b.size > 0)
		crypto_hash_sha512_update(state, b.data, b.size);
}

void opaque_preamble(crypto_hash_sha512_state *state, struct opaque_names names,
		     struct bytes context, const struct opaque_ke1 *ke1,
		     const struct opaque_ke2 *ke2)
{
	static const char version[] = "OPAQUEv1-";

	crypto_hash_sha512_init(state);
	crypto_hash_sha512_update(state, (const uint8_t *)version, sizeof version - 1);
	hash_framed(state, context);
	hash_framed(state, names.client);
	crypto_hash_sha512_update(state, (const uint8_t *)ke1, sizeof *ke1);
	hash_framed(state, names.server);
	/* KE2 without its last field, the server's MAC. */
	crypto_hash_sha512_update(state, (const uint8_t *)ke2, sizeof *ke2 - OPAQUE_MAC_SIZE);
}

void opaque_exchange_derive(struct opaque_exchange *x, const struct opaque_shares *shares,
			    const crypto_hash_sha512_state *state)
{
	crypto_hash_sha512_state with_mac = *state, plain = *state;
	uint8_t prk[HKDF_PRK_SIZE], handshake[OPAQUE_HASH_SIZE], key[OPAQUE_HASH_SIZE],
		hash[OPAQUE_HASH_SIZE];

	crypto_hash_sha512_final(&plain, hash);
	hkdf_extract(prk, (struct bytes){ 0 }, BYTES(shares->points));
	derive_secret(handshake, prk, "HandshakeSecret", BYTES(hash));
	derive_secret(x->session_key, prk, "SessionKey", BYTES(hash));

	derive_secret(key, handshake, "ServerMAC", (struct bytes){ 0 });
	hmac_sha512(x->server_mac, BYTES(key), BYTES(hash));

	crypto_hash_sha512_update(&with_mac, x->server_mac, sizeof x->server_mac);
	crypto_hash_sha512_final(&with_mac, hash);
	derive_secret(key, handshake, "ClientMAC", (struct bytes){ 0 });
	hmac_sha512(x->client_mac, BYTES(key), BYTES(hash));

	sodium_memzero(prk, sizeof prk);
	sodium_memzero(handshake, sizeof handshake);
	sodium_memzero(key, sizeof key);
}
