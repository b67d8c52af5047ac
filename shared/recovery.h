/* The recovery code: 128 random bits on paper that open the vault when the password is
 * forgotten. As 12 words of a list of 2048 (English or Spanish): 128 bits and 4 of checksum
 * (BLAKE2b), so that a mistyped word is noticed. From the code come two keys: one proves to
 * the directory that somebody has it, the other unwraps the vault's key. The directory learns
 * the public halves, from which nothing can be guessed. */
#ifndef PALIQUE_SHARED_RECOVERY_H
#define PALIQUE_SHARED_RECOVERY_H

#include "shared/keys.h"
#include "shared/name.h"
#include "shared/vault.h"

enum {
	RECOVERY_SIZE = 16,
	RECOVERY_WORDS = 12,
	RECOVERY_WORD_MAX = 8,  /* bytes; lists are ASCII, lower case */
	RECOVERY_TEXT_SIZE = RECOVERY_WORDS * (RECOVERY_WORD_MAX + 1), /* NUL included */
	RECOVERY_TYPED_MAX = 512, /* bytes of what a person typed */
};

struct recovery_code {
	uint8_t bytes[RECOVERY_SIZE];
};
void recovery_make(struct recovery_code *code);

/* Words with a space between. `language`: "es", or anything else for English. */
void recovery_print(char out[RECOVERY_TEXT_SIZE], const struct recovery_code *code,
		    const char *language);
/* What was typed: words of either list (the first four letters of a word are enough), any
 * case, accents, spaces, dashes or commas between. ERR_FORMAT: not 12 words, or no such word: `bad` (may
 * be NULL) is its number from 1, or 0. ERR_AUTH: each is a word, but the checksum is wrong. */
int recovery_parse(struct recovery_code *code, struct bytes typed, unsigned *bad);

/* Both keys of a code, for this account: kdf_label() of the stretched code and name. */
struct recovery_keys {
	struct identity prove;  /* Ed25519 */
	struct device unwrap;   /* X25519 */
};
void recovery_keys(struct recovery_keys *keys, const struct recovery_code *code,
		   const struct name *name);
void recovery_keys_wipe(struct recovery_keys *keys);

/* The vault's key for whoever has the code: anyone can wrap with the public half
 * (crypto_box_seal), so a new vault key needs no code. ERR_AUTH. */
void recovery_wrap(uint8_t out[VAULT_RECOVERY_SIZE], const struct device_public *to,
		   const struct symmetric_key *key);
int recovery_unwrap(struct symmetric_key *key, const uint8_t wrapped[VAULT_RECOVERY_SIZE],
		    const struct device *with);

#endif
