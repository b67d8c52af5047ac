/* Images in the line mode: drawn on standard output. */
#ifndef PALIQUE_PEER_FACES_CLI_PICTURE_H
#define PALIQUE_PEER_FACES_CLI_PICTURE_H

#include "peer/faces/cli/cli.h"
#include "peer/faces/picture.h"
#include "shared/bytes.h"

enum { PICTURE_COLUMNS = 64, PICTURE_ROWS = 24 }; /* at most, where not told */

/* On standard output, with at most so many columns (0: as many as fit, up to PICTURE_COLUMNS).
 * ERR_STATE: it is no terminal; ERR_NOT_FOUND: no libchafa; ERR_FORMAT, ERR_LIMIT, ERR_IO: of
 * the image. Then nothing was drawn and nothing said. */
int picture_show(const struct cli *c, struct bytes image, unsigned columns);

#endif
