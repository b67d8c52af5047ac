#include "shared/packet.h"

#include <string.h>

#include <sodium.h>

#include "shared/error.h"

void packet_nonce(uint8_t nonce[PACKET_IV_SIZE], const uint8_t iv[PACKET_IV_SIZE],
		  uint64_t number)
{
	size_t i;

	memcpy(nonce, iv, PACKET_IV_SIZE);
	for (i = 0; i < 8; i++)
		nonce[PACKET_IV_SIZE - 1 - i] ^= number >> (8 * i);
}

void packet_seal(uint8_t *out, const uint8_t key[PACKET_KEY_SIZE],
		 const uint8_t nonce[PACKET_IV_SIZE], struct bytes plain, struct bytes header)
{
	crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain.data, plain.size,
						  header.data, header.size, NULL, nonce, key);
}

int packet_open(uint8_t *out, const uint8_t key[PACKET_KEY_SIZE],
		const uint8_t nonce[PACKET_IV_SIZE], struct bytes sealed, struct bytes header)
{
	if (sealed.size < PACKET_TAG_SIZE)
		return ERR_AUTH;
	/* On failure libsodium fills `out` with zeros. */
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data, sealed.size,
						      header.data, header.size, nonce,
						      key) != 0)
		return ERR_AUTH;
	return 0;
}

void packet_mask(uint8_t mask[5], const uint8_t key[PACKET_KEY_SIZE],
		 const uint8_t sample[PACKET_SAMPLE_SIZE])
{
	static const uint8_t zeros[5];
	uint32_t counter = (uint32_t)sample[0] | (uint32_t)sample[1] << 8 |
			   (uint32_t)sample[2] << 16 | (uint32_t)sample[3] << 24;

	/* The first four bytes of the sample are the block counter, little-endian, the
	 * other twelve the nonce. */
	crypto_stream_chacha20_ietf_xor_ic(mask, zeros, sizeof zeros, sample + 4, counter, key);
}
