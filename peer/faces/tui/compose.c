#include "peer/faces/tui/compose.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "shared/bytes.h"

struct compose {
	char *text; /* of COMPOSE_MAX + 1 */
	size_t size, cursor;
	char *cut;
	char *history[COMPOSE_HISTORY];
	size_t history_count, recalled; /* recalled: how far back; 0: not */
	char *unsaid;                   /* what was written before going back */
};

static void wipe(char **text)
{
	if (*text)
		sodium_memzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

struct compose *compose_new(void)
{
	struct compose *c = memory_new(sizeof *c);

	c->text = memory_new(COMPOSE_MAX + 1);
	return c;
}

void compose_free(struct compose *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->history_count; i++)
		wipe(&c->history[i]);
	wipe(&c->unsaid);
	wipe(&c->cut);
	sodium_memzero(c->text, COMPOSE_MAX + 1);
	free(c->text);
	free(c);
}

const char *compose_text(const struct compose *c)
{
	return c->text;
}

size_t compose_cursor(const struct compose *c)
{
	return c->cursor;
}

bool compose_is_empty(const struct compose *c)
{
	return c->size == 0;
}

void compose_set(struct compose *c, const char *text)
{
	c->size = c->cursor = 0;
	c->text[0] = '\0';
	c->recalled = 0;
	compose_insert(c, text, strlen(text));
}

/* --- characters and words --- */

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

static wchar_t character_at(const struct compose *c, size_t at)
{
	const uint8_t *t = (const uint8_t *)c->text + at;
	unsigned more = *t < 0xc0 ? 0 : *t < 0xe0 ? 1 : *t < 0xf0 ? 2 : 3;
	wchar_t value = more ? *t & (0x3f >> more) : *t;

	for (unsigned i = 1; i <= more; i++)
		value = value << 6 | (t[i] & 0x3f);
	return value;
}

/* Whether what stands at `at` belongs to what is before it: combining marks, joined emoji. */
static bool is_joined(const struct compose *c, size_t at)
{
	wchar_t here;
	size_t before = at;

	if (at == 0 || at >= c->size)
		return false;
	here = character_at(c, at);
	if (here == 0x200d || (here >= 0x1f3fb && here <= 0x1f3ff) ||
	    (here != '\n' && wcwidth(here) == 0))
		return true;
	while (before > 0 && is_continuation(c->text[--before]))
		;
	return character_at(c, before) == 0x200d;
}

static size_t step_left(const struct compose *c, size_t at)
{
	do {
		while (at > 0 && is_continuation(c->text[--at]))
			;
	} while (is_joined(c, at));
	return at;
}

static size_t step_right(const struct compose *c, size_t at)
{
	do {
		if (at < c->size)
			at++;
		while (at < c->size && is_continuation(c->text[at]))
			at++;
	} while (is_joined(c, at));
	return at;
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\t';
}

