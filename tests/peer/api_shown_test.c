/* How messages, files and settings are shown by the local API, and what is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "peer/api/call.h"
#include "peer/api/notify.h"
#include "peer/api/spoken.h"
#include "peer/person.h"
#include "peer/rooms.h"
#include "peer/search.h"
#include "shared/db.h"
#include "shared/error.h"
#include "tests/asked.h"
#include "tests/written.h"

/* --- messages and files --- */

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
	assert_non_null(notify_event(asked.member.engine, &e, params));
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
	assert_string_equal(notify_event(asked.member.engine, &e, p), "typing");
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
	assert_string_equal(notify_event(asked.member.engine, &e, p), "delivery");
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
	assert_string_equal(notify_event(asked.member.engine, &e, p), "changed");
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
	result_in(asked_call("setSettings", "{\"acceptUpTo\":1000}"));
	result_in(asked_call("setSettings", "{\"readMarks\":false,\"keepDays\":90}"));
	snprintf(params, sizeof params, "{\"downloads\":\"%s\"}", asked.home.folder);
	result_in(asked_call("setSettings", params));
	s = result_in(asked_call("getSettings", "{}"));
	assert_int_equal(json_int(s, "acceptUpTo", 0), 1000);
	assert_int_equal(json_int(s, "keepDays", 0), 90);
	assert_false(json_bool(s, "readMarks", true));
	assert_string_equal(json_text(s, "downloads"), asked.home.folder);
	assert_string_equal(json_text(s, "requests"), "anyone");
	assert_int_equal(code_of(asked_call("setSettings", "{\"downloads\":\"here\"}")),
			 -32000 + ERR_FORMAT);
	assert_true(code_of(asked_call("setSettings", "{\"downloads\":\"/no/such/folder\"}")) <
		    0);
}

/* The settings of bob, who is asked. */
static const struct json *settings_of_bob(void)
{
	return json_get(result_in(asked_call("getSettings", "{\"name\":\"bob\"}")), "contact");
}

static void what_holds_for_one_contact_is_shown_with_whose_rule_it_is(void **state)
{
	const struct json *s;

	(void)state;
	assert_int_equal(code_of(asked_call("getSettings", "{\"name\":\"bob\"}")),
			 -32000 + ERR_NOT_FOUND);
	asked_say("hello");
	result_in(asked_call("setSettings", "{\"readMarks\":true,\"keepDays\":90}"));
	s = settings_of_bob();
	assert_string_equal(json_text(s, "name"), "bob");
	assert_int_equal(json_int(s, "keepDays", 0), 90);
	assert_false(json_bool(s, "keepDaysOwn", true));
	assert_true(json_bool(s, "readMarks", false));
	assert_false(json_bool(s, "readMarksOwn", true));
	assert_false(json_bool(s, "hidden", true));
	result_in(asked_call("setKeep", "{\"conversation\":\"bob\",\"days\":0}"));
	result_in(asked_call("setReadMarks", "{\"name\":\"bob\",\"on\":false}"));
	result_in(asked_call("hideFrom", "{\"name\":\"bob\"}"));
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
	assert_int_equal(code_of(asked_call("searchMessages", "{\"query\":\" - \"}")),
			 -32000 + ERR_FORMAT);
}

/* A hundred texts of control characters, each of which takes six bytes. */
enum { LONG = 100 };

static void write_long(void)
{
	struct rooms *r = engine_rooms(asked.engine);
	char text[WIRE_TEXT_MAX + 1] = "hay ";
	struct written w;

	memset(text + 4, 1, sizeof text - 5);
	text[sizeof text - 1] = '\0';
	asked_call("addContact", "{\"contact\":\"bob\"}");
	store_write(r->store);
	written_begin(&w, r->store, peer_person(&asked.member, "bob")->id, 1000);
	for (int i = 0; i < LONG; i++)
		written_text(&w, false, text);
	assert_int_equal(store_commit(r->store), 0);
}

/* Some take a few steps. */
static const struct json *result_soon(const char *method, const char *params)
{
	const struct json *answer = asked_call(method, params);

	for (unsigned steps = 0; !answer && steps < 100; steps++) {
		asked_step();
		for (unsigned i = 0; i < asked.face.count; i++) {
			if (json_has(asked.face.got[i], "id"))
				answer = asked.face.got[i];
		}
	}
	return result_in(answer);
}

/* Page by page, each no longer than an answer may be; how many that were, none of them twice. */
static unsigned count_pages(const char *method, const char *about, bool is_newest_first)
{
	unsigned pages = 0, messages = 0;
	const struct json *result, *list;
	char params[128], before[40] = "";
	uint64_t id, last = UINT64_MAX;

	do {
		snprintf(params, sizeof params, "{%s,\"limit\":1000%s}", about, before);
		result = result_soon(method, params);
		assert_in_range(json_size(result), 1, API_LIST_MAX + (200 << 10));
		list = json_get(result, "messages");
		messages += json_count(list);
		pages++;
		for (size_t i = 0; i < json_count(list); i++) {
			size_t at = is_newest_first ? i : json_count(list) - 1 - i;

			assert_int_equal(json_id(json_at(list, at), "id", &id), 0);
			assert_true(id < last);
			last = id;
		}
		snprintf(before, sizeof before, ",\"before\":\"%llu\"",
			 (unsigned long long)last);
	} while (json_bool(result, "more", false) && pages < LONG);
	assert_int_equal(messages, LONG);
	return pages;
}

