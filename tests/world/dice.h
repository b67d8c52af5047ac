/* Chance that can be repeated: one stream of numbers for each seed and purpose. Not for
 * secrets; but libsodium can be made to draw from it, so that a whole world repeats. */
#ifndef PALIQUE_TESTS_WORLD_DICE_H
#define PALIQUE_TESTS_WORLD_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
	uint64_t state[4];
};

void dice_init(struct dice *d, uint64_t seed, uint64_t purpose);
uint64_t dice_next(struct dice *d);
uint64_t dice_below(struct dice *d, uint64_t end);                  /* 0 to end - 1 */
uint64_t dice_between(struct dice *d, uint64_t low, uint64_t high); /* both included */
bool dice_chance(struct dice *d, unsigned per_mille);

/* Must come before the first sodium_init() of the process. */
void dice_become_randombytes(void);
void dice_reseed_randombytes(uint64_t seed);

#endif
