#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "shared/early.h"
#include "shared/error.h"
#include "shared/link.h"
#include "tests/link_pair.h"

static void say_early(const char *words)
{
	endpoint_early(wires.nodes[1].e, &wires.nodes[0].config.device.public,
		       bytes_text(words));
}

static bool words_are(const char *text)
{
	return bytes_equal(buf_view(&wires.nodes[0].words), bytes_text(text));
}

static void words_are_kept_for_each_device(void **state)
{
	struct device_public a = { { 1 } }, b = { { 2 } };
	struct early e = { 0 };

	(void)state;
	early_set(&e, &a, bytes_text("one"));
	early_set(&e, &b, bytes_text("two"));
	early_set(&e, &a, bytes_text("three"));
	assert_true(bytes_equal(early_of(&e, &a), bytes_text("three")));
	assert_true(bytes_equal(early_of(&e, &b), bytes_text("two")));
	early_set(&e, &a, bytes_of(NULL, 0));
	assert_int_equal(early_of(&e, &a).size, 0);
	assert_true(bytes_equal(early_of(&e, &b), bytes_text("two")));
	early_clear(&e);
	assert_int_equal(early_of(&e, &b).size, 0);
}

/* 10 ms each way. */
static void words_arrive_after_one_round_trip(void **state)
{
	static char much[ENDPOINT_EARLY_MAX + 1];

	(void)state;
	memset(much, 'a', sizeof much - 1);
	for (int i = 0; i < 2; i++) {
		const char *words = i ? much : "hello";

		say_early(words);
		net_dial(&wires, 0, 1);
		wires.nodes[0].first_told = NET_KINDS;
		net_run(&wires, 21 * MILLISECOND);
		assert_int_equal(wires.nodes[0].first_told, LINK_UP);
		assert_int_equal(wires.nodes[1].told[LINK_UP], i);
		assert_true(words_are(words));
		assert_int_equal(wires.nodes[0].told[LINK_WORDS], i + 1);
		net_run(&wires, SECOND);
		link_close(wires.nodes[0].link, 0, wires.now);
		wires.nodes[0].link = NULL;
		net_run(&wires, 5 * SECOND);
	}
}

static void words_are_said_once(void **state)
{
	(void)state;
	say_early("hello");
	net_dial(&wires, 0, 1);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_WORDS], 1);
	net_dial(&wires, 0, 1);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_UP], 2);
	assert_int_equal(wires.nodes[0].told[LINK_WORDS], 1);
}

static void words_are_for_one_device(void **state)
{
	(void)state;
	endpoint_early(wires.nodes[1].e, &wires.nodes[1].config.device.public, BYTES("hello"));
	net_dial(&wires, 0, 1);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_UP], 1);
	assert_int_equal(wires.nodes[0].told[LINK_WORDS], 0);
}

static bool lose_answer(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	unsigned *lost = n->user;

	(void)d;
	(void)data;
	if (from == 0)
		return true;
	return (*lost)++ >= 3;
}

static void words_that_are_lost_do_no_harm(void **state)
{
	unsigned lost = 0;

	(void)state;
	wires.tap = lose_answer;
	wires.user = &lost;
	say_early("hello");
	net_dial(&wires, 0, 1);
	net_run(&wires, 5 * SECOND);
	assert_true(lost > 3);
	net_write(&wires, 1, LINK_CONTROL, "hello");
	net_run(&wires, SECOND);
	assert_true(net_inbox_is(&wires, 0, "hello"));
}

static void send_frame(unsigned from, struct bytes frame)
{
	ngtcp2_vec part = { (uint8_t *)frame.data, frame.size };
	uint8_t room[1400];
	ngtcp2_pkt_info info;
	ngtcp2_ssize size;
	int is_taken;

	size = ngtcp2_conn_writev_datagram(
		wires.nodes[from].link->conn, NULL, &info, room, sizeof room, &is_taken,
		NGTCP2_WRITE_DATAGRAM_FLAG_NONE, 0, &part, 1, wires.now);
	assert_true(size > 0 && is_taken);
	net_inject(&wires, &wires.nodes[from].address, &wires.nodes[!from].address,
		   bytes_of(room, size), 0);
	net_run(&wires, SECOND);
}

/* Who dials has nothing to answer; who has said its words has no others. */
static void words_out_of_turn_end_the_link(void **state)
{
	(void)state;
	for (unsigned from = 0; from < 2; from++) {
		say_early(from == 1 ? "hello" : "");
		net_dial(&wires, 0, 1);
		net_run(&wires, SECOND);
		send_frame(from, BYTES("\3words"));
		assert_int_equal(wires.nodes[!from].down_error, ERR_FORMAT);
		assert_int_equal(wires.nodes[from].down_code, LINK_CODE_PROTOCOL);
		net_run(&wires, 5 * SECOND);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_kept_for_each_device),
		PEERS(words_arrive_after_one_round_trip),
		PEERS(words_are_said_once),
		PEERS(words_are_for_one_device),
		PEERS(words_that_are_lost_do_no_harm),
		PEERS(words_out_of_turn_end_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
