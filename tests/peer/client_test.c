#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "peer/faces/client.h"
#include "shared/error.h"

enum { PATIENCE_MS = 60000 };

static char folder[] = "/tmp/palique-client-test-XXXXXX";
static char path[128];
static struct client_place place = { folder, path };

/* An engine of one connection, that says given lines: each after a line has come in. */
struct engine {
	int listener;
	pthread_t thread;
	const char *const *says;
	char hello[512], heard[8][512];
};
static struct engine engine;

static void *serve(void *unused)
{
	int fd = accept(engine.listener, NULL, NULL);
	FILE *in = fdopen(fd, "r+");

	(void)unused;
	setvbuf(in, NULL, _IONBF, 0);
	/* First of all a face says which language it speaks; no answer is owed. */
	if (!fgets(engine.hello, sizeof engine.hello, in))
		return NULL;
	for (unsigned i = 0; engine.says[i]; i++) {
		if (!fgets(engine.heard[i], sizeof engine.heard[i], in))
			break;
		if (send(fd, engine.says[i], strlen(engine.says[i]), MSG_NOSIGNAL) < 0)
			break;
	}
	fclose(in);
	return NULL;
}

static struct client *meet(const char *const *says)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct client_error error;
	struct client *client;

	memset(&engine, 0, sizeof engine);
	engine.says = says;
	unlink(path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	engine.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(engine.listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(engine.listener, 4), 0);
	assert_int_equal(pthread_create(&engine.thread, NULL, serve, NULL), 0);
	assert_int_equal(client_open(&client, &place, false, &error), 0);
	return client;
}

static void part(struct client *client)
{
	client_close(client);
	pthread_join(engine.thread, NULL);
	close(engine.listener);
}

static void a_call_gives_its_result(void **state)
{
	static const char *const says[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"x\":\"y\"}}\n", NULL
	};
	struct client *client = meet(says);
	struct client_error error;
	struct json *result;

	(void)state;
	assert_int_equal(client_call(client, "version", json_set_text(json_object(), "a", "b"),
				     PATIENCE_MS, &result, &error),
			 0);
	assert_string_equal(json_text(result, "x"), "y");
	json_free(result);
	part(client);
	assert_non_null(strstr(engine.hello, "\"method\":\"setLanguage\""));
	assert_null(strstr(engine.hello, "\"id\""));
	assert_non_null(strstr(engine.heard[0], "\"method\":\"version\""));
	assert_non_null(strstr(engine.heard[0], "{\"a\":\"b\"}"));
}

static void an_error_brings_its_kind_and_what_to_type(void **state)
{
	static const char *const says[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32005,\"message\":\"no "
		"bob\","
		"\"data\":{\"kind\":\"not-found\",\"hint\":\"palique ls\"}}}\n",
		NULL
	};
	struct client *client = meet(says);
	struct client_error error;
	struct json *result;

	(void)state;
	assert_int_equal(client_call(client, "send", NULL, PATIENCE_MS, &result, &error),
			 ERR_NOT_FOUND);
	assert_null(result);
	assert_int_equal(error.err, ERR_NOT_FOUND);
	assert_string_equal(error.message, "no bob");
	assert_string_equal(error.hint, "palique ls");
	part(client);
}

static void notifications_that_come_during_a_call_are_kept_in_order(void **state)
{
	static const char *const says[] = { "{\"jsonrpc\":\"2.0\",\"method\":\"one\"}\n{"
					    "\"jsonrpc\":\"2.0\",\"method\":\"two\"}\n"
					    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n{"
					    "\"jsonrpc\":\"2.0\",\"method\":\"three\"}\n",
					    NULL };
	static const char *const names[] = { "one", "two", "three" };
	struct client *client = meet(says);
	struct client_error error;
	struct json *result, *note;

	(void)state;
	assert_int_equal(client_call(client, "x", NULL, PATIENCE_MS, &result, &error), 0);
	json_free(result);
	assert_true(client_has_more(client));
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(client_next(client, PATIENCE_MS, &note), 0);
		assert_string_equal(json_text(note, "method"), names[i]);
		json_free(note);
	}
	part(client);
}

static void an_engine_that_ends_is_told_from_one_that_is_slow(void **state)
{
	static const char *const says[] = { "", "", NULL };
	static const char *const nothing[] = { NULL };
	struct client *client = meet(says);
	struct client_error error;
	struct json *result;

	(void)state;
	assert_int_equal(client_call(client, "x", NULL, 0, &result, &error), ERR_TIMEOUT);
	part(client);
	client = meet(nothing);
	assert_int_equal(client_call(client, "x", NULL, PATIENCE_MS, &result, &error),
			 ERR_CLOSED);
	assert_non_null(error.message[0] ? error.message : NULL);
	part(client);
}

static void a_line_that_is_no_json_fails_the_call(void **state)
{
	static const char *const says[] = { "garbage\n", NULL };
	struct client *client = meet(says);
	struct client_error error;
	struct json *result;

	(void)state;
	assert_int_equal(client_call(client, "x", NULL, PATIENCE_MS, &result, &error),
			 ERR_FORMAT);
	part(client);
}

static void no_engine_is_said_with_what_to_type(void **state)
{
	struct client_error error;
	struct client *client;

	(void)state;
	unlink(path);
	assert_int_equal(client_open(&client, &place, false, &error), ERR_OFFLINE);
	assert_null(client);
	assert_true(error.message[0] != '\0');
	assert_non_null(strstr(error.hint, "palique"));
}

static int begin(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/engine.sock", folder);
	return 0;
}

static int end(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_gives_its_result),
		cmocka_unit_test(an_error_brings_its_kind_and_what_to_type),
		cmocka_unit_test(notifications_that_come_during_a_call_are_kept_in_order),
		cmocka_unit_test(an_engine_that_ends_is_told_from_one_that_is_slow),
		cmocka_unit_test(a_line_that_is_no_json_fails_the_call),
		cmocka_unit_test(no_engine_is_said_with_what_to_type),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
