/* QUIC packet protection with ChaCha20-Poly1305 (RFC 9001 section 5), by libsodium. */
#ifndef PALIQUE_SHARED_PACKET_H
#define PALIQUE_SHARED_PACKET_H

#include "shared/bytes.h"

enum {
	PACKET_KEY_SIZE = 32,
	PACKET_IV_SIZE = 12,
	PACKET_TAG_SIZE = 16,
	PACKET_SAMPLE_SIZE = 16
};

/* The IV with the packet number folded in (section 5.3). */
void packet_nonce(uint8_t nonce[PACKET_IV_SIZE], const uint8_t iv[PACKET_IV_SIZE],
		  uint64_t number);

/* `out` has room for the plain text and the tag, and may be where the plain text is. */
void packet_seal(uint8_t *out, const uint8_t key[PACKET_KEY_SIZE],
		 const uint8_t nonce[PACKET_IV_SIZE], struct bytes plain, struct bytes header);
/* ERR_AUTH: out is untouched or harmless. */
int packet_open(uint8_t *out, const uint8_t key[PACKET_KEY_SIZE],
		const uint8_t nonce[PACKET_IV_SIZE], struct bytes sealed, struct bytes header);

/* Header protection (section 5.4.4). */
void packet_mask(uint8_t mask[5], const uint8_t key[PACKET_KEY_SIZE],
		 const uint8_t sample[PACKET_SAMPLE_SIZE]);

#endif
