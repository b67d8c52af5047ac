#include "shared/opaque.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/kdf.h"
#include "shared/oprf.h"

/* Section 4 and 6: the sizes of ristretto255 and SHA-512. */
enum {
	NONCE_SIZE = 32,
	SEED_SIZE = 32,
	ELEMENT_SIZE = OPRF_ELEMENT_SIZE,
	HASH_SIZE = 64,
	MAC_SIZE = 64,
	NAME_MAX_SIZE = 65535, /* of identities and the context: two bytes of length */
	ENVELOPE_SIZE = NONCE_SIZE + MAC_SIZE,
	MASKED_SIZE = ELEMENT_SIZE + ENVELOPE_SIZE,
};

/* The wire forms of sections 4.1, 5.1 and 6.1, field by field. */
struct envelope {
	uint8_t nonce[NONCE_SIZE], tag[MAC_SIZE];
};
struct record {
	uint8_t client_public[ELEMENT_SIZE], masking_key[HASH_SIZE];
	struct envelope envelope;
};
struct response {
	uint8_t evaluated[ELEMENT_SIZE], server_public[ELEMENT_SIZE];
};
struct ke1 {
	uint8_t blinded[ELEMENT_SIZE], client_nonce[NONCE_SIZE], client_keyshare[ELEMENT_SIZE];
};
struct masked {
	uint8_t server_public[ELEMENT_SIZE];
	struct envelope envelope;
};
struct ke2 {
	uint8_t evaluated[ELEMENT_SIZE], masking_nonce[NONCE_SIZE], masked[MASKED_SIZE];
	uint8_t server_nonce[NONCE_SIZE], server_keyshare[ELEMENT_SIZE], server_mac[MAC_SIZE];
};
_Static_assert(sizeof(struct record) == OPAQUE_RECORD_SIZE, "bytes only, no padding");
_Static_assert(sizeof(struct response) == OPAQUE_RESPONSE_SIZE, "");
_Static_assert(sizeof(struct ke1) == OPAQUE_KE1_SIZE, "");
_Static_assert(sizeof(struct ke2) == OPAQUE_KE2_SIZE, "");
_Static_assert(sizeof(struct masked) == MASKED_SIZE, "");

enum step {
	NOTHING,
	REGISTER_STARTED,
	REGISTER_EVALUATED,
	LOGIN_STARTED,
	LOGIN_EVALUATED,
	DONE
};

/* ---- Derivations ---- */

struct pair {
	uint8_t secret[OPRF_SCALAR_SIZE], public[ELEMENT_SIZE];
};

static int derive_pair(struct pair *pair, const uint8_t seed[SEED_SIZE], const char *label)
{
	return oprf_derive_key(OPRF_BASE, seed, bytes_text(label), pair->secret, pair->public);
}

/* DeriveDiffieHellmanKeyPair (section 2.1) */
static int derive_dh_pair(struct pair *pair, const uint8_t seed[SEED_SIZE])
{
	return derive_pair(pair, seed, "OPAQUE-DeriveDiffieHellmanKeyPair");
}

/* Expand(prk, nonce || label, size) */
static void expand(uint8_t *out, size_t size, const uint8_t prk[HKDF_PRK_SIZE],
		   struct bytes nonce, const char *label)
{
	uint8_t info[NONCE_SIZE + 32];
	size_t length = strlen(label);
	int err;

	assert(nonce.size <= NONCE_SIZE && length <= 32);
	if (nonce.size > 0)
		memcpy(info, nonce.data, nonce.size);
	memcpy(info + nonce.size, label, length);
	err = hkdf_expand(out, size, prk, bytes_of(info, nonce.size + length));
	assert(err == 0);
}

/* Derive-Secret (section 6.4.2.1): an Expand-Label with "OPAQUE-" in front. */
static void derive_secret(uint8_t out[HASH_SIZE], const uint8_t secret[HASH_SIZE],
			  const char *label, struct bytes hash)
{
	static const char prefix[] = "OPAQUE-";
	uint8_t info[2 + 1 + 32 + 1 + HASH_SIZE];
	size_t length = sizeof prefix - 1 + strlen(label), at = 0;
	int err;

	assert(length <= 32 && hash.size <= HASH_SIZE);
	info[at++] = 0;
	info[at++] = HASH_SIZE;
	info[at++] = length;
	memcpy(info + at, prefix, sizeof prefix - 1);
	memcpy(info + at + sizeof prefix - 1, label, strlen(label));
	at += length;
	info[at++] = hash.size;
	if (hash.size > 0)
		memcpy(info + at, hash.data, hash.size);
	err = hkdf_expand(out, HASH_SIZE, secret, bytes_of(info, at + hash.size));
	assert(err == 0);
}

