#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "peer/grants.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/store.h"
#include "shared/error.h"
#include "tests/new_device.h"

/* Alice's old device and Bob have talked; Alice has a new device. */

enum { MANY = 400 };

static void say_much(void)
{
	char text[16];

	for (unsigned i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "m%u", i);
		say(i % 2 ? &bob : &old, i % 2 ? "alice" : "bob", text);
	}
}

static void say_three(void)
{
	say(&old, "bob", "one");
	say(&bob, "alice", "two");
	say(&old, "bob", "three");
}

static int begin(void **state)
{
	(void)state;
	return new_device_begin(say_three);
}

static int begin_with_much(void **state)
{
	(void)state;
	return new_device_begin(say_much);
}

static void give(wall_ms since, bool is_given)
{
	assert_int_equal(
		engine_grant_history(old.engine, &fresh.device.public, since, is_given), 0);
}

static void restart(struct peer *p)
{
	peer_stop(p, &net);
	pass(SECOND);
	peer_start(p, &net);
	tell_all();
	pass(2 * SECOND);
}

static void nothing_comes_that_was_not_given(void **state)
{
	(void)state;
	assert_shows(&fresh, "bob", "");
	assert_int_equal(fresh.counts[EVENT_HISTORY], 0);
}

static void what_is_given_comes_in_its_order_and_silently(void **state)
{
	unsigned said = fresh.counts[EVENT_SAID], heard = fresh.counts[EVENT_HEARD];
	struct contact bob_there;

	(void)state;
	give(0, true);
	pass(SECOND);
	assert_shows(&fresh, "bob", ">one two >three ");
	assert_int_equal(fresh.counts[EVENT_SAID], said);
	assert_int_equal(fresh.counts[EVENT_HEARD], heard);
	assert_int_equal(fresh.counts[EVENT_HISTORY], 1);
	assert_int_equal(fresh.counts[EVENT_WARNING], 0);
	assert_int_equal(engine_contact(fresh.engine, "bob", &bob_there), 0);
	assert_int_equal(bob_there.unread, 0);
}

static void what_is_said_meanwhile_stands_behind_it_once(void **state)
{
	(void)state;
	say(&bob, "alice", "four");
	pass(5 * SECOND); /* Bob has to reach the new device first */
	assert_shows(&fresh, "bob", "four ");
	give(0, true);
	say(&old, "bob", "five");
	say(&fresh, "bob", "six");
	pass(2 * SECOND);
	assert_shows(&fresh, "bob", ">one two >three four >five >six ");
	assert_shows(&bob, "alice", "one >two three >four five six ");
	assert_int_equal(fresh.counts[EVENT_WARNING], 0);
	assert_int_equal(fresh.counts[EVENT_MISSING], 0);
}

static void only_what_came_since_then_is_given(void **state)
{
	wall_ms since;

	(void)state;
	pass(SECOND);
	since = net.wall;
	pass(SECOND);
	restart(&fresh);
	say(&bob, "alice", "four");
	give(since, true);
	pass(SECOND);
	assert_shows(&fresh, "bob", "four ");
}

static void it_is_given_when_the_device_comes_and_only_once(void **state)
{
	(void)state;
	peer_stop(&fresh, &net);
	give(0, true);
	pass(SECOND);
	peer_start(&fresh, &net);
	tell_all();
	pass(2 * SECOND);
	assert_shows(&fresh, "bob", ">one two >three ");
	restart(&fresh);
	restart(&old);
	assert_shows(&fresh, "bob", ">one two >three ");
	assert_int_equal(fresh.counts[EVENT_HISTORY], 1);
}

static bool count_one(void *user, const struct message *m)
{
	unsigned *count = user;
	char text[16];

	/* Newest first. */
	snprintf(text, sizeof text, "m%u", MANY - 1 - *count);
	assert_true(bytes_equal(m->text, bytes_text(text)));
	return ++*count < MANY;
}

static void it_goes_on_where_it_was_interrupted(void **state)
{
	unsigned count = 0, came;

	(void)state;
	give(0, true);
	do {
		pass(MILLISECOND / 50);
		came = 0;
		engine_history(fresh.engine, "bob", 0, MANY, count_one, &came);
	} while (came < 70);
	assert_in_range(came, 70, MANY - 1);
	restart(&fresh);
	restart(&old);
	pass(2 * SECOND);
	engine_history(fresh.engine, "bob", 0, MANY, count_one, &count);
	assert_int_equal(count, MANY);
}

