/* Inside of lan: lan_seal.c makes and opens what only two can read, lan.c says it and hears it. */
#ifndef PALIQUE_PEER_LAN_INSIDE_H
#define PALIQUE_PEER_LAN_INSIDE_H

#include "peer/lan.h"
#include "shared/peer_record.h"

enum {
	LAN_ANNOUNCEMENT = 0x20, /* first bytes */
	LAN_REPLY = 0x21,
	LAN_NONCE = 16,
	LAN_TOKEN = 8,
	LAN_REPLY_NONCE = 24, /* of XChaCha20-Poly1305 */
	LAN_REPLY_HEAD = 1 + LAN_TOKEN + LAN_REPLY_NONCE,
	LAN_REPLY_MAX = LAN_REPLY_HEAD + LAN_NONCE + PEER_RECORD_SIZE_MAX + 16,
};

struct lan_token {
	uint8_t bytes[LAN_TOKEN];
};

/* Of an announcement: `from` is its source, as its sender knows it and as the receiver sees it.
 * Of a reply: `from` is NULL. */
struct lan_token lan_token(const struct symmetric_key *pair, struct bytes nonce,
			   const struct address *from);

/* The reply to `nonce`, with the record; its size. 0: the record cannot be encoded. */
size_t lan_seal(uint8_t out[LAN_REPLY_MAX], const struct symmetric_key *pair,
		const uint8_t nonce[LAN_NONCE], const struct peer_record *record);
/* Whether it may be a reply; then its token is behind the first byte. */
bool lan_is_reply(struct bytes data);
/* LAN_REPLY_NONCE bytes of it. */
struct bytes lan_reply_nonce(struct bytes reply);
/* What it answers, and the record, whose signature is not checked. ERR_AUTH, ERR_FORMAT,
 * ERR_LIMIT. */
int lan_open(uint8_t nonce[LAN_NONCE], struct peer_record *record, struct bytes reply,
	     const struct symmetric_key *pair);

#endif
