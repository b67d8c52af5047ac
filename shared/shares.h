/* A secret in three shares, any two of which give it back, and one of which says nothing:
 * Shamir's scheme over the scalars of ristretto255, whose arithmetic is libsodium's. The
 * secret is a random scalar; what it protects is sealed under its hash. */
#ifndef PALIQUE_SHARED_SHARES_H
#define PALIQUE_SHARED_SHARES_H

#include "shared/keys.h"

enum { SHARES_COUNT = 3, SHARES_NEEDED = 2, SHARE_SIZE = 32 };

struct share {
	uint8_t number; /* 1 to SHARES_COUNT */
	uint8_t bytes[SHARE_SIZE];
};

/* A fresh key and its shares. */
void shares_make(struct symmetric_key *key, struct share shares[SHARES_COUNT]);
/* ERR_FORMAT: the same share twice, a number out of range, or no scalar. Shares of two
 * different secrets give a key that opens nothing. */
int shares_join(struct symmetric_key *key, const struct share *a, const struct share *b);

#endif
