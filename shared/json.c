#include "shared/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/json_inside.h"

enum {
	MEMBERS_FIRST = 8,
	PRINTED_USUAL = 512, /* bytes that most of what is printed fits into */
	REAL_DIGITS = 9,     /* significant ones: 17 would print 0.1 as 0.10000000000000001 */
};

/* --- values --- */

struct json *json_value(enum json_kind kind)
{
	struct json *j = memory_new(sizeof *j);

	j->references = 1;
	j->kind = kind;
	return j;
}

struct json *json_truth(bool v)
{
	struct json *j = json_value(JSON_BOOL);

	j->is_true = v;
	return j;
}

struct json *json_value_text(size_t size)
{
	struct json *j = memory_new(sizeof *j + size + 1);

	j->references = 1;
	j->kind = JSON_TEXT;
	j->size = size;
	return j;
}

struct json *json_object(void)
{
	return json_value(JSON_OBJECT);
}

struct json *json_array(void)
{
	return json_value(JSON_ARRAY);
}

struct json *json_null(void)
{
	return json_value(JSON_NULL);
}

struct json *json_keep(struct json *j)
{
	j->references++;
	return j;
}

void json_free(struct json *j)
{
	if (!j || --j->references > 0)
		return;
	if (j->kind == JSON_ARRAY || j->kind == JSON_OBJECT) {
		for (uint32_t i = 0; i < j->count; i++) {
			free(j->members[i].key);
			json_free(j->members[i].value);
		}
		free(j->members);
	}
	free(j);
}

static struct json *text_value(struct bytes text)
{
	struct json *j = json_value_text(text.size);

	if (text.size > 0)
		memcpy(j->text, text.data, text.size);
	if (bytes_is_utf8(text))
		return j;
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] >= 0x80 || text.data[i] == 0)
			j->text[i] = '?';
	return j;
}

/* --- objects and arrays --- */

struct member *json_member(const struct json *object, const char *key)
{
	if (!json_is_object(object))
		return NULL;
	for (uint32_t i = 0; i < object->count; i++)
		if (!strcmp(object->members[i].key, key))
			return &object->members[i];
	return NULL;
}

void json_append(struct json *holder, char *take_key, struct json *take_value)
{
	if (holder->count == holder->capacity) {
		holder->capacity = holder->capacity ? holder->capacity * 2 : MEMBERS_FIRST;
		holder->members = memory_grow(holder->members, holder->capacity,
					      sizeof *holder->members);
	}
	holder->members[holder->count++] = (struct member){ take_key, take_value };
}

struct json *json_set(struct json *object, const char *key, struct json *take_value)
{
	struct member *member = json_member(object, key);

	assert(json_is_object(object) && take_value && bytes_is_utf8(bytes_text(key)));
	if (member) {
		json_free(member->value);
		member->value = take_value;
	} else {
		json_append(object, memory_text(key), take_value);
	}
	return object;
}

struct json *json_drop(struct json *object, const char *key)
{
	struct member *member = json_member(object, key);

	if (!member)
		return object;
	free(member->key);
	json_free(member->value);
	object->count--;
	memmove(member, member + 1,
		(size_t)(object->members + object->count - member) * sizeof *member);
	return object;
}

struct json *json_set_text(struct json *object, const char *key, const char *text)
{
	return json_set(object, key, text ? text_value(bytes_text(text)) : json_null());
}

struct json *json_set_bytes(struct json *object, const char *key, struct bytes utf8)
{
	return json_set(object, key, text_value(utf8));
}

struct json *json_set_int(struct json *object, const char *key, int64_t v)
{
	struct json *j = json_value(JSON_INT);

	j->integer = v;
	return json_set(object, key, j);
}

/* Without a sign, from the back of `digits` on. */
static struct bytes print_digits(char digits[20], uint64_t v)
{
	size_t at = 20;

	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	return bytes_of(digits + at, 20 - at);
}

struct json *json_set_id(struct json *object, const char *key, uint64_t id)
{
	char digits[20];

	return json_set(object, key, text_value(print_digits(digits, id)));
}

struct json *json_set_real(struct json *object, const char *key, double v)
{
	struct json *j = json_value(isfinite(v) ? JSON_REAL : JSON_NULL);

	j->real = v;
	return json_set(object, key, j);
}

struct json *json_set_bool(struct json *object, const char *key, bool v)
{
	return json_set(object, key, json_truth(v));
}

struct json *json_add(struct json *array, struct json *take_value)
{
	assert(json_is_array(array) && take_value);
	json_append(array, NULL, take_value);
	return array;
}

struct json *json_add_text(struct json *array, const char *text)
{
	return json_add(array, text ? text_value(bytes_text(text)) : json_null());
}

/* --- looking --- */

bool json_is_object(const struct json *j)
{
	return j && j->kind == JSON_OBJECT;
}

bool json_is_array(const struct json *j)
{
	return j && j->kind == JSON_ARRAY;
}

const struct json *json_get(const struct json *object, const char *key)
{
	const struct member *member = json_member(object, key);

	return member ? member->value : NULL;
}

/* NULL: missing, or of another kind. */
static const struct json *get(const struct json *object, const char *key, enum json_kind kind)
{
	const struct json *j = json_get(object, key);

	return j && j->kind == kind ? j : NULL;
}

