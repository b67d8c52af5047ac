#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "peer/events.h"
#include "peer/history.h"
#include "shared/error.h"
#include "tests/small_home.h"
#include "tests/written.h"

static struct small_home alice, bob;
static struct person *p;
static struct written w;

static int begin(void **state)
{
	(void)state;
	small_home_begin(&alice, "alice");
	small_home_begin(&bob, "bob");
	p = small_home_meet(&alice, &bob);
	written_begin(&w, alice.rooms.store, p->id, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	small_home_end(&alice);
	small_home_end(&bob);
	return 0;
}

struct seen {
	unsigned count;
	uint64_t ids[64];
	struct message last;
	char text[256], name[256], reactions[64];
};

static bool on_message(void *user, const struct message *m)
{
	struct seen *seen = user;

	seen->ids[seen->count++] = m->id;
	seen->last = *m;
	snprintf(seen->text, sizeof seen->text, "%.*s", (int)m->text.size,
		 m->text.size ? (const char *)m->text.data : "");
	snprintf(seen->name, sizeof seen->name, "%.*s", (int)m->file.name.size,
		 m->has_file ? (const char *)m->file.name.data : "");
	snprintf(seen->reactions, sizeof seen->reactions, "%.*s", (int)m->their_reactions.size,
		 m->their_reactions.size ? (const char *)m->their_reactions.data : "");
	return seen->count < 64;
}

static struct seen newest(uint64_t before, unsigned limit)
{
	struct seen seen = { 0 };

	assert_int_equal(history_newest(&alice.rooms, p, before, limit, on_message, &seen), 0);
	return seen;
}

static struct seen one(uint64_t id)
{
	struct seen seen = { 0 };

	assert_int_equal(history_one(&alice.rooms, id, on_message, &seen), 0);
	return seen;
}

static void pages_go_back_and_forward_and_meet(void **state)
{
	struct seen a, b = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++)
		written_text(&w, i % 2, "hello");
	a = newest(0, 4);
	assert_int_equal(a.count, 4);
	assert_int_equal(a.ids[0], 10);
	assert_int_equal(a.ids[3], 7);
	a = newest(7, 4);
	assert_int_equal(a.ids[0], 6);
	assert_int_equal(history_after(&alice.rooms, p, 6, 3, on_message, &b), 0);
	assert_int_equal(b.count, 3);
	assert_int_equal(b.ids[0], 7);
	assert_int_equal(b.ids[2], 9);
	assert_int_equal(history_newest(&alice.rooms, p, 99, 3, on_message, &b), ERR_NOT_FOUND);
}

static void what_is_about_others_stands_in_no_timeline(void **state)
{
	struct seen a;

	(void)state;
	written_text(&w, false, "hello");
	written_entry(&w, false, SAY_EDIT, bytes_text("hallo"));
	written_entry(&w, true, SAY_REACT, bytes_text("x"));
	written_entry(&w, false, SAY_RETRACT, bytes_of(NULL, 0));
	written_entry(&w, false, SAY_TIMER, bytes_of(NULL, 0));
	written_entry(&w, false, 77, bytes_text("?"));
	written_text(&w, true, "forgotten");
	written_sql(&w, "UPDATE message SET flags = %d WHERE id = 7", ENTRY_SILENT);
	a = newest(0, 20);
	assert_int_equal(a.count, 2);
	assert_int_equal(a.ids[0], 6);
	assert_int_equal(a.ids[1], 1);
	assert_int_equal(one(6).last.kind, MESSAGE_UNKNOWN);
	assert_int_equal(one(6).last.text.size, 0);
	assert_int_equal(history_one(&alice.rooms, 2, on_message, &a), ERR_NOT_FOUND);
	assert_int_equal(history_one(&alice.rooms, 7, on_message, &a), ERR_NOT_FOUND);
}

