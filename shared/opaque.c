#include "shared/opaque.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/kdf.h"
#include "shared/opaque_keys.h"
#include "shared/oprf.h"

enum step {
	NOTHING,
	REGISTER_STARTED,
	REGISTER_EVALUATED,
	LOGIN_STARTED,
	LOGIN_EVALUATED,
	DONE
};

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
			uint8_t blinded[OPAQUE_ELEMENT_SIZE])
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
			   enum step before, enum step after,
			   uint8_t oprf_output[OPAQUE_HASH_SIZE])
{
	int err;

	if (c->step != (int)before)
		return ERR_STATE;
	err = oprf_finalize(OPRF_BASE, bytes_of(c->password, c->password_size),
			    (struct bytes){ 0 }, c->random.blind, answer, c->oprf_output);
	if (err < 0)
		return ERR_AUTH;
	memcpy(c->answer, answer, size);
	memcpy(oprf_output, c->oprf_output, OPAQUE_HASH_SIZE);
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
	if (!oprf_is_element(response + offsetof(struct opaque_response, server_public)))
		return c->step == REGISTER_STARTED ? ERR_AUTH : ERR_STATE;
	return client_evaluate(c, response, OPAQUE_RESPONSE_SIZE, REGISTER_STARTED,
			       REGISTER_EVALUATED, oprf_output);
}

