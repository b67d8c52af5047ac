#include "shared/oprf.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"

enum {
	HASH_SIZE = 64,
	HASH_BLOCK_SIZE = 128,
	DST_MAX = 255,
	CONTEXT_SIZE = sizeof "OPRFV1-0-ristretto255-SHA512" - 1,
};

typedef uint8_t element[OPRF_ELEMENT_SIZE];
typedef uint8_t scalar[OPRF_SCALAR_SIZE];

/* ---- Hashing ---- */

static void hash_part(crypto_hash_sha512_state *state, struct bytes b)
{
	if (b.size > 0)
		crypto_hash_sha512_update(state, b.data, b.size);
}

/* I2OSP(size, 2) and the bytes: what nearly every hash of RFC 9497 is made of. */
static void hash_framed(crypto_hash_sha512_state *state, struct bytes b)
{
	uint8_t size[2] = { b.size >> 8, b.size };

	assert(b.size <= 65535);
	hash_part(state, BYTES(size));
	hash_part(state, b);
}

static void hash_u16(crypto_hash_sha512_state *state, size_t v)
{
	uint8_t number[2] = { v >> 8, v };

	hash_part(state, BYTES(number));
}

/* expand_message_xmd's b_0 starts with a block of zeros. */
static void expand_begin(crypto_hash_sha512_state *state)
{
	static const uint8_t zeros[HASH_BLOCK_SIZE];

	crypto_hash_sha512_init(state);
	hash_part(state, BYTES(zeros));
}

/* The rest of expand_message_xmd, once the message is in `state`. dst_prime is the tag and
 * its length byte. */
static void expand_end(crypto_hash_sha512_state *state, uint8_t *out, size_t size,
		       struct bytes dst_prime)
{
	uint8_t b0[HASH_SIZE], b[HASH_SIZE] = { 0 };
	uint8_t number = 0;
	size_t done, part, i;

	hash_u16(state, size);
	hash_part(state, bytes_of(&number, 1));
	hash_part(state, dst_prime);
	crypto_hash_sha512_final(state, b0);

	for (done = 0; done < size; done += part) {
		number++;
		for (i = 0; i < sizeof b; i++)
			b[i] ^= b0[i];
		crypto_hash_sha512_init(state);
		hash_part(state, BYTES(b));
		hash_part(state, bytes_of(&number, 1));
		hash_part(state, dst_prime);
		crypto_hash_sha512_final(state, b);
		part = size - done < sizeof b ? size - done : sizeof b;
		memcpy(out + done, b, part);
	}
	sodium_memzero(state, sizeof *state);
	sodium_memzero(b0, sizeof b0);
	sodium_memzero(b, sizeof b);
}

int oprf_expand_message(uint8_t *out, size_t size, struct bytes message, struct bytes dst)
{
	static const char oversize[] = "H2C-OVERSIZE-DST-";
	crypto_hash_sha512_state state;
	uint8_t dst_prime[DST_MAX + 1];
	size_t length = dst.size;

	if (size > 255 * HASH_SIZE || dst.size == 0)
		return ERR_LIMIT;
	if (dst.size > DST_MAX) {
		crypto_hash_sha512_init(&state);
		hash_part(&state, bytes_text(oversize));
		hash_part(&state, dst);
		crypto_hash_sha512_final(&state, dst_prime);
		length = HASH_SIZE;
	} else {
		memcpy(dst_prime, dst.data, dst.size);
	}
	dst_prime[length] = length;
	expand_begin(&state);
	hash_part(&state, message);
	expand_end(&state, out, size, bytes_of(dst_prime, length + 1));
	return 0;
}

/* A label and the context string (section 3.1), as one domain separation tag. */
struct tag {
	uint8_t bytes[32 + CONTEXT_SIZE + 1];
	size_t size; /* without the length byte behind it */
};

static struct tag tag_of(const char *label, enum oprf_mode mode)
{
	struct tag tag;
	size_t length = strlen(label);
	uint8_t *context = tag.bytes + length;

	assert(length <= 32);
	memcpy(tag.bytes, label, length);
	memcpy(context, "OPRFV1-0-ristretto255-SHA512", CONTEXT_SIZE);
	context[7] = mode; /* a byte, not a digit */
	tag.size = length + CONTEXT_SIZE;
	tag.bytes[tag.size] = tag.size;
	return tag;
}

static void scalar_end(crypto_hash_sha512_state *state, scalar out, const char *label,
		       enum oprf_mode mode)
{
	struct tag tag = tag_of(label, mode);
	uint8_t uniform[64];

