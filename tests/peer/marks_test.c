/* How far was read, and who types: with real engines and a real directory. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "peer/conversations.h"
#include "peer/marks.h"
#include "peer/reach.h"
#include "peer/rooms.h"
#include "peer/store.h"
#include "peer/way.h"
#include "shared/db.h"
#include "shared/error.h"
#include "tests/couple.h"

static void read_all(struct town *t, unsigned i, const char *name)
{
	const struct event *e = find_event(&t->homes[i], EVENT_HEARD);

	assert_non_null(e);
	assert_int_equal(engine_mark_read(at(t, i), name, e->message.id), 0);
	pass(t, 2 * SECOND);
}

static bool on_message(void *user, const struct message *m)
{
	*(enum message_state *)user = m->state;
	return false;
}

static enum message_state state_of(struct town *t, unsigned i, uint64_t id)
{
	enum message_state state = 0;

	assert_int_equal(engine_message(at(t, i), id, on_message, &state), 0);
	return state;
}

static struct way *find_way(struct town *t, unsigned i, bool is_self)
{
	struct rooms *r = engine_rooms(at(t, i));
	struct way *w;

	for (unsigned k = 0; (w = reach_way_at(r->reach, k)) != NULL; k++) {
		if (w->state == WAY_LINKED && w->person->is_self == is_self)
			return w;
	}
	return NULL;
}

static bool has_link(struct town *t, unsigned i, bool is_self)
{
	return find_way(t, i, is_self) != NULL;
}

static void what_was_read_is_told_and_kept(void **state)
{
	struct town *t = *state;
	uint64_t first = say(t, &t->homes[ALICE], "bob", "one"), second;

	pass(t, SECOND);
	assert_int_equal(contact(t, BOB, "alice").unread, 1);
	read_all(t, BOB, "alice");
	assert_int_equal(contact(t, BOB, "alice").unread, 0);
	assert_int_equal(count_events(&t->homes[ALICE], EVENT_READ), 1);
	assert_int_equal(find_event(&t->homes[ALICE], EVENT_READ)->message_id, first);
	second = say(t, &t->homes[ALICE], "bob", "two");
	pass(t, SECOND);
	assert_int_equal(state_of(t, ALICE, first), MESSAGE_READ);
	assert_int_equal(state_of(t, ALICE, second), MESSAGE_DELIVERED);
	assert_int_equal(contact(t, BOB, "alice").unread, 1);
	stop_home(t, &t->homes[ALICE]);
	read_all(t, BOB, "alice");
	stop_home(t, &t->homes[BOB]);
	forget_events(&t->homes[ALICE]);
	start_home(t, &t->homes[ALICE]);
	start_home(t, &t->homes[BOB]);
	wait_seen(t, &t->homes[BOB], "alice", true);
	assert_int_equal(contact(t, BOB, "alice").unread, 0);
	assert_int_equal(state_of(t, ALICE, first), MESSAGE_READ);
	say(t, &t->homes[BOB], "alice", "three");
	pass(t, 2 * SECOND);
	assert_int_equal(state_of(t, ALICE, second), MESSAGE_READ);
	assert_int_equal(count_events(&t->homes[ALICE], EVENT_READ), 1);
}

static void read_marks_can_be_switched_off_for_one_and_for_all(void **state)
{
	struct town *t = *state;
	struct engine_settings settings;
	uint64_t id = say(t, &t->homes[ALICE], "bob", "one");

	pass(t, SECOND);
	assert_true(contact(t, BOB, "alice").tells_read);
	assert_int_equal(engine_set_read_marks(at(t, BOB), "alice", 0), 0);
	read_all(t, BOB, "alice");
	assert_int_equal(count_events(&t->homes[ALICE], EVENT_READ), 0);
	assert_false(contact(t, BOB, "alice").tells_read);
	engine_settings(at(t, BOB), &settings);
	settings.tells_read = false;
	settings.downloads[0] = '\0';
	assert_int_equal(engine_set_settings(at(t, BOB), &settings), 0);
	assert_int_equal(engine_set_read_marks(at(t, BOB), "alice", -1), 0);
	pass(t, SECOND);
	assert_false(contact(t, BOB, "alice").tells_read);
	assert_int_equal(state_of(t, ALICE, id), MESSAGE_DELIVERED);
	assert_int_equal(engine_set_read_marks(at(t, BOB), "alice", 1), 0);
	pass(t, SECOND);
	assert_int_equal(state_of(t, ALICE, id), MESSAGE_READ);
}

static void our_other_devices_know_what_was_read(void **state)
{
	struct town *t = *state;

	log_in_too(t);
	say(t, &t->homes[BOB], "alice", "one");
	say(t, &t->homes[BOB], "alice", "two");
	pass(t, 3 * SECOND);
	assert_int_equal(contact(t, ALICE, "bob").unread, 2);
	assert_int_equal(contact(t, ALICE_TOO, "bob").unread, 2);
	/* Also to whom read marks are off. */
	assert_int_equal(engine_set_read_marks(at(t, ALICE_TOO), "bob", 0), 0);
	read_all(t, ALICE_TOO, "bob");
	assert_int_equal(contact(t, ALICE, "bob").unread, 0);
	assert_int_equal(count_events(&t->homes[ALICE], EVENT_SEEN), 1);
	assert_int_equal(count_events(&t->homes[ALICE_TOO], EVENT_SEEN), 0);
	say(t, &t->homes[BOB], "alice", "three");
	pass(t, 3 * SECOND);
	assert_int_equal(contact(t, ALICE, "bob").unread, 1);
}

