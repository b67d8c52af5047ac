#include "shared/pair.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"

int pair_key_make(struct symmetric_key *out, const struct identity *ours,
		  const struct identity_public *theirs)
{
	static const char domain[] = "palique-pair-v1";
	const struct identity_public *own = &ours->public;
	bool is_own_first = memcmp(own->bytes, theirs->bytes, sizeof own->bytes) <= 0;
	const struct identity_public *first = is_own_first ? own : theirs;
	const struct identity_public *second = is_own_first ? theirs : own;
	uint8_t public[crypto_scalarmult_curve25519_BYTES];
	uint8_t secret[crypto_scalarmult_curve25519_SCALARBYTES];
	uint8_t point[crypto_scalarmult_curve25519_BYTES];
	crypto_generichash_state state;
	int err;

	memset(out, 0, sizeof *out);
	err = crypto_sign_ed25519_sk_to_curve25519(secret, ours->secret.bytes);
	assert(err == 0);
	err = ERR_AUTH;
	/* Refuses what is not a point of the main subgroup. */
	if (crypto_sign_ed25519_pk_to_curve25519(public, theirs->bytes) != 0)
		goto out;
	if (crypto_scalarmult_curve25519(point, secret, public) != 0)
		goto out;
	crypto_generichash_init(&state, NULL, 0, sizeof out->bytes);
	crypto_generichash_update(&state, (const uint8_t *)domain, sizeof domain - 1);
	crypto_generichash_update(&state, point, sizeof point);
	crypto_generichash_update(&state, first->bytes, sizeof first->bytes);
	crypto_generichash_update(&state, second->bytes, sizeof second->bytes);
	crypto_generichash_final(&state, out->bytes, sizeof out->bytes);
	err = 0;
out:
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(point, sizeof point);
	sodium_memzero(&state, sizeof state);
	return err;
}

void pair_key_between(struct symmetric_key *out, const struct symmetric_key *pair,
		      const char *label, const struct device_public *from,
		      const struct device_public *to)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, pair->bytes, sizeof pair->bytes, sizeof out->bytes);
	crypto_generichash_update(&state, (const uint8_t *)label, strlen(label));
	crypto_generichash_update(&state, from->bytes, sizeof from->bytes);
	crypto_generichash_update(&state, to->bytes, sizeof to->bytes);
	crypto_generichash_final(&state, out->bytes, sizeof out->bytes);
	sodium_memzero(&state, sizeof state);
}
