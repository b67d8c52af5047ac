#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "peer/events.h"
#include "shared/error.h"

static struct store *store;
static struct events *events;

static int begin(void **state)
{
	(void)state;
	if (store_open(&store, NULL, NULL, false, NULL, 0) < 0)
		return -1;
	events = events_new(store);
	return 0;
}

static int end(void **state)
{
	(void)state;
	events_free(events);
	store_close(store);
	return 0;
}

static void add(const char *name)
{
	struct event e = { .kind = EVENT_CONTACT };

	snprintf(e.name.text, sizeof e.name.text, "%s", name);
	events_add(events, &e);
}

static void commit(void)
{
	assert_int_equal(store_commit(store), 0);
	events_release(events);
}

static void nothing_is_handed_out_before_it_is_durable(void **state)
{
	struct event e;

	(void)state;
	add("alice");
	events_answer(events, 7, 0, NULL, 3);
	assert_false(events_next(events, &e));
	assert_int_equal(events_last(events), 0);
	commit();
	assert_true(events_next(events, &e));
	assert_int_equal(e.id, 1);
	assert_string_equal(e.name.text, "alice");
	assert_true(events_next(events, &e));
	assert_int_equal(e.kind, EVENT_ANSWER);
	assert_int_equal(e.id, 0);
	assert_int_equal(e.ticket, 7);
	assert_int_equal(e.message_id, 3);
	assert_false(events_next(events, &e));
}

static void after_a_failed_commit_answers_are_errors_and_events_never_happened(void **state)
{
	struct event e;

	(void)state;
	add("alice");
	events_answer(events, 7, 0, NULL, 3);
	events_answer(events, 8, ERR_NOT_FOUND, NULL, 0);
	store_failed(store, ERR_FULL);
	assert_int_equal(store_commit(store), ERR_FULL);
	events_drop(events, ERR_FULL);
	assert_true(events_next(events, &e));
	assert_int_equal(e.error, ERR_FULL);
	assert_int_equal(e.message_id, 0);
	assert_true(events_next(events, &e));
	assert_int_equal(e.error, ERR_NOT_FOUND);
	assert_false(events_next(events, &e));
	add("bob");
	commit();
	assert_true(events_next(events, &e));
	assert_int_equal(e.id, 1);
}

static void numbers_go_on_after_a_restart(void **state)
{
	struct event e;

	(void)state;
	add("alice");
	add("bob");
	commit();
	events_free(events);
	events = events_new(store);
	assert_int_equal(events_last(events), 2);
	add("carol");
	commit();
	assert_true(events_next(events, &e));
	assert_int_equal(e.id, 3);
	assert_int_equal(events_read(events, 1, &e), 1);
	assert_string_equal(e.name.text, "bob");
}

static void a_message_is_told_under_its_own_number_with_its_text(void **state)
{
	struct message m = { .text = bytes_text("hola") };
	struct event e;

	(void)state;
	m.id = events_number(events);
	events_message(events, EVENT_SAID, &m);
	commit();
	assert_true(events_next(events, &e));
	assert_int_equal(e.id, m.id);
	assert_true(bytes_equal(e.message.text, bytes_text("hola")));
}

static void the_log_is_bounded(void **state)
{
	struct event e;

	(void)state;
	for (int i = 0; i < EVENTS_KEPT * 2; i++)
		add("alice");
	commit();
	assert_int_equal(events_read(events, 0, &e), 1);
	assert_true(e.id + EVENTS_KEPT + EVENTS_KEPT / 10 >= events_last(events));
	assert_true(e.id > 1);
}

#define EVENTS(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EVENTS(nothing_is_handed_out_before_it_is_durable),
		EVENTS(after_a_failed_commit_answers_are_errors_and_events_never_happened),
		EVENTS(numbers_go_on_after_a_restart),
		EVENTS(a_message_is_told_under_its_own_number_with_its_text),
		EVENTS(the_log_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
