#include "shared/recovery.h"

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "shared/kdf.h"

static const char label[] = "palique-recovery-v1";

/* --- code and words --- */

void recovery_make(struct recovery_code *code)
{
	randombytes_buf(code->bytes, sizeof code->bytes);
}

enum { PACKED_SIZE = RECOVERY_SIZE + 1 }; /* the code, and the checksum in the high bits */

/* The checksum's four bits, the highest of a byte. */
static uint8_t checksum(const uint8_t code[RECOVERY_SIZE])
{
	uint8_t hash[crypto_generichash_BYTES], bits;

	crypto_generichash(hash, sizeof hash, code, RECOVERY_SIZE, NULL, 0);
	bits = hash[0] & 0xf0;
	sodium_memzero(hash, sizeof hash);
	return bits;
}

void recovery_print(char out[RECOVERY_TEXT_SIZE], const struct recovery_code *code,
		    const char *language)
{
	bool is_spanish = language && strncmp(language, "es", 2) == 0;
	uint8_t packed[PACKED_SIZE];
	char *at = out;

	memcpy(packed, code->bytes, RECOVERY_SIZE);
	packed[RECOVERY_SIZE] = checksum(code->bytes);
	for (unsigned i = 0; i < RECOVERY_WORDS; i++) {
		const char *word;
		unsigned place = 0;

		for (unsigned bit = i * WORDS_BITS; bit < (i + 1) * WORDS_BITS; bit++)
			place = place << 1 | (packed[bit / 8] >> (7 - bit % 8) & 1);
		word = is_spanish ? words_spanish[place] : words_english[place];
		if (i)
			*at++ = ' ';
		while (*word)
			*at++ = *word++;
	}
	*at = 0;
	sodium_memzero(packed, sizeof packed);
}

/* --- what was typed --- */

/* Words of it, folded to lower-case ASCII; one too long for any list stands as "". */
struct typed {
	unsigned count;
	char words[RECOVERY_WORDS][WORDS_MAX + 1];
	size_t size; /* of the word under way */
};

enum { BETWEEN = -1, ACCENT = -2, STRANGE = -3 };

/* U+00C0 to U+00FF: the letter without its accent; ? is none of ours. */
static const char latin[] = "aaaaaa?ceeeeiiiidnooooo?ouuuuy??"
			    "aaaaaa?ceeeeiiiidnooooo?ouuuuy?y";

/* One character of well-formed UTF-8: a letter, or what it is instead. */
static int fold(struct bytes *rest)
{
	uint32_t c = *rest->data++;
	unsigned more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

	rest->size -= more + 1;
	c &= more ? 0x3fu >> more : 0x7fu;
	while (more--)
		c = c << 6 | (*rest->data++ & 0x3f);
	if (c >= 'A' && c <= 'Z')
		return (int)(c - 'A' + 'a');
	if (c >= 'a' && c <= 'z')
		return (int)c;
	if (c < 0xc0 || (c >= 0x2000 && c <= 0x206f)) /* dashes, spaces, dots */
		return BETWEEN;
	if (c <= 0xff)
		return latin[c - 0xc0] == '?' ? STRANGE : latin[c - 0xc0];
	return c >= 0x300 && c <= 0x36f ? ACCENT : STRANGE;
}

static int next_word(struct typed *t)
{
	if (!t->size)
		return 0;
	if (t->count == RECOVERY_WORDS)
		return ERR_FORMAT;
	t->count++;
	t->size = 0;
	return 0;
}

/* Cuts it into words. ERR_FORMAT: not so many as there should be. */
static int cut(struct typed *t, struct bytes rest)
{
	while (rest.size) {
		int c = fold(&rest), err = 0;

		if (c == BETWEEN)
			err = next_word(t);
		if (c == BETWEEN || c == ACCENT) {
			if (err < 0)
				return err;
			continue;
		}
		if (t->count == RECOVERY_WORDS)
			return ERR_FORMAT;
		/* a word that cannot be in a list stays in its place, to be told by its number */
		if (c == STRANGE || t->size >= WORDS_MAX) {
			t->words[t->count][0] = 0;
			t->size = WORDS_MAX;
			continue;
		}
		t->words[t->count][t->size++] = (char)c;
	}
	if (next_word(t) < 0 || t->count != RECOVERY_WORDS)
		return ERR_FORMAT;
	return 0;
}

