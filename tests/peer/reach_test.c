#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "peer/reach.h"
#include "shared/error.h"
#include "tests/peer_fixture.h"

/* Alice and Bob on a calm network; no directory: what it would say is told by hand. */

static struct calm_net net;
static struct peer alice, bob;
static bool is_cut;

static bool cut(void *user, const struct calm_net_node *from, const struct calm_net_node *to)
{
	(void)user, (void)from, (void)to;
	return is_cut;
}

static int begin(void **state)
{
	(void)state;
	calm_net_init(&net);
	is_cut = false;
	net.is_cut = cut;
	peer_make(&alice, "alice");
	peer_make(&bob, "bob");
	peer_join(&alice, &net);
	peer_join(&bob, &net);
	peer_befriend(&alice, &bob);
	return 0;
}

static int end(void **state)
{
	(void)state;
	peer_remove(&alice);
	peer_remove(&bob);
	return 0;
}

static void show(struct peer *to, const struct peer *who, bool is_online)
{
	peer_tell_presence(to, who, &net.nodes[who->node].address, is_online);
}

static void pass(mono_ns length)
{
	calm_net_run(&net, length, NULL, NULL);
}

static struct way *way_to_bob(void)
{
	return peer_person(&alice, "bob")->ways[0];
}

static void say(struct peer *from, const char *to, const char *text)
{
	assert_int_equal(engine_send(from->engine, to, bytes_text(text), 0, 1), 0);
}

static void nobody_is_dialled_while_nothing_is_owed(void **state)
{
	(void)state;
	show(&alice, &bob, true);
	show(&bob, &alice, true);
	pass(10 * SECOND);
	assert_int_equal(net.nodes[bob.node].received, 0);
	assert_int_equal(way_to_bob()->state, WAY_IDLE);
}

static void what_is_owed_makes_a_link_and_is_delivered(void **state)
{
	(void)state;
	show(&alice, &bob, true);
	show(&bob, &alice, true);
	say(&alice, "bob", "hello");
	pass(SECOND);
	assert_int_equal(way_to_bob()->state, WAY_LINKED);
	assert_string_equal(bob.heard, "hello ");
	assert_int_equal(alice.counts[EVENT_LINK], 1);
	assert_true(alice.last[EVENT_LINK].is_linked);
	assert_int_equal(alice.counts[EVENT_DELIVERED], 1);
	say(&bob, "alice", "back");
	pass(SECOND);
	assert_string_equal(alice.heard, "back ");
}

/* The link that comes up is refused; what is left of the attempt goes with it. */
static void a_certificate_that_runs_out_while_we_dial_opens_no_link(void **state)
{
	(void)state;
	certificate_make(&bob.certificate, &bob.identity, &bob.device.public, "test", 2,
			 net.wall + 60000);
	endpoint_set_certificate(engine_endpoint(bob.engine), &bob.certificate);
	show(&alice, &bob, true);
	show(&bob, &alice, true);
	is_cut = true;
	say(&alice, "bob", "hello");
	pass(SECOND / 10);
	assert_int_equal(way_to_bob()->state, WAY_DIALLING);
	assert_non_null(way_to_bob()->link);
	net.wall += 61000;
	is_cut = false;
	for (unsigned i = 0; i < 5000 && way_to_bob()->state == WAY_DIALLING; i++)
		pass(MILLISECOND);
	assert_int_equal(way_to_bob()->state, WAY_IDLE);
	assert_null(way_to_bob()->link);
	assert_int_equal(alice.counts[EVENT_LINK], 0);
	assert_true(net.now < way_to_bob()->dial_until);
}

static mono_ns with_a_full_disk(void *user, mono_ns now, wall_ms wall)
{
	store_failed(alice.rooms->store, ERR_FULL);
	return peer_step(user, now, wall);
}

