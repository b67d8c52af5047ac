/* Entries about other messages: what they change, in any order, and what they may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/persons.h"
#include "shared/error.h"
#include "shared/offer.h"
#include "tests/peer_fixture.h"

#define NOW  SECOND
#define WALL ((wall_ms)1700000000000)

/* What one of the two holds of the other. */
struct side {
	struct peer peer;
	struct chain chain;
	wall_ms wall;
};
static struct side alice, bob;

static struct side *other(struct side *s)
{
	return s == &alice ? &bob : &alice;
}

static void step(struct side *s)
{
	peer_step(&s->peer, NOW, s->wall);
}

static struct person *them(struct side *s)
{
	return peer_person(&s->peer, other(s)->peer.name.text);
}

static void open_side(struct side *s, const char *name)
{
	peer_make(&s->peer, name);
	peer_open(&s->peer, NOW, WALL);
	s->wall = WALL;
}

static void meet(struct side *s)
{
	assert_int_equal(engine_add(s->peer.engine, other(s)->peer.name.text,
				    &other(s)->peer.identity.public, NULL),
			 0);
	step(s);
}

static void read_chain(struct side *s)
{
	conversations_chain(s->peer.rooms->conversations, them(s),
			    &other(s)->peer.device.public, false, &s->chain);
}

static int begin(void **state)
{
	(void)state;
	memset(&alice, 0, sizeof alice);
	memset(&bob, 0, sizeof bob);
	open_side(&alice, "alice");
	open_side(&bob, "bob");
	meet(&alice);
	meet(&bob);
	read_chain(&alice);
	read_chain(&bob);
	return 0;
}

static int end(void **state)
{
	(void)state;
	peer_remove(&alice.peer);
	peer_remove(&bob.peer);
	return 0;
}

/* --- saying, by the calls of faces --- */

static uint64_t done(struct side *s, int err)
{
	assert_int_equal(err, 0);
	step(s);
	assert_int_equal(s->peer.last[EVENT_ANSWER].error, 0);
	return s->peer.last[EVENT_ANSWER].message_id;
}

static uint64_t say(struct side *s, const char *text, uint64_t reply_to)
{
	return done(s, engine_send(s->peer.engine, other(s)->peer.name.text, bytes_text(text),
				   reply_to, 1));
}

static void edit(struct side *s, uint64_t id, const char *text)
{
	done(s, engine_edit(s->peer.engine, id, bytes_text(text), 1));
}

static void react(struct side *s, uint64_t id, const char *text)
{
	done(s, engine_react(s->peer.engine, id, bytes_text(text), 1));
}

static void retract(struct side *s, uint64_t id)
{
	done(s, engine_retract(s->peer.engine, id, 1));
}

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

/* --- what goes from one to the other --- */

struct delivery {
	struct side *to;
	enum heard heard[64];
	unsigned count;
};

static enum heard hear(struct side *to, const struct wire_say *say)
{
	struct wire_message m = { .type = WIRE_SAY, .say = *say }, decoded;
	struct buf raw = { 0 };
	enum heard heard;

	assert_int_equal(wire_encode(&m, &raw), 0);
	assert_int_equal(wire_decode(&decoded, buf_view(&raw), WIRE_FROM_PEER), 0);
	heard = conversations_hear(to->peer.rooms->conversations, them(to), &to->chain,
				   &decoded.say, false);
	buf_clear(&raw);
	return heard;
}

static bool deliver(void *user, const struct wire_say *say)
{
	struct delivery *d = user;

	d->heard[d->count++] = hear(d->to, say);
	return d->count < 64;
}

/* All that the other has not. */
static unsigned bring(struct side *from)
{
	struct delivery d = { .to = other(from) };

	assert_int_equal(conversations_said(from->peer.rooms->conversations, them(from),
					    d.to->chain.next, deliver, &d),
			 0);
	for (unsigned i = 0; i < d.count; i++)
		assert_int_equal(d.heard[i], HEARD_NEW);
	step(d.to);
	return d.count;
}

