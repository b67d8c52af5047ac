#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "shared/error.h"
#include "tests/peer_fixture.h"

/* Alice, and somebody who has never asked for anything. Bob is a contact who means harm, the
 * directory or a third may help him: what reaches who has not answered is counted, and what Bob
 * learns when he may have no address. */

static struct calm_net net;
static struct peer alice, bob;
static struct endpoint *victim;
static unsigned victim_node;
static bool is_cut; /* from alice to bob */

static bool is_lost(void *user, const struct calm_net_node *from,
		    const struct calm_net_node *to)
{
	(void)user;
	return is_cut && from->user == &alice && to->user == &bob;
}

static mono_ns sleep_on(void *user, mono_ns now, wall_ms wall)
{
	(void)user, (void)now, (void)wall;
	return NEVER;
}

static void join_net(struct peer *p)
{
	peer_join(p, &net);
	peer_set_network(p, &net.nodes[p->node].address, 1, false);
}

static struct address at(const char *text)
{
	struct address a;

	assert_int_equal(address_parse(&a, text, 7000), 0);
	return a;
}

static int begin(void **state)
{
	struct endpoint_config config = { .policy = ENDPOINT_ADMITTED };

	(void)state;
	calm_net_init(&net);
	is_cut = false;
	net.is_cut = is_lost;
	peer_make(&alice, "alice");
	peer_make(&bob, "bob");
	join_net(&alice);
	join_net(&bob);
	device_make(&config.device);
	victim = endpoint_new(&config, net.now);
	victim_node = calm_net_add(&net, victim, sleep_on, NULL);
	net.nodes[victim_node].address = at("203.0.113.99:53");
	assert_int_equal(engine_add(alice.engine, "bob", &bob.identity.public, NULL), 0);
	assert_int_equal(engine_add(bob.engine, "alice", &alice.identity.public, NULL), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	endpoint_free(victim);
	peer_remove(&alice);
	peer_remove(&bob);
	return 0;
}

static void pass(mono_ns length)
{
	calm_net_run(&net, length, NULL, NULL);
}

static void say(struct peer *from, const char *to, const char *text)
{
	assert_int_equal(engine_send(from->engine, to, bytes_text(text), 0, 1), 0);
}

static struct way *way_to_bob(void)
{
	return peer_person(&alice, "bob")->ways[0];
}

static void show(struct peer *to, const struct peer *who)
{
	peer_tell_presence(to, who, &net.nodes[who->node].address, true);
}

static void introduce(const struct peer_record *record, const struct address *seen)
{
	struct wire_introduction *i = memory_new(sizeof *i);

	i->name = bob.name;
	i->is_dialler = true;
	i->our_round_trip = i->their_round_trip = 20000;
	i->device.certificate = bob.certificate;
	i->device.record = *record;
	if (seen)
		i->device.seen = *seen;
	contacts_introduced(alice.rooms->contacts, i);
	free(i);
}

/* With other keys each time, and with the victim at several ports. */
static struct peer_record forge(unsigned round, const struct address *who, unsigned ports)
{
	struct peer_record r = { .device = bob.device.public,
				 .number = 1900000000000 + round,
				 .nat = { .mapping = NAT_RANDOM } };

	randombytes_buf(&r.knock, sizeof r.knock);
	for (unsigned i = 0; i < ports; i++) {
		struct address a = *who;

		a.port = (uint16_t)(a.port + (i ? 255 + i : 0));
		candidates_add(&r.candidates, i & 1 ? CANDIDATE_HOST : CANDIDATE_MAPPED, &a);
	}
	peer_record_sign(&r, &bob.identity);
	return r;
}

/* --- who has not answered --- */

/* Datagrams of any kind to one address in an hour: the first ten, and ever fewer, of ours and of
 * replies. */
enum { HOURS_MOST = 60 };

static void attack(const char *address, unsigned ports, bool is_seen)
{
	struct address who = at(address), elsewhere = at("198.51.100.1:9");

	net.nodes[victim_node].address = who;
	net.nodes[victim_node].received = 0;
	is_cut = true;
	show(&alice, &bob);
	say(&alice, "bob", "hello");
	for (unsigned i = 0; i < 360; i++) {
		struct peer_record r = forge(i, ports ? &who : &elsewhere, ports ? ports : 1);

		introduce(&r, is_seen ? &who : NULL);
		pass(10 * SECOND);
	}
	assert_true(alice.counts[EVENT_LINK] == 0);
	assert_true(net.nodes[victim_node].received > 0);
	assert_in_range(net.nodes[victim_node].received, 1, HOURS_MOST);
}

static void what_a_contact_signs_brings_few_to_an_address(void **state)
{
	(void)state;
	attack("203.0.113.99:53", 1, false);
}

static void many_ports_bring_no_more(void **state)
{
	(void)state;
	attack("203.0.113.99:53", 12, false);
}

static void what_a_directory_says_it_sees_brings_few(void **state)
{
	(void)state;
	attack("203.0.113.99:53", 0, true);
}

static void both_together_bring_few(void **state)
{
	(void)state;
	attack("203.0.113.99:53", 12, true);
}

static void an_address_of_ipv6_gets_as_few(void **state)
{
	(void)state;
	attack("[2001:db8::99]:53", 12, true);
}

/* Other keys are no other contact. */
static void a_neighbour_gets_as_few(void **state)
{
	(void)state;
	attack("10.0.0.99:53", 3, false);
}

static void what_a_third_says_it_sees_brings_few(void **state)
{
	struct address who = net.nodes[victim_node].address;
	struct person *p = peer_person(&alice, "bob");

	(void)state;
	is_cut = true;
	show(&alice, &bob);
	say(&alice, "bob", "hello");
	for (unsigned i = 0; i < 1000; i++) {
		reach_found(alice.rooms->reach, p, &bob.device.public, &who, REACH_THIRD, true);
		pass(SECOND);
	}
	assert_in_range(net.nodes[victim_node].received, 1, HOURS_MOST);
}

/* Bob's own probe, sent as if from the victim: copies, and new ones. */
static void probes_from_somewhere_bring_few(void **state)
{
	struct path path = { .remote = net.nodes[victim_node].address };
	struct probe_keys keys;
	struct probe probe = { 0 };
	uint8_t out[PROBE_SIZE_MAX];
	size_t size;

	(void)state;
	show(&alice, &bob);
	show(&bob, &alice);
	say(&alice, "bob", "hello");
	pass(SECOND);
	assert_int_equal(way_to_bob()->state, WAY_LINKED);
	/* As Bob has them: his outgoing is her incoming. */
	keys = way_to_bob()->probe_keys;
	keys.out = keys.in;
	keys.tag_out = keys.tag_in;
	for (unsigned i = 0; i < 250; i++) {
		if (i % 2 == 0)
			randombytes_buf(&probe.nonce, sizeof probe.nonce);
		probe.is_answer = i % 8 > 3;
		size = probe_encode(out, &probe, &keys);
		(void)reach_stray(alice.rooms->reach, &path, bytes_of(out, size));
		pass(SECOND);
	}
	assert_in_range(net.nodes[victim_node].received, 1, HOURS_MOST);
	assert_int_equal(way_to_bob()->path_kind, PATH_LAN);
}

static void we_do_not_talk_to_ourselves(void **state)
{
	struct peer_record r;
	uint64_t before;

	(void)state;
	is_cut = true;
	show(&alice, &bob);
	say(&alice, "bob", "hello");
	r = forge(1, &net.nodes[alice.node].address, 3);
	before = net.nodes[alice.node].received;
	introduce(&r, &net.nodes[alice.node].address);
	pass(60 * SECOND);
	assert_true(net.nodes[alice.node].received - before <= HOURS_MOST);
	assert_int_equal(way_to_bob()->state == WAY_LINKED, false);
}

/* --- who may not have our address --- */

static void a_search_ends_with_the_consent(void **state)
{
	uint64_t before;

	(void)state;
	show(&alice, &bob);
	net.nodes[bob.node].endpoint = victim; /* hears, and says nothing */
	net.nodes[bob.node].step = sleep_on;
	peer_introduce(&alice, &bob, &net.nodes[bob.node].address, false, 20 * MILLISECOND);
	pass(5 * MILLISECOND);
	assert_true(net.nodes[bob.node].received > 0);
	assert_non_null(way_to_bob()->punch);
	assert_int_equal(engine_set_consent(alice.engine, "bob", CONSENT_RELAY), 0);
	before = net.nodes[bob.node].received;
	pass(30 * SECOND);
	assert_int_equal(net.nodes[bob.node].received, before);
	assert_null(way_to_bob()->punch);
}

/* Bob was linked directly and knows the address, the knock and all keys. */
static void who_knew_our_address_gets_silence(void **state)
{
	struct address a = net.nodes[bob.node].address;
	struct person *p;
	uint64_t before;

	(void)state;
	show(&alice, &bob);
	show(&bob, &alice);
	say(&bob, "alice", "one");
	pass(SECOND);
	assert_int_equal(way_to_bob()->state, WAY_LINKED);
	assert_int_equal(engine_set_consent(alice.engine, "bob", CONSENT_RELAY), 0);
	pass(SECOND);
	assert_int_not_equal(way_to_bob()->state, WAY_LINKED);
	before = net.nodes[bob.node].received;
	say(&bob, "alice", "two");
	say(&alice, "bob", "three");
	p = peer_person(&alice, "bob");
	for (unsigned i = 0; i < 60; i++) {
		struct peer_record r = *address_book_of(alice.rooms->book, p,
							&bob.device.public);

		/* The directory, a third and the LAN help him. */
		introduce(&r, &a);
		peer_introduce(&bob, &alice, &net.nodes[alice.node].address, true,
			       20 * MILLISECOND);
		reach_found(alice.rooms->reach, p, &bob.device.public, &a, REACH_LAN, true);
		reach_found(alice.rooms->reach, p, &bob.device.public, &a, REACH_THIRD, true);
		pass(SECOND);
	}
	assert_int_equal(net.nodes[bob.node].received, before);
	assert_string_equal(alice.heard, "one ");
}

#define HOSTILE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(what_a_contact_signs_brings_few_to_an_address),
		HOSTILE(many_ports_bring_no_more),
		HOSTILE(what_a_directory_says_it_sees_brings_few),
		HOSTILE(both_together_bring_few),
		HOSTILE(an_address_of_ipv6_gets_as_few),
		HOSTILE(a_neighbour_gets_as_few),
		HOSTILE(what_a_third_says_it_sees_brings_few),
		HOSTILE(probes_from_somewhere_bring_few),
		HOSTILE(we_do_not_talk_to_ourselves),
		HOSTILE(a_search_ends_with_the_consent),
		HOSTILE(who_knew_our_address_gets_silence),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
