/* OPAQUE: registration and login by both sides, and what must be refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"
#include "shared/kdf.h"
#include "shared/ksf.h"
#include "shared/opaque.h"
#include "shared/oprf.h"
#include "tests/opaque_answers.h"
#include "tests/vectors_run.h"

void vectors_stretch(struct vectors *v, const char *ksf, const uint8_t in[64], uint8_t out[64])
{
	static const uint8_t salt[16];
	unsigned long long passes, kib;
	int end = 0;

	memcpy(out, in, 64);
	if (strcmp(ksf, "Identity") == 0)
		return;
	if (sscanf(ksf, "Argon2id-t%llu-m%llu-p1%n", &passes, &kib, &end) != 2 || end == 0 ||
	    ksf[end] != '\0') {
		vectors_expect(v, false, "an unknown KSF");
		return;
	}
	vectors_expect(v, ksf_argon2id(passes, kib, bytes_of(in, 64), salt, out, 64) == 0,
		       "Argon2id fails");
	/* Our own table gives the same, where it has the cost. */
	if (passes == 3 && (kib == 64 * 1024 || kib == 256 * 1024)) {
		uint8_t ours[64];

		vectors_expect(
			v,
			ksf_stretch(kib == 64 * 1024 ? KSF_ARGON2ID_64M : KSF_ARGON2ID_256M, in,
				    ours) == 0 &&
				memcmp(ours, out, 64) == 0,
			"ksf_stretch() differs from Argon2id");
	}
}

/* A login's surroundings, out of config and inputs. */
struct scene {
	const struct json *inputs, *outputs, *intermediates;
	const char *ksf;
	struct bytes context, password, id;
	struct opaque_names names;
	struct opaque_server server;
	struct opaque_server_random server_random;
	struct opaque_client_random registration, login;
};

