/* Reading, by RFC 8259 to the letter: what another reader might take for something else is refused. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/json_inside.h"

enum { NUMBER_MAX = 64 }; /* characters of a real */

struct reader {
	const uint8_t *at, *end;
	unsigned depth;
};

/* 0: the end. No NUL comes from inside (bytes_is_utf8()). */
static uint8_t next(const struct reader *r)
{
	return r->at < r->end ? *r->at : 0;
}

static void skip_space(struct reader *r)
{
	while (next(r) == ' ' || next(r) == '\t' || next(r) == '\n' || next(r) == '\r')
		r->at++;
}

static bool skip(struct reader *r, char sign)
{
	if (next(r) != (uint8_t)sign)
		return false;
	r->at++;
	return true;
}

/* --- texts --- */

/* What stands between two quotes, as it stands there. */
static int read_quoted(struct reader *r, struct bytes *raw)
{
	const uint8_t *from = r->at + 1;

	if (next(r) != '"')
		return ERR_FORMAT;
	for (r->at++; next(r) != '"'; r->at++) {
		if (next(r) < ' ')
			return ERR_FORMAT;
		if (next(r) == '\\' && ++r->at == r->end)
			return ERR_FORMAT;
	}
	*raw = bytes_of(from, (size_t)(r->at - from));
	r->at++;
	return 0;
}

/* Four hexadecimal digits; -1: they are none. */
static int32_t take_code(struct bytes *raw)
{
	uint8_t code[2];

	if (raw->size < 4 ||
	    bytes_from_hex((const char[]){ (char)raw->data[0], (char)raw->data[1],
					   (char)raw->data[2], (char)raw->data[3], 0 },
			   code, sizeof code) < 0)
		return -1;
	*raw = bytes_of(raw->data + 4, raw->size - 4);
	return code[0] << 8 | code[1];
}

/* Behind \u. -1: no character, NUL among them, or half of one. */
static int32_t take_character(struct bytes *raw)
{
	int32_t first = take_code(raw), second;

	if (first <= 0 || (first >= 0xdc00 && first <= 0xdfff))
		return -1;
	if (first < 0xd800 || first > 0xdbff)
		return first;
	if (raw->size < 2 || raw->data[0] != '\\' || raw->data[1] != 'u')
		return -1;
	*raw = bytes_of(raw->data + 2, raw->size - 2);
	second = take_code(raw);
	if (second < 0xdc00 || second > 0xdfff)
		return -1;
	return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

static size_t write_utf8(char *out, int32_t c)
{
	static const uint8_t leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = size - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(leads[size] | c);
	return size;
}

/* Behind a backslash; how many bytes it is. 0: nothing that may stand there. */
static size_t unescape_one(struct bytes *raw, char *out)
{
	static const char names[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	uint8_t name = raw->data[0];
	int32_t c = -1;

	*raw = bytes_of(raw->data + 1, raw->size - 1);
	if (name == 'u')
		c = take_character(raw);
	for (size_t i = 0; i + 1 < sizeof names; i += 2)
		if (name == (uint8_t)names[i])
			c = names[i + 1];
	return c < 0 ? 0 : write_utf8(out, c);
}

/* `out` has room for `raw`, which is longer than what it means. */
static int unescape(struct bytes raw, char *out, size_t *size)
{
	*size = 0;
	while (raw.size > 0) {
		const uint8_t *escape = memchr(raw.data, '\\', raw.size);
		size_t plain = escape ? (size_t)(escape - raw.data) : raw.size, more;

		memcpy(out + *size, raw.data, plain);
		*size += plain;
		if (!escape)
			break;
		raw = bytes_of(escape + 1, raw.size - plain - 1);
		more = unescape_one(&raw, out + *size);
		if (more == 0)
			return ERR_FORMAT;
		*size += more;
	}
	out[*size] = '\0';
	return 0;
}

static int read_text(struct reader *r, struct json **out)
{
	struct bytes raw;
	int err = read_quoted(r, &raw);

	if (err < 0)
		return err;
	*out = json_value_text(raw.size);
	return unescape(raw, (*out)->text, &(*out)->size);
}

static int read_key(struct reader *r, char **out)
{
	struct bytes raw;
	size_t size;
	int err = read_quoted(r, &raw);

	if (err < 0)
		return err;
	*out = memory_new(raw.size + 1);
	return unescape(raw, *out, &size);
}

/* --- numbers --- */

static bool skip_digits(struct reader *r)
{
	const uint8_t *from = r->at;

	while (next(r) >= '0' && next(r) <= '9')
		r->at++;
	return r->at > from;
}

/* A fraction, an exponent, both or neither (`is_real` is false). */
static bool skip_rest(struct reader *r, bool *is_real)
{
	*is_real = next(r) == '.' || next(r) == 'e' || next(r) == 'E';
	if (skip(r, '.') && !skip_digits(r))
		return false;
	if (!skip(r, 'e') && !skip(r, 'E'))
		return true;
	if (!skip(r, '+'))
		(void)skip(r, '-');
	return skip_digits(r);
}

static int whole_of(struct bytes number, struct json *out)
{
	bool is_negative = number.data[0] == '-';
	int64_t sum = 0;

	for (size_t i = is_negative; i < number.size; i++) {
		int digit = number.data[i] - '0';

		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, is_negative ? -digit : digit, &sum))
			return ERR_FORMAT;
	}
	out->integer = sum;
	return 0;
}

