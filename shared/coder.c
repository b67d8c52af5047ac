#include "shared/coder.h"

#include <string.h>

#include "shared/error.h"

/* The first error sticks. */
static void refuse(struct coder *c, int err)
{
	int *sticky = c->to ? &c->to->err : &c->from->err;

	if (*sticky == 0)
		*sticky = err;
}

bool coder_is_refused(const struct coder *c)
{
	return (c->to ? c->to->err : c->from->err) < 0;
}

void coder_check(struct coder *c, bool holds, int err)
{
	if (!holds)
		refuse(c, err);
}

void coder_nest(struct coder *c, uint32_t count)
{
	if (c->to)
		pack_array(c->to, count);
	else
		unpack_array_of(c->from, count);
}

void coder_list(struct coder *c, unsigned *count, uint32_t max)
{
	if (c->to)
		pack_array(c->to, *count);
	else
		*count = unpack_array(c->from, max);
	coder_check(c, *count <= max, ERR_LIMIT);
}

void coder_number(struct coder *c, uint64_t *v, uint64_t min, uint64_t max)
{
	if (c->to)
		pack_uint(c->to, *v);
	else
		*v = unpack_uint(c->from, max);
	coder_check(c, *v >= min && *v <= max, ERR_LIMIT);
}

void coder_number16(struct coder *c, uint16_t *v, uint16_t min, uint16_t max)
{
	uint64_t wide = *v;

	coder_number(c, &wide, min, max);
	if (!c->to)
		*v = (uint16_t)wide;
}

void coder_number32(struct coder *c, uint32_t *v, uint32_t min, uint32_t max)
{
	uint64_t wide = *v;

	coder_number(c, &wide, min, max);
	if (!c->to)
		*v = (uint32_t)wide;
}

void coder_flag(struct coder *c, bool *v)
{
	if (c->to)
		pack_bool(c->to, *v);
	else
		*v = unpack_bool(c->from);
}

void coder_time(struct coder *c, wall_ms *v)
{
	if (c->to)
		pack_int(c->to, *v);
	else
		*v = unpack_int(c->from);
}

void coder_fixed(struct coder *c, void *data, size_t size)
{
	if (c->to)
		pack_bin(c->to, bytes_of(data, size));
	else
		unpack_bin_to(c->from, data, size);
}

void coder_bytes(struct coder *c, struct bytes *b, size_t min, size_t max)
{
	if (c->to)
		pack_bin(c->to, *b);
	else
		*b = unpack_bin(c->from, max);
	coder_check(c, b->size >= min && b->size <= max, ERR_LIMIT);
}

void coder_text(struct coder *c, struct bytes *b, size_t min, size_t max)
{
	if (c->to)
		pack_text(c->to, *b);
	else
		*b = unpack_text(c->from, max);
	coder_check(c, b->size >= min && b->size <= max, ERR_LIMIT);
}

bool coder_optional(struct coder *c, bool is_there)
{
	if (!c->to)
		return !unpack_is_nil(c->from);
	if (!is_there)
		pack_nil(c->to);
	return is_there;
}

void coder_address(struct coder *c, struct address *a)
{
	uint8_t room[ADDRESS_WIRE_MAX];
	struct buf wire = { .data = room, .capacity = sizeof room, .limit = sizeof room };

	if (c->to) {
		coder_check(c, address_encode(a, &wire) == 0, ERR_FORMAT);
		pack_bin(c->to, buf_view(&wire));
	} else {
		coder_check(c, address_decode(a, unpack_bin(c->from, ADDRESS_WIRE_MAX)) == 0,
			    ERR_FORMAT);
	}
	coder_check(c, address_is_unicast(a), ERR_FORMAT);
}

static void candidate(struct coder *c, struct candidate *one)
{
	uint64_t kind = one->kind;

	coder_nest(c, 2);
	coder_number(c, &kind, CANDIDATE_HOST, CANDIDATE_RELAY);
	if (!c->to)
		one->kind = (enum candidate_kind)kind;
	coder_address(c, &one->address);
}

void coder_candidates(struct coder *c, struct candidates *all)
{
	coder_list(c, &all->count, CANDIDATES_MAX);
	for (unsigned i = 0; i < all->count && !coder_is_refused(c); i++) {
		candidate(c, &all->list[i]);
		for (unsigned j = 0; j < i; j++)
			coder_check(
				c, !address_equal(&all->list[i].address, &all->list[j].address),
				ERR_FORMAT);
	}
}

void coder_name(struct coder *c, struct name *n)
{
	struct bytes view = bytes_of(n->text, c->to ? strnlen(n->text, sizeof n->text) : 0);
	struct name checked;

	coder_text(c, &view, NAME_MIN, NAME_MAX);
	if (coder_is_refused(c))
		return;
	coder_check(c, name_check(&checked, view) == 0, ERR_NAME);
	if (!c->to && !coder_is_refused(c))
		*n = checked;
}

void coder_certificate(struct coder *c, struct certificate *one)
{
	uint8_t room[CERTIFICATE_SIZE_MAX];
	struct buf wire = { .data = room, .capacity = sizeof room, .limit = sizeof room };
	struct bytes read;

	if (c->to) {
		coder_check(c, certificate_encode(one, &wire) == 0, ERR_FORMAT);
		pack_bin(c->to, buf_view(&wire));
		return;
	}
	read = unpack_bin(c->from, CERTIFICATE_SIZE_MAX);
	if (!coder_is_refused(c))
		coder_check(c, certificate_decode(one, read) == 0, ERR_FORMAT);
}

void coder_device_list(struct coder *c, struct device_list *l)
{
	uint8_t room[DEVICE_LIST_SIZE_MAX];
	struct buf wire = { .data = room, .capacity = sizeof room, .limit = sizeof room };
	struct bytes read;

	if (c->to) {
		coder_check(c, device_list_encode(l, &wire) == 0, ERR_FORMAT);
		pack_bin(c->to, buf_view(&wire));
		return;
	}
	read = unpack_bin(c->from, DEVICE_LIST_SIZE_MAX);
	if (!coder_is_refused(c))
		coder_check(c, device_list_decode(l, read) == 0, ERR_FORMAT);
}

void coder_maybe_device_list(struct coder *c, struct device_list *l)
{
	if (coder_optional(c, l->version > 0))
		coder_device_list(c, l);
}
