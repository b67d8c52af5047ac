#include "peer/faces/tui/sheet.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "peer/faces/tui/bidi.h"
#include "shared/bytes.h"
#include "shared/text.h"

struct sheet {
	unsigned width, indent;
	struct sheet_line *lines;
	size_t count, capacity;
	bool is_open;    /* the last line can go on */
	bool is_cut;     /* there was no room for all */
	bool goes_on;    /* the next line was broken off the last one */
	size_t directed; /* lines of which it is known which way they are read */
};

struct sheet *sheet_new(unsigned width)
{
	struct sheet *s = memory_new(sizeof *s);

	s->width = width ? width : 1;
	return s;
}

void sheet_free(struct sheet *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		for (size_t k = 0; k < s->lines[i].count; k++)
			free((char *)s->lines[i].pieces[k].text);
		free(s->lines[i].pieces);
	}
	free(s->lines);
	free(s);
}

unsigned sheet_width(const struct sheet *s)
{
	return s->width;
}

/* --- characters --- */

/* One character of valid UTF-8: its bytes, at least 1, and its value. */
static size_t decode(const char *text, wchar_t *c)
{
	static const uint8_t masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	const uint8_t *t = (const uint8_t *)text;
	size_t size = t[0] < 0x80 ? 1 : t[0] < 0xe0 ? 2 : t[0] < 0xf0 ? 3 : 4;
	wchar_t value = t[0] & masks[size];

	for (size_t i = 1; i < size; i++) {
		if ((t[i] & 0xc0) != 0x80) {
			*c = 0xfffd;
			return i;
		}
		value = value << 6 | (t[i] & 0x3f);
	}
	*c = value;
	return size;
}

static unsigned width_of(wchar_t c)
{
	int width = wcwidth(c);

	return width > 0 ? (unsigned)width : 0;
}

unsigned sheet_columns(const char *text)
{
	unsigned columns = 0;
	wchar_t c;

	while (*text) {
		text += decode(text, &c);
		columns += width_of(c);
	}
	return columns;
}

size_t sheet_fit(const char *text, unsigned columns)
{
	size_t at = 0;
	wchar_t c;

	while (text[at]) {
		size_t size = decode(text + at, &c);
		unsigned width = width_of(c);

		if (width > columns)
			break;
		columns -= width;
		at += size;
	}
	return at;
}

/* Which way a line is read by itself: the first strong character tells. False: none is strong. */
static bool find_direction(const struct sheet_line *line, bool *is_right_to_left)
{
	wchar_t c;

	for (size_t i = 0; i < line->count; i++) {
		for (const char *t = line->pieces[i].text; *t;) {
			t += decode(t, &c);
			*is_right_to_left = bidi_is_right_to_left(c);
			if (*is_right_to_left || bidi_is_left_to_right(c))
				return true;
		}
	}
	return false;
}

static bool has_right_to_left(const struct sheet_line *line)
{
	wchar_t c;

	for (size_t i = 0; i < line->count; i++) {
		for (const char *t = line->pieces[i].text; *t;) {
			t += decode(t, &c);
			if (bidi_is_right_to_left(c))
				return true;
		}
	}
	return false;
}

/* Leaves out marks on a character beyond those that people write, in place. */
static void thin_out(char *text)
{
	size_t out = 0, marks = 0, size;
	wchar_t c;

	for (size_t at = 0; text[at]; at += size) {
		size = decode(text + at, &c);
		marks = c != '\n' && c != '\t' && !width_of(c) ? marks + 1 : 0;
		if (marks > SHEET_MARKS_MAX)
			continue;
		memmove(text + out, text + at, size);
		out += size;
	}
	text[out] = '\0';
}

/* Made safe; the caller frees. */
static char *safe_text(const char *text)
{
	char *safe = text_safe(text, strlen(text), true);

	thin_out(safe);
	return safe;
}

/* --- lines --- */

