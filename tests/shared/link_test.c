#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/link_stream.h"
#include "tests/link_pair.h"

static void a_handshake_of_two_peers_proves_both(void **state)
{
	(void)state;
	settle_both();
	assert_true(device_public_equal(link_device(wires.nodes[1].link),
					&wires.nodes[0].config.device.public));
	assert_true(identity_public_equal(&link_certificate(wires.nodes[1].link)->identity,
					  &wires.nodes[0].identity.public));
	assert_true(identity_public_equal(&link_certificate(wires.nodes[0].link)->identity,
					  &wires.nodes[1].identity.public));
	assert_memory_equal(link_handshake_hash(wires.nodes[0].link),
			    link_handshake_hash(wires.nodes[1].link), 64);
	assert_true(link_is_initiator(wires.nodes[0].link));
	assert_false(link_is_initiator(wires.nodes[1].link));
}

static void a_handshake_takes_one_round_trip(void **state)
{
	mono_ns began = wires.now;

	(void)state;
	net_dial(&wires, 0, 1);
	while (!wires.nodes[0].link)
		net_run(&wires, MILLISECOND);
	assert_in_range(wires.now - began, 20 * MILLISECOND, 21 * MILLISECOND);
}

static void both_sides_speak_on_the_control_stream(void **state)
{
	(void)state;
	settle_both();
	net_write(&wires, 1, LINK_CONTROL, "responder first");
	net_run(&wires, SECOND);
	assert_true(net_inbox_is(&wires, 0, "responder first"));
	net_write(&wires, 0, LINK_CONTROL, "then the initiator");
	net_run(&wires, SECOND);
	assert_true(net_inbox_is(&wires, 1, "then the initiator"));
}

static bool responder_up(struct net *n)
{
	return n->nodes[1].link;
}

static void the_responder_may_write_before_the_stream_is_known(void **state)
{
	(void)state;
	net_dial(&wires, 0, 1);
	assert_true(net_run_until(&wires, responder_up, SECOND));
	net_write(&wires, 1, LINK_CONTROL, "at once");
	net_run(&wires, SECOND);
	assert_true(net_inbox_is(&wires, 0, "at once"));
}

/* Byte n of a long text. */
static uint8_t letter(size_t n)
{
	return n * 2654435761u >> 13;
}

static size_t fill(struct link *l, int64_t stream, size_t from, size_t total)
{
	static uint8_t part[100000];
	bool is_last;
	size_t size;

	while (from < total) {
		size = total - from < sizeof part ? total - from : sizeof part;
		if (size > link_room(l, stream))
			size = link_room(l, stream);
		if (size == 0)
			break;
		for (size_t i = 0; i < size; i++)
			part[i] = letter(from + i);
		is_last = from + size == total;
		assert_int_equal(link_write(l, stream, bytes_of(part, size), is_last), 0);
		from += size;
	}
	return from;
}

static void assert_text(const struct buf *inbox, size_t total)
{
	assert_int_equal(inbox->size, total);
	for (size_t i = 0; i < total; i++)
		assert_int_equal(inbox->data[i], letter(i));
}

static void send_all(size_t total, mono_ns patience)
{
	mono_ns until = wires.now + patience;
	size_t from = 0;
	int64_t stream;

	assert_int_equal(link_open(wires.nodes[0].link, &stream), 0);
	while (wires.now < until && !wires.nodes[1].has_end) {
		from = fill(wires.nodes[0].link, stream, from, total);
		net_run(&wires, 20 * MILLISECOND);
	}
	assert_true(wires.nodes[1].has_end);
	assert_text(&wires.nodes[1].inbox, total);
}

static void much_arrives_whole_over_a_good_network(void **state)
{
	(void)state;
	settle_both();
	send_all(8 << 20, 60 * SECOND);
}

static void much_arrives_whole_over_a_bad_network(void **state)
{
	(void)state;
	wires.loss = 200;
	wires.jitter = 30 * MILLISECOND;
	wires.duplicates = 50;
	settle_both();
	send_all(1 << 20, 3000 * SECOND);
}

static void many_seeds_of_a_bad_network(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 30; seed++) {
		two_peers(state);
		wires.random = seed * 0x9e3779b97f4a7c15u;
		wires.loss = 200;
		wires.jitter = seed % 4 * 20 * MILLISECOND;
		settle_both();
		send_all(100000, 600 * SECOND);
		net_end(state);
	}
}