static void config_check(struct vectors *v, const struct json *config)
{
	static const char *const fixed[][2] = {
		{ "Group", "ristretto255" },
		{ "Hash", "SHA512" },
		{ "KDF", "HKDF-SHA512" },
		{ "MAC", "HMAC-SHA512" },
		{ "Name", "3DH" },
		{ "OPRF", "ristretto255-SHA512" },
		{ "Nh", "64" },
		{ "Nm", "64" },
		{ "Nok", "32" },
		{ "Npk", "32" },
		{ "Nsk", "32" },
		{ "Nx", "64" },
	};
	size_t i;

	vectors_fields(
		v, config,
		"Context Fake Group KSF Name Hash? KDF? MAC? OPRF? Nh? Nm? Nok? Npk? Nsk? "
		"Nx?");
	for (i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		vectors_same_text(v, config, fixed[i][0], fixed[i][1]);
}

static void copy_sized(struct vectors *v, uint8_t *out, const struct json *j, const char *key,
		       size_t size)
{
	memcpy(out, vectors_sized(v, j, key, size), size);
}

static void scene_server(struct vectors *v, struct scene *s)
{
	const struct json *in = s->inputs;
	uint8_t public[32];

	copy_sized(v, s->server.oprf_seed, in, "oprf_seed", 64);
	copy_sized(v, s->server.secret, in, "server_private_key", 32);
	copy_sized(v, s->server.public, in, "server_public_key", 32);
	vectors_expect(v,
		       crypto_scalarmult_ristretto255_base(public, s->server.secret) == 0 &&
			       memcmp(public, s->server.public, 32) == 0,
		       "the server's keys do not belong together");
	copy_sized(v, s->server_random.masking_nonce, in, "masking_nonce", 32);
	copy_sized(v, s->server_random.nonce, in, "server_nonce", 32);
	copy_sized(v, s->server_random.keyshare_seed, in, "server_keyshare_seed", 32);
	s->id = vectors_hex(v, in, "credential_identifier");
	if (json_has(in, "client_identity"))
		s->names.client = vectors_hex(v, in, "client_identity");
	if (json_has(in, "server_identity"))
		s->names.server = vectors_hex(v, in, "server_identity");
}

static void scene_client(struct vectors *v, struct scene *s)
{
	const struct json *in = s->inputs;

	s->password = vectors_hex(v, in, "password");
	copy_sized(v, s->registration.blind, in, "blind_registration", 32);
	copy_sized(v, s->registration.nonce, in, "envelope_nonce", 32);
	copy_sized(v, s->login.blind, in, "blind_login", 32);
	copy_sized(v, s->login.nonce, in, "client_nonce", 32);
	copy_sized(v, s->login.keyshare_seed, in, "client_keyshare_seed", 32);
}

static bool scene_from(struct vectors *v, struct scene *s, const struct json *j)
{
	const struct json *config = json_get(j, "config");

	*s = (struct scene){ .inputs = json_get(j, "inputs"),
			     .outputs = json_get(j, "outputs"),
			     .intermediates = json_get(j, "intermediates") };
	vectors_fields(v, j, "config inputs intermediates? outputs");
	config_check(v, config);
	if (v->problem[0] != '\0')
		return false;
	s->ksf = (const char *)vectors_text(v, config, "KSF").data;
	s->context = vectors_hex(v, config, "Context");
	scene_server(v, s);
	return true;
}

/* ---- A fake: the server's answer to whoever asks for a name it does not know ---- */

static void fake(struct vectors *v, struct scene *s)
{
	uint8_t record[OPAQUE_RECORD_SIZE] = { 0 }, ke2[OPAQUE_KE2_SIZE], public[32];
	struct opaque_pending pending;

	vectors_fields(v, s->inputs,
		       "KE1 client_identity? server_identity? client_keyshare_seed "
		       "client_private_key client_public_key credential_identifier masking_key "
		       "masking_nonce oprf_seed server_keyshare_seed server_nonce "
		       "server_private_key server_public_key");
	vectors_fields(v, s->outputs, "KE2");
	if (s->intermediates)
		vectors_fields(v, s->intermediates, "");
	copy_sized(v, record, s->inputs, "client_public_key", 32);
	copy_sized(v, record + 32, s->inputs, "masking_key", 64);
	vectors_expect(v,
		       crypto_scalarmult_ristretto255_base(
			       public, vectors_sized(v, s->inputs, "client_private_key", 32)) ==
				       0 &&
			       memcmp(public, record, 32) == 0,
		       "the fake client's keys do not belong together");
	vectors_expect(v,
		       answer_login(&s->server, s->id, record, s->names, s->context,
				    &s->server_random, vectors_sized(v, s->inputs, "KE1", 96),
				    ke2, &pending) == 0,
		       "the server does not answer");
	vectors_same(v, s->outputs, "KE2", BYTES(ke2));
}

/* ---- A real one ---- */

/* The values on the way that follow from the password's key. */
static void password_values(struct vectors *v, struct scene *s, const struct opaque_client *c,
			    const uint8_t stretched[64])
{
	static const char *const labels[][2] = { { "auth_key", "AuthKey" },
						 { "export_key", "ExportKey" } };
	uint8_t both[128], key[64], out[64], info[32 + 16];
	size_t i;

	memcpy(both, c->oprf_output, 64);
	memcpy(both + 64, stretched, 64);
	hkdf_extract(key, (struct bytes){ 0 }, BYTES(both));
	vectors_same(v, s->intermediates, "randomized_password", BYTES(key));
	hkdf_expand(out, 64, key, bytes_text("MaskingKey"));
	vectors_same(v, s->intermediates, "masking_key", BYTES(out));
	for (i = 0; i < 2; i++) {
		memcpy(info, s->registration.nonce, 32);
		memcpy(info + 32, labels[i][1], strlen(labels[i][1]));
		hkdf_expand(out, 64, key, bytes_of(info, 32 + strlen(labels[i][1])));
		vectors_same(v, i == 0 ? s->intermediates : s->outputs, labels[i][0],
			     BYTES(out));
	}
}

static void registration(struct vectors *v, struct scene *s, uint8_t record[OPAQUE_RECORD_SIZE],
			 uint8_t export_key[64])
{
	uint8_t request[32], response[64], oprf[64], stretched[64];
	struct opaque_client c = { 0 };

	vectors_expect(v,
		       opaque_register_start(&c, s->password, &s->registration, request) == 0 &&
			       answer_registration(&s->server, s->id, request, response) == 0 &&
			       opaque_register_evaluate(&c, response, oprf) == 0,
		       "registration fails");
	vectors_same(v, s->outputs, "registration_request", BYTES(request));
	vectors_same(v, s->outputs, "registration_response", BYTES(response));
	vectors_stretch(v, s->ksf, oprf, stretched);
	password_values(v, s, &c, stretched);
	vectors_expect(v,
		       opaque_register_finish(&c, stretched, s->names, record, export_key) == 0,
		       "registration does not finish");
	vectors_expect(v, opaque_server_check_record(record) == 0, "our own record is refused");
	vectors_same(v, s->outputs, "registration_upload",
		     bytes_of(record, OPAQUE_RECORD_SIZE));
	vectors_same(v, s->outputs, "export_key", bytes_of(export_key, 64));
	vectors_same(v, s->intermediates, "client_public_key", bytes_of(record, 32));
	vectors_same(v, s->intermediates, "masking_key", bytes_of(record + 32, 64));
	vectors_same(v, s->intermediates, "envelope", bytes_of(record + 96, 96));
	opaque_client_wipe(&c);
}

struct login {
	uint8_t ke1[OPAQUE_KE1_SIZE], ke2[OPAQUE_KE2_SIZE], ke3[OPAQUE_KE3_SIZE];
	uint8_t client_key[64], server_key[64], export_key[64];
	struct opaque_pending pending;
};

/* The client's half: from KE2 to KE3; the first error. */
static int client_answer(struct vectors *v, const struct scene *s, struct opaque_client *c,
			 const uint8_t ke2[OPAQUE_KE2_SIZE], struct login *l)
{
	uint8_t oprf[64], stretched[64];
	int err = opaque_login_evaluate(c, ke2, oprf);

	if (err < 0)
		return err;
	vectors_stretch(v, s->ksf, oprf, stretched);
	return opaque_login_finish(c, stretched, s->names, s->context, l->ke3, l->client_key,
				   l->export_key);
}

static void hash_framed(crypto_hash_sha512_state *state, struct bytes b)
{
	uint8_t size[2] = { b.size >> 8, b.size };

	crypto_hash_sha512_update(state, size, 2);
	crypto_hash_sha512_update(state, b.data, b.size);
}

/* HKDF-Expand-Label of RFC 9807 section 6.4.2.1 without context. */
static void label_expand(uint8_t out[64], const uint8_t secret[64], const char *label)
{
	uint8_t info[64] = { 0, 64, (uint8_t)strlen(label) };

	memcpy(info + 3, label, strlen(label));
	hkdf_expand(out, 64, secret, bytes_of(info, 3 + strlen(label) + 1));
}

/* handshake_secret and the MAC keys are not seen from outside: they must lead to the MACs
 * that the messages carry. */
static void handshake_values(struct vectors *v, const struct scene *s, const struct login *l,
			     const uint8_t client_public[32])
{
	static const char *const keys[][2] = { { "server_mac_key", "OPAQUE-ServerMAC" },
					       { "client_mac_key", "OPAQUE-ClientMAC" } };
	const uint8_t *macs[] = { l->ke2 + OPAQUE_KE2_SIZE - 64, l->ke3 };
	struct bytes client = s->names.client, server = s->names.server;
	crypto_hash_sha512_state state, next;
	uint8_t hash[64], key[64], mac[64];
	size_t i;

	if (!s->intermediates)
		return;
	if (client.size == 0)
		client = bytes_of(client_public, 32);
	if (server.size == 0)
		server = BYTES(s->server.public);
	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, (const uint8_t *)"OPAQUEv1-", 9);
	hash_framed(&state, s->context);
	hash_framed(&state, client);
	crypto_hash_sha512_update(&state, l->ke1, sizeof l->ke1);
	hash_framed(&state, server);
	crypto_hash_sha512_update(&state, l->ke2, sizeof l->ke2 - 64);
	next = state;
	for (i = 0; i < 2; i++) {
		label_expand(key, vectors_sized(v, s->intermediates, "handshake_secret", 64),
			     keys[i][1]);
		vectors_same(v, s->intermediates, keys[i][0], BYTES(key));
		crypto_hash_sha512_final(&next, hash);
		hmac_sha512(mac, BYTES(key), BYTES(hash));
		vectors_expect(v, memcmp(mac, macs[i], 64) == 0,
			       "the handshake secret does not lead to the MACs");
		next = state;
		crypto_hash_sha512_update(&next, macs[0], 64);
	}
}