static void bring_all(void)
{
	bring(&alice);
	bring(&bob);
}

/* --- what is seen --- */

static bool show(void *user, const struct message *m)
{
	char *out = user;
	size_t used = strlen(out);

	snprintf(out + used, 2000 - used, "%s%.*s%s%s%.*s/%.*s;", m->is_ours ? ">" : "<",
		 (int)m->text.size, (const char *)m->text.data, m->is_edited ? "*" : "",
		 m->is_retracted ? "#"
		 : m->is_gone    ? "~"
				 : "",
		 (int)m->our_reactions.size, (const char *)m->our_reactions.data,
		 (int)m->their_reactions.size, (const char *)m->their_reactions.data);
	return true;
}

static const char *seen_by(struct side *s)
{
	static char text[2][2000];
	char *out = text[s == &bob];

	*out = '\0';
	assert_int_equal(engine_history_after(s->peer.engine, other(s)->peer.name.text, 0, 100,
					      show, out),
			 0);
	return out;
}

/* Of what stands there from the view of one of both. */
static void both_see(const char *as_alice)
{
	char mirrored[2000];
	size_t i = 0;

	assert_string_equal(seen_by(&alice), as_alice);
	for (; as_alice[i]; i++)
		mirrored[i] = as_alice[i] == '>' ? '<' : as_alice[i] == '<' ? '>' : as_alice[i];
	mirrored[i] = '\0';
	assert_string_equal(seen_by(&bob), mirrored);
}

static bool copy_id(void *user, const struct message *m)
{
	*(uint64_t *)user = m->id;
	return false;
}

static uint64_t newest(struct side *s)
{
	uint64_t id = 0;

	engine_history(s->peer.engine, other(s)->peer.name.text, 0, 1, copy_id, &id);
	return id;
}

/* --- what is changed --- */

static void an_edit_is_the_text_of_now_at_both(void **state)
{
	uint64_t id = say(&alice, "on", 0);

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
	uint64_t id = say(&alice, "on", 0);

	(void)state;
	edit(&alice, id, "one");
	alice.wall -= 1000000;
	edit(&alice, id, "two");
	bring(&alice);
	both_see(">two*/;");
}