static void a_link_is_told_of_when_that_can_be_stored_again(void **state)
{
	struct calm_net_node *node = &net.nodes[alice.node];
	calm_net_step *well = node->step;

	(void)state;
	show(&alice, &bob, true);
	show(&bob, &alice, true);
	pass(SECOND);
	node->step = with_a_full_disk;
	say(&bob, "alice", "hello");
	pass(5 * SECOND);
	assert_int_equal(way_to_bob()->state, WAY_LINKED);
	assert_int_equal(alice.counts[EVENT_LINK], 0);
	node->step = well;
	pass(5 * SECOND);
	assert_int_equal(alice.counts[EVENT_LINK], 1);
	assert_true(alice.last[EVENT_LINK].is_linked);

	node->step = with_a_full_disk;
	is_cut = true;
	pass(120 * SECOND);
	assert_int_equal(way_to_bob()->state, WAY_IDLE);
	assert_int_equal(alice.counts[EVENT_LINK], 1);
	node->step = well;
	pass(5 * SECOND);
	assert_int_equal(alice.counts[EVENT_LINK], 2);
	assert_false(alice.last[EVENT_LINK].is_linked);
}

static void who_is_not_online_is_not_dialled(void **state)
{
	(void)state;
	show(&alice, &bob, true);
	show(&alice, &bob, false);
	say(&alice, "bob", "hello");
	pass(60 * SECOND);
	assert_int_equal(net.nodes[bob.node].received, 0);
}

static void a_certificate_that_has_run_out_opens_no_link(void **state)
{
	(void)state;
	show(&bob, &alice, true);
	show(&bob, &alice, false);
	certificate_make(&alice.certificate, &alice.identity, &alice.device.public, "test", 2,
			 net.wall - 1);
	endpoint_set_certificate(engine_endpoint(alice.engine), &alice.certificate);
	show(&alice, &bob, true);
	say(&alice, "bob", "hello");
	pass(5 * SECOND);
	assert_true(net.nodes[bob.node].received > 0);
	assert_string_equal(bob.heard, "");
	assert_int_not_equal(way_to_bob()->state, WAY_LINKED);
}

static void a_contact_s_many_devices_are_not_dialled_all_at_once(void **state)
{
	struct wire_introduction intro = { .name = bob.name, .is_dialler = true };
	struct person *p = peer_person(&alice, "bob");
	struct device fresh[WIRE_DEVICES_MAX];
	unsigned dialling = 0;

	(void)state;
	is_cut = true;
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		device_make(&fresh[i]);
		device_list_add(&bob.devices, &fresh[i].public, "x", 0);
	}
	device_list_sign(&bob.devices, &bob.identity);
	show(&alice, &bob, true);
	candidates_add(&intro.device.record.candidates, CANDIDATE_HOST,
		       &net.nodes[bob.node].address);
	for (unsigned k = 0; k < WIRE_DEVICES_MAX; k++) {
		certificate_make(&intro.device.certificate, &bob.identity, &fresh[k].public,
				 "x", 1, 0);
		intro.device.record.device = fresh[k].public;
		intro.device.record.number = 1700000000000;
		peer_record_sign(&intro.device.record, &bob.identity);
		reach_introduced(alice.rooms->reach, p, &intro);
	}
	say(&alice, "bob", "hello");
	pass(SECOND);
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++)
		dialling += p->ways[i] && p->ways[i]->state == WAY_DIALLING;
	assert_int_equal(dialling, REACH_DIALS);
}

static void a_stranger_gets_silence(void **state)
{
	(void)state;
	assert_int_equal(engine_remove(bob.engine, "alice"), 0);
	show(&alice, &bob, true);
	say(&alice, "bob", "hello");
	pass(30 * SECOND);
	assert_true(net.nodes[bob.node].received > 0);
	assert_int_equal(net.nodes[alice.node].received, 0);
	assert_string_equal(bob.heard, "");
}

