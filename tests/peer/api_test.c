/* Requests and answers, and the faces that ask. */
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
#include "peer/api/methods.h"
#include "shared/error.h"
#include "tests/asked.h"

static void a_request_is_answered_under_its_id(void **state)
{
	struct json *answer = asked_line(
		"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"version\"}");

	(void)state;
	assert_string_equal(json_text(answer, "id"), "a");
	assert_string_equal(json_text(answer, "jsonrpc"), "2.0");
	assert_string_equal(json_text(json_get(answer, "result"), "name"), "palique");
}

static void a_notification_is_not_answered_however_wrong(void **state)
{
	static const char *const lines[] = {
		"{\"jsonrpc\":\"2.0\",\"method\":\"version\"}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"setLanguage\",\"params\":{\"language\":"
		"\"es\"}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"setLanguage\",\"params\":{\"language\":\"../"
		"x\"}}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}",
		"{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"params\":{\"x\":1}}",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
		assert_null(asked_line(lines[i]));
		assert_int_equal(asked.face.count, 0);
	}
}

static void nothing_is_answered_before_the_engine_has_committed(void **state)
{
	(void)state;
	api_line(asked.face.client,
		 bytes_text("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}"));
	assert_int_equal(asked.face.count, 0);
	asked_step();
	assert_int_equal(asked.face.count, 1);
}

static void a_request_without_an_id_is_not_answered(void **state)
{
	(void)state;
	assert_null(asked_line("{\"jsonrpc\":\"2.0\",\"method\":\"version\"}"));
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
		struct json *answer = asked_line(wrong[i].line);
		assert_non_null(answer);
		assert_int_equal(code_of(answer), wrong[i].code);
	}
}

static void a_batch_is_refused_in_words(void **state)
{
	struct json *answer = asked_line(
		"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}]");

	(void)state;
	assert_int_equal(code_of(answer), -32600);
	assert_non_null(strstr(message_of(answer), "batch"));
	assert_int_equal(asked.face.count, 1);
}

static void an_unknown_parameter_is_named(void **state)
{
	struct json *answer = asked_call("getContact", "{\"name\":\"bob\",\"colour\":\"red\"}");

	(void)state;
	assert_int_equal(code_of(answer), -32602);
	assert_non_null(strstr(message_of(answer), "colour"));
}

static void a_missing_parameter_is_named(void **state)
{
	struct json *answer = asked_call("send", "{\"conversation\":\"bob\"}");

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
		assert_int_equal(code_of(asked_call(wrong[i].method, wrong[i].params)), -32602);
}

static void status_of_an_empty_home_has_no_account(void **state)
{
	struct json *answer = asked_call("status", "{}");
	const struct json *account = json_get(json_get(answer, "result"), "account");

	(void)state;
	assert_string_equal(json_text(account, "state"), "none");
	assert_null(json_text(account, "name"));
}

static void the_table_tells_itself(void **state)
{
	struct json *answer = asked_call("methods", "{}");
	const struct json *list = json_get(json_get(answer, "result"), "methods");
	unsigned count = 0;

	(void)state;
	while (method_at(count))
		count++;
	assert_int_equal(json_count(list), count);
	for (unsigned i = 0; i < count; i++)
		assert_string_equal(json_text(json_at(list, i), "name"), method_at(i)->name);
}

static void a_message_over_the_limit_is_refused_with_the_limit_named(void **state)
{
	static char line[WIRE_TEXT_MAX + 256];
	char *text = memory_new(WIRE_TEXT_MAX + 2);
	struct json *answer;

	(void)state;
	assert_int_equal(code_of(asked_call("addContact", "{\"contact\":\"bob\"}")), 0);
	memset(text, 'x', WIRE_TEXT_MAX + 1);
	snprintf(line, sizeof line,
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"send\",\"params\":{"
		 "\"conversation\":\"bob\",\"text\":\"%s\"}}",
		 text);
	answer = asked_line(line);
	assert_int_equal(code_of(answer), -32000 + ERR_LIMIT);
	assert_non_null(strstr(message_of(answer), "16384"));
	free(text);
}

static void an_answer_for_a_face_that_left_goes_nowhere(void **state)
{
	struct asked_face other = { 0 };

	(void)state;
	assert_int_equal(code_of(asked_call("addContact", "{\"contact\":\"bob\"}")), 0);
	other.client = api_connect(asked.api, &other);
	api_line(other.client,
		 bytes_text("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"send\",\"params\":{"
			    "\"conversation\":\"bob\",\"text\":\"bye\"}}"));
	api_disconnect(other.client);
	asked_step();
	asked_step();
	assert_int_equal(other.count, 0);
	asked_forget(&other);
}

static void stop_reaches_the_shell_and_is_answered(void **state)
{
	(void)state;
	assert_int_equal(code_of(asked_call("stop", "{}")), 0);
	assert_int_equal(asked.face.count, 1);
	assert_int_equal(asked.stops, 1);
}

static void methods_of_a_shell_that_is_not_there_are_refused(void **state)
{
	(void)state;
	assert_int_equal(code_of(asked_call("host", "{}")), -32000 + ERR_STATE);
	assert_int_equal(code_of(asked_call("createInvite", "{}")), -32000 + ERR_STATE);
	assert_int_equal(code_of(asked_call("hostStatus", "{}")), -32000 + ERR_STATE);
}

static void a_face_that_left_is_forgotten(void **state)
{
	struct asked_face other = { 0 };

	(void)state;
	other.client = api_connect(asked.api, &other);
	api_line(other.client,
		 bytes_text("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}"));
	api_disconnect(other.client);
	asked_step();
	assert_int_equal(other.count, 0);
	assert_int_equal(code_of(asked_call("version", "{}")), 0);
}

static void faces_are_limited_in_number(void **state)
{
	unsigned count = 1;

	(void)state;
	while (api_connect(asked.api, &asked.face))
		count++;
	assert_int_equal(count, API_CLIENTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EMPTY(a_request_is_answered_under_its_id),
		EMPTY(a_notification_is_not_answered_however_wrong),
		EMPTY(nothing_is_answered_before_the_engine_has_committed),
		EMPTY(a_request_without_an_id_is_not_answered),
		EMPTY(what_is_no_request_is_refused_with_a_code),
		EMPTY(a_batch_is_refused_in_words),
		EMPTY(an_unknown_parameter_is_named),
		EMPTY(a_missing_parameter_is_named),
		EMPTY(a_parameter_of_another_kind_is_refused),
		EMPTY(status_of_an_empty_home_has_no_account),
		EMPTY(the_table_tells_itself),
		MEMBER(a_message_over_the_limit_is_refused_with_the_limit_named),
		MEMBER(an_answer_for_a_face_that_left_goes_nowhere),
		EMPTY(stop_reaches_the_shell_and_is_answered),
		EMPTY(methods_of_a_shell_that_is_not_there_are_refused),
		EMPTY(a_face_that_left_is_forgotten),
		EMPTY(faces_are_limited_in_number),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
