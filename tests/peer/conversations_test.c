#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "peer/persons.h"
#include "shared/error.h"
#include "tests/peer_fixture.h"

#define NOW  SECOND
#define WALL ((wall_ms)1700000000000)

static struct peer alice, bob;
static struct chain chain; /* what bob holds of alice */

static int begin(void **state)
{
	(void)state;
	peer_make_friends(&alice, &bob, NOW, WALL);
	conversations_chain(bob.rooms->conversations, peer_person(&bob, "alice"),
			    &alice.device.public, false, &chain);
	return 0;
}

static int end(void **state)
{
	(void)state;
	peer_remove(&alice);
	peer_remove(&bob);
	return 0;
}

static void say(const char *text)
{
	assert_int_equal(engine_send(alice.engine, "bob", bytes_text(text), 0, 1), 0);
	peer_step(&alice, NOW, WALL);
	assert_int_equal(alice.last[EVENT_ANSWER].error, 0);
}

struct delivery {
	enum heard heard[16];
	unsigned count, limit;
	bool is_answer;
};

static bool deliver(void *user, const struct wire_say *say)
{
	struct delivery *d = user;
	struct wire_message m = { .type = WIRE_SAY, .say = *say }, decoded;
	struct buf raw = { 0 };

	assert_int_equal(wire_encode(&m, &raw), 0);
	assert_int_equal(wire_decode(&decoded, buf_view(&raw), WIRE_FROM_PEER), 0);
	d->heard[d->count++] = conversations_hear(bob.rooms->conversations,
						  peer_person(&bob, "alice"), &chain,
						  &decoded.say, d->is_answer);
	buf_clear(&raw);
	return d->count < d->limit;
}

static struct delivery bring(uint64_t from, unsigned limit, bool is_answer)
{
	struct delivery d = { .limit = limit, .is_answer = is_answer };

	assert_int_equal(conversations_said(alice.rooms->conversations,
					    peer_person(&alice, "bob"), from, deliver, &d),
			 0);
	conversations_save_chain(bob.rooms->conversations, peer_person(&bob, "alice"), &chain);
	peer_step(&bob, NOW, WALL);
	return d;
}

static void what_is_said_is_heard_in_order(void **state)
{
	struct delivery d;

	(void)state;
	say("one");
	say("two");
	d = bring(1, 16, false);
	assert_int_equal(d.count, 2);
	assert_int_equal(d.heard[0], HEARD_NEW);
	assert_int_equal(d.heard[1], HEARD_NEW);
	assert_string_equal(bob.heard, "one two ");
}

static void what_comes_again_is_known(void **state)
{
	(void)state;
	say("one");
	bring(1, 16, false);
	assert_int_equal(bring(1, 16, false).heard[0], HEARD_AGAIN);
	assert_string_equal(bob.heard, "one ");
}

static void a_gap_is_noticed_and_taken_only_when_it_stays(void **state)
{
	(void)state;
	say("one");
	say("two");
	say("three");
	bring(1, 1, false);
	assert_int_equal(bring(3, 1, false).heard[0], HEARD_GAP);
	assert_string_equal(bob.heard, "one ");
	assert_int_equal(bring(3, 1, true).heard[0], HEARD_NEW);
	assert_string_equal(bob.heard, "one three ");
	assert_int_equal(bob.counts[EVENT_WARNING], 1);
}

static void another_past_under_the_same_number_is_a_gap(void **state)
{
	(void)state;
	say("one");
	say("two");
	bring(1, 1, false);
	chain.last.bytes[0] ^= 1;
	assert_int_equal(bring(2, 1, false).heard[0], HEARD_GAP);
}

static void a_chain_goes_on_after_a_restart(void **state)
{
	(void)state;
	say("one");
	bring(1, 16, false);
	peer_close(&alice);
	peer_close(&bob);
	peer_open(&alice, NOW, WALL);
	peer_open(&bob, NOW, WALL);
	conversations_chain(bob.rooms->conversations, peer_person(&bob, "alice"),
			    &alice.device.public, false, &chain);
	assert_int_equal(chain.next, 2);
	say("two");
	assert_int_equal(bring(2, 16, false).heard[0], HEARD_NEW);
	assert_string_equal(bob.heard, "one two ");
}

