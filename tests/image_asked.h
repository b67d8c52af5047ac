/* Images given to the process that looks at them (peer/image.h). That process is this program begun anew,
 * whose main() has to see to it: image_is_called(). */
#ifndef PALIQUE_TESTS_IMAGE_ASKED_H
#define PALIQUE_TESTS_IMAGE_ASKED_H

#include "peer/image_inside.h"
#include "tests/image_maker.h"
#include "tests/scratch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What image_run() says of it; of what others gave; of a path; of a file with that in it. */
int ask_image(struct image_work *w);
int look(struct image_work *w, const struct buf *image);
int look_at_path(struct image_work *w, const char *path);
int look_at_file(struct image_work *w, const struct buf *image);

/* Where such files are: valid until the next call. look_at_file() writes "image". */
const char *scratch_path(const char *name);

/* Its quarters are of these colours, `near` enough: top left, top right, bottom left, bottom right.
 * Red, green, blue, grey (x), white, black (k), what is seen through (-); the first three as greys: R, G, B. */
void see_quarters(const struct buf *image, const char *order, unsigned near);

#endif