	expand_end(state, uniform, sizeof uniform, bytes_of(tag.bytes, tag.size + 1));
	crypto_core_ristretto255_scalar_reduce(out, uniform);
	sodium_memzero(uniform, sizeof uniform);
}

static void hash_to_group(element out, struct bytes input, enum oprf_mode mode)
{
	struct tag tag = tag_of("HashToGroup-", mode);
	uint8_t uniform[64];
	int err;

	err = oprf_expand_message(uniform, sizeof uniform, input,
				  bytes_of(tag.bytes, tag.size));
	assert(err == 0);
	oprf_element_from_uniform(out, uniform);
	sodium_memzero(uniform, sizeof uniform);
}

/* ---- The group ---- */

void oprf_element_from_uniform(uint8_t out[OPRF_ELEMENT_SIZE], const uint8_t uniform[64])
{
	crypto_core_ristretto255_from_hash(out, uniform);
}

bool oprf_is_element(const uint8_t e[OPRF_ELEMENT_SIZE])
{
	/* The identity passes libsodium's check: refuse it separately. */
	return !sodium_is_zero(e, OPRF_ELEMENT_SIZE) &&
	       crypto_core_ristretto255_is_valid_point(e);
}

bool oprf_is_scalar(const uint8_t s[OPRF_SCALAR_SIZE])
{
	uint8_t wide[64] = { 0 };
	scalar reduced;
	bool is_canonical;

	memcpy(wide, s, OPRF_SCALAR_SIZE);
	crypto_core_ristretto255_scalar_reduce(reduced, wide);
	is_canonical = sodium_memcmp(reduced, s, OPRF_SCALAR_SIZE) == 0;
	sodium_memzero(wide, sizeof wide);
	sodium_memzero(reduced, sizeof reduced);
	return is_canonical && !sodium_is_zero(s, OPRF_SCALAR_SIZE);
}

void oprf_random_scalar(uint8_t s[OPRF_SCALAR_SIZE])
{
	crypto_core_ristretto255_scalar_random(s);
}

int oprf_multiply(uint8_t out[OPRF_ELEMENT_SIZE], const uint8_t s[OPRF_SCALAR_SIZE],
		  const uint8_t e[OPRF_ELEMENT_SIZE])
{
	element result;
	int err = ERR_AUTH;

	if (!oprf_is_element(e) || !oprf_is_scalar(s))
		return ERR_AUTH;
	if (crypto_scalarmult_ristretto255(result, s, e) == 0) {
		memcpy(out, result, sizeof result);
		err = 0;
	}
	sodium_memzero(result, sizeof result);
	return err;
}

/* ---- Keys ---- */

int oprf_derive_key(enum oprf_mode mode, const uint8_t seed[OPRF_SEED_SIZE], struct bytes info,
		    uint8_t secret[OPRF_SCALAR_SIZE], uint8_t public[OPRF_ELEMENT_SIZE])
{
	crypto_hash_sha512_state state;
	uint8_t counter = 0;

	if (info.size > OPRF_INPUT_MAX)
		return ERR_LIMIT;
	do {
		expand_begin(&state);
		hash_part(&state, bytes_of(seed, OPRF_SEED_SIZE));
		hash_framed(&state, info);
		hash_part(&state, bytes_of(&counter, 1));
		scalar_end(&state, secret, "DeriveKeyPair", mode);
		/* One in 2^252: the counter never runs out. */
	} while (sodium_is_zero(secret, OPRF_SCALAR_SIZE) && counter++ < 255);
	if (crypto_scalarmult_ristretto255_base(public, secret) != 0)
		return ERR_AUTH;
	return 0;
}

/* m of the partial mode (section 3.3.3): what `info` adds to the key. */
static void info_scalar(scalar m, struct bytes info)
{
	crypto_hash_sha512_state state;

	expand_begin(&state);
	hash_part(&state, bytes_text("Info"));
	hash_framed(&state, info);
	scalar_end(&state, m, "HashToScalar-", OPRF_PARTIAL);
}

/* ---- Proofs of equal discrete logarithms (section 2.2) ---- */

/* ComputeComposites: M and Z are weighted sums of the batches c and d; `z` may be NULL. The
 * sums start at the identity, whose encoding is zeros. */
