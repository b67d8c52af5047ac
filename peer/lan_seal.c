/* What is said on a LAN, as only the two who share a pair key can make and read it. */
#include <sodium.h>
#include <string.h>

#include "peer/lan_inside.h"
#include "shared/error.h"

enum {
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	PLAIN_MAX = LAN_NONCE + PEER_RECORD_SIZE_MAX,
};
_Static_assert(LAN_REPLY_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "its nonce");
_Static_assert(LAN_REPLY_MAX == LAN_REPLY_HEAD + PLAIN_MAX + TAG, "sealed whole");

struct lan_token lan_token(const struct symmetric_key *pair, struct bytes nonce,
			   const struct address *from)
{
	const char *label = from ? "palique-lan-v1" : "palique-lan-reply-v1";
	uint8_t hash[crypto_generichash_BYTES_MIN];
	crypto_generichash_state state;
	struct lan_token token;

	crypto_generichash_init(&state, pair->bytes, sizeof pair->bytes, sizeof hash);
	crypto_generichash_update(&state, (const uint8_t *)label, strlen(label));
	crypto_generichash_update(&state, nonce.data, nonce.size);
	if (from) {
		uint8_t tail[3] = { from->family, (uint8_t)(from->port >> 8),
				    (uint8_t)from->port };

		crypto_generichash_update(&state, tail, sizeof tail);
		crypto_generichash_update(&state, from->ip, sizeof from->ip);
	}
	crypto_generichash_final(&state, hash, sizeof hash);
	sodium_memzero(&state, sizeof state);
	memcpy(token.bytes, hash, sizeof token.bytes);
	return token;
}

static void make_key(struct symmetric_key *out, const struct symmetric_key *pair)
{
	static const char label[] = "palique-lan-seal-v1";

	crypto_generichash(out->bytes, sizeof out->bytes, (const uint8_t *)label,
			   sizeof label - 1, pair->bytes, sizeof pair->bytes);
}

size_t lan_seal(uint8_t out[LAN_REPLY_MAX], const struct symmetric_key *pair,
		const uint8_t nonce[LAN_NONCE], const struct peer_record *record)
{
	uint8_t *own_nonce = out + 1 + LAN_TOKEN;
	struct buf plain = { 0 };
	struct symmetric_key key;
	struct lan_token token;
	size_t size = 0;
	int err;

	buf_init(&plain, PLAIN_MAX);
	err = buf_append(&plain, bytes_of(nonce, LAN_NONCE));
	if (err == 0)
		err = peer_record_encode(record, &plain);
	if (err < 0)
		goto out;
	out[0] = LAN_REPLY;
	randombytes_buf(own_nonce, LAN_REPLY_NONCE);
	token = lan_token(pair, bytes_of(own_nonce, LAN_REPLY_NONCE), NULL);
	memcpy(out + 1, token.bytes, LAN_TOKEN);
	make_key(&key, pair);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + LAN_REPLY_HEAD, NULL, plain.data,
						   plain.size, NULL, 0, NULL, own_nonce,
						   key.bytes);
	sodium_memzero(&key, sizeof key);
	size = LAN_REPLY_HEAD + plain.size + TAG;
out:
	buf_clear(&plain);
	return size;
}

bool lan_is_reply(struct bytes data)
{
	return data.size > LAN_REPLY_HEAD + TAG && data.size <= LAN_REPLY_MAX &&
	       data.data[0] == LAN_REPLY;
}

struct bytes lan_reply_nonce(struct bytes reply)
{
	return bytes_of(reply.data + 1 + LAN_TOKEN, LAN_REPLY_NONCE);
}

int lan_open(uint8_t nonce[LAN_NONCE], struct peer_record *record, struct bytes reply,
	     const struct symmetric_key *pair)
{
	uint8_t plain[PLAIN_MAX];
	unsigned long long size = 0;
	struct symmetric_key key;
	int err;

	make_key(&key, pair);
	err = crypto_aead_xchacha20poly1305_ietf_decrypt(
		plain, &size, NULL, reply.data + LAN_REPLY_HEAD, reply.size - LAN_REPLY_HEAD,
		NULL, 0, lan_reply_nonce(reply).data, key.bytes);
	sodium_memzero(&key, sizeof key);
	if (err != 0 || size < LAN_NONCE)
		return ERR_AUTH;
	memcpy(nonce, plain, LAN_NONCE);
	return peer_record_decode(record, bytes_of(plain + LAN_NONCE, size - LAN_NONCE));
}