static int real_of(struct bytes number, struct json *out)
{
	char text[NUMBER_MAX + 1] = "";

	if (number.size > NUMBER_MAX)
		return ERR_FORMAT;
	memcpy(text, number.data, number.size);
	out->real = strtod(text, NULL);
	return isfinite(out->real) ? 0 : ERR_FORMAT;
}

static int read_number(struct reader *r, struct json **out)
{
	const uint8_t *from = r->at;
	struct bytes number;
	bool is_real;

	(void)skip(r, '-');
	if ((!skip(r, '0') && !skip_digits(r)) || !skip_rest(r, &is_real))
		return ERR_FORMAT;
	number = bytes_of(from, (size_t)(r->at - from));
	*out = json_value(is_real ? JSON_REAL : JSON_INT);
	return is_real ? real_of(number, *out) : whole_of(number, *out);
}

/* --- values --- */

static int read_value(struct reader *r, struct json **out);

/* A name and its colon, where `holder` is an object. */
static int read_name(struct reader *r, const struct json *holder, char **key)
{
	int err;

	if (holder->kind == JSON_ARRAY)
		return 0;
	if (holder->count == JSON_NAMES_MAX)
		return ERR_LIMIT;
	err = read_key(r, key);
	if (err < 0)
		return err;
	skip_space(r);
	return skip(r, ':') && !json_member(holder, *key) ? 0 : ERR_FORMAT;
}

static int read_member(struct reader *r, struct json *holder)
{
	struct json *value = NULL;
	char *key = NULL;
	int err;

	skip_space(r);
	err = read_name(r, holder, &key);
	if (err == 0)
		err = read_value(r, &value);
	if (err == 0) {
		json_append(holder, key, value);
		return 0;
	}
	free(key);
	json_free(value);
	return err;
}

static int read_members(struct reader *r, struct json *holder, char end)
{
	int err;

	if (++r->depth > JSON_DEPTH_MAX)
		return ERR_LIMIT;
	skip_space(r);
	if (!skip(r, end)) {
		do {
			err = read_member(r, holder);
			skip_space(r);
		} while (err == 0 && skip(r, ','));
		if (err < 0 || !skip(r, end))
			return err < 0 ? err : ERR_FORMAT;
	}
	r->depth--;
	return 0;
}

static int read_literal(struct reader *r, const char *literal, struct json *take_value,
			struct json **out)
{
	*out = take_value;
	while (*literal)
		if (!skip(r, *literal++))
			return ERR_FORMAT;
	return 0;
}

/* On failure `out` may hold a part of it. */
static int read_value(struct reader *r, struct json **out)
{
	skip_space(r);
	switch (next(r)) {
	case '{':
		r->at++;
		*out = json_object();
		return read_members(r, *out, '}');
	case '[':
		r->at++;
		*out = json_array();
		return read_members(r, *out, ']');
	case '"':
		return read_text(r, out);
	case 'n':
		return read_literal(r, "null", json_null(), out);
	case 't':
		return read_literal(r, "true", json_truth(true), out);
	case 'f':
		return read_literal(r, "false", json_truth(false), out);
	default:
		return read_number(r, out);
	}
}

int json_parse(struct json **out, struct bytes text)
{
	struct reader r = { text.data, text.data, 0 };
	struct json *j = NULL;
	int err;

	*out = NULL;
	if (text.size == 0 || !bytes_is_utf8(text))
		return ERR_FORMAT;
	r.end = text.data + text.size;
	err = read_value(&r, &j);
	skip_space(&r);
	if (err == 0 && (r.at < r.end || !(json_is_object(j) || json_is_array(j))))
		err = ERR_FORMAT;
	if (err == 0)
		*out = j;
	else
		json_free(j);
	return err;
}
