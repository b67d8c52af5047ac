#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/relay_inside.h"
#include "shared/error.h"
#include "tests/peer_fixture.h"

/* Alice and Bob, who have no direct path, and up to six contacts of both: which
 * of them carries, what replaces what, limits, and messages out of order. No
 * directory: what it would say of each is told by hand, with the record that
 * they would have published. */

enum { RELAYS = 6, PEERS = 2 + RELAYS };
#define RATE (256u << 10)

static struct calm_net net;
static struct peer peers[PEERS];
static struct peer *const alice = &peers[0], *const bob = &peers[1], *const carol = &peers[2];
static unsigned count; /* of peers that there are */
static bool is_cut;    /* between alice and bob */

static bool is_lost(void *user, const struct calm_net_node *from,
		    const struct calm_net_node *to)
{
	(void)user;
	return is_cut && ((from->user == alice && to->user == bob) ||
			  (from->user == bob && to->user == alice));
}

static void join_net(struct peer *p)
{
	peer_join(p, &net);
	peer_set_network(p, &net.nodes[p->node].address, 1, false);
}

static void begin_with(unsigned relays)
{
	static const char *const names[PEERS] = { "alice", "bob",   "carol", "dave",
						  "erin",  "frank", "grace", "heidi" };

	calm_net_init(&net);
	is_cut = true;
	net.is_cut = is_lost;
	count = 2 + relays;
	for (unsigned i = 0; i < count; i++) {
		peer_make(&peers[i], names[i]);
		join_net(&peers[i]);
	}
	for (unsigned i = 1; i < count; i++)
		peer_befriend(alice, &peers[i]);
	for (unsigned i = 2; i < count; i++)
		peer_befriend(bob, &peers[i]);
}

static int begin(void **state)
{
	(void)state;
	begin_with(1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < count; i++)
		peer_remove(&peers[i]);
	return 0;
}

static void begin_again(unsigned relays)
{
	end(NULL);
	begin_with(relays);
}

static void pass(mono_ns length)
{
	calm_net_run(&net, length, NULL, NULL);
}

static struct way *way(struct peer *from, const struct peer *to)
{
	return peer_person(from, to->name.text)->ways[0];
}

static bool knows(struct peer *p, const struct peer *other)
{
	const struct person *known = peer_person(p, other->name.text);

	return known && !known->is_removed;
}

/* As a directory does: what consent allows. */
static void show(struct peer *to, struct peer *who)
{
	struct wire_presence *w = memory_new(sizeof *w);
	const struct person *p = peer_person(who, to->name.text);
	const struct peer_record *record = address_book_for(who->rooms->book, p);

	w->name = who->name;
	w->devices = who->devices;
	w->device_count = 1;
	w->online[0].certificate = who->certificate;
	if (record)
		w->online[0].record = *record;
	contacts_presence(to->rooms->contacts, w);
	free(w);
}

static void show_all(void)
{
	for (unsigned i = 0; i < 2 * count * count; i++) {
		struct peer *to = &peers[i / count % count], *who = &peers[i % count];

		if (to != who && knows(to, who) && knows(who, to))
			show(to, who);
	}
}

static void say(struct peer *from, const struct peer *to, const char *text)
{
	assert_int_equal(engine_send(from->engine, to->name.text, bytes_text(text), 0, 1), 0);
}

static struct contact look(struct peer *from, const struct peer *to)
{
	struct contact c;

	assert_int_equal(engine_contact(from->engine, to->name.text, &c), 0);
	return c;
}

static void hear(struct peer *from, struct peer *to, const struct wire_message *m)
{
	assert_int_equal(reach_say(from->rooms->reach, way(from, to), m), 0);
}

/* Everybody is online, all but the ends relay, and they are linked to both
 * ends. */
static void gather(void)
{
	for (unsigned i = 2; i < count; i++)
		assert_int_equal(engine_set_relay(peers[i].engine, true, RATE), 0);
	pass(MILLISECOND);
	show_all();
	for (unsigned i = 2; i < count; i++) {
		say(alice, &peers[i], "hi");
		if (knows(&peers[i], bob))
			say(bob, &peers[i], "hi");
	}
	pass(SECOND);
	for (unsigned i = 2; i < count; i++)
		assert_int_equal(way(alice, &peers[i])->state, WAY_LINKED);
}

