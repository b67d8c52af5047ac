/* Typed, strict msgpack: only the shapes our messages use, each in its shortest
 * form, nothing trailing. The only room that knows msgpack.h. */
#ifndef PALIQUE_SHARED_PACK_H
#define PALIQUE_SHARED_PACK_H

#include "shared/bytes.h"

/* Writing: appends to a buf whose limit was set; the first failure sticks and is
 * returned by pack_end(). */
struct pack {
	struct buf *out;
	int err;
};

void pack_begin(struct pack *p, struct buf *out);
void pack_array(struct pack *p, uint32_t count);
void pack_uint(struct pack *p, uint64_t v);
void pack_int(struct pack *p, int64_t v);
void pack_bool(struct pack *p, bool v);
void pack_nil(struct pack *p);
void pack_bin(struct pack *p, struct bytes b);
void pack_text(struct pack *p, struct bytes b); /* must be UTF-8 */
int pack_end(struct pack *p);

/* Reading: a cursor over borrowed bytes; each call takes the next value or makes
 * `err` stick (ERR_FORMAT, ERR_LIMIT) and yields zero. Nothing is allocated: views
 * point into the input. unpack_end() also refuses trailing bytes. */
struct unpack {
	struct bytes rest;
	int err;
};

void unpack_begin(struct unpack *u, struct bytes in);
uint32_t unpack_array(struct unpack *u, uint32_t max);  /* count */
void unpack_array_of(struct unpack *u, uint32_t count); /* exactly */
uint64_t unpack_uint(struct unpack *u, uint64_t max);
int64_t unpack_int(struct unpack *u);
bool unpack_bool(struct unpack *u);
bool unpack_is_nil(struct unpack *u); /* and takes it if so */
struct bytes unpack_bin(struct unpack *u, size_t max);
void unpack_bin_to(struct unpack *u, void *out, size_t size); /* exactly `size` */
struct bytes unpack_text(struct unpack *u, size_t max);       /* UTF-8, checked */
int unpack_end(struct unpack *u);

#endif
