/* An image drawn with characters, by libchafa. What decodes it is a process of its own
 * (cli_programs.see): a face looks at no stranger's bytes either. libchafa and the half of GLib
 * behind it are loaded when the first one is drawn, so that who draws none has no part of the cost,
 * and who has not installed it misses nothing else. */
#ifndef PALIQUE_PEER_FACES_CLI_PICTURE_H
#define PALIQUE_PEER_FACES_CLI_PICTURE_H

#include "peer/faces/cli/cli.h"
#include "shared/bytes.h"

enum { PICTURE_COLUMNS = 64, PICTURE_ROWS = 24 }; /* at most, where not told */

/* What a terminal can do. */
enum picture_colors { PICTURE_PLAIN, PICTURE_16, PICTURE_256, PICTURE_TRUE };
struct picture_terminal {
	enum picture_colors colors;
	bool has_unicode;    /* else ASCII */
	bool has_few_glyphs; /* the console of Linux: half blocks and shades */
	unsigned columns, rows;
};

/* `rgba` as lines for such a terminal; memory of the caller's to free. NULL: no libchafa. */
char *picture_draw(const uint8_t *rgba, uint32_t width, uint32_t height,
		   const struct picture_terminal *t);

/* On standard output, with at most so many columns (0: as many as fit, up to PICTURE_COLUMNS).
 * ERR_STATE: it is no terminal; ERR_NOT_FOUND: no libchafa; ERR_FORMAT, ERR_LIMIT, ERR_IO: of
 * the image. Then nothing was drawn and nothing said. */
int picture_show(const struct cli *c, struct bytes image, unsigned columns);

#endif
