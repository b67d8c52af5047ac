/* An image without looking at it: what it is and a small copy of it, made by a child process that
 * begins, reads one image and ends. It decodes with libpng, libjpeg-turbo and libwebp inside of
 * seccomp and rlimits, and what it gives is encoded anew from pixels: nothing of the original's
 * metadata survives (place, camera, time). The engine decodes nothing. */
#ifndef PALIQUE_PEER_IMAGE_H
#define PALIQUE_PEER_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/bytes.h"

enum {
	IMAGE_THUMBNAIL_MAX = 24 << 10, /* bytes */
	IMAGE_THUMBNAIL_SIDE = 320,     /* pixels, the longer side at most */
	IMAGE_SIDE_MAX = 30000,         /* larger is refused from its header ... */
	IMAGE_PIXELS_MAX = 100000000,   /* ... as is more than that in all */
	IMAGE_FILE_MAX = 64 << 20,      /* bytes: larger files get no thumbnail */
	/* What others gave us is small, or it is refused. */
	IMAGE_GIVEN_MAX = 1 << 20,        /* bytes */
	IMAGE_GIVEN_PIXELS_MAX = 4000000, /* pixels */
};

enum image_kind { IMAGE_NONE, IMAGE_PNG, IMAGE_JPEG, IMAGE_WEBP };

/* What JOB_IMAGE works on (job.task). */
struct image_work {
	/* in */
	char *path; /* of the image, or NULL: `given` is it (a picture out of a profile, checked
	                      * before anybody sees it) */
	struct bytes given;
	unsigned side; /* 0: IMAGE_THUMBNAIL_SIDE */
	/* out, when job.err is 0 */
	enum image_kind kind;
	uint32_t width, height;             /* of the original, turned as it is to be shown */
	uint32_t small_width, small_height; /* of the thumbnail */
	uint8_t thumbnail[IMAGE_THUMBNAIL_MAX]; /* JPEG, or WebP where there is transparency */
	uint32_t size;
};

/* By its first bytes alone; IMAGE_NONE: none of those we know. `head` 16 bytes or more. */
enum image_kind image_sniff(struct bytes head);
/* "image/png" and so on; NULL for IMAGE_NONE. */
const char *image_type(enum image_kind kind);

struct job;
/* JOB_IMAGE, blocking, in a thread of the worker: 0, or ERR_FORMAT (no such image, or a broken one),
 * ERR_LIMIT (too large, or it took too long), ERR_NOT_FOUND, ERR_CLOSED (we are leaving), ERR_IO
 * (also where the kernel cannot shut a process in: then none is looked at). */
int image_run(struct job *job);

/* Red, green, blue, alpha, 8 bits each, from top left, line by line. */
struct image_pixels {
	uint32_t width, height;
	uint8_t *rgba;
};
/* What others gave us, for a face that draws it: by such a child too, as ours is the process that
 * a broken decoder would be in. Blocking. `rgba` is the caller's to free. Errors as above. */
int image_see(struct bytes given, unsigned side, struct image_pixels *out);

/* Of the child: whether these are the arguments by which image_run() begins it, and what main()
 * returns then. */
bool image_is_called(int argc, char *const *argv);
int image_main(int argc, char *const *argv);

#endif
