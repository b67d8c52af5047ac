/* What a contact may do to us by its link: broken frames, words that are not its own, floods, forged lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "tests/mallory.h"

static void frames_that_break_the_form_end_the_link(void **state)
{
	static const char *const broken[] = {
		"\0\0\0\0", "\0\1\0\1", "\377\377\377\377", "\0\0\0\1\300", "\0\0\0\2\221\20",
	};
	static const size_t sizes[] = { 4, 4, 4, 5, 6 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		connect_as(&mallory.device);
		say_bytes(bytes_of((const uint8_t *)broken[i], sizes[i]));
		assert_put_out();
	}
}

static void half_a_frame_is_waited_for_without_harm(void **state)
{
	struct wire_message m = message(WIRE_SAY);

	(void)state;
	say_bytes(bytes_of((const uint8_t *)"\0\0\377", 3));
	pass(60 * SECOND);
	connect_as(&mallory.device);
	say(&m);
	assert_string_equal(alice.heard, "hi ");
}

static void words_about_others_end_the_link(void **state)
{
	struct wire_message m;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		connect_as(&mallory.device);
		m = message(i < 2 ? WIRE_SAY : i < 4 ? WIRE_HAVE : WIRE_ACK);
		/* the three have conversation and author at the same place */
		if (i % 2)
			m.say.author.bytes[3] ^= 1;
		else
			m.say.conversation.bytes[3] ^= 1;
		say(&m);
		assert_put_out();
	}
}

static void numbers_out_of_range_end_the_link(void **state)
{
	struct wire_message m;

	(void)state;
	m = message(WIRE_ACK);
	m.ack.next = 2; /* nothing was said */
	say(&m);
	assert_put_out();
	connect_as(&mallory.device);
	m.ack.next = UINT64_MAX;
	say(&m);
	assert_put_out();
}

static void what_only_a_directory_says_ends_the_link(void **state)
{
	struct wire_message m = { .type = WIRE_PRESENCE };

	(void)state;
	m.presence.name = name_of("carol");
	say(&m);
	assert_put_out();
	connect_as(&mallory.device);
	m = (struct wire_message){ .type = WIRE_LIST_ADD };
	m.list_add.name = name_of("carol");
	say(&m);
	assert_put_out();
}

/* What is no request for a file is abandoned, each by itself. */
static void streams_that_ask_for_nothing_are_given_up(void **state)
{
	struct wire_message m = message(WIRE_SAY);
	unsigned opened = 0;
	int64_t stream;

	(void)state;
	for (unsigned i = 0; i < 600; i++) {
		if (link_open(seen.link, &stream) < 0)
			continue;
		opened++;
		link_write(seen.link, stream, bytes_text(i % 3 ? "x" : "\377\377\377\377"),
			   i % 2);
		pass(10 * MILLISECOND);
	}
	assert_true(opened >= 60);
	assert_int_equal(seen.down, 0);
	say(&m);
	assert_string_equal(alice.heard, "hi ");
}

static void a_flood_of_gaps_is_answered_once(void **state)
{
	struct wire_message m = message(WIRE_SAY);
	unsigned before = seen.haves;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		m.say.seq = 1000 + i;
		randombytes_buf(&m.say.previous, sizeof m.say.previous);
		say(&m);
	}
	assert_int_equal(seen.down, 0);
	assert_string_equal(alice.heard, "");
	assert_int_equal(seen.haves - before, 1);
}

static void a_lie_about_our_chain_costs_nothing_but_new_numbers(void **state)
{
	struct wire_message m = message(WIRE_HAVE);

	(void)state;
	assert_int_equal(engine_send(alice.engine, "mallory", bytes_text("one"), 0, 1), 0);
	m.have.next = 7;
	randombytes_buf(&m.have.last, sizeof m.have.last);
	say(&m);
	assert_int_equal(seen.down, 0);
	assert_int_equal(alice.counts[EVENT_WARNING], 1);
	m.have.next = 70;
	say(&m);
	assert_put_out();
	/* No store is older by so much: what is said must find numbers. */
	connect_as(&mallory.device);
	m.have.next = ((uint64_t)1 << 53) - 1;
	say(&m);
	assert_put_out();
	connect_as(&mallory.device);
	m = message(WIRE_SAY);
	say(&m);
	assert_string_equal(alice.heard, "hi ");
	assert_int_equal(engine_send(alice.engine, "mallory", bytes_text("two"), 0, 2), 0);
	pass(SECOND);
}

