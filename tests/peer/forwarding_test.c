/* Whom others tell where we are, and how two find each other through a third. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "peer/candidates.h"
#include "peer/conversations.h"
#include "peer/reach.h"
#include "shared/error.h"
#include "tests/forwarding_homes.h"

/* --- our record --- */

static void a_new_link_is_told_where_we_are(void **state)
{
	(void)state;
	link_up(alice, bob);
	run();
	assert_int_equal(known(alice, bob)->candidates.count, 1);
	assert_int_equal(known(bob, alice)->number,
			 address_book_open(alice->rooms.book)->number);
	forget_said();
	pass(SECOND);
	run();
	assert_int_equal(count_of(WIRE_RECORD, alice, bob), 0);
}

static void a_change_is_told_though_not_each_at_once(void **state)
{
	(void)state;
	link_up(alice, bob);
	run();
	forget_said();
	small_home_plug(alice, "192.168.1.77", 2);
	pass(SECOND);
	assert_true(step(alice) <= alice->rooms.now + SECOND);
	assert_int_equal(count_of(WIRE_RECORD, alice, bob), 0);
	pass(SECOND);
	run();
	assert_int_equal(known(bob, alice)->candidates.count, 2);
	assert_int_equal(count_of(WIRE_RECORD, alice, bob), 1);
}

static void what_found_no_room_is_said_later(void **state)
{
	(void)state;
	link_up(alice, bob);
	is_full = true;
	step(alice);
	is_full = false;
	assert_int_equal(said_count, 0);
	pass(2 * SECOND);
	run();
	assert_non_null(known(bob, alice));
}

static void consent_decides_what_a_contact_is_told(void **state)
{
	struct wire_message m;

	(void)state;
	link_up(alice, bob);
	small_home_person(alice, bob)->consent = CONSENT_RELAY;
	run();
	assert_int_equal(known(bob, alice)->candidates.count, 0);
	read_last(&m, WIRE_RECORD, alice, bob);
	assert_int_equal(m.record.record.candidates.count, 0);
	forget_said();
	small_home_person(alice, bob)->consent = CONSENT_NEVER;
	pass(60 * SECOND);
	assert_true(step(alice) > alice->rooms.now);
	assert_int_equal(count_of(WIRE_RECORD, alice, bob), 0);
}

static void a_record_of_another_device_breaks_the_protocol(void **state)
{
	struct wire_message m = { .type = WIRE_RECORD };

	(void)state;
	link_up(alice, bob);
	m.record.record = small_home_record(tom, 5);
	assert_int_equal(forwarding_hear(rooms[0], way_to(alice, bob), &m), ERR_FORMAT);
	m.record.record = small_home_record(bob, 5);
	m.record.record.number++;
	assert_int_equal(forwarding_hear(rooms[0], way_to(alice, bob), &m), ERR_AUTH);
	m.record.record = small_home_record(bob, 5);
	assert_int_equal(forwarding_hear(rooms[0], way_to(alice, bob), &m), 0);
	m.record.record = small_home_record(bob, 4); /* old: no offence */
	assert_int_equal(forwarding_hear(rooms[0], way_to(alice, bob), &m), 0);
	assert_int_equal(known(alice, bob)->number, 5);
}

/* --- finding --- */

static void two_find_each_other_through_a_third(void **state)
{
	(void)state;
	look_for_each_other();
	assert_true(found[0].count > 0);
	assert_true(found[1].count > 0);
	assert_int_equal(found[2].count, 0);
	assert_true(device_public_equal(&found[0].device, &bob->device.public));
	assert_string_equal(found[1].person->name.text, "alice");
	assert_int_equal(found[0].source, REACH_THIRD);
	assert_true(found[0].is_both);
	/* the port is one that Bob himself does not know */
	assert_true(address_same_ip(&found[0].seen, &bob->network.addresses[0]));
	assert_int_equal(found[0].seen.port, 4242);
	assert_int_equal(known(alice, bob)->number, address_book_open(bob->rooms.book)->number);
}

