/* Calls about an account, its devices and its contacts, and what they say when they fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "peer/api/explain.h"
#include "peer/api/methods.h"
#include "peer/api/rpc.h"
#include "shared/error.h"
#include "tests/asked.h"
#include "tests/peer_fixture.h"

static void without_an_account_the_next_thing_to_type_is_join(void **state)
{
	static const char *const calls[][2] = {
		{ "getLink", "{}" },
		{ "addContact", "{\"contact\":\"bob\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct json *answer = asked_call(calls[i][0], calls[i][1]);
		const struct json *data = json_get(json_get(answer, "error"), "data");
		assert_int_equal(code_of(answer), -32000 + ERR_STATE);
		assert_string_equal(json_text(data, "kind"), "state");
		assert_string_equal(json_text(data, "hint"),
				    "palique join LINK, or palique login NAME@DIRECTORY");
	}
}

static void sending_to_a_stranger_says_how_to_add_him(void **state)
{
	struct json *answer = asked_call("send",
					 "{\"conversation\":\"carol\",\"text\":\"hi\"}");
	const struct json *data = json_get(json_get(answer, "error"), "data");

	(void)state;
	assert_true(code_of(answer) < 0);
	assert_non_null(json_text(data, "hint"));
	assert_non_null(strstr(json_text(data, "hint"), "palique "));
}

static void a_name_that_is_none_is_refused(void **state)
{
	(void)state;
	assert_int_equal(code_of(asked_call("blockContact", "{\"name\":\"no spaces\"}")),
			 -32000 + ERR_NAME);
}

static void joining_by_a_contact_link_is_refused(void **state)
{
	struct json *answer = asked_call(
		"join", "{\"link\":\"palique:bob@dir.example.org\",\"name\":\"al\","
			"\"password\":\"x\"}");

	(void)state;
	assert_int_equal(code_of(answer), -32000 + ERR_FORMAT);
}

static void adding_oneself_is_refused(void **state)
{
	(void)state;
	assert_int_equal(code_of(asked_call("addContact", "{\"contact\":\"alice\"}")),
			 -32000 + ERR_REFUSED);
}

static void show_bob(const struct peer *who)
{
	peer_tell_presence(&asked.member, who, NULL, true);
	asked_step();
}

static void a_minute(void)
{
	for (unsigned i = 0; i < 61; i++) {
		asked.now += SECOND;
		asked_step();
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
	asked_call("addContact", "{\"contact\":\"bob\"}");
	show_bob(&bob);
	show_bob(&second);
	answer = asked_call("getContact", "{\"name\":\"bob\"}");
	snprintf(shown, sizeof shown, "%s",
		 json_text(json_get(json_get(answer, "result"), "contact"), "newIdentity"));
	snprintf(params, sizeof params, "{\"name\":\"bob\",\"newIdentity\":\"%s\"}", shown);
	a_minute(); /* who shows others all the time is not believed more */
	show_bob(&third);
	assert_int_equal(code_of(asked_call("acceptContact", params)), -32018);
	a_minute();
	show_bob(&second);
	answer = asked_call("acceptContact", params);
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
		struct json *answer = asked_call(wrong[i].method, wrong[i].params);
		assert_non_null(answer);
		if (code_of(answer) != wrong[i].code)
			print_error("%s %s\n", wrong[i].method, wrong[i].params);
		assert_int_equal(code_of(answer), wrong[i].code);
		assert_true(strlen(message_of(answer)) > 0);
		assert_true(strlen(hint_of(answer)) > 0);
	}
	assert_string_equal(
		json_text(json_get(asked_call("getSettings", "{}"), "result"), "requests"),
		"anyone");
}

/* What a person does with an account: first what only the directory can do. */
static const char *const on_account[][2] = {
	{ "changePassword", "{\"oldPassword\":\"x\",\"newPassword\":\"y\"}" },
	{ "deleteAccount", "{\"name\":\"alice\"}" },
	{ "renewIdentity", "{}" },
	{ "createRecoveryCode", "{}" },
	{ "removeRecoveryCode", "{}" },
	{ "nameDevice", "{\"device\":\"x\",\"name\":\"y\"}" },
	{ "revokeDevice", "{\"device\":\"x\"}" },
};
enum { BY_DIRECTORY = 5, ON_ACCOUNT = sizeof on_account / sizeof *on_account };