static struct sheet_line *open_line(struct sheet *s)
{
	if (s->is_open)
		return &s->lines[s->count - 1];
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 16;
		s->lines = memory_grow(s->lines, s->capacity, sizeof *s->lines);
	}
	s->lines[s->count] = (struct sheet_line){ .columns = s->indent, .goes_on = s->goes_on };
	s->is_open = true;
	s->goes_on = false;
	return &s->lines[s->count++];
}

static bool is_full(const struct sheet *s)
{
	return s->count >= SHEET_LINES_MAX;
}

static bool looks_like(const struct piece *a, const struct piece *b)
{
	return a->style == b->style && a->color == b->color && a->front == b->front &&
	       a->back == b->back;
}

/* As `p` looks, but for its text. */
static void put_as(struct sheet *s, const struct piece *p, const char *text, size_t size,
		   unsigned columns)
{
	struct sheet_line *line = open_line(s);
	struct piece *last = line->count ? &line->pieces[line->count - 1] : NULL;
	size_t before;

	if (!size)
		return;
	if (last && looks_like(last, p)) {
		before = strlen(last->text);
		last->text = memory_grow((char *)last->text, before + size + 1, 1);
		memcpy((char *)last->text + before, text, size);
		((char *)last->text)[before + size] = '\0';
		last->columns += columns;
	} else {
		line->pieces = memory_grow(line->pieces, line->count + 1, sizeof *line->pieces);
		last = &line->pieces[line->count++];
		*last = *p;
		last->columns = columns;
		last->text = memory_new(size + 1);
		memcpy((char *)last->text, text, size);
	}
	line->columns += columns;
}

static void put(struct sheet *s, enum style style, const char *text, size_t size,
		unsigned columns)
{
	put_as(s, &(struct piece){ .style = style }, text, size, columns);
}

void sheet_indent(struct sheet *s, unsigned columns)
{
	s->indent = columns < s->width ? columns : s->width - 1;
}

void sheet_break(struct sheet *s)
{
	if (is_full(s))
		return;
	open_line(s);
	s->is_open = s->goes_on = false;
}

void sheet_fresh(struct sheet *s)
{
	if (s->is_open && s->lines[s->count - 1].columns > s->indent)
		s->is_open = false;
	s->goes_on = false;
}

/* What follows does not fit on this line. */
static void wrap(struct sheet *s)
{
	s->is_open = false;
	s->goes_on = true;
}

/* A word, or the spaces between two: on the next line where it does not fit, and on several where
 * it fits on none. */
static void put_word(struct sheet *s, enum style style, const char *word, size_t size)
{
	char *text = memory_new(size + 1);
	unsigned columns;
	const char *rest = text;

	memcpy(text, word, size);
	columns = sheet_columns(text);
	if (open_line(s)->columns + columns > s->width) {
		if (*text == ' ') { /* broken here: the spaces go */
			wrap(s);
			goto out;
		}
		if (open_line(s)->columns > s->indent)
			wrap(s);
	}
	while (*rest && !is_full(s)) {
		unsigned free_columns = s->width - open_line(s)->columns;
		size_t fits = sheet_fit(rest, free_columns);

		if (!fits && open_line(s)->columns == s->indent)
			fits = sheet_fit(rest, 2) ? sheet_fit(rest, 2)
						  : strlen(rest); /* wider than all */
		if (fits) {
			char *part = memory_new(fits + 1);
			memcpy(part, rest, fits);
			put(s, style, part, fits, sheet_columns(part));
			free(part);
			rest += fits;
		}
		if (*rest)
			wrap(s);
	}
out:
	free(text);
}

static void flow(struct sheet *s, enum style style, const char *text, size_t size)
{
	size_t at = 0;

	while (at < size && !is_full(s)) {
		size_t end = at + 1;

		if (text[at] == '\n') {
			sheet_break(s);
			at = end;
			continue;
		}
		if (text[at] == '\t') {
			put_word(s, style, " ", 1);
			at = end;
			continue;
		}
		if (text[at] == ' ')
			while (end < size && text[end] == ' ')
				end++;
		else
			while (end < size && !strchr(" \t\n", text[end]))
				end++;
		put_word(s, style, text + at, end - at);
		at = end;
	}
	s->is_cut = s->is_cut || at < size;
}