static void who_left_before_is_found_though_it_is_gone(void **state)
{
	(void)state;
	link_up(alice, tom);
	run();
	link_down(alice, tom);
	link_up(bob, tom);
	run();
	pass(2 * SECOND);
	run();
	assert_int_equal(found[1].count, 1);
	assert_int_equal(found[1].seen.family, 0);
	assert_non_null(known(bob, alice));
	assert_null(known(alice, bob));
}

static void with_a_directory_nobody_is_asked_for(void **state)
{
	(void)state;
	is_online[0] = is_online[1] = true;
	look_for_each_other();
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 0);
	assert_int_equal(count_of(WIRE_FORWARDING, alice, tom), 1);
	/* nor at once when it goes: it may be back */
	is_online[0] = false;
	run();
	pass(FORWARDING_ALONE / 2);
	run();
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 0);
	pass(FORWARDING_ALONE / 2);
	run();
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 1);
	assert_int_equal(found[0].count, 1);
}

static void who_is_linked_is_not_asked_for(void **state)
{
	(void)state;
	link_up(alice, bob);
	link_up(alice, tom);
	run();
	pass(2 * SECOND);
	run();
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 0);
	/* until the link is gone */
	link_down(alice, bob);
	step(alice);
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 1);
}

static void it_is_asked_again_while_somebody_is_missing(void **state)
{
	mono_ns next;

	(void)state;
	link_up(alice, tom);
	run();
	pass(FORWARDING_ALONE);
	next = step(alice);
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 1);
	assert_true(next == alice->rooms.now + FORWARDING_ASK);
	pass(FORWARDING_ASK);
	step(alice);
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 2);
}

static void who_moves_is_told_of_to_who_asked(void **state)
{
	(void)state;
	look_for_each_other();
	forget_said();
	small_home_plug(alice, "192.168.1.99", 2);
	pass(FORWARDING_EVERY);
	run();
	assert_int_equal(count_of(WIRE_FORWARDING, alice, tom), 1);
	assert_true(count_of(WIRE_THERE, tom, bob) >= 1);
	assert_int_equal(known(bob, alice)->candidates.count, 2);
}

static void who_moves_need_not_ask(void **state)
{
	(void)state;
	is_online[0] = true; /* Alice has a directory, Bob has none */
	look_for_each_other();
	forget_said();
	small_home_plug(alice, "192.168.1.99", 2);
	pass(FORWARDING_EVERY - 2 * SECOND);
	step(alice);
	assert_int_equal(deliver(last_of(WIRE_FORWARDING, alice, tom)), 0);
	assert_int_equal(count_of(WIRE_THERE, tom, bob), 1);
	assert_int_equal(count_of(WIRE_THERE, tom, alice), 0);
	assert_int_equal(deliver(last_of(WIRE_THERE, tom, bob)), 0);
	assert_int_equal(known(bob, alice)->candidates.count, 2);
}

static void who_is_asked_for_is_told_of_the_asker(void **state)
{
	(void)state;
	look_for_each_other();
	forget_said();
	pass(FORWARDING_ASK);
	step(bob);
	assert_int_equal(deliver(last_of(WIRE_WHERE, bob, tom)), 0);
	assert_int_equal(count_of(WIRE_THERE, tom, bob), 1);
	assert_int_equal(count_of(WIRE_THERE, tom, alice), 1);
}

static void left_anew_it_is_at_most_every_30_seconds(void **state)
{
	(void)state;
	link_up(alice, tom);
	run();
	for (unsigned i = 0; i < 29; i++) {
		struct nat nat = { .mapping = i % 2 ? NAT_EASY : NAT_RANDOM };

		own_candidates_set_nat(alice->rooms.candidates, &nat);
		pass(SECOND);
		run();
		assert_int_equal(count_of(WIRE_FORWARDING, alice, tom), 1);
	}
	pass(SECOND);
	run();
	assert_int_equal(count_of(WIRE_FORWARDING, alice, tom), 2);
}

