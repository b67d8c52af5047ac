/* Entries about other messages, by the calls of faces: what they change, what they may not, what lasts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "shared/offer.h"
#include "tests/two_chains.h"

/* --- what is changed --- */

static void an_edit_is_the_text_of_now_at_both(void **state)
{
	uint64_t id = say_text(&alice, "on", 0);

	(void)state;
	edit(&alice, id, "one");
	assert_int_equal(alice.peer.last[EVENT_CHANGED].message_id, id);
	assert_int_equal(alice.peer.last[EVENT_CHANGED].change, CHANGE_EDITED);
	assert_int_equal(bring(&alice), 2);
	assert_int_equal(bob.peer.last[EVENT_CHANGED].message_id, newest(&bob));
	both_see(">one*/;");
	edit(&alice, id, "two");
	bring(&alice);
	both_see(">two*/;");
	assert_int_equal(bob.peer.counts[EVENT_HEARD], 1);
	assert_int_equal(them(&bob)->conversation->unread, 1);
}

static void the_newest_edit_counts_also_where_the_clock_was_put_back(void **state)
{
	uint64_t id = say_text(&alice, "on", 0);

	(void)state;
	edit(&alice, id, "one");
	alice.wall -= 1000000;
	edit(&alice, id, "two");
	bring(&alice);
	both_see(">two*/;");
}

static void a_retraction_leaves_a_mark_and_nothing_else(void **state)
{
	uint64_t id = say_text(&alice, "secret", 0);

	(void)state;
	bring(&alice);
	react(&bob, newest(&bob), "x y");
	bring_all();
	edit(&alice, id, "more secret");
	bring(&alice);
	retract(&alice, id);
	bring(&alice);
	both_see(">#/;");
	assert_int_equal(bob.peer.last[EVENT_CHANGED].change, CHANGE_RETRACTED);
	assert_int_equal(engine_edit(alice.peer.engine, id, bytes_text("no"), 1), ERR_STATE);
	assert_int_equal(engine_react(bob.peer.engine, newest(&bob), bytes_text("x"), 1),
			 ERR_STATE);
}

static void what_was_taken_back_before_it_came_is_gone_and_the_chain_goes_on(void **state)
{
	uint64_t id = say_text(&alice, "secret", 0), other_id;

	(void)state;
	edit(&alice, id, "edited secret");
	react(&alice, id, "me");
	other_id = say_text(&alice, "next", 0);
	retract(&alice, id);
	react(&alice, other_id, "fine");
	assert_int_equal(bring(&alice), 6);
	assert_string_equal(seen_by(&alice), ">#/;>nextfine/;");
	assert_string_equal(seen_by(&bob), "<#/;<next/fine;");
	assert_string_equal(bob.peer.heard, "next ");
	assert_int_equal(them(&bob)->conversation->unread, 1);
}

static void reactions_are_all_that_somebody_has_at_a_time(void **state)
{
	uint64_t id = say_text(&alice, "hi", 0), theirs;

	(void)state;
	bring(&alice);
	theirs = newest(&bob);
	react(&bob, theirs, "\xf0\x9f\x91\x8d \xe2\x9d\xa4");
	react(&alice, id, "+");
	bring_all();
	assert_string_equal(seen_by(&alice), ">hi+/\xf0\x9f\x91\x8d \xe2\x9d\xa4;");
	assert_string_equal(seen_by(&bob), "<hi\xf0\x9f\x91\x8d \xe2\x9d\xa4/+;");
	react(&bob, theirs, "");
	bring_all();
	assert_string_equal(seen_by(&alice), ">hi+/;");
	assert_int_equal(engine_react(bob.peer.engine, theirs, bytes_text("a  b"), 1),
			 ERR_FORMAT);
	assert_int_equal(engine_react(bob.peer.engine, theirs, bytes_text("a a"), 1),
			 ERR_FORMAT);
	assert_int_equal(engine_react(bob.peer.engine, theirs, bytes_text("a "), 1),
			 ERR_FORMAT);
	assert_int_equal(engine_react(bob.peer.engine, theirs, bytes_text("a\x7f"), 1),
			 ERR_FORMAT);
	assert_int_equal(engine_react(bob.peer.engine, theirs, bytes_text("a\xe2\x80\xae"), 1),
			 ERR_FORMAT);
	assert_int_equal(
		engine_react(bob.peer.engine, theirs, bytes_text("1 2 3 4 5 6 7 8 9"), 1),
		ERR_LIMIT);
	assert_int_equal(engine_react(bob.peer.engine, theirs,
				      bytes_text("123456789012345678901234567890123"), 1),
			 ERR_LIMIT);
}