int opaque_register_finish(struct opaque_client *c, const uint8_t stretched[OPAQUE_OPRF_SIZE],
			   struct opaque_names names, uint8_t record[OPAQUE_RECORD_SIZE],
			   uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE])
{
	struct opaque_response response;
	struct opaque_record r;
	struct opaque_opened o;
	uint8_t key[HKDF_PRK_SIZE];
	int err = ERR_STATE;

	if (c->step != REGISTER_EVALUATED)
		goto out;
	err = ERR_LIMIT;
	if (!opaque_names_fit(names, (struct bytes){ 0 }))
		goto out;
	memcpy(&response, c->answer, sizeof response);
	opaque_randomize(key, c->oprf_output, stretched);
	err = opaque_envelope_derive(&o, key, c->random.nonce, response.server_public, names);
	if (err < 0)
		goto out;
	memcpy(r.client_public, o.client.public, sizeof r.client_public);
	opaque_expand(r.masking_key, sizeof r.masking_key, key, (struct bytes){ 0 },
		      "MaskingKey");
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
	struct opaque_pair keyshare;
	struct opaque_ke1 message;
	int err = client_begin(c, password, random, LOGIN_STARTED, message.blinded);

	if (err < 0)
		goto out;
	err = opaque_derive_dh_pair(&keyshare, random->keyshare_seed);
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
static int client_recover(struct opaque_opened *o, struct opaque_masked *shown,
			  const struct opaque_client *c, const struct opaque_ke2 *ke2,
			  const uint8_t stretched[OPAQUE_HASH_SIZE], struct opaque_names names)
{
	uint8_t key[HKDF_PRK_SIZE], masking_key[OPAQUE_HASH_SIZE], plain[OPAQUE_MASKED_SIZE];
	int err;

	opaque_randomize(key, c->oprf_output, stretched);
	opaque_expand(masking_key, sizeof masking_key, key, (struct bytes){ 0 }, "MaskingKey");
	opaque_mask(plain, ke2->masked, masking_key, ke2->masking_nonce);
	memcpy(shown, plain, sizeof *shown);
	err = opaque_envelope_derive(o, key, shown->envelope.nonce, shown->server_public,
				     names);
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

static int client_shares(struct opaque_shares *s, const struct opaque_pair *keyshare,
			 const struct opaque_pair *client,
			 const uint8_t server_keyshare[OPAQUE_ELEMENT_SIZE],
			 const uint8_t server_public[OPAQUE_ELEMENT_SIZE])
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
	struct opaque_ke1 ke1;
	struct opaque_ke2 ke2;
	struct opaque_masked shown;
	struct opaque_opened o;
	struct opaque_pair keyshare;
	struct opaque_shares shares;
	struct opaque_exchange x;
	int err = ERR_STATE;

	if (c->step != LOGIN_EVALUATED)
		goto out;
	err = ERR_LIMIT;
	if (!opaque_names_fit(names, context))
		goto out;
	err = ERR_AUTH;
	memcpy(&ke1, c->ke1, sizeof ke1);
	memcpy(&ke2, c->answer, sizeof ke2);
	if (client_recover(&o, &shown, c, &ke2, stretched, names) < 0)
		goto out;
	if (opaque_derive_dh_pair(&keyshare, c->random.keyshare_seed) < 0 ||
	    client_shares(&shares, &keyshare, &o.client, ke2.server_keyshare,
			  shown.server_public) < 0)
		goto out;
	names.client = opaque_name_or_key(names.client, o.client.public);
	names.server = opaque_name_or_key(names.server, shown.server_public);
	opaque_preamble(&state, names, context, &ke1, &ke2);
	opaque_exchange_derive(&x, &shares, &state);
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
	uint8_t seed[OPAQUE_SEED_SIZE];
	struct opaque_pair pair;

	randombytes_buf(s->oprf_seed, sizeof s->oprf_seed);
	do
		randombytes_buf(seed, sizeof seed);
	while (opaque_derive_dh_pair(&pair, seed) < 0);
	memcpy(s->secret, pair.secret, sizeof s->secret);
	memcpy(s->public, pair.public, sizeof s->public);
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(&pair, sizeof pair);
}

/* Each name has its own OPRF key, out of the one seed (section 6.3.2.2). */
static int server_evaluate(const struct opaque_server *s, struct bytes name,
			   const uint8_t blinded[OPAQUE_ELEMENT_SIZE],
			   uint8_t evaluated[OPAQUE_ELEMENT_SIZE])
{
	struct buf info = { 0 };
	uint8_t seed[OPAQUE_SEED_SIZE], in[1][OPAQUE_ELEMENT_SIZE], out[1][OPAQUE_ELEMENT_SIZE];
	struct opaque_pair pair;
	int err = ERR_LIMIT;

	if (name.size > OPAQUE_NAME_MAX_SIZE)
		goto out;
	buf_append(&info, name);
	buf_append(&info, bytes_text("OprfKey"));
	err = hkdf_expand(seed, sizeof seed, s->oprf_seed, buf_view(&info));
	assert(err == 0);
	err = opaque_derive_pair(&pair, seed, "OPAQUE-DeriveKeyPair");
	if (err < 0)
		goto out;
	memcpy(in[0], blinded, sizeof in[0]);
	err = oprf_evaluate(OPRF_BASE, pair.secret, (struct bytes){ 0 },
			    (const uint8_t(*)[OPAQUE_ELEMENT_SIZE])in, 1, NULL, out, NULL);
	if (err < 0)
		goto out;
	memcpy(evaluated, out[0], sizeof out[0]);
out:
	buf_clear(&info);
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(&pair, sizeof pair);
	return err;
}

int opaque_hold(const struct opaque_server *s, struct bytes name, const uint8_t blinded[32],
		const uint8_t *keyshare, struct opaque_held *held)
{
	struct opaque_held h = { 0 };
	int err = server_evaluate(s, name, blinded, h.evaluated);

	if (err == 0 && keyshare && oprf_multiply(h.shared, s->secret, keyshare) < 0)
		err = ERR_AUTH;
	if (err == 0)
		*held = h;
	sodium_memzero(&h, sizeof h);
	return err;
}

void opaque_server_register(const uint8_t server_public[32], const struct opaque_held *held,
			    uint8_t response[OPAQUE_RESPONSE_SIZE])
{
	struct opaque_response r;

	memcpy(r.evaluated, held->evaluated, sizeof r.evaluated);
	memcpy(r.server_public, server_public, sizeof r.server_public);
	memcpy(response, &r, sizeof r);
}

int opaque_server_check_record(const uint8_t record[OPAQUE_RECORD_SIZE])
{
	return oprf_is_element(record + offsetof(struct opaque_record, client_public))
		       ? 0
		       : ERR_AUTH;
}

void opaque_server_fake_record(uint8_t record[OPAQUE_RECORD_SIZE])
{
	uint8_t seed[OPAQUE_SEED_SIZE];
	struct opaque_pair pair;
	struct opaque_record r = { 0 }; /* the envelope of a fake is zeros */

	do
		randombytes_buf(seed, sizeof seed);
	while (opaque_derive_dh_pair(&pair, seed) < 0);
	memcpy(r.client_public, pair.public, sizeof r.client_public);
	randombytes_buf(r.masking_key, sizeof r.masking_key);
	memcpy(record, &r, sizeof r);
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(&pair, sizeof pair);
}

/* The second is the held one: the only that the AKE key has a part in. */
static int server_shares(struct opaque_shares *s, const struct opaque_pair *keyshare,
			 const struct opaque_held *held,
			 const uint8_t client_keyshare[OPAQUE_ELEMENT_SIZE],
			 const uint8_t client_public[OPAQUE_ELEMENT_SIZE])
{
	if (sodium_is_zero(held->shared, sizeof held->shared) || /* held for a registration */
	    oprf_multiply(s->points[0], keyshare->secret, client_keyshare) < 0 ||
	    oprf_multiply(s->points[2], keyshare->secret, client_public) < 0)
		return ERR_AUTH;
	memcpy(s->points[1], held->shared, sizeof s->points[1]);
	return 0;
}

int opaque_server_respond(const uint8_t server_public[32], const struct opaque_held *held,
			  const uint8_t record[OPAQUE_RECORD_SIZE], struct opaque_names names,
			  struct bytes context, const struct opaque_server_random *random,
			  const uint8_t ke1_bytes[OPAQUE_KE1_SIZE],
			  uint8_t ke2_bytes[OPAQUE_KE2_SIZE], struct opaque_pending *pending)
{
	crypto_hash_sha512_state state;
	struct opaque_record r;
	struct opaque_masked plain;
	uint8_t unmasked[OPAQUE_MASKED_SIZE];
	struct opaque_ke1 ke1;
	struct opaque_ke2 ke2;
	struct opaque_pair keyshare;
	struct opaque_shares shares;
	struct opaque_exchange x;
	int err = ERR_LIMIT;

	memcpy(&r, record, sizeof r);
	memcpy(&ke1, ke1_bytes, sizeof ke1);
	if (!opaque_names_fit(names, context))
		goto out;
	err = opaque_derive_dh_pair(&keyshare, random->keyshare_seed);
	if (err < 0)
		goto out;
	err = server_shares(&shares, &keyshare, held, ke1.client_keyshare, r.client_public);
	if (err < 0)
		goto out;

	memcpy(ke2.evaluated, held->evaluated, sizeof ke2.evaluated);
	memcpy(plain.server_public, server_public, sizeof plain.server_public);
	plain.envelope = r.envelope;
	memcpy(unmasked, &plain, sizeof unmasked);
	memcpy(ke2.masking_nonce, random->masking_nonce, sizeof ke2.masking_nonce);
	opaque_mask(ke2.masked, unmasked, r.masking_key, ke2.masking_nonce);
	memcpy(ke2.server_nonce, random->nonce, sizeof ke2.server_nonce);
	memcpy(ke2.server_keyshare, keyshare.public, sizeof ke2.server_keyshare);

	names.client = opaque_name_or_key(names.client, r.client_public);
	names.server = opaque_name_or_key(names.server, server_public);
	opaque_preamble(&state, names, context, &ke1, &ke2);
	opaque_exchange_derive(&x, &shares, &state);
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
