#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "shared/error.h"
#include "shared/link.h"
#include "tests/link_pair.h"

enum { BULKS = 8 };

static void link_over(mono_ns delay)
{
	net_init(&wires);
	wires.delay = delay;
	net_add(&wires, ENDPOINT_ADMITTED);
	net_add(&wires, ENDPOINT_ADMITTED);
	net_befriend(&wires, 2);
	assert_non_null(net_dial(&wires, 0, 1));
	assert_true(net_run_until(&wires, both_up, 30 * SECOND));
	net_run(&wires, SECOND);
}

static const uint8_t some[65536];

static size_t fill(struct link *l, int64_t stream)
{
	size_t filled = 0, room;

	while ((room = link_room(l, stream)) > 0) {
		if (room > sizeof some)
			room = sizeof some;
		assert_int_equal(link_write(l, stream, bytes_of(some, room), false), 0);
		filled += room;
	}
	return filled;
}

static size_t read_all(struct link *l, int64_t stream)
{
	bool is_end;
	size_t size = link_peek(l, stream, &is_end).size;

	link_consume(l, stream, size);
	return size;
}

static size_t held(unsigned n, bool is_in)
{
	size_t sum = 0;

	for (const struct stream *s = wires.nodes[n].link->streams.list; s; s = s->next)
		if (s->id != LINK_CONTROL)
			sum += is_in ? s->in_size : s->queued;
	return sum;
}

/* Both write on many streams that nobody reads. */
static void stop_all_bulk(void)
{
	int64_t streams[2][BULKS];

	wires.nodes[0].is_reading = wires.nodes[1].is_reading = false;
	for (unsigned n = 0; n < 2; n++)
		for (unsigned i = 0; i < BULKS; i++)
			assert_int_equal(link_open(wires.nodes[n].link, &streams[n][i]), 0);
	for (unsigned round = 0; round < 50; round++) {
		for (unsigned n = 0; n < 2; n++)
			for (unsigned i = 0; i < BULKS; i++)
				fill(wires.nodes[n].link, streams[n][i]);
		net_run(&wires, 20 * MILLISECOND);
	}
}

static void bulk_that_nobody_reads_does_not_stop_control(void **state)
{
	enum { MESSAGES = 3000, SIZE = 1000 };
	size_t read[2] = { 0, 0 };

	(void)state;
	stop_all_bulk();
	for (unsigned i = 0; i < MESSAGES; i++) {
		for (unsigned n = 0; n < 2; n++)
			assert_int_equal(link_write(wires.nodes[n].link, LINK_CONTROL,
						    bytes_of(some, SIZE), false),
					 0);
		net_run(&wires, 5 * MILLISECOND);
		for (unsigned n = 0; n < 2; n++)
			read[n] += read_all(wires.nodes[n].link, LINK_CONTROL);
	}
	/* What was said more than a round trip ago is there. */
	for (unsigned n = 0; n < 2; n++)
		assert_true(read[n] >= (size_t)SIZE * (MESSAGES - 10));
}

static void what_nobody_reads_is_bounded_on_both_sides(void **state)
{
	(void)state;
	stop_all_bulk();
	for (unsigned n = 0; n < 2; n++) {
		assert_true(held(n, true) <= LINK_WINDOW_FIRST);
		assert_true(held(n, true) >= LINK_WINDOW_FIRST / 2);
		assert_true(held(n, false) <= LINK_QUEUE_MAX);
	}
}

static void a_link_queues_no_more_than_its_limit(void **state)
{
	int64_t stream;

	(void)state;
	wires.nodes[1].is_reading = false;
	while (link_open(wires.nodes[0].link, &stream) == 0)
		fill(wires.nodes[0].link, stream);
	assert_int_equal(held(0, false), LINK_QUEUE_MAX);
	assert_int_equal(link_room(wires.nodes[0].link, stream), 0);
	assert_int_equal(link_room(wires.nodes[0].link, LINK_CONTROL), STREAM_QUEUE_MAX);
}

