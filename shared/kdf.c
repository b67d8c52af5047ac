#include "shared/kdf.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"

void hmac_sha512(uint8_t out[64], struct bytes key, struct bytes message)
{
	crypto_auth_hmacsha512_state state;

	if (key.size == 0)
		key = bytes_text(""); /* libsodium wants a pointer also to nothing */
	crypto_auth_hmacsha512_init(&state, key.data, key.size);
	crypto_auth_hmacsha512_update(&state, message.data, message.size);
	crypto_auth_hmacsha512_final(&state, out);
	sodium_memzero(&state, sizeof state);
}

/* An empty salt is the same as one of zeros: HMAC pads its key (RFC 5869 section 2.2). */
void hkdf_extract(uint8_t prk[HKDF_PRK_SIZE], struct bytes salt, struct bytes ikm)
{
	hmac_sha512(prk, salt, ikm);
}

int hkdf_expand(uint8_t *out, size_t size, const uint8_t prk[HKDF_PRK_SIZE], struct bytes info)
{
	crypto_auth_hmacsha512_state state;
	uint8_t block[64];
	uint8_t counter = 1;
	size_t done, part;

	if (size > HKDF_OUTPUT_MAX)
		return ERR_LIMIT;
	for (done = 0; done < size; done += part, counter++) {
		/* T(n) = HMAC(PRK, T(n-1) | info | n) */
		crypto_auth_hmacsha512_init(&state, prk, HKDF_PRK_SIZE);
		if (done > 0)
			crypto_auth_hmacsha512_update(&state, block, sizeof block);
		crypto_auth_hmacsha512_update(&state, info.data, info.size);
		crypto_auth_hmacsha512_update(&state, &counter, 1);
		crypto_auth_hmacsha512_final(&state, block);
		part = size - done < sizeof block ? size - done : sizeof block;
		memcpy(out + done, block, part);
	}
	sodium_memzero(&state, sizeof state);
	sodium_memzero(block, sizeof block);
	return 0;
}

void kdf_label(uint8_t *out, size_t size, const uint8_t secret[32], const char *label)
{
	assert(size >= crypto_generichash_BYTES_MIN && size <= crypto_generichash_BYTES_MAX);
	crypto_generichash(out, size, (const uint8_t *)label, strlen(label), secret, 32);
}
