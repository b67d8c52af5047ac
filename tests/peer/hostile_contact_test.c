#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/frame.h"
#include "shared/offer.h"
#include "tests/peer_fixture.h"
#include "tests/shown.h"

/* A contact with good keys and a program of its own that says what it likes. */

static struct calm_net net;
static struct peer alice, mallory;
static struct endpoint *evil;
static struct {
	struct link *link;
	unsigned up, down, haves;
	uint64_t code, heard; /* of the last goodbye; bytes read */
	bool reads;
} seen;

static void on_readable(struct link *l, int64_t stream)
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

static mono_ns evil_step(void *user, mono_ns now, wall_ms wall)
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

static void pass(mono_ns length)
{
	calm_net_run(&net, length, NULL, NULL);
}

static void begin_as(const struct device *device)
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

static void connect_as(const struct device *device)
{
	begin_as(device);
	assert_non_null(seen.link);
}

static int begin(void **state)
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

static int end(void **state)
{
	(void)state;
	endpoint_free(evil);
	peer_remove(&alice);
	peer_remove(&mallory);
	return 0;
}

static void say_bytes(struct bytes data)
{
	assert_int_equal(link_write(seen.link, LINK_CONTROL, data, false), 0);
	pass(300 * MILLISECOND);
}

static void say_and_wait(const struct wire_message *m, mono_ns wait)
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

static void say(const struct wire_message *m)
{
	say_and_wait(m, 300 * MILLISECOND);
}

static struct wire_message message(enum wire_type type)
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

static void assert_put_out(void)
{
	pass(SECOND);
	assert_int_equal(seen.down, 1);
	assert_int_equal(seen.code, LINK_CODE_PROTOCOL);
	assert_string_equal(alice.heard, "");
}

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

/* --- entries of every kind, and what they are about --- */

/* Her chain, as she tells it. */
struct story {
	uint64_t seq;
	struct message_hash last;
};

/* An entry of hers about (author, seq); in its order, with the hash that it must have. */
static void tell(struct story *s, enum say_kind kind, const char *body,
		 const struct device_public *about, uint64_t about_seq)
{
	struct wire_message m = message(WIRE_SAY);

	m.say.seq = ++s->seq;
	m.say.previous = s->last;
	m.say.kind = kind;
	m.say.body = bytes_text(body);
	m.say.time = 1000 + (wall_ms)s->seq;
	m.say.is_about = about != NULL;
	if (about)
		m.say.about_author = *about;
	m.say.about_seq = about_seq;
	s->last = message_hash(&m.say);
	say(&m);
}

static void assert_alice_shows(const char *what)
{
	struct shown shown;

	pass(SECOND);
	shown_read(&shown, alice.engine, "mallory");
	assert_string_equal(shown.text, what);
}

static void what_alice_says_is_changed_by_nobody_else(void **state)
{
	struct wire_message m = message(WIRE_ACK);
	struct story s = { 0 };

	(void)state;
	assert_int_equal(engine_send(alice.engine, "mallory", bytes_text("mine"), 0, 1), 0);
	pass(SECOND);
	m.ack.next = 2;
	say(&m);
	tell(&s, SAY_EDIT, "hers", &alice.device.public, 1);
	tell(&s, SAY_RETRACT, "", &alice.device.public, 1);
	tell(&s, SAY_TEXT, "hi", NULL, 0);
	assert_int_equal(seen.down, 0);
	assert_alice_shows(">mine hi ");
	/* ... nor what was taken back brought back, nor what is no text changed */
	tell(&s, SAY_RETRACT, "", &mallory.device.public, 3);
	tell(&s, SAY_EDIT, "again", &mallory.device.public, 3);
	tell(&s, SAY_EDIT, "entry", &mallory.device.public, 1);
	tell(&s, SAY_TEXT, "end", NULL, 0);
	assert_int_equal(seen.down, 0);
	assert_alice_shows(">mine  end ");
}

