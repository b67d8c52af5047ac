#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "shared/error.h"
#include "shared/link.h"
#include "tests/link_pair.h"

static struct link *dial_offered(unsigned from)
{
	struct link_target t = net_target(&wires, !from);
	struct link *l;

	t.address_count = 0;
	t.is_offered = true;
	l = endpoint_dial(wires.nodes[from].e, &t, wires.now);
	assert_non_null(l);
	return l;
}

static struct path way_to(unsigned n)
{
	return (struct path){ .remote = wires.nodes[n].address };
}

static struct path way_nowhere(unsigned n)
{
	return (struct path){
		.remote = { .family = 4, .port = 50 + n, .ip = { 9, 9, 9, n / 4 + 1 } }
	};
}

struct counted {
	unsigned count[64]; /* by port, from 50 */
	unsigned all;
};

static bool count_ports(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	struct counted *c = n->user;
	unsigned i = (unsigned)d->path.remote.port - 50;

	(void)data;
	if (from == 0 && i < 64)
		c->count[i]++;
	c->all += from == 0;
	return true;
}

static void nothing_leaves_before_the_first_offer(void **state)
{
	(void)state;
	dial_offered(0);
	net_run(&wires, 9 * SECOND);
	assert_int_equal(wires.nodes[0].sent, 0);
	assert_int_equal(wires.nodes[0].told[LINK_DOWN], 0);
	net_run(&wires, 2 * SECOND);
	assert_int_equal(wires.nodes[0].sent, 0);
	assert_int_equal(wires.nodes[0].down_error, ERR_TIMEOUT);
}

static void a_way_that_is_not_proved_gets_one_datagram(void **state)
{
	struct counted c = { 0 };
	struct link *l = dial_offered(0);

	(void)state;
	wires.tap = count_ports;
	wires.user = &c;
	for (unsigned i = 0; i < 8; i++) {
		struct path path = way_nowhere(i);

		link_offer(l, &path, false);
		link_offer(l, &path, false);
		net_run(&wires, 800 * MILLISECOND);
	}
	net_run(&wires, 5 * SECOND);
	assert_int_equal(c.all, LINK_OFFERS_MAX);
	for (unsigned i = 0; i < LINK_OFFERS_MAX; i++)
		assert_int_equal(c.count[i], 1);
	assert_int_equal(wires.nodes[0].down_error, ERR_TIMEOUT);
}

static void a_way_that_is_proved_gets_all(void **state)
{
	struct counted c = { 0 };
	struct link *l = dial_offered(0);
	struct path unproved = way_nowhere(0), proved = way_nowhere(1);

	(void)state;
	wires.tap = count_ports;
	wires.user = &c;
	link_offer(l, &unproved, false);
	link_offer(l, &proved, false);
	net_run(&wires, SECOND);
	assert_int_equal(c.count[1], 1);
	link_offer(l, &proved, true);
	net_run(&wires, 2 * SECOND);
	assert_in_range(c.count[1], 4, 20);
	assert_int_equal(c.count[0], 1);
	net_run(&wires,
		6 * SECOND); /* the attempt ends by our clock, however often it was said */
	assert_int_equal(wires.nodes[0].told[LINK_DOWN], 0);
	net_run(&wires, 1500 * MILLISECOND);
	assert_int_equal(wires.nodes[0].down_error, ERR_TIMEOUT);
	assert_in_range(c.count[1], 10, 40);
}

static void an_unproved_way_is_enough_where_it_works(void **state)
{
	struct link *l = dial_offered(0);
	struct path path = way_to(1);

	(void)state;
	link_offer(l, &path, false);
	net_run(&wires, 25 * MILLISECOND);
	assert_non_null(wires.nodes[0].link);
	net_run(&wires, SECOND);
	net_write(&wires, 0, LINK_CONTROL, "hello");
	net_run(&wires, SECOND);
	assert_true(net_inbox_is(&wires, 1, "hello"));
}

