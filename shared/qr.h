/* A QR code: as text for a terminal, and as an image for a page. As text: half blocks, two modules in a character, margin 2 (1 above and below long ones),
 * dark on light written inverted so that it reads on a dark screen. The only room that
 * knows qrencode.h. */
#ifndef PALIQUE_SHARED_QR_H
#define PALIQUE_SHARED_QR_H

#include "shared/bytes.h"

/* Appends lines of UTF-8, each ended by a newline. ERR_LIMIT: the text is too long for a
 * code (or for the buf's limit); nothing is appended then. A link of URI_MAX bytes takes
 * 22 rows and 45 columns. */
int qr_print(struct buf *out, const char *text);

/* Appends it as SVG (dark on white, a margin of four modules as ISO/IEC 18004 asks for), which scales.
 * ERR_LIMIT. */
int qr_svg(struct buf *out, const char *text);

#endif
