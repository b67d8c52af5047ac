/* Invisible, to one or to all: with real engines and a real directory. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "peer/address_book.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/rooms.h"
#include "peer/way.h"
#include "shared/error.h"
#include "tests/couple.h"

static int build_linked(void **state)
{
	struct town *t;

	build_couple(state);
	t = *state;
	say(t, &t->homes[BOB], "alice", "hello");
	pass(t, SECOND);
	assert_true(contact(t, ALICE, "bob").is_linked);
	return 0;
}

static void be_invisible(struct town *t, unsigned i, bool is_invisible)
{
	const struct engine_profile_change change = { .is_invisible = &is_invisible };

	assert_int_equal(engine_set_profile(at(t, i), &change, ++t->tickets), 0);
	assert_int_equal(answer_of(t, &t->homes[i], t->tickets), 0);
	pass(t, 3 * SECOND);
}

static void who_is_hidden_is_gone_for_them_and_they_are_not_for_us(void **state)
{
	struct town *t = *state;

	assert_int_equal(engine_hide_from(at(t, ALICE), "bob", true), 0);
	pass(t, SECOND);
	assert_true(contact(t, ALICE, "bob").is_online);
	assert_true(contact(t, ALICE, "bob").is_hidden_from);
	assert_false(contact(t, ALICE, "bob").is_linked);
	assert_false(contact(t, BOB, "alice").is_online);
	assert_false(contact(t, BOB, "alice").is_linked);
	assert_int_equal(engine_hide_from(at(t, ALICE), "bob", false), 0);
	pass(t, SECOND);
	assert_true(contact(t, BOB, "alice").is_online);
	assert_int_equal(engine_hide_from(at(t, ALICE), "carol", true), ERR_NOT_FOUND);
}

static void what_they_write_waits_until_we_show_ourselves(void **state)
{
	struct town *t = *state;

	assert_int_equal(engine_hide_from(at(t, ALICE), "bob", true), 0);
	pass(t, SECOND);
	say(t, &t->homes[BOB], "alice", "are you there?");
	pass(t, 120 * SECOND);
	assert_int_equal(count_events(&t->homes[ALICE], EVENT_HEARD), 1);
	assert_int_equal(contact(t, BOB, "alice").queued, 1);
	assert_false(contact(t, BOB, "alice").is_linked);
	assert_int_equal(engine_hide_from(at(t, ALICE), "bob", false), 0);
	pass(t, 5 * SECOND);
	assert_heard(&t->homes[ALICE], 1, "are you there?");
}

static void what_we_write_arrives_and_shows_us_no_longer_than_that_takes(void **state)
{
	struct town *t = *state;

	be_invisible(t, ALICE, true);
	assert_false(contact(t, BOB, "alice").is_online);
	forget_events(&t->homes[BOB]);
	say(t, &t->homes[ALICE], "bob", "it is me");
	pass(t, 5 * SECOND);
	assert_heard(&t->homes[BOB], 0, "it is me");
	assert_int_equal(contact(t, ALICE, "bob").queued, 0);
	assert_int_equal(count_events(&t->homes[BOB], EVENT_PRESENCE), 0);
	assert_int_equal(count_events(&t->homes[BOB], EVENT_LINK), 2);
	assert_false(contact(t, BOB, "alice").is_linked);
	say(t, &t->homes[BOB], "alice", "I know");
	pass(t, 60 * SECOND);
	assert_int_equal(contact(t, BOB, "alice").queued, 1);
	assert_false(contact(t, BOB, "alice").is_linked);
}

static void two_who_are_hidden_from_each_other_do_not_meet(void **state)
{
	struct town *t = *state;

	be_invisible(t, ALICE, true);
	be_invisible(t, BOB, true);
	say(t, &t->homes[ALICE], "bob", "where are you?");
	pass(t, 60 * SECOND);
	assert_int_equal(contact(t, ALICE, "bob").queued, 1);
	assert_false(contact(t, ALICE, "bob").is_online);
	be_invisible(t, BOB, false);
	pass(t, 5 * SECOND);
	assert_int_equal(contact(t, ALICE, "bob").queued, 0);
}

static void all_our_devices_hide(void **state)
{
	struct town *t = *state;

	log_in_too(t);
	be_invisible(t, ALICE, true);
	pass(t, 5 * SECOND);
	for (unsigned i = 0; i < 2; i++) {
		struct profile profile;

		engine_profile(at(t, i ? ALICE_TOO : ALICE), &profile);
		assert_true(profile.is_invisible);
	}
	assert_false(contact(t, BOB, "alice").is_online);
	assert_true(contact(t, ALICE_TOO, "bob").is_online);
	be_invisible(t, ALICE_TOO, false);
	pass(t, 5 * SECOND);
	assert_true(contact(t, BOB, "alice").is_online);
	assert_int_equal(engine_hide_from(at(t, ALICE_TOO), "bob", true), 0);
	pass(t, 5 * SECOND);
	assert_true(contact(t, ALICE, "bob").is_hidden_from);
	assert_false(contact(t, BOB, "alice").is_online);
}

static void who_was_hidden_is_so_after_a_restart(void **state)
{
	struct town *t = *state;

	be_invisible(t, ALICE, true);
	stop_home(t, &t->homes[ALICE]);
	pass(t, 60 * SECOND);
	forget_events(&t->homes[BOB]);
	start_home(t, &t->homes[ALICE]);
	wait_online(t, &t->homes[ALICE]);
	pass(t, 10 * SECOND);
	assert_int_equal(count_events(&t->homes[BOB], EVENT_PRESENCE), 0);
	assert_true(contact(t, ALICE, "bob").is_online);
}

static void nothing_that_says_where_we_are_is_for_them(void **state)
{
	struct town *t = *state;
	struct rooms *r = engine_rooms(at(t, ALICE));
	struct name name;
	struct person *bob;

	name_parse(&name, bytes_text("bob"));
	bob = persons_find(r->persons, &name);
	assert_non_null(address_book_for(r->book, bob));
	assert_int_equal(engine_set_consent(at(t, ALICE), "bob", CONSENT_RELAY), 0);
	assert_int_equal(engine_hide_from(at(t, ALICE), "bob", true), 0);
	pass(t, SECOND);
	assert_int_equal(person_consent(bob), CONSENT_HIDDEN);
	assert_null(address_book_for(r->book, bob));
	assert_false(bob->is_admitted);
	/* Who reaches them through others only does not while hidden. */
	say(t, &t->homes[ALICE], "bob", "later");
	pass(t, 60 * SECOND);
	assert_int_equal(person_link_consent(bob), CONSENT_HIDDEN);
	assert_int_equal(contact(t, ALICE, "bob").queued, 1);
	assert_int_equal(contact(t, ALICE, "bob").consent, CONSENT_RELAY);
}