/* As when its author is cut off in the moment in which it is heard: nobody saves the chain. */
static void what_is_heard_is_stored_together_with_its_place(void **state)
{
	struct delivery d = { .limit = 16 };

	(void)state;
	say("one");
	say("two");
	assert_int_equal(conversations_said(alice.rooms->conversations,
					    peer_person(&alice, "bob"), 1, deliver, &d),
			 0);
	peer_step(&bob, NOW, WALL);
	conversations_chain(bob.rooms->conversations, peer_person(&bob, "alice"),
			    &alice.device.public, false, &chain);
	assert_int_equal(chain.next, 3);
	say("three");
	d = bring(1, 16, false);
	assert_int_equal(d.heard[1], HEARD_AGAIN);
	assert_int_equal(d.heard[2], HEARD_NEW);
	assert_string_equal(bob.heard, "one two three ");
	assert_int_equal(bob.counts[EVENT_WARNING], 0);
}

static void what_was_said_before_the_key_was_known_is_said_under_it(void **state)
{
	struct peer carol;
	struct person *person;

	(void)state;
	peer_make(&carol, "carol");
	assert_int_equal(engine_add(alice.engine, "carol", NULL, NULL), 0);
	assert_int_equal(engine_send(alice.engine, "carol", bytes_text("early"), 0, 2), 0);
	peer_step(&alice, NOW, WALL);
	person = peer_person(&alice, "carol");
	assert_false(person->conversation->has_identity);
	peer_tell_presence(&alice, &carol, NULL, true);
	peer_step(&alice, NOW, WALL);
	assert_true(person->conversation->has_identity);
	assert_int_equal(person->conversation->ours.next, 2);
	assert_true(conversations_agrees(alice.rooms->conversations, person, 2,
					 &person->conversation->ours.last));
	peer_remove(&carol);
}

static void a_reply_names_the_same_message_on_both_sides(void **state)
{
	uint64_t id;
	struct event e;

	(void)state;
	say("question");
	bring(1, 16, false);
	assert_int_equal(engine_send(alice.engine, "bob", bytes_text("more"),
				     alice.last[EVENT_SAID].message.id, 5),
			 0);
	peer_step(&alice, NOW, WALL);
	id = bob.last[EVENT_HEARD].message.id;
	bring(2, 16, false);
	e = bob.last[EVENT_HEARD];
	assert_int_equal(e.message.reply_to, id);
	assert_int_equal(engine_send(alice.engine, "bob", bytes_text("x"), 999999, 6), 0);
	peer_step(&alice, NOW, WALL);
	assert_int_equal(alice.last[EVENT_ANSWER].error, ERR_NOT_FOUND);
}

static void a_failed_commit_takes_a_message_back_whole(void **state)
{
	struct person *p = peer_person(&alice, "bob");

	(void)state;
	say("one");
	assert_int_equal(engine_send(alice.engine, "bob", bytes_text("two"), 0, 9), 0);
	store_failed(alice.rooms->store, ERR_FULL);
	peer_step(&alice, NOW, WALL);
	assert_int_equal(alice.last[EVENT_ANSWER].error, ERR_FULL);
	assert_int_equal(p->conversation->ours.next, 2);
	say("three");
	bring(1, 16, false);
	assert_string_equal(bob.heard, "one three ");
}

static void an_older_copy_says_again_what_was_not_delivered(void **state)
{
	struct person *p = peer_person(&alice, "bob");
	struct message_hash last = { { 7 } };

	(void)state;
	say("one");
	say("two");
	conversations_delivered(alice.rooms->conversations, p, 2);
	assert_false(conversations_agrees(alice.rooms->conversations, p, 9, &last));
	conversations_adopt(alice.rooms->conversations, p, 9, &last);
	peer_step(&alice, NOW, WALL);
	assert_int_equal(p->conversation->ours.next, 10);
	chain = (struct chain){ .next = 9, .last = last };
	assert_int_equal(bring(9, 16, false).heard[0], HEARD_NEW);
	assert_string_equal(bob.heard, "two ");
}

