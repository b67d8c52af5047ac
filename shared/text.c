#include "shared/text.h"

#include <assert.h>
#include <limits.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/bytes.h"

enum {
	GROWTH_MAX = 6, /* bytes out for one byte in: \u001b */
};

/* --- language ---------------------------------------------------------------------- */

/* Where the catalogues are, seen from the program itself, so that a build folder and any
 * --prefix work without being told. */
static void find_catalogues(char *out, size_t size)
{
	char program[PATH_MAX], *slash;
	ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);

	if (length <= 0) {
		snprintf(out, size, PALIQUE_PREFIX "/share/locale");
		return;
	}
	program[length] = 0;
	slash = strrchr(program, '/');
	if (slash)
		*slash = 0;
	snprintf(out, size, "%s/../locale", program);
	if (access(out, X_OK) < 0)
		snprintf(out, size, "%s/../share/locale", program);
}

/* A locale may be asked for that this machine has not generated, as is usual in containers.
 * Its language is known all the same: gettext takes it from LANGUAGE. */
static void use_language_alone(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);

		if (!value || !*value)
			continue;
		setenv("LANGUAGE", value, 0);
		break;
	}
	setlocale(LC_ALL, "C.UTF-8");
}

static char catalogues[PATH_MAX + 32]; /* the folder */

static bool has_catalogue(const char *code)
{
	char path[sizeof catalogues + TEXT_LANGUAGE_MAX + 32];

	snprintf(path, sizeof path, "%s/%s/LC_MESSAGES/palique.mo", catalogues, code);
	return access(path, R_OK) == 0;
}

/* What gettext is to be asked for: it keeps each code that it was ever asked for, and looks through all of them for the next
 * one, so whoever names a thousand languages that nobody speaks would make every other text dear. */
static const char *spoken(const char *code)
{
	static char asked[TEXT_LANGUAGE_MAX + 1], found[TEXT_LANGUAGE_MAX + 1];

	if (!strcmp(code, asked))
		return found;
	snprintf(asked, sizeof asked, "%s", code);
	snprintf(found, sizeof found, "%s", code);
	if (!has_catalogue(found))
		found[strcspn(found, "_")] = 0; /* without its country */
	if (!has_catalogue(found))
		snprintf(found, sizeof found, "en");
	return found;
}

/* The language that was chosen at the start, as the catalogue itself names it, and the one
 * spoken now. */
static char own_language[TEXT_LANGUAGE_MAX + 1], language[TEXT_LANGUAGE_MAX + 1];

const char *text_language(void)
{
	/* Translators: the code of your language, as in the name of this catalogue. */
	return _("en");
}

static bool is_language(const char *code)
{
	size_t size = strspn(code, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");

	return size >= 2 && size <= TEXT_LANGUAGE_MAX && !code[size];
}

void text_use(const char *code)
{
	code = code && is_language(code) ? spoken(code) : own_language;
	if (!*code || !strcmp(code, language))
		return;
	memcpy(language, code, strlen(code) + 1);
	setenv("LANGUAGE", language, 1);
	if (!strcmp(setlocale(LC_MESSAGES, NULL), "C")) /* where gettext heeds no LANGUAGE */
		setlocale(LC_MESSAGES, "C.UTF-8");
	textdomain("palique"); /* what it has looked up is forgotten */
}

int text_pad(const char *text, int columns)
{
	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) == 0x80;
	return columns;
}

void text_init(void)
{
	if (!setlocale(LC_ALL, ""))
		use_language_alone();
	setlocale(LC_NUMERIC, "C"); /* figures in JSON and in logs are for machines */
	find_catalogues(catalogues, sizeof catalogues);
	bindtextdomain("palique", catalogues);
	bind_textdomain_codeset("palique", "UTF-8");
	textdomain("palique");
	if (is_language(text_language())) {
		memcpy(own_language, text_language(), strlen(text_language()) + 1);
		memcpy(language, own_language, sizeof language);
	}
}

/* --- text from outside ------------------------------------------------------------- */

/* Code points that a terminal obeys instead of showing, or that show nothing: with them a
 * text can look like another. Sorted. Variation selectors FE00 to FE0F stay: they only
 * choose between two drawings of the character before. */
