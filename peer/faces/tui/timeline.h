/* The timeline: which rows of which messages are seen. */
#ifndef PALIQUE_PEER_FACES_TUI_TIMELINE_H
#define PALIQUE_PEER_FACES_TUI_TIMELINE_H

#include "peer/faces/tui/view.h"

void timeline_draw(struct view *v, struct talk *t);
/* The rows of message `i`, with the lines before it (a day, what is new). */
unsigned timeline_rows(const struct view *v, const struct talk *t, size_t i);
/* Whether name and time of the one before serve message `i`, too: of the same author, within some minutes, and
 * nothing stands between them or is to be said of this one alone. */
bool timeline_follows(const struct view *v, const struct talk *t, size_t i);
/* The message that has this row of the terminal, or 0. */
uint64_t timeline_at(unsigned y);

#endif
