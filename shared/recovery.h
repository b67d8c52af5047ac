/* The recovery code: 128 random bits on paper that open the vault when the password is
 * forgotten. As 12 words of a list of 2048 (shared/words.h, English or Spanish): 128 bits,
 * highest first, and 4 of checksum (the highest of their BLAKE2b-256), 11 to a word. So of 16
 * codes with a wrong word 15 are noticed. No word, nor its first four letters, is in both
 * lists, and a code is of one list: what was typed means one code or none.
 *
 * From the code come two keys: one proves to the directory that somebody has it, the other
 * unwraps the vault's key. The directory learns the public halves, from which nothing can be
 * guessed. */
#ifndef PALIQUE_SHARED_RECOVERY_H
#define PALIQUE_SHARED_RECOVERY_H

#include "shared/keys.h"
#include "shared/name.h"
#include "shared/vault.h"
#include "shared/words.h"

enum {
	RECOVERY_SIZE = 16,
	RECOVERY_WORDS = 12,
	RECOVERY_WORD_MAX = WORDS_MAX, /* bytes: ASCII, lower case */
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
/* What was typed: words of one of the lists (the first four letters of a word are enough), any
 * case, with or without accents, and between them whatever is no letter: spaces, commas, dashes,
 * their numbers. ERR_LIMIT: more than RECOVERY_TYPED_MAX; ERR_FORMAT: not 12 words, or no such
 * word: `bad` (may be NULL) is its number from 1, or 0. ERR_AUTH: each is a word, but the
 * checksum is wrong. */
int recovery_parse(struct recovery_code *code, struct bytes typed, unsigned *bad);

/* Both keys of a code, for this account: kdf_label() "prove" and "unwrap" of BLAKE2b-256 keyed
 * with the code over "palique-recovery-v1" | name. 128 random bits need no stretching. */
struct recovery_keys {
	struct identity prove; /* Ed25519 */
	struct device unwrap;  /* X25519 */
};
void recovery_keys(struct recovery_keys *keys, const struct recovery_code *code,
		   const struct name *name);
void recovery_keys_wipe(struct recovery_keys *keys);

/* The vault's key for whoever has the code: anyone can wrap with the public half
 * (crypto_box_seal), so a new vault key needs no code. ERR_AUTH: `to` is no key; this was not
 * wrapped for `with`. */
int recovery_wrap(uint8_t out[VAULT_RECOVERY_SIZE], const struct device_public *to,
		  const struct symmetric_key *key);
int recovery_unwrap(struct symmetric_key *key, const uint8_t wrapped[VAULT_RECOVERY_SIZE],
		    const struct device *with);

#endif