static void what_is_about_nothing_waits_in_silence(void **state)
{
	struct device_public nobody = { { 9 } };
	struct story s = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		tell(&s, SAY_EDIT, "lost", &nobody, 1 + i);
		tell(&s, SAY_REACT, "x", &alice.device.public, 5000 + i);
		tell(&s, SAY_RETRACT, "", &mallory.device.public, ((uint64_t)1 << 52) + i);
	}
	tell(&s, SAY_EDIT, "itself", &mallory.device.public, s.seq + 1);
	tell(&s, SAY_TEXT, "hi", NULL, 0);
	assert_int_equal(seen.down, 0);
	assert_alice_shows("hi ");
	assert_int_equal(alice.counts[EVENT_HEARD], 1);
	assert_int_equal(alice.counts[EVENT_CHANGED], 0);
}

static void a_number_counts_once_whatever_it_says(void **state)
{
	struct wire_message m = message(WIRE_SAY);
	struct story s = { 0 };

	(void)state;
	tell(&s, SAY_TEXT, "one", NULL, 0);
	m.say.body = bytes_text("another");
	say(&m);
	m.say.seq = 2;
	randombytes_buf(&m.say.previous, sizeof m.say.previous);
	say(&m); /* a past that was not: asked for, not believed */
	assert_alice_shows("one ");
	tell(&s, SAY_TEXT, "two", NULL, 0);
	assert_alice_shows("one two ");
	assert_int_equal(seen.down, 0);
}

static void marks_beyond_what_was_said_mark_nothing(void **state)
{
	struct wire_message m = { .type = WIRE_READ };

	(void)state;
	assert_int_equal(engine_send(alice.engine, "mallory", bytes_text("mine"), 0, 1), 0);
	pass(SECOND);
	m.read.conversation = message(WIRE_SAY).say.conversation;
	m.read.author = alice.device.public;
	m.read.next = (uint64_t)1 << 52;
	say(&m);
	if (seen.down)
		assert_int_equal(seen.code, LINK_CODE_PROTOCOL);
	else
		assert_int_equal(alice.counts[EVENT_READ], 0);
	connect_as(&mallory.device);
	randombytes_buf(&m.read.author, sizeof m.read.author);
	m.read.next = 2;
	say(&m);
	m = message(WIRE_SAY);
	connect_as(&mallory.device);
	say(&m);
	assert_string_equal(alice.heard, "hi ");
	assert_alice_shows(">mine- hi ");
}

static void who_types_a_thousand_times_is_told_seldom(void **state)
{
	struct wire_message m = { .type = WIRE_TYPING };

	(void)state;
	m.typing.conversation = message(WIRE_SAY).say.conversation;
	for (unsigned i = 0; i < 1000; i++) {
		m.typing.is_typing = i % 2;
		say_and_wait(&m, MILLISECOND);
	}
	assert_int_equal(seen.down, 0);
	assert_true(alice.counts[EVENT_TYPING] <= 20);
	m = message(WIRE_SAY);
	say(&m);
	assert_string_equal(alice.heard, "hi ");
}

/* A thousand in a second, of names and sizes that no file has. */
static void a_flood_of_offers_is_shown_and_fetches_nothing(void **state)
{
	static const char *const names[] = { "../../etc/passwd", "\xe2\x80\xaegpj.exe", "a\nb",
					     "/", "con" };
	struct story s = { 0 };
	unsigned offered = 0;

	(void)state;
	for (unsigned i = 0; i < 1000 && seen.link; i++) {
		struct offer offer = { .size = i % 7 ? i : OFFER_SIZE_MAX,
				       .name = bytes_text(names[i % 5]),
				       .type = bytes_text("image/png") };
		struct wire_message m = message(WIRE_SAY);
		struct buf body = { 0 };

		randombytes_buf(offer.id, sizeof offer.id);
		if (offer_encode(&offer, &body) < 0)
			continue;
		m.say.seq = ++s.seq;
		m.say.previous = s.last;
		m.say.kind = SAY_FILE;
		m.say.body = buf_view(&body);
		s.last = message_hash(&m.say);
		say_and_wait(&m, MILLISECOND);
		offered++;
		buf_clear(&body);
	}
	/* They are read at a pace: what is more waits in the line. */
	assert_true(alice.counts[EVENT_HEARD] >= WAY_COSTLY_AT_ONCE);
	assert_true(alice.counts[EVENT_HEARD] < WAY_COSTLY_AT_ONCE + 100);
	pass(60 * SECOND);
	assert_true(offered > 0);
	assert_int_equal(seen.down, 0);
	assert_int_equal(alice.counts[EVENT_HEARD], offered);
	tell(&s, SAY_TEXT, "hi", NULL, 0);
	assert_int_equal(alice.counts[EVENT_HEARD], offered + 1);
}

