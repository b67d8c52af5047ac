#include "shared/nat.h"

#include <sodium.h>
#include <string.h>

enum {
	BLOCK_MIN = 512,        /* the smallest block we believe in */
	BLOCK_MAX = 8192,       /* samples on both sides of a large power of two */
	GUESS_LOWEST = 1024,    /* nothing below is ever guessed: those are servers' ports */
	GUESS_BLOCK_ROUNDS = 2, /* then the block was a mistake */
	PERMUTATION_ROUNDS = 4,
};

bool nat_is_easy(const struct nat *nat)
{
	return nat->mapping == NAT_EASY || nat->mapping == NAT_NONE;
}

static unsigned greatest_common(unsigned a, unsigned b)
{
	while (b) {
		unsigned rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* 0: they do not rise in small steps. A port that is seen twice in a row is a NAT that maps by
 * address only, and no step. */
static uint16_t step_of(const struct address *samples, unsigned count)
{
	unsigned step = 0;

	for (unsigned i = 1; i < count; i++) {
		int rise = samples[i].port - samples[i - 1].port;

		if (rise < 0 || rise > NAT_STEP_MAX)
			return 0;
		step = greatest_common(step, (unsigned)rise);
	}
	return (uint16_t)step;
}

/* The aligned power of two that holds both; where that is too large to be a block, as much around
 * them. */
static void find_block(struct nat *nat, unsigned low, unsigned high)
{
	unsigned size = BLOCK_MIN;

	while (low / size != high / size)
		size *= 2;
	if (size <= BLOCK_MAX) {
		low = low / size * size;
		high = low + size - 1;
	} else {
		low = low > BLOCK_MIN ? low - BLOCK_MIN : 0;
		high += BLOCK_MIN;
	}
	nat->low = (uint16_t)(low > 0 ? low : 1);
	nat->high = (uint16_t)(high < UINT16_MAX ? high : UINT16_MAX);
}

struct nat nat_classify(const struct address *samples, unsigned count,
			const struct address *ours)
{
	struct nat nat = { .mapping = NAT_UNKNOWN };
	bool is_one_ip = true, is_one_port = true;
	unsigned low = UINT16_MAX, high = 0;

	if (count < 2)
		return nat;
	for (unsigned i = 0; i < count; i++) {
		is_one_ip = is_one_ip && address_same_ip(&samples[i], &samples[0]);
		is_one_port = is_one_port && samples[i].port == samples[0].port;
		low = samples[i].port < low ? samples[i].port : low;
		high = samples[i].port > high ? samples[i].port : high;
	}
	if (!is_one_ip) {
		nat.mapping = NAT_RANDOM; /* a pool of addresses: the next may be any */
	} else if (is_one_port) {
		nat.mapping = address_equal(&samples[0], ours) ? NAT_NONE : NAT_EASY;
	} else if ((nat.high = step_of(samples, count)) != 0) {
		nat.mapping = NAT_SEQUENTIAL;
		nat.low = samples[count - 1].port;
	} else if (high - low < NAT_SPREAD_MAX) {
		nat.mapping = NAT_BLOCK;
		find_block(&nat, low, high);
	} else {
		nat.mapping = NAT_RANDOM;
	}
	return nat;
}

uint16_t nat_port_after(const struct nat *nat, unsigned ahead)
{
	uint32_t step = nat->high > 0 && nat->high <= NAT_STEP_MAX ? nat->high : 1;
	uint32_t port = nat->low + ahead * step;

	if (port > UINT16_MAX)
		port = GUESS_LOWEST + (port - UINT16_MAX - 1);
	return (uint16_t)(port < GUESS_LOWEST ? port + GUESS_LOWEST : port);
}

void nat_guess_begin(struct nat_guess *g, const struct nat *nat)
{
	memset(g, 0, sizeof *g);
	g->nat = *nat;
	randombytes_buf(g->key, sizeof g->key);
	/* It came from somebody else: nothing in it may lead astray. */
	if (g->nat.mapping == NAT_BLOCK && g->nat.low < GUESS_LOWEST)
		g->nat.low = GUESS_LOWEST;
	if (g->nat.mapping == NAT_BLOCK && g->nat.high < g->nat.low)
		g->nat.mapping = NAT_RANDOM;
}

static uint32_t mix(uint32_t x)
{
	x = (x ^ (x >> 16)) * 0x7feb352d;
	x = (x ^ (x >> 15)) * 0x846ca68b;
	return x ^ (x >> 16);
}

/* A permutation of 0 .. 4^half_bits - 1: a Feistel network. It need not be secret, only of no
 * pattern and without a repeat. */
static uint32_t permute(const struct nat_guess *g, uint32_t x, unsigned half_bits)
{
	uint32_t mask = (1u << half_bits) - 1, left = x >> half_bits, right = x & mask;

	for (unsigned i = 0; i < PERMUTATION_ROUNDS; i++) {
		uint32_t key, next;

		memcpy(&key, g->key + 4 * i, sizeof key);
		next = left ^ (mix(right + key + g->round * 0x9e3779b9u) & mask);
		left = right;
		right = next;
	}
	return left << half_bits | right;
}

/* The next of `low` .. `high` in this round's order; begins the next round behind the last. What
 * the permutation gives beyond the range is passed over. */
static uint16_t next_of_range(struct nat_guess *g, uint32_t low, uint32_t high)
{
	uint32_t size = high - low + 1, value;
	unsigned half_bits = 1;

	while (1u << (2 * half_bits) < size)
		half_bits++;
	for (;;) {
		if (g->at == 1u << (2 * half_bits)) {
			g->at = 0;
			g->round++;
		}
		value = permute(g, g->at++, half_bits);
		if (value < size)
			return (uint16_t)(low + value);
	}
}

static uint16_t next_of_sequence(struct nat_guess *g)
{
	uint32_t window = NAT_WINDOW * (g->round + 1);

	if (g->at == window) {
		g->at = 0;
		g->round = window < NAT_WINDOW_MAX ? g->round + 1 : 0;
	}
	return nat_port_after(&g->nat, ++g->at);
}

uint16_t nat_guess_next(struct nat_guess *g)
{
	uint16_t port;

	if (g->nat.mapping == NAT_SEQUENTIAL)
		return next_of_sequence(g);
	if (g->nat.mapping != NAT_BLOCK)
		return next_of_range(g, GUESS_LOWEST, UINT16_MAX);
	port = next_of_range(g, g->nat.low, g->nat.high);
	if (g->round < GUESS_BLOCK_ROUNDS)
		return port;
	g->nat.mapping = NAT_RANDOM; /* it is all seen: the NAT is not what it seemed */
	g->at = 0;
	return next_of_range(g, GUESS_LOWEST, UINT16_MAX);
}
