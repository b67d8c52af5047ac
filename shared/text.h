/* Text for people, in their language (gettext; English and Spanish). */
#ifndef PALIQUE_SHARED_TEXT_H
#define PALIQUE_SHARED_TEXT_H

#include <libintl.h>
#include <stdbool.h>
#include <stddef.h>

#define _(text)  gettext(text)
#define N_(text) (text) /* marks a text that is translated where it is used */

/* Reads the locale from the environment and finds the catalogues: beside the program
 * (../locale in a build, ../share/locale when installed). Call once in main(). */
void text_init(void);

enum { TEXT_LANGUAGE_MAX = 15 };

/* The code of the language spoken now: "en", "es". */
const char *text_language(void);
/* Speaks another from now on, until the next call: an engine answers each face in its own. English where there is no
 * catalogue of it; NULL, or what is no code: the one of text_init(). */
void text_use(const char *code);

/* The width to give printf() so that `text` fills so many columns: it counts bytes. */
int text_pad(const char *text, int columns);

/* Copies `text`, bytes from outside, so that it is safe on a terminal: control characters
 * (C0, C1, DEL), bidirectional controls and other invisible formatting become visible
 * escapes like \u202e, but joiners between characters that need them stay; invalid UTF-8 becomes U+FFFD. Newlines and tabs stay if `lines`.
 * Returns memory of the caller's to free. */
char *text_safe(const char *text, size_t size, bool lines);
/* The same for a line of JSON: it says the same to whoever parses it. */
char *text_safe_json(const char *json, size_t size);

#endif
