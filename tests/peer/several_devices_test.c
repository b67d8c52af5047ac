#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "tests/shown.h"
#include "tests/town.h"

/* Alice has two machines, Bob two; a real directory tells them of each other. */

static struct home *home(struct town *t, unsigned i)
{
	return &t->homes[i];
}

static void log_in(struct town *t, struct home *h, const char *name)
{
	const struct directory_place place = { "10.0.0.1", 7000 };

	assert_int_equal(engine_login(h->engine, name, &place, server_key(t->server),
				      bytes_text("correct horse"), false, ++t->tickets),
			 0);
	assert_int_equal(answer_of(t, h, t->tickets), 0);
	wait_online(t, h);
}

static void pass(struct town *t, mono_ns length)
{
	calm_net_run(&t->net, length, NULL, NULL);
}

enum { ALICE, BOB, ALICE_TOO, BOB_TOO };

static int build_two_of_each(void **state)
{
	struct town *t;

	build_town(state);
	t = *state;
	befriend(t);
	say(t, home(t, ALICE), "bob", "before");
	pass(t, SECOND);
	log_in(t, home(t, ALICE_TOO), "alice");
	log_in(t, home(t, BOB_TOO), "bob");
	wait_seen(t, home(t, ALICE_TOO), "bob", true);
	wait_seen(t, home(t, BOB_TOO), "alice", true);
	pass(t, 2 * SECOND);
	return 0;
}

static void assert_shows(struct town *t, unsigned i, const char *with, const char *what)
{
	struct shown shown;

	shown_read(&shown, home(t, i)->engine, with);
	assert_string_equal(shown.text, what);
}

static void all_devices_show_what_is_said_from_their_arrival_on(void **state)
{
	struct town *t = *state;

	say(t, home(t, ALICE), "bob", "one");
	pass(t, 2 * SECOND);
	say(t, home(t, BOB_TOO), "alice", "two");
	pass(t, 2 * SECOND);
	say(t, home(t, ALICE_TOO), "bob", "three");
	pass(t, 2 * SECOND);
	assert_shows(t, ALICE, "bob", ">before >one two >three ");
	assert_shows(t, ALICE_TOO, "bob", ">one two >three ");
	assert_shows(t, BOB, "alice", "before one >two three ");
	assert_shows(t, BOB_TOO, "alice", "one >two three ");
}

static void who_was_away_has_missed_nothing(void **state)
{
	struct town *t = *state;

	stop_home(t, home(t, ALICE_TOO));
	stop_home(t, home(t, BOB_TOO));
	say(t, home(t, ALICE), "bob", "one");
	pass(t, 60 * SECOND);
	say(t, home(t, BOB), "alice", "two");
	pass(t, 2 * SECOND);
	forget_events(home(t, ALICE_TOO));
	forget_events(home(t, BOB_TOO));
	start_home(t, home(t, ALICE_TOO));
	start_home(t, home(t, BOB_TOO));
	pass(t, 10 * SECOND);
	say(t, home(t, ALICE_TOO), "bob", "three");
	pass(t, 2 * SECOND);
	assert_int_equal(count_events(home(t, ALICE_TOO), EVENT_HEARD), 1);
	assert_int_equal(count_events(home(t, ALICE_TOO), EVENT_SAID), 2);
	assert_int_equal(count_events(home(t, BOB_TOO), EVENT_HEARD), 2);
	assert_int_equal(count_events(home(t, BOB_TOO), EVENT_SAID), 1);
	assert_shows(t, ALICE, "bob", ">before >one two >three ");
}

static void a_revoked_device_is_cut_off_within_a_second(void **state)
{
	struct town *t = *state;
	const struct device_public gone = *engine_device(home(t, ALICE_TOO)->engine);
	struct contact c;

	say(t, home(t, ALICE_TOO), "bob", "one");
	pass(t, 2 * SECOND);
	assert_int_equal(engine_revoke_device(home(t, ALICE)->engine, &gone, ++t->tickets), 0);
	assert_int_equal(answer_of(t, home(t, ALICE), t->tickets), 0);
	pass(t, SECOND);
	assert_int_equal(engine_contact(home(t, ALICE_TOO)->engine, "bob", &c), 0);
	assert_false(c.is_linked);
	assert_false(engine_device_is_online(home(t, ALICE)->engine, &gone));
	say(t, home(t, BOB), "alice", "two");
	say(t, home(t, ALICE), "bob", "three");
	pass(t, 60 * SECOND);
	assert_shows(t, ALICE_TOO, "bob", ">one ");
	assert_shows(t, BOB_TOO, "alice", "one >two three ");
}

