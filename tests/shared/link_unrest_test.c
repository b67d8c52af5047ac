#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "shared/error.h"
#include "shared/link.h"
#include "tests/link_pair.h"

/* Node 0 sends all the time; what has arrived at node 1. */
static size_t transfer(mono_ns duration)
{
	static uint8_t piece[20000];
	mono_ns until = net.now + duration;

	while (net.now < until) {
		link_write(net.nodes[0].link, LINK_CONTROL, BYTES(piece), false);
		net_run(&net, 5 * MILLISECOND);
	}
	return net.nodes[1].inbox.size;
}

/* How long nothing arrives from now on. */
static mono_ns time_to_flow(void)
{
	size_t before = transfer(net.delay * 2); /* what was under way */
	mono_ns began = net.now;

	while (transfer(5 * MILLISECOND) == before)
		assert_true(net.now < began + 20 * SECOND);
	return net.now - began;
}

static void a_rebound_port_is_repaired_within_a_second(void **state)
{
	static const unsigned delays[] = { 2, 10, 40, 100 };

	for (unsigned i = 0; i < 4 * 2 * 5; i++) {
		unsigned who = i & 1;

		two_peers(state);
		net.random = (i + 1) * 0x9e3779b97f4a7c15u;
		net.delay = delays[i / 2 % 4] * MILLISECOND;
		settle_both();
		net.loss = i / 8 % 2 * 20;
		transfer(2 * SECOND + i * 37 * MILLISECOND);
		net.nodes[who].address.port = 7777; /* its NAT forgot; it does not know */
		assert_true(time_to_flow() < SECOND);
		transfer(SECOND);
		assert_int_equal(link_path(net.nodes[!who].link).remote.port, 7777);
		assert_int_equal(net.nodes[0].told[LINK_DOWN], 0);
		assert_int_equal(net.nodes[1].told[LINK_DOWN], 0);
		net_end(state);
	}
}

/* Pings, answers and challenges are lost as well, and what is left of a window is small. */
static void a_rebound_port_is_repaired_through_loss(void **state)
{
	unsigned slow = 0;

	for (unsigned i = 0; i < 60; i++) {
		two_peers(state);
		net.random = (i + 1) * 0x9e3779b97f4a7c15u;
		settle_both();
		net.loss = 50;
		transfer(2 * SECOND + i * 37 * MILLISECOND);
		net.nodes[1].address.port = 7777;
		slow += time_to_flow() > SECOND;
		net_end(state);
	}
	assert_true(slow <= 3);
}

/* Away for seconds, the timers back off; who comes back says so. */
static void after_an_outage_nobody_waits_for_a_timer(void **state)
{
	for (unsigned i = 0; i < 2 * 4; i++) {
		unsigned who = i & 1;
		struct address before;
		mono_ns began;
		size_t arrived;

		two_peers(state);
		settle_both();
		transfer(SECOND);
		before = net.nodes[who].address;
		net.loss = 1000;
		transfer((2 + 2 * (i / 2)) * SECOND);
		net.loss = 0;
		net.nodes[who].address.port = 7777;
		net.nodes[who].address.ip[3] = 99;
		began = net.now;
		arrived = net.nodes[1].inbox.size;
		link_unsettle(net.nodes[who].link, net.now);
		while (transfer(5 * MILLISECOND) == arrived)
			assert_true(net.now < began + SECOND);
		assert_true(net.now - began < 200 * MILLISECOND);
		transfer(SECOND);
		assert_true(net.nodes[1].inbox.size > arrived + 200000);
		assert_false(address_equal(&before, &net.nodes[who].address));
		net_end(state);
	}
}

static void a_first_ping_that_is_lost_is_followed_soon(void **state)
{
	mono_ns began;
	size_t arrived;

	(void)state;
	settle_both();
	transfer(SECOND);
	net.loss = 1000;
	transfer(4 * SECOND);
	net.nodes[0].address.port = 7777;
	link_unsettle(net.nodes[0].link, net.now);
	net_flush(&net);
	net.loss = 0;
	began = net.now;
	arrived = net.nodes[1].inbox.size;
	while (transfer(5 * MILLISECOND) == arrived)
		assert_true(net.now < began + SECOND);
	assert_true(net.now - began < 300 * MILLISECOND);
}

static void who_comes_back_to_where_it_was_is_served_at_once(void **state)
{
	mono_ns began;
	size_t arrived;

	(void)state;
	settle_both();
	transfer(SECOND);
	net.nodes[1].address.port = 7777;
	link_unsettle(net.nodes[1].link, net.now);
	net_run(&net, 11 * MILLISECOND); /* it has been heard there; what goes there is lost */
	net.loss = 1000;
	transfer(7 * SECOND);
	assert_int_equal(link_path(net.nodes[0].link).remote.port, 7777);
	assert_true(net.nodes[0].link->is_unproved);
	net.loss = 0;
	net.nodes[1].address.port = 1000;
	began = net.now;
	arrived = net.nodes[1].inbox.size;
	link_unsettle(net.nodes[1].link, net.now);
	while (transfer(5 * MILLISECOND) == arrived)
		assert_true(net.now < began + SECOND);
	assert_true(net.now - began < 200 * MILLISECOND);
	assert_int_equal(net.nodes[0].told[LINK_MOVED], 0);
}

static bool from_first(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	mono_ns *at = n->user;

	(void)d;
	(void)data;
	for (int i = 0; from == 1 && i < 16; i++)
		if (at[i] == 0) {
			at[i] = n->now;
			break;
		}
	return true;
}