void sheet_add(struct sheet *s, enum style style, const char *text)
{
	char *safe = safe_text(text);

	flow(s, style, safe, strlen(safe));
	free(safe);
}

void sheet_addf(struct sheet *s, enum style style, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	assert(vasprintf(&text, format, arguments) >= 0);
	va_end(arguments);
	sheet_add(s, style, text);
	free(text);
}

/* --- marks --- */

static bool is_word_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (unsigned char)c >= 0x80;
}

/* The length of a marked stretch that begins here, or 0. */
static size_t marked(const char *text, size_t at, enum style *style)
{
	char sign = text[at];
	size_t end;

	if (sign != '*' && sign != '_' && sign != '`')
		return 0;
	if (at && (is_word_byte(text[at - 1]) || text[at - 1] == sign))
		return 0;
	if (strchr(" \t\n", text[at + 1]) || text[at + 1] == sign)
		return 0;
	for (end = at + 1; text[end] && text[end] != '\n' && text[end] != sign; end++)
		;
	if (text[end] != sign || (sign != '`' && strchr(" \t", text[end - 1])) ||
	    is_word_byte(text[end + 1]))
		return 0;
	*style = sign == '*' ? STYLE_STRONG : sign == '_' ? STYLE_ITALIC : STYLE_CODE;
	return end + 1 - at;
}

static size_t linked(const char *text, size_t at)
{
	static const char *const schemes[] = { "https://", "http://", "palique:" };

	if (at && is_word_byte(text[at - 1]))
		return 0;
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		size_t size = strlen(schemes[i]);

		if (strncmp(text + at, schemes[i], size))
			continue;
		size = strcspn(text + at, " \t\n<>\"");
		while (size && strchr(".,;:!?)]}'", text[at + size - 1]))
			size--;
		return size > strlen(schemes[i]) ? size : 0;
	}
	return 0;
}

void sheet_add_marked(struct sheet *s, enum style style, const char *text)
{
	char *safe = safe_text(text);
	size_t from = 0, at = 0;

	while (safe[at]) {
		enum style inside = STYLE_LINK;
		size_t size = linked(safe, at);

		if (!size)
			size = marked(safe, at, &inside);
		if (!size) {
			at++;
			continue;
		}
		flow(s, style, safe + from, at - from);
		flow(s, inside, safe + at, size);
		from = at += size;
	}
	flow(s, style, safe + from, at - from);
	free(safe);
}

void sheet_add_piece(struct sheet *s, const struct piece *piece)
{
	put_as(s, piece, piece->text, strlen(piece->text), piece->columns);
}

void sheet_add_line(struct sheet *s, const struct sheet_line *line)
{
	for (size_t i = 0; i < line->count; i++)
		sheet_add_piece(s, &line->pieces[i]);
}

void sheet_cut(struct sheet *s, size_t lines)
{
	s->is_open = s->is_cut = s->goes_on = false;
	while (s->count > lines) {
		struct sheet_line *line = &s->lines[--s->count];

		for (size_t i = 0; i < line->count; i++)
			free((char *)line->pieces[i].text);
		free(line->pieces);
	}
	if (s->directed > s->count)
		s->directed = s->count;
}

size_t sheet_lines(struct sheet *s)
{
	if (s->is_cut && s->is_open)
		put(s, STYLE_FAINT, "…", strlen("…"), 1);
	s->is_open = s->is_cut = false;
	for (; s->directed < s->count; s->directed++) {
		struct sheet_line *line = &s->lines[s->directed];
		const struct sheet_line *before = s->directed ? line - 1 : NULL;
		bool is_other;

		line->has_right_to_left = has_right_to_left(line);
		line->is_right_to_left = before && line->goes_on && before->is_right_to_left;
		if (!before || !line->goes_on)
			line->is_right_to_left = find_direction(line, &is_other) && is_other;
	}
	return s->count;
}

const struct sheet_line *sheet_line(const struct sheet *s, size_t i)
{
	assert(i < s->count);
	return &s->lines[i];
}
