/* The local API about what was said: bounds of what faces ask, and what they are shown of messages,
 * files and events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/api/api.h"
#include "peer/api/notify.h"
#include "peer/api/spoken.h"
#include "peer/rooms.h"
#include "peer/search.h"
#include "peer/spool.h"
#include "shared/db.h"
#include "shared/error.h"
#include "tests/peer_fixture.h"
#include "tests/written.h"

enum { LINES = 64 };

static struct peer member;
static struct api *api;
static struct api_client *client;
static struct json *got[LINES];
static unsigned count;
static mono_ns now;
static struct home home;

static int on_send(void *connection, struct bytes line)
{
	(void)connection;
	assert_true(count < LINES);
	assert_int_equal(json_parse(&got[count++], line), 0);
	return 0;
}

static int begin(void **state)
{
	struct api_config shell = { .send = on_send, .home = &home };

	(void)state;
	memset(&member, 0, sizeof member);
	now = 2000 * SECOND;
	snprintf(home.folder, sizeof home.folder, "/tmp/palique-api-XXXXXX");
	if (!mkdtemp(home.folder))
		return -1;
	peer_make(&member, "alice");
	peer_open(&member, now, 1700000000000);
	shell.engine = member.engine;
	api = api_new(&shell);
	client = api_connect(api, &count);
	return client ? 0 : -1;
}

static void forget(void)
{
	while (count)
		json_free(got[--count]);
}

static int end(void **state)
{
	char command[HOME_PATH_MAX + 16];

	(void)state;
	forget();
	api_free(api);
	peer_remove(&member);
	snprintf(command, sizeof command, "rm -rf '%s'", home.folder);
	return system(command);
}

static void step(void)
{
	now += MILLISECOND;
	engine_step(member.engine, now, 1700000000000);
	while (api_step(api))
		;
}

static struct json *call(const char *method, const char *params)
{
	char line[8192];

	forget();
	snprintf(line, sizeof line,
		 "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"%s\",\"params\":%s}", method,
		 params);
	api_line(client, bytes_text(line));
	for (unsigned steps = 0; steps < 3; steps++)
		step();
	for (unsigned i = 0; i < count; i++)
		if (json_has(got[i], "id"))
			return got[i];
	return NULL;
}

static int64_t code_of(const struct json *answer)
{
	const struct json *error = answer ? json_get(answer, "error") : NULL;

	return error ? json_int(error, "code", 0) : 0;
}

static const char *hint_of(const struct json *answer)
{
	return json_text(json_get(json_get(answer, "error"), "data"), "hint");
}

static const struct json *result_of(struct json *answer)
{
	assert_int_equal(code_of(answer), 0);
	return json_get(answer, "result");
}

static const struct json *note(const char *method)
{
	for (unsigned i = 0; i < count; i++)
		if (json_text(got[i], "method") && !strcmp(json_text(got[i], "method"), method))
			return json_get(got[i], "params");
	return NULL;
}

/* Says it to bob, who is asked; its id. */
static const char *say(const char *text)
{
	static char id[32];
	char params[512];

	call("addContact", "{\"contact\":\"bob\"}");
	snprintf(params, sizeof params, "{\"conversation\":\"bob\",\"text\":\"%s\"}", text);
	snprintf(id, sizeof id, "%s", json_text(result_of(call("send", params)), "id"));
	return id;
}

static const struct json *message_of(const char *id)
{
	char params[64];

	snprintf(params, sizeof params, "{\"id\":\"%s\"}", id);
	return json_get(result_of(call("getMessage", params)), "message");
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
		 say("hello"));
	forget();
	api_line(client, bytes_text(line));
	/* The worker has looked: of all tickets the one that waits hears of it. */
	for (uint64_t ticket = 1; ticket < 10; ticket++)
		api_answer(api, ticket, ERR_FORMAT, "album/n\xe9");
	step();
	assert_int_equal(count, 1);
	error = json_get(got[0], "error");
	assert_non_null(error);
	assert_non_null(strstr(json_text(error, "message"), "is not UTF-8: rename it"));
	assert_non_null(strstr(hint_of(got[0]), "palique send bob"));
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
		struct json *answer = call(wrong[i][0], wrong[i][1]);
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
		struct json *answer = call(calls[i][0], calls[i][1]);
		if (code_of(answer) != -32000 + ERR_NOT_FOUND)
			fail_msg("%s: %lld", calls[i][0], (long long)code_of(answer));
		assert_non_null(strstr(json_text(json_get(answer, "error"), "message"), "99"));
		assert_non_null(strstr(hint_of(answer), "palique "));
	}
}

