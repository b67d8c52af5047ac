/* What a contact may do to us by what it says: entries of every kind, and what they are about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>

#include "shared/offer.h"
#include "tests/mallory.h"
#include "tests/shown.h"

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
	struct wire_message ack = message(WIRE_ACK);
	struct story s = { 0 };
	unsigned offered = 0;

	(void)state;
	assert_int_equal(engine_send(alice.engine, "mallory", bytes_text("mine"), 0, 1), 0);
	pass(SECOND);
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
	/* They are read at a pace: what is more waits in the line. An acknowledgement behind them does not. */
	assert_int_equal(alice.counts[EVENT_DELIVERED], 0);
	ack.ack.next = 2;
	say_and_wait(&ack, SECOND);
	assert_int_equal(alice.counts[EVENT_DELIVERED], 1);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
