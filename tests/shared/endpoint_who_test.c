/* Two that dial each other, or the same device twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "shared/error.h"
#include "shared/link.h"
#include "tests/link_pair.h"

static void assert_one_link_left(void)
{
	unsigned smaller = memcmp(wires.nodes[0].config.device.public.bytes,
				  wires.nodes[1].config.device.public.bytes, 32) < 0
				   ? 0
				   : 1;

	assert_non_null(wires.nodes[0].link);
	assert_non_null(wires.nodes[1].link);
	assert_memory_equal(link_handshake_hash(wires.nodes[0].link),
			    link_handshake_hash(wires.nodes[1].link), 64);
	assert_true(link_is_initiator(wires.nodes[smaller].link));
	assert_int_equal(endpoint_counters(wires.nodes[0].e).links, 1);
	assert_int_equal(endpoint_counters(wires.nodes[1].e).links, 1);
}

static void of_two_that_dial_each_other_one_link_survives(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 2; first++) {
		two_peers(state);
		net_dial(&wires, first, !first);
		net_dial(&wires, !first, first);
		net_run(&wires, 15 * SECOND);
		assert_one_link_left();
		assert_int_equal(wires.nodes[0].told[LINK_UP], 1);
		assert_int_equal(wires.nodes[1].told[LINK_UP], 1);
		assert_works(0, 1);
		assert_works(1, 0);
		net_end(state);
	}
}

static void both_agree_on_one_link_whatever_the_network_does(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 300; seed++) {
		two_peers(state);
		wires.random = seed * 0x9e3779b97f4a7c15u;
		wires.loss = seed % 3 * 150;
		wires.jitter = seed % 5 * 20 * MILLISECOND;
		wires.duplicates = seed % 2 * 200;
		net_dial(&wires, seed % 2, !(seed % 2));
		net_run(&wires, seed % 50 * MILLISECOND);
		net_dial(&wires, !(seed % 2), seed % 2);
		net_run(&wires, 8 * SECOND);
		wires.loss = 0;
		net_run(&wires, 15 * SECOND);
		assert_non_null(wires.nodes[0].link);
		assert_non_null(wires.nodes[1].link);
		assert_memory_equal(link_handshake_hash(wires.nodes[0].link),
				    link_handshake_hash(wires.nodes[1].link), 64);
		assert_int_equal(endpoint_counters(wires.nodes[0].e).links, 1);
		assert_int_equal(endpoint_counters(wires.nodes[1].e).links, 1);
		assert_works(0, 1);
		assert_works(1, 0);
		net_end(state);
	}
}

/* Anything at any time; then the network is good again, and both must agree. */
static void misfortune(unsigned roll)
{
	unsigned who = roll >> 8 & 1;
	struct net_node *node = &wires.nodes[who];

	switch (roll & 15) {
	case 0:
	case 1:
	case 2:
	case 3:
		net_dial(&wires, who, !who);
		break;
	case 4:
		if (node->link)
			link_close(node->link, 1, wires.now);
		node->link = NULL;
		break;
	case 5:
		net_restart(&wires, who);
		break;
	case 6:
		node->address.port = 1000 + (roll >> 9 & 7);
		break;
	case 7:
		wires.loss = roll >> 9 & 511;
		break;
	case 8:
		wires.jitter = (roll >> 9 & 127) * MILLISECOND;
		break;
	case 9:
		node->is_dead = !node->is_dead;
		break;
	default:
		net_run(&wires, (roll >> 9 & 1023) * MILLISECOND);
	}
}

static void both_agree_after_any_misfortune(void **state)
{
	unsigned with_link = 0;

	(void)state;
	for (unsigned seed = 1; seed <= 300; seed++) {
		uint64_t random = seed * 0x9e3779b97f4a7c15u;

		two_peers(state);
		wires.random = random;
		for (int i = 0; i < 60; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			misfortune(random >> 40);
			net_run(&wires, (random >> 33 & 63) * MILLISECOND);
		}
		wires.loss = 0;
		wires.nodes[0].is_dead = wires.nodes[1].is_dead = false;
		net_run(&wires, 50 * SECOND);
		assert_int_equal(!wires.nodes[0].link, !wires.nodes[1].link);
		if (wires.nodes[0].link) {
			with_link++;
			assert_memory_equal(link_handshake_hash(wires.nodes[0].link),
					    link_handshake_hash(wires.nodes[1].link), 64);
			assert_works(0, 1);
			assert_works(1, 0);
		}
		assert_int_equal(endpoint_counters(wires.nodes[0].e).links,
				 wires.nodes[0].link ? 1 : 0);
		assert_int_equal(endpoint_counters(wires.nodes[1].e).links,
				 wires.nodes[1].link ? 1 : 0);
		net_end(state);
	}
	assert_true(with_link > 50);
}

static unsigned smaller_of_two(void)
{
	return memcmp(wires.nodes[0].config.device.public.bytes,
		      wires.nodes[1].config.device.public.bytes, 32) < 0
		       ? 0
		       : 1;
}

static void an_address_unknown_until_it_knocks_is_dialled(void **state)
{
	unsigned winner = smaller_of_two();
	struct link_target wrong = net_target(&wires, !winner);

	(void)state;
	wrong.addresses[0].port = 9; /* where nobody is: its NAT has chosen another port */
	endpoint_dial(wires.nodes[winner].e, &wrong, wires.now);
	net_run(&wires, MILLISECOND);
	net_dial(&wires, !winner, winner);
	net_run(&wires, SECOND);
	assert_one_link_left();
}