static void a_reply_names_what_it_replies_to(void **state)
{
	uint64_t id = say_text(&alice, "question", 0);

	(void)state;
	bring(&alice);
	say_text(&bob, "answer", newest(&bob));
	bring(&bob);
	assert_int_equal(alice.peer.last[EVENT_HEARD].message.reply_to, id);
	assert_int_equal(engine_send(alice.peer.engine, "bob", bytes_text("x"), id + 1000, 5),
			 0);
	step(&alice);
	assert_int_equal(alice.peer.last[EVENT_ANSWER].error, ERR_NOT_FOUND);
}

/* --- files, timers, what is unread --- */

static struct bytes an_offer(struct buf *room)
{
	struct offer offer = { .size = 5,
			       .name = bytes_text("a.txt"),
			       .caption = bytes_text("look"),
			       .type = bytes_text("text/plain") };

	room->size = 0;
	memset(offer.id, 7, sizeof offer.id);
	assert_int_equal(offer_encode(&offer, room), 0);
	return buf_view(room);
}

static void a_file_has_a_caption_that_can_be_edited_away(void **state)
{
	struct buf room = { 0 };
	struct conversation_news news;
	uint64_t id = 0;
	struct to_say what = { .kind = SAY_FILE, .body = an_offer(&room) };

	(void)state;
	assert_int_equal(conversations_say_entry(alice.peer.rooms->conversations, them(&alice),
						 &what, &id),
			 0);
	assert_true(conversations_next_news(alice.peer.rooms->conversations, &news));
	assert_int_equal(news.kind, NEWS_FILE);
	assert_true(news.is_here && news.is_ours);
	assert_int_equal(news.message, id);
	assert_true(bytes_equal(news.offer, buf_view(&room)));
	assert_false(conversations_next_news(alice.peer.rooms->conversations, &news));
	step(&alice);
	assert_int_equal(alice.peer.last[EVENT_SAID].message.kind, MESSAGE_FILE);
	bring(&alice);
	assert_int_equal(bob.peer.last[EVENT_HEARD].message.file.size, 5);
	assert_string_equal(bob.peer.heard, "look ");
	edit(&alice, id, "");
	bring(&alice);
	both_see(">*/;");
	conversations_wipe(alice.peer.rooms->conversations, them(&alice), id, ENTRY_GONE);
	assert_true(conversations_next_news(alice.peer.rooms->conversations, &news));
	assert_int_equal(news.kind, NEWS_WIPED);
	assert_true(bytes_equal(news.offer, buf_view(&room)));
	step(&alice);
	assert_string_equal(seen_by(&alice), ">~/;");
	buf_clear(&room);
}

static void what_is_taken_back_is_not_unread_any_more(void **state)
{
	uint64_t first = say_text(&alice, "one", 0), second = say_text(&alice, "two", 0);

	(void)state;
	bring(&alice);
	assert_int_equal(them(&bob)->conversation->unread, 2);
	retract(&alice, second);
	bring(&alice);
	assert_int_equal(them(&bob)->conversation->unread, 1);
	assert_int_equal(engine_mark_read(bob.peer.engine, "alice",
					  bob.peer.last[EVENT_HEARD].message.id),
			 0);
	step(&bob);
	retract(&alice, first);
	say_text(&alice, "three", 0);
	bring(&alice);
	assert_int_equal(them(&bob)->conversation->unread, 1);
}

