/* Two lists of 2048 words for recovery codes (shared/recovery.h). Lower-case ASCII, 4 to 8
 * letters, sorted; the first four letters of a word are its own in both lists together, so
 * any word typed, and any four letters of it, says which list and which place. Once shipped
 * they never change: codes on paper hang on the places.
 *
 * How they were made: English from Debian's wamerican-small, the more common ones first by
 * scowl's sizes and FreeDict; Spanish from wspanish, by how often each stands in fortunes-es,
 * manpages-es and FreeDict; no plurals, names, accents, nor what one would not say to a child. */
#ifndef PALIQUE_SHARED_WORDS_H
#define PALIQUE_SHARED_WORDS_H

enum {
	WORDS_COUNT = 2048,
	WORDS_BITS = 11,
	WORDS_PREFIX = 4, /* letters by which a word is known */
	WORDS_MAX = 8,    /* letters of the longest */
};

extern const char words_english[WORDS_COUNT][WORDS_MAX + 1];
extern const char words_spanish[WORDS_COUNT][WORDS_MAX + 1];

/* The place of the word of `list` that `typed` (lower case, NUL) is or begins, with at least
 * WORDS_PREFIX letters; -1: none. */
int words_find(const char list[WORDS_COUNT][WORDS_MAX + 1], const char *typed);

#endif
