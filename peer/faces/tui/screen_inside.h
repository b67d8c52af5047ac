/* What the two files of the screen share: what is drawn, and (screen_keys.c) what is typed. */
#ifndef PALIQUE_PEER_FACES_TUI_SCREEN_INSIDE_H
#define PALIQUE_PEER_FACES_TUI_SCREEN_INSIDE_H

/* Names the keys that the table of ncurses does not. */
void screen_keys_begin(void);
void screen_keys_end(void);

#endif
