#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "shared/endpoint_inside.h"
#include "tests/link_net.h"

/* Nodes 0 and 1 are the two ends, 2 has a link to each. */
enum { A, B, RELAY, MARK_A = 7, MARK_B = 9, PLENTY = 100 << 20 };

static struct net net;
static struct link *via[2], *carrying[2]; /* the ends' links to the relay, and its to them */
static uint32_t tunnels[2];

static int three_peers(void **state)
{
	(void)state;
	net_init(&net);
	for (int i = 0; i < 3; i++)
		net_add(&net, ENDPOINT_ADMITTED);
	net_befriend(&net, 3);
	for (unsigned i = 0; i < 2; i++) {
		net_dial(&net, i, RELAY);
		net_run(&net, SECOND);
		via[i] = net.nodes[i].link;
		carrying[i] = net.nodes[RELAY].link;
		assert_non_null(via[i]);
		net.nodes[i].link = NULL;
	}
	return 0;
}

static int clear(void **state)
{
	(void)state;
	net_clear(&net);
	return 0;
}

static void join(uint32_t rate)
{
	assert_int_equal(endpoint_relay_join(net.nodes[RELAY].e, carrying[A], MARK_A,
					     carrying[B], MARK_B, rate),
			 0);
	tunnels[A] = endpoint_tunnel_open(net.nodes[A].e, via[A], MARK_A);
	tunnels[B] = endpoint_tunnel_open(net.nodes[B].e, via[B], MARK_B);
	assert_true(tunnels[A] && tunnels[B]);
}

static bool ends_up(struct net *n)
{
	return n->nodes[A].link && n->nodes[B].link;
}

static struct link *dial_through(unsigned from)
{
	struct link_target t = net_target(&net, !from);
	struct path path = { .tunnel = tunnels[from] };
	struct link *l;

	t.address_count = 0;
	t.is_offered = true;
	l = endpoint_dial(net.nodes[from].e, &t, net.now);
	link_offer(l, &path, true);
	return l;
}

static void connect_ends(void)
{
	dial_through(A);
	assert_true(net_run_until(&net, ends_up, 5 * SECOND));
	net_run(&net, SECOND);
}

static void assert_works(unsigned from)
{
	buf_clear(&net.nodes[!from].inbox);
	net_write(&net, from, LINK_CONTROL, "does this arrive");
	net_run(&net, 3 * SECOND);
	assert_true(net_inbox_is(&net, !from, "does this arrive"));
}

static void two_meet_through_a_third(void **state)
{
	mono_ns began = net.now;

	(void)state;
	join(PLENTY);
	dial_through(A);
	assert_true(net_run_until(&net, ends_up, 5 * SECOND));
	/* three ways of 20 ms each: the confirmation is the third */
	assert_in_range(net.now - began, 60 * MILLISECOND, 65 * MILLISECOND);
	assert_int_equal(link_path(net.nodes[A].link).tunnel, tunnels[A]);
	assert_int_equal(link_path(net.nodes[B].link).tunnel, tunnels[B]);
	assert_false(net.nodes[A].link->is_unproved);
	assert_works(A);
	assert_works(B);
	assert_true(endpoint_relay_bytes(net.nodes[RELAY].e, carrying[A], MARK_A) > 2000);
	assert_int_equal(endpoint_relay_bytes(net.nodes[RELAY].e, carrying[A], MARK_A),
			 endpoint_relay_bytes(net.nodes[RELAY].e, carrying[B], MARK_B));
}

static void send_much(size_t total, mono_ns duration)
{
	static uint8_t piece[50000];
	size_t sent = 0;
	mono_ns until = net.now + duration;

	buf_clear(&net.nodes[B].inbox);
	memset(piece, 'x', sizeof piece);
	while (net.nodes[B].inbox.size < total && net.now < until) {
		size_t part = total - sent < sizeof piece ? total - sent : sizeof piece;

		if (part && link_write(net.nodes[A].link, LINK_CONTROL, bytes_of(piece, part),
				       false) == 0)
			sent += part;
		net_run(&net, 5 * MILLISECOND);
	}
	assert_int_equal(net.nodes[B].inbox.size, total);
}

