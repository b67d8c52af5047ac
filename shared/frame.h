/* Where one message ends and the next begins in a stream: 4 bytes of length,
 * big-endian, then that many bytes. */
#ifndef PALIQUE_SHARED_FRAME_H
#define PALIQUE_SHARED_FRAME_H

#include "shared/bytes.h"

enum { FRAME_HEADER = 4, FRAME_MAX = 65536 }; /* bytes of contents; never 0 */

int frame_append(struct buf *out, struct bytes contents);

/* The first whole frame at the front of `stream`: 1 and its contents and total size,
 * 0: not whole yet, ERR_LIMIT or ERR_FORMAT: the stream is broken for good. */
int frame_take(struct bytes stream, struct bytes *contents, size_t *total);

#endif
