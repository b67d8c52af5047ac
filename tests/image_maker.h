/* Images made with the libraries themselves, for tests of who reads them: a quarter of each is red
 * (top left), green (top right), blue (bottom left), and grey 128 (bottom right); with what must
 * not survive: a place, a camera, a profile, a comment, each with MAKER_SECRET in it. */
#ifndef PALIQUE_TESTS_IMAGE_MAKER_H
#define PALIQUE_TESTS_IMAGE_MAKER_H

#include "shared/bytes.h"

#define MAKER_SECRET "50.0874N 14.4213E"

enum maker_color { MAKER_RGB, MAKER_RGBA, MAKER_GREY, MAKER_PALETTE, MAKER_CMYK };

struct maker {
	unsigned width, height;
	enum maker_color
		color;      /* of a PNG or JPEG; RGBA: the blue quarter can be seen through */
	unsigned depth;     /* bits of a PNG: 8, or 16; of a grey or palette one also 1, 2, 4 */
	bool is_interlaced; /* a PNG; a JPEG: progressive */
	bool is_plain;      /* no metadata */
	bool is_noise;
	bool is_lossless;     /* a WebP */
	unsigned orientation; /* Exif, 0: none; is not undone in the pixels */
	bool is_little;       /* how Exif's numbers are written */
};

/* Append. */
void maker_png(const struct maker *m, struct buf *out);
void maker_jpeg(const struct maker *m, struct buf *out);
void maker_webp(const struct maker *m, struct buf *out);
/* An animation of two frames, of which the second is noise. */
void maker_webp_animation(const struct maker *m, struct buf *out);

/* A PNG of that size as its header says, of RGBA, with `data` (not compressed yet) as its rows. */
void maker_png_claims(uint32_t width, uint32_t height, struct bytes data, struct buf *out);

#endif