static bool narrow(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	(void)n;
	(void)from;
	(void)data;
	return d->size <= 1200;
}

static void much_goes_through_whole(void **state)
{
	(void)state;
	join(PLENTY);
	connect_ends();
	send_much(2 << 20, 60 * SECOND);
	assert_int_equal(net.nodes[A].told[LINK_DOWN], 0);
}

static void where_the_outer_path_is_small_datagrams_go_in_halves(void **state)
{
	net.tap = narrow; /* after the setup's handshakes: what was learnt is given up */
	(void)state;
	for (int i = 0; i < 2; i++) {
		link_stay_small(via[i], net.now);
		link_stay_small(carrying[i], net.now);
	}
	join(PLENTY);
	connect_ends();
	send_much(1 << 20, 60 * SECOND);
}

static void much_goes_through_a_bad_network(void **state)
{
	(void)state;
	net.loss = 20;
	net.duplicates = 20;
	net.jitter = 5 * MILLISECOND;
	join(PLENTY);
	connect_ends();
	send_much(300000, 120 * SECOND);
}

static void a_relay_carries_no_more_than_its_rate(void **state)
{
	mono_ns began;
	uint64_t before, carried;

	(void)state;
	join(100000);
	connect_ends();
	net_run(&net, 5 * SECOND);
	began = net.now;
	before = endpoint_relay_bytes(net.nodes[RELAY].e, carrying[A], MARK_A);
	send_much(400000, 60 * SECOND);
	carried = endpoint_relay_bytes(net.nodes[RELAY].e, carrying[A], MARK_A) - before;
	assert_true(carried <= RELAY_BURST_MIN + 100000 * (net.now - began) / SECOND);
	assert_true(net.now - began < 20 * SECOND); /* nor is it much less */
	assert_true(carried >= 400000);
}

static void the_relay_sees_ciphertext(void **state)
{
	(void)state;
	join(PLENTY);
	connect_ends();
	assert_memory_equal(link_handshake_hash(net.nodes[A].link),
			    link_handshake_hash(net.nodes[B].link), 64);
	assert_true(identity_public_equal(&link_certificate(net.nodes[A].link)->identity,
					  &net.nodes[B].identity.public));
	assert_int_equal(net.nodes[RELAY].inbox.size, 0);
	assert_int_equal(net.nodes[RELAY].told[STRAY], 0);
}

static void a_link_moves_out_of_its_tunnel_and_back(void **state)
{
	struct path direct = { .remote = net.nodes[B].address };
	struct path back;
	uint64_t carried;

	(void)state;
	join(PLENTY);
	connect_ends();
	back = (struct path){ .tunnel = tunnels[A] };
	link_move(net.nodes[A].link, &direct, net.now);
	net_run(&net, SECOND);
	assert_int_equal(link_path(net.nodes[A].link).tunnel, 0);
	assert_int_equal(link_path(net.nodes[B].link).tunnel, 0);
	assert_int_equal(net.nodes[B].told[LINK_MOVED], 1);
	assert_false(net.nodes[A].link->is_unproved || net.nodes[B].link->is_unproved);
	carried = endpoint_relay_bytes(net.nodes[RELAY].e, carrying[A], MARK_A);
	assert_works(A);
	assert_works(B);
	assert_int_equal(endpoint_relay_bytes(net.nodes[RELAY].e, carrying[A], MARK_A),
			 carried);
	link_move(net.nodes[A].link, &back, net.now);
	net_run(&net, SECOND);
	assert_int_equal(link_path(net.nodes[A].link).tunnel, tunnels[A]);
	assert_int_equal(link_path(net.nodes[B].link).tunnel, tunnels[B]);
	assert_int_equal(net.nodes[B].told[LINK_MOVED], 2);
	assert_works(A);
	assert_works(B);
}

static bool no_direct(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	(void)data;
	return from == RELAY || address_equal(&d->path.remote, &n->nodes[RELAY].address);
}