static void unread_counts_what_was_heard_until_it_is_read(void **state)
{
	struct contact c;

	(void)state;
	say("one");
	say("two");
	bring(1, 16, false);
	assert_int_equal(engine_contact(bob.engine, "alice", &c), 0);
	assert_int_equal(c.unread, 2);
	assert_int_equal(
		engine_mark_read(bob.engine, "alice", bob.last[EVENT_HEARD].message.id - 1), 0);
	assert_int_equal(engine_contact(bob.engine, "alice", &c), 0);
	assert_int_equal(c.unread, 1);
	peer_close(&bob);
	peer_open(&bob, NOW, WALL);
	assert_int_equal(engine_contact(bob.engine, "alice", &c), 0);
	assert_int_equal(c.unread, 1);
	assert_int_equal(engine_contact(alice.engine, "bob", &c), 0);
	assert_int_equal(c.queued, 2);
}

/* --- another identity, theirs or ours --- */

static struct identity_public another = { { 77 } };

/* As contacts do it when a key changes. */
static struct person *changes_key(bool keep_queued)
{
	struct person *p = peer_person(&alice, "bob");

	randombytes_buf(&another, sizeof another);
	p->identity = another;
	persons_save(alice.rooms->persons, p);
	conversations_identified(alice.rooms->conversations, p, keep_queued);
	peer_step(&alice, NOW, WALL);
	return p;
}

static bool join_texts(void *user, const struct wire_say *say)
{
	buf_append(user, say->body);
	buf_append(user, bytes_text(" "));
	return true;
}

static void assert_owes(const char *texts)
{
	struct buf said = { 0 };

	conversations_said(alice.rooms->conversations, peer_person(&alice, "bob"), 1,
			   join_texts, &said);
	assert_true(bytes_equal(buf_view(&said), bytes_text(texts)));
	buf_clear(&said);
}

static void what_was_queued_under_a_key_is_held_until_it_is_released(void **state)
{
	struct person *p = peer_person(&alice, "bob");
	int64_t before = p->conversation->id;

	(void)state;
	say("one");
	say("two");
	say("three");
	conversations_delivered(alice.rooms->conversations, p, 2);
	p = changes_key(true);
	assert_int_not_equal(p->conversation->id, before);
	assert_int_equal(conversations_held(p), 2);
	assert_owes("");
	say("four");
	assert_owes("four ");
	p = changes_key(true);
	assert_int_equal(conversations_held(p), 3);
	say("five");
	peer_close(&alice);
	peer_open(&alice, NOW, WALL);
	p = peer_person(&alice, "bob");
	assert_int_equal(conversations_held(p), 3);
	conversations_release_held(alice.rooms->conversations, p);
	peer_step(&alice, NOW, WALL);
	assert_int_equal(conversations_held(p), 0);
	assert_owes("five two three four ");
	peer_close(&alice);
	peer_open(&alice, NOW, WALL);
	assert_int_equal(conversations_held(peer_person(&alice, "bob")), 0);
	assert_owes("five two three four ");
	/* Who waits for "five" hears of it, whatever old ids stand behind it. */
	p = peer_person(&alice, "bob");
	conversations_delivered(alice.rooms->conversations, p, 4);
	engine_mark_read(alice.engine, "bob", 1);
	peer_step(&alice, NOW, WALL);
	assert_int_equal(alice.last[EVENT_DELIVERED].message_id,
			 alice.last[EVENT_SAID].message.id);
}

static void what_was_queued_goes_on_where_nothing_is_held(void **state)
{
	struct person *p;

	(void)state;
	say("one");
	p = changes_key(false);
	assert_int_equal(conversations_held(p), 0);
	assert_owes("one ");
	say("two");
	assert_owes("one two ");
}

