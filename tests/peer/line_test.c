#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "peer/line.h"
#include "shared/error.h"
#include "tests/link_net.h"

static struct net net;
static struct line ours, theirs;
static uint64_t said, heard;

static int begin(void **state)
{
	(void)state;
	net_init(&net);
	net_add(&net, ENDPOINT_ADMITTED);
	net_add(&net, ENDPOINT_ADMITTED);
	net.nodes[1].is_reading = false;
	net_befriend(&net, 2);
	net_dial(&net, 0, 1);
	net_run(&net, SECOND);
	line_begin(&ours, net.nodes[0].link, WIRE_FROM_PEER);
	line_begin(&theirs, net.nodes[1].link, WIRE_FROM_PEER);
	said = heard = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	line_clear(&ours);
	line_clear(&theirs);
	net_clear(&net);
	return 0;
}

static void say(size_t size)
{
	static uint8_t text[WIRE_TEXT_MAX];
	struct wire_message m = { .type = WIRE_SAY };

	memset(text, 'x', sizeof text);
	m.say.seq = said + 1;
	m.say.kind = SAY_TEXT;
	m.say.body = bytes_of(text, size);
	if (line_send(&ours, &m) == 0)
		said++;
}

/* One step of whoever reads: how many messages it took. */
static unsigned read_step(void)
{
	struct wire_message m;
	unsigned count = 0;
	int err;

	while ((err = line_next(&theirs, &m)) == 1) {
		assert_int_equal(m.say.seq, ++heard);
		count++;
	}
	assert_int_equal(err, 0);
	return count;
}

static void messages_come_in_order_one_at_a_time(void **state)
{
	struct wire_message m;

	(void)state;
	say(10);
	say(20);
	assert_true(line_flush(&ours));
	net_run(&net, SECOND);
	assert_int_equal(line_next(&theirs, &m), 1);
	assert_int_equal(m.say.body.size, 10);
	assert_int_equal(line_next(&theirs, &m), 1);
	assert_int_equal(m.say.body.size, 20);
	assert_int_equal(line_next(&theirs, &m), 0);
	assert_false(theirs.is_readable);
}

static void what_is_more_than_a_step_may_take_is_left_for_the_next(void **state)
{
	bool is_end;
	unsigned steps = 0;

	(void)state;
	/* A reader that keeps up is given a larger window. */
	for (unsigned i = 0; i < 2000; i++) {
		while (ours.out.size < LINE_OUT_MAX / 2)
			say(WIRE_TEXT_MAX);
		line_flush(&ours);
		net_run(&net, 2 * MILLISECOND);
		read_step();
	}
	for (unsigned i = 0; i < 50; i++) {
		line_flush(&ours);
		net_run(&net, 100 * MILLISECOND);
	}
	assert_true(link_peek(theirs.link, LINK_CONTROL, &is_end).size > LINE_TAKE_MAX);
	do {
		assert_true(read_step() <= LINE_TAKE_MAX / WIRE_TEXT_MAX + 1);
		steps++;
	} while (theirs.is_readable);
	assert_true(steps > 1);
	assert_true(link_peek(theirs.link, LINK_CONTROL, &is_end).size < WIRE_TEXT_MAX);
}

static void a_broken_stream_is_refused(void **state)
{
	struct wire_message m;

	(void)state;
	assert_int_equal(link_write(ours.link, LINK_CONTROL, BYTES("\0\0\0\1?"), false), 0);
	net_run(&net, SECOND);
	assert_int_equal(line_next(&theirs, &m), ERR_FORMAT);
}

#define LINE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINE(messages_come_in_order_one_at_a_time),
		LINE(what_is_more_than_a_step_may_take_is_left_for_the_next),
		LINE(a_broken_stream_is_refused),
	};

	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
