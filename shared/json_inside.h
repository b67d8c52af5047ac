/* Inside of json, from the bottom up: json.c keeps values and prints them, json_read.c makes them of a
 * text. */
#ifndef PALIQUE_SHARED_JSON_INSIDE_H
#define PALIQUE_SHARED_JSON_INSIDE_H

#include "shared/json.h"

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_INT,
	JSON_REAL,
	JSON_TEXT,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* Of an array the keys are NULL. */
struct member {
	char *key;
	struct json *value;
};

/* One piece of memory, but for what an array or an object holds. */
struct json {
	uint32_t references;
	enum json_kind kind;
	union {
		bool is_true;
		int64_t integer;
		double real;
		size_t size; /* of `text` */
		struct {
			struct member *members;
			uint32_t count, capacity;
		};
	};
	char text[]; /* and a NUL */
};

struct json *json_value(enum json_kind kind);
struct json *json_truth(bool v);
/* A text of `size` bytes, to be filled in. */
struct json *json_value_text(size_t size);
/* NULL: none of this name. */
struct member *json_member(const struct json *object, const char *key);
/* Behind the others. `take_key`: NULL in an array, else a name that is not there yet. */
void json_append(struct json *holder, char *take_key, struct json *take_value);

#endif
