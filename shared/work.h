/* Proof of work: what a directory asks for when there are too many attempts, instead of
 * closing the door. Find a nonce for which BLAKE2b-256(challenge | nonce) begins with `bits`
 * zero bits; 2^bits hashes on average, one to check. */
#ifndef PALIQUE_SHARED_WORK_H
#define PALIQUE_SHARED_WORK_H

#include <stdbool.h>
#include <stdint.h>

enum {
	WORK_CHALLENGE_SIZE = 16,
	WORK_BITS_MAX = 26, /* some 20 s: more is refused by whoever is asked */
};

struct work {
	uint8_t challenge[WORK_CHALLENGE_SIZE];
	uint8_t bits; /* 0: none is wanted */
};

bool work_check(const struct work *w, uint64_t nonce);
/* Blocks, for seconds: call it in a worker. `is_cancelled` (may be NULL) is asked now and
 * then. ERR_LIMIT: more than WORK_BITS_MAX; ERR_CLOSED: cancelled. */
int work_solve(const struct work *w, uint64_t *nonce, bool (*is_cancelled)(void *user),
	       void *user);

#endif
