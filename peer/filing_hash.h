/* The hash of what a file holds (shared/wire.h, FILE_TAIL): over its pieces in order, as they come. */
#ifndef PALIQUE_PEER_FILING_HASH_H
#define PALIQUE_PEER_FILING_HASH_H

#include <sodium.h>

#include "shared/bytes.h"
#include "shared/wire.h"

struct filing_hash {
	crypto_generichash_state whole, piece;
	uint64_t at; /* so many bytes are in it */
};

/* Of contents of `size` bytes, none of them yet. */
void filing_hash_begin(struct filing_hash *h, uint64_t size);
void filing_hash_add(struct filing_hash *h, struct bytes more);
/* After the last byte. */
void filing_hash_end(struct filing_hash *h, uint8_t out[32]);

#endif
