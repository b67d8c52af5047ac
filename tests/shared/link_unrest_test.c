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
	mono_ns until = wires.now + duration;

	while (wires.now < until) {
		link_write(wires.nodes[0].link, LINK_CONTROL, BYTES(piece), false);
		net_run(&wires, 5 * MILLISECOND);
	}
	return wires.nodes[1].inbox.size;
}

/* How long nothing arrives from now on. */
static mono_ns time_to_flow(void)
{
	size_t before = transfer(wires.delay * 2); /* what was under way */
	mono_ns began = wires.now;

	while (transfer(5 * MILLISECOND) == before)
		assert_true(wires.now < began + 20 * SECOND);
	return wires.now - began;
}

static void a_rebound_port_is_repaired_within_a_second(void **state)
{
	static const unsigned delays[] = { 2, 10, 40, 100 };

	for (unsigned i = 0; i < 4 * 2 * 5; i++) {
		unsigned who = i & 1;

		two_peers(state);
		wires.random = (i + 1) * 0x9e3779b97f4a7c15u;
		wires.delay = delays[i / 2 % 4] * MILLISECOND;
		settle_both();
		wires.loss = i / 8 % 2 * 20;
		transfer(2 * SECOND + i * 37 * MILLISECOND);
		wires.nodes[who].address.port = 7777; /* its NAT forgot; it does not know */
		assert_true(time_to_flow() < SECOND);
		transfer(SECOND);
		assert_int_equal(link_path(wires.nodes[!who].link).remote.port, 7777);
		assert_int_equal(wires.nodes[0].told[LINK_DOWN], 0);
		assert_int_equal(wires.nodes[1].told[LINK_DOWN], 0);
		net_end(state);
	}
}