static void who_hears_nothing_after_data_pings_a_few_times(void **state)
{
	mono_ns at[16] = { 0 }, heard;

	(void)state;
	settle_both();
	net_write(&net, 0, LINK_CONTROL, "hello");
	net_run(&net, 11 * MILLISECOND);
	heard = link_last_heard(net.nodes[1].link);
	net_run(&net, 50 * MILLISECOND);
	net.nodes[0].is_dead = true;
	net.tap = from_first;
	net.user = at;
	net_run(&net, 9 * SECOND);
	assert_int_equal(at[0] - heard, 300 * MILLISECOND);
	for (int i = 0; i < 16 && at[i]; i++)
		assert_true(at[i] - heard < 9 * SECOND);
	assert_in_range(net.nodes[1].sent, 4, 20);
}

static void a_ping_that_is_answered_is_the_last(void **state)
{
	uint64_t sent;

	(void)state;
	settle_both();
	net_write(&net, 0, LINK_CONTROL, "hello");
	net_run(&net, SECOND);
	sent = net.nodes[1].sent;
	net_run(&net, 8 * SECOND);
	assert_int_equal(net.nodes[1].sent, sent);
	assert_int_equal(net.nodes[1].link->unrest.at, 0);
}

static void an_idle_link_is_not_restless(void **state)
{
	uint64_t sent;

	(void)state;
	settle_both();
	sent = net.nodes[0].sent + net.nodes[1].sent;
	for (int i = 0; i < 600; i++) {
		net_run(&net, SECOND);
		assert_int_equal(net.nodes[0].link->unrest.at, 0);
		assert_int_equal(net.nodes[1].link->unrest.at, 0);
	}
	/* a keep-alive every ten seconds, and its answer, of either */
	assert_true(net.nodes[0].sent + net.nodes[1].sent - sent <= 250);
}

/* Late packets of the path that was left do not lead back to it. */
static void who_moves_does_not_go_back(void **state)
{
	for (unsigned i = 0; i < 20; i++) {
		struct path path;

		two_peers(state);
		net.random = (i + 1) * 0x9e3779b97f4a7c15u;
		net.jitter = i * MILLISECOND;
		settle_both();
		transfer(SECOND);
		path = link_path(net.nodes[0].link);
		path.socket = endpoint_extra_socket(net.nodes[0].e);
		link_move(net.nodes[0].link, &path, net.now);
		for (int k = 0; k < 40; k++) {
			net_write(&net, 1, LINK_CONTROL, "from the other side");
			transfer(5 * MILLISECOND);
			assert_int_equal(link_path(net.nodes[0].link).socket, path.socket);
		}
		net_run(&net, SECOND);
		assert_int_equal(link_path(net.nodes[0].link).socket, path.socket);
		assert_int_equal(link_path(net.nodes[1].link).remote.port,
				 NET_EXTRA_PORT + path.socket - PATH_EXTRA);
		assert_int_equal(net.nodes[1].told[LINK_MOVED], 1);
		net_end(state);
	}
}

/* Moved to where nobody is after all: what comes from elsewhere is followed again. */
static void a_move_to_nowhere_is_given_up(void **state)
{
	struct path nowhere = { .remote = { .family = 4, .port = 9, .ip = { 9, 9, 9, 9 } } };

	(void)state;
	settle_both();
	link_move(net.nodes[0].link, &nowhere, net.now);
	for (int i = 0; i < 10; i++) {
		net_write(&net, 1, LINK_CONTROL, "x");
		net_run(&net, 300 * MILLISECOND);
	}
	assert_true(address_equal(&net.nodes[0].link->path.remote, &net.nodes[1].address));
	net_write(&net, 0, LINK_CONTROL, "back");
	net_run(&net, 3 * SECOND);
	assert_true(net_inbox_is(&net, 1, "back"));
}

static void the_clock_that_ran_ahead_does_no_harm(void **state)
{
	(void)state;
	settle_both();
	for (int i = 0; i < 30; i++) {
		net.loss = 1000;
		transfer(700 * MILLISECOND);
		link_unsettle(net.nodes[0].link, net.now);
		net.loss = 0;
		transfer(300 * MILLISECOND);
	}
	net_run(&net, 300 * SECOND);
	assert_int_equal(net.nodes[0].told[LINK_DOWN], 0);
	assert_int_equal(net.nodes[1].told[LINK_DOWN], 0);
	net.nodes[1].is_dead = true;
	link_unsettle(net.nodes[0].link, net.now);
	net_run(&net, 15 * SECOND);
	assert_int_equal(net.nodes[0].told[LINK_DOWN], 0);
	net_run(&net, 30 * SECOND);
	assert_int_equal(net.nodes[0].down_error, ERR_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rebound_port_is_repaired_within_a_second),
		cmocka_unit_test(a_rebound_port_is_repaired_through_loss),
		cmocka_unit_test(after_an_outage_nobody_waits_for_a_timer),
		PEERS(who_comes_back_to_where_it_was_is_served_at_once),
		PEERS(a_first_ping_that_is_lost_is_followed_soon),
		PEERS(who_hears_nothing_after_data_pings_a_few_times),
		PEERS(a_ping_that_is_answered_is_the_last),
		PEERS(an_idle_link_is_not_restless),
		cmocka_unit_test(who_moves_does_not_go_back),
		PEERS(a_move_to_nowhere_is_given_up),
		PEERS(the_clock_that_ran_ahead_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