/* What is shown as new on one and was read on another is new for nobody. */
static void our_other_device_is_called_to_hear_what_was_read(void **state)
{
	struct town *t = *state;

	log_in_too(t);
	say(t, &t->homes[BOB], "alice", "one");
	pass(t, REACH_IDLE + 60 * SECOND);
	assert_int_equal(contact(t, ALICE, "bob").unread, 1);
	assert_false(has_link(t, ALICE, true));
	read_all(t, ALICE_TOO, "bob");
	assert_int_equal(contact(t, ALICE, "bob").unread, 0);
	assert_true(has_link(t, ALICE, true));
	assert_false(has_link(t, BOB, false));
}

/* Nobody says it again while the link is up. */
static void what_was_read_and_could_not_be_stored_is_not_forgotten(void **state)
{
	struct town *t = *state;
	uint64_t id;

	log_in_too(t);
	id = say(t, &t->homes[ALICE], "bob", "one");
	say(t, &t->homes[BOB], "alice", "two");
	pass(t, 3 * SECOND);
	assert_int_equal(engine_mark_read(at(t, BOB), "alice",
					  find_event(&t->homes[BOB], EVENT_HEARD)->message.id),
			 0);
	assert_int_equal(
		engine_mark_read(at(t, ALICE_TOO), "bob",
				 find_event(&t->homes[ALICE_TOO], EVENT_HEARD)->message.id),
		0);
	for (unsigned i = 0; i < 10000; i++) { /* each commit fails for a while */
		store_failed(engine_rooms(at(t, ALICE))->store, ERR_FULL);
		pass(t, MILLISECOND / 100);
	}
	assert_int_equal(state_of(t, ALICE, id), MESSAGE_DELIVERED);
	assert_int_equal(contact(t, ALICE, "bob").unread, 1);
	assert_int_equal(count_events(&t->homes[ALICE], EVENT_READ), 0);
	pass(t, 5 * SECOND);
	assert_int_equal(state_of(t, ALICE, id), MESSAGE_READ);
	assert_int_equal(contact(t, ALICE, "bob").unread, 0);
	assert_int_equal(count_events(&t->homes[ALICE], EVENT_READ), 1);
	assert_int_equal(count_events(&t->homes[ALICE], EVENT_SEEN), 1);
}

/* It hears that before it hears the messages. */
static void what_was_read_elsewhere_is_not_new_when_it_comes(void **state)
{
	struct town *t = *state;

	log_in_too(t);
	stop_home(t, &t->homes[ALICE]);
	say(t, &t->homes[BOB], "alice", "one");
	say(t, &t->homes[BOB], "alice", "two");
	pass(t, 3 * SECOND);
	read_all(t, ALICE_TOO, "bob");
	stop_home(t, &t->homes[BOB]);
	start_home(t, &t->homes[ALICE]);
	pass(t, 20 * SECOND);
	assert_int_equal(contact(t, ALICE, "bob").unread, 0);
	start_home(t, &t->homes[BOB]);
	pass(t, 20 * SECOND);
	assert_int_equal(count_events(&t->homes[ALICE], EVENT_HEARD), 2);
	assert_int_equal(contact(t, ALICE, "bob").unread, 0);
}