static void who_follows_into_a_tunnel_waits_for_no_timer(void **state)
{
	static uint8_t much[400000];
	struct path path;
	size_t before;

	(void)state;
	join(PLENTY);
	path = (struct path){ .tunnel = tunnels[A] };
	net_dial(&net, A, B);
	assert_true(net_run_until(&net, ends_up, 5 * SECOND));
	net_run(&net, SECOND);
	assert_int_equal(link_write(net.nodes[B].link, LINK_CONTROL, BYTES(much), false), 0);
	net_run(&net, 25 * MILLISECOND);
	net.tap = no_direct;
	net_run(&net, 8 * SECOND);
	before = net.nodes[A].inbox.size;
	assert_true(before < sizeof much);
	link_move(net.nodes[A].link, &path, net.now);
	net_run(&net, 100 * MILLISECOND);
	assert_int_equal(link_path(net.nodes[B].link).tunnel, tunnels[B]);
	net_run(&net, 100 * MILLISECOND);
	assert_true(net.nodes[A].inbox.size > before);
}

static bool note_size(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	size_t *largest = n->user;

	(void)data;
	if (from == A && address_equal(&d->path.remote, &n->nodes[B].address) &&
	    d->size > *largest)
		*largest = d->size;
	return true;
}

static void out_of_a_tunnel_datagrams_grow(void **state)
{
	struct path direct = { .remote = net.nodes[B].address };
	size_t largest = 0;

	(void)state;
	join(PLENTY);
	connect_ends();
	send_much(200000, 10 * SECOND);
	link_move(net.nodes[A].link, &direct, net.now);
	net.tap = note_size;
	net.user = &largest;
	send_much(2 << 20, 20 * SECOND);
	assert_true(largest > 1400);
}

static void a_link_moves_in_mid_transfer_and_loses_nothing(void **state)
{
	struct path direct = { .remote = net.nodes[B].address };

	(void)state;
	for (int i = 0; i < 10; i++) {
		struct path back;

		if (i)
			three_peers(state);
		net.jitter = i * MILLISECOND;
		join(PLENTY);
		connect_ends();
		back = (struct path){ .tunnel = tunnels[A] };
		for (int k = 0; k < 3; k++) {
			send_much(100000, 10 * SECOND);
			link_move(net.nodes[A].link, k % 2 ? &back : &direct, net.now);
		}
		send_much(1 << 20, 20 * SECOND);
		assert_int_equal(link_path(net.nodes[A].link).tunnel, 0);
		assert_int_equal(link_path(net.nodes[B].link).tunnel, 0);
		assert_int_equal(net.nodes[A].told[LINK_UP] - 1, 1);
		if (i < 9)
			clear(state);
	}
}

static void a_tunnel_ends_with_the_link_it_is_in(void **state)
{
	struct path direct = { .remote = net.nodes[B].address };

	(void)state;
	join(PLENTY);
	connect_ends();
	link_close(carrying[B], 0, net.now);
	net_run(&net, SECOND);
	assert_int_equal(endpoint_relay_bytes(net.nodes[RELAY].e, carrying[A], MARK_A), 0);
	assert_non_null(net.nodes[A].link);
	/* It has no way now, and may be moved to one. */
	net_write(&net, A, LINK_CONTROL, "from nowhere");
	net_run(&net, SECOND);
	assert_int_equal(net.nodes[B].inbox.size, 0);
	link_move(net.nodes[A].link, &direct, net.now);
	net_run(&net, SECOND);
	assert_true(net_inbox_is(&net, B, "from nowhere"));
	assert_works(B);
}

