#include "shared/pack.h"

#include <string.h>

#include <msgpack.h>

#include "shared/error.h"

/* --- writing: msgpack-c picks the shortest form ------------------------------------ */

static int on_packed(void *user, const char *data, size_t size)
{
	struct pack *p = user;

	if (p->err == 0)
		p->err = buf_append(p->out, bytes_of(data, size));
	return p->err;
}

static msgpack_packer packer(struct pack *p)
{
	return (msgpack_packer){ .data = p, .callback = on_packed };
}

void pack_begin(struct pack *p, struct buf *out)
{
	*p = (struct pack){ .out = out };
}

void pack_array(struct pack *p, uint32_t count)
{
	msgpack_packer to = packer(p);

	msgpack_pack_array(&to, count);
}

void pack_uint(struct pack *p, uint64_t v)
{
	msgpack_packer to = packer(p);

	msgpack_pack_uint64(&to, v);
}

void pack_int(struct pack *p, int64_t v)
{
	msgpack_packer to = packer(p);

	msgpack_pack_int64(&to, v);
}

void pack_bool(struct pack *p, bool v)
{
	msgpack_packer to = packer(p);

	if (v)
		msgpack_pack_true(&to);
	else
		msgpack_pack_false(&to);
}

void pack_nil(struct pack *p)
{
	msgpack_packer to = packer(p);

	msgpack_pack_nil(&to);
}

void pack_bin(struct pack *p, struct bytes b)
{
	msgpack_packer to = packer(p);

	msgpack_pack_bin(&to, b.size);
	if (b.size > 0)
		msgpack_pack_bin_body(&to, b.data, b.size);
}

void pack_text(struct pack *p, struct bytes b)
{
	msgpack_packer to = packer(p);

	if (!bytes_is_utf8(b)) {
		p->err = p->err ? p->err : ERR_FORMAT;
		return;
	}
	msgpack_pack_str(&to, b.size);
	if (b.size > 0)
		msgpack_pack_str_body(&to, b.data, b.size);
}

int pack_end(struct pack *p)
{
	return p->err;
}

/* --- reading: by hand, for msgpack-c's unpacker allocates by counts it was told, and
 * takes every form ------------------------------------------------------------------- */

enum kind {
	KIND_NONE,
	KIND_NIL,
	KIND_BOOL,
	KIND_UINT,
	KIND_NEGATIVE,
	KIND_BIN,
	KIND_TEXT,
	KIND_ARRAY
};

/* The first byte of a value (msgpack's spec.md, Formats): what it opens, which of its bits
 * are the value itself, and how many bytes of value follow. A form with bytes behind it is
 * the shortest one from `least` on (of a negative number: of ~number). Maps, floats and
 * extensions have no row. */
static const struct form {
	uint8_t from, to;
	enum kind kind;
	uint8_t inside;
	uint8_t behind;
	uint64_t least;
} forms[] = {
	{ 0x00, 0x7f, KIND_UINT, 0x7f, 0, 0 },
	{ 0x90, 0x9f, KIND_ARRAY, 0x0f, 0, 0 },
	{ 0xa0, 0xbf, KIND_TEXT, 0x1f, 0, 0 },
	{ 0xc0, 0xc0, KIND_NIL, 0x00, 0, 0 },
	{ 0xc2, 0xc3, KIND_BOOL, 0x01, 0, 0 },
	{ 0xc4, 0xc4, KIND_BIN, 0x00, 1, 0 },
	{ 0xc5, 0xc5, KIND_BIN, 0x00, 2, 0x100 },
	{ 0xc6, 0xc6, KIND_BIN, 0x00, 4, 0x10000 },
	{ 0xcc, 0xcc, KIND_UINT, 0x00, 1, 0x80 },
	{ 0xcd, 0xcd, KIND_UINT, 0x00, 2, 0x100 },
	{ 0xce, 0xce, KIND_UINT, 0x00, 4, 0x10000 },
	{ 0xcf, 0xcf, KIND_UINT, 0x00, 8, 0x100000000 },
	{ 0xd0, 0xd0, KIND_NEGATIVE, 0x00, 1, 0x20 },
	{ 0xd1, 0xd1, KIND_NEGATIVE, 0x00, 2, 0x80 },
	{ 0xd2, 0xd2, KIND_NEGATIVE, 0x00, 4, 0x8000 },
	{ 0xd3, 0xd3, KIND_NEGATIVE, 0x00, 8, 0x80000000 },
	{ 0xd9, 0xd9, KIND_TEXT, 0x00, 1, 0x20 },
	{ 0xda, 0xda, KIND_TEXT, 0x00, 2, 0x100 },
	{ 0xdb, 0xdb, KIND_TEXT, 0x00, 4, 0x10000 },
	{ 0xdc, 0xdc, KIND_ARRAY, 0x00, 2, 0x10 },
	{ 0xdd, 0xdd, KIND_ARRAY, 0x00, 4, 0x10000 },
	{ 0xe0, 0xff, KIND_NEGATIVE, 0x1f, 0, 0 },
};

