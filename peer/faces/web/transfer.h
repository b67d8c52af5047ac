/* Files between a page and this machine: bytes of a file as an answer, and the body of a request into a
 * spool. Reads and writes happen in the loop's threads, one at a time for each transfer, and the browser
 * waits for the disk, never the engine. */
#ifndef PALIQUE_PEER_FACES_WEB_TRANSFER_H
#define PALIQUE_PEER_FACES_WEB_TRANSFER_H

#include "peer/faces/web/http.h"

enum { TRANSFER_IMAGE_MAX = 32 << 20 }; /* bytes of an image that is shown whole */

struct transfer;

/* Answers with a file: `headers` besides what a file needs; `range` is a Range header or NULL. With `is_image`
 * only a PNG, JPEG or WebP, by its first bytes, and as such; 404 for all else. */
struct transfer *transfer_send(struct http_request *r, uv_loop_t *loop, const char *path,
			       const char *headers, const char *range, bool is_image);
/* The body is written behind the `offset` bytes that are in the file at `path`, and answered with
 * {"length":BYTES}; 409 with the same when others are there. */
struct transfer *transfer_receive(struct http_request *r, uv_loop_t *loop, const char *path,
				  const char *headers, uint64_t offset);
/* Answers how long the file is. */
struct transfer *transfer_tell(struct http_request *r, const char *path, const char *headers);

/* What http.h tells of its request. */
void transfer_body(struct transfer *t, struct bytes piece);
void transfer_body_end(struct transfer *t);
void transfer_room(struct transfer *t);
void transfer_gone(struct transfer *t); /* frees itself */

#endif