/* Pings, answers and challenges are lost as well, and what is left of a window is small. */
static void a_rebound_port_is_repaired_through_loss(void **state)
{
	unsigned slow = 0;

	for (unsigned i = 0; i < 60; i++) {
		two_peers(state);
		wires.random = (i + 1) * 0x9e3779b97f4a7c15u;
		settle_both();
		wires.loss = 50;
		transfer(2 * SECOND + i * 37 * MILLISECOND);
		wires.nodes[1].address.port = 7777;
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
		before = wires.nodes[who].address;
		wires.loss = 1000;
		transfer((2 + 2 * (i / 2)) * SECOND);
		wires.loss = 0;
		wires.nodes[who].address.port = 7777;
		wires.nodes[who].address.ip[3] = 99;
		began = wires.now;
		arrived = wires.nodes[1].inbox.size;
		link_unsettle(wires.nodes[who].link, wires.now);
		while (transfer(5 * MILLISECOND) == arrived)
			assert_true(wires.now < began + SECOND);
		assert_true(wires.now - began < 200 * MILLISECOND);
		transfer(SECOND);
		assert_true(wires.nodes[1].inbox.size > arrived + 200000);
		assert_false(address_equal(&before, &wires.nodes[who].address));
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
	wires.loss = 1000;
	transfer(4 * SECOND);
	wires.nodes[0].address.port = 7777;
	link_unsettle(wires.nodes[0].link, wires.now);
	net_flush(&wires);
	wires.loss = 0;
	began = wires.now;
	arrived = wires.nodes[1].inbox.size;
	while (transfer(5 * MILLISECOND) == arrived)
		assert_true(wires.now < began + SECOND);
	assert_true(wires.now - began < 300 * MILLISECOND);
}

static void who_comes_back_to_where_it_was_is_served_at_once(void **state)
{
	mono_ns began;
	size_t arrived;

	(void)state;
	settle_both();
	transfer(SECOND);
	wires.nodes[1].address.port = 7777;
	link_unsettle(wires.nodes[1].link, wires.now);
	net_run(&wires,
		11 * MILLISECOND); /* it has been heard there; what goes there is lost */
	wires.loss = 1000;
	transfer(7 * SECOND);
	assert_int_equal(link_path(wires.nodes[0].link).remote.port, 7777);
	assert_true(wires.nodes[0].link->is_unproved);
	wires.loss = 0;
	wires.nodes[1].address.port = 1000;
	began = wires.now;
	arrived = wires.nodes[1].inbox.size;
	link_unsettle(wires.nodes[1].link, wires.now);
	while (transfer(5 * MILLISECOND) == arrived)
		assert_true(wires.now < began + SECOND);
	assert_true(wires.now - began < 200 * MILLISECOND);
	assert_int_equal(wires.nodes[0].told[LINK_MOVED], 0);
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
	net_write(&wires, 0, LINK_CONTROL, "hello");
	net_run(&wires, 11 * MILLISECOND);
	heard = link_last_heard(wires.nodes[1].link);
	net_run(&wires, 50 * MILLISECOND);
	wires.nodes[0].is_dead = true;
	wires.tap = from_first;
	wires.user = at;
	net_run(&wires, 9 * SECOND);
	assert_int_equal(at[0] - heard, 300 * MILLISECOND);
	for (int i = 0; i < 16 && at[i]; i++)
		assert_true(at[i] - heard < 9 * SECOND);
	assert_in_range(wires.nodes[1].sent, 4, 20);
}

static void a_ping_that_is_answered_is_the_last(void **state)
{
	uint64_t sent;

	(void)state;
	settle_both();
	net_write(&wires, 0, LINK_CONTROL, "hello");
	net_run(&wires, SECOND);
	sent = wires.nodes[1].sent;
	net_run(&wires, 8 * SECOND);
	assert_int_equal(wires.nodes[1].sent, sent);
	assert_int_equal(wires.nodes[1].link->unrest.at, 0);
}

static void an_idle_link_is_not_restless(void **state)
{
	uint64_t sent;

	(void)state;
	settle_both();
	sent = wires.nodes[0].sent + wires.nodes[1].sent;
	for (int i = 0; i < 600; i++) {
		net_run(&wires, SECOND);
		assert_int_equal(wires.nodes[0].link->unrest.at, 0);
		assert_int_equal(wires.nodes[1].link->unrest.at, 0);
	}
	/* a keep-alive every ten seconds, and its answer, of either */
	assert_true(wires.nodes[0].sent + wires.nodes[1].sent - sent <= 250);
}

/* Late packets of the path that was left do not lead back to it. */
static void who_moves_does_not_go_back(void **state)
{
	for (unsigned i = 0; i < 20; i++) {
		struct path path;

		two_peers(state);
		wires.random = (i + 1) * 0x9e3779b97f4a7c15u;
		wires.jitter = i * MILLISECOND;
		settle_both();
		transfer(SECOND);
		path = link_path(wires.nodes[0].link);
		path.socket = endpoint_extra_socket(wires.nodes[0].e);
		link_move(wires.nodes[0].link, &path, wires.now);
		for (int k = 0; k < 40; k++) {
			net_write(&wires, 1, LINK_CONTROL, "from the other side");
			transfer(5 * MILLISECOND);
			assert_int_equal(link_path(wires.nodes[0].link).socket, path.socket);
		}
		net_run(&wires, SECOND);
		assert_int_equal(link_path(wires.nodes[0].link).socket, path.socket);
		assert_int_equal(link_path(wires.nodes[1].link).remote.port,
				 NET_EXTRA_PORT + path.socket - PATH_EXTRA);
		assert_int_equal(wires.nodes[1].told[LINK_MOVED], 1);
		net_end(state);
	}
}

/* Moved to where nobody is after all: what comes from elsewhere is followed again. */
static void a_move_to_nowhere_is_given_up(void **state)
{
	struct path nowhere = { .remote = { .family = 4, .port = 9, .ip = { 9, 9, 9, 9 } } };

	(void)state;
	settle_both();
	link_move(wires.nodes[0].link, &nowhere, wires.now);
	for (int i = 0; i < 10; i++) {
		net_write(&wires, 1, LINK_CONTROL, "x");
		net_run(&wires, 300 * MILLISECOND);
	}
	assert_true(address_equal(&wires.nodes[0].link->path.remote, &wires.nodes[1].address));
	net_write(&wires, 0, LINK_CONTROL, "back");
	net_run(&wires, 3 * SECOND);
	assert_true(net_inbox_is(&wires, 1, "back"));
}

static void the_clock_that_ran_ahead_does_no_harm(void **state)
{
	(void)state;
	settle_both();
	for (int i = 0; i < 30; i++) {
		wires.loss = 1000;
		transfer(700 * MILLISECOND);
		link_unsettle(wires.nodes[0].link, wires.now);
		wires.loss = 0;
		transfer(300 * MILLISECOND);
	}
	net_run(&wires, 300 * SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_DOWN], 0);
	assert_int_equal(wires.nodes[1].told[LINK_DOWN], 0);
	wires.nodes[1].is_dead = true;
	link_unsettle(wires.nodes[0].link, wires.now);
	net_run(&wires, 15 * SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_DOWN], 0);
	net_run(&wires, 30 * SECOND);
	assert_int_equal(wires.nodes[0].down_error, ERR_TIMEOUT);
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
