/* jansson at arm's length: strict reading (duplicate keys, trailing bytes, deep nesting
 * refused), compact printing, 64-bit ids as strings. The only room that knows jansson.h. */
#ifndef PALIQUE_SHARED_JSON_H
#define PALIQUE_SHARED_JSON_H

#include "shared/bytes.h"

/* jansson exports functions of these names and calls them itself: at the linker ours must
 * be called otherwise, or the two would answer for one another. */
#define json_object palique_json_object
#define json_array  palique_json_array
#define json_null   palique_json_null
#define json_real   palique_json_real

struct json; /* a value; reference counted: json_free() gives one up */

enum { JSON_DEPTH_MAX = 32 };

/* An object or an array. ERR_FORMAT, ERR_LIMIT: nested deeper than JSON_DEPTH_MAX; `out` is
 * NULL then. */
int json_parse(struct json **out, struct bytes text);
char *json_print(const struct json *j);                    /* one line; caller frees */
void json_print_to(const struct json *j, struct buf *out); /* the same; `out` has no limit */
size_t json_size(const struct json *j);                    /* bytes of that line */
void json_free(struct json *j);                            /* NULL is harmless */
struct json *json_keep(struct json *j);                    /* one more reference */

struct json *json_object(void);
struct json *json_array(void);
/* Setters take a copy or, for `value`, ownership; each returns `object` for chaining. In text
 * that is not UTF-8 every byte beyond ASCII becomes '?'; a real that is no number is null. */
struct json *json_set(struct json *object, const char *key, struct json *take_value);
/* NULL: null. */
struct json *json_set_text(struct json *object, const char *key, const char *text);
struct json *json_set_bytes(struct json *object, const char *key, struct bytes utf8);
struct json *json_set_int(struct json *object, const char *key, int64_t v);
struct json *json_set_id(struct json *object, const char *key, uint64_t id); /* as a string */
struct json *json_set_real(struct json *object, const char *key, double v);
struct json *json_set_bool(struct json *object, const char *key, bool v);
struct json *json_drop(struct json *object,
		       const char *key); /* harmless where it is not there */
struct json *json_add(struct json *array, struct json *take_value);
struct json *json_add_text(struct json *array, const char *text);
struct json *json_add_bytes(struct json *array, struct bytes utf8);
struct json *json_null(void);

/* Getters: borrowed; NULL or the default where the key is missing or of another kind. */
bool json_is_object(const struct json *j);
bool json_is_array(const struct json *j);
const struct json *json_get(const struct json *object, const char *key);
const char *json_text(const struct json *object, const char *key);
bool json_has(const struct json *object, const char *key);
int64_t json_int(const struct json *object, const char *key, int64_t missing);
bool json_bool(const struct json *object, const char *key, bool missing);
double json_real(const struct json *object, const char *key, double missing);
/* An id written as a string of digits: ERR_NOT_FOUND, ERR_FORMAT. */
int json_id(const struct json *object, const char *key, uint64_t *id);
size_t json_count(const struct json *array);
const struct json *json_at(const struct json *array, size_t i);
const char *json_text_at(const struct json *array, size_t i);
/* Walks an object: `it` starts NULL; returns the next key and its value. */
const char *json_each(const struct json *object, void **it, const struct json **value);

#endif
