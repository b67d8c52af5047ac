#include "shared/link_crypto.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/kdf.h"
#include "shared/link.h"

enum { SECRET_SIZE = 32 };

/* What the library holds as native handle: for packets, or (level unused) for headers. */
struct key {
	uint8_t bytes[PACKET_KEY_SIZE];
	uint8_t iv[PACKET_IV_SIZE];
	uint8_t level;
	struct link_crypto *crypto;
};

void link_crypto_init(struct link_crypto *c)
{
	*c = (struct link_crypto){ 0 };
	for (int i = 0; i < LEVEL_COUNT; i++)
		c->newest[i] = -1;
}

static void iv_of(uint8_t iv[PACKET_IV_SIZE], const uint8_t secret[SECRET_SIZE])
{
	uint8_t long_iv[16];

	kdf_label(long_iv, sizeof long_iv, secret, "palique/1 iv");
	memcpy(iv, long_iv, PACKET_IV_SIZE);
	sodium_memzero(long_iv, sizeof long_iv);
}

static void *key_new(struct link_crypto *c, enum link_level level, const uint8_t *secret,
		     const char *label)
{
	struct key *k = memory_new(sizeof *k);

	kdf_label(k->bytes, sizeof k->bytes, secret, label);
	iv_of(k->iv, secret);
	k->level = level;
	k->crypto = c;
	return k;
}

static void key_free(void *handle)
{
	if (!handle)
		return;
	sodium_memzero(handle, sizeof(struct key));
	free(handle);
}

/* One direction's contexts, as the install functions want them. */
struct side {
	ngtcp2_crypto_aead_ctx aead;
	ngtcp2_crypto_cipher_ctx header;
	uint8_t iv[PACKET_IV_SIZE];
};

static void side_make(struct side *s, struct link_crypto *c, enum link_level level,
		      const uint8_t secret[SECRET_SIZE])
{
	s->aead.native_handle = key_new(c, level, secret, "palique/1 key");
	s->header.native_handle = key_new(c, level, secret, "palique/1 hp");
	iv_of(s->iv, secret);
}

static void side_drop(struct side *s)
{
	key_free(s->aead.native_handle);
	key_free(s->header.native_handle);
}

static void contexts_set(ngtcp2_conn *conn)
{
	static char
		is_set; /* the library wants handles that are not NULL; we have one cipher */
	ngtcp2_crypto_ctx ctx = {
		.aead = { .native_handle = &is_set, .max_overhead = PACKET_TAG_SIZE },
		.md = { .native_handle = &is_set },
		.hp = { .native_handle = &is_set },
		.max_encryption = UINT64_MAX,
		.max_decryption_failure = (uint64_t)1 << 36, /* RFC 9001 section 6.6 */
	};

	ngtcp2_conn_set_initial_crypto_ctx(conn, &ctx);
	ngtcp2_conn_set_crypto_ctx(conn, &ctx);
}

int link_crypto_install_initial(ngtcp2_conn *conn, struct link_crypto *c,
				const struct door_keys *keys, struct bytes dcid, bool is_server)
{
	uint8_t common[SECRET_SIZE], client[SECRET_SIZE], server[SECRET_SIZE];
	struct side rx, tx;
	int err;

	crypto_generichash(common, sizeof common, dcid.data, dcid.size, keys->initial,
			   sizeof keys->initial);
	kdf_label(client, sizeof client, common, "palique/1 client in");
	kdf_label(server, sizeof server, common, "palique/1 server in");
	side_make(&rx, c, LEVEL_INITIAL, is_server ? client : server);
	side_make(&tx, c, LEVEL_INITIAL, is_server ? server : client);
	contexts_set(conn);
	err = ngtcp2_conn_install_initial_key(conn, &rx.aead, rx.iv, &rx.header, &tx.aead,
					      tx.iv, &tx.header, PACKET_IV_SIZE);
	if (err != 0) {
		side_drop(&rx);
		side_drop(&tx);
	}
	sodium_memzero(common, sizeof common);
	sodium_memzero(client, sizeof client);
	sodium_memzero(server, sizeof server);
	return err;
}

