#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/siblings.h"
#include "shared/error.h"
#include "tests/peer_fixture.h"
#include "tests/shown.h"

/* Alice and Bob with two devices each on a calm network; what the directory would say is told
 * by hand. */

static struct calm_net net;
static struct peer alice[2], bob[2];

static void pass(mono_ns length)
{
	calm_net_run(&net, length, NULL, NULL);
}

static bool is_up(const struct peer *p)
{
	return p->engine && net.nodes[p->node].endpoint;
}

static void tell(struct peer *to, const struct peer *account)
{
	const struct peer *both[] = { &account[0], &account[1] };

	if (is_up(to))
		peer_tell_devices(to, &net, both, 2);
}

/* What a directory says to everybody, our own account first. */
static void tell_all(void)
{
	for (unsigned i = 0; i < 2; i++) {
		tell(&alice[i], alice);
		tell(&alice[i], bob);
		tell(&bob[i], bob);
		tell(&bob[i], alice);
	}
}

static int begin(void **state)
{
	(void)state;
	calm_net_init(&net);
	peer_make(&alice[0], "alice");
	peer_make_sibling(&alice[1], &alice[0]);
	peer_make(&bob[0], "bob");
	peer_make_sibling(&bob[1], &bob[0]);
	for (unsigned i = 0; i < 2; i++) {
		peer_join(&alice[i], &net);
		peer_join(&bob[i], &net);
		peer_add(&alice[i], &bob[0]);
		peer_add(&bob[i], &alice[0]);
	}
	tell_all();
	pass(SECOND);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		peer_remove(&alice[i]);
		peer_remove(&bob[i]);
	}
	return 0;
}

static void say(struct peer *from, const char *to, const char *text)
{
	assert_int_equal(engine_send(from->engine, to, bytes_text(text), 0, 1), 0);
}

static void assert_shows(struct peer *p, const char *with, const char *what)
{
	struct shown shown;

	shown_read(&shown, p->engine, with);
	assert_string_equal(shown.text, what);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The same in order of the alphabet: what comes late from two devices has no order. */
static void assert_has(struct peer *p, const char *with, const char *what)
{
	struct shown shown;
	char *words[16], sorted[4096] = "";
	size_t count = 0, used = 0;

	shown_read(&shown, p->engine, with);
	for (char *word = strtok(shown.text, " "); word && count < 16; word = strtok(NULL, " "))
		words[count++] = word;
	qsort(words, count, sizeof *words, by_text);
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(sorted + used, sizeof sorted - used, "%s ", words[i]);
	assert_string_equal(sorted, what);
}

static struct way *way_between(struct peer *a, const char *name, const struct peer *b)
{
	struct person *p = strcmp(name, a->name.text) == 0 ? persons_self(a->rooms->persons)
							   : peer_person(a, name);

	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (p->ways[i] && device_public_equal(&p->ways[i]->device, &b->device.public))
			return p->ways[i];
	}
	return NULL;
}

static void devices_of_one_account_find_each_other(void **state)
{
	(void)state;
	assert_int_equal(way_between(&alice[0], "alice", &alice[1])->state, WAY_LINKED);
	assert_int_equal(way_between(&bob[1], "bob", &bob[0])->state, WAY_LINKED);
	assert_true(siblings_is_online(alice[0].rooms, &alice[1].device.public));
	assert_false(siblings_is_online(alice[0].rooms, &bob[1].device.public));
	assert_int_equal(alice[0].counts[EVENT_LINK], 0);
	assert_int_equal(alice[0].counts[EVENT_PRESENCE], 1);
	assert_true(alice[0].counts[EVENT_DEVICES] >= 1);
	assert_null(peer_person(&alice[0], "alice"));
}