/* The round trip is that of the datagram that was answered, not of the first one made. */
static void a_way_proved_late_is_gone_at_once(void **state)
{
	struct link *l = dial_offered(0);
	struct path nowhere = way_nowhere(0), path = way_to(1);

	(void)state;
	link_offer(l, &nowhere, false);
	net_run(&wires, 5 * SECOND);
	link_offer(l, &path, true);
	net_run(&wires, 25 * MILLISECOND);
	assert_non_null(wires.nodes[0].link);
	assert_in_range(link_round_trip(wires.nodes[0].link), 15 * MILLISECOND,
			40 * MILLISECOND);
	assert_false(wires.nodes[0].link->is_unproved);
}

static void a_proved_way_is_tried_through_loss(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 100; seed++) {
		struct path path;

		two_peers(state);
		wires.random = seed * 0x9e3779b97f4a7c15u;
		wires.loss = 300;
		path = way_to(1);
		link_offer(dial_offered(0), &path, true);
		assert_true(net_run_until(&wires, both_up, 8 * SECOND));
		net_end(state);
	}
}

static void the_path_of_the_answer_is_used_with_its_socket(void **state)
{
	struct link *l = dial_offered(0);
	struct path nowhere = way_nowhere(0), path = way_to(1);
	uint16_t socket = endpoint_extra_socket(wires.nodes[0].e);

	(void)state;
	assert_true(socket >= PATH_EXTRA);
	path.socket = socket;
	link_offer(l, &nowhere, false);
	link_offer(l, &path, false);
	endpoint_release_socket(wires.nodes[0].e, socket);
	net_run(&wires, SECOND);
	assert_non_null(wires.nodes[0].link);
	assert_int_equal(link_path(wires.nodes[0].link).socket, socket);
	assert_int_equal(link_path(wires.nodes[1].link).remote.port,
			 NET_EXTRA_PORT + socket - PATH_EXTRA);
	assert_int_equal(wires.nodes[0].open_count, 1);
	assert_int_equal(wires.nodes[0].closed_count, 0);
	net_write(&wires, 1, LINK_CONTROL, "hello");
	net_run(&wires, SECOND);
	assert_true(net_inbox_is(&wires, 0, "hello"));
	/* Left, it closes. */
	path.socket = 0;
	link_move(wires.nodes[0].link, &path, wires.now);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[0].closed_count, 1);
	net_write(&wires, 1, LINK_CONTROL, " again");
	net_run(&wires, SECOND);
	assert_true(net_inbox_is(&wires, 0, "hello again"));
	assert_int_equal(wires.nodes[0].closed_count, 1);
}

static void a_socket_closes_with_the_link_that_used_it(void **state)
{
	struct path path = way_to(1);
	uint16_t socket = endpoint_extra_socket(wires.nodes[0].e);

	(void)state;
	path.socket = socket;
	link_offer(dial_offered(0), &path, true);
	net_run(&wires, SECOND);
	endpoint_release_socket(wires.nodes[0].e, socket);
	link_close(wires.nodes[1].link, 0, wires.now);
	wires.nodes[1].link = NULL;
	net_run(&wires, 5 * SECOND);
	assert_int_equal(wires.nodes[0].closed_count, 1);
	assert_int_not_equal(endpoint_extra_socket(wires.nodes[0].e), socket);
}

static void a_socket_that_nobody_came_to_use_closes_at_once(void **state)
{
	struct path path = way_to(1);
	static const uint8_t stray[] = { 3 };
	uint16_t socket;

	(void)state;
	path.socket = endpoint_extra_socket(wires.nodes[0].e);
	endpoint_send_stray(wires.nodes[0].e, &path, BYTES(stray), 0);
	endpoint_release_socket(wires.nodes[0].e, path.socket);
	assert_false(
		endpoint_next_released(wires.nodes[0].e, &socket)); /* it would open again */
	net_flush(&wires);
	assert_int_equal(wires.nodes[0].open_count, 1);
	assert_int_equal(wires.nodes[0].closed_count, 1);
}

