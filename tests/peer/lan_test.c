/* How contacts in one local network find each other, and when they say that they are there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "peer/candidates.h"
#include "peer/reach.h"
#include "tests/lan_homes.h"

/* --- finding --- */

static void two_contacts_find_each_other(void **state)
{
	(void)state;
	step(alice);
	step(bob);
	sent_count = 1; /* what Alice said first, Bob was not there to hear */
	sent[0] = sent[1];
	run();
	assert_int_equal(found[0].count, 1);
	assert_int_equal(found[1].count, 1);
	assert_true(device_public_equal(&found[0].device, &bob->device.public));
	assert_true(device_public_equal(&found[1].device, &alice->device.public));
	assert_string_equal(found[0].person->name.text, "bob");
	assert_int_equal(found[0].source, REACH_LAN);
	assert_true(found[0].is_both && found[1].is_both);
	assert_true(address_equal(&found[0].seen, &bob->network.addresses[0]));
	assert_true(address_equal(&found[1].seen, &alice->network.addresses[0]));
	assert_int_equal(lan_heard(lans[0]), 1);
	assert_int_equal(lan_heard(lans[1]), 1);
	assert_non_null(
		address_book_of(alice->rooms.book, found[0].person, &bob->device.public));
	/* one announcement, its answer, and that one's: then it is quiet */
	assert_int_equal(sent_count, 3);
}

static void they_find_each_other_by_link_local_addresses_alone(void **state)
{
	(void)state;
	unplug(alice);
	unplug(bob);
	small_home_plug(alice, "fe80::1", 2);
	small_home_plug(bob, "fe80::2", 7);
	step(bob);
	assert_int_equal(sent_count, 1);
	assert_int_equal(sent[0].path.remote.scope, 7);
	assert_int_equal(sent[0].path.remote.port, LAN_PORT);
	run();
	assert_int_equal(found[0].count, 1);
	assert_int_equal(found[1].count, 1);
	/* as it came, with the interface that it came by */
	assert_int_equal(found[0].seen.scope, 2);
	assert_int_equal(found[1].seen.scope, 7);
	assert_int_equal(sent[1].path.remote.scope, 2);
}

static void each_interface_is_announced_on(void **state)
{
	unsigned to_v6 = 0;

	(void)state;
	small_home_plug(alice, "fe80::1", 2);
	small_home_plug(alice, "10.8.0.5", 9);
	small_home_plug(alice, "fe80::5", 9);
	small_home_plug(alice, "2001:db8::5", 9);
	small_home_plug(alice, "127.0.0.1", 0);
	small_home_plug(alice, "fe80::7", 0); /* of an interface without multicast */
	alice->network.addresses[alice->network.address_count - 1].scope = 11;
	own_candidates_set_network(alice->rooms.candidates, &alice->network);
	step(alice);
	assert_int_equal(sent_count, 4);
	for (unsigned i = 0; i < sent_count; i++) {
		to_v6 += sent[i].path.remote.family == 6;
		assert_int_equal(sent[i].path.remote.scope, sent[i].path.local.scope);
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(sent[i].data + 1, sent[j].data + 1, 16);
	}
	assert_int_equal(to_v6, 2);
}

static void it_is_said_at_0_250_and_1000_ms_then_each_minute(void **state)
{
	mono_ns start = alice->rooms.now;
	static const mono_ns when[] = { 0, 250 * MILLISECOND, SECOND, 61 * SECOND,
					121 * SECOND };

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		alice->rooms.now = start + when[i];
		assert_int_equal(step(alice),
				 i < 4 ? start + when[i + 1] : start + when[i] + LAN_EVERY);
		assert_int_equal(sent_count, i + 1);
		step(alice);
		assert_int_equal(sent_count, i + 1);
	}
}

static void another_network_is_announced_on_at_once(void **state)
{
	(void)state;
	step(alice);
	pass(30 * SECOND);
	step(alice);
	step(alice);
	pass(SECOND);
	step(alice);
	sent_count = 0;
	own_candidates_set_nat(alice->rooms.candidates, &(struct nat){ .mapping = NAT_EASY });
	step(alice);
	assert_int_equal(sent_count, 0);
	small_home_plug(alice, "10.0.0.9", 4);
	assert_int_equal(step(alice), alice->rooms.now + 250 * MILLISECOND);
	assert_int_equal(sent_count, 2);
}