/* Asking for everything again and again from where nobody reads. */
static void who_does_not_read_fills_nothing(void **state)
{
	struct wire_message m = message(WIRE_HAVE);
	static char text[16000];

	(void)state;
	memset(text, 'x', sizeof text);
	seen.reads = false;
	for (unsigned i = 0; i < 200; i++)
		engine_send(alice.engine, "mallory", BYTES(text), 0, i + 1);
	for (unsigned i = 0; i < 100; i++)
		say(&m);
	pass(20 * SECOND);
	/* What waits is bounded by the windows: 3 MB are owed, many times over. */
	assert_true(endpoint_counters(engine_endpoint(alice.engine)).sent_bytes < 2000000);
}

static void devices_without_number_hold_few_links(void **state)
{
	unsigned linked = 0;

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		struct endpoint *before = evil;
		struct device device;

		device_make(&device);
		evil = NULL; /* the one before goes on, unheard */
		begin_as(&device);
		endpoint_free(before);
		linked += seen.link != NULL;
		pass(100 * MILLISECOND);
	}
	pass(5 * SECOND); /* goodbyes are over */
	assert_true(endpoint_counters(engine_endpoint(alice.engine)).links <= WIRE_DEVICES_MAX);
	assert_true(linked < WIRE_DEVICES_MAX);
}

static void a_device_that_is_not_in_the_list_is_turned_away(void **state)
{
	struct device stolen;

	(void)state;
	device_make(&stolen);
	begin_as(&stolen); /* a good certificate by her identity, and no place in her list */
	pass(SECOND);
	assert_int_equal(seen.down, 1);
	assert_int_equal(seen.code, LINK_CODE_NOT_CONTACT);
}

static unsigned places(void)
{
	return peer_person(&alice, "mallory")->devices.count;
}

static void lists_that_are_forged_old_or_another_s_change_nothing(void **state)
{
	struct wire_message m = { .type = WIRE_DEVICES };
	struct device_list *l = &m.devices.devices;
	struct identity other;
	struct device device;

	(void)state;
	device_make(&device);
	identity_make(&other);
	*l = mallory.devices;
	device_list_add(l, &device.public, "x", 0);
	l->version++; /* not signed anew */
	say(&m);
	assert_int_equal(places(), 1);
	device_list_sign(l, &mallory.identity);
	l->version = mallory.devices.version; /* an old one */
	say(&m);
	assert_int_equal(places(), 1);
	device_list_sign(l, &mallory.identity);
	say(&m);
	assert_int_equal(places(), 2);
	assert_int_equal(seen.down, 0);
	device_list_remove(l, &device.public);
	device_list_sign(l, &other); /* the person decides who that is */
	say(&m);
	assert_int_equal(places(), 2);
	assert_true(identity_public_equal(&peer_person(&alice, "mallory")->identity,
					  &mallory.identity.public));
}

/* As fast as the link carries, she asks for all again, and reads it. */
static void who_asks_for_everything_again_and_again_gets_it_slowly(void **state)
{
	struct wire_message m = message(WIRE_HAVE);
	static char text[16000];
	uint64_t first, later;

	(void)state;
	memset(text, 'x', sizeof text);
	for (unsigned i = 0; i < 50; i++)
		engine_send(alice.engine, "mallory", BYTES(text), 0, i + 1);
	say(&m);
	pass(5 * SECOND);
	for (unsigned i = 0; i < 300; i++)
		say(&m);
	first = seen.heard;
	assert_true(first > sizeof text * 50);
	for (unsigned i = 0; i < 300; i++)
		say(&m);
	later = seen.heard - first;
	/* in ninety seconds, each fifty messages cost a second */
	assert_true(later > 0);
	assert_true(later <= (uint64_t)(sizeof text + 300) * 50 * 95);
	assert_int_equal(seen.down, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTACT(frames_that_break_the_form_end_the_link),
		CONTACT(half_a_frame_is_waited_for_without_harm),
		CONTACT(words_about_others_end_the_link),
		CONTACT(numbers_out_of_range_end_the_link),
		CONTACT(what_only_a_directory_says_ends_the_link),
		CONTACT(streams_that_ask_for_nothing_are_given_up),
		CONTACT(a_flood_of_gaps_is_answered_once),
		CONTACT(a_lie_about_our_chain_costs_nothing_but_new_numbers),
		CONTACT(who_does_not_read_fills_nothing),
		CONTACT(devices_without_number_hold_few_links),
		CONTACT(a_device_that_is_not_in_the_list_is_turned_away),
		CONTACT(lists_that_are_forged_old_or_another_s_change_nothing),
		CONTACT(who_asks_for_everything_again_and_again_gets_it_slowly),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