static void an_endless_id_is_no_message(void **state)
{
	(void)state;
	assert_true(code_of(call("getMessage", "{\"id\":\"18446744073709551615\"}")) < 0);
	assert_true(code_of(call("editMessage",
				 "{\"id\":\"9223372036854775808\",\"text\":\"x\"}")) < 0);
}

/* --- what was said --- */

static void a_text_is_edited_reacted_to_and_taken_back(void **state)
{
	const char *id = say("hola");
	const struct json *m;
	char params[128];

	(void)state;
	call("subscribe", "{}");
	snprintf(params, sizeof params, "{\"id\":\"%s\",\"text\":\"hola, Bob\"}", id);
	m = json_get(result_of(call("editMessage", params)), "message");
	assert_string_equal(json_text(m, "text"), "hola, Bob");
	assert_true(json_bool(m, "edited", false));
	assert_string_equal(json_text(note("changed"), "change"), "edited");
	assert_string_equal(json_text(json_get(note("changed"), "message"), "text"),
			    "hola, Bob");
	snprintf(params, sizeof params, "{\"id\":\"%s\",\"reactions\":\"+1 ok\"}", id);
	m = json_get(result_of(call("sendReaction", params)), "message");
	assert_string_equal(json_text(json_get(m, "reactions"), "ours"), "+1 ok");
	snprintf(params, sizeof params, "{\"id\":\"%s\"}", id);
	m = json_get(result_of(call("deleteMessage", params)), "message");
	assert_true(json_bool(m, "retracted", false));
	assert_string_equal(json_text(m, "text"), "");
	assert_string_equal(json_text(note("changed"), "change"), "retracted");
}

static void reactions_over_their_limits_are_refused_with_the_limits_named(void **state)
{
	const char *id = say("hola");
	struct json *answer;
	char params[256];

	(void)state;
	snprintf(params, sizeof params, "{\"id\":\"%s\",\"reactions\":\"1 2 3 4 5 6 7 8 9\"}",
		 id);
	answer = call("sendReaction", params);
	assert_true(code_of(answer) < 0);
	assert_non_null(strstr(json_text(json_get(answer, "error"), "message"), "8"));
}

static void an_answer_shows_how_the_other_message_begins(void **state)
{
	const char *id = say("first line\\nsecond");
	const struct json *quote;
	char params[128];

	(void)state;
	snprintf(params, sizeof params,
		 "{\"conversation\":\"bob\",\"text\":\"yes\",\"replyTo\":\"%s\"}", id);
	call("subscribe", "{}");
	quote = json_get(message_of(json_text(result_of(call("send", params)), "id")), "quote");
	assert_non_null(quote);
	assert_string_equal(json_text(quote, "begins"), "first line");
	assert_true(json_bool(quote, "ours", false));
}

static void pages_go_back_and_forth_and_never_both(void **state)
{
	const struct json *list;
	char params[128], first[32];

	(void)state;
	snprintf(first, sizeof first, "%s", say("one"));
	say("two");
	say("three");
	snprintf(params, sizeof params,
		 "{\"conversation\":\"bob\",\"after\":\"%s\",\"limit\":1}", first);
	list = json_get(result_of(call("getMessages", params)), "messages");
	assert_int_equal(json_count(list), 1);
	assert_string_equal(json_text(json_at(list, 0), "text"), "two");
	assert_int_equal(code_of(call("getMessages", "{\"conversation\":\"bob\",\"after\":"
						     "\"1\",\"before\":\"2\"}")),
			 -32000 + ERR_FORMAT);
}