static void own_devices_find_each_other(void **state)
{
	(void)state;
	small_home_end(eve);
	lan_free(lans[3]);
	small_home_begin_sibling(eve, "alice", alice);
	start(eve);
	small_home_plug(eve, "192.168.1.4", 2);
	step(eve);
	run();
	assert_int_equal(found[0].count, 1);
	assert_int_equal(found[3].count, 1);
	assert_true(found[0].person->is_self);
	assert_int_equal(found[1].count, 0); /* Bob has not heard of the device yet */
}

static void an_own_announcement_is_nobody_elses(void **state)
{
	(void)state;
	small_home_end(carol);
	lan_free(lans[2]);
	small_home_begin_sibling(carol, "alice", alice);
	start(carol);
	step(alice);
	deliver(&sent[0], alice);
	assert_int_equal(sent_count, 1);
	assert_int_equal(found[0].count, 0);
}

static void many_contacts_need_several_announcements(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		struct small_home other = { 0 };
		char name[NAME_MAX + 1] = "x";

		name[1] = (char)('a' + i / 26);
		name[2] = (char)('a' + i % 26);
		assert_int_equal(name_parse(&other.name, bytes_text(name)), 0);
		identity_make(&other.identity);
		other.devices.identity = other.identity.public;
		small_home_meet(alice, &other);
	}
	step(alice);
	assert_int_equal(sent_count, 2);
	assert_int_equal(sent[0].data[17], 128);
	assert_int_equal(sent[1].data[17], 128); /* 73 and noise */
	run();
	assert_int_equal(found[1].count, 1);
}

/* --- where nothing is said --- */

static void who_has_no_contacts_says_nothing(void **state)
{
	(void)state;
	step(carol);
	assert_int_equal(sent_count, 0);
}

static void without_consent_nobody_is_named_or_answered(void **state)
{
	static const enum consent less[] = { CONSENT_RELAY, CONSENT_NEVER };

	(void)state;
	small_home_meet(bob, carol);
	for (unsigned i = 0; i < 2; i++) {
		sent_count = 0;
		pass(60 * SECOND);
		small_home_person(bob, alice)->consent = less[i];
		step(bob); /* names Carol and noise */
		deliver(&sent[0], alice);
		assert_int_equal(count_of(0x21, alice), 0);
		step(alice);
		deliver(&sent[1], bob);
		assert_int_equal(count_of(0x21, bob), 0);
	}
	/* nor is their answer taken, should it come */
	small_home_person(bob, alice)->consent = CONSENT_DIRECT;
	sent_count = 0;
	pass(60 * SECOND);
	step(bob);
	deliver(&sent[0], alice);
	assert_int_equal(count_of(0x21, alice), 1);
	small_home_person(bob, alice)->consent = CONSENT_RELAY;
	deliver(&sent[1], bob);
	assert_int_equal(found[1].count, 0);
}

static void switched_off_it_neither_speaks_nor_answers(void **state)
{
	(void)state;
	lan_set_enabled(lans[1], false);
	assert_true(step(bob) == NEVER);
	step(alice);
	run();
	assert_int_equal(sent_count, 1);
	lan_set_enabled(lans[1], true);
	step(bob);
	assert_int_equal(sent_count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(two_contacts_find_each_other),
		T(they_find_each_other_by_link_local_addresses_alone),
		T(each_interface_is_announced_on),
		T(it_is_said_at_0_250_and_1000_ms_then_each_minute),
		T(another_network_is_announced_on_at_once),
		T(own_devices_find_each_other),
		T(an_own_announcement_is_nobody_elses),
		T(many_contacts_need_several_announcements),
		T(who_has_no_contacts_says_nothing),
		T(without_consent_nobody_is_named_or_answered),
		T(switched_off_it_neither_speaks_nor_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