static void messages_get_a_life_when_both_wish_it(void **state)
{
	(void)state;
	done(&alice, engine_set_timer(alice.peer.engine, "bob", 60, 1));
	say_text(&alice, "stays", 0);
	assert_int_equal(alice.peer.last[EVENT_SAID].message.life, 0);
	bring(&alice);
	assert_int_equal(bob.peer.counts[EVENT_TIMER], 1);
	assert_true(bob.peer.last[EVENT_TIMER].is_theirs);
	done(&bob, engine_set_timer(bob.peer.engine, "alice", 100, 1));
	bring(&bob);
	say_text(&alice, "goes", 0);
	assert_int_equal(alice.peer.last[EVENT_SAID].message.life, 100);
	done(&alice, engine_set_timer(alice.peer.engine, "bob", 0, 1));
	say_text(&alice, "stays", 0);
	assert_int_equal(alice.peer.last[EVENT_SAID].message.life, 0);
	bring(&alice);
	assert_int_equal(them(&bob)->conversation->their_timer.life, 0);
	assert_int_equal(them(&bob)->conversation->our_timer.life, 100);
}

/* As a version before has stored it, of another device of ours. */
static void a_timer_that_was_dated_at_the_end_of_time_can_be_changed(void **state)
{
	(void)state;
	assert_int_equal(db_exec(engine_db(alice.peer.engine),
				 "UPDATE contact SET our_timer = 9,"
				 " our_timer_at = 9223372036854775807"),
			 0);
	peer_close(&alice.peer);
	peer_open(&alice.peer, NOW, WALL);
	assert_int_equal(them(&alice)->conversation->our_timer.life, 9);
	done(&alice, engine_set_timer(alice.peer.engine, "bob", 0, 1));
	bring(&alice);
	assert_int_equal(them(&alice)->conversation->our_timer.life, 0);
	peer_close(&alice.peer);
	peer_open(&alice.peer, NOW, WALL);
	assert_int_equal(them(&alice)->conversation->our_timer.life, 0);
}

static void what_is_forwarded_says_so(void **state)
{
	uint64_t id = say_text(&alice, "wise", 0);

	(void)state;
	done(&alice, engine_forward(alice.peer.engine, id, "bob", 1));
	bring(&alice);
	assert_true(bob.peer.last[EVENT_HEARD].message.is_forwarded);
	both_see(">wise/;>wise/;");
}

/* --- what lasts --- */

static void all_is_as_it_was_after_a_restart(void **state)
{
	uint64_t id = say_text(&alice, "one", 0), two = say_text(&alice, "two", 0);
	struct message_hash last;

	(void)state;
	edit(&alice, id, "won");
	retract(&alice, two);
	done(&alice, engine_set_timer(alice.peer.engine, "bob", 60, 1));
	last = them(&alice)->conversation->ours.last;
	peer_close(&alice.peer);
	peer_open(&alice.peer, NOW, WALL);
	assert_memory_equal(them(&alice)->conversation->ours.last.bytes, last.bytes, 32);
	assert_int_equal(them(&alice)->conversation->our_timer.life, 60);
	bring(&alice);
	both_see(">won*/;>#/;");
	assert_memory_equal(bob.chain.last.bytes, last.bytes, 32);
}

static void an_effect_that_could_not_be_stored_has_not_been(void **state)
{
	uint64_t id = say_text(&alice, "one", 0);

	(void)state;
	assert_int_equal(engine_edit(alice.peer.engine, id, bytes_text("two"), 1), 0);
	store_write(alice.peer.rooms->store);
	store_failed(alice.peer.rooms->store, ERR_FULL);
	step(&alice);
	assert_int_equal(alice.peer.last[EVENT_ANSWER].error, ERR_FULL);
	assert_int_equal(alice.peer.counts[EVENT_CHANGED], 0);
	bring(&alice);
	both_see(">one/;");
	edit(&alice, id, "two");
	bring(&alice);
	both_see(">two*/;");
}