static bool has_heard(void *user)
{
	return ((struct peer *)user)->heard[0] != '\0';
}

static void assert_relayed(struct peer *from, struct peer *to, const struct peer *by)
{
	struct contact c = look(from, to);

	assert_true(c.is_linked);
	assert_int_equal(c.path_kind, PATH_RELAYED);
	assert_string_equal(c.relay.text, by->name.text);
}

static struct relay_report report(const struct peer *p)
{
	return relay_report(p->rooms->relay);
}

static unsigned circuits_of_all(void)
{
	unsigned circuits = 0;

	for (unsigned i = 2; i < count; i++)
		circuits += report(&peers[i]).circuits;
	return circuits;
}

/* --- the path --- */

static void a_path_comes_within_two_seconds(void **state)
{
	(void)state;
	gather();
	say(alice, bob, "hello");
	assert_true(calm_net_run(&net, 2 * SECOND, has_heard, bob));
	assert_string_equal(bob->heard, "hello ");
	pass(SECOND);
	assert_relayed(alice, bob, carol);
	assert_relayed(bob, alice, carol);
}

static void a_direct_path_replaces_the_relay(void **state)
{
	struct link *link;

	(void)state;
	gather();
	say(alice, bob, "one");
	pass(3 * SECOND);
	assert_relayed(alice, bob, carol);
	link = way(alice, bob)->link;
	is_cut = false;
	pass(REACH_RETRY_MAX + 5 * SECOND);
	assert_int_equal(look(alice, bob).path_kind, PATH_LAN);
	assert_int_equal(look(bob, alice).path_kind, PATH_LAN);
	assert_ptr_equal(way(alice, bob)->link, link); /* the same link, moved */
	pass(RELAY_SETTLED + SECOND);
	assert_int_equal(report(carol).circuits, 0);
	say(alice, bob, "two");
	pass(SECOND);
	assert_string_equal(bob->heard, "one two ");
}

static void what_is_said_while_the_path_changes_arrives_once(void **state)
{
	(void)state;
	gather();
	say(alice, bob, "a1");
	pass(3 * SECOND);
	is_cut = false;
	for (unsigned i = 0; i < 40; i++) {
		say(alice, bob, "a");
		say(bob, alice, "b");
		pass(SECOND);
	}
	assert_int_equal(look(alice, bob).path_kind, PATH_LAN);
	assert_int_equal(strlen(bob->heard), 3 + 40 * 2);
	assert_int_equal(strlen(alice->heard), 40 * 2);
}

static void a_path_that_breaks_goes_on_through_a_relay(void **state)
{
	(void)state;
	is_cut = false;
	gather();
	say(alice, bob, "one");
	pass(SECOND);
	assert_int_equal(look(alice, bob).path_kind, PATH_LAN);
	is_cut = true;
	say(alice, bob, "two");
	pass(15 * SECOND);
	assert_string_equal(bob->heard, "one two ");
	assert_relayed(alice, bob, carol);
}

static void a_message_of_sixteen_kilobytes_passes(void **state)
{
	static char text[16384 + 1];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	gather();
	say(alice, bob, text);
	assert_true(calm_net_run(&net, 5 * SECOND, has_heard, bob));
	assert_int_equal(bob->last[EVENT_HEARD].message.text.size, sizeof text - 1);
	pass(SECOND);
	assert_int_equal(alice->counts[EVENT_DELIVERED], 2);
}

static void both_may_ask_at_once(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 5; round++) {
		begin_again(1);
		gather();
		say(alice, bob, "a");
		say(bob, alice, "b");
		pass(3 * SECOND);
		assert_string_equal(bob->heard, "a ");
		assert_string_equal(alice->heard, "b ");
		assert_relayed(alice, bob, carol);
		assert_int_equal(report(carol).circuits, 1);
	}
}

/* --- several relays --- */

static void of_several_relays_one_is_used(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 6; round++) {
		begin_again(3);
		gather();
		say(alice, bob, "a");
		if (round & 1)
			say(bob, alice, "b");
		assert_true(calm_net_run(&net, 2 * SECOND, has_heard, bob));
		pass(3 * SECOND);
		assert_string_equal(bob->heard, "a ");
		assert_int_equal(look(alice, bob).path_kind, PATH_RELAYED);
		assert_int_equal(circuits_of_all(), 1);
	}
}

