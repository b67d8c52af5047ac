/* The small datagrams by which two devices find a path to each other, outside QUIC (first byte
 * below 64, the place that RFC 9443 gives to STUN). Only the two can make one: no directory, no
 * stranger. Who gets one that is not authentic says nothing.
 *
 *   probe    0x10 | tag (8) | nonce (8) | MAC (16)                       33 bytes
 *   answer   0x11 | tag (8) | their nonce (8) | own nonce (8) | MAC (16) 41 bytes
 *
 * The tag finds the sender among all whom the receiver knows; it is made from the receiver's
 * knock, so it changes with that. The MAC is keyed BLAKE2b under a key of the two devices and
 * this direction (pair_key_between(), "palique-probe-v1"). An answer is a probe too: who gets
 * one answers its nonce, once for each. */
#ifndef PALIQUE_SHARED_PROBE_H
#define PALIQUE_SHARED_PROBE_H

#include "shared/keys.h"

enum {
	PROBE_TAG_SIZE = 8,
	PROBE_NONCE_SIZE = 8,
	PROBE_MAC_SIZE = 16,
	PROBE_SIZE = 1 + PROBE_TAG_SIZE + PROBE_NONCE_SIZE + PROBE_MAC_SIZE,
	PROBE_ANSWER_SIZE = PROBE_SIZE + PROBE_NONCE_SIZE,
	PROBE_SIZE_MAX = PROBE_ANSWER_SIZE,
};
struct probe_tag {
	uint8_t bytes[PROBE_TAG_SIZE];
};
struct probe_nonce {
	uint8_t bytes[PROBE_NONCE_SIZE];
};

/* What two devices need for probing each other; wiped by its owner. */
struct probe_keys {
	struct symmetric_key out, in; /* MACs of ours and of theirs */
	struct probe_tag tag_out;     /* finds us at them: from their knock */
	struct probe_tag tag_in;      /* finds them at us: from our knock */
};
void probe_keys_make(struct probe_keys *keys, const struct symmetric_key *pair,
		     const struct device_public *ours, const struct device_public *theirs,
		     const struct knock *our_knock, const struct knock *their_knock);

struct probe {
	bool is_answer;
	struct probe_nonce nonce; /* the sender's: to be answered */
	struct probe_nonce echo;  /* is_answer: the one that is answered */
};

/* Whether it looks like one at all, and whom it claims to be from. ERR_FORMAT. */
int probe_tag_of(struct probe_tag *tag, struct bytes datagram);
/* Returns the size. */
size_t probe_encode(uint8_t out[PROBE_SIZE_MAX], const struct probe *p,
		    const struct probe_keys *keys);
/* ERR_FORMAT, ERR_AUTH; `p` is zeroed then. */
int probe_decode(struct probe *p, struct bytes datagram, const struct probe_keys *keys);

#endif