static void a_circuit_parted_carries_nothing(void **state)
{
	(void)state;
	join(PLENTY);
	connect_ends();
	endpoint_relay_part(net.nodes[RELAY].e, carrying[B], MARK_B);
	net_write(&net, A, LINK_CONTROL, "hello");
	net_run(&net, 2 * SECOND);
	assert_int_equal(net.nodes[B].inbox.size, 0);
	assert_int_equal(endpoint_relay_join(net.nodes[RELAY].e, carrying[A], MARK_A,
					     carrying[B], MARK_B, PLENTY),
			 0);
	net_run(&net, 5 * SECOND);
	assert_true(net_inbox_is(&net, B, "hello"));
	endpoint_tunnel_close(net.nodes[A].e, tunnels[A]);
	net_write(&net, A, LINK_CONTROL, "hello");
	net_run(&net, 2 * SECOND);
	assert_true(net_inbox_is(&net, B, "hello"));
	assert_int_not_equal(endpoint_tunnel_open(net.nodes[A].e, via[A], MARK_A), tunnels[A]);
}

static void nothing_nests(void **state)
{
	struct endpoint *e = net.nodes[A].e;
	struct path inside;
	struct link *inner;

	(void)state;
	join(PLENTY);
	connect_ends();
	inner = net.nodes[A].link;
	assert_int_equal(endpoint_tunnel_open(e, inner, 1), 0);
	assert_int_equal(endpoint_relay_join(e, inner, 1, via[A], 2, PLENTY), ERR_STATE);
	assert_int_equal(endpoint_relay_join(e, via[A], 2, inner, 1, PLENTY), ERR_STATE);
	/* A link with a tunnel in it that goes into a tunnel itself carries no more. */
	inside = (struct path){ .tunnel = tunnels[A] };
	link_move(via[A], &inside, net.now);
	net_write(&net, A, LINK_CONTROL, "round and round");
	net_run(&net, 5 * SECOND);
	assert_int_equal(net.nodes[B].inbox.size, 0);
	assert_true(net.nodes[A].sent < 1000);
}

static void marks_and_tunnels_are_limited(void **state)
{
	struct endpoint *e = net.nodes[RELAY].e;

	(void)state;
	join(PLENTY);
	assert_int_equal(endpoint_tunnel_open(net.nodes[A].e, via[A], MARK_A), 0);
	assert_int_equal(
		endpoint_relay_join(e, carrying[A], MARK_A, carrying[B], MARK_B + 1, PLENTY),
		ERR_EXISTS);
	assert_int_equal(endpoint_relay_join(e, carrying[A], 1, carrying[A], 1, PLENTY),
			 ERR_EXISTS);
	assert_int_equal(endpoint_tunnel_open(e, carrying[B], MARK_B), 0);
	for (uint32_t i = 1; i < ENDPOINT_TUNNELS_MAX; i++) {
		assert_true(endpoint_tunnel_open(net.nodes[A].e, via[A], 100 + i));
		assert_int_equal(endpoint_relay_join(e, carrying[A], 100 + i, carrying[B],
						     100 + i, PLENTY),
				 0);
	}
	assert_int_equal(endpoint_tunnel_open(net.nodes[A].e, via[A], 1000), 0);
	assert_int_equal(endpoint_relay_join(e, carrying[A], 1000, carrying[B], 1000, PLENTY),
			 ERR_LIMIT);
}

static void a_queue_that_is_full_drops_the_oldest(void **state)
{
	uint8_t datagram[1000] = { 0 };

	(void)state;
	join(PLENTY);
	for (int i = 0; i < 10000; i++)
		link_carry(via[A], MARK_A, BYTES(datagram));
	assert_int_equal(via[A]->datagrams.count, LINK_DATAGRAMS_QUEUED);
	net_run(&net, SECOND);
	assert_int_equal(via[A]->datagrams.count, 0);
}

/* --- relayed only --- */

static void only_relayed(unsigned n, unsigned who)
{
	endpoint_admit(net.nodes[n].e, &net.nodes[who].identity.public, true);
}