static void a_failed_dial_is_tried_again_later_and_later(void **state)
{
	unsigned first;

	(void)state;
	show(&alice, &bob, true);
	show(&bob, &alice, true);
	say(&alice, "bob", "one");
	pass(SECOND);
	is_cut = true;
	say(&alice, "bob", "two");
	pass(REACH_LOST + REACH_DIAL + 2 * SECOND);
	first = way_to_bob()->failures;
	assert_int_equal(first, 1);
	pass(60 * SECOND);
	assert_true(way_to_bob()->failures > first && way_to_bob()->failures < 10);
	is_cut = false;
	pass(60 * SECOND);
	assert_string_equal(bob.heard, "one two ");
	assert_int_equal(way_to_bob()->failures, 0);
}

static void an_idle_link_is_closed_and_opened_again_when_needed(void **state)
{
	(void)state;
	show(&alice, &bob, true);
	show(&bob, &alice, true);
	say(&alice, "bob", "one");
	pass(SECOND);
	assert_int_equal(way_to_bob()->state, WAY_LINKED);
	pass(200 * SECOND);
	assert_int_equal(way_to_bob()->state, WAY_LINKED);
	pass(120 * SECOND);
	assert_int_equal(way_to_bob()->state, WAY_IDLE);
	say(&alice, "bob", "two");
	pass(SECOND);
	assert_string_equal(bob.heard, "one two ");
}

static void a_link_that_does_not_answer_is_dropped_and_looked_for_again(void **state)
{
	(void)state;
	show(&alice, &bob, true);
	show(&bob, &alice, true);
	say(&alice, "bob", "one");
	pass(SECOND);
	is_cut = true;
	say(&alice, "bob", "two");
	pass(REACH_LOST + 2 * SECOND);
	assert_int_not_equal(way_to_bob()->state, WAY_LINKED);
	is_cut = false;
	pass(60 * SECOND);
	assert_string_equal(bob.heard, "one two ");
}

static void a_contact_that_starts_anew_is_found_again(void **state)
{
	(void)state;
	show(&alice, &bob, true);
	show(&bob, &alice, true);
	say(&alice, "bob", "one");
	pass(SECOND);
	peer_restart(&bob, &net);
	say(&alice, "bob", "two");
	pass(60 * SECOND);
	assert_string_equal(bob.heard, "one two ");
}

/* The directory tells of the new life long before the old link is given up for lost. */
static void the_first_message_to_a_new_life_does_not_wait_for_the_old_link(void **state)
{
	(void)state;
	show(&alice, &bob, true);
	show(&bob, &alice, true);
	say(&alice, "bob", "one");
	pass(SECOND);
	peer_restart(&bob, &net);
	show(&alice, &bob, true);
	say(&alice, "bob", "two");
	pass(REACH_LOST / 2);
	assert_string_equal(bob.heard, "one two ");
}

static void a_link_that_answers_outlives_another_announcement(void **state)
{
	struct link *link;

	(void)state;
	show(&alice, &bob, true);
	show(&bob, &alice, true);
	say(&alice, "bob", "one");
	pass(SECOND);
	link = way_to_bob()->link;
	show(&alice, &bob, true);
	pass(5 * SECOND);
	assert_int_equal(way_to_bob()->state, WAY_LINKED);
	assert_ptr_equal(way_to_bob()->link, link);
	assert_int_equal(alice.counts[EVENT_LINK], 1);
}

/* A directory in the contact's own process says nothing more after the goodbye. */
static void a_goodbye_is_believed_when_there_is_no_directory_to_ask(void **state)
{
	(void)state;
	show(&alice, &bob, true);
	show(&bob, &alice, true);
	say(&alice, "bob", "one");
	pass(SECOND);
	assert_true(peer_person(&alice, "bob")->is_online);
	engine_goodbye(bob.engine, net.now);
	pass(SECOND);
	assert_false(peer_person(&alice, "bob")->is_online);
}

/* What a way does with one message, without a network. */
static int tell(const struct wire_message *m)
{
	return way_message(alice.rooms, way_to_bob(), m);
}