static void a_retraction_leaves_a_mark_and_nothing_else(void **state)
{
	uint64_t id = say(&alice, "secret", 0);

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
	uint64_t id = say(&alice, "secret", 0), other_id;

	(void)state;
	edit(&alice, id, "edited secret");
	react(&alice, id, "me");
	other_id = say(&alice, "next", 0);
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
	uint64_t id = say(&alice, "hi", 0), theirs;

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

static void nobody_changes_what_the_other_said(void **state)
{
	struct wire_say lie;
	uint64_t theirs;

	(void)state;
	say(&alice, "mine", 0);
	bring(&alice);
	theirs = newest(&bob);
	assert_int_equal(engine_edit(bob.peer.engine, theirs, bytes_text("his"), 1),
			 ERR_REFUSED);
	assert_int_equal(engine_retract(bob.peer.engine, theirs, 1), ERR_REFUSED);
	for (int kind = SAY_EDIT; kind <= SAY_RETRACT; kind++) {
		lie = (struct wire_say){
			.conversation = them(&bob)->conversation->wire,
			.author = bob.peer.device.public,
			.seq = alice.chain.next,
			.previous = alice.chain.last,
			.time = WALL + 1000,
			.kind = (enum say_kind)kind,
			.is_about = true,
			.about_author = alice.peer.device.public,
			.about_seq = 1,
		};
		if (kind == SAY_EDIT)
			lie.body = bytes_text("his");
		assert_int_equal(hear(&alice, &lie), HEARD_NEW);
		step(&alice);
	}
	assert_string_equal(seen_by(&alice), ">mine/;");
	assert_int_equal(alice.peer.counts[EVENT_CHANGED], 0);
}

static void a_reply_names_what_it_replies_to(void **state)
{
	uint64_t id = say(&alice, "question", 0);

	(void)state;
	bring(&alice);
	say(&bob, "answer", newest(&bob));
	bring(&bob);
	assert_int_equal(alice.peer.last[EVENT_HEARD].message.reply_to, id);
	assert_int_equal(engine_send(alice.peer.engine, "bob", bytes_text("x"), id + 1000, 5),
			 0);
	step(&alice);
	assert_int_equal(alice.peer.last[EVENT_ANSWER].error, ERR_NOT_FOUND);
}

/* --- in any order --- */

/* What bob says, as it goes on the wire. */
static struct wire_say theirs(enum say_kind kind, uint64_t seq, const char *text,
			      uint64_t about)
{
	return (struct wire_say){
		.conversation = them(&alice)->conversation->wire,
		.author = bob.peer.device.public,
		.seq = seq,
		.time = WALL + (wall_ms)seq,
		.kind = kind,
		.body = bytes_text(text),
		.is_about = about > 0,
		.about_author = bob.peer.device.public,
		.about_seq = about,
	};
}

static void chain_up(struct wire_say *says, unsigned count)
{
	struct message_hash last = alice.chain.last;

	for (unsigned i = 0; i < count; i++) {
		says[i].previous = last;
		last = message_hash(&says[i]);
		assert_int_equal(hear(&alice, &says[i]), HEARD_NEW);
	}
	step(&alice);
}

static void an_entry_waits_for_its_target_and_only_the_newest_of_a_kind_counts(void **state)
{
	struct wire_say says[] = {
		theirs(SAY_EDIT, 1, "wrong", 7),   theirs(SAY_EDIT, 2, "right", 7),
		theirs(SAY_REACT, 3, "a", 7),      theirs(SAY_REACT, 4, "b", 7),
		theirs(SAY_TEXT, 5, "a reply", 7), theirs(SAY_RETRACT, 6, "", 8),
		theirs(SAY_TEXT, 7, "text", 0),    theirs(SAY_TEXT, 8, "taken back", 0),
	};

	(void)state;
	chain_up(says, 8);
	assert_string_equal(seen_by(&alice), "<a reply/;<right*/b;<#/;");
	assert_int_equal(alice.peer.counts[EVENT_CHANGED], 3);
}

/* As another device of bob's, which is not in his hands any more. */
static struct wire_say of_stolen(enum say_kind kind, uint64_t seq, const char *text,
				 wall_ms time, uint32_t life)
{
	struct wire_say say = theirs(kind, seq, text, kind == SAY_TIMER ? 0 : 1);

	memset(say.author.bytes, 0xff, sizeof say.author.bytes);
	say.time = time;
	say.life = life;
	return say;
}

static void hear_stolen(wall_ms time)
{
	struct device_public stolen;
	struct chain chain;
	struct wire_say says[] = { of_stolen(SAY_EDIT, 1, "false", time, 0),
				   of_stolen(SAY_REACT, 2, "f", time, 0),
				   of_stolen(SAY_TIMER, 3, "", time, 7) };

	memset(stolen.bytes, 0xff, sizeof stolen.bytes);
	conversations_chain(alice.peer.rooms->conversations, them(&alice), &stolen, false,
			    &chain);
	for (unsigned i = 0; i < 3; i++) {
		says[i].previous = chain.last;
		assert_int_equal(conversations_hear(alice.peer.rooms->conversations,
						    them(&alice), &chain, &says[i], false),
				 HEARD_NEW);
	}
	step(&alice);
}

/* Where no clock is, nothing said before or later gives way to it. */
static void what_is_dated_at_the_end_of_time_gives_way_to_all_else(void **state)
{
	struct wire_say says[] = { theirs(SAY_TEXT, 1, "text", 0),
				   theirs(SAY_EDIT, 2, "true", 1), theirs(SAY_REACT, 3, "t", 1),
				   theirs(SAY_TIMER, 4, "", 0) };

	(void)state;
	chain_up(says, 1);
	hear_stolen(INT64_MAX);
	says[1].previous = alice.chain.last;
	for (unsigned i = 1; i < 4; i++) {
		says[i].previous = alice.chain.last;
		says[i].life = says[i].kind == SAY_TIMER ? 60 : 0;
		assert_int_equal(hear(&alice, &says[i]), HEARD_NEW);
	}
	step(&alice);
	assert_string_equal(seen_by(&alice), "<true*/t;");
	assert_int_equal(them(&alice)->conversation->their_timer.life, 60);
	peer_close(&alice.peer);
	peer_open(&alice.peer, NOW, WALL);
	assert_int_equal(them(&alice)->conversation->their_timer.life, 60);
}

/* A date that a clock may have is followed by who knows of it. */
static void what_is_dated_within_a_century_counts_until_it_is_changed(void **state)
{
	struct wire_say says[] = { theirs(SAY_TEXT, 1, "text", 0),
				   theirs(SAY_EDIT, 2, "later", 1),
				   theirs(SAY_EDIT, 3, "true", 1) };
	wall_ms far = WALL + (wall_ms)99 * 365 * 24 * 3600 * 1000;

	(void)state;
	chain_up(says, 1);
	hear_stolen(far);
	says[1].previous = alice.chain.last;
	assert_int_equal(hear(&alice, &says[1]), HEARD_NEW);
	step(&alice);
	assert_string_equal(seen_by(&alice), "<false*/f;");
	says[2].previous = alice.chain.last;
	says[2].time = far + 1;
	assert_int_equal(hear(&alice, &says[2]), HEARD_NEW);
	step(&alice);
	assert_string_equal(seen_by(&alice), "<true*/f;");
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

static void what_is_about_itself_or_an_entry_about_another_changes_nothing(void **state)
{
	struct wire_say says[] = {
		theirs(SAY_TEXT, 1, "text", 1),  theirs(SAY_EDIT, 2, "edited", 2),
		theirs(SAY_RETRACT, 3, "", 3),   theirs(SAY_REACT, 4, "a", 1),
		theirs(SAY_RETRACT, 5, "", 4),   theirs(SAY_EDIT, 6, "x", 4),
		theirs(SAY_TEXT, 7, "reply", 4), theirs(SAY_RETRACT, 8, "", UINT64_MAX),
	};

	(void)state;
	chain_up(says, 8);
	assert_string_equal(seen_by(&alice), "<text/a;<reply/;");
}

static void a_text_is_never_edited_to_nothing(void **state)
{
	struct wire_say says[] = { theirs(SAY_TEXT, 1, "text", 0), theirs(SAY_EDIT, 2, "", 1) };
	uint64_t id;

	(void)state;
	chain_up(says, 2);
	assert_string_equal(seen_by(&alice), "<text/;");
	id = say(&alice, "text", 0);
	assert_int_equal(engine_edit(alice.peer.engine, id, (struct bytes){ 0 }, 1),
			 ERR_FORMAT);
}

/* --- files, timers, the unknown --- */

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

static void an_offer_that_is_none_is_refused(void **state)
{
	struct wire_say lie = theirs(SAY_FILE, 1, "nonsense", 0),
			two = theirs(SAY_REACT, 1, "a a", 5);
	/* What turns a line's direction (UAX 9). */
	static const char *const turning[] = { "\u061c", "\u200e", "\u200f", "\u202a",
					       "\u202e", "\u2066", "\u2069" };

	(void)state;
	assert_int_equal(hear(&alice, &lie), HEARD_WRONG);
	assert_int_equal(hear(&alice, &two), HEARD_WRONG);
	for (size_t i = 0; i < sizeof turning / sizeof *turning; i++) {
		struct wire_say it = theirs(SAY_REACT, 1, turning[i], 5);

		assert_int_equal(hear(&alice, &it), HEARD_WRONG);
	}
	assert_int_equal(alice.chain.next, 1);
}

static void what_is_taken_back_is_not_unread_any_more(void **state)
{
	uint64_t first = say(&alice, "one", 0), second = say(&alice, "two", 0);

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
	say(&alice, "three", 0);
	bring(&alice);
	assert_int_equal(them(&bob)->conversation->unread, 1);
}

static void messages_get_a_life_when_both_wish_it(void **state)
{
	(void)state;
	done(&alice, engine_set_timer(alice.peer.engine, "bob", 60, 1));
	say(&alice, "stays", 0);
	assert_int_equal(alice.peer.last[EVENT_SAID].message.life, 0);
	bring(&alice);
	assert_int_equal(bob.peer.counts[EVENT_TIMER], 1);
	assert_true(bob.peer.last[EVENT_TIMER].is_theirs);
	done(&bob, engine_set_timer(bob.peer.engine, "alice", 100, 1));
	bring(&bob);
	say(&alice, "goes", 0);
	assert_int_equal(alice.peer.last[EVENT_SAID].message.life, 100);
	done(&alice, engine_set_timer(alice.peer.engine, "bob", 0, 1));
	say(&alice, "stays", 0);
	assert_int_equal(alice.peer.last[EVENT_SAID].message.life, 0);
	bring(&alice);
	assert_int_equal(them(&bob)->conversation->their_timer.life, 0);
	assert_int_equal(them(&bob)->conversation->our_timer.life, 100);
}

static void what_is_not_known_is_kept_and_shown_as_such(void **state)
{
	struct wire_say says[] = { theirs((enum say_kind)99, 1, "?", 0),
				   theirs(SAY_TEXT, 2, "text", 0) };

	(void)state;
	chain_up(says, 2);
	assert_int_equal(them(&alice)->conversation->unread, 2);
	assert_string_equal(seen_by(&alice), "</;<text/;");
}

static void what_is_forwarded_says_so(void **state)
{
	uint64_t id = say(&alice, "wise", 0);

	(void)state;
	done(&alice, engine_forward(alice.peer.engine, id, "bob", 1));
	bring(&alice);
	assert_true(bob.peer.last[EVENT_HEARD].message.is_forwarded);
	both_see(">wise/;>wise/;");
}

/* --- what lasts --- */

static void all_is_as_it_was_after_a_restart(void **state)
{
	uint64_t id = say(&alice, "one", 0), two = say(&alice, "two", 0);
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
	uint64_t id = say(&alice, "one", 0);

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
	uint64_t id = say(&alice, "one", 0);

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

#define ENTRIES(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENTRIES(an_edit_is_the_text_of_now_at_both),
		ENTRIES(the_newest_edit_counts_also_where_the_clock_was_put_back),
		ENTRIES(a_retraction_leaves_a_mark_and_nothing_else),
		ENTRIES(what_was_taken_back_before_it_came_is_gone_and_the_chain_goes_on),
		ENTRIES(reactions_are_all_that_somebody_has_at_a_time),
		ENTRIES(nobody_changes_what_the_other_said),
		ENTRIES(a_reply_names_what_it_replies_to),
		ENTRIES(an_entry_waits_for_its_target_and_only_the_newest_of_a_kind_counts),
		ENTRIES(what_is_dated_at_the_end_of_time_gives_way_to_all_else),
		ENTRIES(what_is_dated_within_a_century_counts_until_it_is_changed),
		ENTRIES(a_timer_that_was_dated_at_the_end_of_time_can_be_changed),
		ENTRIES(what_is_about_itself_or_an_entry_about_another_changes_nothing),
		ENTRIES(a_text_is_never_edited_to_nothing),
		ENTRIES(a_file_has_a_caption_that_can_be_edited_away),
		ENTRIES(an_offer_that_is_none_is_refused),
		ENTRIES(what_is_taken_back_is_not_unread_any_more),
		ENTRIES(messages_get_a_life_when_both_wish_it),
		ENTRIES(what_is_not_known_is_kept_and_shown_as_such),
		ENTRIES(what_is_forwarded_says_so),
		ENTRIES(all_is_as_it_was_after_a_restart),
		ENTRIES(an_effect_that_could_not_be_stored_has_not_been),
		ENTRIES(before_the_identity_is_known_entries_wait_with_their_message),
		ENTRIES(what_was_wiped_is_not_told_twice_and_can_still_be_taken_back),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