/* The password's key from the OPRF's output and its stretched form (section 5.2). */
static void randomize(uint8_t out[HKDF_PRK_SIZE], const uint8_t oprf_output[HASH_SIZE],
		      const uint8_t stretched[HASH_SIZE])
{
	uint8_t both[2 * HASH_SIZE];

	memcpy(both, oprf_output, HASH_SIZE);
	memcpy(both + HASH_SIZE, stretched, HASH_SIZE);
	hkdf_extract(out, (struct bytes){ 0 }, BYTES(both));
	sodium_memzero(both, sizeof both);
}

static void mac_framed(crypto_auth_hmacsha512_state *state, struct bytes b)
{
	uint8_t size[2] = { b.size >> 8, b.size };

	crypto_auth_hmacsha512_update(state, size, sizeof size);
	crypto_auth_hmacsha512_update(state, b.data, b.size);
}

static bool names_fit(struct opaque_names names, struct bytes context)
{
	return names.client.size <= NAME_MAX_SIZE && names.server.size <= NAME_MAX_SIZE &&
	       context.size <= NAME_MAX_SIZE;
}

/* Section 4: where there is no identity, the public key stands for it. */
static struct bytes name_or_key(struct bytes name, const uint8_t key[ELEMENT_SIZE])
{
	return name.size > 0 ? name : bytes_of(key, ELEMENT_SIZE);
}

/* ---- The envelope (section 4.1) ---- */

/* All that follows from the password's key, an envelope's nonce and the two sides. */
struct opened {
	uint8_t tag[MAC_SIZE];
	uint8_t export_key[HASH_SIZE];
	struct pair client;
};

static int envelope_derive(struct opened *o, const uint8_t key[HKDF_PRK_SIZE],
			   const uint8_t nonce[NONCE_SIZE],
			   const uint8_t server_public[ELEMENT_SIZE], struct opaque_names names)
{
	crypto_auth_hmacsha512_state state;
	struct bytes n = bytes_of(nonce, NONCE_SIZE);
	uint8_t auth_key[HASH_SIZE], seed[SEED_SIZE];
	int err;

	expand(auth_key, sizeof auth_key, key, n, "AuthKey");
	expand(o->export_key, sizeof o->export_key, key, n, "ExportKey");
	expand(seed, sizeof seed, key, n, "PrivateKey");
	err = derive_dh_pair(&o->client, seed);
	if (err < 0)
		goto out;
	/* nonce || CleartextCredentials */
	crypto_auth_hmacsha512_init(&state, auth_key, sizeof auth_key);
	crypto_auth_hmacsha512_update(&state, nonce, NONCE_SIZE);
	crypto_auth_hmacsha512_update(&state, server_public, ELEMENT_SIZE);
	mac_framed(&state, name_or_key(names.server, server_public));
	mac_framed(&state, name_or_key(names.client, o->client.public));
	crypto_auth_hmacsha512_final(&state, o->tag);
	sodium_memzero(&state, sizeof state);
out:
	sodium_memzero(auth_key, sizeof auth_key);
	sodium_memzero(seed, sizeof seed);
	return err;
}

/* The server's key and the envelope, hidden and shown by the same pad (section 6.3.2.2). */
static void mask(uint8_t out[MASKED_SIZE], const uint8_t in[MASKED_SIZE],
		 const uint8_t masking_key[HASH_SIZE], const uint8_t nonce[NONCE_SIZE])
{
	uint8_t pad[MASKED_SIZE];
	size_t i;

	expand(pad, sizeof pad, masking_key, bytes_of(nonce, NONCE_SIZE),
	       "CredentialResponsePad");
	for (i = 0; i < sizeof pad; i++)
		out[i] = in[i] ^ pad[i];
	sodium_memzero(pad, sizeof pad);
}

/* ---- The key exchange (section 6.4) ---- */

/* The three points of 3DH, in the order in which both sides know them. */
struct shares {
	uint8_t points[3][ELEMENT_SIZE];
};

struct exchange {
	uint8_t server_mac[MAC_SIZE], client_mac[MAC_SIZE], session_key[HASH_SIZE];
};

