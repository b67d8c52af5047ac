/* Programs of an account: tokens, limits, proposals; what they said, on both sides and after a restart. */
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
#include "peer/store.h"
#include "shared/error.h"
#include "tests/peer_fixture.h"

#define NOW  (100 * SECOND)
#define WALL ((wall_ms)1700000000000)

static struct peer alice, bob;

static void step(struct peer *p)
{
	peer_step(p, NOW, WALL);
}

static int begin(void **state)
{
	(void)state;
	memset(&alice, 0, sizeof alice);
	memset(&bob, 0, sizeof bob);
	peer_make_friends(&alice, &bob, NOW, WALL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	peer_remove(&alice);
	peer_remove(&bob);
	return 0;
}

static uint64_t make(const char *name, enum bot_may may, wall_ms expires, char *token)
{
	struct bot bot = { .may = may, .rate = 3, .expires = expires };
	uint64_t id = 0;

	snprintf(bot.name.text, sizeof bot.name.text, "%s", name);
	assert_int_equal(bot_add_name(&bot, "bob"), 0);
	assert_int_equal(engine_create_bot(alice.engine, &bot, token), 0);
	assert_int_equal(engine_bot_of(alice.engine, bytes_text(token), WALL, &id), 0);
	return id;
}

static int enter(const char *token, wall_ms wall)
{
	uint64_t id;

	return engine_bot_of(alice.engine, bytes_text(token), wall, &id);
}

static void a_token_opens_and_one_that_is_none_does_not(void **state)
{
	char token[BOT_TOKEN_SIZE], wrong[BOT_TOKEN_SIZE];

	(void)state;
	make("echo", BOT_SENDS, 0, token);
	for (size_t i = 0; i < BOT_TOKEN_SIZE - 1; i++) {
		memcpy(wrong, token, sizeof wrong);
		wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
		assert_int_equal(enter(wrong, WALL), ERR_AUTH);
	}
	assert_int_equal(enter("", WALL), ERR_AUTH);
	assert_int_equal(enter("palique-bot-", WALL), ERR_AUTH);
	assert_int_equal(enter(token, WALL), 0);
}

static void the_store_does_not_hold_the_token(void **state)
{
	char token[BOT_TOKEN_SIZE];
	struct statement *s;

	(void)state;
	make("echo", BOT_SENDS, 0, token);
	s = db_sql(
		engine_db(alice.engine),
		"SELECT instr(CAST(token AS BLOB), CAST(? AS BLOB)), length(token) FROM bot");
	bind_text(s, 1, token + 12);
	assert_int_equal(db_step(s), 1);
	assert_int_equal(column_int(s, 0), 0);
	assert_int_equal(column_int(s, 1), 32);
	db_done(s);
}

static void it_expires_and_it_is_removed(void **state)
{
	char token[BOT_TOKEN_SIZE], other[BOT_TOKEN_SIZE];
	uint64_t id = make("echo", BOT_SENDS, WALL + 1000, token), next;
	struct bot bot;

	(void)state;
	assert_int_equal(enter(token, WALL + 999), 0);
	assert_int_equal(enter(token, WALL + 1000), ERR_EXPIRED);
	assert_int_equal(engine_bot(alice.engine, id, WALL + 1000, &bot), ERR_EXPIRED);
	assert_int_equal(engine_remove_bot(alice.engine, "echo"), 0);
	assert_int_equal(engine_bot(alice.engine, id, WALL, &bot), ERR_NOT_FOUND);
	assert_int_equal(enter(token, WALL), ERR_AUTH);
	/* Another one of that name is another one. */
	next = make("echo", BOT_SENDS, 0, other);
	assert_true(next != id);
	assert_int_equal(enter(token, WALL), ERR_AUTH);
}

static void a_bot_outlives_its_engine(void **state)
{
	char token[BOT_TOKEN_SIZE];
	uint64_t id = make("echo", BOT_PROPOSES, WALL + 5000, token);
	struct bot bot;

	(void)state;
	assert_int_equal(engine_bot_acknowledge(alice.engine, id, 7), 0);
	assert_int_equal(engine_bot_acknowledge(alice.engine, id, 5), 0);
	step(&alice);
	peer_close(&alice);
	peer_open(&alice, NOW, WALL);
	assert_int_equal(enter(token, WALL), 0);
	assert_int_equal(engine_bot(alice.engine, id, WALL, &bot), 0);
	assert_int_equal(bot.may, BOT_PROPOSES);
	assert_int_equal(bot.acknowledged, 7);
	assert_int_equal(bot.expires, WALL + 5000);
	assert_true(bot_has(&bot, "bob"));
	assert_false(bot_has(&bot, "carol"));
}

static void it_says_as_many_as_its_rate_and_then_one_when_its_time_has_come(void **state)
{
	char token[BOT_TOKEN_SIZE];
	uint64_t id = make("echo", BOT_SENDS, 0, token);
	struct engine *e = alice.engine;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(engine_bot_spend(e, id, BOT_MESSAGE, NOW), 0);
	assert_int_equal(engine_bot_spend(e, id, BOT_MESSAGE, NOW), ERR_BUSY);
	assert_int_equal(engine_bot_spend(e, id, BOT_MESSAGE, NOW + 19 * SECOND), ERR_BUSY);
	assert_int_equal(engine_bot_spend(e, id, BOT_MESSAGE, NOW + 21 * SECOND), 0);
	assert_int_equal(engine_bot_spend(e, id, BOT_MESSAGE, NOW + 21 * SECOND), ERR_BUSY);
	/* What it saves up is not more than that. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(engine_bot_spend(e, id, BOT_MESSAGE, NOW + 3600 * SECOND), 0);
	assert_int_equal(engine_bot_spend(e, id, BOT_MESSAGE, NOW + 3600 * SECOND), ERR_BUSY);
	/* A clock that goes back gives nothing. */
	assert_int_equal(engine_bot_spend(e, id, BOT_MESSAGE, NOW), ERR_BUSY);
	assert_int_equal(engine_bot_spend(e, id, BOT_CALL, NOW), 0);
}

static void there_are_only_so_many_bots(void **state)
{
	struct bot bot = { .may = BOT_READS, .rate = 1, .names = "*" };
	char token[BOT_TOKEN_SIZE];

	(void)state;
	for (int i = 0; i < BOTS_MAX; i++) {
		snprintf(bot.name.text, sizeof bot.name.text, "bot%d", i);
		assert_int_equal(engine_create_bot(alice.engine, &bot, token), 0);
	}
	snprintf(bot.name.text, sizeof bot.name.text, "bot1");
	assert_int_equal(engine_create_bot(alice.engine, &bot, token), ERR_EXISTS);
	snprintf(bot.name.text, sizeof bot.name.text, "more");
	assert_int_equal(engine_create_bot(alice.engine, &bot, token), ERR_FULL);
	snprintf(bot.name.text, sizeof bot.name.text, "No Name");
	assert_int_equal(engine_create_bot(alice.engine, &bot, token), ERR_NAME);
}

/* --- proposals --- */

static uint64_t propose(uint64_t bot, const char *text)
{
	const struct engine_text what = { .to = "bob",
					  .text = bytes_text(text),
					  .buttons = bytes_text("yes\nno") };
	uint64_t id = 0;

	assert_int_equal(engine_propose(alice.engine, bot, &what, &id), 0);
	step(&alice);
	return id;
}

static bool count(void *user, const struct proposal *one)
{
	(void)one;
	++*(unsigned *)user;
	return true;
}

static unsigned waiting(void)
{
	unsigned n = 0;

	assert_int_equal(engine_proposals(alice.engine, 0, count, &n), 0);
	return n;
}

struct seen {
	char text[64], bot[33], buttons[64];
	unsigned count;
};

static bool see(void *user, const struct message *m)
{
	struct seen *seen = user;

	seen->count++;
	snprintf(seen->text, sizeof seen->text, "%.*s", (int)m->text.size, m->text.data);
	snprintf(seen->bot, sizeof seen->bot, "%.*s", (int)m->bot.size, m->bot.data);
	snprintf(seen->buttons, sizeof seen->buttons, "%.*s", (int)m->buttons.size,
		 m->buttons.data);
	return true;
}

static struct seen last_of(struct peer *p, const char *name)
{
	struct seen seen = { 0 };

	assert_int_equal(engine_history_after(p->engine, name, 0, 100, see, &seen), 0);
	return seen;
}

static void what_is_approved_is_said_once_and_as_by_the_bot(void **state)
{
	char token[BOT_TOKEN_SIZE];
	uint64_t bot = make("helper", BOT_PROPOSES, 0, token), id = propose(bot, "at eight");
	struct seen seen = last_of(&alice, "bob");

	(void)state;
	assert_int_equal(seen.count, 0);
	assert_int_equal(alice.counts[EVENT_PROPOSAL], 1);
	assert_int_equal(engine_approve(alice.engine, id, (struct bytes){ 0 }, 1), 0);
	assert_int_equal(engine_approve(alice.engine, id, (struct bytes){ 0 }, 2), 0);
	step(&alice);
	seen = last_of(&alice, "bob");
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.text, "at eight");
	assert_string_equal(seen.bot, "helper");
	assert_string_equal(seen.buttons, "yes\nno");
	assert_int_equal(alice.counts[EVENT_SETTLED], 1);
	assert_int_equal(waiting(), 0);
	assert_int_equal(engine_approve(alice.engine, id, (struct bytes){ 0 }, 3),
			 ERR_NOT_FOUND);
	assert_int_equal(engine_reject(alice.engine, id), ERR_NOT_FOUND);
	assert_int_equal(engine_approve(alice.engine, 0, (struct bytes){ 0 }, 3),
			 ERR_NOT_FOUND);
}