static void a_release_that_could_not_be_stored_holds_on(void **state)
{
	struct person *p;

	(void)state;
	say("one");
	p = changes_key(true);
	conversations_release_held(alice.rooms->conversations, p);
	store_failed(alice.rooms->store, ERR_FULL);
	peer_step(&alice, NOW, WALL);
	assert_int_equal(conversations_held(p), 1);
	assert_owes("");
}

static void with_another_identity_of_ours_every_conversation_begins_anew(void **state)
{
	struct person *p = peer_person(&alice, "bob");
	struct conversation_id before = p->conversation->wire;
	struct statement *s;

	(void)state;
	say("one");
	say("two");
	conversations_delivered(alice.rooms->conversations, p, 2);
	peer_step(&alice, NOW, WALL);
	conversations_rekeyed(alice.rooms->conversations);
	assert_memory_equal(&p->conversation->wire, &before, sizeof before); /* it is not */
	/* The conversation was of another identity of ours than the account's. */
	store_write(alice.rooms->store);
	s = db_sql(store_db(alice.rooms->store), "UPDATE conversation SET ours = ?");
	bind_bytes(s, 1, BYTES(another.bytes));
	store_run(alice.rooms->store, s);
	conversations_rekeyed(alice.rooms->conversations);
	peer_step(&alice, NOW, WALL);
	assert_owes("two ");
	assert_int_equal(p->conversation->ours.next, 2);
	assert_true(conversations_agrees(alice.rooms->conversations, p, 2,
					 &p->conversation->ours.last));
	/* ... nor is a home that ended in between stuck with it */
	store_write(alice.rooms->store);
	s = db_sql(store_db(alice.rooms->store), "UPDATE conversation SET ours = NULL");
	store_run(alice.rooms->store, s);
	peer_step(&alice, NOW, WALL);
	peer_close(&alice);
	peer_open(&alice, NOW, WALL);
	assert_owes("two ");
}

static void what_our_other_device_says_again_is_shown_once(void **state)
{
	struct person *p = peer_person(&bob, "alice");
	struct device_public sibling = { { 5 } };
	struct wire_say said = { .author = sibling, .seq = 1, .time = 99, .kind = SAY_TEXT };
	struct chain theirs;
	struct event first;

	(void)state;
	said.body = bytes_text("again");
	conversations_chain(bob.rooms->conversations, p, &sibling, true, &theirs);
	assert_int_equal(conversations_hear(bob.rooms->conversations, p, &theirs, &said, false),
			 HEARD_NEW);
	conversations_save_chain(bob.rooms->conversations, p, &theirs);
	peer_step(&bob, NOW, WALL);
	first = bob.last[EVENT_SAID];
	p->identity = another;
	conversations_identified(bob.rooms->conversations, p, true);
	conversations_chain(bob.rooms->conversations, p, &sibling, true, &theirs);
	assert_int_equal(conversations_hear(bob.rooms->conversations, p, &theirs, &said, false),
			 HEARD_NEW);
	conversations_delivered_there(&theirs, 2);
	conversations_save_chain(bob.rooms->conversations, p, &theirs);
	peer_step(&bob, NOW, WALL);
	assert_int_equal(bob.counts[EVENT_SAID], 1);
	assert_int_equal(bob.counts[EVENT_DELIVERED], 1);
	assert_int_equal(bob.last[EVENT_DELIVERED].message_id, first.message.id);
	assert_int_equal(conversations_held(p), 0);
}

