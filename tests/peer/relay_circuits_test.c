/* Which of several relays carries between two, what replaces what, and who may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "peer/address_book.h"
#include "tests/relay_crowd.h"

/* --- the path --- */

static void a_path_comes_within_two_seconds(void **state)
{
	(void)state;
	gather();
	say(alice, bob, "hello");
	assert_true(calm_net_run(&net, 2 * SECOND, has_heard, bob));
	assert_string_equal(bob->heard, "hello ");
	pass(SECOND);
	assert_relayed(alice, bob, carol);
	assert_relayed(bob, alice, carol);
}

static void a_direct_path_replaces_the_relay(void **state)
{
	struct link *link;

	(void)state;
	gather();
	say(alice, bob, "one");
	pass(3 * SECOND);
	assert_relayed(alice, bob, carol);
	link = way(alice, bob)->link;
	is_cut = false;
	pass(REACH_RETRY_MAX + 5 * SECOND);
	assert_int_equal(look(alice, bob).path_kind, PATH_LAN);
	assert_int_equal(look(bob, alice).path_kind, PATH_LAN);
	assert_ptr_equal(way(alice, bob)->link, link); /* the same link, moved */
	pass(RELAY_SETTLED + SECOND);
	assert_int_equal(report(carol).circuits, 0);
	say(alice, bob, "two");
	pass(SECOND);
	assert_string_equal(bob->heard, "one two ");
}

static void what_is_said_while_the_path_changes_arrives_once(void **state)
{
	(void)state;
	gather();
	say(alice, bob, "a1");
	pass(3 * SECOND);
	is_cut = false;
	for (unsigned i = 0; i < 40; i++) {
		say(alice, bob, "a");
		say(bob, alice, "b");
		pass(SECOND);
	}
	assert_int_equal(look(alice, bob).path_kind, PATH_LAN);
	assert_int_equal(strlen(bob->heard), 3 + 40 * 2);
	assert_int_equal(strlen(alice->heard), 40 * 2);
}

static void a_path_that_breaks_goes_on_through_a_relay(void **state)
{
	(void)state;
	is_cut = false;
	gather();
	say(alice, bob, "one");
	pass(SECOND);
	assert_int_equal(look(alice, bob).path_kind, PATH_LAN);
	is_cut = true;
	say(alice, bob, "two");
	pass(15 * SECOND);
	assert_string_equal(bob->heard, "one two ");
	assert_relayed(alice, bob, carol);
}

static void a_message_of_sixteen_kilobytes_passes(void **state)
{
	static char text[16384 + 1];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	gather();
	say(alice, bob, text);
	assert_true(calm_net_run(&net, 5 * SECOND, has_heard, bob));
	assert_int_equal(bob->last[EVENT_HEARD].message.text.size, sizeof text - 1);
	pass(SECOND);
	assert_int_equal(alice->counts[EVENT_DELIVERED], 2);
}

static void both_may_ask_at_once(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		begin_again(1);
		gather();
		say(alice, bob, "a");
		say(bob, alice, "b");
		pass(3 * SECOND);
		assert_string_equal(bob->heard, "a ");
		assert_string_equal(alice->heard, "b ");
		assert_relayed(alice, bob, carol);
		assert_int_equal(report(carol).circuits, 1);
	}
}

/* --- several relays --- */

static void of_several_relays_one_is_used(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 6; round++) {
		begin_again(3);
		gather();
		say(alice, bob, "a");
		if (round & 1)
			say(bob, alice, "b");
		assert_true(calm_net_run(&net, 2 * SECOND, has_heard, bob));
		pass(3 * SECOND);
		assert_string_equal(bob->heard, "a ");
		assert_int_equal(look(alice, bob).path_kind, PATH_RELAYED);
		assert_int_equal(circuits_of_all(), 1);
	}
}

/* Most of those who relay know one of both only. */
static void relays_are_asked_until_one_knows_both(void **state)
{
	(void)state;
	begin_again(RELAYS);
	for (unsigned i = 2; i < count - 1; i++)
		assert_int_equal(engine_remove(peers[i].engine, "bob"), 0);
	gather();
	say(alice, bob, "hello");
	pass(3 * SECOND);
	assert_string_equal(bob->heard, "hello ");
	assert_relayed(alice, bob, &peers[count - 1]);
}

