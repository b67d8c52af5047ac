/* Proofs out of arbitrary hashes and sizes: where one holds, each of its bits was needed. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/merkle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 2 * 8 + 3 * 32 };

struct claim {
	uint64_t a, b;
	struct bytes first, second, leaf, proof[MERKLE_PROOF_MAX + 4];
	size_t count;
};

/* The last hash may be a short one. */
static void claim_from(struct claim *c, const uint8_t *data, size_t size)
{
	memcpy(&c->a, data, 8);
	memcpy(&c->b, data + 8, 8);
	c->first = bytes_of(data + 16, 32);
	c->second = bytes_of(data + 48, 32);
	c->leaf = bytes_of(data + 80, 32);
	c->count = 0;
	for (size_t at = HEAD; at < size && c->count < MERKLE_PROOF_MAX + 4; at += 32)
		c->proof[c->count++] = bytes_of(data + at, size - at < 32 ? size - at : 32);
}

static bool is_consistent(const struct claim *c)
{
	return merkle_verify_consistency(c->a, c->first, c->b, c->second, c->proof, c->count) ==
	       0;
}

static bool is_included(const struct claim *c)
{
	return merkle_verify_inclusion(c->leaf, c->a, c->b, c->proof, c->count, c->second) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct claim c;
	uint8_t *copy;
	bool consistent, included;
	size_t at;

	if (size < HEAD)
		return 0;
	copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	claim_from(&c, copy, size);
	consistent = is_consistent(&c);
	included = is_included(&c);
	for (at = 16; (consistent || included) && at < size; at++) {
		bool is_first = at < 48, is_leaf = at >= 80 && at < HEAD;

		if ((at - 16) / 32 >= 3 + c.count)
			break;
		copy[at] ^= 1;
		if ((consistent && !is_leaf && is_consistent(&c)) ||
		    (included && !is_first && is_included(&c)))
			abort();
		copy[at] ^= 1;
	}
	free(copy);
	return 0;
}
