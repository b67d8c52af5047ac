/* What is said by way of the local API, and its files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/spool.h"
#include "shared/db.h"
#include "shared/error.h"
#include "tests/asked.h"

static const struct json *note(const char *method)
{
	for (unsigned i = 0; i < asked.face.count; i++) {
		const char *called = json_text(asked.face.got[i], "method");

		if (called && !strcmp(called, method))
			return json_get(asked.face.got[i], "params");
	}
	return NULL;
}

static const struct json *shown_of(const char *id)
{
	char params[64];

	snprintf(params, sizeof params, "{\"id\":\"%s\"}", id);
	return json_get(result_in(asked_call("getMessage", params)), "message");
}

/* --- folders --- */

/* Forwarded it is looked at anew: what is wrong by then is said in the same words as when it is sent. */
static void what_of_a_folder_cannot_be_forwarded_is_named(void **state)
{
	char line[200];
	const struct json *error;

	(void)state;
	snprintf(line, sizeof line,
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"forward\","
		 "\"params\":{\"id\":\"%s\",\"conversation\":\"bob\"}}",
		 asked_say("hello"));
	asked_forget(&asked.face);
	api_line(asked.face.client, bytes_text(line));
	/* The worker has looked: of all tickets the one that waits hears of it. */
	for (uint64_t ticket = 1; ticket < 10; ticket++)
		api_answer(asked.api, ticket, ERR_FORMAT, "album/n\xe9");
	asked_step();
	assert_int_equal(asked.face.count, 1);
	error = json_get(asked.face.got[0], "error");
	assert_non_null(error);
	assert_non_null(strstr(json_text(error, "message"), "is not UTF-8: rename it"));
	assert_non_null(strstr(hint_of(asked.face.got[0]), "palique send bob"));
}

/* --- bounds --- */