/* They know the port's knock from before: with another one it does not answer. */
static void our_port_is_closed_to_them(void **state)
{
	struct town *t = *state;
	struct rooms *r = engine_rooms(at(t, BOB));
	struct name name;
	struct person *alice;

	name_parse(&name, bytes_text("alice"));
	alice = persons_find(r->persons, &name);
	assert_non_null(alice->ways[0]);
	be_invisible(t, ALICE, true);
	stop_server(t);
	say(t, &t->homes[BOB], "alice", "knock");
	pass(t, 120 * SECOND);
	assert_int_equal(contact(t, BOB, "alice").queued, 1);
	assert_false(contact(t, BOB, "alice").is_linked);
	start_server(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(begin, name) cmocka_unit_test_setup_teardown(name, begin, raze_town)
		ROW(build_linked, who_is_hidden_is_gone_for_them_and_they_are_not_for_us),
		ROW(build_linked, what_they_write_waits_until_we_show_ourselves),
		ROW(build_linked, what_we_write_arrives_and_shows_us_no_longer_than_that_takes),
		ROW(build_couple, what_we_write_arrives_and_shows_us_no_longer_than_that_takes),
		ROW(build_couple, two_who_are_hidden_from_each_other_do_not_meet),
		ROW(build_linked, all_our_devices_hide),
		ROW(build_couple, who_was_hidden_is_so_after_a_restart),
		ROW(build_couple, nothing_that_says_where_we_are_is_for_them),
		ROW(build_linked, our_port_is_closed_to_them),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
