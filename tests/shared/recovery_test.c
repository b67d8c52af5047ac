#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/recovery.h"

/* --- the lists --- */

static const char (*const lists[])[WORDS_MAX + 1] = { words_english, words_spanish };

static void every_word_is_short_lower_case_ascii(void **state)
{
	(void)state;
	for (int l = 0; l < 2; l++)
		for (int i = 0; i < WORDS_COUNT; i++) {
			const char *word = lists[l][i];
			size_t size = strnlen(word, WORDS_MAX + 1);

			assert_in_range(size, WORDS_PREFIX, WORDS_MAX);
			assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz"), size);
		}
}

static void lists_are_sorted(void **state)
{
	(void)state;
	for (int l = 0; l < 2; l++)
		for (int i = 1; i < WORDS_COUNT; i++)
			assert_true(strcmp(lists[l][i - 1], lists[l][i]) < 0);
}

static int by_prefix(const void *a, const void *b)
{
	return memcmp(*(const char *const *)a, *(const char *const *)b, WORDS_PREFIX);
}

static void four_letters_are_a_words_own_in_both_lists_together(void **state)
{
	const char *all[2 * WORDS_COUNT];

	(void)state;
	for (int i = 0; i < WORDS_COUNT; i++) {
		all[i] = words_english[i];
		all[WORDS_COUNT + i] = words_spanish[i];
	}
	qsort(all, 2 * WORDS_COUNT, sizeof all[0], by_prefix);
	for (int i = 1; i < 2 * WORDS_COUNT; i++)
		if (by_prefix(&all[i - 1], &all[i]) == 0)
			fail_msg("%s and %s", all[i - 1], all[i]);
}

static void words_are_found_whole_and_by_four_letters(void **state)
{
	char part[WORDS_MAX + 2];

	(void)state;
	for (int l = 0; l < 2; l++)
		for (int i = 0; i < WORDS_COUNT; i++) {
			snprintf(part, sizeof part, "%s", lists[l][i]);
			assert_int_equal(words_find(lists[l], part), i);
			assert_int_equal(words_find(lists[!l], part), -1);
			part[WORDS_PREFIX] = 0;
			assert_int_equal(words_find(lists[l], part), i);
			part[WORDS_PREFIX - 1] = 0;
			assert_int_equal(words_find(lists[l], part), -1);
			snprintf(part, sizeof part, "%.8sx", lists[l][i]);
			assert_int_equal(words_find(lists[l], part), -1);
		}
}

/* Codes on paper hang on the places: whoever changes a list breaks this on purpose. */
static void the_lists_never_change(void **state)
{
	static const char *const expected[] = { "f39350533fade6630a6a8c8c96f58a6e",
						"f9da350bc39a2f5a6062ba63e25ceaf2" };
	uint8_t hash[16];
	char text[BYTES_HEX_SIZE(16)];

	(void)state;
	for (int l = 0; l < 2; l++) {
		crypto_generichash(hash, sizeof hash, (const uint8_t *)lists[l],
				   sizeof words_english, NULL, 0);
		bytes_to_hex(BYTES(hash), text);
		assert_string_equal(text, expected[l]);
	}
}

/* Behind what is typed already. */
static void type(char text[RECOVERY_TYPED_MAX], const char *more)
{
	size_t size = strlen(text);

	snprintf(text + size, RECOVERY_TYPED_MAX - size, "%s", more);
}

/* --- codes --- */

static void a_code_comes_back_from_its_words(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		const char *language = round % 2 ? "es" : "en";
		struct recovery_code code, parsed;
		char text[RECOVERY_TEXT_SIZE];
		unsigned bad = 99;

		recovery_make(&code);
		recovery_print(text, &code, language);
		assert_int_equal(recovery_parse(&parsed, bytes_text(text), &bad), 0);
		assert_int_equal(bad, 0);
		assert_memory_equal(&parsed, &code, sizeof code);
	}
}