static bool on_deadline(void *user, const struct message *m)
{
	*(bool *)user = m->life > 0 && m->expires_at > 0;
	return false;
}

static void what_was_read_elsewhere_before_it_came_disappears_in_time(void **state)
{
	struct town *t = *state;
	const struct event *e;
	bool counts = false;

	log_in_too(t);
	assert_int_equal(engine_set_timer(at(t, ALICE_TOO), "bob", 60, 0), 0);
	assert_int_equal(engine_set_timer(at(t, BOB), "alice", 60, 0), 0);
	pass(t, 5 * SECOND);
	stop_home(t, &t->homes[ALICE]);
	forget_events(&t->homes[ALICE]);
	say(t, &t->homes[BOB], "alice", "one");
	pass(t, 3 * SECOND);
	read_all(t, ALICE_TOO, "bob");
	stop_home(t, &t->homes[BOB]);
	start_home(t, &t->homes[ALICE]);
	pass(t, 20 * SECOND);
	start_home(t, &t->homes[BOB]);
	pass(t, 20 * SECOND);
	e = find_event(&t->homes[ALICE], EVENT_HEARD);
	assert_non_null(e);
	assert_int_equal(engine_message(at(t, ALICE), e->message.id, on_deadline, &counts), 0);
	assert_true(counts);
}

static struct way *way_of(struct town *t, unsigned i, bool is_self)
{
	struct way *w = find_way(t, i, is_self);

	if (!w)
		fail_msg("no link");
	return w;
}

static struct way *linked_way(struct town *t, unsigned i)
{
	return way_of(t, i, false);
}

/* A device that is in other hands says so of what nobody has said yet. */
static void what_is_said_to_be_read_far_ahead_is_read_as_far_as_it_is_here(void **state)
{
	struct town *t = *state;
	struct wire_message m = { .type = WIRE_READ };
	struct statement *s;
	struct way *w;

	log_in_too(t);
	say(t, &t->homes[BOB], "alice", "one");
	pass(t, 3 * SECOND);
	w = linked_way(t, ALICE);
	m.read.conversation = w->person->conversation->wire;
	m.read.author = w->device;
	m.read.next = CHAIN_MAX - 1;
	assert_int_equal(
		marks_hear(engine_rooms(at(t, ALICE))->marks, way_of(t, ALICE, true), &m), 0);
	pass(t, 2 * SECOND);
	assert_int_equal(contact(t, ALICE, "bob").unread, 0);
	s = db_sql(engine_db(at(t, ALICE)), "SELECT count(*) FROM chain WHERE read > next");
	assert_int_equal(db_step(s), 1);
	assert_int_equal(column_int(s, 0), 0);
	db_done(s);
	/* While it is ours it may say so at any time; not any more when it is not. */
	assert_int_equal(engine_revoke_device(at(t, ALICE), engine_device(at(t, ALICE_TOO)),
					      ++t->tickets),
			 0);
	assert_int_equal(answer_of(t, &t->homes[ALICE], t->tickets), 0);
	say(t, &t->homes[BOB], "alice", "two");
	pass(t, 100 * SECOND);
	assert_int_equal(contact(t, ALICE, "bob").unread, 1);
}