static void everything_is_said_and_heard_on_all_devices(void **state)
{
	(void)state;
	say(&alice[0], "bob", "one");
	pass(SECOND);
	say(&bob[1], "alice", "two");
	pass(SECOND);
	say(&alice[1], "bob", "three");
	pass(SECOND);
	assert_shows(&alice[0], "bob", ">one two >three ");
	assert_shows(&alice[1], "bob", ">one two >three ");
	assert_shows(&bob[0], "alice", "one >two three ");
	assert_shows(&bob[1], "alice", "one >two three ");
	assert_int_equal(alice[1].counts[EVENT_SAID], 2);
	assert_int_equal(alice[1].counts[EVENT_HEARD], 1);
}

static void what_is_delivered_is_known_on_all_devices(void **state)
{
	struct contact c;

	(void)state;
	peer_stop(&bob[0], &net);
	peer_stop(&bob[1], &net);
	tell_all();
	say(&alice[0], "bob", "one");
	say(&alice[0], "bob", "two");
	pass(SECOND);
	assert_shows(&alice[0], "bob", ">one- >two- ");
	assert_shows(&alice[1], "bob", ">one- >two- ");
	assert_true(device_public_equal(&alice[1].last[EVENT_SAID].message.author,
					&alice[0].device.public));
	assert_int_equal(alice[1].last[EVENT_SAID].message.state, MESSAGE_QUEUED);
	assert_int_equal(engine_contact(alice[1].engine, "bob", &c), 0);
	assert_int_equal(c.queued, 0);
	assert_int_equal(c.unread, 0);
	peer_start(&bob[1], &net);
	tell_all();
	pass(5 * SECOND);
	assert_shows(&alice[0], "bob", ">one >two ");
	assert_shows(&alice[1], "bob", ">one >two ");
	assert_int_equal(alice[1].counts[EVENT_DELIVERED], 1);
	assert_int_equal(alice[1].last[EVENT_DELIVERED].message_id,
			 alice[1].last[EVENT_SAID].message.id);
}

static void news_of_a_delivery_reaches_a_sibling_that_hung_up(void **state)
{
	(void)state;
	peer_stop(&bob[0], &net);
	peer_stop(&bob[1], &net);
	tell_all();
	say(&alice[0], "bob", "one");
	pass(REACH_IDLE + 5 * SECOND);
	assert_int_equal(way_between(&alice[0], "alice", &alice[1])->state, WAY_IDLE);
	peer_start(&bob[0], &net);
	tell(&alice[0], bob);
	tell(&bob[0], alice);
	pass(5 * SECOND);
	assert_shows(&alice[1], "bob", ">one ");
}

static void a_device_that_was_away_catches_up(void **state)
{
	(void)state;
	peer_stop(&alice[1], &net);
	peer_stop(&bob[1], &net);
	tell_all();
	say(&alice[0], "bob", "one");
	pass(SECOND);
	say(&bob[0], "alice", "two");
	pass(SECOND);
	peer_start(&alice[1], &net);
	peer_start(&bob[1], &net);
	tell_all();
	pass(5 * SECOND);
	assert_has(&alice[1], "bob", ">one two ");
	assert_has(&bob[1], "alice", ">two one ");
	assert_int_equal(alice[1].counts[EVENT_WARNING], 0);
	assert_int_equal(bob[1].counts[EVENT_WARNING], 0);
}

static void the_author_may_be_gone_when_its_sibling_comes_back(void **state)
{
	(void)state;
	peer_stop(&alice[1], &net);
	tell_all();
	say(&alice[0], "bob", "one");
	pass(SECOND);
	peer_stop(&alice[0], &net);
	peer_start(&alice[1], &net);
	tell_all();
	pass(5 * SECOND);
	assert_shows(&alice[1], "bob", "");
	peer_start(&alice[0], &net);
	tell_all();
	pass(5 * SECOND);
	assert_shows(&alice[1], "bob", ">one ");
}

/* A third device of Alice's, in the node of the second one, which ends. */
static void take_another_in(struct peer *fresh)
{
	peer_stop(&alice[1], &net);
	peer_make_sibling(fresh, &alice[0]);
	alice[1].devices = fresh->devices;
	fresh->node = alice[1].node;
	peer_start(fresh, &net);
	net.nodes[fresh->node].user = fresh;
	peer_add(fresh, &bob[0]);
}