static void no_answer_is_longer_than_a_face_can_take(void **state)
{
	(void)state;
	write_long();
	assert_in_range(count_pages("getMessages", "\"conversation\":\"bob\"", false), 4, 6);
	assert_in_range(count_pages("searchMessages", "\"query\":\"hay\"", true), 4, 6);
}

static void what_waits_to_be_said_is_shown_a_part_at_a_time(void **state)
{
	struct bot wish = { .name = name_of("helper"), .may = BOT_PROPOSES, .rate = 20 };
	char token[BOT_TOKEN_SIZE], text[WIRE_TEXT_MAX], params[64];
	struct engine_text what = { .to = "bob", .text = bytes_of(text, sizeof text) };
	unsigned seen = 0;
	uint64_t id;

	(void)state;
	memset(text, 1, sizeof text);
	asked_call("addContact", "{\"contact\":\"bob\"}");
	assert_int_equal(bot_add_name(&wish, "bob"), 0);
	assert_int_equal(engine_create_bot(asked.engine, &wish, token), 0);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(engine_propose(asked.engine, 1, &what, &id), 0);
	while (seen < 50) {
		const struct json *result = result_in(asked_call("listProposals", "{}"));
		const struct json *list = json_get(result, "proposals");
		size_t some = json_count(list);

		assert_in_range(json_size(result), 1, API_LIST_MAX + (200 << 10));
		assert_int_equal(json_bool(result, "more", false), seen + some < 50);
		assert_in_range(some, 1, 30);
		seen += some;
		for (size_t i = some; i > 0; i--) {
			snprintf(params, sizeof params, "{\"id\":\"%llu\"}",
				 (unsigned long long)(seen - i + 1));
			result_in(asked_call("rejectProposal", params));
		}
	}
}

/* More than a search looks at in one call. */
enum { MANY = 3 * SEARCH_SLICE / 64 };

/* Messages that nothing has indexed yet, with somebody who is known from the next step on. */
static void write_many(void)
{
	struct rooms *r = engine_rooms(asked.member.engine);
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
	api_line(asked.face.client, bytes_text(search));
	api_line(asked.face.client, bytes_text(status));
	api_step(asked.api);
	assert_int_equal(asked.face.count, 1);
	assert_int_equal(json_int(asked.face.got[0], "id", 0), 8);
	asked_step();
	api_step(asked.api);
	assert_int_equal(asked.face.count, 2);
	assert_int_equal(json_int(asked.face.got[1], "id", 0), 7);
	assert_int_equal(
		json_count(json_get(json_get(asked.face.got[1], "result"), "messages")), 2);
}

static void who_leaves_in_the_middle_of_a_search_ends_it(void **state)
{
	const char *search = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"searchMessages\","
			     "\"params\":{\"query\":\"needle\"}}";

	(void)state;
	write_many();
	api_line(asked.face.client, bytes_text(search));
	assert_true(api_step(asked.api));
	api_disconnect(asked.face.client);
	assert_false(api_step(asked.api));
	assert_int_equal(asked.face.count, 0);
}

static void availability_is_one_of_three_words(void **state)
{
	struct json *answer = asked_call("setProfile", "{\"availability\":\"asleep\"}");

	(void)state;
	assert_int_equal(code_of(answer), -32000 + ERR_FORMAT);
	assert_non_null(strstr(json_text(json_get(answer, "error"), "message"), "busy"));
	assert_int_equal(code_of(asked_call("setProfile", "{\"picture\":\"here.png\"}")),
			 -32000 + ERR_FORMAT);
	assert_int_equal(code_of(asked_call("getPicture", "{}")), -32000 + ERR_NOT_FOUND);
}

static void what_is_wrong_with_a_shown_name_is_not_said_of_a_picture(void **state)
{
	struct json *answer = asked_call("setProfile", "{\"title\":\"red \\u001b[31m\"}");
	const char *text = json_text(json_get(answer, "error"), "message");

	(void)state;
	assert_int_equal(code_of(answer), -32000 + ERR_FORMAT);
	assert_non_null(strstr(text, "one line"));
	assert_null(strstr(text, "image"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_HOME(a_moment_beyond_all_calendars_is_shown_as_one_that_they_have),
		AT_HOME(the_name_of_a_file_misleads_nobody),
		AT_HOME(why_a_file_does_not_come_is_said_to_each_side),
		AT_HOME(a_plain_text_is_shown_without_what_it_is_not),
		AT_HOME(a_failed_file_says_why_by_a_stable_name),
		AT_HOME(what_is_not_counted_has_no_number),
		AT_HOME(reading_is_a_delivery_that_went_further),
		AT_HOME(a_change_of_what_is_forgotten_has_no_message),
		AT_HOME(settings_are_set_one_by_one),
		AT_HOME(what_holds_for_one_contact_is_shown_with_whose_rule_it_is),
		AT_HOME(a_search_without_a_word_is_refused),
		AT_HOME(no_answer_is_longer_than_a_face_can_take),
		AT_HOME(what_waits_to_be_said_is_shown_a_part_at_a_time),
		AT_HOME(a_long_search_is_answered_as_a_whole_while_others_are_served),
		AT_HOME(who_leaves_in_the_middle_of_a_search_ends_it),
		AT_HOME(availability_is_one_of_three_words),
		AT_HOME(what_is_wrong_with_a_shown_name_is_not_said_of_a_picture),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