static void hash_framed(crypto_hash_sha512_state *state, struct bytes b)
{
	uint8_t size[2] = { b.size >> 8, b.size };

	crypto_hash_sha512_update(state, size, sizeof size);
	if (b.size > 0)
		crypto_hash_sha512_update(state, b.data, b.size);
}

/* The hash state after the preamble; names are already keys where they were empty. */
static void preamble(crypto_hash_sha512_state *state, struct opaque_names names,
		     struct bytes context, const struct ke1 *ke1, const struct ke2 *ke2)
{
	static const char version[] = "OPAQUEv1-";

	crypto_hash_sha512_init(state);
	crypto_hash_sha512_update(state, (const uint8_t *)version, sizeof version - 1);
	hash_framed(state, context);
	hash_framed(state, names.client);
	crypto_hash_sha512_update(state, (const uint8_t *)ke1, sizeof *ke1);
	hash_framed(state, names.server);
	/* KE2 without its last field, the server's MAC. */
	crypto_hash_sha512_update(state, (const uint8_t *)ke2, sizeof *ke2 - MAC_SIZE);
}

/* DeriveKeys and both MACs; `state` is the preamble's. */
static void exchange_derive(struct exchange *x, const struct shares *shares,
			    const crypto_hash_sha512_state *state)
{
	crypto_hash_sha512_state with_mac = *state, plain = *state;
	uint8_t prk[HKDF_PRK_SIZE], handshake[HASH_SIZE], key[HASH_SIZE], hash[HASH_SIZE];

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

/* ---- The client ---- */

void opaque_client_random(struct opaque_client_random *r)
{
	oprf_random_scalar(r->blind);
	randombytes_buf(r->nonce, sizeof r->nonce);
	randombytes_buf(r->keyshare_seed, sizeof r->keyshare_seed);
}

void opaque_client_wipe(struct opaque_client *c)
{
	sodium_memzero(c, sizeof *c);
}

static int client_begin(struct opaque_client *c, struct bytes password,
			const struct opaque_client_random *random, enum step step,
			uint8_t blinded[ELEMENT_SIZE])
{
	int err;

	opaque_client_wipe(c);
	if (password.size > sizeof c->password)
		return ERR_LIMIT;
	err = oprf_blind(OPRF_BASE, password, random->blind, blinded);
	if (err < 0)
		return err;
	if (password.size > 0)
		memcpy(c->password, password.data, password.size);
	c->password_size = password.size;
	c->random = *random;
	c->step = step;
	return 0;
}

/* Both answers begin with the evaluated element. */
static int client_evaluate(struct opaque_client *c, const uint8_t *answer, size_t size,
			   enum step before, enum step after, uint8_t oprf_output[HASH_SIZE])
{
	int err;

	if (c->step != (int)before)
		return ERR_STATE;
	err = oprf_finalize(OPRF_BASE, bytes_of(c->password, c->password_size),
			    (struct bytes){ 0 }, c->random.blind, answer, c->oprf_output);
	if (err < 0)
		return ERR_AUTH;
	memcpy(c->answer, answer, size);
	memcpy(oprf_output, c->oprf_output, HASH_SIZE);
	c->step = after;
	return 0;
}

int opaque_register_start(struct opaque_client *c, struct bytes password,
			  const struct opaque_client_random *random,
			  uint8_t request[OPAQUE_REQUEST_SIZE])
{
	return client_begin(c, password, random, REGISTER_STARTED, request);
}

int opaque_register_evaluate(struct opaque_client *c,
			     const uint8_t response[OPAQUE_RESPONSE_SIZE],
			     uint8_t oprf_output[OPAQUE_OPRF_SIZE])
{
	if (!oprf_is_element(response + offsetof(struct response, server_public)))
		return c->step == REGISTER_STARTED ? ERR_AUTH : ERR_STATE;
	return client_evaluate(c, response, OPAQUE_RESPONSE_SIZE, REGISTER_STARTED,
			       REGISTER_EVALUATED, oprf_output);
}

int opaque_register_finish(struct opaque_client *c, const uint8_t stretched[OPAQUE_OPRF_SIZE],
			   struct opaque_names names, uint8_t record[OPAQUE_RECORD_SIZE],
			   uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE])
{
	struct response response;
	struct record r;
	struct opened o;
	uint8_t key[HKDF_PRK_SIZE];
	int err = ERR_STATE;

	if (c->step != REGISTER_EVALUATED)
		goto out;
	err = ERR_LIMIT;
	if (!names_fit(names, (struct bytes){ 0 }))
		goto out;
	memcpy(&response, c->answer, sizeof response);
	randomize(key, c->oprf_output, stretched);
	err = envelope_derive(&o, key, c->random.nonce, response.server_public, names);
	if (err < 0)
		goto out;
	memcpy(r.client_public, o.client.public, sizeof r.client_public);
	expand(r.masking_key, sizeof r.masking_key, key, (struct bytes){ 0 }, "MaskingKey");
	memcpy(r.envelope.nonce, c->random.nonce, sizeof r.envelope.nonce);
	memcpy(r.envelope.tag, o.tag, sizeof r.envelope.tag);

	memcpy(record, &r, sizeof r);
	memcpy(export_key, o.export_key, sizeof o.export_key);
	c->step = DONE;
out:
	sodium_memzero(&r, sizeof r);
	sodium_memzero(&o, sizeof o);
	sodium_memzero(key, sizeof key);
	return err;
}

