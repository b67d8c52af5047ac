/* What is left with a third: sealed so that it can neither read it nor say for whom it is. */
#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "peer/forwarding_inside.h"
#include "shared/error.h"

enum {
	NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	READER_KEY = sizeof(((struct wire_forwarding_reader *)0)->key),
};
_Static_assert(WIRE_SEALED_RECORD_MAX == NONCE + PEER_RECORD_SIZE_MAX + TAG, "sealed whole");
_Static_assert(READER_KEY == sizeof(struct symmetric_key) + TAG, "one key, sealed");

struct token forwarding_token(const struct symmetric_key *pair,
			      const struct device_public *device,
			      const struct identity_public *third)
{
	static const char label[] = "palique-forwarding-v1";
	uint8_t hash[crypto_generichash_BYTES_MIN];
	crypto_generichash_state state;
	struct token token;

	crypto_generichash_init(&state, pair->bytes, sizeof pair->bytes, sizeof hash);
	crypto_generichash_update(&state, (const uint8_t *)label, sizeof label - 1);
	crypto_generichash_update(&state, device->bytes, sizeof device->bytes);
	crypto_generichash_update(&state, third->bytes, sizeof third->bytes);
	crypto_generichash_final(&state, hash, sizeof hash);
	sodium_memzero(&state, sizeof state);
	memcpy(token.bytes, hash, sizeof token.bytes);
	return token;
}

static void make_wrap_key(struct symmetric_key *out, const struct symmetric_key *pair)
{
	static const char label[] = "palique-forwarding-key-v1";

	crypto_generichash(out->bytes, sizeof out->bytes, (const uint8_t *)label,
			   sizeof label - 1, pair->bytes, sizeof pair->bytes);
}

void forwarding_seal(uint8_t *out, struct symmetric_key *key, const struct peer_record *record)
{
	uint8_t plain[PEER_RECORD_SIZE_MAX];
	struct buf encoded = { 0 };
	size_t padded;
	int err;

	/* Always as long as the longest: the length would tell how many addresses there are. */
	buf_init(&encoded, sizeof plain - 1);
	err = peer_record_encode(record, &encoded);
	assert(err == 0);
	memcpy(plain, encoded.data, encoded.size);
	err = sodium_pad(&padded, plain, encoded.size, sizeof plain, sizeof plain);
	assert(err == 0 && padded == sizeof plain);
	randombytes_buf(key->bytes, sizeof key->bytes);
	randombytes_buf(out, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE, NULL, plain, sizeof plain, NULL,
						   0, NULL, out, key->bytes);
	sodium_memzero(plain, sizeof plain);
	buf_clear(&encoded);
}

void forwarding_wrap(uint8_t out[32 + 16], const struct symmetric_key *key,
		     const uint8_t *sealed, const struct symmetric_key *pair)
{
	struct symmetric_key wrap;

	make_wrap_key(&wrap, pair);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, key->bytes, sizeof key->bytes,
						   NULL, 0, NULL, sealed, wrap.bytes);
	sodium_memzero(&wrap, sizeof wrap);
}

int forwarding_open(struct peer_record *record, const struct wire_there *there,
		    const struct symmetric_key *pair)
{
	const struct bytes sealed = there->record;
	uint8_t plain[PEER_RECORD_SIZE_MAX];
	struct symmetric_key wrap, key = { 0 };
	size_t size;
	int err = ERR_FORMAT;

	memset(record, 0, sizeof *record);
	make_wrap_key(&wrap, pair);
	if (sealed.size != WIRE_SEALED_RECORD_MAX)
		goto out;
	err = ERR_AUTH;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(key.bytes, NULL, NULL, there->reader.key,
						       sizeof there->reader.key, NULL, 0,
						       sealed.data, wrap.bytes) != 0 ||
	    crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed.data + NONCE,
						       sealed.size - NONCE, NULL, 0,
						       sealed.data, key.bytes) != 0)
		goto out;
	err = ERR_FORMAT;
	if (sodium_unpad(&size, plain, sizeof plain, sizeof plain) != 0)
		goto out;
	err = peer_record_decode(record, bytes_of(plain, size));
out:
	sodium_memzero(&wrap, sizeof wrap);
	sodium_memzero(&key, sizeof key);
	sodium_memzero(plain, sizeof plain);
	return err;
}