static void who_comes_later_has_all_from_its_arrival_on(void **state)
{
	struct peer fresh;
	const struct peer *both[] = { &alice[0], &fresh };

	(void)state;
	say(&alice[0], "bob", "one");
	say(&bob[0], "alice", "two");
	pass(SECOND);
	take_another_in(&fresh);
	tell_all(); /* the list is known, the new device is not seen yet */
	say(&alice[0], "bob", "three");
	say(&bob[0], "alice", "four");
	pass(SECOND);
	peer_tell_devices(&alice[0], &net, both, 2);
	peer_tell_devices(&bob[0], &net, both, 2);
	peer_tell_devices(&fresh, &net, both, 2);
	tell(&fresh, bob);
	pass(5 * SECOND);
	say(&fresh, "bob", "five");
	pass(5 * SECOND);
	assert_has(&fresh, "bob", ">five >three four ");
	assert_has(&alice[0], "bob", ">five >one >three four two ");
	assert_has(&bob[0], "alice", ">four >two five one three ");
	assert_has(&bob[1], "alice", ">four >two five one three ");
	assert_int_equal(fresh.counts[EVENT_WARNING], 0);
	net.nodes[fresh.node].endpoint = NULL;
	net.nodes[fresh.node].user = &alice[1];
	peer_remove(&fresh);
}

static void who_is_revoked_is_cut_off_at_once_and_gets_nothing(void **state)
{
	(void)state;
	say(&alice[0], "bob", "one");
	say(&alice[1], "bob", "two");
	pass(SECOND);
	assert_int_equal(way_between(&bob[0], "alice", &alice[1])->state, WAY_LINKED);
	peer_revoke(&alice[0], &alice[1]);
	tell(&alice[0], alice);
	tell(&bob[0], alice);
	tell(&bob[1], alice);
	pass(MILLISECOND);
	assert_null(way_between(&alice[0], "alice", &alice[1]));
	assert_null(way_between(&bob[0], "alice", &alice[1]));
	say(&alice[0], "bob", "three");
	say(&bob[0], "alice", "four");
	say(&alice[1], "bob", "five");
	pass(100 * SECOND);
	assert_has(&alice[1], "bob", ">five- >one >two ");
	assert_has(&alice[0], "bob", ">one >three >two four ");
	assert_has(&bob[1], "alice", ">four one three two ");
}

/* Nobody says so but the device that knows: over its links. */
static void a_list_goes_from_device_to_device(void **state)
{
	(void)state;
	say(&alice[0], "bob", "one");
	say(&alice[1], "bob", "two");
	pass(SECOND);
	peer_revoke(&alice[0], &alice[1]);
	tell(&alice[0], alice);
	pass(SECOND);
	assert_int_equal(peer_person(&bob[0], "alice")->devices.version,
			 alice[0].devices.version);
	assert_null(way_between(&bob[0], "alice", &alice[1]));
	assert_null(way_between(&bob[1], "alice", &alice[1]));
}

static void fail_to_store(struct peer *p, mono_ns how_long)
{
	for (mono_ns left = how_long; left > 0; left -= MILLISECOND / 100) {
		store_failed(p->rooms->store, ERR_FULL);
		pass(MILLISECOND / 100);
	}
}

static void what_could_not_be_stored_is_asked_for_again(void **state)
{
	(void)state;
	say(&alice[0], "bob", "one");
	pass(SECOND);
	say(&alice[0], "bob", "two");
	for (unsigned i = 0; i < 4000; i++) {
		/* all commits of the sibling and of one device of Bob's fail for a while */
		store_failed(alice[1].rooms->store, ERR_FULL);
		store_failed(bob[1].rooms->store, ERR_FULL);
		pass(MILLISECOND / 100);
	}
	pass(5 * SECOND);
	assert_shows(&alice[1], "bob", ">one >two ");
	assert_shows(&bob[1], "alice", "one two ");
	say(&alice[0], "bob", "three");
	pass(5 * SECOND);
	assert_shows(&alice[1], "bob", ">one >two >three ");
	assert_shows(&bob[1], "alice", "one two three ");
	assert_shows(&bob[0], "alice", "one two three ");
}

