#include "peer/faces/tui/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/bytes.h"

struct item {
	char name[PAGE_ITEM_MAX];
	size_t from, to; /* lines */
	bool is_one;
};

struct page {
	char title[128], hint[256];
	page_key *key;
	struct sheet *sheet;
	page_chosen *chosen;
	struct item *items;
	size_t count, capacity, lines, top, at;
	bool has_items;
};

struct page *page_new(const char *title, unsigned columns, page_chosen *chosen)
{
	struct page *p = memory_new(sizeof *p);

	snprintf(p->title, sizeof p->title, "%s", title);
	p->sheet = sheet_new(columns);
	p->chosen = chosen;
	return p;
}

void page_free(struct page *p)
{
	if (!p)
		return;
	sheet_free(p->sheet);
	free(p->items);
	free(p);
}

const char *page_title(const struct page *p)
{
	return p->title;
}

struct sheet *page_sheet(struct page *p)
{
	return p->sheet;
}

static void end_item(struct page *p)
{
	sheet_fresh(p->sheet);
	p->lines = sheet_lines(p->sheet);
	if (p->count)
		p->items[p->count - 1].to = p->lines;
}

void page_item(struct page *p, const char *item)
{
	struct item *i;

	end_item(p);
	if (p->count == p->capacity) {
		p->capacity = p->capacity ? 2 * p->capacity : 16;
		p->items = memory_grow(p->items, p->capacity, sizeof *p->items);
	}
	i = &p->items[p->count++];
	*i = (struct item){ .from = p->lines, .is_one = item != NULL };
	snprintf(i->name, sizeof i->name, "%s", item ? item : "");
}

static bool step(struct page *p, bool on)
{
	for (size_t i = p->at;;) {
		if (on ? ++i >= p->count : i-- == 0)
			return false;
		if (p->items[i].is_one) {
			p->at = i;
			return true;
		}
	}
}

void page_done(struct page *p)
{
	end_item(p);
	for (size_t i = 0; i < p->count && !p->has_items; i++) {
		if (!p->items[i].is_one)
			continue;
		p->has_items = true;
		p->at = i;
	}
}

size_t page_lines(const struct page *p)
{
	return p->lines;
}

const struct sheet_line *page_line(const struct page *p, size_t i, bool *is_chosen)
{
	const struct item *item = p->has_items ? &p->items[p->at] : NULL;

	*is_chosen = item && i >= item->from && i < item->to;
	return sheet_line(p->sheet, i);
}

static void keep_in_sight(struct page *p, size_t rows)
{
	const struct item *item = &p->items[p->at];

	if (item->from < p->top)
		p->top = item->from;
	if (item->to > p->top + rows)
		p->top = item->to > item->from + rows ? item->from : item->to - rows;
}

void page_move(struct page *p, long by, size_t rows)
{
	size_t most = p->lines > rows ? p->lines - rows : 0;

	if (!p->has_items) {
		long top = (long)p->top + by;

		p->top = top < 0 ? 0 : (size_t)top > most ? most : (size_t)top;
		return;
	}
	for (; by > 0 && step(p, true); by--)
		;
	for (; by < 0 && step(p, false); by++)
		;
	keep_in_sight(p, rows);
}

size_t page_top(const struct page *p)
{
	return p->top;
}

const char *page_chosen_item(const struct page *p)
{
	return p->has_items ? p->items[p->at].name : NULL;
}

bool page_choose_line(struct page *p, size_t line)
{
	for (size_t i = 0; i < p->count; i++) {
		if (!p->items[i].is_one || line < p->items[i].from || line >= p->items[i].to)
			continue;
		p->at = i;
		return true;
	}
	return false;
}

page_chosen *page_action(const struct page *p)
{
	return p->chosen;
}

void page_set_keys(struct page *p, const char *hint, page_key *key)
{
	snprintf(p->hint, sizeof p->hint, "%s", hint);
	p->key = key;
}

const char *page_hint(const struct page *p)
{
	return p->hint;
}

page_key *page_keys(const struct page *p)
{
	return p->key;
}

void page_stay(struct page *p, const struct page *other, size_t rows)
{
	const char *chosen = page_chosen_item(other);

	for (size_t i = 0; chosen && i < p->count; i++)
		if (p->items[i].is_one && !strcmp(p->items[i].name, chosen))
			p->at = i;
	p->top = other->top + rows <= p->lines ? other->top
		 : p->lines > rows             ? p->lines - rows
					       : 0;
	if (p->has_items)
		keep_in_sight(p, rows);
}
