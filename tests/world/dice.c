#include "tests/world/dice.h"

#include <sodium.h>
#include <string.h>

static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = (*x += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void dice_init(struct dice *d, uint64_t seed, uint64_t purpose)
{
	uint64_t x = seed * 0x2545f4914f6cdd1d + purpose;

	for (int i = 0; i < 4; i++)
		d->state[i] = splitmix(&x);
}

static uint64_t rotate(uint64_t x, int by)
{
	return (x << by) | (x >> (64 - by));
}

/* xoshiro256** by Blackman and Vigna, https://prng.di.unimi.it */
uint64_t dice_next(struct dice *d)
{
	uint64_t *s = d->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t dice_below(struct dice *d, uint64_t end)
{
	return end ? dice_next(d) % end : 0;
}

uint64_t dice_between(struct dice *d, uint64_t low, uint64_t high)
{
	return low + dice_below(d, high - low + 1);
}

bool dice_chance(struct dice *d, unsigned per_mille)
{
	return dice_below(d, 1000) < per_mille;
}

static struct dice for_sodium;

static const char *dice_name(void)
{
	return "dice";
}

static uint32_t dice_random(void)
{
	return (uint32_t)dice_next(&for_sodium);
}

static void dice_fill(void *const out, const size_t size)
{
	uint8_t *at = out;

	for (size_t left = size; left > 0;) {
		uint64_t word = dice_next(&for_sodium);
		size_t part = left < sizeof word ? left : sizeof word;

		memcpy(at, &word, part);
		at += part;
		left -= part;
	}
}

void dice_become_randombytes(void)
{
	static struct randombytes_implementation implementation = {
		.implementation_name = dice_name,
		.random = dice_random,
		.buf = dice_fill,
	};

	dice_reseed_randombytes(0);
	randombytes_set_implementation(&implementation);
}

void dice_reseed_randombytes(uint64_t seed)
{
	dice_init(&for_sodium, seed, 0x50a1);
}
