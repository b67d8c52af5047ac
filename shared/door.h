/* What a stranger's first packet has to show before anything is kept for it: that it
 * knows whom it knocks at, where the address must be proved that it can be answered
 * there, and that it is not one too many. No state for any one sender. */
#ifndef PALIQUE_SHARED_DOOR_H
#define PALIQUE_SHARED_DOOR_H

#include "shared/address.h"
#include "shared/clock.h"
#include "shared/keys.h"

/* Made from a responder's knock and device key: whoever knows both can speak to it. */
struct door_keys {
	uint8_t token[32];   /* authenticates the knock token */
	uint8_t initial[32]; /* Initial packets' keys come from it */
	uint8_t retry[32];   /* the Retry packet's integrity tag */
};
void door_keys_make(struct door_keys *keys, const struct knock *knock,
		    const struct device_public *responder);

enum {
	DOOR_TOKEN_SIZE = 1 + 16 + 16,               /* type, nonce, MAC */
	DOOR_ADDRESS_TOKEN_SIZE = 24 + 8 + 17 + 16,  /* nonce, time, IP, tag */
	DOOR_RETRY_SIZE = 1 + 24 + 8 + 19 + 21 + 16, /* type, nonce, time, address, cid, tag */
	DOOR_TOKEN_MAX = DOOR_TOKEN_SIZE + 128,      /* with an address token behind it */
	DOOR_CID_MAX = 20,
};

/* The token of a first Initial: proof of the knock for this connection id, without a
 * clock (a replay is caught, or is harmless, later), then perhaps an address token. */
size_t door_token_make(uint8_t out[DOOR_TOKEN_MAX], const struct door_keys *keys,
		       struct bytes dcid, struct bytes address_token);
/* ERR_AUTH. `address_token` gets a view of what follows, perhaps empty. */
int door_token_check(const struct door_keys *keys, struct bytes dcid, struct bytes token,
		     struct bytes *address_token);

struct door;
struct door *door_new(void); /* with a fresh sealing key: tokens end with the process */
void door_free(struct door *d);

/* A Retry token binds the address, the original connection id and the new one; it
 * holds for 2 minutes of our own clock. */
void door_retry_make(struct door *d, uint8_t out[DOOR_RETRY_SIZE], const struct address *from,
		     struct bytes original, struct bytes retried, mono_ns now);
bool door_is_retry(struct bytes token);
int door_retry_open(struct door *d, struct bytes token, const struct address *from,
		    struct bytes retried, mono_ns now, uint8_t original[DOOR_CID_MAX],
		    size_t *original_size);

/* An address token spares a returning sender the Retry: it binds the IP without the
 * port and holds for 24 hours (RFC 9000 section 8.1.3). */
void door_address_token_make(struct door *d, uint8_t out[DOOR_ADDRESS_TOKEN_SIZE],
			     const struct address *ip, mono_ns now);
int door_address_token_open(struct door *d, struct bytes token, const struct address *ip,
			    mono_ns now);

/* One handshake from `from`'s network: false when it has had too many of late. Buckets
 * are few and shared by hash, so memory is fixed. Loopback is not counted. */
bool door_allows(struct door *d, const struct address *from, unsigned a_second, mono_ns now);

/* The first messages seen of late, by their ephemeral key: false if this one is among
 * them. A replay beyond the memory of this table costs us time and gains nothing. */
bool door_is_new(const struct door *d, const struct device_public *ephemeral);
void door_remember(struct door *d, const struct device_public *ephemeral);

#endif