static void another_relay_takes_over_when_one_dies(void **state)
{
	struct peer *first, *second;

	(void)state;
	first = carry_by_one_of_two();
	second = first == carol ? &peers[3] : carol;
	assert_relayed(alice, bob, first);
	net.nodes[first->node].endpoint = NULL;
	say(alice, bob, "two");
	pass(40 * SECOND);
	assert_string_equal(bob->heard, "one two ");
	assert_relayed(alice, bob, second);
}

/* --- who may --- */

static void who_is_reached_through_a_relay_only_gives_no_address(void **state)
{
	const struct peer_record *record;

	(void)state;
	is_cut = false;
	assert_int_equal(engine_set_consent(bob->engine, "alice", CONSENT_RELAY), 0);
	gather();
	say(alice, bob, "hello");
	pass(3 * SECOND);
	assert_string_equal(bob->heard, "hello ");
	assert_relayed(alice, bob, carol);
	assert_relayed(bob, alice, carol);
	say(bob, alice, "back");
	pass(60 * SECOND);
	assert_string_equal(alice->heard, "back ");
	assert_relayed(alice, bob, carol);
	record = address_book_of(alice->rooms->book, peer_person(alice, "bob"),
				 &bob->device.public);
	assert_int_equal(record->candidates.count, 0);
}

static void who_may_not_be_reached_at_all_is_not(void **state)
{
	(void)state;
	assert_int_equal(engine_set_consent(bob->engine, "alice", CONSENT_NEVER), 0);
	gather();
	say(alice, bob, "hello");
	say(bob, alice, "hello");
	pass(60 * SECOND);
	assert_string_equal(bob->heard, "");
	assert_string_equal(alice->heard, "");
	assert_false(look(alice, bob).is_linked);
	assert_int_equal(report(carol).circuits, 0);
}

static void a_link_in_a_tunnel_carries_no_other(void **state)
{
	struct wire_message m;

	(void)state;
	gather();
	assert_int_equal(engine_set_relay(bob->engine, true, RATE), 0);
	say(alice, bob, "one");
	pass(3 * SECOND);
	assert_relayed(alice, bob, carol);
	m = open_for(way(alice, bob), 1000, alice, carol);
	hear(alice, bob, &m);
	pass(SECOND);
	assert_int_equal(report(bob).circuits, 0);
	assert_relayed(alice, bob, carol); /* no offence either */
}

/* --- what the relay learns --- */

static bool contains(struct bytes in, const char *what)
{
	size_t size = strlen(what);

	for (size_t i = 0; i + size <= in.size; i++)
		if (memcmp(in.data + i, what, size) == 0)
			return true;
	return false;
}

static void the_relay_keeps_nothing_of_it(void **state)
{
	static const char secret[] = "the quick brown fox jumps over";
	struct statement *s;

	(void)state;
	gather();
	say(alice, bob, secret);
	pass(3 * SECOND);
	assert_relayed(alice, bob, carol);
	assert_false(contains(bytes_text(carol->heard), secret));
	s = db_sql(engine_db(carol->engine), "SELECT count(*) FROM message");
	assert_int_equal(db_step(s), 1);
	assert_int_equal(column_int(s, 0), 2); /* what both said to her */
	db_done(s);
	s = db_sql(engine_db(carol->engine), "SELECT rate FROM relay");
	assert_int_equal(db_step(s), 1);
	assert_int_equal(column_int(s, 0), RATE); /* all that there is about relaying */
	assert_int_equal(db_step(s), 0);
	db_done(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RELAY(a_path_comes_within_two_seconds),
		RELAY(a_direct_path_replaces_the_relay),
		RELAY(what_is_said_while_the_path_changes_arrives_once),
		RELAY(a_path_that_breaks_goes_on_through_a_relay),
		RELAY(a_message_of_sixteen_kilobytes_passes),
		RELAY(both_may_ask_at_once),
		RELAY(of_several_relays_one_is_used),
		RELAY(relays_are_asked_until_one_knows_both),
		RELAY(another_relay_takes_over_when_one_dies),
		RELAY(who_is_reached_through_a_relay_only_gives_no_address),
		RELAY(who_may_not_be_reached_at_all_is_not),
		RELAY(a_link_in_a_tunnel_carries_no_other),
		RELAY(the_relay_keeps_nothing_of_it),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
