#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/link.h"
#include "tests/link_pair.h"

/* --- two that dial each other --- */

static void a_datagram_of_no_known_form_ends_the_link(void **state)
{
	ngtcp2_vec part = { (uint8_t *)"\3abcdefgh", 9 };
	uint8_t room[1200];
	ngtcp2_pkt_info info;
	ngtcp2_ssize size;
	int is_taken;

	(void)state;
	connect_both();
	net_run(&wires, SECOND);
	size = ngtcp2_conn_writev_datagram(
		wires.nodes[0].link->conn, NULL, &info, room, sizeof room, &is_taken,
		NGTCP2_WRITE_DATAGRAM_FLAG_NONE, 0, &part, 1, wires.now);
	assert_true(size > 0 && is_taken);
	net_inject(&wires, &wires.nodes[0].address, &wires.nodes[1].address,
		   bytes_of(room, size), 0);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[1].down_error, ERR_FORMAT);
	assert_int_equal(wires.nodes[0].down_code, LINK_CODE_PROTOCOL);
}

/* --- the rest --- */

static void keys_are_renewed_while_a_link_is_used(void **state)
{
	unsigned before;

	(void)state;
	connect_both();
	net_run(&wires, SECOND);
	before = wires.nodes[0].link->crypto.updates;
	for (int i = 0; i < 400; i++) {
		net_write(&wires, i % 2, LINK_CONTROL, "x");
		net_run(&wires, SECOND);
	}
	assert_true(wires.nodes[0].link->crypto.updates >= before + 5);
	assert_int_equal(wires.nodes[0].inbox.size, 200);
	assert_int_equal(wires.nodes[1].inbox.size, 200);
}

static bool add_rubbish(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	(void)from;
	(void)n;
	for (int i = 0; i < 20 && d->size < ENDPOINT_DATAGRAM_MAX; i++)
		data[d->size++] = i;
	return true;
}

static void rubbish_behind_a_packet_does_no_harm(void **state)
{
	(void)state;
	wires.tap = add_rubbish;
	connect_both();
	wires.tap = NULL;
	assert_works(0, 1);
	assert_works(1, 0);
}

static bool flip_bits(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	uint8_t copy[ENDPOINT_DATAGRAM_MAX];

	memcpy(copy, data, d->size);
	copy[randombytes_uniform(d->size)] ^= 1 << randombytes_uniform(8);
	net_inject(n, &n->nodes[from].address, &d->path.remote, bytes_of(copy, d->size), 0);
	return true;
}

static void changed_copies_do_no_harm(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++) {
		two_peers(state);
		wires.tap = flip_bits;
		connect_both();
		assert_works(0, 1);
		assert_works(1, 0);
		assert_int_equal(wires.nodes[0].told[LINK_DOWN], 0);
		assert_int_equal(wires.nodes[1].told[LINK_DOWN], 0);
		net_end(state);
	}
}

static void strays_travel_outside_of_links(void **state)
{
	struct path path = { .remote = wires.nodes[1].address };
	static const uint8_t stray[] = { 3, 1, 2 };

	(void)state;
	endpoint_send_stray(wires.nodes[0].e, &path, BYTES(stray), 0);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[1].told[STRAY], 1);
	assert_int_equal(wires.nodes[1].sent, 0);
}

static void nobody_dials_itself(void **state)
{
	(void)state;
	assert_null(net_dial(&wires, 0, 0));
}

static void a_target_without_usable_address_is_refused(void **state)
{
	struct link_target t = net_target(&wires, 1);

	(void)state;
	t.addresses[0].port = 0;
	assert_null(endpoint_dial(wires.nodes[0].e, &t, wires.now));
	t.address_count = 0;
	assert_null(endpoint_dial(wires.nodes[0].e, &t, wires.now));
}

static void many_devices_meet_one_directory(void **state)
{
	(void)state;
	net_add(&wires, ENDPOINT_ANYONE);
	for (unsigned i = 1; i < 250; i++) {
		net_add(&wires, ENDPOINT_ADMITTED);
		net_dial(&wires, i, 0);
	}
	net_run(&wires, 5 * SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_UP], 249);
	for (unsigned i = 1; i < 250; i++)
		net_write(&wires, i, LINK_CONTROL, "x");
	net_run(&wires, 5 * SECOND);
	assert_int_equal(wires.nodes[0].inbox.size, 249);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEERS(a_datagram_of_no_known_form_ends_the_link),
		PEERS(keys_are_renewed_while_a_link_is_used),
		PEERS(rubbish_behind_a_packet_does_no_harm),
		cmocka_unit_test(changed_copies_do_no_harm),
		PEERS(strays_travel_outside_of_links),
		PEERS(nobody_dials_itself),
		PEERS(a_target_without_usable_address_is_refused),
		EMPTY(many_devices_meet_one_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