/* Alice did not learn that bob has it, and says it again under the new key. */
static void what_a_contact_says_again_after_a_key_change_is_shown_once(void **state)
{
	struct person *p = peer_person(&bob, "alice");
	struct wire_say said = {
		.author = alice.device.public, .seq = 1, .time = 99, .kind = SAY_TEXT
	};
	struct chain theirs;

	(void)state;
	said.body = bytes_text("again");
	conversations_chain(bob.rooms->conversations, p, &said.author, false, &theirs);
	assert_int_equal(conversations_hear(bob.rooms->conversations, p, &theirs, &said, false),
			 HEARD_NEW);
	conversations_save_chain(bob.rooms->conversations, p, &theirs);
	peer_step(&bob, NOW, WALL);
	p->identity = another;
	conversations_identified(bob.rooms->conversations, p, true);
	conversations_chain(bob.rooms->conversations, p, &said.author, false, &theirs);
	assert_int_equal(conversations_hear(bob.rooms->conversations, p, &theirs, &said, false),
			 HEARD_NEW);
	assert_int_equal(theirs.next, 2);
	said.seq = 2;
	said.previous = theirs.last;
	said.body = bytes_text("new");
	assert_int_equal(conversations_hear(bob.rooms->conversations, p, &theirs, &said, false),
			 HEARD_NEW);
	conversations_save_chain(bob.rooms->conversations, p, &theirs);
	peer_step(&bob, NOW, WALL);
	assert_int_equal(bob.counts[EVENT_HEARD], 2);
	assert_string_equal(bob.heard, "again new ");
}

enum { BURST = 600 };

/* Heard all of them, in the conversation of now. */
static void hear_burst(struct person *p, unsigned first)
{
	struct wire_say said = { .author = alice.device.public, .time = 99, .kind = SAY_TEXT };
	struct chain theirs;
	char text[16];

	conversations_chain(bob.rooms->conversations, p, &said.author, false, &theirs);
	for (unsigned i = first; i < BURST; i++) {
		snprintf(text, sizeof text, "%u", i);
		said.seq = theirs.next;
		said.previous = theirs.last;
		said.body = bytes_text(text);
		assert_int_equal(
			conversations_hear(bob.rooms->conversations, p, &theirs, &said, false),
			HEARD_NEW);
	}
	conversations_save_chain(bob.rooms->conversations, p, &theirs);
	peer_step(&bob, NOW, WALL);
}

static unsigned count_messages(struct peer *of)
{
	struct statement *s = db_sql(engine_db(of->engine), "SELECT count(*) FROM message");
	unsigned count;

	assert_int_equal(db_step(s), 1);
	count = (unsigned)column_int(s, 0);
	db_done(s);
	return count;
}

/* A look at all of a moment, for each of them, would cost its square. */
static void a_burst_of_one_moment_that_is_said_again_is_shown_once(void **state)
{
	struct person *p = peer_person(&bob, "alice");
	struct statement *s;

	(void)state;
	hear_burst(p, 0);
	for (unsigned change = 1; change <= 3; change++) {
		p->identity.bytes[0]++; /* another one each time, whatever it was */
		conversations_identified(bob.rooms->conversations, p, true);
		hear_burst(p, change);
		assert_int_equal(count_messages(&bob), BURST);
	}
	/* Each stands in the table once, at most: nobody fills it by changing keys. */
	s = db_sql(engine_db(bob.engine), "SELECT count(*) FROM again");
	assert_int_equal(db_step(s), 1);
	assert_true(column_int(s, 0) < BURST);
	db_done(s);
}

/* It has moved what waited to the new conversation, where all arrived; then the key was once more
 * the one before, and it told of the conversation found again that all of it is delivered. */
static void what_our_other_device_calls_delivered_may_still_be_said_again(void **state)
{
	struct person *p = peer_person(&bob, "alice");
	struct device_public sibling = { { 5 } };
	struct wire_say said = { .author = sibling, .seq = 1, .time = 99, .kind = SAY_TEXT };
	struct chain theirs;

	(void)state;
	said.body = bytes_text("again");
	conversations_chain(bob.rooms->conversations, p, &sibling, true, &theirs);
	assert_int_equal(conversations_hear(bob.rooms->conversations, p, &theirs, &said, false),
			 HEARD_NEW);
	conversations_delivered_there(&theirs, 2);
	conversations_save_chain(bob.rooms->conversations, p, &theirs);
	peer_step(&bob, NOW, WALL);
	p->identity = another;
	conversations_identified(bob.rooms->conversations, p, true);
	conversations_chain(bob.rooms->conversations, p, &sibling, true, &theirs);
	assert_int_equal(conversations_hear(bob.rooms->conversations, p, &theirs, &said, false),
			 HEARD_NEW);
	conversations_save_chain(bob.rooms->conversations, p, &theirs);
	peer_step(&bob, NOW, WALL);
	assert_int_equal(bob.counts[EVENT_SAID], 1);
}

