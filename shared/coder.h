/* A field of a message or record, written and read by one function: it writes when there is a
 * `to`, else reads from `from`, and checks both ways; so the two directions cannot drift
 * apart. */
#ifndef PALIQUE_SHARED_CODER_H
#define PALIQUE_SHARED_CODER_H

#include "shared/candidate.h"
#include "shared/certificate.h"
#include "shared/clock.h"
#include "shared/device_list.h"
#include "shared/name.h"
#include "shared/pack.h"

/* The errors of both stick: the first one is what pack_end() and unpack_end() return. Writing
 * only reads what a field's pointer points to. */
struct coder {
	struct pack *to;
	struct unpack *from;
};

void coder_check(struct coder *c, bool holds, int err);
bool coder_is_refused(const struct coder *c);

/* A struct of `count` fields follows. */
void coder_nest(struct coder *c, uint32_t count);
/* A list of so many things follows. ERR_LIMIT: more than `max`, which the caller's array
 * holds; the caller stops when refused. */
void coder_list(struct coder *c, unsigned *count, uint32_t max);
/* ERR_LIMIT: not from `min` to `max`. */
void coder_number(struct coder *c, uint64_t *v, uint64_t min, uint64_t max);
void coder_number16(struct coder *c, uint16_t *v, uint16_t min, uint16_t max);
void coder_number32(struct coder *c, uint32_t *v, uint32_t min, uint32_t max);
void coder_flag(struct coder *c, bool *v);
void coder_time(struct coder *c, wall_ms *v);
/* Exactly `size` bytes. */
void coder_fixed(struct coder *c, void *data, size_t size);
/* Bytes, or UTF-8; when read a view. ERR_LIMIT: not from `min` to `max` bytes. */
void coder_bytes(struct coder *c, struct bytes *b, size_t min, size_t max);
void coder_text(struct coder *c, struct bytes *b, size_t min, size_t max);
/* Whether an optional field is there, and then follows: nil stands for one that is not. */
bool coder_optional(struct coder *c, bool is_there);

/* Unicast. ERR_FORMAT. */
void coder_address(struct coder *c, struct address *a);
/* No address twice. ERR_FORMAT. */
void coder_candidates(struct coder *c, struct candidates *all);
void coder_name(struct coder *c, struct name *n); /* ERR_LIMIT, ERR_NAME */
/* Byte strings in their own forms. ERR_FORMAT. */
void coder_certificate(struct coder *c, struct certificate *one);
void coder_device_list(struct coder *c, struct device_list *l);
/* nil stands for a list that is not there: version 0. */
void coder_maybe_device_list(struct coder *c, struct device_list *l);

#endif
