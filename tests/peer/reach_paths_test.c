#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/candidates.h"
#include "peer/punch_inside.h"
#include "peer/reach.h"
#include "tests/at.h"
#include "tests/peer_fixture.h"

/* Alice and Bob; what the directory would say is told by hand. Each may be at several addresses of
 * the calm network at once, or move. */

static struct calm_net net;
static struct peer alice, bob;
static struct address gone[4]; /* what is sent there is lost */
static unsigned gone_count;

static bool is_cut(void *user, const struct calm_net_node *from, const struct calm_net_node *to)
{
	(void)user;
	for (unsigned i = 0; i < gone_count; i++) {
		if (address_equal(&from->address, &gone[i]) ||
		    address_equal(&to->address, &gone[i]))
			return true;
	}
	return false;
}

static int begin(void **state)
{
	(void)state;
	calm_net_init(&net);
	gone_count = 0;
	net.is_cut = is_cut;
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

static void pass(mono_ns length)
{
	calm_net_run(&net, length, NULL, NULL);
}

static struct address *place_of(const struct peer *p)
{
	return &net.nodes[p->node].address;
}

static void show(struct peer *to, const struct peer *who)
{
	peer_tell_presence(to, who, place_of(who), true);
}

static struct way *way(struct peer *from, const char *to)
{
	return peer_person(from, to)->ways[0];
}

static void say(struct peer *from, const char *to, const char *text)
{
	assert_int_equal(engine_send(from->engine, to, bytes_text(text), 0, 1), 0);
}

static struct contact look(struct peer *from, const char *to)
{
	struct contact c;

	assert_int_equal(engine_contact(from->engine, to, &c), 0);
	return c;
}

static void meet(void)
{
	show(&alice, &bob);
	show(&bob, &alice);
	pass(10 * MILLISECOND);
}

static void link_up(void)
{
	meet();
	say(&alice, "bob", "one");
	pass(SECOND);
	assert_int_equal(way(&alice, "bob")->state, WAY_LINKED);
	assert_string_equal(bob.heard, "one ");
}

/* --- introductions --- */

static void who_did_not_ask_dials(void **state)
{
	(void)state;
	meet();
	peer_introduce(&alice, &bob, place_of(&bob), false, 10 * MILLISECOND);
	peer_introduce(&bob, &alice, place_of(&alice), true, 10 * MILLISECOND);
	pass(SECOND / 2);
	assert_int_equal(way(&bob, "alice")->state, WAY_LINKED);
	assert_true(link_is_initiator(way(&bob, "alice")->link));
	assert_false(link_is_initiator(way(&alice, "bob")->link));
}

static void who_asked_dials_when_nobody_else_does(void **state)
{
	(void)state;
	meet();
	/* Bob is not told of it, and has nothing to say. */
	say(&alice, "bob", "hello");
	peer_introduce(&alice, &bob, place_of(&bob), false, 10 * MILLISECOND);
	assert_true(way(&alice, "bob")->punch != NULL);
	pass(SECOND / 2);
	assert_int_equal(way(&alice, "bob")->state, WAY_IDLE);
	pass(2 * SECOND);
	assert_string_equal(bob.heard, "hello ");
}

static bool has_heard(void *user)
{
	return ((struct peer *)user)->heard[0] != '\0';
}

/* The calm network takes 10 us for a way. */
static void the_first_words_come_with_the_answer_to_a_handshake(void **state)
{
	mono_ns before;

	(void)state;
	meet();
	say(&alice, "bob", "hello");
	peer_introduce(&alice, &bob, place_of(&bob), false, 10 * MILLISECOND);
	pass(MILLISECOND);
	before = net.now;
	peer_introduce(&bob, &alice, place_of(&alice), true, 10 * MILLISECOND);
	assert_true(calm_net_run(&net, SECOND, has_heard, &bob));
	/* There and back is 20 us: words that waited for the line would need twice that. */
	assert_true(net.now - before <= 30000);
	pass(SECOND);
	assert_string_equal(bob.heard, "hello ");
	assert_int_equal(alice.counts[EVENT_DELIVERED], 1);
}

static int hear_words(const struct wire_message *m, size_t cut_off)
{
	struct buf encoded = { 0 }, words = { 0 };
	int err;

	assert_int_equal(wire_encode(m, &encoded), 0);
	words.size = 0;
	assert_non_null(buf_room(&words, 4 + encoded.size));
	words.data[0] = words.data[1] = 0;
	words.data[2] = (uint8_t)(encoded.size >> 8);
	words.data[3] = (uint8_t)encoded.size;
	memcpy(words.data + 4, encoded.data, encoded.size);
	buf_grew(&words, 4 + encoded.size);
	err = way_words(alice.rooms, way(&alice, "bob"),
			bytes_of(words.data, words.size - cut_off));
	buf_clear(&encoded);
	buf_clear(&words);
	return err;
}

static struct wire_message say_of(uint64_t seq)
{
	struct wire_message m = { .type = WIRE_SAY };

	m.say.conversation = peer_person(&alice, "bob")->conversation->wire;
	m.say.author = bob.device.public;
	m.say.seq = seq;
	m.say.kind = SAY_TEXT;
	m.say.body = bytes_text("x");
	return m;
}

static void early_words_that_are_no_words_break_the_protocol(void **state)
{
	struct wire_message m;

	(void)state;
	meet();
	m = say_of(1);
	assert_true(hear_words(&m, 1) < 0);
	m = (struct wire_message){ .type = WIRE_ACK };
	m.ack.conversation = peer_person(&alice, "bob")->conversation->wire;
	m.ack.author = alice.device.public;
	m.ack.next = 1;
	assert_true(hear_words(&m, 0) < 0);
	m = say_of(1);
	m.say.author = alice.device.public;
	assert_true(hear_words(&m, 0) < 0);
}

static void early_words_ask_for_nothing_and_leave_no_gap(void **state)
{
	struct wire_message m;
	struct talk *t;

	(void)state;
	meet();
	t = way(&alice, "bob")->talks[0];
	m = say_of(3);
	assert_int_equal(hear_words(&m, 0), 0);
	assert_int_equal(t->chain.next, 1);
	assert_false(t->is_asking);
	m = say_of(1);
	assert_int_equal(hear_words(&m, 0), 0);
	assert_int_equal(t->chain.next, 2);
	assert_int_equal(t->highest, 0);
}

/* --- who comes online while they are looked for --- */

/* Alice has something to say, and was introduced to somebody who does not answer. */
static struct way *look_in_vain(void)
{
	struct way *w;

	meet();
	gone[gone_count++] = *place_of(&bob);
	say(&alice, "bob", "hello");
	peer_introduce(&alice, &bob, place_of(&bob), false, 10 * MILLISECOND);
	pass(300 * MILLISECOND);
	w = way(&alice, "bob");
	assert_non_null(w->punch);
	assert_true(w->introduced_at != NEVER);
	return w;
}

static void what_leads_to_an_earlier_life_is_forgotten_when_the_next_one_begins(void **state)
{
	struct way *w;
	mono_ns before;

	(void)state;
	w = look_in_vain();
	pass(REACH_RETRY);
	assert_int_equal(w->state, WAY_DIALLING);
	before = w->dial_until;
	peer_tell_presence(&alice, &bob, NULL, false);
	pass(MILLISECOND);
	assert_int_equal(w->state, WAY_DIALLING); /* the directory may be mistaken */
	assert_int_equal(w->dial_until, before);
	show(&alice, &bob);
	pass(MILLISECOND);
	/* Looked for and dialled anew, which asks for an introduction. */
	assert_int_equal(w->state, WAY_DIALLING);
	assert_true(w->dial_until > before);
	assert_true(w->introduced_at == NEVER);
	gone_count = 0;
	pass(SECOND / 2);
	assert_string_equal(bob.heard, "hello ");
}

static void a_port_that_was_closed_to_us_is_dialled_by_its_new_knock(void **state)
{
	struct way *w;

	(void)state;
	w = look_in_vain();
	assert_int_equal(engine_set_consent(bob.engine, "alice", CONSENT_NEVER), 0);
	pass(MILLISECOND);
	assert_int_equal(engine_set_consent(bob.engine, "alice", CONSENT_DIRECT), 0);
	pass(MILLISECOND);
	bob.knock = *account_knock(bob.rooms->account);
	gone_count = 0;
	show(&alice, &bob);
	assert_null(w->punch);
	pass(SECOND / 2);
	assert_string_equal(bob.heard, "hello ");
}

static void a_newer_record_of_the_same_life_leaves_an_attempt_alone(void **state)
{
	struct punch *punch;
	struct way *w;

	(void)state;
	w = look_in_vain();
	punch = w->punch;
	show(&alice, &bob);
	pass(MILLISECOND);
	assert_ptr_equal(w->punch, punch);
	assert_true(w->introduced_at != NEVER);
}

static void an_attempt_hears_which_nat_is_before_them_and_before_us(void **state)
{
	struct nat sequential = { .mapping = NAT_SEQUENTIAL, .low = 4000, .high = 1 };
	struct way *w;

	(void)state;
	w = look_in_vain();
	assert_int_equal(w->punch->goal.theirs.mapping, NAT_UNKNOWN);
	bob.nat.mapping = NAT_RANDOM;
	show(&alice, &bob);
	assert_int_equal(w->punch->goal.theirs.mapping, NAT_RANDOM);
	assert_int_equal(w->punch->goal.ours.mapping, NAT_UNKNOWN);
	own_candidates_set_nat(alice.rooms->candidates, &sequential);
	pass(MILLISECOND);
	assert_int_equal(w->punch->goal.ours.mapping, NAT_SEQUENTIAL);
	assert_true(w->punch->goal.is_introduced);
	assert_int_equal(w->punch->goal.their_round_trip, 10 * MILLISECOND);
}

/* --- probes --- */

static void only_whom_we_give_our_address_hears_that_we_are_there(void **state)
{
	uint64_t before;

	(void)state;
	meet();
	assert_int_equal(engine_set_consent(bob.engine, "alice", CONSENT_NEVER), 0);
	pass(MILLISECOND);
	before = net.nodes[alice.node].received;
	say(&alice, "bob", "hello");
	pass(5 * SECOND);
	assert_int_equal(net.nodes[alice.node].received, before);
	assert_int_equal(engine_set_consent(bob.engine, "alice", CONSENT_RELAY), 0);
	pass(20 * SECOND);
	assert_int_equal(net.nodes[alice.node].received, before);
	assert_int_equal(engine_set_consent(bob.engine, "alice", CONSENT_DIRECT), 0);
	/* The port was closed to who knew it; the directory tells the new knock. */
	bob.knock = *account_knock(bob.rooms->account);
	show(&alice, &bob);
	pass(60 * SECOND);
	assert_string_equal(bob.heard, "hello ");
}

static void who_may_not_have_our_address_is_not_called(void **state)
{
	uint64_t before;

	(void)state;
	meet();
	before = net.nodes[bob.node].received;
	assert_int_equal(engine_set_consent(alice.engine, "bob", CONSENT_RELAY), 0);
	say(&alice, "bob", "hello");
	pass(20 * SECOND);
	assert_int_equal(net.nodes[bob.node].received, before);
	assert_ptr_equal(reach_next_stranded(alice.rooms->reach), NULL); /* taken already */
	assert_true(way(&alice, "bob")->stranded_since != NEVER);
}

/* A probe of somebody else is not answered, and nothing of it is remembered. */
static void what_no_contact_made_is_passed_over(void **state)
{
	uint8_t probe[PROBE_SIZE] = { 0x10 };
	struct path path = { .remote = at("10.9.9.9:1") };
	struct address last;
	uint64_t received;

	(void)state;
	link_up();
	pass(10 * SECOND);
	received = net.nodes[bob.node].received;
	for (unsigned i = 0; i < 100; i++) {
		randombytes_buf(probe + 1, sizeof probe - 1);
		assert_false(reach_stray(bob.rooms->reach, &path, BYTES(probe)));
	}
	memcpy(probe + 1, way(&bob, "alice")->probe_keys.tag_in.bytes, PROBE_TAG_SIZE);
	assert_false(reach_stray(bob.rooms->reach, &path, BYTES(probe)));
	assert_false(reach_stray(bob.rooms->reach, &path, bytes_of(probe, 20)));
	pass(SECOND);
	assert_int_equal(net.nodes[bob.node].received, received);
	assert_true(address_book_last(bob.rooms->book, peer_person(&bob, "alice"),
				      &alice.device.public, &last));
	assert_true(address_equal(&last, place_of(&alice)));
}

/* --- what is shown --- */

static void how_a_contact_is_reached_is_shown(void **state)
{
	struct contact c;

	(void)state;
	meet();
	assert_false(look(&alice, "bob").is_looking);
	gone[gone_count++] = *place_of(&bob);
	say(&alice, "bob", "one");
	pass(SECOND);
	assert_true(look(&alice, "bob").is_looking);
	gone_count = 0;
	pass(30 * SECOND);
	c = look(&alice, "bob");
	assert_true(c.is_linked);
	assert_false(c.is_looking);
	assert_int_equal(c.path_kind, PATH_LAN);
	assert_int_equal(alice.last[EVENT_LINK].path_kind, PATH_LAN);
	assert_int_equal(alice.counts[EVENT_LINK], 1);
}

/* --- another network --- */

static void move(struct peer *p, const char *to)
{
	*place_of(p) = at(to);
	peer_set_network(p, place_of(p), 1, false);
}

static void a_link_follows_who_moves(void **state)
{
	struct link *link;
	struct contact c;

	(void)state;
	link_up();
	link = way(&alice, "bob")->link;
	move(&bob, "10.0.7.7:7000");
	say(&alice, "bob", "two");
	pass(SECOND);
	assert_string_equal(bob.heard, "one two ");
	say(&bob, "alice", "back");
	pass(SECOND);
	assert_string_equal(alice.heard, "back ");
	assert_ptr_equal(way(&alice, "bob")->link, link);
	c = look(&alice, "bob");
	assert_true(address_equal(&c.path.remote, place_of(&bob)));
}

static void the_kind_of_path_is_told_when_it_changes(void **state)
{
	(void)state;
	link_up();
	move(&bob, "[2001:db8::7]:7000");
	pass(SECOND);
	assert_int_equal(alice.last[EVENT_LINK].path_kind, PATH_IPV6);
	assert_true(alice.last[EVENT_LINK].is_linked);
	assert_int_equal(alice.counts[EVENT_LINK], 2);
}

/* Neither knows where the other is; the directory does. */
static void who_both_move_are_introduced_again(void **state)
{
	struct link *link;

	(void)state;
	link_up();
	link = way(&alice, "bob")->link;
	move(&alice, "10.0.8.8:7000");
	move(&bob, "10.0.7.7:7000");
	say(&alice, "bob", "two");
	pass(800 * MILLISECOND);
	assert_string_equal(bob.heard, "one ");
	assert_true(way(&alice, "bob")->is_lost);
	peer_introduce(&alice, &bob, place_of(&bob), false, 10 * MILLISECOND);
	peer_introduce(&bob, &alice, place_of(&alice), true, 10 * MILLISECOND);
	pass(400 * MILLISECOND);
	assert_string_equal(bob.heard, "one two ");
	assert_ptr_equal(way(&alice, "bob")->link, link);
	assert_false(way(&alice, "bob")->is_lost);
}

static void another_network_makes_hope(void **state)
{
	(void)state;
	meet();
	gone[gone_count++] = *place_of(&alice);
	say(&alice, "bob", "one");
	pass(40 * SECOND);
	assert_true(way(&alice, "bob")->failures > 1);
	move(&alice, "10.0.8.8:7000");
	pass(SECOND);
	assert_string_equal(bob.heard, "one ");
}

/* --- without the directory --- */

static void restart(struct peer *p, const char *where)
{
	peer_restart(p, &net);
	*place_of(p) = at(where);
	peer_set_network(p, place_of(p), 1, false);
}

static void lose_directory(struct peer *p)
{
	pass(MILLISECOND);
	peer_lose_directory(p);
	pass(MILLISECOND);
}

static void who_stays_where_it_was_is_found_without_the_directory(void **state)
{
	char here[ADDRESS_TEXT_SIZE];

	(void)state;
	link_up();
	address_print(place_of(&alice), here);
	net.nodes[alice.node].endpoint = NULL;
	pass(20 * SECOND);
	restart(&alice, here);
	lose_directory(&alice);
	say(&alice, "bob", "two");
	pass(5 * SECOND);
	assert_string_equal(bob.heard, "one two ");
}

/* Who was looked for in vain for long, and for no reason, is looked for at once where there is one: then it
 * waits for no more than what may be sent to who has not answered (PUNCH_TRICKLE). */
static void what_is_said_does_not_wait_for_who_was_sought_in_vain(void **state)
{
	char here[ADDRESS_TEXT_SIZE];

	(void)state;
	link_up();
	address_print(place_of(&alice), here);
	gone[gone_count++] = *place_of(&bob);
	pass(20 * SECOND);
	restart(&alice, here);
	lose_directory(&alice);
	while (way(&alice, "bob")->state != WAY_IDLE ||
	       way(&alice, "bob")->retry_at < net.now + 200 * SECOND)
		pass(SECOND);
	gone_count = 0;
	say(&alice, "bob", "two");
	pass(SECOND);
	assert_int_equal(way(&alice, "bob")->state, WAY_DIALLING);
	pass(100 * SECOND);
	assert_string_equal(bob.heard, "one two ");
}

static void without_the_directory_links_are_looked_for_and_kept(void **state)
{
	char here[ADDRESS_TEXT_SIZE];

	(void)state;
	link_up();
	address_print(place_of(&alice), here);
	restart(&alice, here);
	lose_directory(&alice);
	pass(REACH_IDLE / 2);
	assert_int_equal(way(&alice, "bob")->state, WAY_LINKED);
}

static void a_directory_that_is_silent_from_the_start_is_not_waited_for(void **state)
{
	char here[ADDRESS_TEXT_SIZE];

	(void)state;
	link_up();
	address_print(place_of(&alice), here);
	restart(&alice, here);
	alice.hears_silence = true;
	pass(SECOND);
	assert_int_equal(way(&alice, "bob")->state, WAY_IDLE);
	pass(SECOND);
	assert_int_equal(way(&alice, "bob")->state, WAY_LINKED);
}

static void somebody_found_nearby_is_linked_without_the_directory(void **state)
{
	(void)state;
	meet();
	pass(SECOND);
	assert_int_equal(way(&alice, "bob")->state, WAY_IDLE);
	reach_found(alice.rooms->reach, peer_person(&alice, "bob"), &bob.device.public,
		    place_of(&bob), REACH_LAN, true);
	pass(SECOND);
	assert_int_equal(way(&alice, "bob")->state, WAY_LINKED);
}

static void who_is_on_the_same_network_is_found_within_two_seconds(void **state)
{
	struct peer *both[] = { &alice, &bob };

	(void)state;
	meet();
	for (unsigned i = 0; i < 2; i++)
		restart(both[i], i ? "10.0.7.7:7000" : "10.0.8.8:7000");
	for (unsigned i = 0; i < 2; i++) {
		lose_directory(both[i]);
		peer_set_network(both[i], place_of(both[i]), 1, true);
	}
	say(&alice, "bob", "hello");
	pass(2 * SECOND);
	assert_string_equal(bob.heard, "hello ");
	assert_int_equal(look(&alice, "bob").path_kind, PATH_LAN);
}

/* --- relays --- */

static void who_has_no_direct_path_is_stranded_after_a_while(void **state)
{
	struct way *w;

	(void)state;
	meet();
	gone[gone_count++] = *place_of(&bob);
	say(&alice, "bob", "one");
	pass(REACH_STRANDED / 2);
	w = way(&alice, "bob");
	assert_int_equal(w->stranded_at, 0);
	pass(REACH_STRANDED);
	assert_true(w->stranded_at > net.now); /* the relay has heard of it */
	gone_count = 0;
	pass(30 * SECOND);
	assert_int_equal(w->state, WAY_LINKED);
	assert_true(w->stranded_since == NEVER);
}

/* The caller may know nobody who relays to us, and we somebody who relays to them. */
static void who_is_called_and_cannot_be_reached_is_stranded_too(void **state)
{
	struct way *w;

	(void)state;
	meet();
	gone[gone_count++] = *place_of(&bob);
	peer_introduce(&alice, &bob, place_of(&bob), true, 10 * MILLISECOND);
	w = way(&alice, "bob");
	assert_int_equal(w->state, WAY_DIALLING);
	assert_false(way_owes(w));
	pass(REACH_STRANDED / 2);
	assert_int_equal(w->stranded_at, 0);
	pass(REACH_STRANDED);
	assert_true(w->stranded_at > net.now);
}

static void an_idle_link_that_does_not_answer_is_let_go(void **state)
{
	(void)state;
	link_up();
	pass(REACH_IDLE - 2 * SECOND);
	gone[gone_count++] = *place_of(&bob);
	move(&alice, "10.0.8.8:7000");
	pass(SECOND);
	assert_true(way(&alice, "bob")->is_lost);
	pass(2 * SECOND);
	assert_int_equal(way(&alice, "bob")->state, WAY_IDLE);
	assert_true(reach_deadline(alice.rooms->reach) > net.now);
}

#define REACH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REACH(who_did_not_ask_dials),
		REACH(who_asked_dials_when_nobody_else_does),
		REACH(the_first_words_come_with_the_answer_to_a_handshake),
		REACH(early_words_that_are_no_words_break_the_protocol),
		REACH(early_words_ask_for_nothing_and_leave_no_gap),
		REACH(what_leads_to_an_earlier_life_is_forgotten_when_the_next_one_begins),
		REACH(a_port_that_was_closed_to_us_is_dialled_by_its_new_knock),
		REACH(a_newer_record_of_the_same_life_leaves_an_attempt_alone),
		REACH(an_attempt_hears_which_nat_is_before_them_and_before_us),
		REACH(only_whom_we_give_our_address_hears_that_we_are_there),
		REACH(who_may_not_have_our_address_is_not_called),
		REACH(what_no_contact_made_is_passed_over),
		REACH(how_a_contact_is_reached_is_shown),
		REACH(a_link_follows_who_moves),
		REACH(the_kind_of_path_is_told_when_it_changes),
		REACH(who_both_move_are_introduced_again),
		REACH(another_network_makes_hope),
		REACH(who_stays_where_it_was_is_found_without_the_directory),
		REACH(what_is_said_does_not_wait_for_who_was_sought_in_vain),
		REACH(without_the_directory_links_are_looked_for_and_kept),
		REACH(a_directory_that_is_silent_from_the_start_is_not_waited_for),
		REACH(somebody_found_nearby_is_linked_without_the_directory),
		REACH(who_is_on_the_same_network_is_found_within_two_seconds),
		REACH(who_has_no_direct_path_is_stranded_after_a_while),
		REACH(who_is_called_and_cannot_be_reached_is_stranded_too),
		REACH(an_idle_link_that_does_not_answer_is_let_go),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
