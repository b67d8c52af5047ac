/* What a device says of how it can be reached, signed by its account's identity: so that
 * it may come by way of the directory, a common contact or the store, and none of them can
 * change it. (The idea is libp2p's signed peer record.) */
#ifndef PALIQUE_SHARED_PEER_RECORD_H
#define PALIQUE_SHARED_PEER_RECORD_H

#include "shared/candidate.h"
#include "shared/clock.h"
#include "shared/keys.h"
#include "shared/nat.h"

enum { PEER_RECORD_SIZE_MAX = 768 }; /* encoded */

struct peer_record {
	struct device_public device;
	/* The higher one is newer: wall clock in ms when it was made, or one more than before; 0:
	 * there is no record. */
	uint64_t number;
	struct knock knock;
	struct nat nat;               /* of IPv4 */
	bool is_relay;                /* it has agreed to relay for its contacts */
	struct candidates candidates; /* empty: reached through a relay only */
	/* Ed25519 over "palique-peer-record-v1" | all of the above, encoded. */
	uint8_t signature[64];
};

/* `r` is one that can be encoded. */
void peer_record_sign(struct peer_record *r, const struct identity *by);
/* ERR_AUTH. */
int peer_record_verify(const struct peer_record *r, const struct identity_public *by);
/* All of it, with the signature; any two that are none are equal. */
bool peer_record_equal(const struct peer_record *a, const struct peer_record *b);

/* One msgpack array, the signature last; what a field of shared/wire.h holds as bytes. The
 * signature covers the domain and all bytes before its own. ERR_FORMAT, ERR_LIMIT: number 0, a
 * NAT whose ports mean nothing, an address that is none or stands twice; nothing is appended. */
int peer_record_encode(const struct peer_record *r, struct buf *out);
/* Checks form and limits, not the signature. ERR_FORMAT, ERR_LIMIT; `r` is zeroed then. */
int peer_record_decode(struct peer_record *r, struct bytes b);

#endif