static const struct {
	uint32_t from, to;
} hidden[] = {
	{ 0x0000, 0x001f },   /* C0 */
	{ 0x007f, 0x009f },   /* DEL, C1 */
	{ 0x00ad, 0x00ad },   /* soft hyphen */
	{ 0x034f, 0x034f },   /* combining grapheme joiner */
	{ 0x061c, 0x061c },   /* Arabic letter mark */
	{ 0x115f, 0x1160 },   /* Hangul fillers */
	{ 0x17b4, 0x17b5 },   /* Khmer inherent vowels */
	{ 0x180b, 0x180f },   /* Mongolian selectors and separator */
	{ 0x200b, 0x200f },   /* zero width, marks of direction */
	{ 0x2028, 0x202e },   /* line and paragraph, embeddings and overrides */
	{ 0x2060, 0x206f },   /* word joiner, invisible operators, isolates */
	{ 0x3164, 0x3164 },   /* Hangul filler */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xffa0, 0xffa0 },   /* halfwidth Hangul filler */
	{ 0xfff0, 0xfffb },   /* unassigned, interlinear annotation */
	{ 0xfffe, 0xffff },   /* not characters */
	{ 0x1bca0, 0x1bca3 }, /* shorthand format controls */
	{ 0x1d173, 0x1d17a }, /* musical format controls */
	{ 0xe0000, 0xe0fff }, /* tags, further variation selectors */
};

static bool is_hidden(uint32_t c)
{
	for (unsigned i = 0; i < sizeof hidden / sizeof *hidden && hidden[i].from <= c; i++)
		if (c <= hidden[i].to)
			return true;
	return false;
}

/* One code point by RFC 3629, section 4 (no overlong forms, no surrogates, up to 10FFFF);
 * what is none is not valid, for as many bytes as could have begun one. Returns the bytes
 * taken. */
static size_t decode(uint32_t *c, bool *is_valid, const uint8_t *b, size_t size)
{
	uint8_t low = 0x80, high = 0xbf; /* of the second byte */
	size_t want;

	*is_valid = true;
	*c = b[0];
	if (b[0] < 0x80)
		return 1;
	want = b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : b[0] < 0xf5 ? 4 : 0;
	if (b[0] == 0xe0)
		low = 0xa0;
	else if (b[0] == 0xed)
		high = 0x9f;
	else if (b[0] == 0xf0)
		low = 0x90;
	else if (b[0] == 0xf4)
		high = 0x8f;
	*c = want ? b[0] & (0x7fu >> want) : 0;
	for (size_t i = 1; i < want; i++) {
		if (i >= size || b[i] < low || b[i] > high) {
			want = i;
			*is_valid = false;
			break;
		}
		*c = *c << 6 | (b[i] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	if (!want)
		*is_valid = false;
	return want ? want : 1;
}

/* Returns the bytes written: 6 or, from four bytes or more, 10. */
static size_t escape(char *out, uint32_t c)
{
	char text[16];
	int size = snprintf(text, sizeof text, c > 0xffff ? "\\U%08x" : "\\u%04x", c);

	memcpy(out, text, (size_t)size);
	return (size_t)size;
}

/* JSON has only four digits, and surrogates for what needs more (RFC 8259 section 7). */
static size_t escape_json(char *out, uint32_t c)
{
	size_t size = 0;

	if (c > 0xffff)
		size = escape(out, 0xd800 + ((c - 0x10000) >> 10));
	return size + escape(out + size, c > 0xffff ? 0xdc00 + ((c - 0x10000) & 0x3ff) : c);
}

/* Zero width joiner and non-joiner, without which Persian, Hindi or the emoji of a family cannot be
 * written (RFC 5892, appendix A): between two characters of such scripts, as between Latin letters
 * they would only hide. `before`: 0 at the beginning, and behind another of them. */
static bool is_joining(uint32_t c, uint32_t before, const uint8_t *next, size_t size)
{
	uint32_t after;
	bool is_valid;

	if ((c != 0x200c && c != 0x200d) || before < 0x600 || is_hidden(before) || size == 0)
		return false;
	decode(&after, &is_valid, next, size);
	return is_valid && after >= 0x600 && !is_hidden(after);
}

static char *make_safe(const char *text, size_t size, bool lines,
		       size_t (*write)(char *out, uint32_t c))
{
	const uint8_t *in = (const uint8_t *)text;
	char *out, *end;
	uint32_t c, before = 0;
	bool is_valid;

	assert(size < SIZE_MAX / GROWTH_MAX - 1);
	out = end = memory_new(size * GROWTH_MAX + 1);
	for (size_t i = 0, taken; i < size; i += taken, before = is_valid ? c : 0) {
		taken = decode(&c, &is_valid, in + i, size - i);
		if (!is_valid) {
			memcpy(end, "\xef\xbf\xbd", 3);
			end += 3;
		} else if (is_hidden(c) && !(lines && (c == '\n' || c == '\t')) &&
			   !is_joining(c, before, in + i + taken, size - i - taken)) {
			end += write(end, c);
		} else {
			memcpy(end, in + i, taken);
			end += taken;
		}
	}
	*end = 0;
	return out;
}

char *text_safe(const char *text, size_t size, bool lines)
{
	return make_safe(text, size, lines, escape);
}

char *text_safe_json(const char *json, size_t size)
{
	return make_safe(json, size, false, escape_json);
}
