#include "peer/filing_name.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "shared/error.h"

enum {
	NUMBER_ROOM = 8,    /* " (99999)" */
	EXTENSION_MAX = 16, /* bytes, dot and all: longer is no extension */
};

/* --- characters --- */

/* The next character of UTF-8, or U+FFFD for a byte that is none. */
static uint32_t next_character(struct bytes *b, size_t *size)
{
	const uint8_t *p = b->data;
	size_t count = p[0] < 0x80   ? 1
		       : p[0] < 0xc2 ? 0
		       : p[0] < 0xe0 ? 2
		       : p[0] < 0xf0 ? 3
				     : 4;
	uint32_t c;

	if (count > b->size || !bytes_is_utf8(bytes_of(p, count ? count : 1))) {
		if (p[0] != 0) {
			*size = 1;
			return 0xfffd;
		}
		count = 1;
	}
	c = count < 2 ? p[0] : p[0] & (0xff >> (count + 1));
	for (size_t i = 1; i < count; i++)
		c = c << 6 | (p[i] & 0x3f);
	*size = count ? count : 1;
	return c;
}

/* What changes what is around it, or cannot be seen: controls, the marks, embeddings and isolates of
 * the bidirectional algorithm (UAX 9), separators of lines, joiners, tags, what is no character. */
static bool is_treacherous(uint32_t c)
{
	static const uint32_t ranges[][2] = {
		{ 0x00, 0x1f },        { 0x7f, 0x9f },     { 0xad, 0xad },
		{ 0x61c, 0x61c },      { 0x115f, 0x1160 }, { 0x180b, 0x180f },
		{ 0x200b, 0x200f },    { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0x3164, 0x3164 },    { 0xe000, 0xf8ff }, { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 },    { 0xfff0, 0xffff }, { 0xe0000, 0xe0fff },
		{ 0xf0000, 0x10ffff },
	};

	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	}
	return false;
}

/* Separators here and elsewhere, and what other systems do not take. */
static bool is_forbidden(uint32_t c)
{
	return c < 0x80 && c != 0 && strchr("/\\:*?\"<>|", (int)c) != NULL;
}

/* Each of them becomes '_'. */
static size_t clean(struct bytes name, char *out, size_t room)
{
	size_t used = 0, size;

	while (name.size > 0) {
		uint32_t c = next_character(&name, &size);
		bool is_bad = is_treacherous(c) || is_forbidden(c);

		if (used + (is_bad ? 1 : size) > room)
			break;
		if (is_bad)
			out[used++] = '_';
		else
			memcpy(out + used, name.data, size);
		used += is_bad ? 0 : size;
		name = bytes_of(name.data + size, name.size - size);
	}
	out[used] = 0;
	return used;
}

/* --- names --- */

/* Where the extension begins, with its dot; the end: there is none. ".tar.gz" and its like are one. */
static size_t extension_at(const char *name)
{
	static const char *const doubles[] = { ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst" };
	size_t length = strlen(name);
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
		size_t size = strlen(doubles[i]);

		if (length > size && strcasecmp(name + length - size, doubles[i]) == 0)
			return length - size;
	}
	if (!dot || dot == name || strlen(dot) > EXTENSION_MAX || !dot[1])
		return length;
	return (size_t)(dot - name);
}

