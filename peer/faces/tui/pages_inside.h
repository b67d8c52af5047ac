/* What the files of the pages share. */
#ifndef PALIQUE_PEER_FACES_TUI_PAGES_INSIDE_H
#define PALIQUE_PEER_FACES_TUI_PAGES_INSIDE_H

#include "peer/faces/tui/tui_inside.h"

/* A page as wide as the terminal. */
struct page *pages_begin(struct tui *tui, const char *title, page_chosen *chosen);
void pages_heading(struct sheet *s, const char *words);
/* "label   value" in a line; NULL is "". */
void pages_row(struct sheet *s, const char *label, const char *value);
/* "2026-11-22 21:33"; "–" for 0. `size` is 32 or more. */
void pages_time(int64_t ms, char *out, size_t size);
const char *pages_yes_or_no(bool is);
/* `words` (lines) stand beside the code where there is room, else before it. */
void pages_qr(struct sheet *s, const char *text, enum style style, const char *words);
size_t pages_qr_rows(const char *text);
/* A word of the API for people: states, kinds of paths. */
const char *pages_word(const char *word);
/* Closes the page and begins a command in the composer. */
void pages_write(struct tui *tui, const char *command);

#endif