static void a_second_dial_adds_addresses_to_the_first(void **state)
{
	struct link_target wrong = net_target(&wires, 1);
	struct link *first;

	(void)state;
	wrong.addresses[0].port = 9;
	first = endpoint_dial(wires.nodes[0].e, &wrong, wires.now);
	net_run(&wires, 10 * MILLISECOND);
	assert_ptr_equal(net_dial(&wires, 0, 1), first);
	net_run(&wires, SECOND);
	assert_non_null(wires.nodes[1].link);
	assert_int_equal(link_path(wires.nodes[0].link).remote.port,
			 wires.nodes[1].address.port);
}

static void who_is_dismissed_while_being_dialled_hears_no_more(void **state)
{
	(void)state;
	net_dial(&wires, 0, 1);
	net_flush(&wires);
	endpoint_dismiss(wires.nodes[0].e, &wires.nodes[1].identity.public);
	net_run(&wires, 15 * SECOND);
	assert_int_equal(wires.nodes[0].sent, 1);
	assert_int_equal(wires.nodes[0].told[LINK_UP], 0);
	assert_int_equal(wires.nodes[1].told[LINK_UP], 0);
	assert_int_equal(wires.nodes[0].down_error, ERR_REFUSED);
}

static void an_attempt_at_a_device_is_not_one_for_another_identity(void **state)
{
	struct link_target t = net_target(&wires, 1), lie = t;
	struct identity mallory;
	struct link *first;

	(void)state;
	identity_make(&mallory);
	lie.identity = mallory.public;
	first = endpoint_dial(wires.nodes[0].e, &lie, wires.now);
	assert_ptr_not_equal(endpoint_dial(wires.nodes[0].e, &t, wires.now), first);
	assert_true(net_run_until(&wires, both_up, 5 * SECOND));
	assert_works(0, 1);
}

static void all_addresses_are_tried_at_once(void **state)
{
	struct link_target t = net_target(&wires, 1);

	(void)state;
	t.address_count = 3;
	t.addresses[2] = t.addresses[0];
	t.addresses[0].port = 9;
	t.addresses[1].port = 10;
	endpoint_dial(wires.nodes[0].e, &t, wires.now);
	net_run(&wires, 25 * MILLISECOND);
	assert_non_null(wires.nodes[0].link);
	assert_int_equal(link_path(wires.nodes[0].link).remote.port, 1000);
}

struct ports {
	unsigned count;
	uint16_t seen[CANDIDATES_MAX];
};

static bool note_ports(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	struct ports *p = n->user;

	(void)from;
	(void)data;
	for (unsigned i = 0; i < p->count; i++)
		if (p->seen[i] == d->path.remote.port)
			return true;
	p->seen[p->count++] = d->path.remote.port;
	return true;
}

/* A contact says where it is: not to make us knock at every door of somebody else. */
static void of_one_machine_few_ports_are_tried(void **state)
{
	struct link_target t = net_target(&wires, 1);
	struct ports ports = { 0 };

	(void)state;
	wires.tap = note_ports;
	wires.user = &ports;
	t.address_count = CANDIDATES_MAX;
	for (unsigned i = 0; i < CANDIDATES_MAX; i++)
		t.addresses[i] = (struct address){ .family = 4,
						   .port = 50 + i,
						   .ip = { 9, 9, 9, 9 } };
	endpoint_dial(wires.nodes[0].e, &t, wires.now);
	net_run(&wires, 5 * SECOND);
	assert_in_range(ports.count, 2, 4);
}

static void a_second_link_to_a_device_replaces_the_first(void **state)
{
	struct link *old;

	(void)state;
	connect_both();
	net_run(&wires, SECOND);
	old = wires.nodes[0].link;
	net_dial(&wires, 0, 1);
	net_run(&wires, SECOND);
	assert_ptr_not_equal(wires.nodes[0].link, old);
	assert_int_equal(wires.nodes[0].down_error, ERR_EXISTS);
	assert_works(0, 1);
	net_run(&wires, 10 * SECOND);
	assert_int_equal(endpoint_counters(wires.nodes[0].e).links, 1);
	assert_int_equal(endpoint_counters(wires.nodes[1].e).links, 1);
}

static void a_peer_that_starts_anew_replaces_its_link(void **state)
{
	(void)state;
	for (unsigned who = 0; who < 2; who++) {
		two_peers(state);
		connect_both();
		net_run(&wires, SECOND);
		net_restart(&wires, who);
		net_dial(&wires, who, !who);
		net_run(&wires, SECOND);
		assert_int_equal(wires.nodes[!who].told[LINK_UP], 2);
		assert_int_equal(wires.nodes[!who].told[LINK_DOWN], 1);
		assert_int_equal(wires.nodes[!who].down_error, ERR_EXISTS);
		assert_works(0, 1);
		assert_works(1, 0);
		net_end(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_two_that_dial_each_other_one_link_survives),
		cmocka_unit_test(both_agree_on_one_link_whatever_the_network_does),
		cmocka_unit_test(both_agree_after_any_misfortune),
		PEERS(an_address_unknown_until_it_knocks_is_dialled),
		PEERS(a_second_dial_adds_addresses_to_the_first),
		PEERS(who_is_dismissed_while_being_dialled_hears_no_more),
		PEERS(an_attempt_at_a_device_is_not_one_for_another_identity),
		PEERS(all_addresses_are_tried_at_once),
		PEERS(of_one_machine_few_ports_are_tried),
		PEERS(a_second_link_to_a_device_replaces_the_first),
		cmocka_unit_test(a_peer_that_starts_anew_replaces_its_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
