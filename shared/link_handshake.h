/* Noise inside QUIC's CRYPTO frames: who the other side is. The first message of each
 * side goes at Initial level as type (1 byte), length (2 bytes), Noise message; the
 * payload is the transport parameters' length (2 bytes), the parameters, and perhaps a
 * certificate. Each side then sends one byte at Handshake level: only with the
 * initiator's is it proved, since anybody can send a first message again. */
#ifndef PALIQUE_SHARED_LINK_HANDSHAKE_H
#define PALIQUE_SHARED_LINK_HANDSHAKE_H

#include "shared/certificate.h"
#include "shared/noise.h"
#include "shared/quic_compat.h"

enum {
	HANDSHAKE_MESSAGE_MAX = 1024,   /* a Noise message here; ours have at most 550 bytes */
	HANDSHAKE_PARAMETERS_MAX = 512, /* transport parameters */
	HANDSHAKE_PROLOGUE_MAX = 64,
};

struct link;
struct link_handshake {
	struct noise noise;
	struct buf in; /* of the other side's message so far */
	bool is_message_read;
	bool has_identity; /* the answer must be signed for this one */
	struct identity_public identity;
	uint8_t prologue[HANDSHAKE_PROLOGUE_MAX];
	size_t prologue_size;
};

/* `original` and `scid` are the ids of the client's very first Initial. */
struct link_handshake *link_handshake_new(const ngtcp2_cid *original, const ngtcp2_cid *scid);
void link_handshake_free(struct link_handshake *h);

/* The initiator's first message is written. 0 or the library's error. */
int link_handshake_begin(struct link *l);

/* CRYPTO bytes in order. 0, or NGTCP2_ERR_CRYPTO: refused (what for is in l->error). */
int link_handshake_receive(struct link *l, ngtcp2_crypto_level level, struct bytes data);

#endif
