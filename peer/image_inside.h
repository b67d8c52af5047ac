/* What the files of peer/image.h share. image_child.c is the engine's side; image_main.c is the
 * child; the others run in the child alone:
 *
 *     file -> image_png.c | image_jpeg.c | image_webp.c -> image_begin.c: is it too large?
 *          -> rows -> image_shrink.c -> pixels
 *          -> turned as image_exif.c says -> encoded anew, until small enough: image_decode.c */
#ifndef PALIQUE_PEER_IMAGE_INSIDE_H
#define PALIQUE_PEER_IMAGE_INSIDE_H

#include "peer/image.h"

/* Hidden: the first argument by which our program becomes the child. */
#define IMAGE_COMMAND "image-for-the-engine"

/* What is asked of the child, and what it may use for it. */
struct image_task {
	bool wants_pixels; /* as they are; else a thumbnail */
	unsigned side; /* of what is made, the longer one at most: 1 to IMAGE_THUMBNAIL_SIDE */
	uint64_t pixels_max; /* of the original */
	unsigned megabytes;  /* of memory */
	unsigned seconds;    /* of the processor */
};

/* The first of what the child says; `size` bytes follow. Both ends are the same program. */
struct image_answer {
	int32_t err; /* then the rest is 0 */
	uint32_t kind, width, height, small_width, small_height, size;
};

enum { IMAGE_PIXELS_SIZE = IMAGE_THUMBNAIL_SIDE * IMAGE_THUMBNAIL_SIDE * 4 };

/* Whether an answer with `follows` bytes behind it can be one to `task`: the child has read what
 * a stranger made, so its word is taken like a stranger's. */
bool image_answer_fits(const struct image_answer *a, const struct image_task *task,
		       size_t follows);

/* --- from here on in the child --- */

/* For good: no more memory or time than the task has, no file, no other process, and no call of the
 * kernel beyond those that decoding needs: who tries is ended by the kernel. Ends the process
 * where that cannot be had. */
void image_shut_in(const struct image_task *task);

/* One being read. */
struct image {
	struct bytes file;
	const struct image_task *task;
	uint32_t width, height; /* of the original, as it lies in the file */
	struct image_pixels small;
	bool is_opaque;
};

/* Reads all of `file`: `small` is what is left of it, turned as it is to be shown, as are width and
 * height. ERR_FORMAT: broken, or cut short; ERR_LIMIT: too large. `image` is cleared by the
 * caller, also then. */
int image_decode(struct image *image, enum image_kind *kind);
void image_clear(struct image *image);
/* `small` as JPEG, or WebP where it is transparent, of at most IMAGE_THUMBNAIL_MAX. */
int image_encode(const struct image *image, struct buf *out);

/* Once, when the header was read, before anything is allocated for the image: it has this size.
 * ERR_LIMIT, ERR_FORMAT. Then small.width and small.height are known. */
int image_begin(struct image *image, uint32_t width, uint32_t height);

int image_png_read(struct image *image);
int image_jpeg_read(struct image *image);
int image_webp_read(struct image *image);
/* Appends. `quality` 1 to 100. */
int image_jpeg_write(const struct image_pixels *p, int quality, struct buf *out);
int image_webp_write(const struct image_pixels *p, int quality, struct buf *out);

/* How an image that lies in a JPEG is to be turned (Exif 2.32, tag 0x0112): 1 to 8, 1 where
 * nothing or nonsense is said. */
unsigned image_exif_orientation(struct bytes jpeg);

/* --- a small copy, by the mean of what falls on each of its pixels --- */

struct shrink;
/* From `width` x `height` to a size that is not larger in either. */
struct shrink *shrink_new(uint32_t width, uint32_t height, uint32_t small_width,
			  uint32_t small_height);
/* Of row `y` the `count` pixels (RGBA) that lie at x, x + step, x + 2 step... Rows may come in any
 * order and in parts, but each pixel once. */
void shrink_row(struct shrink *s, uint32_t y, uint32_t x, uint32_t step, uint32_t count,
		const uint8_t *rgba);
/* Writes small_width x small_height pixels. */
void shrink_take(const struct shrink *s, uint8_t *rgba);
void shrink_free(struct shrink *s);

#endif
