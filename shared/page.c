#include "shared/page.h"

#include <sodium.h>
#include <string.h>

#include "shared/kdf.h"

enum {
	PLAIN = PAGE_BYTES - PAGE_RESERVED,
	NONCE_RANDOM = 16,
	NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};
_Static_assert(NONCE + TAG == PAGE_RESERVED, "a page's seal fills the reserved bytes");
_Static_assert(NONCE == NONCE_RANDOM + crypto_shorthash_BYTES, "random and its check");

/* First byte of the AD: a frame's page is none of the file, nor the reverse. */
enum { KIND_PAGE = 1, KIND_LOG = 2 };

void page_keys_make(struct page_keys *k, const struct symmetric_key *key)
{
	kdf_label(k->page, sizeof k->page, key->bytes, "palique-store-page");
	kdf_label(k->check, sizeof k->check, key->bytes, "palique-store-check");
	kdf_label(k->checksum, sizeof k->checksum, key->bytes, "palique-store-checksum");
}

struct bytes page_ad(uint8_t ad[PAGE_AD_MAX], uint32_t number)
{
	uint8_t bytes[5] = { KIND_PAGE, (uint8_t)(number >> 24), (uint8_t)(number >> 16),
			     (uint8_t)(number >> 8), (uint8_t)number };

	memcpy(ad, bytes, sizeof bytes);
	return bytes_of(ad, sizeof bytes);
}

struct bytes page_frame_ad(uint8_t ad[PAGE_AD_MAX], const uint8_t header[PAGE_FRAME_HEADER])
{
	ad[0] = KIND_LOG;
	memcpy(ad + 1, header, PAGE_FRAME_BOUND);
	return bytes_of(ad, PAGE_AD_MAX);
}

void page_seal(const struct page_keys *k, uint8_t out[PAGE_BYTES],
	       const uint8_t plain[PAGE_BYTES], struct bytes ad)
{
	uint8_t *nonce = out + PLAIN;

	randombytes_buf(nonce, NONCE_RANDOM);
	crypto_shorthash(nonce + NONCE_RANDOM, nonce, NONCE_RANDOM, k->check);
	crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
		out, nonce + NONCE, NULL, plain, PLAIN, ad.data, ad.size, NULL, nonce, k->page);
}

bool page_open(const struct page_keys *k, uint8_t page[PAGE_BYTES], struct bytes ad)
{
	uint8_t *nonce = page + PLAIN;
	bool ok = crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
			  page, NULL, page, PLAIN, nonce + NONCE, ad.data, ad.size, nonce,
			  k->page) == 0;

	memset(ok ? page + PLAIN : page, 0, ok ? PAGE_RESERVED : PAGE_BYTES);
	return ok;
}

bool page_is_ours(const struct page_keys *k, const uint8_t page[PAGE_BYTES])
{
	uint8_t check[crypto_shorthash_BYTES];

	crypto_shorthash(check, page + PLAIN, NONCE_RANDOM, k->check);
	return sodium_memcmp(check, page + PLAIN + NONCE_RANDOM, sizeof check) == 0;
}

/* SQLite's checksum of a frame says something about the plain page: it is enciphered by
 * four Feistel rounds of SipHash (Luby and Rackoff), with the place and the rest of the
 * header as tweak. SQLite rewrites the checksum without the page, so it cannot be part of
 * the page's seal. Running the rounds backwards undoes it. */
void page_cipher_checksum(const struct page_keys *k, uint8_t header[PAGE_FRAME_HEADER],
			  int64_t offset, bool decipher)
{
	uint8_t *left = header + PAGE_FRAME_BOUND, *right = left + 4, half[4];
	struct {
		int64_t offset;
		uint8_t bound[PAGE_FRAME_BOUND];
		uint8_t half[4];
		uint32_t round;
	} in = { .offset = offset };
	uint8_t out[crypto_shorthash_BYTES];

	memcpy(in.bound, header, PAGE_FRAME_BOUND);
	for (unsigned i = 0; i < 4; i++) {
		in.round = decipher ? 3 - i : i;
		memcpy(in.half, decipher ? left : right, 4);
		crypto_shorthash(out, (uint8_t *)&in, sizeof in, k->checksum);
		for (unsigned j = 0; j < 4; j++)
			half[j] = (decipher ? right : left)[j] ^ out[j];
		memcpy(decipher ? right : left, decipher ? left : right, 4);
		memcpy(decipher ? left : right, half, 4);
	}
}
