#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/api/api.h"
#include "shared/error.h"

enum { LINES = 64 };

/* One face: the lines it was sent, parsed. */
struct face {
	struct api_client *client;
	struct json *got[LINES];
	unsigned count;
	bool is_deaf;
};

static struct engine *engine;
static struct api *api;
static struct face face;
static unsigned stops;
static mono_ns now = SECOND;

static int on_send(void *connection, struct bytes line)
{
	struct face *to = connection;

	if (to->is_deaf)
		return ERR_FULL;
	assert_true(to->count < LINES);
	assert_int_equal(json_parse(&to->got[to->count++], line), 0);
	return 0;
}

static void on_stop(void *user)
{
	(void)user;
	stops++;
}

static void forget(struct face *f)
{
	for (unsigned i = 0; i < f->count; i++)
		json_free(f->got[i]);
	f->count = 0;
}

static int begin(void **state)
{
	struct engine_config config = { .device_label = "test", .ksf = KSF_ARGON2ID_64M };
	struct api_config shell = { .send = on_send, .stop = on_stop };
	char reason[256];

	(void)state;
	now += SECOND;
	if (engine_open(&engine, &config, now, 1700000000000, reason, sizeof reason) < 0)
		return -1;
	shell.engine = engine;
	api = api_new(&shell);
	memset(&face, 0, sizeof face);
	face.client = api_connect(api, &face);
	stops = 0;
	return face.client ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	forget(&face);
	api_free(api);
	engine_close(engine);
	return 0;
}

static void step(void)
{
	now += MILLISECOND;
	engine_step(engine, now, 1700000000000);
	while (api_step(api))
		;
}

/* Says one line and gives what came back. */
static struct json *ask(const char *line)
{
	forget(&face);
	api_line(face.client, bytes_text(line));
	step();
	return face.count ? face.got[0] : NULL;
}

static struct json *call(const char *method, const char *params)
{
	char line[4096];

	snprintf(line, sizeof line,
		 "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":%s}", method,
		 params);
	return ask(line);
}

static int64_t code_of(const struct json *answer)
{
	const struct json *error = answer ? json_get(answer, "error") : NULL;

	return error ? json_int(error, "code", 0) : 0;
}

static const char *message_of(const struct json *answer)
{
	return json_text(json_get(answer, "error"), "message");
}

static void a_request_is_answered_under_its_id(void **state)
{
	struct json *answer = ask("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"version\"}");

	(void)state;
	assert_string_equal(json_text(answer, "id"), "a");
	assert_string_equal(json_text(answer, "jsonrpc"), "2.0");
	assert_string_equal(json_text(json_get(answer, "result"), "name"), "palique");
}

static void nothing_is_answered_before_the_engine_has_committed(void **state)
{
	(void)state;
	api_line(face.client,
		 bytes_text("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}"));
	assert_int_equal(face.count, 0);
	step();
	assert_int_equal(face.count, 1);
}

static void a_request_without_an_id_is_not_answered(void **state)
{
	(void)state;
	assert_null(ask("{\"jsonrpc\":\"2.0\",\"method\":\"version\"}"));
}

