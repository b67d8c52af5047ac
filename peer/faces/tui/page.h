/* A page over the conversations: text to read, or lines of which one is chosen (search, devices, whom
 * to forward to). Knows no terminal. */
#ifndef PALIQUE_PEER_FACES_TUI_PAGE_H
#define PALIQUE_PEER_FACES_TUI_PAGE_H

#include <stdint.h>

#include "peer/faces/tui/sheet.h"

struct page;
struct tui;

enum { PAGE_ITEM_MAX = 96 };

/* What is done when a line is chosen; `item` is what it was added with. The page is still there: the
 * function may close it. */
typedef void page_chosen(struct tui *tui, const char *item);

/* A letter was typed there; false: it means nothing. `item` is the chosen one, or NULL. */
typedef bool page_key(struct tui *tui, char letter, const char *item);

struct page *page_new(const char *title, unsigned columns, page_chosen *chosen);
void page_free(struct page *p); /* NULL is harmless */
const char *page_title(const struct page *p);
struct sheet *page_sheet(struct page *p); /* to write into; the page's */

/* Lines from here on belong to `item` (NULL: to none, they cannot be chosen). */
void page_item(struct page *p, const char *item);
/* No more lines: the first item is chosen. */
void page_done(struct page *p);

size_t page_lines(const struct page *p);
const struct sheet_line *page_line(const struct page *p, size_t i, bool *is_chosen);
/* By so many items, or where there are none by lines; `rows` are seen at a time. */
void page_move(struct page *p, long by, size_t rows);
size_t page_top(const struct page *p); /* the first line that is seen */
/* NULL: none. */
const char *page_chosen_item(const struct page *p);
/* Chooses the item of that line; false: it has none. */
bool page_choose_line(struct page *p, size_t line);
page_chosen *page_action(const struct page *p);

/* Letters that do something on this page, and what the line below says of them. */
void page_set_keys(struct page *p, const char *hint, page_key *key);
const char *page_hint(const struct page *p); /* "" */
page_key *page_keys(const struct page *p);   /* NULL: none */

/* The same place as in `other`, which is the page as it was. */
void page_stay(struct page *p, const struct page *other, size_t rows);

#endif
