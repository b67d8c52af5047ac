#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "peer/attention.h"
#include "shared/text.h"

static struct attention *attention;
static struct attention_rules rules;
static struct attention_note note;
static mono_ns now;
static uint64_t last_id;

static int begin(void **state)
{
	(void)state;
	attention = attention_new();
	rules = (struct attention_rules){ .notifications = NOTIFICATIONS_ALL };
	now = 100 * SECOND;
	last_id = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	attention_free(attention);
	return 0;
}

static void hear(const char *who, const char *text)
{
	struct event event = { .kind = EVENT_HEARD };

	event.message.id = ++last_id;
	assert_int_equal(name_parse(&event.message.contact, bytes_text(who)), 0);
	event.message.text = bytes_text(text);
	attention_hear(attention, &event, &rules, now);
}

static void happens(enum event_kind kind, const char *who, uint64_t id,
		    enum message_change change)
{
	struct event event = { .kind = kind, .message_id = id, .change = change };

	assert_int_equal(name_parse(&event.name, bytes_text(who)), 0);
	attention_hear(attention, &event, &rules, now);
}

/* The next one, after however long; it is called `id` then. */
static void show(uint32_t id)
{
	assert_true(attention_deadline(attention) != NEVER);
	if (attention_deadline(attention) > now)
		now = attention_deadline(attention);
	assert_true(attention_next(attention, &note, now));
	attention_shown(attention, note.slot, id);
}

static void assert_silent(void)
{
	assert_false(attention_next(attention, &note, now + 3600 * SECOND));
}

static void a_message_is_told_of_at_once(void **state)
{
	(void)state;
	hear("bob", "hola");
	assert_true(attention_deadline(attention) <= now);
	show(7);
	assert_string_equal(note.title, "bob");
	assert_string_equal(note.body, "hola");
	assert_int_equal(note.replaces, 0);
	assert_string_equal(attention_whose(attention, 7), "bob");
	assert_null(attention_whose(attention, 8));
	assert_true(attention_deadline(attention) == NEVER);
}

static void names_tell_who_and_not_what(void **state)
{
	(void)state;
	rules.notifications = NOTIFICATIONS_NAMES;
	hear("bob", "the secret");
	show(1);
	assert_string_equal(note.title, "bob");
	assert_null(strstr(note.body, "secret"));
	hear("bob", "another secret");
	show(1);
	assert_string_equal(note.body, "2 new messages");
}

static void nothing_is_told_when_it_is_not_wanted(void **state)
{
	(void)state;
	rules.notifications = NOTIFICATIONS_OFF;
	hear("bob", "1");
	rules.notifications = NOTIFICATIONS_ALL;
	rules.is_busy = true;
	hear("bob", "2");
	rules.is_busy = false;
	rules.is_looked_at = true;
	hear("bob", "3");
	assert_silent();
}

static void who_has_just_read_is_told_nothing(void **state)
{
	(void)state;
	attention_seen(attention, "bob", now);
	hear("bob", "1");
	assert_silent();
	hear("carol", "1");
	show(1);
	assert_string_equal(note.title, "carol");
	now += (ATTENTION_LOOKED_MS + 1) * MILLISECOND;
	hear("bob", "2");
	show(2);
	assert_string_equal(note.title, "bob");
}

static void a_flood_is_one_notification_that_is_replaced(void **state)
{
	unsigned shown = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		hear("bob", "x");
		now += MILLISECOND;
		if (attention_deadline(attention) > now)
			continue;
		show(5);
		assert_int_equal(note.replaces, shown ? 5 : 0);
		shown++;
	}
	assert_in_range(shown, 1, 10000 / ATTENTION_PAUSE_MS + 1);
	show(5);
	assert_string_equal(note.body, "(10000 messages) x");
}

static void many_at_once_are_told_of_one_after_the_other_and_not_all(void **state)
{
	char who[NAME_MAX + 1];
	unsigned shown = 0;
	mono_ns began = now;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(who, sizeof who, "person%u", i);
		hear(who, "x");
	}
	while (attention_deadline(attention) != NEVER)
		show(++shown);
	assert_int_equal(shown, ATTENTION_SLOTS);
	assert_true(now - began >= (ATTENTION_SLOTS - 1) * ATTENTION_BETWEEN_MS * MILLISECOND);
	/* Those that only stand there give way. */
	hear("new", "x");
	show(99);
	assert_string_equal(note.title, "new");
}

static void what_is_read_goes_from_the_desktop(void **state)
{
	uint32_t id;

	(void)state;
	hear("bob", "1");
	show(5);
	assert_false(attention_next_over(attention, &id));
	happens(EVENT_SEEN, "bob", 0, 0);
	assert_true(attention_next_over(attention, &id));
	assert_int_equal(id, 5);
	assert_false(attention_next_over(attention, &id));
	/* While the desktop has not said yet how it calls it. */
	hear("bob", "2");
	now += 10 * SECOND;
	assert_true(attention_next(attention, &note, now));
	attention_seen(attention, "bob", now);
	assert_false(attention_next_over(attention, &id));
	attention_shown(attention, note.slot, 6);
	assert_true(attention_next_over(attention, &id));
	assert_int_equal(id, 6);
}