int opaque_login_start(struct opaque_client *c, struct bytes password,
		       const struct opaque_client_random *random, uint8_t ke1[OPAQUE_KE1_SIZE])
{
	struct pair keyshare;
	struct ke1 message;
	int err = client_begin(c, password, random, LOGIN_STARTED, message.blinded);

	if (err < 0)
		goto out;
	err = derive_dh_pair(&keyshare, random->keyshare_seed);
	if (err < 0) {
		opaque_client_wipe(c);
		goto out;
	}
	memcpy(message.client_nonce, random->nonce, sizeof message.client_nonce);
	memcpy(message.client_keyshare, keyshare.public, sizeof message.client_keyshare);
	memcpy(c->ke1, &message, sizeof message);
	memcpy(ke1, &message, sizeof message);
out:
	sodium_memzero(&keyshare, sizeof keyshare);
	return err;
}

int opaque_login_evaluate(struct opaque_client *c, const uint8_t ke2[OPAQUE_KE2_SIZE],
			  uint8_t oprf_output[OPAQUE_OPRF_SIZE])
{
	return client_evaluate(c, ke2, OPAQUE_KE2_SIZE, LOGIN_STARTED, LOGIN_EVALUATED,
			       oprf_output);
}

/* CredentialResponse -> our key pair, the export key and the server's key, if the envelope's
 * tag holds (sections 4.1.3 and 6.3.2.3). */
static int client_recover(struct opened *o, struct masked *shown, const struct opaque_client *c,
			  const struct ke2 *ke2, const uint8_t stretched[HASH_SIZE],
			  struct opaque_names names)
{
	uint8_t key[HKDF_PRK_SIZE], masking_key[HASH_SIZE], plain[MASKED_SIZE];
	int err;

	randomize(key, c->oprf_output, stretched);
	expand(masking_key, sizeof masking_key, key, (struct bytes){ 0 }, "MaskingKey");
	mask(plain, ke2->masked, masking_key, ke2->masking_nonce);
	memcpy(shown, plain, sizeof *shown);
	err = envelope_derive(o, key, shown->envelope.nonce, shown->server_public, names);
	if (err < 0)
		goto out;
	err = ERR_AUTH;
	if (sodium_memcmp(o->tag, shown->envelope.tag, sizeof o->tag) == 0)
		err = 0;
out:
	sodium_memzero(key, sizeof key);
	sodium_memzero(masking_key, sizeof masking_key);
	sodium_memzero(plain, sizeof plain);
	return err;
}

static int client_shares(struct shares *s, const struct pair *keyshare,
			 const struct pair *client, const uint8_t server_keyshare[ELEMENT_SIZE],
			 const uint8_t server_public[ELEMENT_SIZE])
{
	if (oprf_multiply(s->points[0], keyshare->secret, server_keyshare) < 0 ||
	    oprf_multiply(s->points[1], keyshare->secret, server_public) < 0 ||
	    oprf_multiply(s->points[2], client->secret, server_keyshare) < 0)
		return ERR_AUTH;
	return 0;
}