static void login(struct vectors *v, struct scene *s, const uint8_t record[OPAQUE_RECORD_SIZE],
		  struct login *l)
{
	struct opaque_client c = { 0 };

	vectors_expect(v, opaque_login_start(&c, s->password, &s->login, l->ke1) == 0,
		       "login does not start");
	vectors_expect(v,
		       answer_login(&s->server, s->id, record, s->names, s->context,
				    &s->server_random, l->ke1, l->ke2, &l->pending) == 0,
		       "the server does not answer");
	vectors_expect(v, client_answer(v, s, &c, l->ke2, l) == 0, "the client refuses KE2");
	opaque_client_wipe(&c);
}

static const char REAL_INPUTS[] =
	"blind_login blind_registration client_identity? server_identity? client_keyshare_seed "
	"client_nonce credential_identifier envelope_nonce masking_nonce oprf_seed password "
	"server_keyshare_seed server_nonce server_private_key server_public_key";

static void oprf_key_check(struct vectors *v, const struct scene *s)
{
	struct buf info = { 0 };
	uint8_t seed[32], secret[32], public[32];

	buf_append(&info, s->id);
	buf_append(&info, bytes_text("OprfKey"));
	hkdf_expand(seed, sizeof seed, s->server.oprf_seed, buf_view(&info));
	oprf_derive_key(OPRF_BASE, seed, bytes_text("OPAQUE-DeriveKeyPair"), secret, public);
	vectors_same(v, s->intermediates, "oprf_key", BYTES(secret));
	buf_clear(&info);
}