static void what_is_out_of_its_bounds_is_refused_by_name(void **state)
{
	static const char *const wrong[][2] = {
		{ "setTimer", "{\"conversation\":\"bob\",\"seconds\":-1}" },
		{ "setTimer", "{\"conversation\":\"bob\",\"seconds\":31622401}" },
		{ "setSettings", "{\"acceptUpTo\":-1}" },
		{ "setSettings", "{\"acceptUpTo\":1125899906842625}" },
		{ "setSettings", "{\"keepDays\":36501}" },
		{ "setKeep", "{\"conversation\":\"bob\",\"days\":-2}" },
		{ "searchMessages", "{\"query\":\"x\",\"limit\":1001}" },
		{ "searchMessages", "{}" },
		{ "listTransfers", "{\"limit\":0}" },
		{ "sendReaction", "{\"id\":\"1\"}" },
		{ "sendReaction", "{\"id\":1,\"reactions\":\"x\"}" },
		{ "editMessage", "{\"id\":\"-1\",\"text\":\"x\"}" },
		{ "grantHistory", "{\"device\":\"x\",\"since\":-1}" },
		{ "sendTyping", "{\"conversation\":\"bob\",\"typing\":\"yes\"}" },
		{ "hideFrom", "{}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct json *answer = asked_call(wrong[i][0], wrong[i][1]);
		if (code_of(answer) != -32602)
			fail_msg("%s %s: %lld", wrong[i][0], wrong[i][1],
				 (long long)code_of(answer));
	}
}

static void a_message_that_is_not_there_is_named_with_what_to_type(void **state)
{
	static const char *const calls[][2] = {
		{ "getMessage", "{\"id\":\"99\"}" },
		{ "editMessage", "{\"id\":\"99\",\"text\":\"x\"}" },
		{ "deleteMessage", "{\"id\":\"99\"}" },
		{ "deleteMessage", "{\"id\":\"99\",\"here\":true}" },
		{ "sendReaction", "{\"id\":\"99\",\"reactions\":\"x\"}" },
		{ "getThumbnail", "{\"id\":\"99\"}" },
		{ "acceptFile", "{\"id\":\"99\"}" },
		{ "pauseFile", "{\"id\":\"99\"}" },
		{ "cancelFile", "{\"id\":\"99\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct json *answer = asked_call(calls[i][0], calls[i][1]);
		if (code_of(answer) != -32000 + ERR_NOT_FOUND)
			fail_msg("%s: %lld", calls[i][0], (long long)code_of(answer));
		assert_non_null(strstr(json_text(json_get(answer, "error"), "message"), "99"));
		assert_non_null(strstr(hint_of(answer), "palique "));
	}
}

static void an_endless_id_is_no_message(void **state)
{
	(void)state;
	assert_true(code_of(asked_call("getMessage", "{\"id\":\"18446744073709551615\"}")) < 0);
	assert_true(code_of(asked_call("editMessage",
				       "{\"id\":\"9223372036854775808\",\"text\":\"x\"}")) < 0);
}

/* --- what was said --- */

static void a_text_is_edited_reacted_to_and_taken_back(void **state)
{
	const char *id = asked_say("hola");
	const struct json *m;
	char params[128];

	(void)state;
	asked_call("subscribe", "{}");
	snprintf(params, sizeof params, "{\"id\":\"%s\",\"text\":\"hola, Bob\"}", id);
	m = json_get(result_in(asked_call("editMessage", params)), "message");
	assert_string_equal(json_text(m, "text"), "hola, Bob");
	assert_true(json_bool(m, "edited", false));
	assert_string_equal(json_text(note("changed"), "change"), "edited");
	assert_string_equal(json_text(json_get(note("changed"), "message"), "text"),
			    "hola, Bob");
	snprintf(params, sizeof params, "{\"id\":\"%s\",\"reactions\":\"+1 ok\"}", id);
	m = json_get(result_in(asked_call("sendReaction", params)), "message");
	assert_string_equal(json_text(json_get(m, "reactions"), "ours"), "+1 ok");
	snprintf(params, sizeof params, "{\"id\":\"%s\"}", id);
	m = json_get(result_in(asked_call("deleteMessage", params)), "message");
	assert_true(json_bool(m, "retracted", false));
	assert_string_equal(json_text(m, "text"), "");
	assert_string_equal(json_text(note("changed"), "change"), "retracted");
}

static void reactions_over_their_limits_are_refused_with_the_limits_named(void **state)
{
	const char *id = asked_say("hola");
	struct json *answer;
	char params[256];

	(void)state;
	snprintf(params, sizeof params, "{\"id\":\"%s\",\"reactions\":\"1 2 3 4 5 6 7 8 9\"}",
		 id);
	answer = asked_call("sendReaction", params);
	assert_true(code_of(answer) < 0);
	assert_non_null(strstr(json_text(json_get(answer, "error"), "message"), "8"));
}

static void an_answer_shows_how_the_other_message_begins(void **state)
{
	const char *id = asked_say("first line\\nsecond");
	const struct json *quote;
	char params[128];

	(void)state;
	snprintf(params, sizeof params,
		 "{\"conversation\":\"bob\",\"text\":\"yes\",\"replyTo\":\"%s\"}", id);
	asked_call("subscribe", "{}");
	quote = json_get(shown_of(json_text(result_in(asked_call("send", params)), "id")),
			 "quote");
	assert_non_null(quote);
	assert_string_equal(json_text(quote, "begins"), "first line");
	assert_true(json_bool(quote, "ours", false));
}

static void pages_go_back_and_forth_and_never_both(void **state)
{
	const struct json *list;
	char params[128], first[32];

	(void)state;
	snprintf(first, sizeof first, "%s", asked_say("one"));
	asked_say("two");
	asked_say("three");
	snprintf(params, sizeof params,
		 "{\"conversation\":\"bob\",\"after\":\"%s\",\"limit\":1}", first);
	list = json_get(result_in(asked_call("getMessages", params)), "messages");
	assert_int_equal(json_count(list), 1);
	assert_string_equal(json_text(json_at(list, 0), "text"), "two");
	assert_int_equal(
		code_of(asked_call("getMessages", "{\"conversation\":\"bob\",\"after\":"
						  "\"1\",\"before\":\"2\"}")),
		-32000 + ERR_FORMAT);
}

static void a_contact_link_is_a_first_message(void **state)
{
	struct engine_account account;
	char params[512], place[URI_HOST_MAX + 9];
	const struct json *result;

	(void)state;
	engine_account(asked.member.engine, &account);
	place_print(&account.place, place);
	snprintf(params, sizeof params,
		 "{\"conversation\":\"palique:carol@%s\",\"text\":\"hola\"}", place);
	result = result_in(asked_call("send", params));
	assert_string_equal(json_text(result, "conversation"), "carol");
	assert_string_equal(
		json_text(json_get(result_in(asked_call("getContact", "{\"name\":\"carol\"}")),
				   "contact"),
			  "state"),
		"asked");
	assert_true(code_of(asked_call("send",
				       "{\"conversation\":\"palique:x\",\"text\":\"a\"}")) < 0);
	assert_true(code_of(asked_call("send", "{\"conversation\":\"a b@c\",\"text\":\"a\"}")) <
		    0);
}

/* --- files --- */

static void a_file_is_named_by_path_or_by_spool_and_by_nothing_else(void **state)
{
	static const struct {
		const char *params;
		int err;
	} wrong[] = {
		{ "{\"conversation\":\"bob\"}", ERR_FORMAT },
		{ "{\"conversation\":\"bob\",\"path\":\"/x\",\"spool\":\"y\"}", ERR_FORMAT },
		{ "{\"conversation\":\"bob\",\"path\":\"relative\"}", ERR_FORMAT },
		{ "{\"conversation\":\"bob\",\"path\":\"\"}", ERR_FORMAT },
		{ "{\"conversation\":\"bob\",\"spool\":\"../store.key\"}", ERR_NOT_FOUND },
		{ "{\"conversation\":\"bob\",\"spool\":\"0123456789abcdef0123456789ABCDEF\"}",
		  ERR_NOT_FOUND },
		{ "{\"conversation\":\"bob\",\"path\":\"/etc/hosts\",\"name\":\"a/b\"}",
		  ERR_FORMAT },
		{ "{\"conversation\":\"bob\",\"path\":\"/etc/hosts\",\"name\":\"\"}",
		  ERR_FORMAT },
	};

	(void)state;
	asked_call("addContact", "{\"contact\":\"bob\"}");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (code_of(asked_call("sendFile", wrong[i].params)) != -32000 + wrong[i].err)
			fail_msg("%s", wrong[i].params);
}

static void a_spool_is_an_empty_file_of_our_own_in_the_home(void **state)
{
	const struct json *result = result_in(asked_call("newSpool", "{}"));
	const char *path = json_text(result, "path");
	struct stat s;

	(void)state;
	assert_int_equal(strncmp(path, asked.home.folder, strlen(asked.home.folder)), 0);
	assert_int_equal(stat(path, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0600);
	assert_int_equal(s.st_size, 0);
	assert_string_equal(strrchr(path, '/') + 1, json_text(result, "spool"));
}

static void what_was_never_sent_is_swept_a_day_later(void **state)
{
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	char left[HOME_PATH_MAX], fresh[HOME_PATH_MAX];

	(void)state;
	snprintf(left, sizeof left, "%s",
		 json_text(result_in(asked_call("newSpool", "{}")), "path"));
	snprintf(fresh, sizeof fresh, "%s",
		 json_text(result_in(asked_call("newSpool", "{}")), "path"));
	assert_int_equal(utimensat(AT_FDCWD, left, old, 0), 0);
	result_in(asked_call("newSpool", "{}"));
	assert_int_equal(access(left, F_OK), -1);
	assert_int_equal(access(fresh, F_OK), 0);
}

static void leave(const char *name, char path[HOME_PATH_MAX + 40])
{
	snprintf(path, HOME_PATH_MAX + 40, "%s/spool/%s", asked.home.folder, name);
	close(open(path, O_CREAT | O_WRONLY, 0600));
}

static void what_nobody_sends_goes_when_the_engine_begins_and_nothing_else(void **state)
{
	static const char *const others[] = { "note", "0123456789abcdef0123456789abcdeg",
					      "0123456789abcdef0123456789abcde" };
	static char path[HOME_PATH_MAX + 40], sent[HOME_PATH_MAX + 40];
	char wish[300];

	(void)state;
	result_in(asked_call("newSpool", "{}"));
	for (unsigned i = 0; i < 3; i++)
		leave(others[i], path);
	leave("00000000000000000000000000000001", sent);
	/* As a home is called that is reached by another path; and behind many others. */
	snprintf(
		wish, sizeof wish,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
		" INSERT INTO file(id, message, contact, is_ours, state, size, changed_at, "
		"path, "
		"flags) SELECT randomblob(16), 7 + i, 1, 1, 1, 1, 1, '/else/spool/' ||"
		" printf('%%032d', i), 34 FROM n");
	assert_int_equal(db_exec(engine_db(asked.member.engine), wish), 0);
	leave("ffffffffffffffffffffffffffffffff", path);
	spool_sweep(&asked.home, asked.member.engine, 0);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(access(sent, F_OK), 0);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/spool/%s", asked.home.folder, others[i]);
		assert_int_equal(access(path, F_OK), 0);
	}
	/* It has arrived, and the power went before it was removed. */
	assert_int_equal(db_exec(engine_db(asked.member.engine), "UPDATE file SET state = 7"),
			 0);
	spool_sweep(&asked.home, asked.member.engine, 0);
	assert_int_not_equal(access(sent, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_HOME(what_of_a_folder_cannot_be_forwarded_is_named),
		AT_HOME(what_is_out_of_its_bounds_is_refused_by_name),
		AT_HOME(a_message_that_is_not_there_is_named_with_what_to_type),
		AT_HOME(an_endless_id_is_no_message),
		AT_HOME(a_text_is_edited_reacted_to_and_taken_back),
		AT_HOME(reactions_over_their_limits_are_refused_with_the_limits_named),
		AT_HOME(an_answer_shows_how_the_other_message_begins),
		AT_HOME(pages_go_back_and_forth_and_never_both),
		AT_HOME(a_contact_link_is_a_first_message),
		AT_HOME(a_file_is_named_by_path_or_by_spool_and_by_nothing_else),
		AT_HOME(a_spool_is_an_empty_file_of_our_own_in_the_home),
		AT_HOME(what_was_never_sent_is_swept_a_day_later),
		AT_HOME(what_nobody_sends_goes_when_the_engine_begins_and_nothing_else),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
