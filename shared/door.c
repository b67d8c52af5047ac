#include "shared/door.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/kdf.h"

enum { TYPE_KNOCK = 1, TYPE_RETRY = 2 };
enum { NONCE_SIZE = 16, MAC_SIZE = 16 };
enum { SEAL_NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, SEAL_TAG = 16 };
enum { BUCKETS = 4096, BURST_SECONDS = 3, REPLAYS = 2048 };

#define RETRY_LIFE   (120 * SECOND)
#define ADDRESS_LIFE (24 * 3600 * SECOND)

struct bucket {
	mono_ns at;   /* when `used` was right */
	mono_ns used; /* the time that the handshakes allowed so far have cost */
};

struct door {
	uint8_t seal[32];
	uint8_t hash[crypto_shorthash_KEYBYTES];
	struct bucket buckets[BUCKETS];
	uint64_t replays[REPLAYS];
	size_t replay_next;
};

void door_keys_make(struct door_keys *keys, const struct knock *knock,
		    const struct device_public *responder)
{
	uint8_t ikm[sizeof knock->bytes + sizeof responder->bytes], secret[32];

	memcpy(ikm, knock->bytes, sizeof knock->bytes);
	memcpy(ikm + sizeof knock->bytes, responder->bytes, sizeof responder->bytes);
	crypto_generichash(secret, sizeof secret, ikm, sizeof ikm, NULL, 0);
	kdf_label(keys->token, sizeof keys->token, secret, "palique/1 knock token");
	kdf_label(keys->initial, sizeof keys->initial, secret, "palique/1 initial");
	kdf_label(keys->retry, sizeof keys->retry, secret, "palique/1 retry");
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(ikm, sizeof ikm);
}

static void knock_mac(uint8_t mac[MAC_SIZE], const struct door_keys *keys, struct bytes dcid,
		      const uint8_t nonce[NONCE_SIZE])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, keys->token, sizeof keys->token, MAC_SIZE);
	crypto_generichash_update(&state, nonce, NONCE_SIZE);
	crypto_generichash_update(&state, dcid.data, dcid.size);
	crypto_generichash_final(&state, mac, MAC_SIZE);
}

size_t door_token_make(uint8_t out[DOOR_TOKEN_MAX], const struct door_keys *keys,
		       struct bytes dcid, struct bytes address_token)
{
	assert(DOOR_TOKEN_SIZE + address_token.size <= DOOR_TOKEN_MAX);
	out[0] = TYPE_KNOCK;
	randombytes_buf(out + 1, NONCE_SIZE);
	knock_mac(out + 1 + NONCE_SIZE, keys, dcid, out + 1);
	if (address_token.size)
		memcpy(out + DOOR_TOKEN_SIZE, address_token.data, address_token.size);
	return DOOR_TOKEN_SIZE + address_token.size;
}

int door_token_check(const struct door_keys *keys, struct bytes dcid, struct bytes token,
		     struct bytes *address_token)
{
	uint8_t mac[MAC_SIZE];

	if (token.size < DOOR_TOKEN_SIZE || token.size > DOOR_TOKEN_MAX ||
	    token.data[0] != TYPE_KNOCK)
		return ERR_AUTH;
	knock_mac(mac, keys, dcid, token.data + 1);
	if (sodium_memcmp(mac, token.data + 1 + NONCE_SIZE, MAC_SIZE) != 0)
		return ERR_AUTH;
	*address_token = bytes_of(token.data + DOOR_TOKEN_SIZE, token.size - DOOR_TOKEN_SIZE);
	return 0;
}

struct door *door_new(void)
{
	struct door *d = memory_new(sizeof *d);

	randombytes_buf(d->seal, sizeof d->seal);
	randombytes_buf(d->hash, sizeof d->hash);
	return d;
}

void door_free(struct door *d)
{
	if (!d)
		return;
	sodium_memzero(d, sizeof *d);
	free(d);
}

static void time_write(uint8_t out[8], mono_ns t)
{
	for (int i = 0; i < 8; i++)
		out[i] = t >> (56 - 8 * i);
}

static mono_ns time_read(const uint8_t in[8])
{
	mono_ns t = 0;

	for (int i = 0; i < 8; i++)
		t = t << 8 | in[i];
	return t;
}

/* nonce | sealed(plain) */
static void seal(struct door *d, uint8_t *out, struct bytes plain, struct bytes bound)
{
	randombytes_buf(out, SEAL_NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + SEAL_NONCE, NULL, plain.data,
						   plain.size, bound.data, bound.size, NULL,
						   out, d->seal);
}

