/* Text that is read from right to left, put into the order of the cells of a terminal (UAX 9), with the
 * letters of Arabic joined. Terminals do not do it by themselves, or are told to leave it (screen.h).
 * libfribidi is loaded with the first such text; without it the text stays as it was written. */
#ifndef PALIQUE_PEER_FACES_TUI_BIDI_H
#define PALIQUE_PEER_FACES_TUI_BIDI_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

enum { BIDI_MAX = 1024 }; /* characters of a line; longer ones stay as they are */

/* Hebrew, Arabic and the scripts beside them (UAX 9: R and AL). */
bool bidi_is_right_to_left(wchar_t c);
/* A letter of the others, by which a line is known as read from left to right (roughly UAX 9: L). */
bool bidi_is_left_to_right(wchar_t c);

/* Whether libfribidi is there. */
bool bidi_can_order(void);

/* `text` of `count` characters as it is seen: `seen` of as many, and from which of `text` each is. False:
 * nothing is to be done, or can be. */
bool bidi_order(const wchar_t *text, size_t count, bool is_right_to_left, wchar_t *seen,
		size_t *from);

#endif
