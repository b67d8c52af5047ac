#include <stdlib.h>
#include <string.h>

#include "peer/image_inside.h"
#include "shared/error.h"

static int (*const readers[])(struct image *image) = {
	[IMAGE_PNG] = image_png_read,
	[IMAGE_JPEG] = image_jpeg_read,
	[IMAGE_WEBP] = image_webp_read,
};

/* Tried one after another; the last is small enough for noise. */
static const int qualities[] = { 82, 70, 55, 40, 25, 12, 4, 1 };

/* As Exif numbers them: from 5 on columns are rows; 2, 3, 7 and 8 run from right to left, and 3, 4,
 * 6 and 7 from bottom to top. */
static void turn(struct image *image, unsigned orientation)
{
	struct image_pixels *old = &image->small, turned = *old;
	bool is_across = orientation >= 5, is_leftward, is_upward;

	if (orientation == 1)
		return;
	is_leftward = orientation == 2 || orientation == 3 || orientation >= 7;
	is_upward = orientation == 3 || orientation == 4 || orientation == 6 ||
		    orientation == 7;
	if (is_across) {
		uint32_t width = image->width;

		turned.width = old->height;
		turned.height = old->width;
		image->width = image->height;
		image->height = width;
	}
	turned.rgba = memory_array((size_t)old->width * old->height, 4);
	for (uint32_t y = 0; y < turned.height; y++) {
		for (uint32_t x = 0; x < turned.width; x++) {
			uint32_t from_x = is_across ? y : x, from_y = is_across ? x : y;

			if (is_leftward)
				from_x = old->width - 1 - from_x;
			if (is_upward)
				from_y = old->height - 1 - from_y;
			memcpy(turned.rgba + ((size_t)y * turned.width + x) * 4,
			       old->rgba + ((size_t)from_y * old->width + from_x) * 4, 4);
		}
	}
	free(old->rgba);
	*old = turned;
}

static bool is_opaque(const struct image_pixels *p)
{
	size_t count = (size_t)p->width * p->height;

	for (size_t i = 0; i < count; i++)
		if (p->rgba[i * 4 + 3] != 255)
			return false;
	return true;
}

int image_decode(struct image *image, enum image_kind *kind)
{
	int err;

	*kind = image_sniff(image->file);
	if (*kind == IMAGE_NONE)
		return ERR_FORMAT;
	err = readers[*kind](image);
	if (err < 0)
		return err;
	if (*kind == IMAGE_JPEG)
		turn(image, image_exif_orientation(image->file));
	image->is_opaque = is_opaque(&image->small);
	return 0;
}

void image_clear(struct image *image)
{
	free(image->small.rgba);
	image->small.rgba = NULL;
}

int image_encode(const struct image *image, struct buf *out)
{
	for (size_t i = 0; i < sizeof qualities / sizeof qualities[0]; i++) {
		int (*write)(const struct image_pixels *, int,
			     struct buf *) = image->is_opaque ? image_jpeg_write
							      : image_webp_write;
		int err = write(&image->small, qualities[i], out);

		if (err < 0 || out->size <= IMAGE_THUMBNAIL_MAX)
			return err;
		buf_clear(out);
	}
	return ERR_LIMIT;
}