int opaque_login_finish(struct opaque_client *c, const uint8_t stretched[OPAQUE_OPRF_SIZE],
			struct opaque_names names, struct bytes context,
			uint8_t ke3[OPAQUE_KE3_SIZE],
			uint8_t session_key[OPAQUE_SESSION_KEY_SIZE],
			uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE])
{
	crypto_hash_sha512_state state;
	struct ke1 ke1;
	struct ke2 ke2;
	struct masked shown;
	struct opened o;
	struct pair keyshare;
	struct shares shares;
	struct exchange x;
	int err = ERR_STATE;

	if (c->step != LOGIN_EVALUATED)
		goto out;
	err = ERR_LIMIT;
	if (!names_fit(names, context))
		goto out;
	err = ERR_AUTH;
	memcpy(&ke1, c->ke1, sizeof ke1);
	memcpy(&ke2, c->answer, sizeof ke2);
	if (client_recover(&o, &shown, c, &ke2, stretched, names) < 0)
		goto out;
	if (derive_dh_pair(&keyshare, c->random.keyshare_seed) < 0 ||
	    client_shares(&shares, &keyshare, &o.client, ke2.server_keyshare,
			  shown.server_public) < 0)
		goto out;
	names.client = name_or_key(names.client, o.client.public);
	names.server = name_or_key(names.server, shown.server_public);
	preamble(&state, names, context, &ke1, &ke2);
	exchange_derive(&x, &shares, &state);
	if (sodium_memcmp(x.server_mac, ke2.server_mac, sizeof x.server_mac) != 0)
		goto out;

	memcpy(ke3, x.client_mac, sizeof x.client_mac);
	memcpy(session_key, x.session_key, sizeof x.session_key);
	memcpy(export_key, o.export_key, sizeof o.export_key);
	c->step = DONE;
	err = 0;
out:
	sodium_memzero(&shown, sizeof shown);
	sodium_memzero(&o, sizeof o);
	sodium_memzero(&keyshare, sizeof keyshare);
	sodium_memzero(&shares, sizeof shares);
	sodium_memzero(&x, sizeof x);
	return err;
}

/* ---- The server ---- */

void opaque_server_random(struct opaque_server_random *r)
{
	randombytes_buf(r, sizeof *r);
}

void opaque_server_make(struct opaque_server *s)
{
	uint8_t seed[SEED_SIZE];
	struct pair pair;

	randombytes_buf(s->oprf_seed, sizeof s->oprf_seed);
	do
		randombytes_buf(seed, sizeof seed);
	while (derive_dh_pair(&pair, seed) < 0);
	memcpy(s->secret, pair.secret, sizeof s->secret);
	memcpy(s->public, pair.public, sizeof s->public);
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(&pair, sizeof pair);
}

void opaque_server_wipe(struct opaque_server *s)
{
	sodium_memzero(s, sizeof *s);
}

/* Each name has its own OPRF key, out of the one seed (section 6.3.2.2). */
static int server_evaluate(const struct opaque_server *s, struct bytes name,
			   const uint8_t blinded[ELEMENT_SIZE], uint8_t evaluated[ELEMENT_SIZE])
{
	struct buf info = { 0 };
	uint8_t seed[SEED_SIZE], in[1][ELEMENT_SIZE], out[1][ELEMENT_SIZE];
	struct pair pair;
	int err = ERR_LIMIT;

	if (name.size > NAME_MAX_SIZE)
		goto out;
	buf_append(&info, name);
	buf_append(&info, bytes_text("OprfKey"));
	err = hkdf_expand(seed, sizeof seed, s->oprf_seed, buf_view(&info));
	assert(err == 0);
	err = derive_pair(&pair, seed, "OPAQUE-DeriveKeyPair");
	if (err < 0)
		goto out;
	memcpy(in[0], blinded, sizeof in[0]);
	err = oprf_evaluate(OPRF_BASE, pair.secret, (struct bytes){ 0 },
			    (const uint8_t(*)[ELEMENT_SIZE])in, 1, NULL, out, NULL);
	if (err < 0)
		goto out;
	memcpy(evaluated, out[0], sizeof out[0]);
out:
	buf_clear(&info);
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(&pair, sizeof pair);
	return err;
}

int opaque_server_register(const struct opaque_server *s, struct bytes name,
			   const uint8_t request[OPAQUE_REQUEST_SIZE],
			   uint8_t response[OPAQUE_RESPONSE_SIZE])
{
	struct response r;
	int err = server_evaluate(s, name, request, r.evaluated);

	if (err < 0)
		return err;
	memcpy(r.server_public, s->public, sizeof r.server_public);
	memcpy(response, &r, sizeof r);
	return 0;
}

int opaque_server_check_record(const uint8_t record[OPAQUE_RECORD_SIZE])
{
	return oprf_is_element(record + offsetof(struct record, client_public)) ? 0 : ERR_AUTH;
}

