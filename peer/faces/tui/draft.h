/* What is being written, as rows of cells: broken where the row ends and not between words, so that the
 * cursor is where one expects it. */
#ifndef PALIQUE_PEER_FACES_TUI_DRAFT_H
#define PALIQUE_PEER_FACES_TUI_DRAFT_H

#include "peer/faces/tui/compose.h"

/* How many rows it takes at that width, at least 1; and in which of them the cursor is (NULL: who cares). */
unsigned draft_rows(const struct compose *c, unsigned width, unsigned *cursor_row);

/* Draws at most `rows` of it from x, y on: those around the cursor; and places the cursor where it
 * `has_focus`. */
void draft_draw(const struct compose *c, unsigned x, unsigned y, unsigned width, unsigned rows,
		bool has_focus);

#endif