/* Most of those who relay know one of both only. */
static void relays_are_asked_until_one_knows_both(void **state)
{
	(void)state;
	begin_again(RELAYS);
	for (unsigned i = 2; i < count - 1; i++)
		assert_int_equal(engine_remove(peers[i].engine, "bob"), 0);
	gather();
	say(alice, bob, "hello");
	pass(3 * SECOND);
	assert_string_equal(bob->heard, "hello ");
	assert_relayed(alice, bob, &peers[count - 1]);
}

static void another_relay_takes_over_when_one_dies(void **state)
{
	struct peer *first, *second;

	(void)state;
	begin_again(2);
	gather();
	say(alice, bob, "one");
	pass(3 * SECOND);
	first = report(carol).circuits ? carol : &peers[3];
	second = first == carol ? &peers[3] : carol;
	assert_relayed(alice, bob, first);
	net.nodes[first->node].endpoint = NULL;
	say(alice, bob, "two");
	pass(40 * SECOND);
	assert_string_equal(bob->heard, "one two ");
	assert_relayed(alice, bob, second);
}

/* --- who may --- */

static void who_is_reached_through_a_relay_only_gives_no_address(void **state)
{
	const struct peer_record *record;

	(void)state;
	is_cut = false;
	assert_int_equal(engine_set_consent(bob->engine, "alice", CONSENT_RELAY), 0);
	gather();
	say(alice, bob, "hello");
	pass(3 * SECOND);
	assert_string_equal(bob->heard, "hello ");
	assert_relayed(alice, bob, carol);
	assert_relayed(bob, alice, carol);
	say(bob, alice, "back");
	pass(60 * SECOND);
	assert_string_equal(alice->heard, "back ");
	assert_relayed(alice, bob, carol);
	record = address_book_of(alice->rooms->book, peer_person(alice, "bob"),
				 &bob->device.public);
	assert_int_equal(record->candidates.count, 0);
}

static void who_may_not_be_reached_at_all_is_not(void **state)
{
	(void)state;
	assert_int_equal(engine_set_consent(bob->engine, "alice", CONSENT_NEVER), 0);
	gather();
	say(alice, bob, "hello");
	say(bob, alice, "hello");
	pass(60 * SECOND);
	assert_string_equal(bob->heard, "");
	assert_string_equal(alice->heard, "");
	assert_false(look(alice, bob).is_linked);
	assert_int_equal(report(carol).circuits, 0);
}

static struct wire_message open_for(const struct way *w, uint32_t number, struct peer *from,
				    const struct peer *target)
{
	struct wire_message m = { .type = WIRE_RELAY_OPEN };

	m.relay_open.circuit = 2 * number + (link_is_initiator(w->link) ? 0 : 1);
	randombytes_buf(m.relay_open.nonce, sizeof m.relay_open.nonce);
	relay_target(m.relay_open.target, m.relay_open.nonce,
		     peer_person(from, target->name.text), &target->device.public);
	return m;
}

static void a_link_in_a_tunnel_carries_no_other(void **state)
{
	struct wire_message m;

	(void)state;
	gather();
	assert_int_equal(engine_set_relay(bob->engine, true, RATE), 0);
	say(alice, bob, "one");
	pass(3 * SECOND);
	assert_relayed(alice, bob, carol);
	m = open_for(way(alice, bob), 1000, alice, carol);
	hear(alice, bob, &m);
	pass(SECOND);
	assert_int_equal(report(bob).circuits, 0);
	assert_relayed(alice, bob, carol); /* no offence either */
}

/* --- limits --- */

static void a_circuit_carries_no_more_than_its_rate(void **state)
{
	static char text[4000];
	uint64_t before, carried;
	mono_ns since;

	(void)state;
	memset(text, 'x', sizeof text - 1);
	gather();
	assert_int_equal(engine_set_relay(carol->engine, true, RELAY_RATE_MIN), 0);
	say(alice, bob, "one");
	pass(3 * SECOND);
	before = report(carol).bytes;
	since = net.now;
	for (unsigned i = 0; i < 200; i++)
		say(alice, bob, text);
	pass(2 * RELAY_LOOK); /* what was carried is counted now and then */
	assert_relayed(alice, bob, carol);
	carried = report(carol).bytes - before;
	assert_true(carried > 8 * RELAY_RATE_MIN);
	assert_true(carried <= (net.now - since) / SECOND * RELAY_RATE_MIN + (64u << 10));
	pass(120 * SECOND);
	assert_int_equal(bob->counts[EVENT_HEARD], 201);
}

