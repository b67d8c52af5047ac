/* What a browser sends, pure parts: a request's head is judged, and no name that passes is a path; a message of a
 * page becomes one line of an allowed method, or nothing. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/web/bridge.h"
#include "peer/faces/web/guard.h"
#include "shared/error.h"
#include "shared/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS = 6, PORT = 7373 };

static int spool(void *user, const char *name, char path[BRIDGE_PATH_MAX])
{
	(void)user;
	return snprintf(path, BRIDGE_PATH_MAX, "/spool/%s", name) < BRIDGE_PATH_MAX ? 0
										    : ERR_LIMIT;
}

static void judge(char *text)
{
	char *parts[PARTS] = { text, NULL }, value[GUARD_COOKIE_MAX + 1];
	struct guard_request r = { .host = "127.0.0.1:7373", .body = -1 };
	struct guard_pass pass;
	uint64_t from, length;

	for (int i = 1; i < PARTS && parts[i - 1]; i++) {
		parts[i] = strchr(parts[i - 1], '\n');
		if (parts[i])
			*parts[i]++ = 0;
	}
	r.path = parts[0];
	if (parts[1] && *parts[1])
		r.host = parts[1];
	r.origin = parts[2] && *parts[2] ? parts[2] : NULL;
	r.method = parts[0][0] ? (enum guard_method)(parts[0][strlen(parts[0]) - 1] % 4)
			       : GUARD_GET;
	r.is_upgrade = r.origin && strstr(r.path, "socket");
	if (guard_judge(&r, PORT, &pass) == 0) {
		assert(!strcmp(r.host, "127.0.0.1:7373"));
		assert(!strchr(pass.name, '/') && pass.name[0] != '.');
	}
	for (unsigned i = 0; parts[3] && guard_cookie(parts[3], "palique-7373", i, value); i++)
		assert(!strchr(value, ';'));
	if (guard_key(parts[4], value))
		assert(*value && !strpbrk(value, ", \t"));
	if (guard_range(parts[5], 1000, &from, &length) == 206)
		assert(length > 0 && from + length <= 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bridge_calls calls = { .spool = spool };
	char *text = malloc(size + 1), *line;
	struct json *again;

	memcpy(text, data, size);
	text[size] = 0;
	judge(text);
	free(text);
	if (bridge_take(bytes_of(data, size), &calls, &line) == 0) {
		assert(line && !strchr(line, '\n'));
		assert(json_parse(&again, bytes_text(line)) == 0);
		assert(bridge_allows(json_text(again, "method"), NULL));
		json_free(again);
	}
	free(line);
	return 0;
}
