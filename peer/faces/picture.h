/* An image drawn with characters, by libchafa. libchafa and the half of GLib behind it are loaded when
 * the first one is drawn, so that who draws none has no part of the cost, and who has not installed it
 * misses nothing else. Whoever calls has had the image decoded in a process of its own
 * (cli_programs.see): a face looks at no stranger's bytes either. */
#ifndef PALIQUE_PEER_FACES_PICTURE_H
#define PALIQUE_PEER_FACES_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

/* What a terminal can do. */
enum picture_colors { PICTURE_PLAIN, PICTURE_16, PICTURE_256, PICTURE_TRUE };
struct picture_terminal {
	enum picture_colors colors;
	bool has_unicode;    /* else ASCII */
	bool has_few_glyphs; /* the console of Linux: half blocks and shades */
	unsigned columns, rows;
};

/* Whether libchafa is there. */
bool picture_can_draw(void);

/* `rgba` as lines for such a terminal; memory of the caller's to free. NULL: no libchafa. */
char *picture_draw(const uint8_t *rgba, uint32_t width, uint32_t height,
		   const struct picture_terminal *t);

/* The same cell by cell, of 240 colours (16 to 255 of a terminal's 256); with `has_true_colors` of all there are, and
 * the nearest of the 240 as well. */
struct picture_cell {
	char text[5]; /* one character */
	uint8_t front, back;
	uint32_t true_front, true_back; /* 0xrrggbb */
};
struct picture_cells {
	bool has_true_colors;
	unsigned columns, rows; /* at most; then as many as it has */
	struct picture_cell *list;
};
/* ERR_NOT_FOUND: no libchafa. */
int picture_cells(struct picture_cells *out, const uint8_t *rgba, uint32_t width,
		  uint32_t height);
void picture_cells_free(struct picture_cells *cells);

#endif
