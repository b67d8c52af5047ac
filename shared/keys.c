#include "shared/keys.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"

enum { FINGERPRINT_BYTES = 16 };

void identity_make(struct identity *identity)
{
	crypto_sign_keypair(identity->public.bytes, identity->secret.bytes);
}

void identity_wipe(struct identity *identity)
{
	sodium_memzero(identity, sizeof *identity);
}

void device_make(struct device *device)
{
	randombytes_buf(device->secret.bytes, sizeof device->secret.bytes);
	crypto_scalarmult_base(device->public.bytes, device->secret.bytes);
}

void device_wipe(struct device *device)
{
	sodium_memzero(device, sizeof *device);
}

/* Everybody may know them, and they are compared often: nothing is gained by taking equally long. */
bool identity_public_equal(const struct identity_public *a, const struct identity_public *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool device_public_equal(const struct device_public *a, const struct device_public *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

struct knock knock_of_directory(const struct device_public *directory)
{
	static const char label[] = "palique-directory-knock-v1";
	struct knock knock;

	crypto_generichash(knock.bytes, sizeof knock.bytes, (const uint8_t *)label,
			   sizeof label - 1, directory->bytes, sizeof directory->bytes);
	return knock;
}

void fingerprint_of(const struct identity_public *key, char out[FINGERPRINT_SIZE])
{
	uint8_t hash[FINGERPRINT_BYTES];
	size_t i;

	crypto_generichash(hash, sizeof hash, key->bytes, sizeof key->bytes, NULL, 0);
	for (i = 0; i < sizeof hash; i += 2)
		snprintf(out + i / 2 * 5, 6, "%02x%02x%s", hash[i], hash[i + 1],
			 i + 2 < sizeof hash ? " " : "");
}

int identity_seal(const struct identity_public *to, struct bytes plain, struct buf *out)
{
	uint8_t public[crypto_scalarmult_curve25519_BYTES];
	uint8_t *room;

	_Static_assert(SEAL_OVERHEAD == crypto_box_SEALBYTES, "libsodium's overhead");
	/* Refuses what is not a point of the main subgroup. */
	if (crypto_sign_ed25519_pk_to_curve25519(public, to->bytes) != 0)
		return ERR_AUTH;
	if (plain.size > SIZE_MAX - SEAL_OVERHEAD)
		return ERR_LIMIT;
	room = buf_room(out, plain.size + SEAL_OVERHEAD);
	if (!room)
		return ERR_LIMIT;
	if (crypto_box_seal(room, plain.data, plain.size, public) != 0)
		return ERR_AUTH;
	buf_grew(out, plain.size + SEAL_OVERHEAD);
	return 0;
}

int identity_open(const struct identity *ours, struct bytes sealed, struct buf *out)
{
	uint8_t public[crypto_scalarmult_curve25519_BYTES];
	uint8_t secret[crypto_scalarmult_curve25519_SCALARBYTES];
	uint8_t *room;
	int err;

	if (sealed.size < SEAL_OVERHEAD)
		return ERR_FORMAT;
	room = buf_room(out, sealed.size - SEAL_OVERHEAD);
	if (!room)
		return ERR_LIMIT;
	err = crypto_sign_ed25519_sk_to_curve25519(secret, ours->secret.bytes);
	assert(err == 0);
	err = ERR_AUTH;
	if (crypto_sign_ed25519_pk_to_curve25519(public, ours->public.bytes) != 0)
		goto out;
	if (crypto_box_seal_open(room, sealed.data, sealed.size, public, secret) != 0)
		goto out;
	buf_grew(out, sealed.size - SEAL_OVERHEAD);
	err = 0;
out:
	sodium_memzero(secret, sizeof secret);
	return err;
}