/* How many of the words are in `list`; `places` of those which are not are -1. */
static unsigned look_up(int places[RECOVERY_WORDS], const struct typed *t,
			const char list[WORDS_COUNT][WORDS_MAX + 1])
{
	unsigned found = 0;

	for (unsigned i = 0; i < RECOVERY_WORDS; i++) {
		places[i] = words_find(list, t->words[i]);
		found += places[i] >= 0;
	}
	return found;
}

static void pack(uint8_t packed[PACKED_SIZE], const int places[RECOVERY_WORDS])
{
	memset(packed, 0, PACKED_SIZE);
	for (unsigned bit = 0; bit < RECOVERY_WORDS * WORDS_BITS; bit++) {
		int place = places[bit / WORDS_BITS];

		if (place >> (WORDS_BITS - 1 - bit % WORDS_BITS) & 1)
			packed[bit / 8] |= 0x80 >> bit % 8;
	}
}

int recovery_parse(struct recovery_code *code, struct bytes typed, unsigned *bad)
{
	int english[RECOVERY_WORDS], spanish[RECOVERY_WORDS], *places = english;
	uint8_t packed[PACKED_SIZE];
	struct typed t = { 0 };
	unsigned number = 0;
	int err = ERR_LIMIT;

	if (typed.size > RECOVERY_TYPED_MAX)
		goto out;
	err = ERR_FORMAT;
	if (!bytes_is_utf8(typed) || cut(&t, typed) < 0)
		goto out;
	/* the list is that of most of the words: the wrong one is then told rightly */
	if (look_up(spanish, &t, words_spanish) > look_up(english, &t, words_english))
		places = spanish;
	for (number = 1; number <= RECOVERY_WORDS; number++)
		if (places[number - 1] < 0)
			goto out;
	number = 0;
	pack(packed, places);
	err = ERR_AUTH;
	if (packed[RECOVERY_SIZE] != checksum(packed))
		goto out;
	memcpy(code->bytes, packed, RECOVERY_SIZE);
	err = 0;
out:
	if (bad)
		*bad = number;
	sodium_memzero(&t, sizeof t);
	sodium_memzero(english, sizeof english);
	sodium_memzero(spanish, sizeof spanish);
	sodium_memzero(packed, sizeof packed);
	return err;
}

/* --- keys --- */

void recovery_keys(struct recovery_keys *keys, const struct recovery_code *code,
		   const struct name *name)
{
	crypto_generichash_state state;
	uint8_t secret[32], seed[crypto_sign_SEEDBYTES];

	crypto_generichash_init(&state, code->bytes, RECOVERY_SIZE, sizeof secret);
	crypto_generichash_update(&state, (const uint8_t *)label, sizeof label - 1);
	crypto_generichash_update(&state, (const uint8_t *)name->text, strlen(name->text));
	crypto_generichash_final(&state, secret, sizeof secret);

	kdf_label(seed, sizeof seed, secret, "prove");
	crypto_sign_seed_keypair(keys->prove.public.bytes, keys->prove.secret.bytes, seed);
	kdf_label(keys->unwrap.secret.bytes, sizeof keys->unwrap.secret.bytes, secret,
		  "unwrap");
	crypto_scalarmult_base(keys->unwrap.public.bytes, keys->unwrap.secret.bytes);

	sodium_memzero(&state, sizeof state);
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(seed, sizeof seed);
}

void recovery_keys_wipe(struct recovery_keys *keys)
{
	sodium_memzero(keys, sizeof *keys);
}

int recovery_wrap(uint8_t out[VAULT_RECOVERY_SIZE], const struct device_public *to,
		  const struct symmetric_key *key)
{
	if (crypto_box_seal(out, key->bytes, sizeof key->bytes, to->bytes) == 0)
		return 0;
	memset(out, 0, VAULT_RECOVERY_SIZE);
	return ERR_AUTH;
}

int recovery_unwrap(struct symmetric_key *key, const uint8_t wrapped[VAULT_RECOVERY_SIZE],
		    const struct device *with)
{
	struct symmetric_key opened;

	if (crypto_box_seal_open(opened.bytes, wrapped, VAULT_RECOVERY_SIZE, with->public.bytes,
				 with->secret.bytes) != 0)
		return ERR_AUTH;
	*key = opened;
	sodium_memzero(&opened, sizeof opened);
	return 0;
}