static unsigned circuits_in_use(const struct peer *p)
{
	unsigned used = 0;

	for (unsigned i = 0; i < RELAY_CIRCUITS; i++)
		used += p->rooms->relay->circuits[i].from.way != 0;
	return used;
}

static void one_contact_has_so_many_circuits_and_no_more(void **state)
{
	(void)state;
	gather();
	/* Bob hears nothing, so that each offer is open still. */
	net.nodes[bob->node].endpoint = NULL;
	for (unsigned i = 0; i < 2 * RELAY_OPENS_A_MINUTE; i++) {
		struct wire_message m = open_for(way(alice, carol), 1000 + i, alice, bob);

		hear(alice, carol, &m);
	}
	pass(100 * MILLISECOND);
	assert_int_equal(circuits_in_use(carol), RELAY_OF_ONE);
	assert_int_equal(way(alice, carol)->state, WAY_LINKED);
	pass(RELAY_ANSWER + SECOND); /* not answered: they end */
	assert_int_equal(circuits_in_use(carol), 0);
	net.nodes[bob->node].endpoint = engine_endpoint(bob->engine);
}

/* Dave has a direct link to Alice, so that nobody looks for a relay by itself. */
static struct peer *dave_is_near(void)
{
	struct peer *dave = &peers[3];

	begin_again(2);
	peer_befriend(carol, dave);
	assert_int_equal(engine_remove(alice->engine, "bob"), 0);
	assert_int_equal(engine_remove(bob->engine, "alice"), 0);
	gather();
	say(carol, dave, "hi");
	pass(5 * SECOND);
	return dave;
}

static void opens_that_come_too_often_are_not_looked_at(void **state)
{
	struct peer *dave = dave_is_near();
	struct wire_message m;

	(void)state;
	for (unsigned i = 0; i < RELAY_OPENS_A_MINUTE; i++) {
		m = open_for(way(alice, carol), 1000 + i, alice, carol); /* nobody */
		hear(alice, carol, &m);
	}
	pass(SECOND);
	m = open_for(way(alice, carol), 2000, alice, dave);
	hear(alice, carol, &m);
	pass(SECOND);
	assert_int_equal(report(carol).circuits, 0);
	pass(60 * SECOND);
	m = open_for(way(alice, carol), 3000, alice, dave);
	hear(alice, carol, &m);
	pass(SECOND);
	assert_int_equal(report(carol).circuits, 1);
}

static void a_circuit_that_carries_nothing_ends(void **state)
{
	struct peer *dave = dave_is_near();
	struct wire_message m;

	(void)state;
	m = open_for(way(alice, carol), 1000, alice, dave);
	hear(alice, carol, &m);
	pass(SECOND);
	assert_int_equal(report(carol).circuits, 1);
	/* Alice does not know of it; Dave waits for her for a while. */
	pass(RELAY_AGAIN + SECOND);
	assert_int_equal(report(carol).circuits, 0);
	assert_int_equal(circuits_in_use(carol), 0);
}

/* --- out of order --- */

static void assert_broken(struct peer *by, const struct wire_message *m)
{
	hear(by, carol, m);
	pass(SECOND);
	assert_int_not_equal(way(carol, by)->state, WAY_LINKED);
	assert_true(way(carol, by)->penance_until > net.now);
}

static void a_number_of_the_other_side_breaks_the_protocol(void **state)
{
	struct wire_message m;

	(void)state;
	gather();
	m = open_for(way(alice, carol), 7, alice, bob);
	m.relay_open.circuit ^= 1;
	assert_broken(alice, &m);
	m = (struct wire_message){ .type = WIRE_RELAY_OFFER };
	m.relay_offer.circuit = link_is_initiator(way(bob, carol)->link) ? 9 : 8;
	assert_broken(bob, &m);
}

static void a_number_that_is_in_use_breaks_the_protocol(void **state)
{
	struct peer *dave = dave_is_near();
	struct wire_message m;

	(void)state;
	m = open_for(way(alice, carol), 7, alice, dave);
	hear(alice, carol, &m);
	pass(SECOND);
	assert_int_equal(circuits_in_use(carol), 1);
	assert_broken(alice, &m);
	assert_int_equal(circuits_in_use(carol), 0);
}