static void a_message_shows_its_text_of_now_reactions_and_state(void **state)
{
	struct seen a;

	(void)state;
	written_text(&w, true, "first");
	written_text(&w, false, "answer");
	written_entry(&w, true, SAY_EDIT, bytes_text("second"));
	written_sql(&w, "UPDATE message SET edit = 3, flags = %d WHERE id = 1",
		    ENTRY_FORWARDED);
	written_sql(&w, "UPDATE message SET target = 1, about = x'00' WHERE id = 2");
	written_sql(&w, "INSERT INTO reaction VALUES(1, 0, 5, 9, 'a b')");
	a = one(1);
	assert_string_equal(a.text, "second");
	assert_true(a.last.is_edited && a.last.is_forwarded);
	assert_int_equal(a.last.edited_at, w.arrived_at);
	assert_string_equal(a.reactions, "a b");
	assert_int_equal(a.last.state, MESSAGE_QUEUED);
	written_sql(&w, "UPDATE conversation SET delivered = 2");
	assert_int_equal(one(1).last.state, MESSAGE_DELIVERED);
	written_sql(&w, "UPDATE chain SET read = 2 WHERE id = %lld", (long long)w.chain[1]);
	assert_int_equal(one(1).last.state, MESSAGE_READ);
	a = one(2);
	assert_int_equal(a.last.state, MESSAGE_RECEIVED);
	assert_int_equal(a.last.reply_to, 1);
	assert_false(a.last.is_reply_missing);
	written_sql(&w, "UPDATE message SET target = NULL WHERE id = 2");
	assert_true(one(2).last.is_reply_missing);
}

static void what_is_gone_or_missing_is_shown_as_that(void **state)
{
	struct seen a;

	(void)state;
	written_text(&w, false, "taken back");
	written_entry(&w, false, SAY_GONE, bytes_of("0123456789abcdef0123456789abcdef", 32));
	written_sql(&w, "UPDATE message SET flags = %d WHERE id = 1", ENTRY_RETRACTED);
	written_sql(&w, "INSERT INTO gap VALUES(%lld, 7, 10)", (long long)w.chain[0]);
	w.next[0] = 10;
	written_text(&w, false, "behind the gap");
	a = one(1);
	assert_true(a.last.is_retracted && a.last.is_gone);
	assert_int_equal(a.last.text.size, 0);
	a = one(2);
	assert_true(a.last.is_gone);
	assert_int_equal(a.last.text.size, 0);
	assert_int_equal(one(3).last.missing, 3);
}

static void a_file_comes_with_what_is_known_of_it(void **state)
{
	uint64_t id;
	struct seen a;

	(void)state;
	id = written_file(&w, false, "a.txt", "look", "letters");
	a = one(id);
	assert_int_equal(a.last.kind, MESSAGE_FILE);
	assert_string_equal(a.text, "look");
	assert_string_equal(a.name, "a.txt");
	assert_int_equal(a.last.file.state, TRANSFER_OFFERED);
	written_sql(
		&w,
		"INSERT INTO file(id, message, contact, is_ours, state, size, done, changed_at,"
		" path) VALUES(zeroblob(16), %lld, 1, 0, %d, 1000, 400, 1, '/x')",
		(long long)id, TRANSFER_RUNNING);
	a = one(id);
	assert_int_equal(a.last.file.state, TRANSFER_RUNNING);
	assert_int_equal(a.last.file.done, 400);
	assert_int_equal(a.last.file.size, 1000);
}

static bool on_event(void *user, const struct event *e)
{
	struct seen *seen = user;

	seen->ids[seen->count++] = e->id;
	return true;
}

static void granted_history_stands_before_and_is_no_event(void **state)
{
	struct seen a, events = { 0 };

	(void)state;
	written_text(&w, false, "live");
	written_granted(&w, false, "old");
	written_granted(&w, false, "older");
	written_text(&w, false, "newest");
	a = newest(0, 9);
	assert_int_equal(a.ids[0], 4);
	assert_int_equal(a.ids[1], 1);
	assert_int_equal(a.ids[2], 2);
	assert_int_equal(a.ids[3], 3);
	assert_int_equal(newest(2, 9).ids[0], 3);
	assert_int_equal(history_since(&alice.rooms, 0, on_event, &events), 0);
	assert_int_equal(events.count, 2);
	assert_int_equal(events.ids[1], 4);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		EACH(pages_go_back_and_forward_and_meet),
		EACH(what_is_about_others_stands_in_no_timeline),
		EACH(a_message_shows_its_text_of_now_reactions_and_state),
		EACH(what_is_gone_or_missing_is_shown_as_that),
		EACH(a_file_comes_with_what_is_known_of_it),
		EACH(granted_history_stands_before_and_is_no_event),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
