#include <jansson.h>

/* Before our header renames them (see there). */
static json_t *(*const new_object)(void) = json_object;
static json_t *(*const new_array)(void) = json_array;
static json_t *(*const new_null)(void) = json_null;
enum { PRINTED_USUAL = 1024 }; /* bytes that most of what is printed fits into */
enum { REAL_DIGITS = 9 };      /* significant ones: 17 would print 0.1 as 0.10000000000000001 */

static json_t *(*const new_real)(double) = json_real;
#undef json_is_object
#undef json_is_array

#include "shared/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"

/* A struct json is a json_t; jansson counts references also through const views, and its
 * getters take pointers that are not const. */
static json_t *inside(const struct json *j)
{
	return (json_t *)(uintptr_t)j;
}

static struct json *outside(json_t *j)
{
	if (!j)
		abort(); /* only memory can fail here */
	return (struct json *)j;
}

static bool fits_depth(json_t *j, int depth)
{
	const char *key;
	json_t *value;
	size_t i;

	if (depth > JSON_DEPTH_MAX)
		return false;
	json_object_foreach(j, key, value) if (json_typeof(value) <= JSON_ARRAY &&
					       !fits_depth(value, depth + 1)) return false;
	json_array_foreach(j, i, value) if (json_typeof(value) <= JSON_ARRAY &&
					    !fits_depth(value, depth + 1)) return false;
	return true;
}

int json_parse(struct json **out, struct bytes text)
{
	json_error_t error;
	json_t *j;

	*out = NULL;
	/* jansson itself refuses bad UTF-8, what trails and more than 2048 levels, but passes over a
	 * NUL behind a number; JSON has none anywhere (RFC 8259, section 7). */
	if (text.size > 0 && memchr(text.data, 0, text.size))
		return ERR_FORMAT;
	j = json_loadb(text.data ? (const char *)text.data : "", text.size,
		       JSON_REJECT_DUPLICATES, &error);
	if (!j && json_error_code(&error) == json_error_out_of_memory)
		abort();
	if (!j)
		return json_error_code(&error) == json_error_stack_overflow ? ERR_LIMIT
									    : ERR_FORMAT;
	if (!fits_depth(j, 1)) {
		json_decref(j);
		return ERR_LIMIT;
	}
	*out = outside(j);
	return 0;
}

static const size_t printing = JSON_COMPACT | JSON_ENCODE_ANY |
			       JSON_REAL_PRECISION(REAL_DIGITS);

size_t json_size(const struct json *j)
{
	return json_dumpb(inside(j), NULL, 0, printing);
}

/* Into memory of ours: json_dumps() leaves out a key that it has no memory for, and goes on; and what is
 * given part by part costs more than what is said. */
void json_print_to(const struct json *j, struct buf *out)
{
	size_t room = PRINTED_USUAL;
	size_t size = json_dumpb(inside(j), (char *)buf_room(out, room), room, printing);

	if (size > room) {
		room = size;
		size = json_dumpb(inside(j), (char *)buf_room(out, room), room, printing);
	}
	if (size == 0 || size > room)
		abort();
	buf_grew(out, size);
}

char *json_print(const struct json *j)
{
	struct buf line = { 0 };

	json_print_to(j, &line);
	buf_append_byte(&line, 0);
	return (char *)line.data;
}

void json_free(struct json *j)
{
	json_decref(inside(j));
}

struct json *json_keep(struct json *j)
{
	return outside(json_incref(inside(j)));
}

struct json *json_object(void)
{
	return outside(new_object());
}

struct json *json_array(void)
{
	return outside(new_array());
}

struct json *json_null(void)
{
	return outside(new_null());
}

static struct json *text_value(struct bytes text)
{
	json_t *j;
	char *plain;

	if (bytes_is_utf8(text))
		return outside(json_stringn_nocheck(text.data ? (const char *)text.data : "",
						    text.size));

	plain = memory_new(text.size + 1);
	for (size_t i = 0; i < text.size; i++)
		plain[i] = text.data[i] >= 0x80 || text.data[i] == 0 ? '?' : (char)text.data[i];
	j = json_stringn(plain, text.size);
	free(plain);
	return outside(j);
}

struct json *json_set(struct json *object, const char *key, struct json *take_value)
{
	int failed;

	assert(json_is_object(object) && take_value && bytes_is_utf8(bytes_text(key)));
	failed = json_object_set_new_nocheck(inside(object), key, inside(take_value));
	assert(!failed);
	(void)failed;
	return object;
}

struct json *json_drop(struct json *object, const char *key)
{
	json_object_del(inside(object), key);
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
	return json_set(object, key, outside(json_integer(v)));
}

struct json *json_set_id(struct json *object, const char *key, uint64_t id)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%" PRIu64, id);
	return json_set_text(object, key, digits);
}

struct json *json_set_real(struct json *object, const char *key, double v)
{
	return json_set(object, key, isfinite(v) ? outside(new_real(v)) : json_null());
}

struct json *json_set_bool(struct json *object, const char *key, bool v)
{
	return json_set(object, key, outside(json_boolean(v)));
}

struct json *json_add(struct json *array, struct json *take_value)
{
	int failed;

	assert(json_is_array(array) && take_value);
	failed = json_array_append_new(inside(array), inside(take_value));
	assert(!failed);
	(void)failed;
	return array;
}

struct json *json_add_text(struct json *array, const char *text)
{
	return json_add(array, text ? text_value(bytes_text(text)) : json_null());
}

struct json *json_add_bytes(struct json *array, struct bytes utf8)
{
	return json_add(array, text_value(utf8));
}

bool json_is_object(const struct json *j)
{
	return j && json_typeof(inside(j)) == JSON_OBJECT;
}

bool json_is_array(const struct json *j)
{
	return j && json_typeof(inside(j)) == JSON_ARRAY;
}

const struct json *json_get(const struct json *object, const char *key)
{
	return (const struct json *)json_object_get(inside(object), key);
}

const char *json_text(const struct json *object, const char *key)
{
	return json_string_value(json_object_get(inside(object), key));
}

bool json_has(const struct json *object, const char *key)
{
	return json_object_get(inside(object), key) != NULL;
}

int64_t json_int(const struct json *object, const char *key, int64_t missing)
{
	json_t *v = json_object_get(inside(object), key);

	return json_is_integer(v) ? json_integer_value(v) : missing;
}

bool json_bool(const struct json *object, const char *key, bool missing)
{
	json_t *v = json_object_get(inside(object), key);

	return json_is_boolean(v) ? json_is_true(v) : missing;
}

double json_real(const struct json *object, const char *key, double missing)
{
	json_t *v = json_object_get(inside(object), key);

	return json_is_number(v) ? json_number_value(v) : missing;
}

int json_id(const struct json *object, const char *key, uint64_t *id)
{
	json_t *v = json_object_get(inside(object), key);
	const char *digits;
	uint64_t sum = 0;

	if (!v)
		return ERR_NOT_FOUND;
	digits = json_string_value(v);
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
	return json_array_size(inside(array));
}

const struct json *json_at(const struct json *array, size_t i)
{
	return (const struct json *)json_array_get(inside(array), i);
}

const char *json_text_at(const struct json *array, size_t i)
{
	return json_string_value(json_array_get(inside(array), i));
}

const char *json_each(const struct json *object, void **it, const struct json **value)
{
	*it = *it ? json_object_iter_next(inside(object), *it)
		  : json_object_iter(inside(object));
	if (!*it)
		return NULL;
	*value = (const struct json *)json_object_iter_value(*it);
	return json_object_iter_key(*it);
}