static const struct form *form_of(uint8_t first)
{
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		if (first >= forms[i].from && first <= forms[i].to)
			return &forms[i];
	return NULL;
}

/* A negative number's value is ~number: what has to be added to -1, downwards. */
static uint64_t value_of(const struct form *form, const uint8_t *data)
{
	uint64_t v = data[0] & form->inside;

	for (unsigned i = 0; i < form->behind; i++)
		v = v << 8 | data[1 + i];
	if (form->kind != KIND_NEGATIVE)
		return v;
	if (form->behind == 0)
		return form->inside - v;
	return ~v & (UINT64_MAX >> (64 - 8 * form->behind));
}

/* A signed form must hold a negative number: others have a shorter, unsigned form. */
static bool is_negative_if_said(const struct form *form, const uint8_t *data)
{
	return form->kind != KIND_NEGATIVE || form->behind == 0 || (data[1] & 0x80);
}

/* Looks at the value in front: its kind and number, or KIND_NONE and an error that
 * sticks. What it opens is taken by advance() once the caller has agreed. */
static enum kind look(struct unpack *u, uint64_t *value, size_t *size)
{
	const struct form *form;

	*value = 0;
	*size = 0;
	if (u->err < 0)
		return KIND_NONE;
	form = u->rest.size > 0 ? form_of(u->rest.data[0]) : NULL;
	if (!form || u->rest.size < 1u + form->behind)
		goto refuse;
	*value = value_of(form, u->rest.data);
	if (*value < form->least || !is_negative_if_said(form, u->rest.data))
		goto refuse;
	*size = 1u + form->behind;
	return form->kind;
refuse:
	*value = 0;
	u->err = ERR_FORMAT;
	return KIND_NONE;
}

static void advance(struct unpack *u, size_t size)
{
	u->rest = bytes_of(u->rest.data + size, u->rest.size - size);
}

static uint64_t refuse(struct unpack *u, int err)
{
	if (u->err == 0)
		u->err = err;
	return 0;
}

/* Takes a value of this kind and at most `max`. */
static uint64_t take(struct unpack *u, enum kind kind, uint64_t max)
{
	uint64_t value;
	size_t size;

	if (look(u, &value, &size) != kind)
		return refuse(u, ERR_FORMAT);
	if (value > max)
		return refuse(u, ERR_LIMIT);
	advance(u, size);
	return value;
}

static struct bytes take_bytes(struct unpack *u, enum kind kind, size_t max)
{
	size_t size = (size_t)take(u, kind, max);
	struct bytes taken;

	if (size > u->rest.size)
		refuse(u, ERR_FORMAT);
	if (u->err < 0)
		return (struct bytes){ 0 };
	taken = bytes_of(u->rest.data, size);
	advance(u, size);
	return taken;
}

void unpack_begin(struct unpack *u, struct bytes in)
{
	*u = (struct unpack){ .rest = in };
}

uint32_t unpack_array(struct unpack *u, uint32_t max)
{
	return (uint32_t)take(u, KIND_ARRAY, max);
}

void unpack_array_of(struct unpack *u, uint32_t count)
{
	if (unpack_array(u, UINT32_MAX) != count)
		refuse(u, ERR_FORMAT);
}

uint64_t unpack_uint(struct unpack *u, uint64_t max)
{
	return take(u, KIND_UINT, max);
}

int64_t unpack_int(struct unpack *u)
{
	uint64_t value;
	size_t size;
	enum kind kind = look(u, &value, &size);

	if (kind != KIND_UINT && kind != KIND_NEGATIVE)
		return (int64_t)refuse(u, ERR_FORMAT);
	if (value > INT64_MAX)
		return (int64_t)refuse(u, ERR_LIMIT);
	advance(u, size);
	return kind == KIND_UINT ? (int64_t)value : -1 - (int64_t)value;
}

bool unpack_bool(struct unpack *u)
{
	return take(u, KIND_BOOL, 1) != 0;
}

bool unpack_is_nil(struct unpack *u)
{
	if (u->err < 0 || u->rest.size == 0 || form_of(u->rest.data[0]) == NULL ||
	    form_of(u->rest.data[0])->kind != KIND_NIL)
		return false;
	advance(u, 1);
	return true;
}

struct bytes unpack_bin(struct unpack *u, size_t max)
{
	return take_bytes(u, KIND_BIN, max);
}

void unpack_bin_to(struct unpack *u, void *out, size_t size)
{
	struct bytes b = take_bytes(u, KIND_BIN, UINT32_MAX);

	if (u->err == 0 && b.size != size)
		refuse(u, ERR_FORMAT);
	if (u->err < 0)
		memset(out, 0, size);
	else
		memcpy(out, b.data, size);
}

struct bytes unpack_text(struct unpack *u, size_t max)
{
	struct bytes b = take_bytes(u, KIND_TEXT, max);

	if (bytes_is_utf8(b))
		return b;
	refuse(u, ERR_FORMAT);
	return (struct bytes){ 0 };
}

int unpack_end(struct unpack *u)
{
	if (u->rest.size > 0)
		refuse(u, ERR_FORMAT);
	return u->err;
}
