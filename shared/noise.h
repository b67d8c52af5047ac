/* The Noise Protocol Framework (revision 34) with 25519, ChaChaPoly and BLAKE2b:
 * handshake patterns as a table of tokens, one state that reads and writes them. */
#ifndef PALIQUE_SHARED_NOISE_H
#define PALIQUE_SHARED_NOISE_H

#include "shared/keys.h"

enum { NOISE_MESSAGE_MAX = 65535 }; /* section 3 */
enum { NOISE_HASH_SIZE = 64, NOISE_TAG_SIZE = 16 };
enum { NOISE_PROTOCOL_NAME_MAX = 64 };
enum { NOISE_PSK_MAX = 5 }; /* psk0 to psk4: the longest patterns have four messages */

enum noise_role { NOISE_INITIATOR, NOISE_RESPONDER };

/* A key and its counter: what the handshake leaves behind, and inside, CipherState
 * (section 5.1). The counter moves only after success. */
struct noise_cipher {
	uint8_t key[32];
	uint64_t nonce;
	bool has_key;
};

struct noise {
	const struct noise_pattern *pattern;
	enum noise_role role;
	unsigned message;      /* which handshake message is next, from 0 */
	bool tokens_done;      /* tokens written, payload not yet */
	size_t tokens_size;    /* bytes of them, towards NOISE_MESSAGE_MAX */
	uint8_t psk_modifiers; /* bit n: a psk token at place n */
	struct noise_cipher cipher;
	uint8_t ck[NOISE_HASH_SIZE], h[NOISE_HASH_SIZE];
	struct device our_static, our_ephemeral;
	struct device_public their_static, their_ephemeral;
	bool has_their_static, has_their_ephemeral, has_our_static;
	struct symmetric_key psk[NOISE_PSK_MAX]; /* in the order they are used */
	unsigned psk_count, psk_used;
	bool is_failed; /* a failed handshake stays failed */
};

/* What one side brings; NULL where the pattern does not need it. Copied. */
struct noise_keys {
	const struct device *our_static;
	const struct device *our_ephemeral; /* fresh for each handshake; wiped by the caller */
	const struct device_public *their_static; /* pre-message, where the pattern has one */
	const struct symmetric_key *psks;
	unsigned psk_count;
};

/* `protocol` is the full name, as "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b": the twelve
 * interactive, three one-way and 23 deferred patterns, with any psk modifiers.
 * ERR_NOT_FOUND: not a pattern of ours. ERR_STATE: a key is missing. */
int noise_begin(struct noise *n, const char *protocol, enum noise_role role,
		struct bytes prologue, const struct noise_keys *keys);
/* Nothing secret stays; the handshake counts as failed. A failure does the same. */
void noise_wipe(struct noise *n);

/* The next message, in two halves: after the tokens ck is final for this message,
 * so that keys can be taken before the payload is sealed. Appends to `out`. */
int noise_write_tokens(struct noise *n, struct buf *out);
int noise_write_payload(struct noise *n, struct bytes payload, struct buf *out);

/* Reads a whole message; the payload is appended to `payload` only when all of it
 * verified. An all-zero DH result is refused with ERR_AUTH (stricter than section
 * 12.1: our silence to strangers rests on it). On failure the handshake is over. */
int noise_read(struct noise *n, struct bytes message, struct buf *payload);

bool noise_is_done(const struct noise *n);

/* Split (section 5.2): `first` is for what the initiator sends. May be taken once
 * the tokens of the last message are written or read. */
void noise_split(const struct noise *n, struct noise_cipher *first,
		 struct noise_cipher *second);

/* Transport messages under a split cipher; used by tests and small seals. */
int noise_encrypt(struct noise_cipher *c, struct bytes ad, struct bytes plain, struct buf *out);
int noise_decrypt(struct noise_cipher *c, struct bytes ad, struct bytes sealed,
		  struct buf *out);

#endif