static void real(struct vectors *v, struct scene *s)
{
	uint8_t record[OPAQUE_RECORD_SIZE], export_key[64];
	struct login l = { 0 };

	vectors_fields(v, s->inputs, REAL_INPUTS);
	vectors_fields(v, s->outputs,
		       "KE1 KE2 KE3 export_key registration_request registration_response "
		       "registration_upload session_key");
	if (s->intermediates)
		vectors_fields(v, s->intermediates,
			       "auth_key client_mac_key client_public_key envelope "
			       "handshake_secret masking_key oprf_key randomized_password "
			       "server_mac_key");
	scene_client(v, s);
	if (v->problem[0] != '\0')
		return;
	registration(v, s, record, export_key);
	oprf_key_check(v, s);
	login(v, s, record, &l);
	vectors_same(v, s->outputs, "KE1", BYTES(l.ke1));
	vectors_same(v, s->outputs, "KE2", BYTES(l.ke2));
	vectors_same(v, s->outputs, "KE3", BYTES(l.ke3));
	vectors_same(v, s->outputs, "session_key", BYTES(l.client_key));
	vectors_same(v, s->outputs, "export_key", BYTES(l.export_key));
	handshake_values(v, s, &l, record);
	vectors_expect(v, opaque_server_finish(&l.pending, l.ke3, l.server_key) == 0,
		       "the server refuses KE3");
	vectors_same(v, s->outputs, "session_key", BYTES(l.server_key));
}

static void opaque_case(struct vectors *v, const struct json *j)
{
	struct scene s;
	struct bytes is_fake;

	if (!scene_from(v, &s, j))
		return;
	is_fake = vectors_text(v, json_get(j, "config"), "Fake");
	if (bytes_equal(is_fake, bytes_text("True")))
		fake(v, &s);
	else if (bytes_equal(is_fake, bytes_text("False")))
		real(v, &s);
	else
		vectors_expect(v, false, "neither fake nor real");
}

void vectors_opaque(struct vectors *v)
{
	vectors_fields(v, v->root, "source? note? count? vectors");
	if (v->problem[0] == '\0')
		vectors_list(v, opaque_case);
}

/* ---- To be refused ---- */

/* Nothing may have been written when a step is refused. */
static bool is_untouched(const uint8_t *b, size_t size)
{
	return sodium_is_zero(b, size);
}

