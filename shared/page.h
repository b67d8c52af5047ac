/* The seal of one page of a store, and of a frame of its write-ahead log. Knows how SQLite
 * lays them out, not SQLite. What the seal covers: shared/db_seal.h. */
#ifndef PALIQUE_SHARED_PAGE_H
#define PALIQUE_SHARED_PAGE_H

#include "shared/keys.h"

/* The log: https://sqlite.org/fileformat2.html#walformat */
enum {
	PAGE_BYTES = 4096,
	PAGE_RESERVED = 40, /* at its end: nonce 24, tag 16 */
	PAGE_LOG_HEADER = 32,
	PAGE_LOG_SALTS = 16, /* where in the log's header ... */
	PAGE_SALTS = 8,      /* ... and in a frame's */
	PAGE_SALTS_SIZE = 8,
	PAGE_FRAME_HEADER = 24, /* page number 4, commit size 4, salts 8, checksums 8 */
	PAGE_FRAME_BOUND = 16,  /* of which these are authenticated with the page */
	PAGE_FRAME = PAGE_FRAME_HEADER + PAGE_BYTES,
	PAGE_AD_MAX = 1 + PAGE_FRAME_BOUND,
};

struct page_keys {
	uint8_t page[32];     /* XChaCha20-Poly1305 */
	uint8_t check[16];    /* SipHash: second part of a nonce */
	uint8_t checksum[16]; /* SipHash: enciphers SQLite's own in a frame's header */
};

/* To be wiped by the caller. */
void page_keys_make(struct page_keys *k, const struct symmetric_key *key);

/* What is authenticated with a page: its place in the file, counted from 1, or the header
 * of its frame in the log. A view of `ad`. */
struct bytes page_ad(uint8_t ad[PAGE_AD_MAX], uint32_t number);
struct bytes page_frame_ad(uint8_t ad[PAGE_AD_MAX], const uint8_t header[PAGE_FRAME_HEADER]);

/* The reserved bytes of `plain` are not kept. */
void page_seal(const struct page_keys *k, uint8_t out[PAGE_BYTES],
	       const uint8_t plain[PAGE_BYTES], struct bytes ad);

/* In place. The reserved bytes come back as zeros, for SQLite's checksums in the log
 * cover them. A page that does not open (false) is zeroed whole. */
bool page_open(const struct page_keys *k, uint8_t page[PAGE_BYTES], struct bytes ad);

/* Whether a page was sealed under this key at all, whatever happened to it since. */
bool page_is_ours(const struct page_keys *k, const uint8_t page[PAGE_BYTES]);

/* Enciphers or deciphers the checksum in the header of the frame at `offset`. */
void page_cipher_checksum(const struct page_keys *k, uint8_t header[PAGE_FRAME_HEADER],
			  int64_t offset, bool decipher);

static inline uint32_t page_be32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

#endif