static void a_contact_link_is_a_first_message(void **state)
{
	struct engine_account account;
	char params[512], place[URI_HOST_MAX + 9];
	const struct json *result;

	(void)state;
	engine_account(member.engine, &account);
	place_print(&account.place, place);
	snprintf(params, sizeof params,
		 "{\"conversation\":\"palique:carol@%s\",\"text\":\"hola\"}", place);
	result = result_of(call("send", params));
	assert_string_equal(json_text(result, "conversation"), "carol");
	assert_string_equal(
		json_text(json_get(result_of(call("getContact", "{\"name\":\"carol\"}")),
				   "contact"),
			  "state"),
		"asked");
	assert_true(code_of(call("send", "{\"conversation\":\"palique:x\",\"text\":\"a\"}")) <
		    0);
	assert_true(code_of(call("send", "{\"conversation\":\"a b@c\",\"text\":\"a\"}")) < 0);
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
	call("addContact", "{\"contact\":\"bob\"}");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (code_of(call("sendFile", wrong[i].params)) != -32000 + wrong[i].err)
			fail_msg("%s", wrong[i].params);
}

static void a_spool_is_an_empty_file_of_our_own_in_the_home(void **state)
{
	const struct json *result = result_of(call("newSpool", "{}"));
	const char *path = json_text(result, "path");
	struct stat s;

	(void)state;
	assert_int_equal(strncmp(path, home.folder, strlen(home.folder)), 0);
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
	snprintf(left, sizeof left, "%s", json_text(result_of(call("newSpool", "{}")), "path"));
	snprintf(fresh, sizeof fresh, "%s",
		 json_text(result_of(call("newSpool", "{}")), "path"));
	assert_int_equal(utimensat(AT_FDCWD, left, old, 0), 0);
	result_of(call("newSpool", "{}"));
	assert_int_equal(access(left, F_OK), -1);
	assert_int_equal(access(fresh, F_OK), 0);
}

static void leave(const char *name, char path[HOME_PATH_MAX + 40])
{
	snprintf(path, HOME_PATH_MAX + 40, "%s/spool/%s", home.folder, name);
	close(open(path, O_CREAT | O_WRONLY, 0600));
}

static void what_nobody_sends_goes_when_the_engine_begins_and_nothing_else(void **state)
{
	static const char *const others[] = { "note", "0123456789abcdef0123456789abcdeg",
					      "0123456789abcdef0123456789abcde" };
	static char path[HOME_PATH_MAX + 40], sent[HOME_PATH_MAX + 40];
	char wish[300];

	(void)state;
	result_of(call("newSpool", "{}"));
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
	assert_int_equal(db_exec(engine_db(member.engine), wish), 0);
	leave("ffffffffffffffffffffffffffffffff", path);
	spool_sweep(&home, member.engine, 0);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(access(sent, F_OK), 0);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/spool/%s", home.folder, others[i]);
		assert_int_equal(access(path, F_OK), 0);
	}
	/* It has arrived, and the power went before it was removed. */
	assert_int_equal(db_exec(engine_db(member.engine), "UPDATE file SET state = 7"), 0);
	spool_sweep(&home, member.engine, 0);
	assert_int_not_equal(access(sent, F_OK), 0);
}

static void see_time(wall_ms said, wall_ms shown)
{
	struct message m = { .id = 5,
			     .sent_at = said,
			     .arrived_at = said,
			     .edited_at = said,
			     .is_edited = true,
			     .expires_at = said };
	struct event e = { .kind = EVENT_HEARD, .message = m };
	struct json *o = spoken_message(&m), *params = json_object();

	assert_int_equal(json_int(o, "timestamp", -1), shown);
	assert_int_equal(json_int(o, "arrivedAt", -1), shown);
	if (said > 0) {
		assert_int_equal(json_int(o, "editedAt", -1), shown);
		assert_int_equal(json_int(o, "expiresAt", -1), shown);
	}
	assert_non_null(notify_event(member.engine, &e, params));
	assert_int_equal(json_int(params, "timestamp", -1), shown);
	assert_int_equal(json_int(params, "arrivedAt", -1), shown);
	json_free(params);
	json_free(o);
}

static void a_moment_beyond_all_calendars_is_shown_as_one_that_they_have(void **state)
{
	const wall_ms last = 253370764800000; /* 9999-01-01 */

	(void)state;
	see_time(1700000000000, 1700000000000);
	see_time(last, last);
	see_time(last + 1, last);
	see_time(INT64_MAX, last);
	see_time(-1, 0);
	see_time(INT64_MIN, 0);
}