static void a_reader_that_stops_stops_the_sender(void **state)
{
	enum { TOTAL = 12 << 20 };
	size_t from = 0, stopped;
	int64_t stream;

	(void)state;
	settle_both();
	wires.nodes[1].is_reading = false;
	assert_int_equal(link_open(wires.nodes[0].link, &stream), 0);
	for (int i = 0; i < 200; i++) {
		from = fill(wires.nodes[0].link, stream, from, TOTAL);
		net_run(&wires, 20 * MILLISECOND);
	}
	stopped = from;
	assert_true(stopped <= STREAM_QUEUE_MAX + STREAM_WINDOW_FIRST);
	assert_int_equal(
		link_write(wires.nodes[0].link, stream, BYTES("0123456789abcdef"), false),
		ERR_FULL);
	assert_int_equal(wires.nodes[0].told[LINK_WRITABLE], 0);
	net_run(&wires, 100 * SECOND);
	assert_int_equal(fill(wires.nodes[0].link, stream, from, TOTAL), stopped);
	/* It reads again. */
	wires.nodes[1].is_reading = true;
	for (int i = 0; i < 2000 && !wires.nodes[1].has_end; i++) {
		bool is_end;
		struct bytes view = link_peek(wires.nodes[1].link, stream, &is_end);

		if (view.size) {
			buf_append(&wires.nodes[1].inbox, view);
			link_consume(wires.nodes[1].link, stream, view.size);
		}
		from = fill(wires.nodes[0].link, stream, from, TOTAL);
		net_run(&wires, 20 * MILLISECOND);
	}
	assert_true(wires.nodes[0].told[LINK_WRITABLE] > 0);
	assert_text(&wires.nodes[1].inbox, TOTAL);
}

static void a_full_control_stream_does_not_stop_another(void **state)
{
	size_t from = 0;
	int64_t stream;

	(void)state;
	settle_both();
	wires.nodes[1].is_reading = false;
	for (int i = 0; i < 50; i++) {
		from = fill(wires.nodes[0].link, LINK_CONTROL, from, 12 << 20);
		net_run(&wires, 20 * MILLISECOND);
	}
	wires.nodes[1].is_reading = true;
	assert_int_equal(link_open(wires.nodes[0].link, &stream), 0);
	net_write(&wires, 0, stream, "past it");
	net_run(&wires, SECOND);
	assert_true(net_inbox_is(&wires, 1, "past it"));
}

static size_t waiting(unsigned n, int64_t stream)
{
	bool is_end;

	return link_peek(wires.nodes[n].link, stream, &is_end).size;
}

static void the_control_stream_goes_first(void **state)
{
	int64_t stream;

	(void)state;
	settle_both();
	wires.nodes[1].is_reading = false;
	assert_int_equal(link_open(wires.nodes[0].link, &stream), 0);
	fill(wires.nodes[0].link, stream, 0, 900000);
	net_write(&wires, 0, LINK_CONTROL, "now");
	net_run(&wires, 11 * MILLISECOND);
	assert_int_equal(waiting(1, LINK_CONTROL), 3);
	assert_true(waiting(1, stream) < 100000);
}

static void streams_take_turns(void **state)
{
	int64_t streams[3];

	(void)state;
	settle_both();
	wires.nodes[1].is_reading = false;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(link_open(wires.nodes[0].link, &streams[i]), 0);
		fill(wires.nodes[0].link, streams[i], 0, 900000);
	}
	net_run(&wires, 25 * MILLISECOND);
	for (int i = 0; i < 3; i++)
		assert_in_range(waiting(1, streams[i]), 2000, 100000);
}