/* The key that was sealed to is another one, vouched for; ours changes too. */
static void what_was_queued_outlives_a_change_of_our_own_key(void **state)
{
	struct town *t = *state;

	stop_home(t, home(t, BOB));
	stop_home(t, home(t, BOB_TOO));
	wait_seen(t, home(t, ALICE), "bob", false);
	say(t, home(t, ALICE), "bob", "one");
	pass(t, SECOND);
	assert_int_equal(engine_rekey(home(t, ALICE)->engine, ++t->tickets), 0);
	assert_int_equal(answer_of(t, home(t, ALICE), t->tickets), 0);
	pass(t, 5 * SECOND);
	say(t, home(t, ALICE), "bob", "two");
	forget_events(home(t, BOB));
	start_home(t, home(t, BOB));
	start_home(t, home(t, BOB_TOO));
	pass(t, 20 * SECOND);
	assert_shows(t, ALICE, "bob", ">before >one >two ");
	assert_shows(t, BOB, "alice", "before one two ");
	assert_shows(t, BOB_TOO, "alice", "one two ");
	assert_non_null(find_event(home(t, BOB), EVENT_NOTICE));
	/* ... who is logged out by that is told nothing more */
	assert_shows(t, ALICE_TOO, "bob", ">one- ");
}

static void what_was_queued_to_a_key_waits_when_it_changes(void **state)
{
	struct town *t = *state;
	struct contact c;

	stop_home(t, home(t, ALICE));
	wait_seen(t, home(t, BOB), "alice", true); /* her other machine is there */
	stop_home(t, home(t, ALICE_TOO));
	wait_seen(t, home(t, BOB), "alice", false);
	say(t, home(t, BOB), "alice", "one");
	pass(t, 2 * SECOND);
	/* Bob is away while Alice takes another key. */
	stop_home(t, home(t, BOB));
	stop_home(t, home(t, BOB_TOO));
	start_home(t, home(t, ALICE));
	wait_online(t, home(t, ALICE));
	assert_int_equal(engine_rekey(home(t, ALICE)->engine, ++t->tickets), 0);
	assert_int_equal(answer_of(t, home(t, ALICE), t->tickets), 0);
	pass(t, 5 * SECOND);
	forget_events(home(t, BOB));
	start_home(t, home(t, BOB));
	wait_seen(t, home(t, BOB), "alice", true);
	say(t, home(t, BOB), "alice", "two");
	pass(t, 5 * SECOND);
	assert_shows(t, ALICE, "bob", ">before two ");
	assert_int_equal(engine_contact(home(t, BOB)->engine, "alice", &c), 0);
	assert_int_equal(c.held, 1);
	assert_int_equal(c.queued, 0);
	assert_int_equal(engine_accept(home(t, BOB)->engine, "alice"), 0);
	pass(t, 5 * SECOND);
	assert_shows(t, ALICE, "bob", ">before two one ");
	start_home(t, home(t, BOB_TOO));
	pass(t, 10 * SECOND);
	assert_int_equal(engine_contact(home(t, BOB)->engine, "alice", &c), 0);
	assert_int_equal(c.held, 0);
	assert_shows(t, BOB, "alice", "before >one >two ");
}

#define SEVERAL(test) cmocka_unit_test_setup_teardown(test, build_two_of_each, raze_town)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEVERAL(all_devices_show_what_is_said_from_their_arrival_on),
		SEVERAL(who_was_away_has_missed_nothing),
		SEVERAL(a_revoked_device_is_cut_off_within_a_second),
		SEVERAL(what_was_queued_outlives_a_change_of_our_own_key),
		SEVERAL(what_was_queued_to_a_key_waits_when_it_changes),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
