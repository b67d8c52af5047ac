#include "peer/filing_hash.h"

#include "shared/wire.h"

enum { LEAF_SIZE = 32 };

static void begin_piece(struct filing_hash *h)
{
	crypto_generichash_init(&h->piece, NULL, 0, LEAF_SIZE);
}

void filing_hash_begin(struct filing_hash *h, uint64_t size)
{
	static const char domain[] = "palique-file-v1";
	uint8_t said[8];

	for (unsigned i = 0; i < sizeof said; i++)
		said[i] = (uint8_t)(size >> (56 - 8 * i));
	crypto_generichash_init(&h->whole, NULL, 0, LEAF_SIZE);
	crypto_generichash_update(&h->whole, (const uint8_t *)domain, sizeof domain - 1);
	crypto_generichash_update(&h->whole, said, sizeof said);
	h->at = 0;
	begin_piece(h);
}

static void end_piece(struct filing_hash *h)
{
	uint8_t leaf[LEAF_SIZE];

	crypto_generichash_final(&h->piece, leaf, sizeof leaf);
	crypto_generichash_update(&h->whole, leaf, sizeof leaf);
	begin_piece(h);
}

void filing_hash_add(struct filing_hash *h, struct bytes more)
{
	while (more.size > 0) {
		size_t part = (size_t)(WIRE_FILE_PIECE - h->at % WIRE_FILE_PIECE);

		if (part > more.size)
			part = more.size;
		crypto_generichash_update(&h->piece, more.data, part);
		h->at += part;
		more = bytes_of(more.data + part, more.size - part);
		if (h->at % WIRE_FILE_PIECE == 0)
			end_piece(h);
	}
}

void filing_hash_end(struct filing_hash *h, uint8_t out[32])
{
	if (h->at % WIRE_FILE_PIECE > 0)
		end_piece(h);
	crypto_generichash_final(&h->whole, out, LEAF_SIZE);
}