const char *json_text(const struct json *object, const char *key)
{
	const struct json *j = get(object, key, JSON_TEXT);

	return j ? j->text : NULL;
}

bool json_has(const struct json *object, const char *key)
{
	return json_get(object, key) != NULL;
}

int64_t json_int(const struct json *object, const char *key, int64_t missing)
{
	const struct json *j = get(object, key, JSON_INT);

	return j ? j->integer : missing;
}

bool json_bool(const struct json *object, const char *key, bool missing)
{
	const struct json *j = get(object, key, JSON_BOOL);

	return j ? j->is_true : missing;
}

double json_real(const struct json *object, const char *key, double missing)
{
	const struct json *j = json_get(object, key);

	if (j && j->kind == JSON_INT)
		return (double)j->integer;
	return j && j->kind == JSON_REAL ? j->real : missing;
}

int json_id(const struct json *object, const char *key, uint64_t *id)
{
	const char *digits = json_text(object, key);
	uint64_t sum = 0;

	if (!json_has(object, key))
		return ERR_NOT_FOUND;
	if (!digits || !digits[0] || (digits[0] == '0' && digits[1]))
		return ERR_FORMAT;
	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9')
			return ERR_FORMAT;
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(*digits - '0'), &sum))
			return ERR_FORMAT;
	}
	*id = sum;
	return 0;
}

size_t json_count(const struct json *array)
{
	return json_is_array(array) ? array->count : 0;
}

const struct json *json_at(const struct json *array, size_t i)
{
	return i < json_count(array) ? array->members[i].value : NULL;
}

const char *json_text_at(const struct json *array, size_t i)
{
	const struct json *j = json_at(array, i);

	return j && j->kind == JSON_TEXT ? j->text : NULL;
}

const char *json_each(const struct json *object, void **it, const struct json **value)
{
	uintptr_t at = (uintptr_t)*it; /* how many were walked over */

	if (!json_is_object(object) || at >= object->count)
		return NULL;
	*it = (void *)(at + 1);
	*value = object->members[at].value;
	return object->members[at].key;
}

/* --- printing --- */

static void print_literal(struct buf *out, const char *text)
{
	buf_append(out, bytes_text(text));
}

/* RFC 8259 section 7: quotes, backslashes and controls. */
static void print_escaped(struct buf *out, uint8_t c)
{
	static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	char code[8];

	for (size_t i = 0; i + 1 < sizeof names; i += 2) {
		if (c != (uint8_t)names[i])
			continue;
		buf_append(out, bytes_of((const char[]){ '\\', names[i + 1] }, 2));
		return;
	}
	snprintf(code, sizeof code, "\\u%04X", c);
	print_literal(out, code);
}

/* How many bytes at the front are said as they are. */
static size_t plain_size(struct bytes text)
{
	size_t i = 0;

	while (i < text.size && text.data[i] >= ' ' && text.data[i] != '"' &&
	       text.data[i] != '\\')
		i++;
	return i;
}

static void print_text(struct buf *out, struct bytes text)
{
	(void)buf_room(out, text.size + 2);
	buf_append_byte(out, '"');
	for (;;) {
		size_t plain = plain_size(text);

		buf_append(out, bytes_of(text.data, plain));
		if (plain == text.size)
			break;
		print_escaped(out, text.data[plain]);
		text = bytes_of(text.data + plain + 1, text.size - plain - 1);
	}
	buf_append_byte(out, '"');
}

static void print_int(struct buf *out, int64_t v)
{
	char digits[20];

	if (v < 0)
		buf_append_byte(out, '-');
	buf_append(out, print_digits(digits, v < 0 ? -(uint64_t)v : (uint64_t)v));
}

/* A real stays one when it is read again. The locale's point is a point (shared/text.c). */
static void print_real(struct buf *out, double v)
{
	char digits[32];

	snprintf(digits, sizeof digits, "%.*g", REAL_DIGITS, v);
	print_literal(out, digits);
	if (!strpbrk(digits, ".e"))
		print_literal(out, ".0");
}

static void print_members(struct buf *out, const struct json *j)
{
	for (uint32_t i = 0; i < j->count; i++) {
		const struct member *member = &j->members[i];

		if (i > 0)
			buf_append_byte(out, ',');
		if (member->key) {
			print_text(out, bytes_text(member->key));
			buf_append_byte(out, ':');
		}
		json_print_to(member->value, out);
	}
}

void json_print_to(const struct json *j, struct buf *out)
{
	switch (j->kind) {
	case JSON_NULL:
		print_literal(out, "null");
		break;
	case JSON_BOOL:
		print_literal(out, j->is_true ? "true" : "false");
		break;
	case JSON_INT:
		print_int(out, j->integer);
		break;
	case JSON_REAL:
		print_real(out, j->real);
		break;
	case JSON_TEXT:
		print_text(out, bytes_of(j->text, j->size));
		break;
	case JSON_ARRAY:
		buf_append_byte(out, '[');
		print_members(out, j);
		buf_append_byte(out, ']');
		break;
	case JSON_OBJECT:
		buf_append_byte(out, '{');
		print_members(out, j);
		buf_append_byte(out, '}');
		break;
	}
}

char *json_print(const struct json *j)
{
	struct buf out = { 0 };

	(void)buf_room(&out, PRINTED_USUAL);
	json_print_to(j, &out);
	buf_append_byte(&out, '\0');
	return (char *)out.data;
}