static void who_may_only_come_through_a_tunnel_meets_nobody_elsewhere(void **state)
{
	uint64_t sent;

	(void)state;
	only_relayed(B, A);
	join(PLENTY);
	net_run(&net, SECOND);
	sent = net.nodes[B].sent;
	net_dial(&net, A, B);
	net_run(&net, 5 * SECOND);
	assert_null(net.nodes[A].link);
	assert_int_equal(net.nodes[B].sent, sent);
	net_run(&net, 10 * SECOND); /* the attempt ends */
	assert_int_equal(net.nodes[A].down_error, ERR_TIMEOUT);
	connect_ends();
	assert_works(A);
	/* Nor does the link leave its tunnel, whoever wants it. */
	sent = net.nodes[B].sent;
	for (unsigned who = 0; who < 2; who++) {
		struct path direct = { .remote = net.nodes[!who].address };

		link_move(net.nodes[who].link, &direct, net.now);
		net_run(&net, 100 * MILLISECOND);
	}
	assert_int_equal(link_path(net.nodes[B].link).tunnel, tunnels[B]);
	assert_int_equal(net.nodes[B].told[LINK_MOVED], 0);
}

static bool direct_from_b(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	unsigned *count = n->user;

	(void)data;
	*count += from == B && address_equal(&d->path.remote, &n->nodes[A].address);
	return true;
}

static void a_change_of_consent_closes_what_is_direct(void **state)
{
	unsigned direct = 0;

	(void)state;
	join(PLENTY);
	net_dial(&net, A, B);
	assert_true(net_run_until(&net, ends_up, 5 * SECOND));
	only_relayed(B, A);
	net_run(&net, SECOND);
	assert_int_equal(net.nodes[B].down_error, ERR_REFUSED);
	assert_null(net.nodes[A].link);
	net_run(&net, 5 * SECOND);
	net.tap = direct_from_b;
	net.user = &direct;
	/* Nor do we dial there. */
	assert_null(net_dial(&net, B, A));
	{
		struct path path = { .remote = net.nodes[A].address };

		link_offer(dial_through(B), &path, true);
	}
	assert_true(net_run_until(&net, ends_up, 5 * SECOND));
	assert_works(B);
	assert_int_equal(direct, 0);
	/* What is in a tunnel stays when it is said again. */
	only_relayed(B, A);
	endpoint_admit(net.nodes[B].e, &net.nodes[A].identity.public, false);
	assert_works(A);
	assert_non_null(net.nodes[B].link);
}

static void whoever_it_turns_out_to_be_is_held_to_it(void **state)
{
	struct link_target t = net_target(&net, A);

	(void)state;
	only_relayed(B, A);
	t.has_identity = false;
	assert_non_null(endpoint_dial(net.nodes[B].e, &t, net.now));
	net_run(&net, 5 * SECOND);
	assert_int_equal(net.nodes[B].told[LINK_UP], 1); /* the relay's */
	assert_int_equal(net.nodes[B].down_error, ERR_REFUSED);
	assert_null(net.nodes[A].link);
}

/* --- hostile --- */

static void send_frame(struct link *l, unsigned from, unsigned to, struct bytes frame)
{
	ngtcp2_vec part = { (uint8_t *)frame.data, frame.size };
	uint8_t room[1452];
	ngtcp2_pkt_info info;
	ngtcp2_ssize size;
	int is_taken;

	size = ngtcp2_conn_writev_datagram(l->conn, NULL, &info, room, sizeof room, &is_taken,
					   NGTCP2_WRITE_DATAGRAM_FLAG_NONE, 0, &part, 1,
					   net.now);
	assert_true(size > 0 && is_taken);
	net_inject(&net, &net.nodes[from].address, &net.nodes[to].address, bytes_of(room, size),
		   0);
	net_run(&net, 50 * MILLISECOND);
}

static void marks_that_nobody_knows_do_no_harm(void **state)
{
	(void)state;
	join(PLENTY);
	send_frame(via[A], A, RELAY, BYTES("\4\0\0\0\1hello"));
	send_frame(via[A], A, RELAY, BYTES("\5\0\0\0\1\0\1hello"));
	send_frame(carrying[A], RELAY, A, BYTES("\4\0\0\0\7\3 a stray"));
	send_frame(carrying[A], RELAY, A, BYTES("\4\0\0\0\7\xc3garbage"));
	send_frame(carrying[A], RELAY, A, BYTES("\6\0\0\0\7\0\1xx"));
	assert_int_equal(net.nodes[A].told[STRAY], 0);
	assert_int_equal(net.nodes[RELAY].told[LINK_DOWN], 0);
	assert_int_equal(net.nodes[A].told[LINK_DOWN], 0);
	connect_ends();
	assert_works(A);
}

