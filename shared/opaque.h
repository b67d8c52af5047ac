/* OPAQUE-3DH with ristretto255 and SHA-512 (RFC 9807): the steps of client and
 * server as pure functions. The client's stretching (Argon2id) happens between two
 * steps, so that it can run where it blocks nobody. */
#ifndef PALIQUE_SHARED_OPAQUE_H
#define PALIQUE_SHARED_OPAQUE_H

#include "shared/bytes.h"

enum {
	OPAQUE_REQUEST_SIZE = 32,  /* RegistrationRequest */
	OPAQUE_RESPONSE_SIZE = 64, /* RegistrationResponse: evaluated element, server key */
	OPAQUE_RECORD_SIZE = 192,  /* RegistrationRecord: client key, masking key, envelope */
	OPAQUE_KE1_SIZE = 96,
	OPAQUE_KE2_SIZE = 320,
	OPAQUE_KE3_SIZE = 64,
	OPAQUE_OPRF_SIZE = 64, /* what goes into and comes out of stretching */
	OPAQUE_SESSION_KEY_SIZE = 64,
	OPAQUE_EXPORT_KEY_SIZE = 64,
	OPAQUE_PASSWORD_MAX = 1024, /* bytes: our choice */
};

/* Who talks to whom (RFC 9807 section 4): empty identities stand for the keys. */
struct opaque_names {
	struct bytes client, server;
};

/* Fresh randomness of one exchange, given so that vectors can be repeated. */
struct opaque_client_random {
	uint8_t blind[32];         /* a scalar, not zero */
	uint8_t nonce[32];         /* login: client_nonce; registration: envelope_nonce */
	uint8_t keyshare_seed[32]; /* login only */
};
struct opaque_server_random {
	uint8_t masking_nonce[32], nonce[32], keyshare_seed[32];
};
void opaque_client_random(struct opaque_client_random *r);
void opaque_server_random(struct opaque_server_random *r);

/* The client between its steps. Holds the password: keep it in locked memory and
 * wipe it with opaque_client_wipe() on every path. */
struct opaque_client {
	uint8_t password[OPAQUE_PASSWORD_MAX];
	size_t password_size;
	struct opaque_client_random random;
	uint8_t ke1[OPAQUE_KE1_SIZE];
	uint8_t answer[OPAQUE_KE2_SIZE]; /* KE2 or RegistrationResponse */
	uint8_t oprf_output[OPAQUE_OPRF_SIZE];
	int step;
};
void opaque_client_wipe(struct opaque_client *c);

/* Registration: start -> request; evaluate the response -> oprf output to stretch;
 * finish with the stretched value -> record for the server. */
int opaque_register_start(struct opaque_client *c, struct bytes password,
			  const struct opaque_client_random *random,
			  uint8_t request[OPAQUE_REQUEST_SIZE]);
int opaque_register_evaluate(struct opaque_client *c,
			     const uint8_t response[OPAQUE_RESPONSE_SIZE],
			     uint8_t oprf_output[OPAQUE_OPRF_SIZE]);
int opaque_register_finish(struct opaque_client *c, const uint8_t stretched[OPAQUE_OPRF_SIZE],
			   struct opaque_names names, uint8_t record[OPAQUE_RECORD_SIZE],
			   uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE]);

/* Login likewise. ERR_AUTH stands for every failure alike: wrong password, unknown
 * name, forged answer; nothing is written then. */
int opaque_login_start(struct opaque_client *c, struct bytes password,
		       const struct opaque_client_random *random, uint8_t ke1[OPAQUE_KE1_SIZE]);
int opaque_login_evaluate(struct opaque_client *c, const uint8_t ke2[OPAQUE_KE2_SIZE],
			  uint8_t oprf_output[OPAQUE_OPRF_SIZE]);
int opaque_login_finish(struct opaque_client *c, const uint8_t stretched[OPAQUE_OPRF_SIZE],
			struct opaque_names names, struct bytes context,
			uint8_t ke3[OPAQUE_KE3_SIZE],
			uint8_t session_key[OPAQUE_SESSION_KEY_SIZE],
			uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE]);

/* The server's secrets, to be wiped by the caller; only the key-holder has them
 * (directory/holder.h). Losing the seed locks everyone out. */
struct opaque_server {
	uint8_t oprf_seed[64];
	uint8_t secret[32], public[32];
};
void opaque_server_make(struct opaque_server *s);

/* What needs the secrets, and nothing else: the OPRF of a blinded element under the key of
 * `name` (section 5.2, 6.3.2.1), and the AKE key's Diffie-Hellman share with the
 * client's key share. `keyshare` NULL: a registration, `shared` is zeroed.
 * ERR_AUTH: not an element, or the identity; nothing is written then. */
struct opaque_held {
	uint8_t evaluated[32];
	uint8_t shared[32];
};
int opaque_hold(const struct opaque_server *s, struct bytes name, const uint8_t blinded[32],
		const uint8_t *keyshare, struct opaque_held *held);

/* Where these stand in what the client sends. */
static inline const uint8_t *opaque_ke1_blinded(const uint8_t ke1[OPAQUE_KE1_SIZE])
{
	return ke1;
}
static inline const uint8_t *opaque_ke1_keyshare(const uint8_t ke1[OPAQUE_KE1_SIZE])
{
	return ke1 + 64;
}

void opaque_server_register(const uint8_t server_public[32], const struct opaque_held *held,
			    uint8_t response[OPAQUE_RESPONSE_SIZE]);

/* What a client uploads is checked once, before it is stored. ERR_AUTH: its key is not an
 * element of the group. */
int opaque_server_check_record(const uint8_t record[OPAQUE_RECORD_SIZE]);

/* A record for names that do not exist (section 6.3.2.2); made once, stored, and
 * fetched by the same query as a real one. */
void opaque_server_fake_record(uint8_t record[OPAQUE_RECORD_SIZE]);

/* What the server keeps between KE2 and KE3. */
struct opaque_pending {
	uint8_t expected_mac[64];
	uint8_t session_key[OPAQUE_SESSION_KEY_SIZE];
};
/* ERR_AUTH: KE1 holds what is not an element, or the identity. Nothing is written then. */
int opaque_server_respond(const uint8_t server_public[32], const struct opaque_held *held,
			  const uint8_t record[OPAQUE_RECORD_SIZE], struct opaque_names names,
			  struct bytes context, const struct opaque_server_random *random,
			  const uint8_t ke1[OPAQUE_KE1_SIZE], uint8_t ke2[OPAQUE_KE2_SIZE],
			  struct opaque_pending *pending);
/* Constant time. ERR_AUTH: wrong password or unknown name. Wipes `pending`. */
int opaque_server_finish(struct opaque_pending *pending, const uint8_t ke3[OPAQUE_KE3_SIZE],
			 uint8_t session_key[OPAQUE_SESSION_KEY_SIZE]);

#endif