/* Of call number `i`, which is refused as things stand. */
static struct json *refusal_of(size_t i, const char *hint)
{
	struct json *answer = asked_call(on_account[i][0], on_account[i][1]);

	assert_string_equal(kind_of(answer), "state");
	assert_string_equal(hint_of(answer), hint);
	return answer;
}

static void without_an_account_there_is_nothing_to_keep(void **state)
{
	(void)state;
	for (size_t i = 0; i < ON_ACCOUNT; i++)
		refusal_of(i, "palique join LINK, or palique login NAME@DIRECTORY");
	assert_int_equal(
		json_count(json_get(json_get(asked_call("listDevices", "{}"), "result"),
				    "devices")),
		0);
}

static void what_needs_the_directory_says_so_while_it_does_not_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < BY_DIRECTORY; i++) {
		struct json *answer = refusal_of(i, "palique doctor");

		assert_non_null(strstr(message_of(answer), "nothing has changed"));
	}
}

static void a_word_that_a_recovery_code_cannot_have_is_named(void **state)
{
	struct json *answer = asked_call(
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
			json_text(json_get(asked_call("setRequests", params), "result"),
				  "requests"),
			all[i]);
		assert_string_equal(
			json_text(json_get(asked_call("getSettings", "{}"), "result"),
				  "requests"),
			all[i]);
	}
}

static void this_device_stands_in_the_list_and_cannot_revoke_itself(void **state)
{
	const struct json *list = json_get(json_get(asked_call("listDevices", "{}"), "result"),
					   "devices");
	char params[128];

	(void)state;
	assert_int_equal(json_count(list), 1);
	assert_true(json_bool(json_at(list, 0), "current", false));
	snprintf(params, sizeof params, "{\"device\":\"%s\"}",
		 json_text(json_at(list, 0), "id"));
	assert_true(code_of(asked_call("revokeDevice", params)) < 0);
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
	asked_call("addContact", "{\"contact\":\"bob\"}");
	assert_string_equal(kind_of(asked_call("getSafety", "{\"name\":\"bob\"}")), "state");
	show_bob(&bob);
	result = json_get(asked_call("getSafety", "{\"name\":\"bob\"}"), "result");
	assert_int_equal(strlen(json_text(result, "digits")), SAFETY_DIGITS);
	assert_false(json_bool(result, "verified", true));
	snprintf(params, sizeof params, "{\"name\":\"bob\",\"safety\":\"%s\"}",
		 json_text(result, "digits"));
	snprintf(code, sizeof code, "{\"name\":\"bob\",\"safety\":\"%s\"}",
		 json_text(result, "code"));
	assert_string_equal(kind_of(asked_call("verifyContact", wrong)), "auth");
	assert_int_equal(code_of(asked_call("verifyContact", params)), 0);
	result = json_get(asked_call("unverifyContact", "{\"name\":\"bob\"}"), "result");
	assert_false(json_bool(json_get(result, "contact"), "verified", true));
	result = json_get(asked_call("verifyContact", code), "result");
	assert_true(json_bool(json_get(result, "contact"), "verified", false));
	peer_remove(&bob);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		EMPTY(without_an_account_the_next_thing_to_type_is_join),
		EMPTY(sending_to_a_stranger_says_how_to_add_him),
		EMPTY(a_name_that_is_none_is_refused),
		EMPTY(joining_by_a_contact_link_is_refused),
		MEMBER(adding_oneself_is_refused),
		MEMBER(only_the_key_that_was_shown_is_accepted),
		MEMBER(calls_about_an_account_are_checked_before_they_do_anything),
		EMPTY(without_an_account_there_is_nothing_to_keep),
		MEMBER(what_needs_the_directory_says_so_while_it_does_not_answer),
		EMPTY(a_word_that_a_recovery_code_cannot_have_is_named),
		EMPTY(a_recovery_code_and_passwords_are_wiped_with_their_request),
		MEMBER(requests_are_heard_from_whom_the_person_says),
		MEMBER(this_device_stands_in_the_list_and_cannot_revoke_itself),
		MEMBER(a_contact_is_verified_only_by_the_numbers_that_are_theirs),
		EMPTY(failures_of_the_new_calls_say_what_to_do),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
