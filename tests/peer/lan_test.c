#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/candidates.h"
#include "peer/lan.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/store.h"
#include "tests/no_endpoint.h"
#include "tests/small_home.h"

/* A wire that all homes hang on. What leaves is kept, and goes to who it is for when told. */

enum { HOMES = 4, SENT_MAX = 512, SIZE_MAX_HERE = 1452 };

struct sent {
	struct small_home *from;
	struct path path;
	size_t size;
	uint8_t data[SIZE_MAX_HERE];
};

static struct small_home homes[HOMES];
static struct lan *lans[HOMES];
static struct sent sent[SENT_MAX];
static unsigned sent_count;
static struct {
	unsigned count;
	struct device_public device;
	struct address seen;
	enum reach_source source;
	bool is_both;
	struct person *person;
} found[HOMES];

#define alice (&homes[0])
#define bob   (&homes[1])
#define carol (&homes[2])
#define eve   (&homes[3])

static unsigned index_of(const struct small_home *h)
{
	return (unsigned)(h - homes);
}

/* --- in place of the rooms above and below --- */

void endpoint_send_stray(struct endpoint *e, const struct path *path, struct bytes contents,
			 uint8_t ttl)
{
	struct sent *s = &sent[sent_count++];

	assert_true(sent_count < SENT_MAX);
	assert_true(contents.size <= sizeof s->data);
	assert_int_equal(ttl, 0);
	s->from = (struct small_home *)(void *)e;
	s->path = *path;
	s->size = contents.size;
	memcpy(s->data, contents.data, contents.size);
}

void reach_found(struct reach *r, struct person *p, const struct device_public *device,
		 const struct address *seen, enum reach_source source, bool is_both)
{
	unsigned i = index_of((const struct small_home *)(const void *)r);

	found[i].count++;
	found[i].device = *device;
	found[i].seen = *seen;
	found[i].source = source;
	found[i].is_both = is_both;
	found[i].person = p;
}

/* --- the wire --- */

static void start(struct small_home *h)
{
	unsigned i = index_of(h);

	/* These two are only handed through to the functions above. */
	h->rooms.endpoint = (struct endpoint *)(void *)h;
	h->rooms.reach = (struct reach *)(void *)h;
	lans[i] = lan_new(&h->rooms);
}

static int begin(void **state)
{
	static const char *const names[HOMES] = { "alice", "bob", "carol", "eve" };

	(void)state;
	sent_count = 0;
	memset(found, 0, sizeof found);
	for (unsigned i = 0; i < HOMES; i++) {
		small_home_begin(&homes[i], names[i]);
		start(&homes[i]);
	}
	small_home_plug(alice, "192.168.1.1", 2);
	small_home_plug(bob, "192.168.1.2", 7);
	small_home_plug(carol, "192.168.1.3", 2);
	small_home_plug(eve, "192.168.1.4", 2);
	small_home_meet(alice, bob);
	small_home_meet(bob, alice);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HOMES; i++) {
		lan_free(lans[i]);
		small_home_end(&homes[i]);
	}
	return 0;
}

static mono_ns step(struct small_home *h)
{
	return lan_step(lans[index_of(h)]);
}

static bool hear(struct small_home *h, const struct address *from, struct bytes data)
{
	struct path path = { .remote = *from };

	return lan_stray(lans[index_of(h)], &path, data);
}

static bool has(const struct small_home *h, const struct address *a)
{
	for (unsigned i = 0; i < h->network.address_count; i++) {
		const struct address *own = &h->network.addresses[i];

		if (own->family == a->family && memcmp(own->ip, a->ip, 16) == 0 &&
		    own->port == a->port)
			return true;
	}
	return false;
}

/* The link of a home that such an address is on, as it counts there; 0: it has none. */
static uint32_t link_for(const struct small_home *h, const struct address *a)
{
	for (unsigned i = 0; i < h->network.address_count; i++) {
		if (h->network.addresses[i].family == a->family && a->family == 4)
			return h->network.links[0];
		if (h->network.addresses[i].family == a->family &&
		    h->network.addresses[i].scope)
			return h->network.addresses[i].scope;
	}
	return 0;
}

static struct address source_of(const struct sent *s)
{
	struct address from = s->path.local;

	if (!from.family) { /* the system chooses */
		for (unsigned i = 0; i < s->from->network.address_count; i++) {
			if (s->from->network.addresses[i].family == s->path.remote.family)
				from = s->from->network.addresses[i];
		}
	}
	return from;
}

static void deliver(const struct sent *s, struct small_home *to)
{
	struct path path = { .remote = source_of(s) };

	if (path.remote.family == 6)
		path.remote.scope = link_for(to, &path.remote);
	(void)lan_stray(lans[index_of(to)], &path, bytes_of(s->data, s->size));
}

/* All that was sent, in order, and what is sent because of it. */
static void run(void)
{
	for (unsigned i = 0; i < sent_count; i++) {
		for (unsigned n = 0; n < HOMES; n++) {
			/* loopback of multicast: also to who sent it */
			if (lans[n] && (address_is_multicast(&sent[i].path.remote)
						? link_for(&homes[n], &sent[i].path.remote) != 0
						: has(&homes[n], &sent[i].path.remote)))
				deliver(&sent[i], &homes[n]);
		}
	}
}

static unsigned count_of(uint8_t kind, const struct small_home *from)
{
	unsigned count = 0;

	for (unsigned i = 0; i < sent_count; i++)
		count += sent[i].data[0] == kind && sent[i].from == from;
	return count;
}

static void pass(mono_ns length)
{
	for (unsigned i = 0; i < HOMES; i++) {
		homes[i].rooms.now += length;
		homes[i].rooms.wall += (wall_ms)(length / MILLISECOND);
	}
}

static void unplug(struct small_home *h)
{
	h->network.address_count = h->network.link_count = 0;
}

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

static void who_has_no_contacts_says_nothing(void **state)
{
	(void)state;
	step(carol);
	assert_int_equal(sent_count, 0);
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

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

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
		T(a_stranger_hears_nothing_and_is_not_answered),
		T(an_announcement_has_nothing_that_stays),
		T(how_many_contacts_there_are_is_covered),
		T(who_has_no_contacts_says_nothing),
		T(one_sent_on_from_elsewhere_is_not_answered),
		T(a_contact_cannot_have_us_answer_somebody_else),
		T(one_that_is_repeated_is_answered_once),
		T(a_reply_that_comes_too_late_is_nothing),
		T(a_reply_to_somebody_else_is_nothing),
		T(a_reply_that_somebody_carried_does_not_have_us_dial_them),
		T(a_changed_reply_is_nothing),
		T(without_consent_nobody_is_named_or_answered),
		T(switched_off_it_neither_speaks_nor_answers),
		T(what_is_not_ours_is_left_to_others),
		T(malformed_ones_are_passed_over),
		T(of_a_flood_so_many_are_looked_at_in_a_second),
		T(a_contact_that_signs_nonsense_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