static size_t line_start(const struct compose *c, size_t at)
{
	while (at > 0 && c->text[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(const struct compose *c, size_t at)
{
	while (at < c->size && c->text[at] != '\n')
		at++;
	return at;
}

/* The same number of characters into the line that begins at `start`. */
static size_t beside(const struct compose *c, size_t start)
{
	size_t at = start, from = line_start(c, c->cursor);

	while (from < c->cursor && at < line_end(c, start)) {
		from = step_right(c, from);
		at = step_right(c, at);
	}
	return at;
}

static bool target(const struct compose *c, enum compose_move move, size_t *to)
{
	size_t at = c->cursor;

	switch (move) {
	case MOVE_LEFT:
		at = step_left(c, at);
		break;
	case MOVE_RIGHT:
		at = step_right(c, at);
		break;
	case MOVE_WORD_LEFT:
		while (at > 0 && is_space(c->text[at - 1]))
			at--;
		while (at > 0 && !is_space(c->text[at - 1]))
			at--;
		break;
	case MOVE_WORD_RIGHT:
		while (at < c->size && is_space(c->text[at]))
			at++;
		while (at < c->size && !is_space(c->text[at]))
			at++;
		break;
	case MOVE_HOME:
		at = line_start(c, at);
		break;
	case MOVE_END:
		at = line_end(c, at);
		break;
	case MOVE_UP:
		at = line_start(c, at);
		if (at == 0)
			return false;
		at = beside(c, line_start(c, at - 1));
		break;
	case MOVE_DOWN:
		at = line_end(c, at);
		if (at == c->size)
			return false;
		at = beside(c, at + 1);
		break;
	}
	*to = at;
	return true;
}

bool compose_move(struct compose *c, enum compose_move move)
{
	size_t to;

	if (!target(c, move, &to))
		return false;
	c->cursor = to;
	return true;
}

/* --- changes --- */

static void remove_part(struct compose *c, size_t from, size_t to)
{
	memmove(c->text + from, c->text + to, c->size - to + 1);
	c->size -= to - from;
	c->cursor = from;
}

void compose_cut(struct compose *c, enum compose_move move)
{
	size_t to, from = c->cursor;

	if (!target(c, move, &to) || to == from)
		return;
	if (to < from) {
		size_t between = to;
		to = from;
		from = between;
	}
	if (move != MOVE_LEFT && move != MOVE_RIGHT) {
		wipe(&c->cut);
		c->cut = memory_new(to - from + 1);
		memcpy(c->cut, c->text + from, to - from);
	}
	remove_part(c, from, to);
}

void compose_yank(struct compose *c)
{
	if (c->cut)
		compose_insert(c, c->cut, strlen(c->cut));
}

/* What of `text` may stand in a line, in place; returns its size. */
static size_t cleaned(char *text, size_t size)
{
	size_t out = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\r') {
			if (i + 1 == size || text[i + 1] != '\n')
				text[out++] = '\n';
		} else if (text[i] == '\n' || text[i] == '\t' ||
			   ((unsigned char)text[i] >= 0x20 && text[i] != 0x7f)) {
			text[out++] = text[i];
		}
	}
	return out;
}

bool compose_insert(struct compose *c, const char *text, size_t size)
{
	char *copy;
	bool fits;

	if (size > COMPOSE_MAX * 2 || !bytes_is_utf8(bytes_of(text, size)))
		return false;
	copy = memory_new(size + 1);
	memcpy(copy, text, size);
	size = cleaned(copy, size);
	fits = size <= COMPOSE_MAX - c->size;
	if (fits) {
		memmove(c->text + c->cursor + size, c->text + c->cursor,
			c->size - c->cursor + 1);
		memcpy(c->text + c->cursor, copy, size);
		c->size += size;
		c->cursor += size;
	}
	sodium_memzero(copy, size);
	free(copy);
	return fits;
}

void compose_replace(struct compose *c, size_t size, const char *text)
{
	if (size > c->cursor)
		return;
	remove_part(c, c->cursor - size, c->cursor);
	compose_insert(c, text, strlen(text));
}

/* --- what was said before --- */

char *compose_take(struct compose *c)
{
	char *said = memory_text(c->text);

	c->recalled = 0;
	wipe(&c->unsaid);
	if (c->size && (!c->history_count || strcmp(c->history[c->history_count - 1], said))) {
		if (c->history_count == COMPOSE_HISTORY) {
			wipe(&c->history[0]);
			memmove(c->history, c->history + 1,
				(COMPOSE_HISTORY - 1) * sizeof *c->history);
			c->history_count--;
		}
		c->history[c->history_count++] = memory_text(said);
	}
	sodium_memzero(c->text, c->size);
	c->size = c->cursor = 0;
	return said;
}

bool compose_recall(struct compose *c, bool older)
{
	size_t recalled = c->recalled;
	char *back;

	if (older ? recalled == c->history_count : recalled == 0)
		return false;
	if (recalled == 0) {
		wipe(&c->unsaid);
		c->unsaid = memory_text(c->text);
	}
	recalled = older ? recalled + 1 : recalled - 1;
	back = recalled ? c->history[c->history_count - recalled] : c->unsaid;
	compose_set(c, back);
	c->recalled = recalled;
	return true;
}