static void a_new_contact_becomes_a_reader(void **state)
{
	(void)state;
	look_for_each_other();
	meet(alice, eve);
	meet(eve, tom);
	pass(FORWARDING_EVERY);
	run();
	link_up(eve, tom);
	run();
	pass(2 * SECOND);
	run();
	assert_non_null(known(eve, alice));
}

static void own_devices_are_thirds_and_are_found(void **state)
{
	(void)state;
	small_home_begin_sibling(second, "alice", alice);
	small_home_plug(second, "192.168.1.5", 2);
	start(second);
	small_home_meet(second, bob);
	small_home_meet(second, tom);
	small_home_hears_list(bob, second);
	small_home_hears_list(tom, second);
	link_up(second, tom);
	link_up(alice, tom);
	run();
	pass(2 * SECOND);
	run();
	assert_true(found[4].count > 0);
	assert_true(found[4].person->is_self);
	assert_non_null(known(alice, second));
	/* the sibling says where Bob is, and to Bob where the first one is */
	link_up(second, bob);
	run();
	link_down(second, tom);
	link_down(alice, tom);
	link_up(second, alice);
	run();
	pass(FORWARDING_ASK);
	run();
	assert_true(count_of(WIRE_THERE, second, alice) > 0);
	assert_non_null(known(alice, bob));
}

static void whom_we_owe_something_comes_first_of_many(void **state)
{
	struct conversation owing = { .ours.next = 5, .delivered = 2 };
	struct wire_message m;

	(void)state;
	for (unsigned i = 0; i < 150; i++) {
		struct small_home other = { 0 };
		char name[NAME_MAX + 1] = "0";

		name[1] = (char)('a' + i / 26);
		name[2] = (char)('a' + i % 26);
		assert_int_equal(name_parse(&other.name, bytes_text(name)), 0);
		identity_make(&other.identity);
		other.devices.identity = other.identity.public;
		device_list_add(&other.devices,
				&(struct device_public){ .bytes = { 1, (uint8_t)i } }, "d", 0);
		other.devices.version = 1;
		small_home_meet(alice, &other);
	}
	small_home_person(alice, bob)->conversation = &owing;
	link_up(alice, tom);
	link_up(bob, tom);
	run();
	pass(2 * SECOND);
	run();
	read_last(&m, WIRE_WHERE, alice, tom);
	assert_int_equal(m.where.count, WIRE_WHERE_MAX);
	assert_true(found[0].count > 0);
	small_home_person(alice, bob)->conversation = NULL;
	/* the others have their turns: Bob, who is the last, too */
	found[0].count = 0;
	for (unsigned i = 0; i < 4 && found[0].count == 0; i++) {
		forget_said();
		pass(FORWARDING_ASK);
		run();
	}
	assert_true(found[0].count > 0);
}

/* --- what else is said --- */

static void other_messages_are_not_for_this_room(void **state)
{
	struct wire_message m = { .type = WIRE_SAY };

	(void)state;
	link_up(alice, tom);
	assert_true(forwarding_hear(rooms[0], way_to(alice, tom), &m) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_link_is_told_where_we_are),
		T(a_change_is_told_though_not_each_at_once),
		T(what_found_no_room_is_said_later),
		T(consent_decides_what_a_contact_is_told),
		T(a_record_of_another_device_breaks_the_protocol),
		T(two_find_each_other_through_a_third),
		T(who_left_before_is_found_though_it_is_gone),
		T(with_a_directory_nobody_is_asked_for),
		T(who_is_linked_is_not_asked_for),
		T(it_is_asked_again_while_somebody_is_missing),
		T(who_moves_is_told_of_to_who_asked),
		T(who_moves_need_not_ask),
		T(who_is_asked_for_is_told_of_the_asker),
		T(left_anew_it_is_at_most_every_30_seconds),
		T(a_new_contact_becomes_a_reader),
		T(own_devices_are_thirds_and_are_found),
		T(whom_we_owe_something_comes_first_of_many),
		T(other_messages_are_not_for_this_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