/* The client meets a forged KE2 (or has the wrong password) and must not tell which. */
static void client_refuses(struct vectors *v, struct scene *s, const struct json *j,
			   const uint8_t record[OPAQUE_RECORD_SIZE],
			   const struct login *genuine)
{
	struct opaque_client c = { 0 };
	struct login l = { 0 };
	const uint8_t *ke2 = l.ke2;

	if (json_has(j, "password"))
		s->password = vectors_hex(v, j, "password");
	opaque_login_start(&c, s->password, &s->login, l.ke1);
	if (json_has(j, "KE2")) {
		vectors_expect(v, memcmp(l.ke1, genuine->ke1, sizeof l.ke1) == 0,
			       "KE1 comes out differently");
		ke2 = vectors_sized(v, j, "KE2", OPAQUE_KE2_SIZE);
	} else {
		vectors_expect(v, json_has(j, "password"), "nothing to refuse");
		vectors_expect(v,
			       answer_login(&s->server, s->id, record, s->names, s->context,
					    &s->server_random, l.ke1, l.ke2, &l.pending) == 0,
			       "the server must answer a wrong password as any other");
	}
	vectors_expect(v, client_answer(v, s, &c, ke2, &l) == ERR_AUTH,
		       "the client does not refuse, or with another error");
	vectors_expect(v,
		       is_untouched(l.ke3, sizeof l.ke3) &&
			       is_untouched(l.client_key, sizeof l.client_key) &&
			       is_untouched(l.export_key, sizeof l.export_key),
		       "the client gives something out");
	opaque_client_wipe(&c);
}

static void server_refuses(struct vectors *v, struct scene *s, const struct json *j,
			   const uint8_t record[OPAQUE_RECORD_SIZE], struct login *genuine)
{
	uint8_t key[64] = { 0 }, ke2[OPAQUE_KE2_SIZE] = { 0 };

	if (json_has(j, "KE3")) {
		vectors_expect(v,
			       opaque_server_finish(&genuine->pending,
						    vectors_sized(v, j, "KE3", OPAQUE_KE3_SIZE),
						    key) == ERR_AUTH,
			       "the server does not refuse KE3");
		vectors_expect(v, is_untouched(key, sizeof key), "the server gives a key out");
		return;
	}
	vectors_expect(v,
		       answer_login(&s->server, s->id, record, s->names, s->context,
				    &s->server_random,
				    vectors_sized(v, j, "KE1", OPAQUE_KE1_SIZE), ke2,
				    &genuine->pending) == ERR_AUTH,
		       "the server does not refuse KE1");
	vectors_expect(v, is_untouched(ke2, sizeof ke2), "the server answers");
}

/* Messages are of one size each: the type of our functions' arguments. */
static void length_refused(struct vectors *v, const struct json *j)
{
	size_t size = vectors_hex(v, j, "bytes").size;

	vectors_fields(v, j, "kind must bytes");
	vectors_same_text(v, j, "must", "refuse");
	vectors_expect(v,
		       size != OPAQUE_KE1_SIZE && size != OPAQUE_KE2_SIZE &&
			       size != OPAQUE_KE3_SIZE,
		       "is of a length that a message has");
}

static bool begins(struct bytes text, const char *with)
{
	return text.size >= strlen(with) && memcmp(text.data, with, strlen(with)) == 0;
}

static void refusal(struct vectors *v, const struct json *j)
{
	bool is_client = json_has(j, "client_must");
	uint8_t record[OPAQUE_RECORD_SIZE], export_key[64];
	struct login genuine = { 0 };
	struct scene s;

	if (json_has(j, "bytes")) {
		length_refused(v, j);
		return;
	}
	vectors_fields(v, j,
		       is_client ? "kind client_must base KE2? password?"
				 : "kind server_must base? KE1? KE3?");
	vectors_expect(
		v,
		begins(vectors_text(v, j, is_client ? "client_must" : "server_must"), "refuse"),
		"not about refusing");
	vectors_expect(v, is_client || json_has(j, "KE1") != json_has(j, "KE3"),
		       "neither KE1 nor KE3");
	if (v->problem[0] != '\0' ||
	    !scene_from(v, &s,
			json_at(json_get(v->root, "base"),
				json_has(j, "base") ? vectors_int(v, j, "base") : 0)))
		return;
	vectors_fields(v, s.inputs, REAL_INPUTS);
	scene_client(v, &s);
	if (v->problem[0] != '\0')
		return;
	registration(v, &s, record, export_key);
	login(v, &s, record, &genuine);
	vectors_same(v, s.outputs, "KE1", BYTES(genuine.ke1));
	vectors_same(v, s.outputs, "KE2", BYTES(genuine.ke2));
	if (v->problem[0] != '\0')
		return;
	if (is_client)
		client_refuses(v, &s, j, record, &genuine);
	else
		server_refuses(v, &s, j, record, &genuine);
}

void vectors_opaque_must_refuse(struct vectors *v)
{
	vectors_fields(v, v->root, "source? note? count? base vectors");
	if (v->problem[0] == '\0')
		vectors_list(v, refusal);
}
