#include "shared/shares.h"

#include <sodium.h>
#include <string.h>

#include "shared/error.h"

/* The secret is f(0) of a random straight line f(x) = secret + slope * x over the scalars;
 * share i is f(i). Two points give the line, one leaves every secret as likely. */

enum { SCALAR = crypto_core_ristretto255_SCALARBYTES };
_Static_assert((int)SHARE_SIZE == SCALAR, "a share is a scalar");

static const char label[] = "palique-shares-v1";

static void key_of(struct symmetric_key *key, const uint8_t secret[SCALAR])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, sizeof key->bytes);
	crypto_generichash_update(&state, (const uint8_t *)label, sizeof label - 1);
	crypto_generichash_update(&state, secret, SCALAR);
	crypto_generichash_final(&state, key->bytes, sizeof key->bytes);
	sodium_memzero(&state, sizeof state);
}

static void scalar_of(uint8_t out[SCALAR], uint8_t number)
{
	memset(out, 0, SCALAR);
	out[0] = number; /* little-endian */
}

void shares_make(struct symmetric_key *key, struct share shares[SHARES_COUNT])
{
	uint8_t secret[SCALAR], slope[SCALAR], x[SCALAR], step[SCALAR];

	crypto_core_ristretto255_scalar_random(secret);
	crypto_core_ristretto255_scalar_random(slope);
	for (uint8_t i = 1; i <= SHARES_COUNT; i++) {
		struct share *s = &shares[i - 1];

		s->number = i;
		scalar_of(x, i);
		crypto_core_ristretto255_scalar_mul(step, slope, x);
		crypto_core_ristretto255_scalar_add(s->bytes, secret, step);
	}
	key_of(key, secret);
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(slope, sizeof slope);
	sodium_memzero(step, sizeof step);
}

/* Below the group's order: only then is it a share that we made. */
static bool is_scalar(const uint8_t bytes[SCALAR])
{
	uint8_t wide[crypto_core_ristretto255_NONREDUCEDSCALARBYTES] = { 0 }, reduced[SCALAR];
	bool is_same;

	memcpy(wide, bytes, SCALAR);
	crypto_core_ristretto255_scalar_reduce(reduced, wide);
	is_same = sodium_memcmp(reduced, bytes, SCALAR) == 0;
	sodium_memzero(wide, sizeof wide);
	sodium_memzero(reduced, sizeof reduced);
	return is_same;
}

static bool is_share(const struct share *s)
{
	return s->number >= 1 && s->number <= SHARES_COUNT && is_scalar(s->bytes);
}

int shares_join(struct symmetric_key *key, const struct share *a, const struct share *b)
{
	uint8_t xa[SCALAR], xb[SCALAR], between[SCALAR], inverse[SCALAR];
	uint8_t left[SCALAR], right[SCALAR];

	if (!is_share(a) || !is_share(b) || a->number == b->number)
		return ERR_FORMAT;
	/* Lagrange at 0: (f(a) * xb - f(b) * xa) / (xb - xa) */
	scalar_of(xa, a->number);
	scalar_of(xb, b->number);
	crypto_core_ristretto255_scalar_sub(between, xb, xa);
	if (crypto_core_ristretto255_scalar_invert(inverse, between) != 0)
		return ERR_FORMAT;
	crypto_core_ristretto255_scalar_mul(left, a->bytes, xb);
	crypto_core_ristretto255_scalar_mul(right, b->bytes, xa);
	crypto_core_ristretto255_scalar_sub(left, left, right);
	crypto_core_ristretto255_scalar_mul(left, left, inverse);
	key_of(key, left);
	sodium_memzero(left, sizeof left);
	sodium_memzero(right, sizeof right);
	return 0;
}
