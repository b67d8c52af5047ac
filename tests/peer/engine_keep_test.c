/* What is let go of a store: by the person, by a rule, by its own deadline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "tests/peer_fixture.h"

#define HOUR ((mono_ns)3600 * SECOND)

static struct peer alice, bob;
static mono_ns now;
static wall_ms wall;

static void pass(mono_ns time)
{
	for (mono_ns end = now + time; now < end;) {
		mono_ns slice = end - now < 60 * SECOND ? end - now : 60 * SECOND;

		now += slice;
		wall += (wall_ms)(slice / MILLISECOND);
		peer_step(&alice, now, wall);
	}
}

static int begin(void **state)
{
	(void)state;
	now = 1000 * SECOND;
	wall = 1800000000000;
	peer_make(&alice, "alice");
	peer_make(&bob, "bob");
	peer_open(&alice, now, wall);
	assert_int_equal(engine_add(alice.engine, "bob", &bob.identity.public, NULL), 0);
	pass(MILLISECOND);
	return 0;
}

static int end(void **state)
{
	(void)state;
	peer_remove(&alice);
	peer_remove(&bob);
	return 0;
}

static uint64_t say(const char *text)
{
	assert_int_equal(engine_send(alice.engine, "bob", bytes_text(text), 0, 1), 0);
	pass(MILLISECOND);
	assert_int_equal(alice.last[EVENT_ANSWER].error, 0);
	return alice.last[EVENT_ANSWER].message_id;
}

static void deliver_all(void)
{
	struct person *p = peer_person(&alice, "bob");

	conversations_delivered(alice.rooms->conversations, p, p->conversation->ours.next);
	conversations_save(alice.rooms->conversations, p);
	pass(MILLISECOND);
}

static bool on_message(void *user, const struct message *m)
{
	unsigned *count = user;

	*count += !m->is_gone;
	return true;
}

static bool on_hit(void *user, const struct hit *hit)
{
	(void)hit;
	++*(unsigned *)user;
	return true;
}

static unsigned shown(void)
{
	unsigned count = 0;

	assert_int_equal(engine_history(alice.engine, "bob", 0, 100, on_message, &count), 0);
	return count;
}

static unsigned found(const char *word)
{
	struct search_at at = { 0 };
	unsigned count = 0;

	assert_int_equal(engine_search(alice.engine, word, NULL, 0, 100, &at, on_hit, &count),
			 0);
	return count;
}

/* Whether any row holds the text. */
static bool is_stored(const char *text)
{
	struct statement *s = db_sql(engine_db(alice.engine),
				     "SELECT 1 FROM message WHERE instr(body, ?) > 0");
	bool is;

	bind_bytes(s, 1, bytes_text(text));
	is = db_step(s) == 1;
	db_done(s);
	return is;
}

static void a_message_that_is_forgotten_leaves_nothing(void **state)
{
	uint64_t id = say("secret plans");

	(void)state;
	say("other");
	deliver_all();
	assert_int_equal(engine_forget_message(alice.engine, id), 0);
	pass(MILLISECOND);
	assert_int_equal(shown(), 1);
	assert_int_equal(found("secret"), 0);
	assert_false(is_stored("secret"));
	assert_int_equal(alice.last[EVENT_CHANGED].change, CHANGE_FORGOTTEN);
	assert_int_equal(engine_forget_message(alice.engine, id), ERR_NOT_FOUND);
	assert_int_equal(engine_forget_message(alice.engine, 12345), ERR_NOT_FOUND);
}

static void what_they_have_not_got_is_owed_though_it_is_forgotten(void **state)
{
	uint64_t id = say("on its way");

	(void)state;
	assert_int_equal(engine_forget_message(alice.engine, id), 0);
	assert_int_equal(shown(), 0);
	assert_int_equal(found("way"), 0);
	pass(48 * HOUR);
	assert_true(is_stored("on its way"));
	deliver_all();
	pass(2 * HOUR);
	assert_false(is_stored("on its way"));
	assert_int_equal(shown(), 0);
}

static void a_history_is_forgotten_whole(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++)
		say("many words");
	deliver_all();
	assert_int_equal(engine_forget_history(alice.engine, "bob"), 0);
	assert_int_equal(shown(), 0);
	assert_int_equal(found("words"), 0);
	pass(SECOND);
	pass(SECOND);
	pass(SECOND);
	assert_false(is_stored("words"));
	assert_int_equal(engine_forget_history(alice.engine, "nobody"), ERR_NOT_FOUND);
	say("a new beginning");
	assert_int_equal(shown(), 1);
}

static void a_rule_lets_go_what_is_older(void **state)
{
	(void)state;
	say("old words");
	deliver_all();
	pass(30 * HOUR);
	say("new words");
	deliver_all();
	assert_int_equal(engine_set_keep(alice.engine, "bob", 1), 0);
	pass(SECOND);
	assert_int_equal(found("words"), 1);
	assert_false(is_stored("old words"));
	assert_int_equal(shown(), 1);
	assert_int_equal(engine_set_keep(alice.engine, "bob", -2), ERR_LIMIT);
}

static void what_disappears_does_so_though_nobody_got_it(void **state)
{
	struct statement *s;
	uint64_t id = say("short lived");

	(void)state;
	s = db_sql(engine_db(alice.engine),
		   "UPDATE message SET life = 60, expires = ? WHERE id = ?");
	bind_int(s, 1, wall + 60000);
	bind_int(s, 2, (int64_t)id);
	assert_int_equal(db_run(s), 1);
	pass(180 * SECOND);
	assert_false(is_stored("short lived"));
	assert_int_equal(shown(), 0);
	assert_int_equal(alice.last[EVENT_CHANGED].change, CHANGE_GONE);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		EACH(a_message_that_is_forgotten_leaves_nothing),
		EACH(what_they_have_not_got_is_owed_though_it_is_forgotten),
		EACH(a_history_is_forgotten_whole),
		EACH(a_rule_lets_go_what_is_older),
		EACH(what_disappears_does_so_though_nobody_got_it),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