static int composites(enum oprf_mode mode, const element b, const element *c, const element *d,
		      size_t count, element m, element z)
{
	struct tag tag = tag_of("Seed-", mode);
	crypto_hash_sha512_state state;
	uint8_t seed[HASH_SIZE];
	element term;
	scalar di;
	size_t i;

	crypto_hash_sha512_init(&state);
	hash_framed(&state, bytes_of(b, sizeof(element)));
	hash_framed(&state, bytes_of(tag.bytes, tag.size));
	crypto_hash_sha512_final(&state, seed);

	memset(m, 0, sizeof(element));
	if (z)
		memset(z, 0, sizeof(element));
	for (i = 0; i < count; i++) {
		expand_begin(&state);
		hash_framed(&state, BYTES(seed));
		hash_u16(&state, i);
		hash_framed(&state, BYTES(c[i]));
		hash_framed(&state, BYTES(d[i]));
		hash_part(&state, bytes_text("Composite"));
		scalar_end(&state, di, "HashToScalar-", mode);
		if (crypto_scalarmult_ristretto255(term, di, c[i]) != 0 ||
		    crypto_core_ristretto255_add(m, m, term) != 0)
			return ERR_AUTH;
		if (z && (crypto_scalarmult_ristretto255(term, di, d[i]) != 0 ||
			  crypto_core_ristretto255_add(z, z, term) != 0))
			return ERR_AUTH;
	}
	return 0;
}

static void challenge(enum oprf_mode mode, scalar out, const element b, const element m,
		      const element z, const element t2, const element t3)
{
	const uint8_t *parts[] = { b, m, z, t2, t3 };
	crypto_hash_sha512_state state;
	size_t i;

	expand_begin(&state);
	for (i = 0; i < sizeof parts / sizeof parts[0]; i++)
		hash_framed(&state, bytes_of(parts[i], OPRF_ELEMENT_SIZE));
	hash_part(&state, bytes_text("Challenge"));
	scalar_end(&state, out, "HashToScalar-", mode);
}

/* GenerateProof(k, G, B, C, D) */
static int prove(enum oprf_mode mode, const scalar k, const element b, const element *c,
		 const element *d, size_t count, const scalar r, uint8_t proof[OPRF_PROOF_SIZE])
{
	element m, z, t2, t3;
	scalar e, ke;

	if (composites(mode, b, c, d, count, m, NULL) < 0 || oprf_multiply(z, k, m) < 0 ||
	    crypto_scalarmult_ristretto255_base(t2, r) != 0 || oprf_multiply(t3, r, m) < 0)
		return ERR_AUTH;
	challenge(mode, e, b, m, z, t2, t3);
	crypto_core_ristretto255_scalar_mul(ke, e, k);
	memcpy(proof, e, sizeof e);
	crypto_core_ristretto255_scalar_sub(proof + OPRF_SCALAR_SIZE, r, ke);
	sodium_memzero(ke, sizeof ke);
	return 0;
}

/* s * a + e * b, as the verifier rebuilds a commitment; a NULL is the generator. */
static int commitment(element out, const scalar s, const element a, const scalar e,
		      const element b)
{
	element left, right;

	if ((a ? crypto_scalarmult_ristretto255(left, s, a)
	       : crypto_scalarmult_ristretto255_base(left, s)) != 0 ||
	    crypto_scalarmult_ristretto255(right, e, b) != 0 ||
	    crypto_core_ristretto255_add(out, left, right) != 0)
		return ERR_AUTH;
	return 0;
}

/* VerifyProof(G, B, C, D, proof) */
static int check(enum oprf_mode mode, const element b, const element *c, const element *d,
		 size_t count, const uint8_t proof[OPRF_PROOF_SIZE])
{
	const uint8_t *e = proof, *s = proof + OPRF_SCALAR_SIZE;
	element m, z, t2, t3;
	scalar expected;

	if (!oprf_is_scalar(e) || !oprf_is_scalar(s) ||
	    composites(mode, b, c, d, count, m, z) < 0 || commitment(t2, s, NULL, e, b) < 0 ||
	    commitment(t3, s, m, e, z) < 0)
		return ERR_AUTH;
	challenge(mode, expected, b, m, z, t2, t3);
	return sodium_memcmp(expected, e, sizeof expected) == 0 ? 0 : ERR_AUTH;
}

/* ---- The protocol (section 3.3) ---- */

int oprf_blind(enum oprf_mode mode, struct bytes input, const uint8_t blind[OPRF_SCALAR_SIZE],
	       uint8_t blinded[OPRF_ELEMENT_SIZE])
{
	element e;
	int err;

	if (input.size > OPRF_INPUT_MAX)
		return ERR_LIMIT;
	hash_to_group(e, input, mode);
	err = oprf_multiply(blinded, blind, e);
	sodium_memzero(e, sizeof e);
	return err;
}

