/* Entries as somebody else may say them: in any order, with any date, about anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "tests/two_chains.h"

static void nobody_changes_what_the_other_said(void **state)
{
	struct wire_say lie;
	uint64_t theirs;

	(void)state;
	say_text(&alice, "mine", 0);
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
	id = say_text(&alice, "text", 0);
	assert_int_equal(engine_edit(alice.peer.engine, id, (struct bytes){ 0 }, 1),
			 ERR_FORMAT);
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

static void what_is_not_known_is_kept_and_shown_as_such(void **state)
{
	struct wire_say says[] = { theirs((enum say_kind)99, 1, "?", 0),
				   theirs(SAY_TEXT, 2, "text", 0) };

	(void)state;
	chain_up(says, 2);
	assert_int_equal(them(&alice)->conversation->unread, 2);
	assert_string_equal(seen_by(&alice), "</;<text/;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHAINS(nobody_changes_what_the_other_said),
		CHAINS(an_entry_waits_for_its_target_and_only_the_newest_of_a_kind_counts),
		CHAINS(what_is_dated_at_the_end_of_time_gives_way_to_all_else),
		CHAINS(what_is_dated_within_a_century_counts_until_it_is_changed),
		CHAINS(what_is_about_itself_or_an_entry_about_another_changes_nothing),
		CHAINS(a_text_is_never_edited_to_nothing),
		CHAINS(an_offer_that_is_none_is_refused),
		CHAINS(what_is_not_known_is_kept_and_shown_as_such),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