/* Computed apart: 128 zero bits, the checksum nibble of BLAKE2b-256 of 16 zero bytes. */
static void a_code_is_written_highest_bits_first(void **state)
{
	struct recovery_code code = { { 0 } };
	char text[RECOVERY_TEXT_SIZE], *last;
	uint8_t hash[32];

	(void)state;
	recovery_print(text, &code, "");
	assert_int_equal(strncmp(text, words_english[0], strlen(words_english[0])), 0);
	last = strrchr(text, ' ') + 1;
	crypto_generichash(hash, sizeof hash, code.bytes, sizeof code.bytes, NULL, 0);
	assert_string_equal(last, words_english[hash[0] >> 4]);
	code.bytes[0] = 0x80;
	recovery_print(text, &code, "es_ES.UTF-8");
	assert_int_equal(strncmp(text, words_spanish[1024], strlen(words_spanish[1024])), 0);
}

/* A code of ours as a list of words, to be typed in other ways. */
static void some_words(char words[RECOVERY_WORDS][WORDS_MAX + 1], struct recovery_code *code,
		       const char *language)
{
	char text[RECOVERY_TEXT_SIZE], *at = text;

	recovery_make(code);
	recovery_print(text, code, language);
	for (int i = 0; i < RECOVERY_WORDS; i++)
		snprintf(words[i], WORDS_MAX + 1, "%s", strsep(&at, " "));
}

static void people_type_in_many_ways(void **state)
{
	static const char *const forms[] = {
		"%.4s ", "  %s\n", "%s, ", "%s-", "7. %s\t", "%s \xe2\x80\x93 ", "%s\xc2\xa0",
	};
	char words[RECOVERY_WORDS][WORDS_MAX + 1];
	struct recovery_code code, parsed;

	(void)state;
	some_words(words, &code, "es");
	for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
		char text[RECOVERY_TYPED_MAX] = "";

		for (int i = 0; i < RECOVERY_WORDS; i++) {
			char one[32];

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(one, sizeof one, forms[f], words[i]);
			type(text, one);
		}
		assert_int_equal(recovery_parse(&parsed, bytes_text(text), NULL), 0);
		assert_memory_equal(&parsed, &code, sizeof code);
		for (char *c = text; *c; c++)
			if (*c >= 'a' && *c <= 'z')
				*c -= 'a' - 'A';
		assert_int_equal(recovery_parse(&parsed, bytes_text(text), NULL), 0);
		assert_memory_equal(&parsed, &code, sizeof code);
	}
}

/* `letter` of each word as `instead`. */
static void type_as(struct buf *out, const char *text, char letter, const char *instead)
{
	for (; *text; text++)
		if (*text == letter)
			buf_append(out, bytes_text(instead));
		else
			buf_append_byte(out, (uint8_t)*text);
}

static void accents_are_passed_over(void **state)
{
	static const struct {
		char letter;
		const char *instead;
	} ways[] = { { 'a', "\xc3\xa1" }, { 'e', "\xc3\x89" }, { 'o', "o\xcc\x81" },
		     { 'u', "\xc3\xbc" }, { 'n', "\xc3\xb1" }, { 'i', "\xc3\xad" } };
	struct recovery_code code, parsed;
	char text[RECOVERY_TEXT_SIZE];

	(void)state;
	for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
		struct buf typed = { 0 };

		recovery_make(&code);
		recovery_print(text, &code, "es");
		type_as(&typed, text, ways[w].letter, ways[w].instead);
		assert_int_equal(recovery_parse(&parsed, buf_view(&typed), NULL), 0);
		assert_memory_equal(&parsed, &code, sizeof code);
		buf_clear(&typed);
	}
}

static void join(char out[RECOVERY_TYPED_MAX], char words[RECOVERY_WORDS][WORDS_MAX + 1],
		 int count)
{
	out[0] = 0;
	for (int i = 0; i < count; i++) {
		type(out, words[i]);
		type(out, " ");
	}
}

