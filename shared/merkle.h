/* Merkle trees as in certificate transparency: SHA-256 hashes of RFC 6962 section 2.1, and the
 * verification of proofs as in RFC 9162 sections 2.1.3.2 and 2.1.4.2. */
#ifndef PALIQUE_SHARED_MERKLE_H
#define PALIQUE_SHARED_MERKLE_H

#include "shared/bytes.h"

enum { MERKLE_HASH_SIZE = 32, MERKLE_PROOF_MAX = 128 }; /* hashes: two for each level of 64 */

void merkle_empty(uint8_t out[MERKLE_HASH_SIZE]);
void merkle_leaf(uint8_t out[MERKLE_HASH_SIZE], struct bytes leaf);
void merkle_node(uint8_t out[MERKLE_HASH_SIZE], const uint8_t left[MERKLE_HASH_SIZE],
		 const uint8_t right[MERKLE_HASH_SIZE]);

/* The root over `count` leaf hashes (RFC 6962's MTH). */
void merkle_root(uint8_t out[MERKLE_HASH_SIZE], const uint8_t (*leaves)[MERKLE_HASH_SIZE],
		 size_t count);

/* Is `leaf_hash` leaf number `index` of the tree of `size` leaves with this root? ERR_FORMAT:
 * a hash of another length, or a proof of another length than index and size ask for.
 * ERR_AUTH: the proof does not lead to the root. */
int merkle_verify_inclusion(struct bytes leaf_hash, uint64_t index, uint64_t size,
			    const struct bytes *proof, size_t count, struct bytes root);

/* Is the tree of `size1` leaves the beginning of the one of `size2`? A tree without leaves
 * proves nothing, so that size1 = 0 is refused. Errors as above. */
int merkle_verify_consistency(uint64_t size1, struct bytes root1, uint64_t size2,
			      struct bytes root2, const struct bytes *proof, size_t count);

#endif
