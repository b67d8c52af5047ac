/* Asking a directory for its key, by who holds a link without one (trust on first use):
 * one datagram there, one back, outside QUIC (first byte below 64).
 *
 *   question  0x01 | "palq-key" | 16 random bytes | zeros, up to 1200 bytes
 *   answer    0x02 | the same 16 bytes | the directory's Noise static key (32)
 *
 * The answer is much smaller than the question, so nobody gains by asking in another's
 * name (RFC 9000 section 8). It proves nothing: who asks pins what comes and says so. */
#ifndef PALIQUE_SHARED_KEY_QUERY_H
#define PALIQUE_SHARED_KEY_QUERY_H

#include "shared/keys.h"

enum {
	KEY_QUERY_SIZE = 1200,
	KEY_ANSWER_SIZE = 1 + 16 + 32,
	KEY_QUERY_RETRY_MS = 500, /* ask again so often: our choice */
};

/* Random, made by who asks; an answer that repeats another is not ours. */
struct key_query_nonce {
	uint8_t bytes[16];
};

void key_query_encode(uint8_t out[KEY_QUERY_SIZE], const struct key_query_nonce *nonce);
/* ERR_FORMAT: not a question (also one that is padded with anything but zeros). */
int key_query_decode(struct key_query_nonce *nonce, struct bytes datagram);

void key_answer_encode(uint8_t out[KEY_ANSWER_SIZE], const struct key_query_nonce *nonce,
		       const struct device_public *key);
/* ERR_FORMAT: not an answer. ERR_AUTH: not to this question. `key` is untouched then. */
int key_answer_decode(struct device_public *key, struct bytes datagram,
		      const struct key_query_nonce *asked);

#endif
