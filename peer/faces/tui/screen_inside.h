/* What the files of the screen share. */
#ifndef PALIQUE_PEER_FACES_TUI_SCREEN_INSIDE_H
#define PALIQUE_PEER_FACES_TUI_SCREEN_INSIDE_H

#include "peer/faces/tui/sheet.h"

/* Names the keys that the table of ncurses does not. */
void screen_keys_begin(void);
void screen_keys_end(void);

/* --- pictures in all colours, over what ncurses draws (screen_pictures.c) --- */

void over_clear(void); /* a new drawing begins */
/* The characters of a piece of a picture, each a column wide, those that fit. */
void over_put(unsigned x, unsigned y, unsigned columns, const struct piece *p,
	      const char *text);
/* After ncurses has drawn; nothing where they stand there already, but for `is_anew`. */
void over_show(bool is_anew);
void over_end(void);

#endif