static int unseal(struct door *d, uint8_t *plain, size_t size, struct bytes sealed,
		  struct bytes bound)
{
	if (sealed.size != SEAL_NONCE + size + SEAL_TAG)
		return ERR_AUTH;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    plain, NULL, NULL, sealed.data + SEAL_NONCE, sealed.size - SEAL_NONCE,
		    bound.data, bound.size, sealed.data, d->seal) != 0)
		return ERR_AUTH;
	return 0;
}

static bool is_within(mono_ns issued, mono_ns life, mono_ns now)
{
	return issued <= now && now - issued <= life;
}

/* family, IP, port */
static void address_write(uint8_t out[19], const struct address *a)
{
	out[0] = a->family;
	memcpy(out + 1, a->ip, 16);
	out[17] = a->port >> 8;
	out[18] = a->port;
}

void door_retry_make(struct door *d, uint8_t out[DOOR_RETRY_SIZE], const struct address *from,
		     struct bytes original, struct bytes retried, mono_ns now)
{
	uint8_t plain[8 + 19 + 1 + DOOR_CID_MAX] = { 0 };

	assert(original.size <= DOOR_CID_MAX);
	time_write(plain, now);
	address_write(plain + 8, from);
	plain[27] = original.size;
	memcpy(plain + 28, original.data, original.size);
	out[0] = TYPE_RETRY;
	seal(d, out + 1, BYTES(plain), retried);
}

bool door_is_retry(struct bytes token)
{
	return token.size > 0 && token.data[0] == TYPE_RETRY;
}

int door_retry_open(struct door *d, struct bytes token, const struct address *from,
		    struct bytes retried, mono_ns now, uint8_t original[DOOR_CID_MAX],
		    size_t *original_size)
{
	uint8_t plain[8 + 19 + 1 + DOOR_CID_MAX], address[19];

	if (!door_is_retry(token) ||
	    unseal(d, plain, sizeof plain, bytes_of(token.data + 1, token.size - 1), retried) <
		    0)
		return ERR_AUTH;
	address_write(address, from);
	if (!is_within(time_read(plain), RETRY_LIFE, now) ||
	    memcmp(address, plain + 8, sizeof address) != 0 || plain[27] > DOOR_CID_MAX)
		return ERR_AUTH;
	*original_size = plain[27];
	memcpy(original, plain + 28, *original_size);
	return 0;
}

void door_address_token_make(struct door *d, uint8_t out[DOOR_ADDRESS_TOKEN_SIZE],
			     const struct address *ip, mono_ns now)
{
	uint8_t plain[8 + 17];

	time_write(plain, now);
	plain[8] = ip->family;
	memcpy(plain + 9, ip->ip, 16);
	seal(d, out, BYTES(plain), bytes_text("address"));
}

int door_address_token_open(struct door *d, struct bytes token, const struct address *ip,
			    mono_ns now)
{
	uint8_t plain[8 + 17];

	if (unseal(d, plain, sizeof plain, token, bytes_text("address")) < 0)
		return ERR_AUTH;
	if (!is_within(time_read(plain), ADDRESS_LIFE, now) || plain[8] != ip->family ||
	    memcmp(plain + 9, ip->ip, 16) != 0)
		return ERR_AUTH;
	return 0;
}

static uint64_t hash_of(const struct door *d, const void *data, size_t size)
{
	uint64_t hash;

	crypto_shorthash((uint8_t *)&hash, data, size, d->hash);
	return hash;
}

bool door_allows(struct door *d, const struct address *from, unsigned a_second, mono_ns now)
{
	struct address network = address_prefix(from);
	uint8_t key[17];
	struct bucket *b;

	if (address_is_loopback(from))
		return true;
	key[0] = network.family;
	memcpy(key + 1, network.ip, 16);
	b = &d->buckets[hash_of(d, key, sizeof key) % BUCKETS];
	if (now > b->at) {
		b->used -= now - b->at < b->used ? now - b->at : b->used;
		b->at = now;
	}
	if (b->used >= BURST_SECONDS * SECOND)
		return false;
	b->used += SECOND / a_second;
	return true;
}

bool door_is_new(const struct door *d, const struct device_public *ephemeral)
{
	uint64_t hash = hash_of(d, ephemeral->bytes, sizeof ephemeral->bytes);

	for (size_t i = 0; i < REPLAYS; i++)
		if (d->replays[i] == hash)
			return false;
	return true;
}

void door_remember(struct door *d, const struct device_public *ephemeral)
{
	d->replays[d->replay_next++ % REPLAYS] = hash_of(d, ephemeral->bytes,
							 sizeof ephemeral->bytes);
}