/* On either side. */
static void it_goes_on_when_it_could_not_be_stored(struct peer *whose)
{
	unsigned count = 0, came;

	give(0, true);
	do {
		pass(MILLISECOND / 50);
		came = 0;
		engine_history(fresh.engine, "bob", 0, MANY, count_one, &came);
	} while (came < 70);
	for (unsigned i = 0; i < 200; i++) {
		store_failed(whose->rooms->store, ERR_FULL);
		pass(MILLISECOND / 50);
	}
	pass(10 * SECOND);
	engine_history(fresh.engine, "bob", 0, MANY, count_one, &count);
	assert_int_equal(count, MANY);
}

static void it_goes_on_when_the_newer_one_could_not_store_it(void **state)
{
	(void)state;
	it_goes_on_when_it_could_not_be_stored(&fresh);
}

static void it_goes_on_when_the_older_one_could_not_store_what_it_heard(void **state)
{
	(void)state;
	it_goes_on_when_it_could_not_be_stored(&old);
}

static void what_was_taken_back_does_not_come(void **state)
{
	(void)state;
	peer_stop(&fresh, &net);
	give(0, true);
	give(0, false);
	peer_start(&fresh, &net);
	tell_all();
	pass(2 * SECOND);
	assert_shows(&fresh, "bob", "");
}

static void only_devices_of_ours_are_given_something(void **state)
{
	(void)state;
	assert_int_equal(engine_grant_history(old.engine, &bob.device.public, 0, true),
			 ERR_NOT_FOUND);
	assert_int_equal(engine_grant_history(old.engine, &old.device.public, 0, true),
			 ERR_NOT_FOUND);
}

static struct way *way_to(struct peer *from, const char *name, const struct peer *to)
{
	struct person *p = strcmp(name, from->name.text) == 0
				   ? persons_self(from->rooms->persons)
				   : peer_person(from, name);

	return reach_way(from->rooms->reach, p, &to->device.public);
}

static void a_contact_that_speaks_of_history_breaks_the_protocol(void **state)
{
	struct wire_message m = { .type = WIRE_GRANT };

	(void)state;
	m.grant.number = 1;
	assert_true(grants_hear(old.rooms->grants, way_to(&old, "bob", &bob), &m) < 0);
	m = (struct wire_message){ .type = WIRE_HISTORY_GET };
	m.history_get.number = 1;
	assert_true(grants_hear(old.rooms->grants, way_to(&old, "bob", &bob), &m) < 0);
}

static void who_asks_without_measure_breaks_the_protocol(void **state)
{
	struct wire_message m = { .type = WIRE_HISTORY_GET };
	struct way *w = way_to(&old, "alice", &fresh);
	struct statement *s;
	unsigned answered = 0;

	(void)state;
	give(0, true);
	pass(SECOND);
	m.history_get.number = 1;
	assert_int_equal(grants_hear(old.rooms->grants, w, &m),
			 0); /* of no grant: passed over */
	s = db_sql(store_db(old.rooms->store), "SELECT number FROM given");
	assert_int_equal(db_step(s), 1);
	m.history_get.number = (uint64_t)column_int(s, 0);
	db_done(s);
	m.history_get.goes_on = true;
	while (grants_hear(old.rooms->grants, w, &m) == 0)
		answered++;
	assert_in_range(answered, 1, 4);
}

#define GRANTS(test) cmocka_unit_test_setup_teardown(test, begin, new_device_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GRANTS(nothing_comes_that_was_not_given),
		GRANTS(what_is_given_comes_in_its_order_and_silently),
		GRANTS(what_is_said_meanwhile_stands_behind_it_once),
		GRANTS(only_what_came_since_then_is_given),
		GRANTS(it_is_given_when_the_device_comes_and_only_once),
		cmocka_unit_test_setup_teardown(it_goes_on_where_it_was_interrupted,
						begin_with_much, new_device_end),
		cmocka_unit_test_setup_teardown(
			it_goes_on_when_the_newer_one_could_not_store_it, begin_with_much,
			new_device_end),
		cmocka_unit_test_setup_teardown(
			it_goes_on_when_the_older_one_could_not_store_what_it_heard,
			begin_with_much, new_device_end),
		GRANTS(what_was_taken_back_does_not_come),
		GRANTS(only_devices_of_ours_are_given_something),
		GRANTS(a_contact_that_speaks_of_history_breaks_the_protocol),
		GRANTS(who_asks_without_measure_breaks_the_protocol),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
