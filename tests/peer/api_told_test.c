/* What faces are told, again, and when they cannot read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "peer/api/api.h"
#include "peer/api/methods.h"
#include "peer/api/notify.h"
#include "shared/error.h"
#include "tests/asked.h"

static void a_subscription_from_the_future_is_refused(void **state)
{
	(void)state;
	assert_int_equal(
		code_of(asked_call("subscribe", "{\"since\":\"18446744073709551615\"}")),
		-32000 + ERR_LIMIT);
	assert_int_equal(code_of(asked_call("subscribe", "{}")), 0);
	assert_int_equal(code_of(asked_call("unsubscribe", "{}")), 0);
}

/* How many notifications of that kind have come; `last` gets the newest one's params. */
enum { MANY = API_REPLAY_SLICE + 20 };

static unsigned notes(const char *method, const struct json **last)
{
	unsigned count = 0;

	for (unsigned i = 0; i < asked.face.count; i++) {
		const char *is = json_text(asked.face.got[i], "method");
		if (!is || strcmp(is, method))
			continue;
		count++;
		*last = json_get(asked.face.got[i], "params");
	}
	return count;
}

static void block(unsigned number)
{
	char params[64];

	snprintf(params, sizeof params, "{\"name\":\"pest%u\"}", number);
	assert_int_equal(code_of(asked_call("blockContact", params)), 0);
}

static void only_who_subscribed_is_told_of_events(void **state)
{
	const struct json *note = NULL;

	(void)state;
	block(1);
	assert_int_equal(notes("contact", &note), 0);
	assert_int_equal(code_of(asked_call("subscribe", "{}")), 0);
	block(2);
	assert_int_equal(notes("contact", &note), 1);
	assert_string_equal(json_text(note, "name"), "pest2");
	assert_string_equal(json_text(json_get(note, "contact"), "state"), "blocked");
	assert_int_equal(code_of(asked_call("unsubscribe", "{}")), 0);
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
	assert_int_equal(code_of(asked_call("subscribe", "{\"since\":\"0\"}")), 0);
	for (unsigned i = 0; i < asked.face.count; i++) {
		const struct json *params = json_get(asked.face.got[i], "params");
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
	asked.backlog = API_BACKLOG_HIGH + 1;
	assert_int_equal(code_of(asked_call("subscribe", "{\"since\":\"0\"}")), 0);
	assert_int_equal(notes("contact", &note), 0);
	assert_true(api_is_pressed(asked.api));
	asked.backlog = 0;
	asked_step();
	assert_int_equal(notes("contact", &note), 1);
	assert_false(api_is_pressed(asked.api));
}

/* What others have said may be so long that a slice of it is more than is kept for who reads slowly. */
static void no_more_is_told_again_than_has_room_and_all_of_it_in_the_end(void **state)
{
	const struct json *note = NULL;
	unsigned told = 0, rounds = 0;
	char last[16];

	(void)state;
	for (unsigned i = 1; i <= 20; i++)
		block(i);
	asked.weight = API_BACKLOG_HIGH / 2;
	assert_int_equal(code_of(asked_call("subscribe", "{\"since\":\"0\"}")), 0);
	for (; told < 20 && rounds < 20; rounds++) {
		unsigned more = notes("contact", &note);

		assert_in_range(more, 1, 3);
		told += more;
		snprintf(last, sizeof last, "pest%u", told);
		assert_string_equal(json_text(note, "name"), last);
		asked_forget(&asked.face);
		asked.backlog = 0;
		asked_step();
	}
	assert_int_equal(told, 20);
}

static void what_is_said_is_answered_with_its_id_and_told(void **state)
{
	const struct json *note = NULL, *result;
	struct json *answer;
	char id[32];

	(void)state;
	assert_int_equal(code_of(asked_call("addContact", "{\"contact\":\"bob\"}")), 0);
	assert_int_equal(code_of(asked_call("subscribe", "{}")), 0);
	answer = asked_call("send", "{\"conversation\":\"bob\",\"text\":\"hola\"}");
	assert_int_equal(code_of(answer), 0);
	result = json_get(answer, "result");
	assert_string_equal(json_text(result, "state"), "queued");
	assert_int_equal(notes("sent", &note), 1);
	assert_string_equal(json_text(note, "id"), json_text(result, "id"));
	assert_string_equal(json_text(json_get(note, "message"), "text"), "hola");
	snprintf(id, sizeof id, "{\"id\":\"%s\"}", json_text(result, "id"));
	answer = asked_call("getMessage", id);
	assert_string_equal(json_text(json_get(json_get(answer, "result"), "message"), "text"),
			    "hola");
	answer = asked_call("getMessages", "{\"conversation\":\"bob\"}");
	assert_int_equal(json_count(json_get(json_get(answer, "result"), "messages")), 1);
}

static void a_face_that_does_not_read_is_sent_nothing_more(void **state)
{
	(void)state;
	asked.face.is_deaf = true;
	assert_null(asked_call("version", "{}"));
	asked.face.is_deaf = false;
	assert_null(asked_call("version", "{}"));
}

static void what_is_good_to_know_and_our_devices_are_notifications(void **state)
{
	const struct event notice = { .id = 5,
				      .kind = EVENT_NOTICE,
				      .detail = "2 logins failed" },
			   devices = { .id = 6, .kind = EVENT_DEVICES };
	struct json *params = json_object();

	(void)state;
	assert_string_equal(notify_event(asked.engine, &notice, params), "notice");
	assert_string_equal(json_text(params, "detail"), "2 logins failed");
	assert_string_equal(json_text(params, "eventId"), "5");
	json_free(params);
	params = json_object();
	assert_string_equal(notify_event(asked.engine, &devices, params), "devices");
	assert_int_equal(json_count(json_get(params, "devices")), 1);
	json_free(params);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EMPTY(a_subscription_from_the_future_is_refused),
		MEMBER(only_who_subscribed_is_told_of_events),
		MEMBER(what_was_missed_is_told_again_once_and_in_order),
		MEMBER(a_face_that_reads_slowly_is_told_again_when_it_has_read),
		MEMBER(no_more_is_told_again_than_has_room_and_all_of_it_in_the_end),
		MEMBER(what_is_said_is_answered_with_its_id_and_told),
		MEMBER(what_is_good_to_know_and_our_devices_are_notifications),
		EMPTY(a_face_that_does_not_read_is_sent_nothing_more),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