static void answers_and_ends_of_nothing_are_passed_over(void **state)
{
	struct wire_message m = { .type = WIRE_RELAY_ANSWER };

	(void)state;
	gather();
	say(alice, bob, "one");
	pass(3 * SECOND);
	assert_relayed(alice, bob, carol);
	for (uint32_t i = 1; i < 64; i++) {
		/* What is decided is not decided again, ... */
		m.type = WIRE_RELAY_ANSWER;
		m.relay_answer = (struct wire_relay_answer){ .circuit = i };
		hear(alice, carol, &m);
		m.relay_answer.error = ERR_BUSY;
		hear(bob, carol, &m);
		hear(carol, bob, &m);
	}
	for (uint32_t i = 1000; i < 1064; i++) {
		/* ... and others are of nobody. */
		m.type = WIRE_RELAY_CLOSE;
		m.relay_close.circuit = i;
		hear(alice, carol, &m);
		hear(carol, alice, &m);
	}
	pass(SECOND);
	assert_relayed(alice, bob, carol);
	say(alice, bob, "two");
	pass(SECOND);
	assert_string_equal(bob->heard, "one two ");
	assert_int_equal(way(alice, carol)->state, WAY_LINKED);
	assert_int_equal(way(bob, carol)->state, WAY_LINKED);
}

static void an_end_that_closes_ends_it_for_both(void **state)
{
	struct wire_message m = { .type = WIRE_RELAY_CLOSE };

	(void)state;
	gather();
	say(alice, bob, "one");
	pass(3 * SECOND);
	m.relay_close.circuit = bob->rooms->relay->attempts[0].leg.circuit;
	hear(bob, carol, &m);
	pass(MILLISECOND);
	assert_int_equal(circuits_in_use(carol), 0);
	assert_int_not_equal(way(alice, bob)->state, WAY_LINKED);
	say(alice, bob, "two");
	pass(30 * SECOND); /* found again */
	assert_string_equal(bob->heard, "one two ");
}

/* --- what a relay brings --- */

static struct wire_message offer_of(const struct way *w, uint32_t number,
				    const struct peer *who)
{
	struct wire_message m = { .type = WIRE_RELAY_OFFER };

	m.relay_offer.circuit = 2 * number + (link_is_initiator(w->link) ? 0 : 1);
	m.relay_offer.identity = who->identity.public;
	m.relay_offer.device = who->device.public;
	return m;
}

static unsigned tunnels(const struct peer *p)
{
	unsigned open = 0;

	for (unsigned i = 0; i < RELAY_ATTEMPTS; i++)
		open += p->rooms->relay->attempts[i].tunnel != 0;
	return open;
}

static void offers_of_strangers_lead_nowhere(void **state)
{
	struct peer *dave = dave_is_near();
	struct wire_message m;
	struct peer mallory;

	(void)state;
	memset(&mallory, 0, sizeof mallory);
	identity_make(&mallory.identity);
	device_make(&mallory.device);
	m = offer_of(way(carol, dave), 500, &mallory);
	hear(carol, dave, &m);
	m = offer_of(way(carol, dave), 501, alice); /* a device that is not hers, ... */
	m.relay_offer.device = mallory.device.public;
	hear(carol, dave, &m);
	m = offer_of(way(carol, dave), 502, dave); /* ... Dave himself, ... */
	hear(carol, dave, &m);
	m = offer_of(way(carol, dave), 503, carol); /* ... and the relay itself */
	hear(carol, dave, &m);
	pass(SECOND);
	assert_int_equal(tunnels(dave), 0);
	assert_int_equal(way(carol, dave)->state, WAY_LINKED);
}

static void a_revoked_device_is_not_offered(void **state)
{
	struct wire_message m;
	struct peer spare;

	(void)state;
	gather();
	peer_make_sibling(&spare, alice);
	peer_revoke(&spare, alice);
	peer_tell_presence(bob, &spare, NULL, true);
	pass(MILLISECOND);
	m = offer_of(way(carol, bob), 500, alice);
	hear(carol, bob, &m);
	pass(SECOND);
	assert_int_equal(tunnels(bob), 0);
	peer_open(&spare, net.now, net.wall);
	peer_remove(&spare);
}