static void the_wrong_word_is_told_by_its_number(void **state)
{
	static const char *const wrong[] = { "xqzk", "abc", "waytoolong", "\xd0\xb0\xd0\xb1" };
	char words[RECOVERY_WORDS][WORDS_MAX + 1], text[RECOVERY_TYPED_MAX];
	struct recovery_code code, parsed;
	unsigned bad;

	(void)state;
	memset(&parsed, 7, sizeof parsed);
	for (int at = 0; at < RECOVERY_WORDS; at++)
		for (size_t w = 0; w < sizeof wrong / sizeof wrong[0]; w++) {
			char long_text[RECOVERY_TYPED_MAX] = "";

			some_words(words, &code, at % 2 ? "es" : "en");
			for (int i = 0; i < RECOVERY_WORDS; i++) {
				type(long_text, i == at ? wrong[w] : words[i]);
				type(long_text, " ");
			}
			assert_int_equal(recovery_parse(&parsed, bytes_text(long_text), &bad),
					 ERR_FORMAT);
			assert_int_equal(bad, at + 1);
		}
	/* a word of the other list is a wrong one too */
	some_words(words, &code, "es");
	snprintf(words[4], sizeof words[4], "%s", words_english[77]);
	join(text, words, RECOVERY_WORDS);
	assert_int_equal(recovery_parse(&parsed, bytes_text(text), &bad), ERR_FORMAT);
	assert_int_equal(bad, 5);
	for (size_t i = 0; i < sizeof parsed; i++)
		assert_int_equal(parsed.bytes[i], 7);
}

static void too_few_and_too_many_words_are_refused(void **state)
{
	char words[RECOVERY_WORDS][WORDS_MAX + 1], text[RECOVERY_TYPED_MAX];
	struct recovery_code code, parsed;
	unsigned bad = 3;

	(void)state;
	some_words(words, &code, "en");
	join(text, words, RECOVERY_WORDS - 1);
	assert_int_equal(recovery_parse(&parsed, bytes_text(text), &bad), ERR_FORMAT);
	assert_int_equal(bad, 0);
	join(text, words, RECOVERY_WORDS);
	type(text, words[0]);
	assert_int_equal(recovery_parse(&parsed, bytes_text(text), &bad), ERR_FORMAT);
	assert_int_equal(bad, 0);
	assert_int_equal(recovery_parse(&parsed, bytes_text(""), &bad), ERR_FORMAT);
	memset(text, ' ', sizeof text);
	assert_int_equal(recovery_parse(&parsed, bytes_of(text, sizeof text), &bad),
			 ERR_FORMAT);
	assert_int_equal(recovery_parse(&parsed, bytes_of("\xff\xfe", 2), &bad), ERR_FORMAT);
	assert_int_equal(bad, 0);
}

static void what_is_longer_than_anyone_types_is_refused(void **state)
{
	struct recovery_code parsed;
	char text[RECOVERY_TYPED_MAX + 1];

	(void)state;
	memset(text, ' ', sizeof text);
	assert_int_equal(recovery_parse(&parsed, bytes_of(text, sizeof text), NULL), ERR_LIMIT);
}

static void the_checksum_notices_most_exchanged_words(void **state)
{
	int noticed = 0;

	(void)state;
	for (int round = 0; round < 400; round++) {
		char words[RECOVERY_WORDS][WORDS_MAX + 1], text[RECOVERY_TYPED_MAX];
		struct recovery_code code, parsed;
		int err;

		some_words(words, &code, "en");
		snprintf(words[round % RECOVERY_WORDS], sizeof words[0], "%s",
			 words_english[randombytes_uniform(WORDS_COUNT)]);
		join(text, words, RECOVERY_WORDS);
		err = recovery_parse(&parsed, bytes_text(text), NULL);
		assert_true(err == 0 || err == ERR_AUTH);
		noticed += err == ERR_AUTH;
	}
	assert_in_range(noticed, 330, 399); /* 15 of 16: 375 */
}

/* --- keys --- */

