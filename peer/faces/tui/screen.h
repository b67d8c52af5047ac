/* The terminal itself: cells out, keys, mouse and pasted text in. The only room that knows ncurses.
 * One at a time. */
#ifndef PALIQUE_PEER_FACES_TUI_SCREEN_H
#define PALIQUE_PEER_FACES_TUI_SCREEN_H

#include "peer/faces/tui/sheet.h"

/* Takes the terminal over. ERR_STATE: standard input or output is none, or it can do too little
 * (TERM). `has_colors` false: none whatever it can. */
int screen_open(bool has_colors);
void screen_close(void); /* gives it back as it was; harmless when not open */
/* Gives it back for something else that is said on it; and takes it again. */
void screen_leave(void);
void screen_return(void);
/* Gives it back and stops the process, as Ctrl+Z does everywhere; comes back when it goes on. */
void screen_suspend(void);

unsigned screen_columns(void);
unsigned screen_rows(void);
/* How many colours can be shown: 0, 8, 16 or 256. */
unsigned screen_colors(void);
bool screen_has_true_colors(void); /* of pictures: all of them (COLORTERM) */

/* Drawing is collected until screen_show(). What does not fit is cut off. */
void screen_clear(void);
void screen_fill(unsigned x, unsigned y, unsigned columns, enum style style);
/* Safe text in at most so many columns; returns how many it took. */
unsigned screen_put(unsigned x, unsigned y, unsigned columns, enum style style,
		    const char *text);
/* A line of a sheet; one that is read from right to left stands at the right end, and what is so read is in
 * the order of the eye. */
void screen_line(unsigned x, unsigned y, unsigned columns, const struct sheet_line *line,
		 bool is_chosen);
void screen_vertical(unsigned x, unsigned y, unsigned rows);
void screen_rule(unsigned x, unsigned y, unsigned columns);
void screen_cursor(unsigned x, unsigned y);
void screen_hide_cursor(void);
void screen_show(void);
void screen_redraw(void); /* all of it, as after something else has written there */
void screen_ring(void);
void screen_mouse(
	bool is_ours); /* clicks and the wheel; else the terminal marks text with them */
void screen_title(const char *text); /* of the window, where terminals have one; safe text */

enum key {
	KEYS_NONE,
	KEYS_TEXT,  /* `text` */
	KEYS_PASTE, /* `pasted` */
	KEYS_ENTER,
	KEYS_TAB,
	KEYS_BACK_TAB,
	KEYS_ESCAPE,
	KEYS_BACKSPACE,
	KEYS_DELETE,
	KEYS_LEFT,
	KEYS_RIGHT,
	KEYS_UP,
	KEYS_DOWN,
	KEYS_HOME,
	KEYS_END,
	KEYS_PAGE_UP,
	KEYS_PAGE_DOWN,
	KEYS_FUNCTION, /* `number` */
	KEYS_RESIZE,
	KEYS_CLICK, /* at x, y; `number`: 1, 2, 3 */
	KEYS_WHEEL_UP,
	KEYS_WHEEL_DOWN,
	KEYS_LOOKED_AT, /* the window has the focus, or (AWAY) not any more: where terminals tell it */
	KEYS_LOOKED_AWAY,
};

enum { SCREEN_PASTE_MAX = 65536 };

struct input {
	enum key key;
	bool is_alt, is_ctrl; /* with ctrl: `text` is the letter */
	char text[8];
	unsigned x, y, number;
	char *pasted; /* the screen's, until the next call */
	size_t pasted_size;
};

/* What was typed; false: nothing more now. Never waits: poll standard input before. */
bool screen_next(struct input *in);

#endif