/* As a version before left it, which wrote the place in the chain later than the message. */
static void a_message_whose_place_was_lost_is_known_and_the_next_one_heard(void **state)
{
	struct statement *s;

	(void)state;
	say("one");
	say("two");
	bring(1, 2, false);
	store_write(bob.rooms->store);
	s = db_sql(store_db(bob.rooms->store),
		   "UPDATE chain SET next = 1, last = zeroblob(32)");
	store_run(bob.rooms->store, s);
	peer_step(&bob, NOW, WALL);
	conversations_chain(bob.rooms->conversations, peer_person(&bob, "alice"),
			    &alice.device.public, false, &chain);
	assert_int_equal(chain.next, 1);
	say("three");
	bring(1, 16, false);
	assert_string_equal(bob.heard, "one two three ");
	assert_int_equal(peer_person(&bob, "alice")->conversation->unread, 3);
	assert_int_equal(chain.next, 4);
}

static void a_key_that_comes_back_finds_its_conversation_again(void **state)
{
	struct person *p = peer_person(&alice, "bob");
	struct identity_public before = p->identity;
	struct conversation_id first = p->conversation->wire;

	(void)state;
	say("one");
	say("two");
	conversations_delivered(alice.rooms->conversations, p, 2);
	p->identity = another;
	conversations_identified(alice.rooms->conversations, p, true);
	peer_step(&alice, NOW, WALL);
	assert_int_equal(conversations_held(p), 1);
	assert_int_equal(p->conversation->ours.next, 1);
	p->identity = before;
	conversations_identified(alice.rooms->conversations, p, true);
	peer_step(&alice, NOW, WALL);
	assert_memory_equal(&p->conversation->wire, &first, sizeof first);
	assert_int_equal(p->conversation->ours.next, 3);
	assert_int_equal(p->conversation->delivered, 2);
	assert_int_equal(conversations_held(p), 0);
	assert_int_equal(bring(1, 16, false).count, 2);
	assert_string_equal(bob.heard, "one two ");
}

#define TALK(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TALK(what_is_said_is_heard_in_order),
		TALK(what_comes_again_is_known),
		TALK(a_gap_is_noticed_and_taken_only_when_it_stays),
		TALK(another_past_under_the_same_number_is_a_gap),
		TALK(a_chain_goes_on_after_a_restart),
		TALK(what_is_heard_is_stored_together_with_its_place),
		TALK(what_was_said_before_the_key_was_known_is_said_under_it),
		TALK(a_reply_names_the_same_message_on_both_sides),
		TALK(a_failed_commit_takes_a_message_back_whole),
		TALK(an_older_copy_says_again_what_was_not_delivered),
		TALK(unread_counts_what_was_heard_until_it_is_read),
		TALK(what_was_queued_under_a_key_is_held_until_it_is_released),
		TALK(what_was_queued_goes_on_where_nothing_is_held),
		TALK(a_release_that_could_not_be_stored_holds_on),
		TALK(with_another_identity_of_ours_every_conversation_begins_anew),
		TALK(what_our_other_device_says_again_is_shown_once),
		TALK(what_a_contact_says_again_after_a_key_change_is_shown_once),
		TALK(a_burst_of_one_moment_that_is_said_again_is_shown_once),
		TALK(what_our_other_device_calls_delivered_may_still_be_said_again),
		TALK(a_message_whose_place_was_lost_is_known_and_the_next_one_heard),
		TALK(a_key_that_comes_back_finds_its_conversation_again),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
