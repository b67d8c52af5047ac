/* What others in a local network learn of us, what they make us do, and what is believed of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "peer/candidates.h"
#include "tests/lan_homes.h"

/* --- who learns nothing --- */

static void a_stranger_hears_nothing_and_is_not_answered(void **state)
{
	(void)state;
	small_home_meet(eve, alice); /* Eve knows her key; Alice does not list Eve */
	small_home_meet(eve, bob);
	step(eve);
	step(alice);
	run();
	assert_int_equal(found[0].count, 1); /* Bob alone */
	assert_true(device_public_equal(&found[0].device, &bob->device.public));
	assert_int_equal(found[3].count, 0);
	assert_int_equal(count_of(0x21, eve), 0);
}

static void an_announcement_has_nothing_that_stays(void **state)
{
	(void)state;
	step(alice);
	pass(250 * MILLISECOND);
	step(alice);
	assert_int_equal(sent_count, 2);
	assert_int_equal(sent[0].size, sent[1].size);
	for (size_t i = 18; i + 8 <= sent[0].size; i += 8) {
		for (size_t j = 18; j + 8 <= sent[1].size; j += 8)
			assert_memory_not_equal(sent[0].data + i, sent[1].data + j, 8);
	}
	/* nothing known of either stands in it */
	for (size_t i = 1; i + 8 <= sent[0].size; i++) {
		assert_memory_not_equal(sent[0].data + i, alice->identity.public.bytes, 8);
		assert_memory_not_equal(sent[0].data + i, bob->identity.public.bytes, 8);
		assert_memory_not_equal(sent[0].data + i, alice->device.public.bytes, 8);
		assert_memory_not_equal(sent[0].data + i, alice->knock.bytes, 8);
	}
}

static void how_many_contacts_there_are_is_covered(void **state)
{
	(void)state;
	small_home_meet(alice, carol);
	step(alice);
	step(bob);
	assert_int_equal(sent[0].size, sent[1].size);
	assert_int_equal(sent[0].data[17], 16);
}

static void one_sent_on_from_elsewhere_is_not_answered(void **state)
{
	struct address elsewhere = small_address("192.168.1.4"),
		       other_port = small_address("192.168.1.1:7256");
	struct bytes data;

	(void)state;
	step(alice);
	data = bytes_of(sent[0].data, sent[0].size);
	assert_true(hear(bob, &elsewhere, data));
	assert_true(hear(bob, &other_port, data));
	assert_int_equal(sent_count, 1);
	assert_true(hear(bob, &alice->network.addresses[0], data));
	assert_int_equal(sent_count, 2);
}

/* What Bob says as an announcement of his; he can say that it came from anywhere. */
static void announce_from(struct small_home *as, const char *source)
{
	small_home_plug(as, source, 7);
	as->network.addresses[0] = as->network.addresses[as->network.address_count - 1];
	as->network.address_count = 1;
	own_candidates_set_network(as->rooms.candidates, &as->network);
	sent_count = 0;
	step(as);
	assert_int_equal(sent_count, 1);
	assert_true(
		hear(alice, &as->network.addresses[0], bytes_of(sent[0].data, sent[0].size)));
}

static void a_contact_cannot_have_us_answer_somebody_else(void **state)
{
	unsigned told = 0;

	(void)state;
	step(alice);
	announce_from(bob, "203.0.113.9"); /* of the internet */
	assert_int_equal(count_of(0x21, alice), 0);
	announce_from(bob, "192.168.1.66"); /* a neighbour, who gets a few */
	assert_int_equal(count_of(0x21, alice), 1);
	for (unsigned i = 0; i < 60; i++) {
		pass(100 * MILLISECOND);
		announce_from(bob, i & 1 ? "192.168.1.66" : "192.168.1.67");
		told += count_of(0x21, alice);
	}
	assert_in_range(told, 10, 20);
	pass(60 * SECOND); /* later again */
	announce_from(bob, "192.168.1.66");
	assert_int_equal(count_of(0x21, alice), 1);
}

static void one_that_is_repeated_is_answered_once(void **state)
{
	(void)state;
	step(alice);
	deliver(&sent[0], bob);
	deliver(&sent[0], bob);
	assert_int_equal(count_of(0x21, bob), 1);
	deliver(&sent[1], alice);
	deliver(&sent[1], alice);
	assert_int_equal(found[0].count, 1);
	assert_int_equal(count_of(0x21, alice), 1);
	deliver(&sent[2], bob);
	deliver(&sent[2], bob);
	assert_int_equal(found[1].count, 1);
	assert_int_equal(sent_count, 3);
}

static void a_reply_that_comes_too_late_is_nothing(void **state)
{
	(void)state;
	step(alice);
	deliver(&sent[0], bob);
	pass(10 * SECOND);
	deliver(&sent[1], alice);
	assert_int_equal(found[0].count, 0);
}