/* What is missing is asked for, and faces know until it has come. */
static void what_is_missing_is_told_and_told_again_when_it_comes(void **state)
{
	struct wire_message says[4];
	struct contact c;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		says[i] = message(WIRE_SAY);
		says[i].say.seq = i + 1;
		if (i > 0)
			says[i].say.previous = message_hash(&says[i - 1].say);
	}
	say(&says[0]);
	seen.haves = 0;
	say(&says[3]);
	assert_int_equal(seen.haves, 1);
	assert_int_equal(alice.counts[EVENT_MISSING], 1);
	assert_false(alice.last[EVENT_MISSING].has_come);
	assert_int_equal(engine_contact(alice.engine, "mallory", &c), 0);
	assert_int_equal(c.missing, 2);
	say(&says[1]);
	assert_int_equal(alice.counts[EVENT_MISSING], 1);
	say(&says[2]);
	say(&says[3]);
	assert_int_equal(alice.counts[EVENT_MISSING], 2);
	assert_true(alice.last[EVENT_MISSING].has_come);
	assert_int_equal(engine_contact(alice.engine, "mallory", &c), 0);
	assert_int_equal(c.missing, 0);
	assert_int_equal(alice.counts[EVENT_HEARD], 4);
}

static bool note_missing(void *user, const struct message *m)
{
	*(uint64_t *)user += m->missing;
	return true;
}

/* ... or, where its author does not have it any more, it is shown where it would be. */
static void what_its_author_has_lost_is_shown_as_missing(void **state)
{
	struct wire_message one = message(WIRE_SAY), four = message(WIRE_SAY);
	uint64_t missing = 0;

	(void)state;
	say(&one);
	four.say.seq = 4;
	say(&four);
	say(&four); /* the answer: that is all there is */
	assert_int_equal(alice.counts[EVENT_HEARD], 2);
	assert_int_equal(engine_history(alice.engine, "mallory", 0, 10, note_missing, &missing),
			 0);
	assert_int_equal(missing, 2);
	assert_int_equal(alice.counts[EVENT_WARNING], 1);
}

static void what_is_no_offer_and_no_reaction_ends_the_link(void **state)
{
	struct wire_message m = message(WIRE_SAY);

	(void)state;
	m.say.kind = SAY_FILE;
	m.say.body = bytes_text("no offer");
	say(&m);
	assert_put_out();
	connect_as(&mallory.device);
	m.say.kind = SAY_REACT;
	m.say.is_about = true;
	m.say.about_author = alice.device.public;
	m.say.about_seq = 1;
	m.say.body = bytes_text("x x");
	say(&m);
	assert_put_out();
}

#define CONTACT(test) cmocka_unit_test_setup_teardown(test, begin, end)

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
		CONTACT(what_alice_says_is_changed_by_nobody_else),
		CONTACT(what_is_about_nothing_waits_in_silence),
		CONTACT(a_number_counts_once_whatever_it_says),
		CONTACT(marks_beyond_what_was_said_mark_nothing),
		CONTACT(who_types_a_thousand_times_is_told_seldom),
		CONTACT(a_flood_of_offers_is_shown_and_fetches_nothing),
		CONTACT(what_is_missing_is_told_and_told_again_when_it_comes),
		CONTACT(what_its_author_has_lost_is_shown_as_missing),
		CONTACT(what_is_no_offer_and_no_reaction_ends_the_link),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