static void a_person_may_change_it_and_reject_it(void **state)
{
	char token[BOT_TOKEN_SIZE];
	uint64_t bot = make("helper", BOT_PROPOSES, 0, token), id = propose(bot, "at eight");
	struct seen seen;

	(void)state;
	assert_int_equal(engine_approve(alice.engine, id, bytes_text("at nine"), 1), 0);
	step(&alice);
	seen = last_of(&alice, "bob");
	assert_string_equal(seen.text, "at nine");
	id = propose(bot, "at ten");
	assert_int_equal(engine_reject(alice.engine, id), 0);
	step(&alice);
	assert_int_equal(waiting(), 0);
	seen = last_of(&alice, "bob");
	assert_int_equal(seen.count, 1);
}

static void only_so_many_proposals_wait_and_they_go_with_their_bot(void **state)
{
	char token[BOT_TOKEN_SIZE], other[BOT_TOKEN_SIZE];
	uint64_t bot = make("helper", BOT_PROPOSES, 0, token),
		 more = make("other", BOT_PROPOSES, 0, other), id;
	const struct engine_text what = { .to = "bob", .text = bytes_text("x") };

	(void)state;
	for (int i = 0; i < PROPOSALS_MAX; i++)
		assert_int_equal(engine_propose(alice.engine, bot, &what, &id), 0);
	assert_int_equal(engine_propose(alice.engine, bot, &what, &id), ERR_FULL);
	assert_int_equal(engine_propose(alice.engine, more, &what, &id), 0);
	step(&alice);
	peer_close(&alice);
	peer_open(&alice, NOW, WALL);
	assert_int_equal(waiting(), PROPOSALS_MAX + 1);
	assert_int_equal(engine_remove_bot(alice.engine, "helper"), 0);
	assert_int_equal(waiting(), 1);
}

