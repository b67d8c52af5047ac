/* Included by a test of what a hostile contact may do, once: Alice's engine, and Mallory, who has
 * all keys of a contact and a program of his own that says what it likes. */
#ifndef PALIQUE_TESTS_MALLORY_H
#define PALIQUE_TESTS_MALLORY_H

#include <string.h>

#include "shared/error.h"
#include "shared/frame.h"
#include "tests/peer_fixture.h"

static struct calm_net net;
static struct peer alice, mallory;
static struct endpoint *evil;
static struct {
	struct link *link;
	unsigned up, down, haves;
	uint64_t code, heard; /* of the last goodbye; bytes read */
	bool reads;
} seen;

static inline void on_readable(struct link *l, int64_t stream)
{
	bool is_end;
	struct bytes in = link_peek(l, stream, &is_end), contents;
	struct wire_message m;
	size_t total, taken = 0;

	while (frame_take(bytes_of(in.data + taken, in.size - taken), &contents, &total) == 1) {
		assert_int_equal(wire_decode(&m, contents, WIRE_FROM_PEER), 0);
		seen.haves += m.type == WIRE_HAVE;
		taken += total;
	}
	seen.heard += taken;
	link_consume(l, stream, taken);
}

static inline mono_ns evil_step(void *user, mono_ns now, wall_ms wall)
{
	struct link_event e;

	(void)user, (void)now, (void)wall;
	while (endpoint_next(evil, &e)) {
		if (e.kind == LINK_UP) {
			seen.link = e.link;
			seen.up++;
		} else if (e.kind == LINK_DOWN && e.link == seen.link) {
			seen.link = NULL;
			seen.down++;
			seen.code = e.error == ERR_CLOSED ? e.code : UINT64_MAX;
		} else if (e.kind == LINK_READABLE && seen.reads) {
			on_readable(e.link, e.stream);
		}
	}
	return NEVER;
}

static inline void pass(mono_ns length)
{
	calm_net_run(&net, length, NULL, NULL);
}

static inline void begin_as(const struct device *device)
{
	struct endpoint_config config = {
		.policy = ENDPOINT_ADMITTED,
		.device = *device,
		.has_certificate = true,
		.knock = mallory.knock,
		.idle_timeout = 45 * SECOND,
		.keep_alive = 20 * SECOND,
	};
	struct link_target t = {
		.pattern = LINK_IK,
		.device = alice.device.public,
		.knock = alice.knock,
		.address_count = 1,
		.addresses = { net.nodes[alice.node].address },
	};

	if (evil)
		endpoint_free(evil);
	memset(&seen, 0, sizeof seen);
	seen.reads = true;
	certificate_make(&config.certificate, &mallory.identity, &device->public, "evil", 1, 0);
	evil = endpoint_new(&config, net.now);
	endpoint_admit(evil, &alice.identity.public, false);
	net.nodes[mallory.node].endpoint = evil;
	assert_non_null(endpoint_dial(evil, &t, net.now));
	pass(200 * MILLISECOND);
}

static inline void connect_as(const struct device *device)
{
	begin_as(device);
	assert_non_null(seen.link);
}

static inline int begin(void **state)
{
	(void)state;
	calm_net_init(&net);
	peer_make(&alice, "alice");
	peer_make(&mallory, "mallory");
	peer_open(&alice, net.now, net.wall);
	alice.node = calm_net_add(&net, engine_endpoint(alice.engine), peer_step, &alice);
	evil = NULL;
	mallory.node = calm_net_add(&net, NULL, evil_step, NULL);
	assert_int_equal(engine_add(alice.engine, "mallory", &mallory.identity.public, NULL),
			 0);
	peer_tell_presence(&alice, &mallory, &net.nodes[mallory.node].address, true);
	pass(MILLISECOND);
	connect_as(&mallory.device);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	endpoint_free(evil);
	peer_remove(&alice);
	peer_remove(&mallory);
	return 0;
}

static inline void say_bytes(struct bytes data)
{
	assert_int_equal(link_write(seen.link, LINK_CONTROL, data, false), 0);
	pass(300 * MILLISECOND);
}

static inline void say_and_wait(const struct wire_message *m, mono_ns wait)
{
	struct buf contents = { 0 }, frame = { 0 };

	assert_int_equal(wire_encode(m, &contents), 0);
	frame_append(&frame, buf_view(&contents));
	if (seen.link)
		assert_int_equal(link_write(seen.link, LINK_CONTROL, buf_view(&frame), false),
				 0);
	pass(wait);
	buf_clear(&contents);
	buf_clear(&frame);
}

static inline void say(const struct wire_message *m)
{
	say_and_wait(m, 300 * MILLISECOND);
}

static inline struct wire_message message(enum wire_type type)
{
	struct wire_message m = { .type = type };
	struct conversation_id id = conversation_of(&alice.identity.public,
						    &mallory.identity.public);

	if (type == WIRE_SAY) {
		m.say.conversation = id;
		m.say.author = mallory.device.public;
		m.say.seq = 1;
		m.say.kind = SAY_TEXT;
		m.say.body = bytes_text("hi");
	} else if (type == WIRE_HAVE) {
		m.have.conversation = id;
		m.have.author = alice.device.public;
		m.have.next = 1;
	} else {
		m.ack.conversation = id;
		m.ack.author = alice.device.public;
		m.ack.next = 1;
	}
	return m;
}

static inline void assert_put_out(void)
{
	pass(SECOND);
	assert_int_equal(seen.down, 1);
	assert_int_equal(seen.code, LINK_CODE_PROTOCOL);
	assert_string_equal(alice.heard, "");
}

#define CONTACT(test) cmocka_unit_test_setup_teardown(test, begin, end)

#endif