static void keys_depend_on_code_and_name(void **state)
{
	struct recovery_keys one, again, other;
	struct recovery_code code;
	struct name ana = { "ana" }, anna = { "anna" };

	(void)state;
	recovery_make(&code);
	recovery_keys(&one, &code, &ana);
	recovery_keys(&again, &code, &ana);
	assert_memory_equal(&one, &again, sizeof one);
	recovery_keys(&other, &code, &anna);
	assert_memory_not_equal(&one.prove.public, &other.prove.public, 32);
	assert_memory_not_equal(&one.unwrap.public, &other.unwrap.public, 32);
	code.bytes[15] ^= 1;
	recovery_keys(&other, &code, &ana);
	assert_memory_not_equal(&one.prove.public, &other.prove.public, 32);
	assert_memory_not_equal(one.prove.secret.bytes, one.unwrap.secret.bytes, 32);
	recovery_keys_wipe(&one);
	assert_true(sodium_is_zero((const uint8_t *)&one, sizeof one));
}

static void the_proving_key_signs(void **state)
{
	struct recovery_keys keys;
	struct recovery_code code;
	struct name ana = { "ana" };
	uint8_t signature[64];

	(void)state;
	recovery_make(&code);
	recovery_keys(&keys, &code, &ana);
	crypto_sign_detached(signature, NULL, (const uint8_t *)"x", 1, keys.prove.secret.bytes);
	assert_int_equal(crypto_sign_verify_detached(signature, (const uint8_t *)"x", 1,
						     keys.prove.public.bytes),
			 0);
}

static void only_the_code_unwraps(void **state)
{
	uint8_t wrapped[VAULT_RECOVERY_SIZE];
	struct recovery_keys keys, others;
	struct recovery_code code;
	struct name ana = { "ana" };
	struct symmetric_key key, opened;

	(void)state;
	randombytes_buf(&key, sizeof key);
	recovery_make(&code);
	recovery_keys(&keys, &code, &ana);
	assert_int_equal(recovery_wrap(wrapped, &keys.unwrap.public, &key), 0);
	assert_int_equal(recovery_unwrap(&opened, wrapped, &keys.unwrap), 0);
	assert_memory_equal(&opened, &key, sizeof key);
	recovery_make(&code);
	recovery_keys(&others, &code, &ana);
	assert_int_equal(recovery_unwrap(&opened, wrapped, &others.unwrap), ERR_AUTH);
	for (size_t i = 0; i < sizeof wrapped; i++) {
		wrapped[i] ^= 4;
		assert_int_equal(recovery_unwrap(&opened, wrapped, &keys.unwrap), ERR_AUTH);
		wrapped[i] ^= 4;
	}
}

static void what_is_no_key_is_not_wrapped_for(void **state)
{
	uint8_t wrapped[VAULT_RECOVERY_SIZE];
	struct device_public zero = { { 0 } };
	struct symmetric_key key;

	(void)state;
	randombytes_buf(&key, sizeof key);
	assert_int_equal(recovery_wrap(wrapped, &zero, &key), ERR_AUTH);
	assert_null(memmem(wrapped, sizeof wrapped, key.bytes, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_is_short_lower_case_ascii),
		cmocka_unit_test(lists_are_sorted),
		cmocka_unit_test(four_letters_are_a_words_own_in_both_lists_together),
		cmocka_unit_test(words_are_found_whole_and_by_four_letters),
		cmocka_unit_test(the_lists_never_change),
		cmocka_unit_test(a_code_comes_back_from_its_words),
		cmocka_unit_test(a_code_is_written_highest_bits_first),
		cmocka_unit_test(people_type_in_many_ways),
		cmocka_unit_test(accents_are_passed_over),
		cmocka_unit_test(the_wrong_word_is_told_by_its_number),
		cmocka_unit_test(too_few_and_too_many_words_are_refused),
		cmocka_unit_test(what_is_longer_than_anyone_types_is_refused),
		cmocka_unit_test(the_checksum_notices_most_exchanged_words),
		cmocka_unit_test(keys_depend_on_code_and_name),
		cmocka_unit_test(the_proving_key_signs),
		cmocka_unit_test(only_the_code_unwraps),
		cmocka_unit_test(what_is_no_key_is_not_wrapped_for),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