/* --- what they said --- */

static bool bring(void *user, const struct wire_say *say)
{
	struct wire_message m = { .type = WIRE_SAY, .say = *say };
	static struct wire_message decoded;
	struct buf raw = { 0 };

	assert_int_equal(wire_encode(&m, &raw), 0);
	assert_int_equal(wire_decode(&decoded, buf_view(&raw), WIRE_FROM_PEER), 0);
	assert_int_equal(conversations_hear(bob.rooms->conversations,
					    peer_person(&bob, "alice"), user, &decoded.say,
					    false),
			 HEARD_NEW);
	buf_clear(&raw);
	return true;
}

static void who_said_it_and_buttons_arrive_last_and_go_with_the_text(void **state)
{
	const struct engine_text what = { .to = "bob",
					  .text = bytes_text("train at eight?"),
					  .bot = "helper",
					  .buttons = bytes_text("yes\nno") };
	struct chain chain;
	struct seen seen;
	uint64_t id;

	(void)state;
	assert_int_equal(engine_say(alice.engine, &what, 1), 0);
	step(&alice);
	id = alice.last[EVENT_ANSWER].message_id;
	conversations_chain(bob.rooms->conversations, peer_person(&bob, "alice"),
			    &alice.device.public, false, &chain);
	assert_int_equal(conversations_said(alice.rooms->conversations,
					    peer_person(&alice, "bob"), 1, bring, &chain),
			 0);
	step(&bob);
	peer_close(&bob);
	peer_open(&bob, NOW, WALL);
	seen = last_of(&bob, "alice");
	assert_string_equal(seen.text, "train at eight?");
	assert_string_equal(seen.bot, "helper");
	assert_string_equal(seen.buttons, "yes\nno");
	/* Taken back, nothing of it stays. */
	assert_int_equal(engine_retract(alice.engine, id, 2), 0);
	step(&alice);
	seen = last_of(&alice, "bob");
	assert_string_equal(seen.bot, "");
	assert_string_equal(seen.buttons, "");
}