void opaque_server_fake_record(uint8_t record[OPAQUE_RECORD_SIZE])
{
	uint8_t seed[SEED_SIZE];
	struct pair pair;
	struct record r = { 0 }; /* the envelope of a fake is zeros */

	do
		randombytes_buf(seed, sizeof seed);
	while (derive_dh_pair(&pair, seed) < 0);
	memcpy(r.client_public, pair.public, sizeof r.client_public);
	randombytes_buf(r.masking_key, sizeof r.masking_key);
	memcpy(record, &r, sizeof r);
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(&pair, sizeof pair);
}

static int server_shares(struct shares *s, const struct pair *keyshare,
			 const struct opaque_server *server,
			 const uint8_t client_keyshare[ELEMENT_SIZE],
			 const uint8_t client_public[ELEMENT_SIZE])
{
	if (oprf_multiply(s->points[0], keyshare->secret, client_keyshare) < 0 ||
	    oprf_multiply(s->points[1], server->secret, client_keyshare) < 0 ||
	    oprf_multiply(s->points[2], keyshare->secret, client_public) < 0)
		return ERR_AUTH;
	return 0;
}

int opaque_server_respond(const struct opaque_server *s, struct bytes name,
			  const uint8_t record[OPAQUE_RECORD_SIZE], struct opaque_names names,
			  struct bytes context, const struct opaque_server_random *random,
			  const uint8_t ke1_bytes[OPAQUE_KE1_SIZE],
			  uint8_t ke2_bytes[OPAQUE_KE2_SIZE], struct opaque_pending *pending)
{
	crypto_hash_sha512_state state;
	struct record r;
	struct masked plain;
	uint8_t unmasked[MASKED_SIZE];
	struct ke1 ke1;
	struct ke2 ke2;
	struct pair keyshare;
	struct shares shares;
	struct exchange x;
	int err = ERR_LIMIT;

	memcpy(&r, record, sizeof r);
	memcpy(&ke1, ke1_bytes, sizeof ke1);
	if (!names_fit(names, context))
		goto out;
	err = server_evaluate(s, name, ke1.blinded, ke2.evaluated);
	if (err < 0)
		goto out;
	err = derive_dh_pair(&keyshare, random->keyshare_seed);
	if (err < 0)
		goto out;
	err = server_shares(&shares, &keyshare, s, ke1.client_keyshare, r.client_public);
	if (err < 0)
		goto out;

	memcpy(plain.server_public, s->public, sizeof plain.server_public);
	plain.envelope = r.envelope;
	memcpy(unmasked, &plain, sizeof unmasked);
	memcpy(ke2.masking_nonce, random->masking_nonce, sizeof ke2.masking_nonce);
	mask(ke2.masked, unmasked, r.masking_key, ke2.masking_nonce);
	memcpy(ke2.server_nonce, random->nonce, sizeof ke2.server_nonce);
	memcpy(ke2.server_keyshare, keyshare.public, sizeof ke2.server_keyshare);

	names.client = name_or_key(names.client, r.client_public);
	names.server = name_or_key(names.server, s->public);
	preamble(&state, names, context, &ke1, &ke2);
	exchange_derive(&x, &shares, &state);
	memcpy(ke2.server_mac, x.server_mac, sizeof ke2.server_mac);

	memcpy(ke2_bytes, &ke2, sizeof ke2);
	memcpy(pending->expected_mac, x.client_mac, sizeof pending->expected_mac);
	memcpy(pending->session_key, x.session_key, sizeof pending->session_key);
	err = 0;
out:
	sodium_memzero(&r, sizeof r);
	sodium_memzero(&plain, sizeof plain);
	sodium_memzero(unmasked, sizeof unmasked);
	sodium_memzero(&keyshare, sizeof keyshare);
	sodium_memzero(&shares, sizeof shares);
	sodium_memzero(&x, sizeof x);
	return err;
}

int opaque_server_finish(struct opaque_pending *pending, const uint8_t ke3[OPAQUE_KE3_SIZE],
			 uint8_t session_key[OPAQUE_SESSION_KEY_SIZE])
{
	int err = ERR_AUTH;

	if (sodium_memcmp(pending->expected_mac, ke3, sizeof pending->expected_mac) == 0) {
		memcpy(session_key, pending->session_key, sizeof pending->session_key);
		err = 0;
	}
	sodium_memzero(pending, sizeof *pending);
	return err;
}