static void a_tunnel_in_use_is_not_given_up_for_an_offer(void **state)
{
	struct peer *first, *other;

	(void)state;
	begin_again(2);
	gather();
	say(alice, bob, "one");
	pass(3 * SECOND);
	first = report(carol).circuits ? carol : &peers[3];
	other = first == carol ? &peers[3] : carol;
	for (uint32_t i = 0; i < 20; i++) {
		struct wire_message m = offer_of(way(other, bob), 500 + i, alice);

		hear(other, bob, &m);
		m = offer_of(way(other, alice), 500 + i, bob);
		hear(other, alice, &m);
		pass(10 * MILLISECOND);
	}
	assert_relayed(alice, bob, first);
	assert_relayed(bob, alice, first);
	assert_int_equal(tunnels(bob), 1);
}

/* Dave only says that he carries, and says so all the time. */
static void offers_that_lead_nowhere_do_not_keep_others_away(void **state)
{
	struct peer *dave = &peers[3];

	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		begin_again(2);
		gather();
		assert_int_equal(engine_set_relay(dave->engine, false, 0), 0);
		say(round & 1 ? alice : bob, round & 1 ? bob : alice, "hello");
		for (uint32_t i = 0; i < 60; i++) {
			struct wire_message m = offer_of(way(dave, bob), 500 + i, alice);

			hear(dave, bob, &m);
			m = offer_of(way(dave, alice), 500 + i, bob);
			hear(dave, alice, &m);
			pass(500 * MILLISECOND);
		}
		assert_string_equal((round & 1 ? bob : alice)->heard, "hello ");
		assert_relayed(alice, bob, carol);
	}
}

/* --- what the relay learns --- */

static bool contains(struct bytes in, const char *what)
{
	size_t size = strlen(what);

	for (size_t i = 0; i + size <= in.size; i++)
		if (memcmp(in.data + i, what, size) == 0)
			return true;
	return false;
}

static void the_relay_keeps_nothing_of_it(void **state)
{
	static const char secret[] = "the quick brown fox jumps over";
	struct statement *s;

	(void)state;
	gather();
	say(alice, bob, secret);
	pass(3 * SECOND);
	assert_relayed(alice, bob, carol);
	assert_false(contains(bytes_text(carol->heard), secret));
	s = db_sql(engine_db(carol->engine), "SELECT count(*) FROM message");
	assert_int_equal(db_step(s), 1);
	assert_int_equal(column_int(s, 0), 2); /* what both said to her */
	db_done(s);
	s = db_sql(engine_db(carol->engine), "SELECT rate FROM relay");
	assert_int_equal(db_step(s), 1);
	assert_int_equal(column_int(s, 0), RATE); /* all that there is about relaying */
	assert_int_equal(db_step(s), 0);
	db_done(s);
}

#define RELAY(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RELAY(a_path_comes_within_two_seconds),
		RELAY(a_direct_path_replaces_the_relay),
		RELAY(what_is_said_while_the_path_changes_arrives_once),
		RELAY(a_path_that_breaks_goes_on_through_a_relay),
		RELAY(a_message_of_sixteen_kilobytes_passes),
		RELAY(both_may_ask_at_once),
		RELAY(of_several_relays_one_is_used),
		RELAY(relays_are_asked_until_one_knows_both),
		RELAY(another_relay_takes_over_when_one_dies),
		RELAY(who_is_reached_through_a_relay_only_gives_no_address),
		RELAY(who_may_not_be_reached_at_all_is_not),
		RELAY(a_link_in_a_tunnel_carries_no_other),
		RELAY(a_circuit_carries_no_more_than_its_rate),
		RELAY(one_contact_has_so_many_circuits_and_no_more),
		RELAY(opens_that_come_too_often_are_not_looked_at),
		RELAY(a_circuit_that_carries_nothing_ends),
		RELAY(a_number_of_the_other_side_breaks_the_protocol),
		RELAY(a_number_that_is_in_use_breaks_the_protocol),
		RELAY(answers_and_ends_of_nothing_are_passed_over),
		RELAY(an_end_that_closes_ends_it_for_both),
		RELAY(offers_of_strangers_lead_nowhere),
		RELAY(a_revoked_device_is_not_offered),
		RELAY(a_tunnel_in_use_is_not_given_up_for_an_offer),
		RELAY(offers_that_lead_nowhere_do_not_keep_others_away),
		RELAY(the_relay_keeps_nothing_of_it),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