int link_crypto_install_retry(ngtcp2_conn *conn, const struct door_keys *keys)
{
	static char is_set;
	ngtcp2_crypto_aead aead = { .native_handle = &is_set, .max_overhead = PACKET_TAG_SIZE };
	ngtcp2_crypto_aead_ctx ctx = {
		.native_handle = key_new(NULL, LEVEL_INITIAL, keys->retry, "palique/1 key"),
	};

	ngtcp2_conn_set_retry_aead(conn, &aead, &ctx);
	return 0;
}

void link_crypto_derive(struct link_secrets *s, const struct noise *noise)
{
	struct noise_cipher first, second;
	const uint8_t *tx, *rx;

	noise_split(noise, &first, &second);
	tx = noise->role == NOISE_INITIATOR ? first.key : second.key;
	rx = noise->role == NOISE_INITIATOR ? second.key : first.key;
	kdf_label(s->handshake_tx, SECRET_SIZE, tx, "palique/1 handshake");
	kdf_label(s->handshake_rx, SECRET_SIZE, rx, "palique/1 handshake");
	kdf_label(s->data_tx, SECRET_SIZE, tx, "palique/1 data");
	kdf_label(s->data_rx, SECRET_SIZE, rx, "palique/1 data");
	sodium_memzero(&first, sizeof first);
	sodium_memzero(&second, sizeof second);
}

int link_crypto_install_handshake(ngtcp2_conn *conn, struct link_crypto *c,
				  const struct link_secrets *s)
{
	struct side rx, tx;
	int err;

	side_make(&rx, c, LEVEL_HANDSHAKE, s->handshake_rx);
	err = ngtcp2_conn_install_rx_handshake_key(conn, &rx.aead, rx.iv, sizeof rx.iv,
						   &rx.header);
	if (err != 0) {
		side_drop(&rx);
		return err;
	}
	side_make(&tx, c, LEVEL_HANDSHAKE, s->handshake_tx);
	err = ngtcp2_conn_install_tx_handshake_key(conn, &tx.aead, tx.iv, sizeof tx.iv,
						   &tx.header);
	if (err != 0)
		side_drop(&tx);
	return err;
}

int link_crypto_install_data(ngtcp2_conn *conn, struct link_crypto *c,
			     const struct link_secrets *s)
{
	struct side rx, tx;
	int err;

	side_make(&tx, c, LEVEL_DATA, s->data_tx);
	err = ngtcp2_conn_install_tx_key(conn, s->data_tx, SECRET_SIZE, &tx.aead, tx.iv,
					 sizeof tx.iv, &tx.header);
	if (err != 0) {
		side_drop(&tx);
		return err;
	}
	side_make(&rx, c, LEVEL_DATA, s->data_rx);
	err = ngtcp2_conn_install_rx_key(conn, s->data_rx, SECRET_SIZE, &rx.aead, rx.iv,
					 sizeof rx.iv, &rx.header);
	if (err != 0)
		side_drop(&rx);
	return err;
}

/* The packet number is folded into the nonce: unfold it. */
static int64_t number_of(const struct key *k, const uint8_t nonce[PACKET_IV_SIZE])
{
	uint64_t number = 0;

	for (int i = PACKET_IV_SIZE - 8; i < PACKET_IV_SIZE; i++)
		number = number << 8 | (uint8_t)(nonce[i] ^ k->iv[i]);
	return (int64_t)number;
}

static int on_encrypt(uint8_t *out, const ngtcp2_crypto_aead *aead,
		      const ngtcp2_crypto_aead_ctx *ctx, const uint8_t *plain, size_t size,
		      const uint8_t *nonce, size_t nonce_size, const uint8_t *ad,
		      size_t ad_size)
{
	const struct key *k = ctx->native_handle;

	(void)aead;
	if (!k || nonce_size != PACKET_IV_SIZE)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	packet_seal(out, k->bytes, nonce, bytes_of(plain, size), bytes_of(ad, ad_size));
	return 0;
}

static void note_opened(const struct key *k, const uint8_t *nonce)
{
	struct link_crypto *c = k->crypto;
	int64_t number = number_of(k, nonce);

	c->has_opened = true;
	if (number > c->newest[k->level]) {
		c->newest[k->level] = number;
		c->has_new[k->level] = true;
	}
}