static void the_name_of_a_file_misleads_nobody(void **state)
{
	struct message m = {
		.id = 5,
		.kind = MESSAGE_FILE,
		.has_file = true,
		.file = { .name = bytes_text("../\xe2\x80\xae"
					     "gpj.exe\n"),
			  .type = bytes_text("image/png"),
			  .size = 100,
			  .done = 40,
			  .state = TRANSFER_RUNNING,
			  .rate = 30,
			  .width = 4,
			  .height = 3 },
	};
	struct json *o = spoken_message(&m);
	const struct json *file = json_get(o, "file");

	(void)state;
	assert_string_equal(json_text(o, "kind"), "file");
	assert_null(strchr(json_text(file, "name"), '/'));
	assert_null(strchr(json_text(file, "name"), '\n'));
	assert_null(strstr(json_text(file, "name"), "\xe2\x80\xae"));
	assert_string_equal(json_text(file, "state"), "running");
	assert_int_equal(json_int(file, "secondsLeft", 0), 2);
	assert_false(json_bool(file, "hasThumbnail", true));
	json_free(o);
}

/* Of ours it is said what to do about it, of theirs what they have. */
static void why_a_file_does_not_come_is_said_to_each_side(void **state)
{
	struct message m = { .kind = MESSAGE_FILE,
			     .is_ours = true,
			     .has_file = true,
			     .file = { .name = bytes_text("a"),
				       .path = bytes_text("/a"),
				       .state = TRANSFER_FAILED } };
	const int errors[] = { ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO,
			       ERR_FULL,      ERR_REFUSED, ERR_FORMAT };

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		struct json *ours, *theirs;
		const char *reason;

		m.file.error = errors[i];
		m.is_ours = true;
		ours = spoken_message(&m);
		m.is_ours = false;
		theirs = spoken_message(&m);
		reason = json_text(json_get(ours, "file"), "reason");
		assert_true(strstr(reason, "again") != NULL);
		assert_string_not_equal(reason, json_text(json_get(theirs, "file"), "reason"));
		json_free(ours);
		json_free(theirs);
	}
}

static void a_plain_text_is_shown_without_what_it_is_not(void **state)
{
	struct message m = { .id = 5, .kind = MESSAGE_TEXT, .text = bytes_text("x") };
	struct json *o = spoken_message(&m);
	static const char *const absent[] = { "file",      "edited",  "retracted", "gone",
					      "forwarded", "missing", "reactions", "life",
					      "replyTo",   "quote" };

	(void)state;
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
		assert_false(json_has(o, absent[i]));
	json_free(o);
}

static void a_failed_file_says_why_by_a_stable_name(void **state)
{
	struct message m = { .kind = MESSAGE_FILE,
			     .has_file = true,
			     .file = { .state = TRANSFER_FAILED, .error = ERR_CORRUPT } };
	struct json *o = spoken_message(&m);

	(void)state;
	assert_string_equal(json_text(json_get(o, "file"), "error"), "corrupt");
	assert_non_null(json_text(json_get(o, "file"), "reason"));
	json_free(o);
}

/* --- events --- */

static void what_is_not_counted_has_no_number(void **state)
{
	struct event e = { .kind = EVENT_TYPING, .is_typing = true };
	struct json *p = json_object();

	(void)state;
	e.name = name_of("bob");
	assert_string_equal(notify_event(member.engine, &e, p), "typing");
	assert_false(json_has(p, "eventId"));
	assert_true(json_bool(p, "typing", false));
	json_free(p);
}

static void reading_is_a_delivery_that_went_further(void **state)
{
	struct event e = { .id = 9, .kind = EVENT_READ, .message_id = 4 };
	struct json *p = json_object();

	(void)state;
	e.name = name_of("bob");
	assert_string_equal(notify_event(member.engine, &e, p), "delivery");
	assert_string_equal(json_text(p, "state"), "read");
	assert_string_equal(json_text(p, "upTo"), "4");
	json_free(p);
}

