#include "shared/merkle.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"

_Static_assert(MERKLE_HASH_SIZE == crypto_hash_sha256_BYTES, "SHA-256");

/* The prefixes keep leaves and nodes apart (RFC 6962 section 2.1). */
enum { LEAF_PREFIX = 0x00, NODE_PREFIX = 0x01 };

static void hash_with(uint8_t out[MERKLE_HASH_SIZE], uint8_t prefix, struct bytes a,
		      struct bytes b)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, &prefix, 1);
	if (a.size > 0)
		crypto_hash_sha256_update(&state, a.data, a.size);
	if (b.size > 0)
		crypto_hash_sha256_update(&state, b.data, b.size);
	crypto_hash_sha256_final(&state, out);
}

void merkle_empty(uint8_t out[MERKLE_HASH_SIZE])
{
	crypto_hash_sha256(out, (const uint8_t *)"", 0);
}

void merkle_leaf(uint8_t out[MERKLE_HASH_SIZE], struct bytes leaf)
{
	hash_with(out, LEAF_PREFIX, leaf, (struct bytes){ 0 });
}

void merkle_node(uint8_t out[MERKLE_HASH_SIZE], const uint8_t left[MERKLE_HASH_SIZE],
		 const uint8_t right[MERKLE_HASH_SIZE])
{
	hash_with(out, NODE_PREFIX, bytes_of(left, MERKLE_HASH_SIZE),
		  bytes_of(right, MERKLE_HASH_SIZE));
}

void merkle_root(uint8_t out[MERKLE_HASH_SIZE], const uint8_t (*leaves)[MERKLE_HASH_SIZE],
		 size_t count)
{
	/* Complete subtrees, largest first, as the bits of the count so far. */
	uint8_t stack[64][MERKLE_HASH_SIZE];
	size_t depth = 0, i, bits;

	if (count == 0) {
		merkle_empty(out);
		return;
	}
	for (i = 0; i < count; i++) {
		memcpy(stack[depth++], leaves[i], MERKLE_HASH_SIZE);
		for (bits = i; bits & 1; bits >>= 1, depth--)
			merkle_node(stack[depth - 2], stack[depth - 2], stack[depth - 1]);
	}
	for (; depth > 1; depth--)
		merkle_node(stack[depth - 2], stack[depth - 2], stack[depth - 1]);
	memcpy(out, stack[0], MERKLE_HASH_SIZE);
}

static bool are_hashes(const struct bytes *proof, size_t count)
{
	size_t i;

	if (count > MERKLE_PROOF_MAX)
		return false;
	for (i = 0; i < count; i++)
		if (proof[i].size != MERKLE_HASH_SIZE)
			return false;
	return true;
}

static bool hash_is(const uint8_t hash[MERKLE_HASH_SIZE], struct bytes expected)
{
	return bytes_equal(bytes_of(hash, MERKLE_HASH_SIZE), expected);
}

/* Section 2.1.3.2, step by step. */
int merkle_verify_inclusion(struct bytes leaf_hash, uint64_t index, uint64_t size,
			    const struct bytes *proof, size_t count, struct bytes root)
{
	uint8_t r[MERKLE_HASH_SIZE];
	uint64_t fn = index, sn = size - 1;
	size_t i;

	if (leaf_hash.size != MERKLE_HASH_SIZE || root.size != MERKLE_HASH_SIZE ||
	    !are_hashes(proof, count) || index >= size)
		return ERR_FORMAT;
	memcpy(r, leaf_hash.data, sizeof r);
	for (i = 0; i < count; i++) {
		if (sn == 0)
			return ERR_FORMAT;
		if (fn & 1 || fn == sn) {
			merkle_node(r, proof[i].data, r);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(r, r, proof[i].data);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (sn != 0)
		return ERR_FORMAT;
	return hash_is(r, root) ? 0 : ERR_AUTH;
}

/* Section 2.1.4.2: fr and sr grow towards the first and the second root. */
static int consistency_climb(uint64_t size1, struct bytes root1, uint64_t size2,
			     struct bytes root2, struct bytes first, const struct bytes *proof,
			     size_t count)
{
	uint8_t fr[MERKLE_HASH_SIZE], sr[MERKLE_HASH_SIZE];
	uint64_t fn = size1 - 1, sn = size2 - 1;
	size_t i;

	for (; fn & 1; fn >>= 1)
		sn >>= 1;
	memcpy(fr, first.data, sizeof fr);
	memcpy(sr, first.data, sizeof sr);
	for (i = 0; i < count; i++) {
		if (sn == 0)
			return ERR_FORMAT;
		if (fn & 1 || fn == sn) {
			merkle_node(fr, proof[i].data, fr);
			merkle_node(sr, proof[i].data, sr);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			merkle_node(sr, sr, proof[i].data);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (sn != 0)
		return ERR_FORMAT;
	return hash_is(fr, root1) && hash_is(sr, root2) ? 0 : ERR_AUTH;
}

int merkle_verify_consistency(uint64_t size1, struct bytes root1, uint64_t size2,
			      struct bytes root2, const struct bytes *proof, size_t count)
{
	if (root1.size != MERKLE_HASH_SIZE || root2.size != MERKLE_HASH_SIZE ||
	    !are_hashes(proof, count) || size1 == 0 || size1 > size2)
		return ERR_FORMAT;
	if (size1 == size2) {
		if (count > 0)
			return ERR_FORMAT;
		return bytes_equal(root1, root2) ? 0 : ERR_AUTH;
	}
	if (count == 0)
		return ERR_FORMAT;
	/* The root of a complete first tree is known: the proof leaves it out. */
	if ((size1 & (size1 - 1)) == 0)
		return consistency_climb(size1, root1, size2, root2, root1, proof, count);
	return consistency_climb(size1, root1, size2, root2, proof[0], proof + 1, count - 1);
}