static void what_the_person_closes_is_counted_anew(void **state)
{
	(void)state;
	hear("bob", "1");
	show(5);
	hear("bob", "2");
	attention_closed(attention, 5);
	show(6);
	assert_int_equal(note.replaces, 0);
	attention_closed(attention, 6);
	hear("bob", "3");
	show(7);
	assert_string_equal(note.body, "3");
}

static void a_text_that_was_taken_back_stands_there_no_longer(void **state)
{
	(void)state;
	hear("bob", "oops");
	show(5);
	happens(EVENT_CHANGED, "bob", last_id, CHANGE_REACTIONS);
	assert_silent();
	happens(EVENT_CHANGED, "bob", last_id, CHANGE_RETRACTED);
	show(5);
	assert_int_equal(note.replaces, 5);
	assert_null(strstr(note.body, "oops"));
}

static void requests_and_changed_keys_are_told_of_until_they_are_decided(void **state)
{
	uint32_t id;

	(void)state;
	happens(EVENT_REQUEST, "mallory", 0, 0);
	happens(EVENT_KEY_CHANGED, "bob", 0, 0);
	show(1);
	assert_non_null(strstr(note.title, "mallory"));
	show(2);
	assert_non_null(strstr(note.title, "bob"));
	happens(EVENT_CONTACT, "bob", 0, 0);
	assert_false(attention_next_over(attention, &id));
	rules.is_decided = true;
	happens(EVENT_CONTACT, "bob", 0, 0);
	assert_true(attention_next_over(attention, &id));
	assert_int_equal(id, 2);
	assert_non_null(attention_whose(attention, 1));
}

static void hostile_text_is_one_short_safe_line(void **state)
{
	char text[ATTENTION_BODY_MAX * 8];

	(void)state;
	hear("bob", "a\nb\tc\033[31m\xe2\x80\xae!");
	show(1);
	assert_string_equal(note.body, "a b c\\u001b[31m\\u202e!");
	attention_closed(attention, 1);
	for (size_t i = 0; i + 1 < sizeof text; i++)
		text[i] = "\xf0\x9f\x98\x80"[i % 4];
	text[sizeof text - 1] = 0;
	hear("bob", text);
	show(1);
	assert_int_equal(strlen(note.body), ATTENTION_TEXT_CHARACTERS * 4 + strlen("…"));
	attention_closed(attention, 1);
	memset(text, 0xff, sizeof text - 1);
	hear("bob", text);
	show(1);
	assert_int_equal(strlen(note.body), ATTENTION_TEXT_CHARACTERS * 3 + strlen("…"));
}

static void a_desktop_that_goes_takes_all_with_it(void **state)
{
	(void)state;
	hear("bob", "1");
	assert_true(attention_next(attention, &note, now));
	attention_forget(attention);
	attention_shown(attention, note.slot, 5);
	assert_null(attention_whose(attention, 5));
	assert_true(attention_deadline(attention) == NEVER);
}

static void what_could_not_be_shown_is_not_waited_for(void **state)
{
	(void)state;
	hear("bob", "1");
	show(0);
	assert_true(attention_deadline(attention) == NEVER);
	hear("bob", "2");
	show(3);
	assert_string_equal(note.body, "2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_message_is_told_of_at_once, begin, end),
		cmocka_unit_test_setup_teardown(names_tell_who_and_not_what, begin, end),
		cmocka_unit_test_setup_teardown(nothing_is_told_when_it_is_not_wanted, begin,
						end),
		cmocka_unit_test_setup_teardown(who_has_just_read_is_told_nothing, begin, end),
		cmocka_unit_test_setup_teardown(a_flood_is_one_notification_that_is_replaced,
						begin, end),
		cmocka_unit_test_setup_teardown(
			many_at_once_are_told_of_one_after_the_other_and_not_all, begin, end),
		cmocka_unit_test_setup_teardown(what_is_read_goes_from_the_desktop, begin, end),
		cmocka_unit_test_setup_teardown(what_the_person_closes_is_counted_anew, begin,
						end),
		cmocka_unit_test_setup_teardown(
			a_text_that_was_taken_back_stands_there_no_longer, begin, end),
		cmocka_unit_test_setup_teardown(
			requests_and_changed_keys_are_told_of_until_they_are_decided, begin,
			end),
		cmocka_unit_test_setup_teardown(hostile_text_is_one_short_safe_line, begin,
						end),
		cmocka_unit_test_setup_teardown(a_desktop_that_goes_takes_all_with_it, begin,
						end),
		cmocka_unit_test_setup_teardown(what_could_not_be_shown_is_not_waited_for,
						begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