/* Not in the middle of a character. */
static size_t cut_at(const char *text, size_t at)
{
	while (at > 0 && ((uint8_t)text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static void join(const char *name, size_t stem, const char *number, const char *extension,
		 char *out)
{
	size_t room = FILING_NAME_MAX - strlen(number) - strlen(extension);

	if (stem > room)
		stem = cut_at(name, room);
	snprintf(out, FILING_NAME_MAX + 1, "%.*s%s%s", (int)stem, name, number, extension);
}

void filing_numbered(const char *name, unsigned number, char *out)
{
	size_t stem = extension_at(name);
	char text[16] = "";

	if (number > 1)
		snprintf(text, sizeof text, " (%u)", number);
	join(name, stem, text, name + stem, out);
}

/* Names of devices where names of files may end up (CON, COM1.txt ...). */
static bool is_reserved(const char *name)
{
	static const char *const names[] = { "CON", "PRN", "AUX", "NUL" };
	size_t stem = strcspn(name, ".");

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (stem == 3 && strncasecmp(name, names[i], 3) == 0)
			return true;
	}
	return stem == 4 &&
	       (strncasecmp(name, "COM", 3) == 0 || strncasecmp(name, "LPT", 3) == 0) &&
	       name[3] >= '0' && name[3] <= '9';
}

/* What is behind the last separator: a name that is a path is one all the same. */
static struct bytes last_part(struct bytes name)
{
	while (name.size > 0 &&
	       (name.data[name.size - 1] == '/' || name.data[name.size - 1] == '\\'))
		name.size--;
	for (size_t i = name.size; i-- > 0;) {
		if (name.data[i] == '/' || name.data[i] == '\\')
			return bytes_of(name.data + i + 1, name.size - i - 1);
	}
	return name;
}

void filing_safe_name(struct bytes name, char *out)
{
	char all[4 * FILING_NAME_MAX + 1], *begin = all;
	size_t used, stem;

	name = last_part(name);
	used = clean(name, all, sizeof all - 1);
	while (used > 0 && (all[used - 1] == ' ' || all[used - 1] == '.'))
		all[--used] = 0;
	while (*begin == '.' || *begin == ' ' || *begin == '-' || *begin == '~')
		begin++;
	if (!*begin)
		snprintf(begin = all, sizeof all, "file");
	if (is_reserved(begin)) {
		memmove(all + 1, begin, strlen(begin) + 1);
		all[0] = '_';
		begin = all;
	}
	stem = extension_at(begin);
	if (stem > FILING_NAME_MAX - NUMBER_ROOM - strlen(begin + stem))
		join(begin, cut_at(begin, FILING_NAME_MAX - NUMBER_ROOM - strlen(begin + stem)),
		     "", begin + stem, out);
	else
		snprintf(out, FILING_NAME_MAX + 1, "%.*s", FILING_NAME_MAX, begin);
}

int filing_safe_component(struct bytes name, char *out)
{
	if (name.size == 0 || memchr(name.data, '/', name.size) ||
	    memchr(name.data, 0, name.size) || bytes_equal(name, bytes_text(".")) ||
	    bytes_equal(name, bytes_text("..")))
		return ERR_FORMAT;
	if (name.size > FILING_NAME_MAX)
		return ERR_LIMIT;
	clean(name, out, FILING_NAME_MAX);
	return 0;
}

/* --- types --- */

const char *filing_type_of_name(const char *name)
{
	static const char *const types[][2] = {
		{ "txt", "text/plain" },
		{ "md", "text/markdown" },
		{ "csv", "text/csv" },
		{ "html", "text/html" },
		{ "htm", "text/html" },
		{ "c", "text/x-c" },
		{ "h", "text/x-c" },
		{ "json", "application/json" },
		{ "xml", "application/xml" },
		{ "pdf", "application/pdf" },
		{ "zip", "application/zip" },
		{ "gz", "application/gzip" },
		{ "tgz", "application/gzip" },
		{ "xz", "application/x-xz" },
		{ "zst", "application/zstd" },
		{ "tar", "application/x-tar" },
		{ "7z", "application/x-7z-compressed" },
		{ "png", "image/png" },
		{ "jpg", "image/jpeg" },
		{ "jpeg", "image/jpeg" },
		{ "webp", "image/webp" },
		{ "gif", "image/gif" },
		{ "svg", "image/svg+xml" },
		{ "mp3", "audio/mpeg" },
		{ "ogg", "audio/ogg" },
		{ "opus", "audio/ogg" },
		{ "flac", "audio/flac" },
		{ "wav", "audio/wav" },
		{ "mp4", "video/mp4" },
		{ "mkv", "video/x-matroska" },
		{ "webm", "video/webm" },
		{ "odt", "application/vnd.oasis.opendocument.text" },
		{ "ods", "application/vnd.oasis.opendocument.spreadsheet" },
		{ "odp", "application/vnd.oasis.opendocument.presentation" },
		{ "epub", "application/epub+zip" },
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++) {
		if (strcasecmp(dot + 1, types[i][0]) == 0)
			return types[i][1];
	}
	return "";
}

const char *filing_type_of_head(struct bytes head)
{
	static const struct {
		const char *begin;
		size_t size;
		const char *type;
	} kinds[] = {
		{ "%PDF-", 5, "application/pdf" },
		{ "GIF8", 4, "image/gif" },
		{ "\x1f\x8b", 2, "application/gzip" },
		{ "\xfd"
		  "7zXZ",
		  5, "application/x-xz" },
		{ "\x28\xb5\x2f\xfd", 4, "application/zstd" },
		{ "fLaC", 4, "audio/flac" },
		{ "OggS", 4, "audio/ogg" },
		{ "ID3", 3, "audio/mpeg" },
		{ "\x7f"
		  "ELF",
		  4, "application/x-executable" },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (head.size >= kinds[i].size &&
		    memcmp(head.data, kinds[i].begin, kinds[i].size) == 0)
			return kinds[i].type;
	}
	return NULL;
}
