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

static int64_t opened(unsigned n)
{
	int64_t stream;

	assert_int_equal(link_open(wires.nodes[n].link, &stream), 0);
	return stream;
}

static size_t fill(unsigned n, int64_t stream)
{
	static uint8_t some[65536];
	struct link *l = wires.nodes[n].link;
	size_t filled = 0, room;

	while ((room = link_room(l, stream)) > 0) {
		if (room > sizeof some)
			room = sizeof some;
		assert_int_equal(link_write(l, stream, bytes_of(some, room), false), 0);
		filled += room;
	}
	return filled;
}

static unsigned streams_of(unsigned n)
{
	unsigned count = 0;

	for (const struct stream *s = wires.nodes[n].link->streams.list; s; s = s->next)
		count += s->id != LINK_CONTROL;
	return count;
}

/* Nothing but the control stream is left, and nothing of the window is lost. */
static void assert_nothing_left(void)
{
	for (unsigned n = 0; n < 2; n++) {
		const struct link *l = wires.nodes[n].link;

		assert_non_null(l);
		assert_int_equal(streams_of(n), 0);
		/* What is read is said when it is half of LINK_WINDOW_SAID. */
		assert_true(ngtcp2_conn_get_max_data_left(l->conn) >=
			    LINK_WINDOW_FIRST - LINK_WINDOW_SAID / 2);
	}
}

static void assert_abandoned(unsigned n, int64_t stream, uint64_t code)
{
	bool is_end;

	assert_int_equal(wires.nodes[n].told[LINK_ABANDONED], 1);
	assert_int_equal(wires.nodes[n].abandoned_stream, stream);
	assert_int_equal(wires.nodes[n].abandoned_code, code);
	assert_int_equal(link_write(wires.nodes[n].link, stream, BYTES("more"), false),
			 ERR_NOT_FOUND);
	assert_int_equal(link_peek(wires.nodes[n].link, stream, &is_end).size, 0);
	assert_int_equal(link_room(wires.nodes[n].link, stream), 0);
}

static void who_opened_a_stream_may_abandon_it(void **state)
{
	int64_t stream = opened(0);

	(void)state;
	net_write(&wires, 0, stream, "please");
	net_run(&wires, SECOND);
	link_abandon(wires.nodes[0].link, stream, 7);
	net_run(&wires, SECOND);
	assert_abandoned(1, stream, 7);
	assert_int_equal(wires.nodes[0].told[LINK_ABANDONED], 0);
	assert_nothing_left();
}

static void who_answers_may_abandon_it_too(void **state)
{
	int64_t stream = opened(0);

	(void)state;
	net_write(&wires, 0, stream, "please");
	net_run(&wires, SECOND);
	link_abandon(wires.nodes[1].link, stream, 8);
	net_run(&wires, SECOND);
	assert_abandoned(0, stream, 8);
	assert_int_equal(wires.nodes[1].told[LINK_ABANDONED], 0);
	assert_nothing_left();
}

static void who_has_said_all_may_abandon_what_is_answered(void **state)
{
	int64_t stream = opened(0);

	(void)state;
	assert_int_equal(link_write(wires.nodes[0].link, stream, BYTES("please"), true), 0);
	net_run(&wires, SECOND);
	wires.nodes[0].is_reading = false;
	fill(1, stream);
	net_run(&wires, SECOND);
	link_abandon(wires.nodes[0].link, stream, 9);
	net_run(&wires, SECOND);
	assert_abandoned(1, stream, 9);
	assert_nothing_left();
}

static void what_waits_on_either_side_is_dropped(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		unsigned from = i & 1, who = i >> 1 & 1;
		int64_t stream = opened(from);

		wires.nodes[!from].is_reading = false;
		fill(from, stream);
		net_run(&wires, i % 4 * 15 * MILLISECOND);
		link_abandon(wires.nodes[who].link, stream, i);
		net_run(&wires, SECOND);
		assert_nothing_left();
	}
}

static void a_stream_of_which_nothing_was_sent_leaves_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		int64_t stream = opened(i & 1);

		if (i & 2)
			net_write(&wires, i & 1, stream, "never heard");
		link_abandon(wires.nodes[i & 1].link, stream, 1);
		net_run(&wires, 100 * MILLISECOND);
	}
	net_run(&wires, SECOND);
	assert_nothing_left();
	assert_int_equal(wires.nodes[0].told[LINK_ABANDONED], 0);
	assert_int_equal(wires.nodes[1].told[LINK_ABANDONED], 0);
}

