/* The keys of one link and ngtcp2's callbacks that use them: Initial keys from the
 * knock, the others from Noise; sealing, opening, header protection, key update. */
#ifndef PALIQUE_SHARED_LINK_CRYPTO_H
#define PALIQUE_SHARED_LINK_CRYPTO_H

#include "shared/door.h"
#include "shared/noise.h"
#include "shared/packet.h"
#include "shared/quic_compat.h"

enum link_level { LEVEL_INITIAL, LEVEL_HANDSHAKE, LEVEL_DATA, LEVEL_COUNT };

/* Seen while opening, since the library does not tell: */
struct link_crypto {
	int64_t newest[LEVEL_COUNT]; /* highest packet number that opened; -1: none */
	bool has_new[LEVEL_COUNT];   /* since last cleared: something above `newest` opened */
	bool has_opened;             /* since last cleared: anything opened */
	unsigned updates;            /* generations of data keys made */
};

void link_crypto_init(struct link_crypto *c);

/* Fills in the callbacks of this room. The library's user data is a struct link. */
void link_crypto_callbacks(ngtcp2_callbacks *callbacks);

/* All return 0 or the library's error. */
int link_crypto_install_initial(ngtcp2_conn *conn, struct link_crypto *c,
				const struct door_keys *keys, struct bytes dcid,
				bool is_server);
int link_crypto_install_retry(ngtcp2_conn *conn, const struct door_keys *keys);

/* Handshake and data keys of both directions, from Noise's two split keys. */
struct link_secrets {
	uint8_t handshake_tx[32], handshake_rx[32], data_tx[32], data_rx[32];
};
void link_crypto_derive(struct link_secrets *s, const struct noise *noise);
int link_crypto_install_handshake(ngtcp2_conn *conn, struct link_crypto *c,
				  const struct link_secrets *s);
int link_crypto_install_data(ngtcp2_conn *conn, struct link_crypto *c,
			     const struct link_secrets *s);

/* A Retry packet (RFC 9000 section 17.2.5) with our integrity key: its size, or 0. */
size_t link_crypto_write_retry(uint8_t *room, size_t size, const struct door_keys *keys,
			       const ngtcp2_pkt_hd *hd, const ngtcp2_cid *scid,
			       struct bytes token);

#endif