/* It says so once on a link. */
static void what_a_device_has_is_not_forgotten_with_what_could_not_be_stored(void **state)
{
	(void)state;
	say(&alice[0], "bob", "one");
	pass(SECOND);
	say(&alice[0], "bob", "two");
	while (bob[0].counts[EVENT_HEARD] < 2)
		pass(MILLISECOND / 100);
	fail_to_store(&alice[0], 100 * MILLISECOND);
	assert_shows(&alice[0], "bob", ">one >two- ");
	pass(5 * SECOND);
	assert_shows(&alice[0], "bob", ">one >two ");
	assert_shows(&alice[1], "bob", ">one >two ");
	assert_int_equal(way_between(&alice[0], "alice", &alice[1])->talks[0]->debt.next, 3);
}

/* The author says it without waiting, and its sibling comes to ask only afterwards. */
static void what_could_not_be_stored_as_the_link_began_is_asked_for_again(void **state)
{
	(void)state;
	say(&alice[0], "bob", "one");
	pass(REACH_IDLE + 5 * SECOND);
	assert_int_equal(way_between(&alice[1], "alice", &alice[0])->state, WAY_IDLE);
	say(&alice[0], "bob", "two");
	fail_to_store(&alice[1], 100 * MILLISECOND);
	assert_int_equal(way_between(&alice[1], "alice", &alice[0])->state, WAY_LINKED);
	pass(5 * SECOND);
	assert_shows(&alice[1], "bob", ">one >two ");
}

static void a_message_taken_back_here_is_not_shown_there(void **state)
{
	(void)state;
	say(&alice[0], "bob", "one");
	store_failed(alice[0].rooms->store, ERR_FULL);
	pass(SECOND);
	say(&alice[0], "bob", "two");
	pass(SECOND);
	assert_shows(&alice[0], "bob", ">two ");
	assert_shows(&alice[1], "bob", ">two ");
	assert_shows(&bob[1], "alice", "two ");
}

static void a_conversation_not_known_here_is_passed_over_until_it_is(void **state)
{
	struct peer carol;

	(void)state;
	peer_make(&carol, "carol");
	peer_add(&alice[0], &carol);
	say(&alice[0], "carol", "one");
	say(&alice[0], "bob", "two");
	pass(SECOND);
	assert_shows(&alice[1], "bob", ">two ");
	assert_int_equal(way_between(&alice[1], "alice", &alice[0])->state, WAY_LINKED);
	peer_add(&alice[1], &carol);
	pass(SECOND);
	assert_shows(&alice[1], "carol", ">one- ");
	say(&alice[1], "carol", "three");
	pass(SECOND);
	assert_shows(&alice[0], "carol", ">one- >three- ");
	peer_remove(&carol);
}

/* Its first word about the conversation was passed over: the one that asks comes as the first. */
static void
what_could_not_be_stored_of_a_conversation_not_known_there_before_is_asked_for(void **state)
{
	struct peer carol;

	(void)state;
	peer_make(&carol, "carol");
	peer_add(&alice[1], &carol);
	pass(SECOND);
	peer_add(&alice[0], &carol);
	say(&alice[0], "carol", "one");
	pass(SECOND);
	assert_shows(&alice[1], "carol", ">one- ");
	say(&alice[0], "carol", "two");
	fail_to_store(&alice[1], 40 * MILLISECOND);
	assert_shows(&alice[1], "carol", ">one- ");
	pass(5 * SECOND);
	assert_shows(&alice[1], "carol", ">one- >two- ");
	peer_remove(&carol);
}

static void shows_key(struct peer *to, const struct peer *of)
{
	peer_tell_presence(to, of, NULL, false);
	assert_int_equal(engine_accept(to->engine, of->name.text), 0);
}

