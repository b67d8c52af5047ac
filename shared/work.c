#include "shared/work.h"

#include <stddef.h>
#include <string.h>

#include <sodium.h>

#include "shared/error.h"

enum { ASK_EVERY = 1 << 14 }; /* hashes between two questions: some milliseconds */

/* The nonce is hashed as 8 bytes, big-endian. */
bool work_check(const struct work *w, uint64_t nonce)
{
	uint8_t text[WORK_CHALLENGE_SIZE + 8], hash[32];
	unsigned bits = w->bits; /* at most 255 of the hash's 256 */

	memcpy(text, w->challenge, sizeof w->challenge);
	for (size_t i = 0; i < 8; i++)
		text[WORK_CHALLENGE_SIZE + i] = (uint8_t)(nonce >> (56 - 8 * i));
	crypto_generichash(hash, sizeof hash, text, sizeof text, NULL, 0);
	for (size_t i = 0; i < bits / 8; i++)
		if (hash[i] != 0)
			return false;
	return bits % 8 == 0 || hash[bits / 8] >> (8 - bits % 8) == 0;
}

int work_solve(const struct work *w, uint64_t *nonce, bool (*is_cancelled)(void *user),
	       void *user)
{
	if (w->bits > WORK_BITS_MAX)
		return ERR_LIMIT;
	for (uint64_t n = 0;; n++) {
		if (n % ASK_EVERY == 0 && is_cancelled && is_cancelled(user))
			return ERR_CLOSED;
		if (work_check(w, n)) {
			*nonce = n;
			return 0;
		}
	}
}