static void what_is_no_request_is_refused_with_a_code(void **state)
{
	static const struct {
		const char *line;
		int64_t code;
	} wrong[] = {
		{ "", -32700 },
		{ "hello", -32700 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"version\"}", -32700 },
		{ "[]", -32600 },
		{ "{}", -32600 },
		{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"version\"}", -32600 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", -32600 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"version\"}", -32600 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fly\"}", -32601 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\",\"params\":[]}",
		  -32602 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct json *answer = ask(wrong[i].line);
		assert_non_null(answer);
		assert_int_equal(code_of(answer), wrong[i].code);
	}
}

static void a_batch_is_refused_in_words(void **state)
{
	struct json *answer = ask("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}]");

	(void)state;
	assert_int_equal(code_of(answer), -32600);
	assert_non_null(strstr(message_of(answer), "batch"));
	assert_int_equal(face.count, 1);
}

static void an_unknown_parameter_is_named(void **state)
{
	struct json *answer = call("getContact", "{\"name\":\"bob\",\"colour\":\"red\"}");

	(void)state;
	assert_int_equal(code_of(answer), -32602);
	assert_non_null(strstr(message_of(answer), "colour"));
}

static void a_missing_parameter_is_named(void **state)
{
	struct json *answer = call("send", "{\"conversation\":\"bob\"}");

	(void)state;
	assert_int_equal(code_of(answer), -32602);
	assert_non_null(strstr(message_of(answer), "text"));
}

static void a_parameter_of_another_kind_is_refused(void **state)
{
	static const struct {
		const char *method, *params;
	} wrong[] = {
		{ "getContact", "{\"name\":5}" },
		{ "getMessage", "{\"id\":5}" },
		{ "getMessage", "{\"id\":\"5x\"}" },
		{ "getMessages", "{\"conversation\":\"bob\",\"limit\":\"5\"}" },
		{ "getMessages", "{\"conversation\":\"bob\",\"limit\":0}" },
		{ "getMessages", "{\"conversation\":\"bob\",\"limit\":1001}" },
		{ "subscribe", "{\"since\":-1}" },
		{ "getContact", "{\"name\":null}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(code_of(call(wrong[i].method, wrong[i].params)), -32602);
}

static void without_an_account_the_next_thing_to_type_is_join(void **state)
{
	static const char *const calls[][2] = {
		{ "getLink", "{}" },
		{ "addContact", "{\"contact\":\"bob\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct json *answer = call(calls[i][0], calls[i][1]);
		const struct json *data = json_get(json_get(answer, "error"), "data");
		assert_int_equal(code_of(answer), -32000 + ERR_STATE);
		assert_string_equal(json_text(data, "kind"), "state");
		assert_string_equal(json_text(data, "hint"), "palique join LINK");
	}
}

static void sending_to_a_stranger_says_how_to_add_him(void **state)
{
	struct json *answer = call("send", "{\"conversation\":\"carol\",\"text\":\"hi\"}");
	const struct json *data = json_get(json_get(answer, "error"), "data");

	(void)state;
	assert_true(code_of(answer) < 0);
	assert_non_null(json_text(data, "hint"));
	assert_non_null(strstr(json_text(data, "hint"), "palique "));
}

static void a_name_that_is_none_is_refused(void **state)
{
	(void)state;
	assert_int_equal(code_of(call("blockContact", "{\"name\":\"no spaces\"}")),
			 -32000 + ERR_NAME);
}

static void joining_by_a_contact_link_is_refused(void **state)
{
	struct json *answer = call("join",
				   "{\"link\":\"palique:bob@dir.example.org\",\"name\":\"al\","
				   "\"password\":\"x\"}");

	(void)state;
	assert_int_equal(code_of(answer), -32000 + ERR_FORMAT);
}

static void status_of_an_empty_home_has_no_account(void **state)
{
	struct json *answer = call("status", "{}");
	const struct json *account = json_get(json_get(answer, "result"), "account");

	(void)state;
	assert_string_equal(json_text(account, "state"), "none");
	assert_null(json_text(account, "name"));
}

static void the_table_tells_itself(void **state)
{
	struct json *answer = call("methods", "{}");
	const struct json *list = json_get(json_get(answer, "result"), "methods");
	unsigned count = 0;

	(void)state;
	while (method_at(count))
		count++;
	assert_int_equal(json_count(list), count);
	for (unsigned i = 0; i < count; i++)
		assert_string_equal(json_text(json_at(list, i), "name"), method_at(i)->name);
}

static void the_doctor_has_a_finding_for_a_home_without_account(void **state)
{
	struct json *answer = call("doctor", "{}");
	const struct json *checks = json_get(json_get(answer, "result"), "checks");
	bool is_found = false;

	(void)state;
	for (size_t i = 0; i < json_count(checks); i++)
		is_found |= !strcmp(json_text(json_at(checks, i), "check"), "account") &&
			    !json_bool(json_at(checks, i), "ok", true) &&
			    !strcmp(json_text(json_at(checks, i), "hint"), "palique join LINK");
	assert_true(is_found);
}

static void a_subscription_from_the_future_is_refused(void **state)
{
	(void)state;
	assert_int_equal(code_of(call("subscribe", "{\"since\":\"18446744073709551615\"}")),
			 -32000 + ERR_LIMIT);
	assert_int_equal(code_of(call("subscribe", "{}")), 0);
	assert_int_equal(code_of(call("unsubscribe", "{}")), 0);
}

static void stop_reaches_the_shell_and_is_answered(void **state)
{
	(void)state;
	assert_int_equal(code_of(call("stop", "{}")), 0);
	assert_int_equal(face.count, 1);
	assert_int_equal(stops, 1);
}

static void methods_of_a_shell_that_is_not_there_are_refused(void **state)
{
	(void)state;
	assert_int_equal(code_of(call("host", "{}")), -32000 + ERR_STATE);
	assert_int_equal(code_of(call("createInvite", "{}")), -32000 + ERR_STATE);
	assert_int_equal(code_of(call("hostStatus", "{}")), -32000 + ERR_STATE);
}

static void a_face_that_does_not_read_is_sent_nothing_more(void **state)
{
	(void)state;
	face.is_deaf = true;
	assert_null(call("version", "{}"));
	face.is_deaf = false;
	assert_null(call("version", "{}"));
}

static void a_face_that_left_is_forgotten(void **state)
{
	struct face other = { 0 };

	(void)state;
	other.client = api_connect(api, &other);
	api_line(other.client,
		 bytes_text("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}"));
	api_disconnect(other.client);
	step();
	assert_int_equal(other.count, 0);
	assert_int_equal(code_of(call("version", "{}")), 0);
}

static void faces_are_limited_in_number(void **state)
{
	unsigned count = 1;

	(void)state;
	while (api_connect(api, &face))
		count++;
	assert_int_equal(count, API_CLIENTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_request_is_answered_under_its_id, begin, end),
		cmocka_unit_test_setup_teardown(
			nothing_is_answered_before_the_engine_has_committed, begin, end),
		cmocka_unit_test_setup_teardown(a_request_without_an_id_is_not_answered, begin,
						end),
		cmocka_unit_test_setup_teardown(what_is_no_request_is_refused_with_a_code,
						begin, end),
		cmocka_unit_test_setup_teardown(a_batch_is_refused_in_words, begin, end),
		cmocka_unit_test_setup_teardown(an_unknown_parameter_is_named, begin, end),
		cmocka_unit_test_setup_teardown(a_missing_parameter_is_named, begin, end),
		cmocka_unit_test_setup_teardown(a_parameter_of_another_kind_is_refused, begin,
						end),
		cmocka_unit_test_setup_teardown(
			without_an_account_the_next_thing_to_type_is_join, begin, end),
		cmocka_unit_test_setup_teardown(sending_to_a_stranger_says_how_to_add_him,
						begin, end),
		cmocka_unit_test_setup_teardown(a_name_that_is_none_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(joining_by_a_contact_link_is_refused, begin,
						end),
		cmocka_unit_test_setup_teardown(status_of_an_empty_home_has_no_account, begin,
						end),
		cmocka_unit_test_setup_teardown(the_table_tells_itself, begin, end),
		cmocka_unit_test_setup_teardown(
			the_doctor_has_a_finding_for_a_home_without_account, begin, end),
		cmocka_unit_test_setup_teardown(a_subscription_from_the_future_is_refused,
						begin, end),
		cmocka_unit_test_setup_teardown(stop_reaches_the_shell_and_is_answered, begin,
						end),
		cmocka_unit_test_setup_teardown(
			methods_of_a_shell_that_is_not_there_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_face_that_does_not_read_is_sent_nothing_more,
						begin, end),
		cmocka_unit_test_setup_teardown(a_face_that_left_is_forgotten, begin, end),
		cmocka_unit_test_setup_teardown(faces_are_limited_in_number, begin, end),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