/* Said as the link began, it was passed over by who had another key of that name just then. */
static void what_was_said_before_a_conversation_goes_on_is_asked_for(void **state)
{
	struct peer carol, other;

	(void)state;
	peer_make(&carol, "carol");
	peer_make(&other, "carol");
	peer_add(&alice[0], &carol);
	peer_add(&alice[1], &carol);
	say(&alice[0], "carol", "one");
	pass(SECOND);
	assert_shows(&alice[1], "carol", ">one- ");
	shows_key(&alice[0], &other);
	shows_key(&alice[1], &other);
	pass(REACH_IDLE + 5 * SECOND);
	assert_int_equal(way_between(&alice[0], "alice", &alice[1])->state, WAY_IDLE);
	shows_key(&alice[0], &carol);
	say(&alice[0], "carol", "two");
	pass(SECOND);
	assert_int_equal(way_between(&alice[0], "alice", &alice[1])->state, WAY_LINKED);
	shows_key(&alice[1], &carol);
	pass(5 * SECOND);
	assert_shows(&alice[1], "carol", ">one- >two- ");
	peer_remove(&carol);
	peer_remove(&other);
}

static void a_reply_is_to_the_same_message_everywhere(void **state)
{
	uint64_t one;

	(void)state;
	say(&alice[0], "bob", "one");
	pass(SECOND);
	one = bob[1].last[EVENT_HEARD].message.id;
	assert_int_equal(engine_send(bob[1].engine, "alice", bytes_text("two"), one, 7), 0);
	pass(SECOND);
	assert_int_equal(bob[0].last[EVENT_SAID].message.reply_to,
			 bob[0].last[EVENT_HEARD].message.id);
	assert_int_equal(alice[1].last[EVENT_HEARD].message.reply_to,
			 alice[1].last[EVENT_SAID].message.id);
}

static void after_a_restart_all_goes_on(void **state)
{
	(void)state;
	say(&alice[0], "bob", "one");
	pass(SECOND);
	for (unsigned i = 0; i < 2; i++) {
		peer_stop(&alice[i], &net);
		peer_stop(&bob[i], &net);
	}
	for (unsigned i = 0; i < 2; i++) {
		peer_start(&alice[i], &net);
		peer_start(&bob[i], &net);
	}
	tell_all();
	say(&alice[0], "bob", "two");
	pass(5 * SECOND);
	for (unsigned i = 0; i < 2; i++) {
		assert_shows(&alice[i], "bob", ">one >two ");
		assert_shows(&bob[i], "alice", "one two ");
	}
}

static void hundreds_of_conversations_are_caught_up_with(void **state)
{
	enum { CROWD = 500 };
	struct identity crowd[CROWD];
	struct name name;
	uint64_t steps;

	(void)state;
	for (unsigned i = 0; i < CROWD; i++) {
		identity_make(&crowd[i]);
		snprintf(name.text, sizeof name.text, "c%u", i);
		for (unsigned k = 0; k < 2; k++)
			assert_int_equal(
				engine_add(alice[k].engine, name.text, &crowd[i].public, NULL),
				0);
	}
	pass(SECOND);
	peer_stop(&alice[1], &net);
	for (unsigned i = 0; i < CROWD; i++) {
		snprintf(name.text, sizeof name.text, "c%u", i);
		say(&alice[0], name.text, "hello");
	}
	pass(SECOND);
	peer_start(&alice[1], &net);
	tell(&alice[0], alice);
	tell(&alice[1], alice);
	steps = alice[0].steps;
	pass(5 * SECOND);
	assert_true(alice[0].steps - steps < 1000);
	for (unsigned i = 0; i < CROWD; i++) {
		snprintf(name.text, sizeof name.text, "c%u", i);
		assert_shows(&alice[1], name.text, ">hello- ");
	}
	assert_null(way_between(&alice[0], "alice", &alice[1])->awake);
}

/* --- a device of ours that lies: a stolen one --- */

static int lie(const struct wire_message *m)
{
	return way_message(alice[0].rooms, way_between(&alice[0], "alice", &alice[1]), m);
}