static void frames_of_no_known_form_end_the_link(void **state)
{
	static const struct {
		uint8_t first;
		size_t size;
	} bad[] = { { 4, 5 }, { 5, 7 }, { 6, 6 }, { 7, 100 }, { 0, 9 }, { 4, 1206 }, { 1, 8 } };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		uint8_t frame[1300] = { bad[i].first };

		if (i)
			three_peers(state);
		send_frame(via[A], A, RELAY, bytes_of(frame, bad[i].size));
		assert_int_equal(net.nodes[RELAY].down_error, ERR_FORMAT);
		if (i + 1 < sizeof bad / sizeof *bad)
			clear(state);
	}
}

static void halves_of_different_datagrams_are_not_put_together(void **state)
{
	struct tunnels *t = &net.nodes[RELAY].e->tunnels;
	static const struct {
		enum carried_part part;
		uint16_t id;
		size_t size;
		size_t whole; /* expected */
	} rows[] = {
		{ CARRIED_FIRST, 1, 600, 0 },    { CARRIED_SECOND, 2, 600, 0 },
		{ CARRIED_FIRST, 2, 600, 1200 }, { CARRIED_SECOND, 3, 10, 0 },
		{ CARRIED_SECOND, 3, 20, 0 },    { CARRIED_FIRST, 3, 1180, 1200 },
		{ CARRIED_FIRST, 4, 1200, 0 },   { CARRIED_SECOND, 4, 1200, 0 },
		{ CARRIED_WHOLE, 0, 5, 5 },      { CARRIED_SECOND, 4, 1, 0 },
		{ CARRIED_FIRST, 4, 1, 2 },
	};
	uint32_t number = tunnels_open(t, carrying[A], 5);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct carried *c = calloc(1, sizeof *c + LINK_CARRIED_MAX);
		uint8_t *datagram = NULL;
		size_t size = 0;

		c->circuit = 5;
		c->part = rows[i].part;
		c->id = rows[i].id;
		c->size = rows[i].size;
		memset(c->data, rows[i].part, c->size);
		assert_int_equal(tunnels_receive(t, carrying[A], c, &datagram, &size, net.now),
				 rows[i].whole ? number : 0);
		if (rows[i].whole == 1200) {
			assert_int_equal(datagram[0], CARRIED_FIRST);
			assert_int_equal(datagram[1199], CARRIED_SECOND);
		}
		if (rows[i].whole)
			assert_int_equal(size, rows[i].whole);
		free(c);
	}
}

#define PEERS(f) cmocka_unit_test_setup_teardown(f, three_peers, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEERS(two_meet_through_a_third),
		PEERS(much_goes_through_whole),
		PEERS(where_the_outer_path_is_small_datagrams_go_in_halves),
		PEERS(much_goes_through_a_bad_network),
		PEERS(a_relay_carries_no_more_than_its_rate),
		PEERS(the_relay_sees_ciphertext),
		PEERS(a_link_moves_out_of_its_tunnel_and_back),
		PEERS(who_follows_into_a_tunnel_waits_for_no_timer),
		PEERS(out_of_a_tunnel_datagrams_grow),
		PEERS(a_link_moves_in_mid_transfer_and_loses_nothing),
		PEERS(a_tunnel_ends_with_the_link_it_is_in),
		PEERS(a_circuit_parted_carries_nothing),
		PEERS(nothing_nests),
		PEERS(marks_and_tunnels_are_limited),
		PEERS(a_queue_that_is_full_drops_the_oldest),
		PEERS(who_may_only_come_through_a_tunnel_meets_nobody_elsewhere),
		PEERS(whoever_it_turns_out_to_be_is_held_to_it),
		PEERS(a_change_of_consent_closes_what_is_direct),
		PEERS(marks_that_nobody_knows_do_no_harm),
		PEERS(frames_of_no_known_form_end_the_link),
		PEERS(halves_of_different_datagrams_are_not_put_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
