#include "peer/filing_lanes.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum { ROUNDS = 12, WORDS = 16, STATE = 8 };

/* The same word of all lanes. */
typedef uint64_t lanes __attribute__((vector_size(8 * LANES)));

/* RFC 7693 section 2.6 */
static const uint64_t iv[STATE] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/* RFC 7693 section 2.7; rounds 11 and 12 are as the first two. */
static const uint8_t sigma[10][WORDS] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

static inline __attribute__((always_inline)) uint64_t word_at(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof word);
	return le64toh(word);
}

/* By pointers: how a vector is handed over depends on the processor. */
static inline __attribute__((always_inline)) void turn(lanes *x, const lanes *with, int by)
{
	*x ^= *with;
	*x = *x >> by | *x << (64 - by);
}

/* RFC 7693 section 3.1 */
static inline __attribute__((always_inline)) void mix(lanes *a, lanes *b, lanes *c, lanes *d,
						      const lanes *x, const lanes *y)
{
	*a += *b + *x;
	turn(d, a, 32);
	*c += *d;
	turn(b, c, 24);
	*a += *b + *y;
	turn(d, a, 16);
	*c += *d;
	turn(b, c, 63);
}

/* RFC 7693 section 3.2, of one block of each lane. */
static inline __attribute__((always_inline)) void
compress(lanes *h, const uint8_t *blocks, size_t apart, uint64_t count, bool is_last)
{
	lanes m[WORDS], v[WORDS];

	for (size_t i = 0; i < WORDS; i++) {
		const uint8_t *at = blocks + 8 * i;

		m[i] = (lanes){ word_at(at), word_at(at + apart), word_at(at + 2 * apart),
				word_at(at + 3 * apart) };
	}
	for (size_t i = 0; i < STATE; i++) {
		v[i] = h[i];
		v[STATE + i] = (lanes){ iv[i], iv[i], iv[i], iv[i] };
	}
	v[12] ^= count;
	if (is_last)
		v[14] = ~v[14];
#pragma GCC unroll 12
	for (size_t round = 0; round < ROUNDS; round++) {
		const uint8_t *s = sigma[round % 10];

#pragma GCC unroll 4
		for (size_t i = 0; i < 4; i++)
			mix(&v[i], &v[4 + i], &v[8 + i], &v[12 + i], &m[s[2 * i]],
			    &m[s[2 * i + 1]]);
#pragma GCC unroll 4
		for (size_t i = 0; i < 4; i++)
			mix(&v[i], &v[4 + (i + 1) % 4], &v[8 + (i + 2) % 4],
			    &v[12 + (i + 3) % 4], &m[s[8 + 2 * i]], &m[s[9 + 2 * i]]);
	}
	for (size_t i = 0; i < STATE; i++)
		h[i] ^= v[i] ^ v[STATE + i];
}

static inline __attribute__((always_inline)) void hash_all(const uint8_t *pieces, size_t size,
							   uint8_t out[LANES][LANES_HASH])
{
	lanes h[STATE];

	for (size_t i = 0; i < STATE; i++)
		h[i] = (lanes){ iv[i], iv[i], iv[i], iv[i] };
	/* Without a key, RFC 7693 section 2.5. */
	h[0] ^= (uint64_t)0x01010000 ^ LANES_HASH;
	for (size_t at = 0; at < size; at += LANES_BLOCK)
		compress(h, pieces + at, size, at + LANES_BLOCK, at + LANES_BLOCK == size);
	for (size_t lane = 0; lane < LANES; lane++) {
		for (size_t i = 0; i < LANES_HASH / 8; i++) {
			uint64_t word = htole64(h[i][lane]);

			memcpy(out[lane] + 8 * i, &word, sizeof word);
		}
	}
}

#ifdef __x86_64__

/* What every one of them can, and what most have since 2013, or rotate by themselves. */
static void plainly(const uint8_t *pieces, size_t size, uint8_t out[LANES][LANES_HASH])
{
	hash_all(pieces, size, out);
}

__attribute__((target("avx2"))) static void by_avx2(const uint8_t *pieces, size_t size,
						    uint8_t out[LANES][LANES_HASH])
{
	hash_all(pieces, size, out);
}

__attribute__((target("avx2,avx512f,avx512vl"))) static void
by_avx512(const uint8_t *pieces, size_t size, uint8_t out[LANES][LANES_HASH])
{
	hash_all(pieces, size, out);
}

bool lanes_are_fast(void)
{
	return __builtin_cpu_supports("avx2");
}

void lanes_hash(const uint8_t *pieces, size_t size, uint8_t out[LANES][LANES_HASH])
{
	assert(size > 0 && size % LANES_BLOCK == 0);
	if (__builtin_cpu_supports("avx512vl"))
		by_avx512(pieces, size, out);
	else if (__builtin_cpu_supports("avx2"))
		by_avx2(pieces, size, out);
	else
		plainly(pieces, size, out);
}

#else

bool lanes_are_fast(void)
{
	return false;
}

void lanes_hash(const uint8_t *pieces, size_t size, uint8_t out[LANES][LANES_HASH])
{
	assert(size > 0 && size % LANES_BLOCK == 0);
	hash_all(pieces, size, out);
}

#endif