/* What the server multiplies by, and the element that its proof is about. */
static int evaluation_key(enum oprf_mode mode, const scalar secret, struct bytes info,
			  scalar proved, scalar factor)
{
	scalar m;

	memcpy(proved, secret, sizeof m);
	memcpy(factor, secret, sizeof m);
	if (mode != OPRF_PARTIAL)
		return 0;
	info_scalar(m, info);
	crypto_core_ristretto255_scalar_add(proved, secret, m);
	/* Fails only for zero: whoever found such an `info` knows the key. */
	return crypto_core_ristretto255_scalar_invert(factor, proved) == 0 ? 0 : ERR_AUTH;
}

int oprf_evaluate(enum oprf_mode mode, const uint8_t secret[OPRF_SCALAR_SIZE],
		  struct bytes info, const uint8_t (*blinded)[OPRF_ELEMENT_SIZE], size_t count,
		  const uint8_t r[OPRF_SCALAR_SIZE], uint8_t (*evaluated)[OPRF_ELEMENT_SIZE],
		  uint8_t proof[OPRF_PROOF_SIZE])
{
	bool is_partial = mode == OPRF_PARTIAL;
	scalar proved, factor;
	element public;
	size_t i;
	int err = ERR_LIMIT;

	if (count == 0 || count > OPRF_BATCH_MAX || info.size > OPRF_INPUT_MAX)
		goto out;
	err = evaluation_key(mode, secret, info, proved, factor);
	for (i = 0; err == 0 && i < count; i++)
		err = oprf_multiply(evaluated[i], factor, blinded[i]);
	if (err < 0 || mode == OPRF_BASE)
		goto out;
	err = ERR_AUTH;
	if (crypto_scalarmult_ristretto255_base(public, proved) != 0)
		goto out;
	/* blinded = t * evaluated in the partial mode, the other way round otherwise. */
	err = prove(mode, proved, public, is_partial ? (const element *)evaluated : blinded,
		    is_partial ? blinded : (const element *)evaluated, count, r, proof);
out:
	sodium_memzero(proved, sizeof proved);
	sodium_memzero(factor, sizeof factor);
	return err;
}

int oprf_verify(enum oprf_mode mode, const uint8_t public[OPRF_ELEMENT_SIZE], struct bytes info,
		const uint8_t (*blinded)[OPRF_ELEMENT_SIZE],
		const uint8_t (*evaluated)[OPRF_ELEMENT_SIZE], size_t count,
		const uint8_t proof[OPRF_PROOF_SIZE])
{
	element tweaked;
	scalar m;
	size_t i;

	assert(mode != OPRF_BASE);
	if (count == 0 || count > OPRF_BATCH_MAX || info.size > OPRF_INPUT_MAX)
		return ERR_LIMIT;
	if (!oprf_is_element(public))
		return ERR_AUTH;
	for (i = 0; i < count; i++)
		if (!oprf_is_element(blinded[i]) || !oprf_is_element(evaluated[i]))
			return ERR_AUTH;
	if (mode == OPRF_VERIFIABLE)
		return check(mode, public, blinded, evaluated, count, proof);

	info_scalar(m, info);
	if (crypto_scalarmult_ristretto255_base(tweaked, m) != 0 ||
	    crypto_core_ristretto255_add(tweaked, tweaked, public) != 0 ||
	    !oprf_is_element(tweaked))
		return ERR_AUTH;
	return check(mode, tweaked, evaluated, blinded, count, proof);
}

int oprf_finalize(enum oprf_mode mode, struct bytes input, struct bytes info,
		  const uint8_t blind[OPRF_SCALAR_SIZE],
		  const uint8_t evaluated[OPRF_ELEMENT_SIZE], uint8_t out[OPRF_OUTPUT_SIZE])
{
	crypto_hash_sha512_state state;
	element unblinded;
	scalar inverse;
	int err = ERR_LIMIT;

	if (input.size > OPRF_INPUT_MAX || info.size > OPRF_INPUT_MAX)
		goto out;
	err = ERR_AUTH;
	if (!oprf_is_scalar(blind) ||
	    crypto_core_ristretto255_scalar_invert(inverse, blind) != 0)
		goto out;
	err = oprf_multiply(unblinded, inverse, evaluated);
	if (err < 0)
		goto out;
	crypto_hash_sha512_init(&state);
	hash_framed(&state, input);
	if (mode == OPRF_PARTIAL)
		hash_framed(&state, info);
	hash_framed(&state, BYTES(unblinded));
	hash_part(&state, bytes_text("Finalize"));
	crypto_hash_sha512_final(&state, out);
	sodium_memzero(&state, sizeof state);
out:
	sodium_memzero(unblinded, sizeof unblinded);
	sodium_memzero(inverse, sizeof inverse);
	return err;
}