static void abandoning_what_is_over_does_nothing(void **state)
{
	int64_t stream = opened(0);

	(void)state;
	link_abandon(wires.nodes[0].link, stream + 400, 1);
	assert_int_equal(link_write(wires.nodes[0].link, stream, BYTES("all"), true), 0);
	net_run(&wires, SECOND);
	assert_int_equal(link_write(wires.nodes[1].link, stream, BYTES("all"), true), 0);
	net_run(&wires, SECOND);
	for (unsigned n = 0; n < 2; n++) {
		link_abandon(wires.nodes[n].link, stream, 1);
		link_abandon(wires.nodes[n].link, stream, 1);
	}
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_ABANDONED], 0);
	assert_int_equal(wires.nodes[1].told[LINK_ABANDONED], 0);
	assert_nothing_left();
}

static void both_may_abandon_at_once(void **state)
{
	int64_t stream = opened(0);

	(void)state;
	net_write(&wires, 0, stream, "please");
	net_run(&wires, SECOND);
	link_abandon(wires.nodes[0].link, stream, 1);
	link_abandon(wires.nodes[1].link, stream, 2);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_ABANDONED], 0);
	assert_int_equal(wires.nodes[1].told[LINK_ABANDONED], 0);
	assert_nothing_left();
}

static void what_is_abandoned_is_no_end(void **state)
{
	int64_t stream = opened(0);
	bool is_end;

	(void)state;
	net_write(&wires, 0, stream, "half a ");
	net_run(&wires, SECOND);
	wires.nodes[1].is_deaf = true; /* it has yet to take the event */
	net_write(&wires, 0, stream, "file");
	net_run(&wires, SECOND);
	link_abandon(wires.nodes[0].link, stream, 3);
	net_run(&wires, SECOND);
	assert_int_equal(link_peek(wires.nodes[1].link, stream, &is_end).size, 0);
	assert_false(is_end);
	assert_int_equal(link_write(wires.nodes[1].link, stream, BYTES("x"), false), ERR_STATE);
	wires.nodes[1].is_deaf = false;
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[1].told[LINK_READABLE], 1);
	assert_abandoned(1, stream, 3);
	assert_nothing_left();
}

static void who_abandons_first_is_told_nothing_more(void **state)
{
	int64_t stream = opened(0);

	(void)state;
	net_write(&wires, 0, stream, "please");
	net_run(&wires, SECOND);
	wires.nodes[1].is_deaf = true;
	net_write(&wires, 0, stream, "more");
	link_abandon(wires.nodes[0].link, stream, 3);
	net_run(&wires, SECOND);
	link_abandon(wires.nodes[1].link, stream, 4);
	wires.nodes[1].is_deaf = false;
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[1].told[LINK_ABANDONED], 0);
	assert_int_equal(wires.nodes[1].told[LINK_READABLE], 1);
	assert_nothing_left();
}

static void who_cuts_one_direction_has_cut_both(void **state)
{
	(void)state;
	for (int is_stop = 0; is_stop < 2; is_stop++) {
		int64_t stream = opened(0);
		struct link *l = wires.nodes[0].link;

		wires.nodes[1].told[LINK_ABANDONED] = 0;
		net_write(&wires, 0, stream, "please");
		net_run(&wires, SECOND);
		if (is_stop)
			quic_cut_reading(l->conn, stream, 5);
		else
			quic_cut_sending(l->conn, stream, 5);
		link_wake(l);
		net_run(&wires, 11 * MILLISECOND);
		if (is_stop)
			net_write(&wires, 1, stream, "as you wish");
		net_run(&wires, SECOND);
		assert_abandoned(1, stream, is_stop ? 0 : 5);
		link_abandon(l, stream, 5);
		net_run(&wires, SECOND);
		assert_nothing_left();
	}
}

static void who_cuts_the_control_stream_breaks_the_protocol(void **state)
{
	(void)state;
	for (int is_stop = 0; is_stop < 2; is_stop++) {
		if (is_stop) {
			net_end(state);
			two_linked(state);
			quic_cut_reading(wires.nodes[0].link->conn, LINK_CONTROL, 5);
		} else {
			quic_cut_sending(wires.nodes[0].link->conn, LINK_CONTROL, 5);
		}
		link_wake(wires.nodes[0].link);
		net_run(&wires, 11 * MILLISECOND);
		if (is_stop)
			net_write(&wires, 1, LINK_CONTROL, "anything");
		net_run(&wires, SECOND);
		assert_null(wires.nodes[1].link);
		assert_int_equal(wires.nodes[1].down_error, ERR_FORMAT);
	}
}

static void the_end_of_an_empty_stream_is_told(void **state)
{
	int64_t stream = opened(1);

	(void)state;
	assert_int_equal(link_write(wires.nodes[1].link, stream, bytes_of(NULL, 0), true), 0);
	net_run(&wires, SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_READABLE], 1);
	assert_true(wires.nodes[0].has_end);
	assert_int_equal(link_write(wires.nodes[0].link, stream, bytes_of(NULL, 0), true), 0);
	net_run(&wires, SECOND);
	assert_nothing_left();
}