static void buttons_that_mislead_are_not_said(void **state)
{
	struct engine_text what = { .to = "bob", .text = bytes_text("x") };

	(void)state;
	what.buttons = bytes_text("a\xe2\x80\xae"
				  "b");
	assert_int_equal(engine_say(alice.engine, &what, 1), ERR_FORMAT);
	what.buttons = bytes_text("1\n2\n3\n4\n5\n6\n7\n8\n9");
	assert_int_equal(engine_say(alice.engine, &what, 1), ERR_LIMIT);
}

static struct bytes menu(void)
{
	struct bytes lines;

	assert_int_equal(engine_menu(alice.engine, NULL, &lines), 0);
	return lines;
}

static void only_the_commands_of_bots_for_all_are_shown(void **state)
{
	struct bot bot = { .may = BOT_SENDS, .rate = 3, .names = "*", .name = { "all" } };
	char token[BOT_TOKEN_SIZE];
	uint64_t some = make("some", BOT_SENDS, 0, token), all;
	bool is_shown = true;

	(void)state;
	step(&alice);
	assert_int_equal(engine_bot_menu(alice.engine, some, bytes_text("buy now"), &is_shown),
			 0);
	assert_false(is_shown);
	assert_int_equal(menu().size, 0);
	assert_int_equal(engine_create_bot(alice.engine, &bot, token), 0);
	assert_int_equal(engine_bot_of(alice.engine, bytes_text(token), WALL, &all), 0);
	assert_int_equal(
		engine_bot_menu(alice.engine, all, bytes_text("list what waits"), &is_shown),
		0);
	assert_true(is_shown);
	assert_true(bytes_equal(menu(), bytes_text("list what waits")));
	assert_int_equal(engine_bot_menu(alice.engine, all, bytes_text("List"), &is_shown),
			 ERR_FORMAT);
	assert_int_equal(engine_remove_bot(alice.engine, "all"), 0);
	assert_int_equal(menu().size, 0);
}

#define BOTS(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTS(a_token_opens_and_one_that_is_none_does_not),
		BOTS(the_store_does_not_hold_the_token),
		BOTS(it_expires_and_it_is_removed),
		BOTS(a_bot_outlives_its_engine),
		BOTS(it_says_as_many_as_its_rate_and_then_one_when_its_time_has_come),
		BOTS(there_are_only_so_many_bots),
		BOTS(what_is_approved_is_said_once_and_as_by_the_bot),
		BOTS(a_person_may_change_it_and_reject_it),
		BOTS(only_so_many_proposals_wait_and_they_go_with_their_bot),
		BOTS(who_said_it_and_buttons_arrive_last_and_go_with_the_text),
		BOTS(buttons_that_mislead_are_not_said),
		BOTS(only_the_commands_of_bots_for_all_are_shown),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