/* Milliseconds for so many bytes with both sides as quick as they can. */
static unsigned time_of(size_t total)
{
	struct link *l = wires.nodes[0].link;
	size_t arrived = 0;
	int64_t stream;
	unsigned took = 0;

	wires.nodes[1].is_reading = false;
	assert_int_equal(link_open(l, &stream), 0);
	while (arrived < total && took < 100000) {
		fill(l, stream);
		net_run(&wires, 2 * MILLISECOND);
		arrived += read_all(wires.nodes[1].link, stream);
		took += 2;
	}
	link_abandon(l, stream, 0);
	net_run(&wires, 10 * SECOND);
	return took;
}

/* A round trip of 100 ms: with a window or a queue of 1 MiB never more than that in 100 ms. */
static void a_long_path_is_filled_by_a_reader_that_keeps_pace(void **state)
{
	net_end(state);
	link_over(50 * MILLISECOND);
	time_of(40 << 20);
	assert_true(time_of(40 << 20) < 40 * 100 / 2);
	assert_true(wires.nodes[1].link->credit.window > 4 * LINK_WINDOW_FIRST);
	assert_true(wires.nodes[1].link->credit.window <= LINK_WINDOW_MAX);
}

static void a_path_that_becomes_long_is_filled_too(void **state)
{
	(void)state;
	wires.delay = 50 * MILLISECOND;
	time_of(40 << 20);
	assert_true(time_of(40 << 20) < 40 * 100 * 2);
}

static void a_lost_packet_now_and_then_is_no_full_path(void **state)
{
	net_end(state);
	link_over(50 * MILLISECOND);
	wires.loss = 5;
	assert_true(time_of(40 << 20) < 40 * 100 * 2);
}

static void who_reads_slowly_gets_no_larger_window(void **state)
{
	struct link *l = wires.nodes[0].link;
	int64_t stream;

	(void)state;
	wires.nodes[1].is_reading = false;
	assert_int_equal(link_open(l, &stream), 0);
	for (unsigned i = 0; i < 400; i++) {
		bool is_end;
		struct bytes view;

		fill(l, stream);
		net_run(&wires, 50 * MILLISECOND);
		view = link_peek(wires.nodes[1].link, stream, &is_end);
		link_consume(wires.nodes[1].link, stream,
			     view.size < 50000 ? view.size : 50000);
	}
	assert_int_equal(wires.nodes[1].link->credit.window, LINK_WINDOW_FIRST);
}

static void a_directory_keeps_little_of_anybody(void **state)
{
	int64_t stream;

	net_end(state);
	net_init(&wires);
	net_add(&wires, ENDPOINT_ADMITTED);
	net_add(&wires, ENDPOINT_ANYONE);
	assert_non_null(net_dial(&wires, 0, 1));
	assert_true(net_run_until(&wires, both_up, 30 * SECOND));
	net_run(&wires, SECOND);
	/* As quick as it reads messages, the window stays. */
	for (unsigned i = 0; i < 3000; i++) {
		net_run(&wires, MILLISECOND);
		fill(wires.nodes[0].link, LINK_CONTROL);
	}
	assert_true(wires.nodes[1].inbox.size > 1 << 20);
	wires.nodes[1].is_reading = false;
	while (link_open(wires.nodes[0].link, &stream) == 0)
		fill(wires.nodes[0].link, stream);
	net_run(&wires, 10 * SECOND);
	assert_true(held(1, true) <= LINK_WINDOW_SMALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINKED(bulk_that_nobody_reads_does_not_stop_control),
		LINKED(what_nobody_reads_is_bounded_on_both_sides),
		LINKED(a_link_queues_no_more_than_its_limit),
		LINKED(a_long_path_is_filled_by_a_reader_that_keeps_pace),
		LINKED(a_path_that_becomes_long_is_filled_too),
		LINKED(a_lost_packet_now_and_then_is_no_full_path),
		LINKED(who_reads_slowly_gets_no_larger_window),
		LINKED(a_directory_keeps_little_of_anybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