static void streams_are_limited_and_come_back(void **state)
{
	int64_t stream;

	(void)state;
	settle_both();
	for (int round = 0; round < 5; round++) {
		unsigned count = 0;

		while (link_open(wires.nodes[0].link, &stream) == 0) {
			assert_int_equal(
				link_write(wires.nodes[0].link, stream, BYTES("x"), true), 0);
			count++;
		}
		assert_true(count > 0 && count <= 64);
		net_run(&wires, SECOND);
		/* the other half ends too */
		for (int64_t id = 4; id <= stream + 400; id += 4)
			link_write(wires.nodes[1].link, id, bytes_of(NULL, 0), true);
		net_run(&wires, SECOND);
		for (int64_t id = 4; id <= stream + 400; id += 4) {
			bool is_end;

			link_peek(wires.nodes[0].link, id, &is_end);
			link_consume(wires.nodes[0].link, id, 0);
		}
		net_run(&wires, SECOND);
	}
	assert_non_null(wires.nodes[0].link);
	assert_non_null(wires.nodes[1].link);
	assert_true(wires.nodes[1].inbox.size > 64 * 2);
}

static void the_end_is_seen_behind_what_was_not_read_yet(void **state)
{
	struct bytes view;
	int64_t stream;
	bool is_end;

	(void)state;
	settle_both();
	wires.nodes[1].is_reading = false;
	assert_int_equal(link_open(wires.nodes[0].link, &stream), 0);
	assert_int_equal(link_write(wires.nodes[0].link, stream, bytes_text("first"), false),
			 0);
	net_run(&wires, SECOND);
	view = link_peek(wires.nodes[1].link, stream, &is_end);
	assert_true(bytes_equal(view, bytes_text("first")));
	assert_false(is_end);
	/* The end comes, and both halves are over, before the first part is consumed. */
	assert_int_equal(link_write(wires.nodes[0].link, stream, bytes_of(NULL, 0), true), 0);
	assert_int_equal(link_write(wires.nodes[1].link, stream, bytes_of(NULL, 0), true), 0);
	net_run(&wires, SECOND);
	link_consume(wires.nodes[1].link, stream, 5);
	view = link_peek(wires.nodes[1].link, stream, &is_end);
	assert_int_equal(view.size, 0);
	assert_true(is_end);
	assert_int_equal(wires.nodes[1].told[LINK_READABLE], 2);
}

static void the_end_alone_is_told(void **state)
{
	int64_t stream;

	(void)state;
	settle_both();
	assert_int_equal(link_open(wires.nodes[0].link, &stream), 0);
	net_write(&wires, 0, stream, "first");
	net_run(&wires, SECOND);
	assert_int_equal(link_write(wires.nodes[1].link, stream, bytes_of(NULL, 0), true), 0);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[1].told[LINK_READABLE], 1);
	assert_int_equal(link_write(wires.nodes[0].link, stream, bytes_of(NULL, 0), true), 0);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[1].told[LINK_READABLE], 2);
	assert_true(wires.nodes[1].has_end);
	assert_true(net_inbox_is(&wires, 1, "first"));
}

static void a_stream_ended_takes_no_more(void **state)
{
	int64_t stream;

	(void)state;
	settle_both();
	assert_int_equal(link_open(wires.nodes[0].link, &stream), 0);
	assert_int_equal(link_write(wires.nodes[0].link, stream, BYTES("x"), true), 0);
	assert_int_equal(link_write(wires.nodes[0].link, stream, BYTES("y"), false), ERR_STATE);
	assert_int_equal(link_room(wires.nodes[0].link, stream), 0);
	assert_int_equal(link_write(wires.nodes[0].link, 400, BYTES("y"), false),
			 ERR_NOT_FOUND);
}

static void nothing_is_written_before_the_link_is_up(void **state)
{
	struct link *l = net_dial(&wires, 0, 1);
	int64_t stream;

	(void)state;
	assert_false(link_is_up(l));
	assert_int_equal(link_write(l, LINK_CONTROL, BYTES("x"), false), ERR_STATE);
	assert_int_equal(link_open(l, &stream), ERR_STATE);
	link_close(l, 0, wires.now);
	net_run(&wires, 15 * SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_DOWN], 0);
	assert_int_equal(wires.nodes[1].told[LINK_UP], 0);
}

static void readable_is_told_once_until_taken(void **state)
{
	(void)state;
	settle_both();
	wires.nodes[1].is_deaf = true;
	for (int i = 0; i < 10; i++) {
		net_write(&wires, 0, LINK_CONTROL, "x");
		net_run(&wires, 100 * MILLISECOND);
	}
	wires.nodes[1].is_deaf = false;
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[1].inbox.size, 10);
	assert_int_equal(wires.nodes[1].told[LINK_READABLE], 1);
}