static void a_change_of_what_is_forgotten_has_no_message(void **state)
{
	struct event e = {
		.id = 9, .kind = EVENT_CHANGED, .message_id = 77, .change = CHANGE_FORGOTTEN
	};
	struct json *p = json_object();

	(void)state;
	e.name = name_of("bob");
	assert_string_equal(notify_event(member.engine, &e, p), "changed");
	assert_string_equal(json_text(p, "change"), "forgotten");
	assert_true(json_has(p, "message"));
	assert_null(json_text(json_get(p, "message"), "id"));
	json_free(p);
}

/* --- what is set --- */

static void settings_are_set_one_by_one(void **state)
{
	char params[HOME_PATH_MAX + 64];
	const struct json *s;

	(void)state;
	result_of(call("setSettings", "{\"acceptUpTo\":1000}"));
	result_of(call("setSettings", "{\"readMarks\":false,\"keepDays\":90}"));
	snprintf(params, sizeof params, "{\"downloads\":\"%s\"}", home.folder);
	result_of(call("setSettings", params));
	s = result_of(call("getSettings", "{}"));
	assert_int_equal(json_int(s, "acceptUpTo", 0), 1000);
	assert_int_equal(json_int(s, "keepDays", 0), 90);
	assert_false(json_bool(s, "readMarks", true));
	assert_string_equal(json_text(s, "downloads"), home.folder);
	assert_string_equal(json_text(s, "requests"), "anyone");
	assert_int_equal(code_of(call("setSettings", "{\"downloads\":\"here\"}")),
			 -32000 + ERR_FORMAT);
	assert_true(code_of(call("setSettings", "{\"downloads\":\"/no/such/folder\"}")) < 0);
}

/* The settings of bob, who is asked. */
static const struct json *settings_of_bob(void)
{
	return json_get(result_of(call("getSettings", "{\"name\":\"bob\"}")), "contact");
}

static void what_holds_for_one_contact_is_shown_with_whose_rule_it_is(void **state)
{
	const struct json *s;

	(void)state;
	assert_int_equal(code_of(call("getSettings", "{\"name\":\"bob\"}")),
			 -32000 + ERR_NOT_FOUND);
	say("hello");
	result_of(call("setSettings", "{\"readMarks\":true,\"keepDays\":90}"));
	s = settings_of_bob();
	assert_string_equal(json_text(s, "name"), "bob");
	assert_int_equal(json_int(s, "keepDays", 0), 90);
	assert_false(json_bool(s, "keepDaysOwn", true));
	assert_true(json_bool(s, "readMarks", false));
	assert_false(json_bool(s, "readMarksOwn", true));
	assert_false(json_bool(s, "hidden", true));
	result_of(call("setKeep", "{\"conversation\":\"bob\",\"days\":0}"));
	result_of(call("setReadMarks", "{\"name\":\"bob\",\"on\":false}"));
	result_of(call("hideFrom", "{\"name\":\"bob\"}"));
	s = settings_of_bob();
	assert_int_equal(json_int(s, "keepDays", -1), 0);
	assert_true(json_bool(s, "keepDaysOwn", false));
	assert_false(json_bool(s, "readMarks", true));
	assert_true(json_bool(s, "readMarksOwn", false));
	assert_true(json_bool(s, "hidden", false));
	assert_true(json_bool(s, "hiddenOwn", false));
	assert_int_equal(json_int(json_get(s, "timer"), "seconds", -1), 0);
}

static void a_search_without_a_word_is_refused(void **state)
{
	(void)state;
	assert_int_equal(code_of(call("searchMessages", "{\"query\":\" - \"}")),
			 -32000 + ERR_FORMAT);
}

/* More than a search looks at in one call. */
enum { MANY = 3 * SEARCH_SLICE / 64 };

/* Messages that nothing has indexed yet, with somebody who is known from the next step on. */
static void write_many(void)
{
	struct rooms *r = engine_rooms(member.engine);
	struct written w;

	store_write(r->store);
	assert_int_equal(db_exec(store_db(r->store),
				 "INSERT INTO contact(id, name, state) VALUES(77, 'bob', 2)"),
			 0);
	written_begin(&w, r->store, 77, 1);
	written_text(&w, false, "needle one");
	for (int i = 0; i < MANY; i++)
		written_text(&w, false, "hay");
	written_text(&w, true, "needle two");
	assert_int_equal(store_commit(r->store), 0);
}

