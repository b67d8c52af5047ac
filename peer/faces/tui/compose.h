/* A line that is written: text, cursor, what was written before. Knows no terminal. */
#ifndef PALIQUE_PEER_FACES_TUI_COMPOSE_H
#define PALIQUE_PEER_FACES_TUI_COMPOSE_H

#include <stdbool.h>
#include <stddef.h>

struct compose;

enum { COMPOSE_MAX = 16384, COMPOSE_HISTORY = 100 }; /* bytes: of `send`; lines kept */

struct compose *compose_new(void);
void compose_free(struct compose *c); /* wipes */

const char *compose_text(const struct compose *c); /* UTF-8; valid until the next call */
size_t compose_cursor(const struct compose *c);    /* bytes before it */
void compose_set(struct compose *c, const char *text);
bool compose_is_empty(const struct compose *c);

/* UTF-8; what is none of it is left out; "\r" and "\r\n" become newlines. False: no room for all, and
 * nothing has changed. */
bool compose_insert(struct compose *c, const char *text, size_t size);

enum compose_move {
	MOVE_LEFT,
	MOVE_RIGHT,
	MOVE_WORD_LEFT,
	MOVE_WORD_RIGHT,
	MOVE_HOME, /* of the line; so END */
	MOVE_END,
	MOVE_UP, /* a line, where there are several. compose_move() is false where there is none */
	MOVE_DOWN,
};
bool compose_move(struct compose *c, enum compose_move move);
/* Removes from the cursor to where that move leads; the last that was so removed comes back with
 * compose_yank(). */
void compose_cut(struct compose *c, enum compose_move move);
void compose_yank(struct compose *c);

/* Takes the text as said: it is the newest of the history, and the line is empty. The caller frees. */
char *compose_take(struct compose *c);
/* Older (true) or newer lines said before; false: there is none. What was being written comes
 * back behind the newest. */
bool compose_recall(struct compose *c, bool older);

/* Replaces the last `size` bytes before the cursor: for completion. */
void compose_replace(struct compose *c, size_t size, const char *text);

#endif