static void a_full_stream_tells_when_it_has_room(void **state)
{
	int64_t stream = opened(0);

	(void)state;
	fill(0, stream);
	assert_int_equal(link_write(wires.nodes[0].link, stream, BYTES("x"), false), ERR_FULL);
	net_run(&wires, 10 * SECOND);
	assert_int_equal(wires.nodes[0].told[LINK_WRITABLE], 1);
	assert_true(link_room(wires.nodes[0].link, stream) > 0);
}

/* One of many files: how it goes is in `roll`. False: no more streams at once. */
static bool one_of_many(unsigned roll)
{
	unsigned from = roll & 1;
	struct link *l = wires.nodes[from].link;
	int64_t stream;

	if (link_open(l, &stream) < 0)
		return false;
	if (roll & 2)
		fill(from, stream);
	else
		assert_int_equal(link_write(l, stream, BYTES("small"), roll & 4), 0);
	if (roll & 8)
		link_abandon(l, stream, roll);
	return true;
}

/* Reads all; what has come is answered and ended, or not wanted any more. */
static void answer(unsigned n, unsigned roll)
{
	struct link *l = wires.nodes[n].link;
	int64_t ids[2 * LINK_STREAMS_MAX + 1];
	unsigned count = 0;

	for (const struct stream *s = l->streams.list; s; s = s->next)
		if (s->id != LINK_CONTROL && !s->is_abandoned && s->is_seen)
			ids[count++] = s->id;
	for (unsigned i = 0; i < count; i++) {
		bool is_end;
		size_t size = link_peek(l, ids[i], &is_end).size;

		if (size == 0)
			continue;
		link_consume(l, ids[i], size);
		if (size > 1000 || roll++ & 1)
			link_abandon(l, ids[i], roll);
		else
			link_write(l, ids[i], BYTES("thanks"), true);
	}
}

static unsigned pass_many(unsigned wanted)
{
	unsigned passed = 0;

	wires.nodes[0].is_reading = wires.nodes[1].is_reading = false;
	for (unsigned i = 0; passed < wanted && i < 40 * wanted; i++) {
		passed += one_of_many(wires.random % 1000003 + i);
		net_run(&wires, 3 * MILLISECOND);
		for (unsigned k = 0; k < 4; k++)
			answer(k & 1, i);
		assert_true(streams_of(0) <= 2 * LINK_STREAMS_MAX);
		assert_true(streams_of(1) <= 2 * LINK_STREAMS_MAX);
	}
	for (unsigned i = 0; i < 100; i++) {
		net_run(&wires, 100 * MILLISECOND);
		for (unsigned k = 0; k < 2; k++)
			answer(k, 0);
	}
	return passed;
}

/* Whoever is left is let go of; what remains of streams then would never go. */
static void abandon_all(void)
{
	for (unsigned n = 0; n < 2; n++)
		for (int64_t id = 1; id < 40000; id++)
			if (id % 4 < 2 && id != LINK_CONTROL)
				link_abandon(wires.nodes[n].link, id, 0);
	net_run(&wires, 10 * SECOND);
}

static void thousands_of_streams_pass_over_one_link(void **state)
{
	(void)state;
	assert_int_equal(pass_many(4000), 4000);
	abandon_all();
	assert_nothing_left();
	net_write(&wires, 0, LINK_CONTROL, "still here");
	net_run(&wires, SECOND);
	assert_non_null(wires.nodes[0].link);
}

static void streams_end_and_are_abandoned_on_a_bad_network(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 5; seed++) {
		net_end(state);
		two_linked(state);
		wires.random = seed * 0x9e3779b97f4a7c15u;
		wires.loss = 150;
		wires.jitter = 20 * MILLISECOND;
		wires.duplicates = 50;
		pass_many(150);
		abandon_all();
		wires.loss = 0;
		net_run(&wires, 30 * SECOND);
		assert_nothing_left();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINKED(who_opened_a_stream_may_abandon_it),
		LINKED(who_answers_may_abandon_it_too),
		LINKED(who_has_said_all_may_abandon_what_is_answered),
		LINKED(what_waits_on_either_side_is_dropped),
		LINKED(a_stream_of_which_nothing_was_sent_leaves_nothing),
		LINKED(abandoning_what_is_over_does_nothing),
		LINKED(both_may_abandon_at_once),
		LINKED(what_is_abandoned_is_no_end),
		LINKED(who_abandons_first_is_told_nothing_more),
		LINKED(who_cuts_one_direction_has_cut_both),
		LINKED(who_cuts_the_control_stream_breaks_the_protocol),
		LINKED(the_end_of_an_empty_stream_is_told),
		LINKED(a_full_stream_tells_when_it_has_room),
		LINKED(thousands_of_streams_pass_over_one_link),
		LINKED(streams_end_and_are_abandoned_on_a_bad_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