static bool fits(void *user, const struct wire_say *say)
{
	static const enum say_kind kinds[] = { SAY_TEXT, SAY_GONE, SAY_EDIT, SAY_RETRACT };
	struct chain *c = user;

	assert_int_equal(say->seq, c->next);
	assert_int_equal(say->kind, kinds[say->seq - 1]);
	assert_memory_equal(say->previous.bytes, c->last.bytes, 32);
	c->last = message_hash(say);
	c->next++;
	return true;
}

static void before_the_identity_is_known_entries_wait_with_their_message(void **state)
{
	struct peer carol = { 0 };
	struct chain c = { .next = 1 };
	struct person *p;
	uint64_t id, two;

	(void)state;
	peer_make(&carol, "carol");
	assert_int_equal(engine_add(alice.peer.engine, "carol", NULL, NULL), 0);
	step(&alice);
	id = done(&alice, engine_send(alice.peer.engine, "carol", bytes_text("one"), 0, 1));
	two = done(&alice, engine_send(alice.peer.engine, "carol", bytes_text("two"), id, 1));
	edit(&alice, id, "won");
	retract(&alice, two);
	p = peer_person(&alice.peer, "carol");
	p->identity = carol.identity.public;
	p->has_identity = true;
	conversations_identified(alice.peer.rooms->conversations, p, false);
	step(&alice);
	assert_int_equal(p->conversation->ours.next, 5);
	assert_int_equal(conversations_said(alice.peer.rooms->conversations, p, 1, fits, &c),
			 0);
	assert_int_equal(c.next, 5);
	assert_memory_equal(c.last.bytes, p->conversation->ours.last.bytes, 32);
	peer_remove(&carol);
}

static void what_was_wiped_is_not_told_twice_and_can_still_be_taken_back(void **state)
{
	uint64_t id = say_text(&alice, "one", 0);

	(void)state;
	bring(&alice);
	assert_int_equal(conversations_wipe(bob.peer.rooms->conversations, them(&bob),
					    newest(&bob), ENTRY_GONE),
			 0);
	step(&bob);
	assert_int_equal(bob.peer.last[EVENT_CHANGED].change, CHANGE_GONE);
	assert_string_equal(seen_by(&bob), "<~/;");
	assert_int_equal(conversations_wipe(bob.peer.rooms->conversations, them(&bob),
					    newest(&bob), ENTRY_GONE),
			 0);
	step(&bob);
	assert_int_equal(bob.peer.counts[EVENT_CHANGED], 1);
	edit(&alice, id, "two");
	retract(&alice, id);
	bring(&alice);
	assert_string_equal(seen_by(&bob), "<#/;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHAINS(an_edit_is_the_text_of_now_at_both),
		CHAINS(the_newest_edit_counts_also_where_the_clock_was_put_back),
		CHAINS(a_retraction_leaves_a_mark_and_nothing_else),
		CHAINS(what_was_taken_back_before_it_came_is_gone_and_the_chain_goes_on),
		CHAINS(reactions_are_all_that_somebody_has_at_a_time),
		CHAINS(a_reply_names_what_it_replies_to),
		CHAINS(a_timer_that_was_dated_at_the_end_of_time_can_be_changed),
		CHAINS(a_file_has_a_caption_that_can_be_edited_away),
		CHAINS(what_is_taken_back_is_not_unread_any_more),
		CHAINS(messages_get_a_life_when_both_wish_it),
		CHAINS(what_is_forwarded_says_so),
		CHAINS(all_is_as_it_was_after_a_restart),
		CHAINS(an_effect_that_could_not_be_stored_has_not_been),
		CHAINS(before_the_identity_is_known_entries_wait_with_their_message),
		CHAINS(what_was_wiped_is_not_told_twice_and_can_still_be_taken_back),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
