#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "peer/conversations.h"
#include "peer/grants.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/store.h"
#include "shared/error.h"
#include "tests/new_device.h"

/* A device of Alice's was stolen: what it says of history, as if others had said it. */

static void say_one(void)
{
	say(&bob, "alice", "one");
}

/* Alice and Bob have talked before her other device is there. */
static int begin(void **state)
{
	(void)state;
	new_device_begin(say_one);
	say(&bob, "alice", "two");
	pass(5 * SECOND);
	assert_shows(&fresh, "bob", "two ");
	return 0;
}

static struct way *thief(void)
{
	return reach_way(fresh.rooms->reach, persons_self(fresh.rooms->persons),
			 &old.device.public);
}

static struct wire_told told_of(uint64_t seq, enum say_kind kind, const char *text)
{
	struct wire_told told = {
		.at = 1,
		.contact = bob.name,
		.theirs = bob.identity.public,
		.ours = old.identity.public,
		.arrived_at = net.wall,
		.delivered = 1,
		.read = 1,
		.say = { .author = bob.device.public,
			 .seq = seq,
			 .time = net.wall,
			 .kind = kind,
			 .body = bytes_text(text) },
	};

	told.say.conversation = conversation_of(&told.theirs, &told.ours);
	return told;
}

/* It gives what it likes. */
static int give(const struct wire_told *told)
{
	static uint64_t number;
	struct wire_message m = { .type = WIRE_GRANT };
	int err;

	m.grant.number = ++number;
	assert_int_equal(grants_hear(fresh.rooms->grants, thief(), &m), 0);
	m = (struct wire_message){ .type = WIRE_HISTORY };
	m.history.count = 1;
	m.history.list[0] = *told;
	err = grants_hear(fresh.rooms->grants, thief(), &m);
	pass(SECOND);
	return err;
}

static uint64_t number_of(const char *text)
{
	struct statement *s = db_sql(store_db(fresh.rooms->store),
				     "SELECT seq FROM message WHERE CAST(body AS TEXT) = ?");
	uint64_t seq = 0;

	bind_text(s, 1, text);
	if (db_step(s) == 1)
		seq = (uint64_t)column_int(s, 0);
	db_done(s);
	return seq;
}

static void numbers_that_no_chain_has_are_refused(void **state)
{
	struct wire_told told = told_of(CHAIN_MAX, SAY_TEXT, "x");

	(void)state;
	assert_int_equal(give(&told), ERR_FORMAT);
	told = told_of(1, SAY_TEXT, "x");
	told.read = INT64_MAX;
	assert_int_equal(give(&told), ERR_FORMAT);
	told.read = 1;
	told.delivered = UINT64_MAX;
	assert_int_equal(give(&told), ERR_FORMAT);
}

static void a_contact_s_device_is_not_ours(void **state)
{
	struct wire_told told = told_of(1, SAY_TEXT, "x");

	(void)state;
	told.is_ours = true;
	assert_int_equal(give(&told), ERR_FORMAT);
}

static void what_stands_where_somebody_has_not_spoken_yet_does_not_silence_them(void **state)
{
	uint64_t next = number_of("two") + 1;
	struct wire_told told = told_of(next, SAY_TEXT, "forged");

	(void)state;
	assert_int_equal(give(&told), 0);
	told = told_of(next + 1, SAY_RETRACT, "");
	told.say.is_about = true;
	told.say.about_author = bob.device.public;
	told.say.about_seq = next;
	assert_int_equal(give(&told), 0);
	say(&bob, "alice", "three");
	say(&bob, "alice", "four");
	pass(SECOND);
	assert_shows(&fresh, "bob", "two three four ");
	assert_int_equal(fresh.counts[EVENT_HEARD], 3);
}

static void what_was_heard_of_somebody_is_not_changed_by_history(void **state)
{
	struct wire_told told = told_of(1, SAY_EDIT, "forged");

	(void)state;
	told.say.time = net.wall + 1000;
	told.say.is_about = true;
	told.say.about_author = bob.device.public;
	told.say.about_seq = number_of("two");
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(give(&told), 0);
		told.say.author.bytes[0] ^= 1; /* a device that nobody has */
		told.say.kind = SAY_RETRACT;
		told.say.body = bytes_text("");
	}
	assert_shows(&fresh, "bob", "two ");
	/* Nor if it waits for what comes later. */
	told.say.about_seq++;
	told.say.kind = SAY_EDIT;
	told.say.body = bytes_text("forged");
	assert_int_equal(give(&told), 0);
	say(&bob, "alice", "three");
	pass(SECOND);
	assert_shows(&fresh, "bob", "two three ");
}

#define STOLEN(test) cmocka_unit_test_setup_teardown(test, begin, new_device_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STOLEN(numbers_that_no_chain_has_are_refused),
		STOLEN(a_contact_s_device_is_not_ours),
		STOLEN(what_stands_where_somebody_has_not_spoken_yet_does_not_silence_them),
		STOLEN(what_was_heard_of_somebody_is_not_changed_by_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