static void a_link_is_told_up_before_its_data(void **state)
{
	(void)state;
	wires.jitter = 0;
	wires.nodes[1].is_deaf = true;
	net_dial(&wires, 0, 1);
	while (!wires.nodes[0].link)
		net_run(&wires, MILLISECOND);
	net_write(&wires, 0, LINK_CONTROL, "at once");
	net_run(&wires, SECOND);
	wires.nodes[1].is_deaf = false;
	wires.nodes[1].first_told = NET_KINDS;
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[1].first_told, LINK_UP);
	assert_true(net_inbox_is(&wires, 1, "at once"));
}

static void a_ping_is_answered(void **state)
{
	mono_ns heard;

	(void)state;
	settle_both();
	heard = link_last_heard(wires.nodes[0].link);
	net_run(&wires, 2 * SECOND);
	assert_int_equal(link_last_heard(wires.nodes[0].link), heard);
	link_ping(wires.nodes[0].link);
	net_run(&wires, 100 * MILLISECOND);
	assert_true(link_last_heard(wires.nodes[0].link) > heard);
	assert_in_range(link_round_trip(wires.nodes[0].link), 15 * MILLISECOND,
			50 * MILLISECOND);
}

static size_t largest;

static bool note_size(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	(void)n;
	(void)data;
	if (from == 0 && d->size > largest)
		largest = d->size;
	return true;
}

static bool narrow(struct net *n, unsigned from, struct datagram *d, uint8_t *data)
{
	(void)n;
	(void)from;
	(void)data;
	return d->size <= 1232;
}

static void datagrams_grow_where_the_path_lets_them(void **state)
{
	(void)state;
	largest = 0;
	wires.tap = note_size;
	net_dial(&wires, 0, 1);
	net_run_until(&wires, both_up, SECOND);
	net_run(&wires, 2 * SECOND);
	send_all(1 << 20, 60 * SECOND);
	assert_true(largest > 1400 && largest <= ENDPOINT_DATAGRAM_MAX);
}

static void a_narrow_path_carries_all_the_same(void **state)
{
	(void)state;
	wires.tap = narrow;
	settle_both();
	send_all(1 << 20, 60 * SECOND);
}

static void a_path_that_becomes_narrow_carries_on(void **state)
{
	(void)state;
	settle_both();
	net_run(&wires, 2 * SECOND);
	wires.tap = narrow;
	send_all(1 << 20, 60 * SECOND);
}

static void loopback_carries_large_datagrams(void **state)
{
	(void)state;
	wires.nodes[0].address.ip[0] = wires.nodes[1].address.ip[0] = 127;
	largest = 0;
	wires.tap = note_size;
	settle_both();
	send_all(4 << 20, 60 * SECOND);
	assert_true(largest > 30000 && largest <= ENDPOINT_LOOPBACK_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEERS(a_handshake_of_two_peers_proves_both),
		PEERS(a_handshake_takes_one_round_trip),
		PEERS(both_sides_speak_on_the_control_stream),
		PEERS(the_responder_may_write_before_the_stream_is_known),
		PEERS(much_arrives_whole_over_a_good_network),
		PEERS(much_arrives_whole_over_a_bad_network),
		cmocka_unit_test(many_seeds_of_a_bad_network),
		PEERS(a_reader_that_stops_stops_the_sender),
		PEERS(a_full_control_stream_does_not_stop_another),
		PEERS(the_control_stream_goes_first),
		PEERS(streams_take_turns),
		PEERS(streams_are_limited_and_come_back),
		PEERS(the_end_is_seen_behind_what_was_not_read_yet),
		PEERS(the_end_alone_is_told),
		PEERS(a_stream_ended_takes_no_more),
		PEERS(nothing_is_written_before_the_link_is_up),
		PEERS(readable_is_told_once_until_taken),
		PEERS(a_link_is_told_up_before_its_data),
		PEERS(a_ping_is_answered),
		PEERS(datagrams_grow_where_the_path_lets_them),
		PEERS(a_narrow_path_carries_all_the_same),
		PEERS(a_path_that_becomes_narrow_carries_on),
		PEERS(loopback_carries_large_datagrams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