static void what_breaks_the_protocol_is_refused(void **state)
{
	struct person *p;
	struct wire_message m = { .type = WIRE_SAY };

	(void)state;
	show(&alice, &bob, true);
	pass(SECOND);
	p = peer_person(&alice, "bob");
	m.say.conversation = p->conversation->wire;
	m.say.author = bob.device.public;
	m.say.seq = 1;
	m.say.kind = SAY_TEXT;
	m.say.body = bytes_text("x");
	m.say.author.bytes[0] ^= 1;
	assert_int_equal(tell(&m), ERR_FORMAT);
	m.say.author.bytes[0] ^= 1;
	m.say.conversation.bytes[0] ^= 1;
	assert_int_equal(tell(&m), ERR_FORMAT);
	m.say.conversation.bytes[0] ^= 1;
	m.say.seq = 0;
	assert_int_equal(tell(&m), ERR_FORMAT);
	m.say.seq = UINT64_MAX;
	assert_int_equal(tell(&m), ERR_FORMAT);
	m.say.seq = 1;
	assert_int_equal(tell(&m), 0);
	m = (struct wire_message){ .type = WIRE_ACK };
	m.ack.conversation = p->conversation->wire;
	m.ack.author = bob.device.public;
	m.ack.next = 1;
	assert_int_equal(tell(&m), ERR_FORMAT);
	m.ack.author = alice.device.public;
	assert_int_equal(tell(&m), 0);
	m.ack.next = 2;
	assert_int_equal(tell(&m), ERR_FORMAT);
	m.type = WIRE_PRESENCE;
	assert_int_equal(tell(&m), ERR_FORMAT);
}

static struct wire_message say_of(uint64_t seq, const struct message_hash *previous)
{
	struct wire_message m = { .type = WIRE_SAY };

	m.say.conversation = peer_person(&alice, "bob")->conversation->wire;
	m.say.author = bob.device.public;
	m.say.seq = seq;
	m.say.kind = SAY_TEXT;
	m.say.body = bytes_text("x");
	if (previous)
		m.say.previous = *previous;
	return m;
}

static void only_going_back_answers_a_question_about_a_gap(void **state)
{
	static const struct message_hash before = { { 7 } };
	struct wire_message m;

	(void)state;
	show(&alice, &bob, true);
	pass(SECOND);
	m = say_of(5, &before);
	assert_int_equal(tell(&m), 0);
	m = say_of(6, &before);
	assert_int_equal(tell(&m), 0); /* was under way already */
	assert_int_equal(way_to_bob()->talks[0]->chain.next, 1);
	assert_true(way_to_bob()->talks[0]->is_asking);
	m = say_of(5, &before);
	assert_int_equal(tell(&m),
			 0); /* asked, it begins there again: there is nothing before */
	assert_int_equal(way_to_bob()->talks[0]->chain.next, 6);
	assert_false(way_to_bob()->talks[0]->is_asking);
}

#define REACH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REACH(nobody_is_dialled_while_nothing_is_owed),
		REACH(what_is_owed_makes_a_link_and_is_delivered),
		REACH(a_certificate_that_runs_out_while_we_dial_opens_no_link),
		REACH(a_link_is_told_of_when_that_can_be_stored_again),
		REACH(who_is_not_online_is_not_dialled),
		REACH(a_stranger_gets_silence),
		REACH(a_contact_s_many_devices_are_not_dialled_all_at_once),
		REACH(a_certificate_that_has_run_out_opens_no_link),
		REACH(a_failed_dial_is_tried_again_later_and_later),
		REACH(an_idle_link_is_closed_and_opened_again_when_needed),
		REACH(a_link_that_does_not_answer_is_dropped_and_looked_for_again),
		REACH(a_contact_that_starts_anew_is_found_again),
		REACH(the_first_message_to_a_new_life_does_not_wait_for_the_old_link),
		REACH(a_link_that_answers_outlives_another_announcement),
		REACH(a_goodbye_is_believed_when_there_is_no_directory_to_ask),
		REACH(what_breaks_the_protocol_is_refused),
		REACH(only_going_back_answers_a_question_about_a_gap),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
