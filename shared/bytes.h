/* Bytes seen (struct bytes, a view) and bytes owned (struct buf, grows to a limit). */
#ifndef PALIQUE_SHARED_BYTES_H
#define PALIQUE_SHARED_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A view: borrowed, never freed. data may be NULL when size is 0. */
struct bytes {
	const uint8_t *data;
	size_t size;
};

#define BYTES(array) ((struct bytes){ (const uint8_t *)(array), sizeof(array) })

struct bytes bytes_of(const void *data, size_t size);
struct bytes bytes_text(const char *text);        /* without the final NUL */
bool bytes_equal(struct bytes a, struct bytes b); /* not for secrets */

/* Whether `b` is well-formed UTF-8 (RFC 3629) without NUL. */
bool bytes_is_utf8(struct bytes b);
/* The same, and that a line shows it as what it is: no controls, nothing that turns its direction, no mark of byte
 * order. */
bool bytes_is_line(struct bytes b);

/* Owned bytes. A zeroed one is empty and has no limit but SIZE_MAX. */
struct buf {
	uint8_t *data;
	size_t size, capacity;
	size_t limit; /* 0: none. buf_append() refuses to grow beyond it */
};

void buf_init(struct buf *b, size_t limit);
void buf_clear(struct buf *b); /* wipes and frees; harmless on a zeroed one */

/* ERR_LIMIT when the limit would be passed; then nothing has changed. */
int buf_append(struct buf *b, struct bytes more);
static inline int buf_append_byte(struct buf *b, uint8_t byte)
{
	if (b->size >= b->capacity)
		return buf_append(b, (struct bytes){ &byte, 1 });
	b->data[b->size++] = byte;
	return 0;
}

/* Room for `more` bytes behind the contents, or NULL beyond the limit; the
 * caller fills it and says so with buf_grew(). */
uint8_t *buf_room(struct buf *b, size_t more);
void buf_grew(struct buf *b, size_t more);

void buf_drop_front(struct buf *b, size_t count);
struct bytes buf_view(const struct buf *b);

/* Allocation that aborts when memory is gone. */
void *memory_new(size_t size);                 /* zeroed */
void *memory_array(size_t count, size_t size); /* zeroed, overflow checked */
void *memory_grow(void *p, size_t count, size_t size);
char *memory_text(const char *text);

/* Hexadecimal and base64url without padding (RFC 4648 section 5). The decoders
 * want exactly `size` bytes: ERR_FORMAT otherwise. `out` of the encoders has
 * room for BYTES_HEX_SIZE / BYTES_BASE64_SIZE, NUL included. */
#define BYTES_HEX_SIZE(size)    ((size)*2 + 1)
#define BYTES_BASE64_SIZE(size) (((size)*4 + 2) / 3 + 1)
void bytes_to_hex(struct bytes b, char *out);
int bytes_from_hex(const char *text, uint8_t *out, size_t size);
void bytes_to_base64(struct bytes b, char *out);
int bytes_from_base64(const char *text, size_t length, uint8_t *out, size_t size);

#endif