static unsigned smaller_of_two(void)
{
	return memcmp(wires.nodes[0].config.device.public.bytes,
		      wires.nodes[1].config.device.public.bytes, 32) < 0
		       ? 0
		       : 1;
}

static void who_yields_takes_the_attempt_of_the_other(void **state)
{
	(void)state;
	for (int is_yielding = 0; is_yielding < 2; is_yielding++) {
		unsigned smaller;
		struct path nowhere = way_nowhere(0);
		struct link *l;

		two_peers(state);
		smaller = smaller_of_two();
		l = dial_offered(smaller);
		link_offer(l, &nowhere, false);
		if (is_yielding)
			link_yield(l);
		net_dial(&wires, !smaller, smaller);
		net_run(&wires, SECOND);
		assert_non_null(wires.nodes[smaller].link);
		/* The one who does not yield goes on by itself, to where they knocked from. */
		assert_int_equal(link_is_initiator(wires.nodes[smaller].link), !is_yielding);
		assert_int_equal(endpoint_counters(wires.nodes[0].e).links, 1);
		assert_int_equal(endpoint_counters(wires.nodes[1].e).links, 1);
		net_end(state);
	}
}

/* Whoever yields and however the network is, both keep the same link. */
static void both_agree_on_one_link_whoever_yields(void **state)
{
	for (unsigned seed = 1; seed <= 400; seed++) {
		two_peers(state);
		wires.random = seed * 0x9e3779b97f4a7c15u;
		wires.loss = seed % 3 * 150;
		wires.jitter = seed % 5 * 20 * MILLISECOND;
		for (unsigned i = 0; i < 2; i++) {
			unsigned who = (seed + i) % 2;
			struct path path = way_to(!who);
			struct link *l = dial_offered(who);

			link_offer(l, &path, seed & 4);
			if (seed >> (3 + who) & 1)
				link_yield(l);
			net_run(&wires, seed % 60 * MILLISECOND);
		}
		net_run(&wires, 8 * SECOND);
		wires.loss = 0;
		net_run(&wires, 15 * SECOND);
		assert_int_equal(!wires.nodes[0].link, !wires.nodes[1].link);
		if (wires.nodes[0].link)
			assert_memory_equal(link_handshake_hash(wires.nodes[0].link),
					    link_handshake_hash(wires.nodes[1].link), 64);
		net_end(state);
	}
}

static void the_time_to_live_goes_with_the_datagram(void **state)
{
	struct path path = way_to(1);
	static const uint8_t stray[] = { 3 };

	(void)state;
	wires.hops = 6;
	endpoint_send_stray(wires.nodes[0].e, &path, BYTES(stray), 5);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[1].told[STRAY], 0);
	endpoint_send_stray(wires.nodes[0].e, &path, BYTES(stray), 0);
	endpoint_send_stray(wires.nodes[0].e, &path, BYTES(stray), 64);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[1].told[STRAY], 2);
	link_offer(dial_offered(0), &path, false);
	net_run(&wires, SECOND);
	assert_non_null(wires.nodes[0].link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEERS(nothing_leaves_before_the_first_offer),
		PEERS(a_way_that_is_not_proved_gets_one_datagram),
		PEERS(a_way_that_is_proved_gets_all),
		PEERS(an_unproved_way_is_enough_where_it_works),
		PEERS(a_way_proved_late_is_gone_at_once),
		cmocka_unit_test(a_proved_way_is_tried_through_loss),
		PEERS(the_path_of_the_answer_is_used_with_its_socket),
		PEERS(a_socket_closes_with_the_link_that_used_it),
		PEERS(a_socket_that_nobody_came_to_use_closes_at_once),
		cmocka_unit_test(who_yields_takes_the_attempt_of_the_other),
		cmocka_unit_test(both_agree_on_one_link_whoever_yields),
		PEERS(the_time_to_live_goes_with_the_datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