static int on_decrypt(uint8_t *out, const ngtcp2_crypto_aead *aead,
		      const ngtcp2_crypto_aead_ctx *ctx, const uint8_t *sealed, size_t size,
		      const uint8_t *nonce, size_t nonce_size, const uint8_t *ad,
		      size_t ad_size)
{
	const struct key *k = ctx->native_handle;

	(void)aead;
	if (!k || nonce_size != PACKET_IV_SIZE || size < PACKET_TAG_SIZE ||
	    packet_open(out, k->bytes, nonce, bytes_of(sealed, size), bytes_of(ad, ad_size)) <
		    0)
		return NGTCP2_ERR_DECRYPT;
	if (k->crypto)
		note_opened(k, nonce);
	return 0;
}

static int on_header_mask(uint8_t *mask, const ngtcp2_crypto_cipher *cipher,
			  const ngtcp2_crypto_cipher_ctx *ctx, const uint8_t *sample)
{
	const struct key *k = ctx->native_handle;

	(void)cipher;
	if (!k)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	packet_mask(mask, k->bytes, sample);
	return 0;
}

/* RFC 9001 section 6.1: the secrets move on, header protection stays. */
static int on_update_key(ngtcp2_conn *conn, uint8_t *rx_secret, uint8_t *tx_secret,
			 ngtcp2_crypto_aead_ctx *rx_aead, uint8_t *rx_iv,
			 ngtcp2_crypto_aead_ctx *tx_aead, uint8_t *tx_iv,
			 const uint8_t *current_rx_secret, const uint8_t *current_tx_secret,
			 size_t size, void *user)
{
	struct link *l = user;

	(void)conn;
	if (size != SECRET_SIZE)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	kdf_label(rx_secret, SECRET_SIZE, current_rx_secret, "palique/1 next");
	kdf_label(tx_secret, SECRET_SIZE, current_tx_secret, "palique/1 next");
	iv_of(rx_iv, rx_secret);
	iv_of(tx_iv, tx_secret);
	rx_aead->native_handle = key_new(&l->crypto, LEVEL_DATA, rx_secret, "palique/1 key");
	tx_aead->native_handle = key_new(&l->crypto, LEVEL_DATA, tx_secret, "palique/1 key");
	l->crypto.updates++;
	l->key_updated_at = l->home->now;
	return 0;
}

static void on_delete_aead(ngtcp2_conn *conn, ngtcp2_crypto_aead_ctx *ctx, void *user)
{
	(void)conn;
	(void)user;
	key_free(ctx->native_handle);
	ctx->native_handle = NULL;
}

static void on_delete_cipher(ngtcp2_conn *conn, ngtcp2_crypto_cipher_ctx *ctx, void *user)
{
	(void)conn;
	(void)user;
	key_free(ctx->native_handle);
	ctx->native_handle = NULL;
}

void link_crypto_callbacks(ngtcp2_callbacks *callbacks)
{
	callbacks->encrypt = on_encrypt;
	callbacks->decrypt = on_decrypt;
	callbacks->hp_mask = on_header_mask;
	callbacks->update_key = on_update_key;
	callbacks->delete_crypto_aead_ctx = on_delete_aead;
	callbacks->delete_crypto_cipher_ctx = on_delete_cipher;
}

size_t link_crypto_write_retry(uint8_t *room, size_t size, const struct door_keys *keys,
			       const ngtcp2_pkt_hd *hd, const ngtcp2_cid *scid,
			       struct bytes token)
{
	static char is_set;
	ngtcp2_crypto_aead aead = { .native_handle = &is_set, .max_overhead = PACKET_TAG_SIZE };
	ngtcp2_crypto_aead_ctx ctx = {
		.native_handle = key_new(NULL, LEVEL_INITIAL, keys->retry, "palique/1 key"),
	};
	ngtcp2_ssize written;

	written = ngtcp2_pkt_write_retry(room, size, hd->version, &hd->scid, scid, &hd->dcid,
					 token.data, token.size, on_encrypt, &aead, &ctx);
	key_free(ctx.native_handle);
	return written > 0 ? (size_t)written : 0;
}