static void nobody_has_read_what_was_not_said_or_what_is_theirs(void **state)
{
	struct town *t = *state;
	struct rooms *r = engine_rooms(at(t, ALICE));
	struct wire_message m = { .type = WIRE_READ };
	uint64_t id = say(t, &t->homes[ALICE], "bob", "one");
	struct way *w;

	pass(t, SECOND);
	say(t, &t->homes[BOB], "alice", "two");
	pass(t, SECOND);
	w = linked_way(t, ALICE);
	m.read.conversation = w->person->conversation->wire;
	m.read.author = w->device;
	m.read.next = 2;
	assert_int_equal(marks_hear(r->marks, w, &m), ERR_FORMAT);
	m.read.author = *engine_device(at(t, ALICE));
	m.read.next = CHAIN_MAX;
	assert_int_equal(marks_hear(r->marks, w, &m), ERR_FORMAT);
	m.read.next = CHAIN_MAX - 1;
	assert_int_equal(marks_hear(r->marks, w, &m), 0);
	pass(t, SECOND);
	assert_int_equal(state_of(t, ALICE, id), MESSAGE_READ);
	memset(&m.read.author, 7, sizeof m.read.author);
	for (unsigned i = 0; i < 100; i++) {
		m.read.author.bytes[0] = (uint8_t)i;
		assert_int_equal(marks_hear(r->marks, w, &m), 0);
	}
	pass(t, 5 * SECOND);
	assert_int_equal(contact(t, ALICE, "bob").unread, 1);
	assert_true(contact(t, ALICE, "bob").is_linked);
}

static void typing_is_told_and_forgotten(void **state)
{
	struct town *t = *state;

	assert_int_equal(engine_typing(at(t, ALICE), "bob", true), 0);
	pass(t, SECOND);
	assert_int_equal(count_events(&t->homes[BOB], EVENT_TYPING), 0); /* no link, no word */
	say(t, &t->homes[ALICE], "bob", "hello");
	pass(t, 5 * SECOND);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(engine_typing(at(t, ALICE), "bob", true), 0);
		pass(t, 200 * MILLISECOND);
	}
	assert_true(contact(t, BOB, "alice").is_typing);
	assert_int_equal(count_events(&t->homes[BOB], EVENT_TYPING), 1);
	assert_int_equal(find_event(&t->homes[BOB], EVENT_TYPING)->id, 0);
	say(t, &t->homes[ALICE], "bob", "done");
	pass(t, SECOND);
	assert_false(contact(t, BOB, "alice").is_typing);
	pass(t, 5 * SECOND);
	assert_int_equal(engine_typing(at(t, ALICE), "bob", true), 0);
	pass(t, SECOND);
	assert_true(contact(t, BOB, "alice").is_typing);
	pass(t, 7 * SECOND); /* nobody says it again */
	assert_false(contact(t, BOB, "alice").is_typing);
	assert_int_equal(engine_typing(at(t, ALICE), "bob", true), 0);
	pass(t, SECOND);
	stop_home(t, &t->homes[ALICE]);
	pass(t, 12 * SECOND);
	assert_false(contact(t, BOB, "alice").is_typing);
}

static void who_is_hidden_neither_types_nor_reads(void **state)
{
	struct town *t = *state;
	uint64_t id = say(t, &t->homes[BOB], "alice", "hello");

	pass(t, SECOND);
	assert_int_equal(engine_hide_from(at(t, ALICE), "bob", true), 0);
	read_all(t, ALICE, "bob");
	say(t, &t->homes[ALICE], "bob", "hello");
	assert_int_equal(engine_typing(at(t, ALICE), "bob", true), 0);
	pass(t, 5 * SECOND);
	assert_heard(&t->homes[BOB], 0, "hello");
	assert_int_equal(count_events(&t->homes[BOB], EVENT_TYPING), 0);
	assert_int_equal(state_of(t, BOB, id), MESSAGE_DELIVERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, build_couple, raze_town)
		ROW(what_was_read_is_told_and_kept),
		ROW(read_marks_can_be_switched_off_for_one_and_for_all),
		ROW(our_other_devices_know_what_was_read),
		ROW(our_other_device_is_called_to_hear_what_was_read),
		ROW(what_was_read_and_could_not_be_stored_is_not_forgotten),
		ROW(what_was_read_elsewhere_is_not_new_when_it_comes),
		ROW(what_was_read_elsewhere_before_it_came_disappears_in_time),
		ROW(what_is_said_to_be_read_far_ahead_is_read_as_far_as_it_is_here),
		ROW(nobody_has_read_what_was_not_said_or_what_is_theirs),
		ROW(typing_is_told_and_forgotten),
		ROW(who_is_hidden_neither_types_nor_reads),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