static void a_reply_to_somebody_else_is_nothing(void **state)
{
	(void)state;
	small_home_meet(carol, bob);
	step(alice);
	deliver(&sent[0], bob);
	deliver(&sent[1], carol);
	deliver(&sent[1], eve);
	assert_int_equal(found[2].count + found[3].count, 0);
	/* nobody but the two can read where Bob is */
	for (size_t i = 0; i + 16 <= sent[1].size; i++)
		assert_memory_not_equal(sent[1].data + i, bob->knock.bytes, 16);
}

static void a_reply_that_somebody_carried_does_not_have_us_dial_them(void **state)
{
	struct address elsewhere = small_address("203.0.113.5:53");

	(void)state;
	step(alice);
	deliver(&sent[0], bob);
	assert_true(hear(alice, &elsewhere, bytes_of(sent[1].data, sent[1].size)));
	assert_int_equal(found[0].count, 1);
	assert_int_equal(found[0].seen.family, 0);
}

static void a_changed_reply_is_nothing(void **state)
{
	(void)state;
	step(alice);
	deliver(&sent[0], bob);
	for (size_t i = 0; i < sent[1].size; i++) {
		struct sent changed = sent[1];

		pass(SECOND / 64);
		changed.data[i] ^= 1;
		if (i > 0)
			deliver(&changed, alice);
		if (found[0].count > 0)
			fail();
		if (i == 400)
			break;
	}
	assert_int_equal(found[0].count, 0);
}

/* --- bad input --- */

static void what_is_not_ours_is_left_to_others(void **state)
{
	uint8_t probe[33] = { 0x10 };

	(void)state;
	assert_false(hear(alice, &bob->network.addresses[0], BYTES(probe)));
	assert_false(hear(alice, &bob->network.addresses[0], bytes_of(probe, 0)));
}

static void malformed_ones_are_passed_over(void **state)
{
	const struct address *from = &alice->network.addresses[0];
	uint8_t data[2000];

	(void)state;
	step(alice);
	memset(data, 0, sizeof data);
	memcpy(data, sent[0].data, sent[0].size);
	for (size_t size = 1; size < sent[0].size; size++) {
		pass(SECOND);
		assert_true(hear(bob, from, bytes_of(data, size)));
	}
	assert_true(hear(bob, from, bytes_of(data, sent[0].size + 1)));
	data[17] = 0;
	assert_true(hear(bob, from, bytes_of(data, 18)));
	data[17] = 255;
	assert_true(hear(bob, from, bytes_of(data, 18 + 255 * 8)));
	data[0] = 0x21;
	for (size_t size = 1; size < sizeof data; size += 7) {
		pass(SECOND);
		assert_true(hear(bob, from, bytes_of(data, size)));
	}
	assert_int_equal(sent_count, 1);
	assert_int_equal(found[1].count, 0);
}

static void of_a_flood_so_many_are_looked_at_in_a_second(void **state)
{
	struct address from = small_address("192.168.1.4");
	uint8_t noise[18 + 8 * 16] = { 0x20 };

	(void)state;
	noise[17] = 16;
	pass(SECOND);
	for (unsigned i = 0; i < LAN_HEARD_A_SECOND; i++) {
		randombytes_buf(noise + 1, 16);
		assert_true(hear(bob, &from, BYTES(noise)));
	}
	step(alice);
	deliver(&sent[0], bob);
	assert_int_equal(sent_count, 1);
	pass(SECOND);
	deliver(&sent[0], bob);
	assert_int_equal(sent_count, 2);
	/* replies are counted apart */
	for (unsigned i = 0; i < 1000; i++)
		assert_true(hear(alice, &from, BYTES(noise)));
	deliver(&sent[1], alice);
	assert_int_equal(found[0].count, 1);
}

static void a_contact_that_signs_nonsense_is_not_found(void **state)
{
	(void)state;
	/* Bob's device is not in the list that Alice has of him any more */
	small_home_person(alice, bob)->devices.version++;
	small_home_person(alice, bob)->devices.devices[0].device.bytes[0] ^= 1;
	step(alice);
	run();
	assert_int_equal(found[0].count, 0);
	assert_int_equal(count_of(0x21, alice), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_stranger_hears_nothing_and_is_not_answered),
		T(an_announcement_has_nothing_that_stays),
		T(how_many_contacts_there_are_is_covered),
		T(one_sent_on_from_elsewhere_is_not_answered),
		T(a_contact_cannot_have_us_answer_somebody_else),
		T(one_that_is_repeated_is_answered_once),
		T(a_reply_that_comes_too_late_is_nothing),
		T(a_reply_to_somebody_else_is_nothing),
		T(a_reply_that_somebody_carried_does_not_have_us_dial_them),
		T(a_changed_reply_is_nothing),
		T(what_is_not_ours_is_left_to_others),
		T(malformed_ones_are_passed_over),
		T(of_a_flood_so_many_are_looked_at_in_a_second),
		T(a_contact_that_signs_nonsense_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