static void a_sibling_can_write_only_what_it_says_itself(void **state)
{
	struct wire_message m = { .type = WIRE_SAY };
	struct conversation_id id = peer_person(&alice[0], "bob")->conversation->wire;

	(void)state;
	m.say = (struct wire_say){ .conversation = id,
				   .author = alice[1].device.public,
				   .seq = 1,
				   .kind = SAY_TEXT,
				   .body = bytes_text("x") };
	m.say.author = bob[0].device.public;
	assert_int_equal(lie(&m), ERR_FORMAT);
	m.say.author = alice[0].device.public;
	assert_int_equal(lie(&m), ERR_FORMAT);
	m.say.author = alice[1].device.public;
	m.say.seq = CHAIN_MAX;
	assert_int_equal(lie(&m), ERR_FORMAT);
	m = (struct wire_message){ .type = WIRE_ACK };
	m.ack = (struct wire_ack){ id, alice[0].device.public, 2 };
	assert_int_equal(lie(&m), ERR_FORMAT); /* nothing was said */
	m = (struct wire_message){ .type = WIRE_DELIVERED };
	m.delivered = (struct wire_delivered){ id, 0 };
	assert_int_equal(lie(&m), ERR_FORMAT);
	m.delivered.next = CHAIN_MAX;
	assert_int_equal(lie(&m), ERR_FORMAT);
	m.delivered.next = CHAIN_MAX - 1;
	assert_int_equal(lie(&m), 0); /* about itself: its own messages look delivered */
	say(&alice[0], "bob", "one");
	peer_stop(&bob[0], &net);
	peer_stop(&bob[1], &net);
	pass(SECOND);
	assert_shows(&alice[0], "bob", ">one- ");
	m.delivered.conversation.bytes[0] ^= 1;
	assert_int_equal(lie(&m), 0); /* a conversation not known here */
}

static void a_contact_says_nothing_of_what_is_delivered(void **state)
{
	struct wire_message m = { .type = WIRE_DELIVERED };

	(void)state;
	say(&alice[0], "bob", "one");
	pass(SECOND);
	m.delivered.conversation = peer_person(&alice[0], "bob")->conversation->wire;
	m.delivered.next = 2;
	assert_int_equal(
		way_message(alice[0].rooms, way_between(&alice[0], "bob", &bob[0]), &m),
		ERR_FORMAT);
}

#define SIBLINGS(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SIBLINGS(devices_of_one_account_find_each_other),
		SIBLINGS(everything_is_said_and_heard_on_all_devices),
		SIBLINGS(what_is_delivered_is_known_on_all_devices),
		SIBLINGS(news_of_a_delivery_reaches_a_sibling_that_hung_up),
		SIBLINGS(a_device_that_was_away_catches_up),
		SIBLINGS(the_author_may_be_gone_when_its_sibling_comes_back),
		SIBLINGS(who_comes_later_has_all_from_its_arrival_on),
		SIBLINGS(who_is_revoked_is_cut_off_at_once_and_gets_nothing),
		SIBLINGS(a_list_goes_from_device_to_device),
		SIBLINGS(what_could_not_be_stored_is_asked_for_again),
		SIBLINGS(what_could_not_be_stored_as_the_link_began_is_asked_for_again),
		SIBLINGS(what_a_device_has_is_not_forgotten_with_what_could_not_be_stored),
		SIBLINGS(a_message_taken_back_here_is_not_shown_there),
		SIBLINGS(a_conversation_not_known_here_is_passed_over_until_it_is),
		SIBLINGS(
			what_could_not_be_stored_of_a_conversation_not_known_there_before_is_asked_for),
		SIBLINGS(what_was_said_before_a_conversation_goes_on_is_asked_for),
		SIBLINGS(a_reply_is_to_the_same_message_everywhere),
		SIBLINGS(after_a_restart_all_goes_on),
		SIBLINGS(hundreds_of_conversations_are_caught_up_with),
		SIBLINGS(a_sibling_can_write_only_what_it_says_itself),
		SIBLINGS(a_contact_says_nothing_of_what_is_delivered),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
