#include "peer/faces/tui/draft.h"

#include <stdlib.h>
#include <string.h>

#include "peer/faces/tui/bidi.h"
#include "peer/faces/tui/screen.h"
#include "shared/bytes.h"
#include "shared/text.h"

/* A row: the bytes of the text that stand in it. */
struct row {
	size_t from, to;
	unsigned columns;
};

/* The bytes of the character at `at`, with the marks on it and what is joined to it. */
static size_t cluster(const char *text, size_t at)
{
	static const char joiner[] = "\xe2\x80\x8d";
	size_t size = 0;
	bool is_joined = true;

	while (text[at + size]) {
		char one[8] = { 0 };
		size_t more = 1;

		while (more < 4 && ((unsigned char)text[at + size + more] & 0xc0) == 0x80)
			more++;
		memcpy(one, text + at + size, more);
		if (!is_joined && (*one == '\n' || *one == '\t' || sheet_columns(one) > 0))
			break;
		if (size && (*one == '\n' || *one == '\t'))
			break;
		is_joined = size && !strcmp(one, joiner);
		size += more;
		if (size == more)
			is_joined = false;
	}
	return size;
}

/* As it is shown; the caller frees. */
static char *shown(const char *text, size_t size)
{
	return size == 1 && *text == '\t' ? memory_text(" ") : text_safe(text, size, false);
}

static unsigned columns_of(const char *text, size_t size)
{
	char *safe = shown(text, size);
	unsigned columns = sheet_columns(safe);

	free(safe);
	return columns;
}

/* The row that begins at `from`; `next`: where the one behind it does, or that there is none. */
static struct row row_at(const char *text, size_t from, unsigned width, size_t *next,
			 bool *is_last)
{
	struct row row = { .from = from, .to = from };

	*is_last = false;
	while (text[row.to] && text[row.to] != '\n') {
		size_t size = cluster(text, row.to);
		unsigned columns = columns_of(text + row.to, size);

		if (row.columns + columns > width && row.to > from)
			break;
		row.columns += columns;
		row.to += size;
	}
	*next = row.to + (text[row.to] == '\n');
	/* a row that is full has one behind it, for the cursor */
	*is_last = !text[row.to] && row.columns < width;
	return row;
}

unsigned draft_rows(const struct compose *c, unsigned width, unsigned *cursor_row)
{
	const char *text = compose_text(c);
	size_t cursor = compose_cursor(c), next = 0;
	unsigned rows = 0, at = 0;
	bool is_last = false;

	while (!is_last) {
		struct row row = row_at(text, next, width ? width : 1, &next, &is_last);

		if (cursor >= row.from)
			at = rows;
		rows++;
	}
	if (cursor_row)
		*cursor_row = at;
	return rows;
}

/* The row in the order of the eye, where it is another; and the column of the cursor. False: it is not. */
static bool draw_ordered(const char *safe, const char *before, unsigned x, unsigned y,
			 unsigned width, unsigned *cursor)
{
	wchar_t text[BIDI_MAX], seen[BIDI_MAX];
	size_t from[BIDI_MAX], count = mbstowcs(text, safe, BIDI_MAX),
			       at = mbstowcs(NULL, before, 0);
	bool is_right_to_left = false;
	char part[BIDI_MAX * 4 + 1];
	size_t used = 0;
	unsigned columns = sheet_columns(safe), column = 0;

	if (count == (size_t)-1 || count == BIDI_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		is_right_to_left = bidi_is_right_to_left(text[i]);
		if (is_right_to_left || bidi_is_left_to_right(text[i]))
			break;
	}
	if (!bidi_order(text, count, is_right_to_left, seen, from))
		return false;
	if (is_right_to_left)
		x += width > columns ? width - columns : 0;
	*cursor = is_right_to_left ? x - (width > columns) : x + columns;
	for (size_t i = 0; i < count; i++) {
		mbstate_t state = { 0 };
		size_t size = seen[i] == 0xfeff ? 0 : wcrtomb(part + used, seen[i], &state);
		int wide = seen[i] == 0xfeff ? 0 : wcwidth(seen[i]);

		used += size == (size_t)-1 ? 0 : size;
		if (from[i] == at)
			*cursor = x + column;
		column += wide > 0 ? (unsigned)wide : 0;
	}
	part[used] = '\0';
	screen_put(x, y, width, STYLE_PLAIN, part);
	return true;
}

static char *safe_part(const char *text, size_t from, size_t to)
{
	struct buf all = { 0 };

	while (from < to) {
		size_t size = cluster(text, from);
		char *safe = shown(text + from, from + size > to ? to - from : size);

		buf_append(&all, bytes_text(safe));
		free(safe);
		from += size;
	}
	buf_append_byte(&all, '\0');
	return (char *)all.data;
}

static void draw_row(const struct compose *c, const struct row *row, unsigned x, unsigned y,
		     unsigned width, bool has_cursor)
{
	const char *text = compose_text(c);
	size_t cursor = has_cursor ? compose_cursor(c) : row->from;
	char *safe = safe_part(text, row->from, row->to);
	char *before = safe_part(text, row->from, cursor < row->to ? cursor : row->to);
	unsigned column;

	if (!draw_ordered(safe, before, x, y, width, &column)) {
		screen_put(x, y, width, STYLE_PLAIN, safe);
		column = x + sheet_columns(before);
	}
	if (has_cursor)
		screen_cursor(column, y);
	free(safe);
	free(before);
}

void draft_draw(const struct compose *c, unsigned x, unsigned y, unsigned width, unsigned rows,
		bool has_focus)
{
	unsigned cursor_row, skip, at = 0;
	size_t next = 0;
	bool is_last = false;

	if (!width || !rows)
		return;
	draft_rows(c, width, &cursor_row);
	skip = cursor_row >= rows ? cursor_row - rows + 1 : 0;
	for (; !is_last && at < skip + rows; at++) {
		struct row row = row_at(compose_text(c), next, width, &next, &is_last);

		if (at >= skip)
			draw_row(c, &row, x, y + at - skip, width,
				 has_focus && at == cursor_row);
	}
}
