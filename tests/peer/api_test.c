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
#include "peer/api/doctor_inside.h"
#include "peer/api/explain.h"
#include "peer/api/methods.h"
#include "peer/api/network.h"
#include "peer/api/notify.h"
#include "peer/api/rpc.h"
#include "shared/error.h"
#include "tests/peer_fixture.h"

enum { LINES = 512, MANY = API_REPLAY_SLICE + 20 };

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
static size_t backlog;
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

static size_t on_backlog(void *connection)
{
	(void)connection;
	return backlog;
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

static struct peer member;

/* The same with an account in the store. */
static int begin_as_member(void **state)
{
	struct api_config shell = { .send = on_send, .backlog = on_backlog };

	(void)state;
	memset(&member, 0, sizeof member);
	backlog = 0;
	now = 2000 * SECOND;
	peer_make(&member, "alice");
	peer_open(&member, now, 1700000000000);
	engine = member.engine;
	shell.engine = engine;
	api = api_new(&shell);
	memset(&face, 0, sizeof face);
	face.client = api_connect(api, &face);
	return face.client ? 0 : -1;
}

static int end_as_member(void **state)
{
	(void)state;
	forget(&face);
	api_free(api);
	peer_remove(&member);
	return 0;
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

/* Says one line and gives the answer; events may have come around it. */
static struct json *ask(const char *line)
{
	forget(&face);
	api_line(face.client, bytes_text(line));
	step();
	for (unsigned i = 0; i < face.count; i++)
		if (json_has(face.got[i], "id"))
			return face.got[i];
	return NULL;
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
		assert_null(ask(lines[i]));
		assert_int_equal(face.count, 0);
	}
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
		assert_string_equal(json_text(data, "hint"),
				    "palique join LINK, or palique login NAME@DIRECTORY");
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
			    !strcmp(json_text(json_at(checks, i), "hint"),
				    "palique join LINK, or palique login NAME@DIRECTORY");
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

/* How many notifications of that kind have come; `last` gets the newest one's params. */
static unsigned notes(const char *method, const struct json **last)
{
	unsigned count = 0;

	for (unsigned i = 0; i < face.count; i++) {
		const char *is = json_text(face.got[i], "method");
		if (!is || strcmp(is, method))
			continue;
		count++;
		*last = json_get(face.got[i], "params");
	}
	return count;
}

static void block(unsigned number)
{
	char params[64];

	snprintf(params, sizeof params, "{\"name\":\"pest%u\"}", number);
	assert_int_equal(code_of(call("blockContact", params)), 0);
}

static void only_who_subscribed_is_told_of_events(void **state)
{
	const struct json *note = NULL;

	(void)state;
	block(1);
	assert_int_equal(notes("contact", &note), 0);
	assert_int_equal(code_of(call("subscribe", "{}")), 0);
	block(2);
	assert_int_equal(notes("contact", &note), 1);
	assert_string_equal(json_text(note, "name"), "pest2");
	assert_string_equal(json_text(json_get(note, "contact"), "state"), "blocked");
	assert_int_equal(code_of(call("unsubscribe", "{}")), 0);
	block(3);
	assert_int_equal(notes("contact", &note), 0);
}

static void what_was_missed_is_told_again_once_and_in_order(void **state)
{
	const struct json *note = NULL;
	uint64_t id = 0, before = 0;
	unsigned told = 0;
	char last[16];

	(void)state;
	snprintf(last, sizeof last, "pest%u", MANY);
	for (unsigned i = 1; i <= MANY; i++)
		block(i);
	assert_int_equal(code_of(call("subscribe", "{\"since\":\"0\"}")), 0);
	for (unsigned i = 0; i < face.count; i++) {
		const struct json *params = json_get(face.got[i], "params");
		if (!params)
			continue;
		assert_int_equal(json_id(params, "eventId", &id), 0);
		assert_int_equal(id, before + 1);
		before = id;
		told++;
	}
	assert_true(told >= MANY);
	assert_int_equal(notes("contact", &note), MANY);
	assert_string_equal(json_text(note, "name"), last);
	block(MANY + 1);
	assert_int_equal(notes("contact", &note), 1);
}

static void a_face_that_reads_slowly_is_told_again_when_it_has_read(void **state)
{
	const struct json *note = NULL;

	(void)state;
	block(1);
	backlog = API_BACKLOG_HIGH + 1;
	assert_int_equal(code_of(call("subscribe", "{\"since\":\"0\"}")), 0);
	assert_int_equal(notes("contact", &note), 0);
	assert_true(api_is_pressed(api));
	backlog = 0;
	step();
	assert_int_equal(notes("contact", &note), 1);
	assert_false(api_is_pressed(api));
}

static void what_is_said_is_answered_with_its_id_and_told(void **state)
{
	const struct json *note = NULL, *result;
	struct json *answer;
	char id[32];

	(void)state;
	assert_int_equal(code_of(call("addContact", "{\"contact\":\"bob\"}")), 0);
	assert_int_equal(code_of(call("subscribe", "{}")), 0);
	answer = call("send", "{\"conversation\":\"bob\",\"text\":\"hola\"}");
	assert_int_equal(code_of(answer), 0);
	result = json_get(answer, "result");
	assert_string_equal(json_text(result, "state"), "queued");
	assert_int_equal(notes("sent", &note), 1);
	assert_string_equal(json_text(note, "id"), json_text(result, "id"));
	assert_string_equal(json_text(json_get(note, "message"), "text"), "hola");
	snprintf(id, sizeof id, "{\"id\":\"%s\"}", json_text(result, "id"));
	answer = call("getMessage", id);
	assert_string_equal(json_text(json_get(json_get(answer, "result"), "message"), "text"),
			    "hola");
	answer = call("getMessages", "{\"conversation\":\"bob\"}");
	assert_int_equal(json_count(json_get(json_get(answer, "result"), "messages")), 1);
}

static void a_message_over_the_limit_is_refused_with_the_limit_named(void **state)
{
	static char line[WIRE_TEXT_MAX + 256];
	char *text = memory_new(WIRE_TEXT_MAX + 2);
	struct json *answer;

	(void)state;
	assert_int_equal(code_of(call("addContact", "{\"contact\":\"bob\"}")), 0);
	memset(text, 'x', WIRE_TEXT_MAX + 1);
	snprintf(line, sizeof line,
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"send\",\"params\":{"
		 "\"conversation\":\"bob\",\"text\":\"%s\"}}",
		 text);
	answer = ask(line);
	assert_int_equal(code_of(answer), -32000 + ERR_LIMIT);
	assert_non_null(strstr(message_of(answer), "16384"));
	free(text);
}

static void adding_oneself_is_refused(void **state)
{
	(void)state;
	assert_int_equal(code_of(call("addContact", "{\"contact\":\"alice\"}")),
			 -32000 + ERR_REFUSED);
}

static void an_answer_for_a_face_that_left_goes_nowhere(void **state)
{
	struct face other = { 0 };

	(void)state;
	assert_int_equal(code_of(call("addContact", "{\"contact\":\"bob\"}")), 0);
	other.client = api_connect(api, &other);
	api_line(other.client,
		 bytes_text("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"send\",\"params\":{"
			    "\"conversation\":\"bob\",\"text\":\"bye\"}}"));
	api_disconnect(other.client);
	step();
	step();
	assert_int_equal(other.count, 0);
	forget(&other);
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

static void show_bob(const struct peer *who)
{
	peer_tell_presence(&member, who, NULL, true);
	step();
}

static void a_minute(void)
{
	for (unsigned i = 0; i < 61; i++) {
		now += SECOND;
		step();
	}
}

/* Between the look at a key and the yes to it a directory may show another one. */
static void only_the_key_that_was_shown_is_accepted(void **state)
{
	struct peer bob, second, third;
	char params[256], shown[64];
	struct json *answer;

	(void)state;
	peer_make(&bob, "bob");
	peer_make(&second, "bob");
	peer_make(&third, "bob");
	call("addContact", "{\"contact\":\"bob\"}");
	show_bob(&bob);
	show_bob(&second);
	answer = call("getContact", "{\"name\":\"bob\"}");
	snprintf(shown, sizeof shown, "%s",
		 json_text(json_get(json_get(answer, "result"), "contact"), "newIdentity"));
	snprintf(params, sizeof params, "{\"name\":\"bob\",\"newIdentity\":\"%s\"}", shown);
	a_minute(); /* who shows others all the time is not believed more */
	show_bob(&third);
	assert_int_equal(code_of(call("acceptContact", params)), -32018);
	a_minute();
	show_bob(&second);
	answer = call("acceptContact", params);
	assert_string_equal(
		json_text(json_get(json_get(answer, "result"), "contact"), "identity"), shown);
	peer_remove(&bob);
	peer_remove(&second);
	peer_remove(&third);
}

static const char *kind_of(const struct json *answer)
{
	const struct json *error = json_get(answer, "error");

	return error ? json_text(json_get(error, "data"), "kind") : NULL;
}

static const char *hint_of(const struct json *answer)
{
	return json_text(json_get(json_get(answer, "error"), "data"), "hint");
}

/* Hostile or merely wrong: each is refused by name or in words, and none changes anything. */
static void calls_about_an_account_are_checked_before_they_do_anything(void **state)
{
	static const struct {
		const char *method, *params;
		int64_t code;
	} wrong[] = {
		{ "login",
		  "{\"name\":\"al\",\"directory\":\"h\",\"password\":\"x\",\"beginAnew\":1}",
		  -32602 },
		{ "login", "{\"name\":\"al\",\"directory\":\"a b\",\"password\":\"x\"}",
		  -32000 + ERR_FORMAT },
		{ "recover", "{\"name\":\"al\",\"directory\":\"h\",\"newPassword\":\"x\"}",
		  -32602 },
		{ "recover",
		  "{\"name\":\"al\",\"directory\":\"h\",\"words\":\"\",\"newPassword\":\"x\"}",
		  -32000 + ERR_FORMAT },
		{ "recover",
		  "{\"name\":\"al\",\"directory\":\"h\",\"words\":\"one two\",\"newPassword\":"
		  "\"x\"}",
		  -32000 + ERR_FORMAT },
		{ "resetPassword", "{\"link\":\"palique:h\",\"newPassword\":\"x\"}",
		  -32000 + ERR_FORMAT },
		{ "resetPassword", "{\"link\":\"palique:h/r/abc\",\"newPassword\":\"\"}",
		  -32000 + ERR_FORMAT },
		{ "resetPassword", "{\"link\":\"palique:h/i/abc\",\"newPassword\":\"x\"}",
		  -32000 + ERR_FORMAT },
		{ "join", "{\"link\":\"palique:h/r/abc\",\"name\":\"al\",\"password\":\"x\"}",
		  -32000 + ERR_FORMAT },
		{ "changePassword", "{\"oldPassword\":\"x\",\"newPassword\":5}", -32602 },
		{ "changePassword", "{\"oldPassword\":\"x\",\"newPassword\":\"\"}",
		  -32000 + ERR_FORMAT },
		{ "changePassword",
		  "{\"oldPassword\":\"x\",\"newPassword\":\"y\",\"everywhere\":\"yes\"}",
		  -32602 },
		{ "deleteAccount", "{}", -32602 },
		{ "deleteAccount", "{\"name\":\"bob\"}", -32000 + ERR_REFUSED },
		{ "nameDevice", "{\"device\":\"laptop\",\"name\":\"x\"}", -32000 + ERR_FORMAT },
		{ "revokeDevice", "{\"device\":\"\"}", -32000 + ERR_FORMAT },
		{ "revokeDevice",
		  "{\"device\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}",
		  -32000 + ERR_FORMAT },
		{ "revokeDevice", "{\"device\":[]}", -32602 },
		{ "setRequests", "{\"from\":\"friends\"}", -32000 + ERR_FORMAT },
		{ "setRequests", "{\"from\":\"\"}", -32000 + ERR_FORMAT },
		{ "getSafety", "{\"name\":\"carol\"}", -32000 + ERR_NOT_FOUND },
		{ "getSafety", "{\"name\":\"../x\"}", -32000 + ERR_NAME },
		{ "verifyContact", "{\"name\":\"carol\"}", -32000 + ERR_NOT_FOUND },
		{ "verifyContact", "{\"name\":\"carol\",\"safety\":5}", -32602 },
		{ "createRecoveryCode", "{\"words\":\"x\"}", -32602 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct json *answer = call(wrong[i].method, wrong[i].params);
		assert_non_null(answer);
		if (code_of(answer) != wrong[i].code)
			print_error("%s %s\n", wrong[i].method, wrong[i].params);
		assert_int_equal(code_of(answer), wrong[i].code);
		assert_true(strlen(message_of(answer)) > 0);
		assert_true(strlen(hint_of(answer)) > 0);
	}
	assert_string_equal(
		json_text(json_get(call("getSettings", "{}"), "result"), "requests"), "anyone");
}

static void without_an_account_there_is_nothing_to_keep(void **state)
{
	static const char *const calls[][2] = {
		{ "changePassword", "{\"oldPassword\":\"x\",\"newPassword\":\"y\"}" },
		{ "deleteAccount", "{\"name\":\"alice\"}" },
		{ "renewIdentity", "{}" },
		{ "createRecoveryCode", "{}" },
		{ "removeRecoveryCode", "{}" },
		{ "nameDevice", "{\"device\":\"x\",\"name\":\"y\"}" },
		{ "revokeDevice", "{\"device\":\"x\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct json *answer = call(calls[i][0], calls[i][1]);
		assert_string_equal(kind_of(answer), "state");
		assert_string_equal(hint_of(answer),
				    "palique join LINK, or palique login NAME@DIRECTORY");
	}
	assert_int_equal(
		json_count(json_get(json_get(call("listDevices", "{}"), "result"), "devices")),
		0);
}

static void what_needs_the_directory_says_so_while_it_does_not_answer(void **state)
{
	static const char *const calls[][2] = {
		{ "changePassword", "{\"oldPassword\":\"x\",\"newPassword\":\"y\"}" },
		{ "deleteAccount", "{\"name\":\"alice\"}" },
		{ "renewIdentity", "{}" },
		{ "createRecoveryCode", "{}" },
		{ "removeRecoveryCode", "{}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct json *answer = call(calls[i][0], calls[i][1]);
		assert_string_equal(kind_of(answer), "state");
		assert_string_equal(hint_of(answer), "palique doctor");
		assert_non_null(strstr(message_of(answer), "nothing has changed"));
	}
}

static void a_word_that_a_recovery_code_cannot_have_is_named(void **state)
{
	struct json *answer = call(
		"recover",
		"{\"name\":\"al\",\"directory\":\"h\",\"newPassword\":\"x\",\"words\":"
		"\"abandon abandon xyzzyx abandon abandon abandon abandon abandon abandon "
		"abandon abandon abandon\"}");

	(void)state;
	assert_int_equal(code_of(answer), -32000 + ERR_FORMAT);
	assert_non_null(strstr(message_of(answer), "word 3"));
}

/* Its text in the object behind the line is the same storage that is wiped. */
static void a_recovery_code_and_passwords_are_wiped_with_their_request(void **state)
{
	static const char line[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"recover\",\"params\":{\"name\":"
		"\"al\","
		"\"directory\":\"h\",\"words\":\"abandon ability\",\"newPassword\":\"hush\"}}";
	struct rpc_request request;
	struct json *kept;

	(void)state;
	assert_int_equal(rpc_parse(&request, bytes_text(line)), 0);
	kept = json_keep(request.object);
	rpc_clear(&request);
	assert_string_equal(json_text(json_get(kept, "params"), "words"), "");
	assert_string_equal(json_text(json_get(kept, "params"), "newPassword"), "");
	assert_string_equal(json_text(json_get(kept, "params"), "name"), "al");
	json_free(kept);
}

static void requests_are_heard_from_whom_the_person_says(void **state)
{
	static const char *const all[] = { "link", "none", "anyone" };
	char params[64];

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		snprintf(params, sizeof params, "{\"from\":\"%s\"}", all[i]);
		assert_string_equal(
			json_text(json_get(call("setRequests", params), "result"), "requests"),
			all[i]);
		assert_string_equal(
			json_text(json_get(call("getSettings", "{}"), "result"), "requests"),
			all[i]);
	}
}

static void this_device_stands_in_the_list_and_cannot_revoke_itself(void **state)
{
	const struct json *list = json_get(json_get(call("listDevices", "{}"), "result"),
					   "devices");
	char params[128];

	(void)state;
	assert_int_equal(json_count(list), 1);
	assert_true(json_bool(json_at(list, 0), "current", false));
	snprintf(params, sizeof params, "{\"device\":\"%s\"}",
		 json_text(json_at(list, 0), "id"));
	assert_true(code_of(call("revokeDevice", params)) < 0);
}

static void a_contact_is_verified_only_by_the_numbers_that_are_theirs(void **state)
{
	static const char wrong[] = "{\"name\":\"bob\",\"safety\":"
				    "\"0000000000000000000000000000000000000000000000000"
				    "00000000000\"}";
	const struct json *result;
	char params[256], code[160];
	struct peer bob;

	(void)state;
	peer_make(&bob, "bob");
	call("addContact", "{\"contact\":\"bob\"}");
	assert_string_equal(kind_of(call("getSafety", "{\"name\":\"bob\"}")), "state");
	show_bob(&bob);
	result = json_get(call("getSafety", "{\"name\":\"bob\"}"), "result");
	assert_int_equal(strlen(json_text(result, "digits")), SAFETY_DIGITS);
	assert_false(json_bool(result, "verified", true));
	snprintf(params, sizeof params, "{\"name\":\"bob\",\"safety\":\"%s\"}",
		 json_text(result, "digits"));
	snprintf(code, sizeof code, "{\"name\":\"bob\",\"safety\":\"%s\"}",
		 json_text(result, "code"));
	assert_string_equal(kind_of(call("verifyContact", wrong)), "auth");
	assert_int_equal(code_of(call("verifyContact", params)), 0);
	result = json_get(call("unverifyContact", "{\"name\":\"bob\"}"), "result");
	assert_false(json_bool(json_get(result, "contact"), "verified", true));
	result = json_get(call("verifyContact", code), "result");
	assert_true(json_bool(json_get(result, "contact"), "verified", false));
	peer_remove(&bob);
}

static void what_is_good_to_know_and_our_devices_are_notifications(void **state)
{
	const struct event notice = { .id = 5,
				      .kind = EVENT_NOTICE,
				      .detail = "2 logins failed" },
			   devices = { .id = 6, .kind = EVENT_DEVICES };
	struct json *params = json_object();

	(void)state;
	assert_string_equal(notify_event(engine, &notice, params), "notice");
	assert_string_equal(json_text(params, "detail"), "2 logins failed");
	assert_string_equal(json_text(params, "eventId"), "5");
	json_free(params);
	params = json_object();
	assert_string_equal(notify_event(engine, &devices, params), "devices");
	assert_int_equal(json_count(json_get(params, "devices")), 1);
	json_free(params);
}

static const struct json *result_of(const char *method, const char *params)
{
	return json_get(call(method, params), "result");
}

static void a_contact_says_by_what_path_it_is_linked(void **state)
{
	struct contact c = { .is_linked = true, .round_trip = 43 * MILLISECOND };
	struct json *o;

	(void)state;
	c.name = name_of("bob");
	assert_int_equal(address_parse(&c.path.remote, "203.0.113.7:4711", 0), 0);
	c.path_kind = PATH_PUNCHED;
	o = notify_contact(engine, &c);
	assert_string_equal(json_text(o, "pathKind"), "punched");
	assert_string_equal(json_text(o, "address"), "203.0.113.7:4711");
	assert_true(json_real(o, "roundTripMs", 0) > 42.9);
	assert_null(json_text(o, "relay"));
	assert_string_equal(json_text(o, "consent"), "direct");
	json_free(o);
	c.path_kind = PATH_RELAYED;
	c.path.tunnel = 3;
	c.relay = name_of("carol");
	c.consent = CONSENT_RELAY;
	o = notify_contact(engine, &c);
	assert_string_equal(json_text(o, "pathKind"), "relayed");
	assert_null(json_text(o, "address"));
	assert_true(json_real(o, "roundTripMs", 0) > 42.9);
	assert_string_equal(json_text(o, "relay"), "carol");
	assert_string_equal(json_text(o, "consent"), "relay");
	json_free(o);
	c.is_linked = false;
	c.is_looking = true;
	o = notify_contact(engine, &c);
	assert_true(json_has(o, "pathKind"));
	assert_null(json_text(o, "pathKind"));
	assert_null(json_text(o, "relay"));
	assert_false(json_has(o, "roundTripMs"));
	assert_true(json_bool(o, "looking", false));
	json_free(o);
}

static void a_connection_tells_its_kind(void **state)
{
	struct event up = { .id = 7, .kind = EVENT_LINK, .is_linked = true };
	struct json *params = json_object();

	(void)state;
	up.name = name_of("bob");
	up.path_kind = PATH_LAN;
	assert_int_equal(address_parse(&up.path.remote, "192.168.1.7:4711", 0), 0);
	assert_string_equal(notify_event(engine, &up, params), "connection");
	assert_string_equal(json_text(params, "pathKind"), "lan");
	assert_string_equal(json_text(params, "address"), "192.168.1.7:4711");
	json_free(params);
	params = json_object();
	up.is_linked = false;
	notify_event(engine, &up, params);
	assert_null(json_text(params, "pathKind"));
	assert_null(json_text(params, "address"));
	json_free(params);
}

static void consent_is_one_of_three_words(void **state)
{
	static const char *const all[] = { "relay", "never", "direct" };
	char params[128];

	(void)state;
	call("addContact", "{\"contact\":\"bob\"}");
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		snprintf(params, sizeof params, "{\"name\":\"bob\",\"consent\":\"%s\"}",
			 all[i]);
		assert_string_equal(
			json_text(json_get(result_of("setConsent", params), "contact"),
				  "consent"),
			all[i]);
		assert_string_equal(
			json_text(json_get(result_of("getContact", "{\"name\":\"bob\"}"),
					   "contact"),
				  "consent"),
			all[i]);
	}
	assert_int_equal(
		code_of(call("setConsent", "{\"name\":\"bob\",\"consent\":\"often\"}")),
		-32000 + ERR_FORMAT);
	assert_int_equal(
		code_of(call("setConsent", "{\"name\":\"zoe\",\"consent\":\"never\"}")),
		-32000 + ERR_NOT_FOUND);
}

static void relaying_is_off_until_it_is_switched_on(void **state)
{
	const struct json *relay = json_get(json_get(result_of("status", "{}"), "network"),
					    "relay");

	(void)state;
	assert_false(json_bool(relay, "on", true));
	relay = json_get(result_of("setRelay", "{\"on\":true}"), "relay");
	assert_true(json_bool(relay, "on", false));
	assert_int_equal(json_int(relay, "rate", 0), NETWORK_RELAY_RATE);
	relay = json_get(result_of("setRelay", "{\"on\":true,\"rate\":65536}"), "relay");
	assert_int_equal(json_int(relay, "rate", 0), 65536);
	/* Without a rate the one that was chosen stays. */
	relay = json_get(result_of("setRelay", "{\"on\":true}"), "relay");
	assert_int_equal(json_int(relay, "rate", 0), 65536);
	relay = json_get(result_of("setRelay", "{\"on\":false}"), "relay");
	assert_false(json_bool(relay, "on", true));
	assert_int_equal(code_of(call("setRelay", "{\"on\":true,\"rate\":1}")), -32602);
	assert_int_equal(code_of(call("setRelay", "{}")), -32602);
}

static void without_an_account_nothing_is_relayed(void **state)
{
	(void)state;
	assert_int_equal(code_of(call("setRelay", "{\"on\":true}")), -32000 + ERR_STATE);
}

static const struct json *find_check(const struct json *result, const char *check)
{
	const struct json *checks = json_get(result, "checks");

	for (size_t i = 0; i < json_count(checks); i++)
		if (!strcmp(json_text(json_at(checks, i), "check"), check))
			return json_at(checks, i);
	return NULL;
}

static void a_network_from_which_nothing_comes_back_is_named_in_three_seconds(void **state)
{
	const struct json *network, *check;
	mono_ns begun = now;

	(void)state;
	step();
	network = json_get(result_of("status", "{}"), "network");
	assert_false(json_bool(network, "udpBlocked", true));
	assert_true(json_bool(network, "settling", false));
	while (now < begun + ENGINE_BLOCKED) {
		now += 50 * MILLISECOND;
		step();
	}
	network = json_get(result_of("status", "{}"), "network");
	assert_true(json_bool(network, "udpBlocked", false));
	assert_false(json_bool(network, "settling", true));
	assert_non_null(
		strstr(json_text(json_get(result_of("status", "{}"), "account"), "trouble"),
		       "UDP does not get out"));
	check = find_check(result_of("doctor", "{}"), "udp");
	assert_non_null(check);
	assert_false(json_bool(check, "ok", true));
	assert_non_null(strstr(json_text(check, "hint"), "another network"));
	/* Once is enough. */
	assert_null(find_check(result_of("doctor", "{}"), "directory"));
}

static void a_directory_on_this_machine_is_not_cut_off_by_a_network(void **state)
{
	struct engine_reach reach = { .is_udp_blocked = true };
	struct engine_account account = { .state = ACCOUNT_CONNECTING };

	(void)state;
	assert_int_equal(place_parse(&account.place, "203.0.113.9"), 0);
	assert_true(network_is_blocked(&reach, &account));
	account.state = ACCOUNT_ONLINE;
	assert_false(network_is_blocked(&reach, &account));
	account.state = ACCOUNT_JOINING;
	assert_true(network_is_blocked(&reach, &account));
	assert_int_equal(place_parse(&account.place, "127.0.0.1:9"), 0);
	assert_false(network_is_blocked(&reach, &account));
	assert_int_equal(place_parse(&account.place, "[::1]:9"), 0);
	assert_false(network_is_blocked(&reach, &account));
}

static void a_machine_in_no_network_is_told_of_its_cable_and_not_of_a_firewall(void **state)
{
	struct engine_reach reach = { .is_udp_blocked = true, .network.address_count = 1 };
	struct findings f = { .list = json_array(), .is_well = true };
	struct engine_account account = { .state = ACCOUNT_CONNECTING };

	(void)state;
	assert_int_equal(address_parse(&reach.network.addresses[0], "127.0.0.1:1", 0), 0);
	assert_true(network_is_alone(&reach.network));
	assert_int_equal(place_parse(&account.place, "203.0.113.9"), 0);
	doctor_check_reach(&f, &reach, &account);
	assert_int_equal(json_count(f.list), 0); /* what it lacks, "addresses" has said */
	assert_int_equal(address_parse(&reach.network.addresses[0], "192.168.1.5:1", 0), 0);
	assert_false(network_is_alone(&reach.network));
	doctor_check_reach(&f, &reach, &account);
	assert_int_equal(json_count(f.list), 1);
	json_free(f.list);
}

static void what_a_router_calls_itself_is_shown_safely(void **state)
{
	struct engine_account account = { .state = ACCOUNT_ONLINE };
	struct engine_reach reach = { .is_relay = true, .relay_rate = 65536 };
	const struct json *list, *upnp;
	struct json *o;

	(void)state;
	reach.sighting.is_done = true;
	reach.sighting.nat.mapping = NAT_RANDOM;
	reach.sighting.nat.filtering = NAT_FILTERED;
	reach.maps[PORT_MAP_UPNP].state = PORT_MAP_HELD;
	reach.maps[PORT_MAP_UPNP].is_behind = true;
	assert_int_equal(address_parse(&reach.maps[PORT_MAP_UPNP].outer, "100.64.0.9:4711", 0),
			 0);
	snprintf(reach.maps[PORT_MAP_UPNP].router, sizeof reach.maps[0].router, "evil\033[2J");
	reach.maps[PORT_MAP_PCP].state = PORT_MAP_REFUSED;
	reach.maps[PORT_MAP_PCP].error = 2;
	o = network_view(&reach, &account);
	assert_string_equal(json_text(json_get(o, "nat"), "mapping"), "random");
	list = json_get(o, "mappings");
	assert_int_equal(json_count(list), PORT_MAP_WAYS);
	upnp = json_at(list, PORT_MAP_UPNP);
	assert_string_equal(json_text(upnp, "way"), "upnp");
	assert_string_equal(json_text(upnp, "outer"), "100.64.0.9:4711");
	assert_true(json_bool(upnp, "behind", false));
	assert_null(strchr(json_text(upnp, "router"), '\033'));
	assert_int_equal(json_int(json_at(list, PORT_MAP_PCP), "error", 0), 2);
	assert_int_equal(json_int(json_get(o, "relay"), "rate", 0), 65536);
	json_free(o);
}

/* What the doctor says of a network under `check`; NULL: nothing. */
static char *diagnose(const struct engine_reach *reach, enum account_state state,
		      const char *check)
{
	struct engine_account account = { .state = state };
	struct findings f = { .list = json_array(), .is_well = true };
	struct json *result = json_object();
	const struct json *found;
	char *said = NULL;

	doctor_check_reach(&f, reach, &account);
	json_set(result, "checks", f.list);
	found = find_check(result, check);
	if (found) {
		said = memory_new(1024);
		snprintf(
			said, 1024, "%s%s%s", json_text(found, "text"),
			json_bool(found, "ok", true) ? "" : " TRY: ", json_text(found, "hint"));
	}
	json_free(result);
	return said;
}

static void says(const struct engine_reach *reach, const char *check, const char *words)
{
	char *said = diagnose(reach, ACCOUNT_ONLINE, check);

	if (!words)
		assert_null(said);
	else if (!said || !strstr(said, words))
		fail_msg("%s: \"%s\" lacks \"%s\"", check, said ? said : "", words);
	free(said);
}

static void the_doctor_says_what_the_router_is_and_what_helps(void **state)
{
	struct engine_reach reach = { .network = { .port = 40123, .address_count = 1 } };

	(void)state;
	assert_int_equal(address_parse(&reach.network.addresses[0], "192.168.1.5:40123", 0), 0);
	says(&reach, "udp", "UDP gets out");
	says(&reach, "nat", NULL);
	reach.sighting.is_done = true;
	says(&reach, "nat", "could not be found out");
	reach.sighting.nat = (struct nat){ .mapping = NAT_NONE };
	says(&reach, "nat", "no NAT");
	assert_int_equal(address_parse(&reach.sighting.seen, "192.168.1.5:40123", 0), 0);
	says(&reach, "nat", "own network");
	reach.sighting.nat = (struct nat){ .mapping = NAT_EASY, .filtering = NAT_FILTERED };
	says(&reach, "nat", "easy to get through");
	says(&reach, "strangers", "only who is called gets in");
	says(&reach, "mapping", NULL); /* switched off, or there is no router */
	for (unsigned i = 0; i < PORT_MAP_WAYS; i++)
		reach.maps[i].state = PORT_MAP_SILENT;
	says(&reach, "mapping", "does not answer PCP, NAT-PMP or UPnP");
	reach.sighting.nat.mapping = NAT_RANDOM;
	says(&reach, "nat", "symmetric");
	says(&reach, "mapping", "TRY: switch UPnP, NAT-PMP or PCP on in the router");
	reach.maps[PORT_MAP_NATPMP].state = PORT_MAP_REFUSED;
	reach.maps[PORT_MAP_NATPMP].error = 2;
	says(&reach, "mapping", "answers NAT-PMP and refuses to open a port (its code: 2)");
	reach.maps[PORT_MAP_UPNP].state = PORT_MAP_ASKING;
	says(&reach, "mapping", "being asked");
	reach.maps[PORT_MAP_UPNP].state = PORT_MAP_HELD;
	reach.maps[PORT_MAP_UPNP].is_behind = true;
	assert_int_equal(address_parse(&reach.maps[PORT_MAP_UPNP].outer, "100.64.0.9:40123", 0),
			 0);
	says(&reach, "mapping", "carrier-grade NAT");
	reach.maps[PORT_MAP_PCP].state = PORT_MAP_HELD;
	assert_int_equal(address_parse(&reach.maps[PORT_MAP_PCP].outer, "203.0.113.9:40123", 0),
			 0);
	says(&reach, "mapping", "opened 203.0.113.9:40123 for this machine by PCP");
	reach.sighting.port = PORT_OPEN;
	says(&reach, "strangers", "from anywhere: the directory tried");
	says(&reach, "ipv6", "no IPv6");
	reach.network.address_count = 1;
	assert_int_equal(address_parse(&reach.network.addresses[0], "[2001:db8::1]:1", 0), 0);
	says(&reach, "ipv6", "IPv6 alone");
	says(&reach, "nat", NULL);
	says(&reach, "mapping", NULL);
	reach.network.address_count = 2;
	assert_int_equal(address_parse(&reach.network.addresses[1], "192.168.1.5:40123", 0), 0);
	says(&reach, "ipv6", "there is IPv6, where");
	says(&reach, "metered", NULL);
	reach.network.is_metered = true;
	says(&reach, "metered", "each byte may cost");
}

/* Every failure that an engine can answer a call with has words and, nearly always, a next step. */
static void failures_of_the_new_calls_say_what_to_do(void **state)
{
	static const struct {
		const char *method;
		int err;
	} rows[] = {
		{ "login", ERR_KEY_CHANGED },
		{ "login", ERR_SUSPENDED },
		{ "login", ERR_BUSY },
		{ "login", ERR_FULL },
		{ "login", ERR_CORRUPT },
		{ "login", ERR_STATE },
		{ "recover", ERR_AUTH },
		{ "recover", ERR_REFUSED },
		{ "resetPassword", ERR_EXPIRED },
		{ "changePassword", ERR_AUTH },
		{ "revokeDevice", ERR_REFUSED },
		{ "verifyContact", ERR_AUTH },
		{ "verifyContact", ERR_KEY_CHANGED },
		{ "getSafety", ERR_STATE },
	};
	char message[512], next[256];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		explain(rows[i].method, rows[i].err, "ana@h", message, sizeof message, next,
			sizeof next);
		assert_true(strlen(next) > 0);
		assert_null(strstr(message, "%s"));
		assert_null(strstr(next, "%s"));
		assert_string_not_equal(message, error_text(rows[i].err));
	}
	explain("login", ERR_KEY_CHANGED, "ana@h", message, sizeof message, next, sizeof next);
	assert_non_null(strstr(next, "palique recover ana@h"));
	assert_non_null(strstr(next, "palique login ana@h --begin-anew"));
	/* Perhaps it counts already: it is set again, with whichever is the right one. */
	explain("changePassword", ERR_TIMEOUT, "", message, sizeof message, next, sizeof next);
	assert_string_equal(next, "palique passwd");
}

#define EMPTY(test)  cmocka_unit_test_setup_teardown(test, begin, end)
#define MEMBER(test) cmocka_unit_test_setup_teardown(test, begin_as_member, end_as_member)

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
		EMPTY(without_an_account_the_next_thing_to_type_is_join),
		EMPTY(sending_to_a_stranger_says_how_to_add_him),
		EMPTY(a_name_that_is_none_is_refused),
		EMPTY(joining_by_a_contact_link_is_refused),
		EMPTY(status_of_an_empty_home_has_no_account),
		EMPTY(the_table_tells_itself),
		EMPTY(the_doctor_has_a_finding_for_a_home_without_account),
		EMPTY(a_subscription_from_the_future_is_refused),
		MEMBER(only_who_subscribed_is_told_of_events),
		MEMBER(what_was_missed_is_told_again_once_and_in_order),
		MEMBER(a_face_that_reads_slowly_is_told_again_when_it_has_read),
		MEMBER(what_is_said_is_answered_with_its_id_and_told),
		MEMBER(a_message_over_the_limit_is_refused_with_the_limit_named),
		MEMBER(adding_oneself_is_refused),
		MEMBER(an_answer_for_a_face_that_left_goes_nowhere),
		MEMBER(only_the_key_that_was_shown_is_accepted),
		MEMBER(calls_about_an_account_are_checked_before_they_do_anything),
		EMPTY(without_an_account_there_is_nothing_to_keep),
		MEMBER(what_needs_the_directory_says_so_while_it_does_not_answer),
		EMPTY(a_word_that_a_recovery_code_cannot_have_is_named),
		EMPTY(a_recovery_code_and_passwords_are_wiped_with_their_request),
		MEMBER(requests_are_heard_from_whom_the_person_says),
		MEMBER(this_device_stands_in_the_list_and_cannot_revoke_itself),
		MEMBER(a_contact_is_verified_only_by_the_numbers_that_are_theirs),
		MEMBER(what_is_good_to_know_and_our_devices_are_notifications),
		EMPTY(a_contact_says_by_what_path_it_is_linked),
		MEMBER(a_connection_tells_its_kind),
		MEMBER(consent_is_one_of_three_words),
		MEMBER(relaying_is_off_until_it_is_switched_on),
		EMPTY(without_an_account_nothing_is_relayed),
		MEMBER(a_network_from_which_nothing_comes_back_is_named_in_three_seconds),
		EMPTY(a_directory_on_this_machine_is_not_cut_off_by_a_network),
		EMPTY(a_machine_in_no_network_is_told_of_its_cable_and_not_of_a_firewall),
		EMPTY(what_a_router_calls_itself_is_shown_safely),
		EMPTY(the_doctor_says_what_the_router_is_and_what_helps),
		EMPTY(failures_of_the_new_calls_say_what_to_do),
		EMPTY(stop_reaches_the_shell_and_is_answered),
		EMPTY(methods_of_a_shell_that_is_not_there_are_refused),
		EMPTY(a_face_that_does_not_read_is_sent_nothing_more),
		EMPTY(a_face_that_left_is_forgotten),
		EMPTY(faces_are_limited_in_number),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