static void a_long_search_is_answered_as_a_whole_while_others_are_served(void **state)
{
	const char *search = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"searchMessages\","
			     "\"params\":{\"query\":\"needle\",\"limit\":9}}";
	const char *status = "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"status\"}";

	(void)state;
	write_many();
	api_line(client, bytes_text(search));
	api_line(client, bytes_text(status));
	api_step(api);
	assert_int_equal(count, 1);
	assert_int_equal(json_int(got[0], "id", 0), 8);
	step();
	api_step(api);
	assert_int_equal(count, 2);
	assert_int_equal(json_int(got[1], "id", 0), 7);
	assert_int_equal(json_count(json_get(json_get(got[1], "result"), "messages")), 2);
}

static void who_leaves_in_the_middle_of_a_search_ends_it(void **state)
{
	const char *search = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"searchMessages\","
			     "\"params\":{\"query\":\"needle\"}}";

	(void)state;
	write_many();
	api_line(client, bytes_text(search));
	assert_true(api_step(api));
	api_disconnect(client);
	assert_false(api_step(api));
	assert_int_equal(count, 0);
}

static void availability_is_one_of_three_words(void **state)
{
	struct json *answer = call("setProfile", "{\"availability\":\"asleep\"}");

	(void)state;
	assert_int_equal(code_of(answer), -32000 + ERR_FORMAT);
	assert_non_null(strstr(json_text(json_get(answer, "error"), "message"), "busy"));
	assert_int_equal(code_of(call("setProfile", "{\"picture\":\"here.png\"}")),
			 -32000 + ERR_FORMAT);
	assert_int_equal(code_of(call("getPicture", "{}")), -32000 + ERR_NOT_FOUND);
}

static void what_is_wrong_with_a_shown_name_is_not_said_of_a_picture(void **state)
{
	struct json *answer = call("setProfile", "{\"title\":\"red \\u001b[31m\"}");
	const char *text = json_text(json_get(answer, "error"), "message");

	(void)state;
	assert_int_equal(code_of(answer), -32000 + ERR_FORMAT);
	assert_non_null(strstr(text, "one line"));
	assert_null(strstr(text, "image"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(what_of_a_folder_cannot_be_forwarded_is_named),
		TEST(what_is_out_of_its_bounds_is_refused_by_name),
		TEST(a_message_that_is_not_there_is_named_with_what_to_type),
		TEST(an_endless_id_is_no_message),
		TEST(a_text_is_edited_reacted_to_and_taken_back),
		TEST(reactions_over_their_limits_are_refused_with_the_limits_named),
		TEST(an_answer_shows_how_the_other_message_begins),
		TEST(pages_go_back_and_forth_and_never_both),
		TEST(a_contact_link_is_a_first_message),
		TEST(a_file_is_named_by_path_or_by_spool_and_by_nothing_else),
		TEST(a_spool_is_an_empty_file_of_our_own_in_the_home),
		TEST(what_was_never_sent_is_swept_a_day_later),
		TEST(what_nobody_sends_goes_when_the_engine_begins_and_nothing_else),
		TEST(a_moment_beyond_all_calendars_is_shown_as_one_that_they_have),
		TEST(the_name_of_a_file_misleads_nobody),
		TEST(why_a_file_does_not_come_is_said_to_each_side),
		TEST(a_plain_text_is_shown_without_what_it_is_not),
		TEST(a_failed_file_says_why_by_a_stable_name),
		TEST(what_is_not_counted_has_no_number),
		TEST(reading_is_a_delivery_that_went_further),
		TEST(a_change_of_what_is_forgotten_has_no_message),
		TEST(settings_are_set_one_by_one),
		TEST(what_holds_for_one_contact_is_shown_with_whose_rule_it_is),
		TEST(a_search_without_a_word_is_refused),
		TEST(a_long_search_is_answered_as_a_whole_while_others_are_served),
		TEST(who_leaves_in_the_middle_of_a_search_ends_it),
		TEST(availability_is_one_of_three_words),
		TEST(what_is_wrong_with_a_shown_name_is_not_said_of_a_picture),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
