#include "tests/asked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"

#define WALL ((wall_ms)1700000000000)

struct asked asked;

static int on_send(void *connection, struct bytes line)
{
	struct asked_face *to = connection;

	if (to->is_deaf)
		return ERR_FULL;
	asked.backlog += asked.weight;
	assert_true(to->count < ASKED_LINES);
	assert_int_equal(json_parse(&to->got[to->count++], line), 0);
	return 0;
}

static size_t on_backlog(void *connection)
{
	(void)connection;
	return asked.backlog;
}

static void on_stop(void *user)
{
	(void)user;
	asked.stops++;
}

static int connect_face(const struct api_config *shell)
{
	asked.api = api_new(shell);
	asked.face.client = api_connect(asked.api, &asked.face);
	return asked.face.client ? 0 : -1;
}

int asked_begin(void **state)
{
	struct engine_config config = { .device_label = "test", .ksf = KSF_ARGON2ID_64M };
	struct api_config shell = { .send = on_send, .stop = on_stop };
	char reason[256];

	(void)state;
	memset(&asked, 0, sizeof asked);
	asked.now = SECOND;
	if (engine_open(&asked.engine, &config, asked.now, WALL, reason, sizeof reason) < 0)
		return -1;
	shell.engine = asked.engine;
	return connect_face(&shell);
}

static int begin_as_member(struct api_config *shell)
{
	memset(&asked, 0, sizeof asked);
	asked.now = 2000 * SECOND;
	peer_make(&asked.member, "alice");
	peer_open(&asked.member, asked.now, WALL);
	shell->engine = asked.engine = asked.member.engine;
	return connect_face(shell);
}

int asked_begin_as_member(void **state)
{
	(void)state;
	return begin_as_member(&(struct api_config){ .send = on_send, .backlog = on_backlog });
}

int asked_begin_at_home(void **state)
{
	int err = begin_as_member(&(struct api_config){ .send = on_send, .home = &asked.home });

	(void)state;
	snprintf(asked.home.folder, sizeof asked.home.folder, "/tmp/palique-api-XXXXXX");
	return mkdtemp(asked.home.folder) ? err : -1;
}

int asked_end_as_member(void **state)
{
	(void)state;
	asked_forget(&asked.face);
	api_free(asked.api);
	peer_remove(&asked.member);
	return 0;
}

int asked_end_at_home(void **state)
{
	char command[HOME_PATH_MAX + 16];

	asked_end_as_member(state);
	snprintf(command, sizeof command, "rm -rf '%s'", asked.home.folder);
	return system(command);
}

int asked_end(void **state)
{
	(void)state;
	asked_forget(&asked.face);
	api_free(asked.api);
	engine_close(asked.engine);
	return 0;
}

void asked_forget(struct asked_face *f)
{
	for (unsigned i = 0; i < f->count; i++)
		json_free(f->got[i]);
	f->count = 0;
}

void asked_step(void)
{
	asked.now += MILLISECOND;
	engine_step(asked.engine, asked.now, WALL);
	while (api_step(asked.api))
		;
}

struct json *asked_line(const char *line)
{
	asked_forget(&asked.face);
	api_line(asked.face.client, bytes_text(line));
	asked_step();
	for (unsigned i = 0; i < asked.face.count; i++)
		if (json_has(asked.face.got[i], "id"))
			return asked.face.got[i];
	return NULL;
}

struct json *asked_call(const char *method, const char *params)
{
	char line[8192];

	snprintf(line, sizeof line,
		 "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":%s}", method,
		 params);
	return asked_line(line);
}

int64_t code_of(const struct json *answer)
{
	const struct json *error = answer ? json_get(answer, "error") : NULL;

	return error ? json_int(error, "code", 0) : 0;
}

const char *message_of(const struct json *answer)
{
	return json_text(json_get(answer, "error"), "message");
}

const char *hint_of(const struct json *answer)
{
	return json_text(json_get(json_get(answer, "error"), "data"), "hint");
}

const struct json *result_in(const struct json *answer)
{
	assert_int_equal(code_of(answer), 0);
	return json_get(answer, "result");
}

const char *asked_say(const char *text)
{
	static char id[32];
	char params[512];

	asked_call("addContact", "{\"contact\":\"bob\"}");
	snprintf(params, sizeof params, "{\"conversation\":\"bob\",\"text\":\"%s\"}", text);
	snprintf(id, sizeof id, "%s", json_text(result_in(asked_call("send", params)), "id"));
	return id;
}
