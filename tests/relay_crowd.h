/* Included by a test of relays, once: Alice and Bob, who have no direct path, and up to six
 * contacts of both. No directory: what it would say of each is told by hand, with the record that
 * they would have published. */
#ifndef PALIQUE_TESTS_RELAY_CROWD_H
#define PALIQUE_TESTS_RELAY_CROWD_H

#include <sodium.h>
#include <stdlib.h>

#include "peer/address_book.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/relay_inside.h"
#include "tests/peer_fixture.h"

enum { RELAYS = 6, PEERS = 2 + RELAYS };
#define RATE (256u << 10)

static struct calm_net net;
static struct peer peers[PEERS];
static struct peer *const alice = &peers[0], *const bob = &peers[1], *const carol = &peers[2];
static unsigned count; /* of peers that there are */
static bool is_cut;    /* between alice and bob */

static inline bool is_lost(void *user, const struct calm_net_node *from,
			   const struct calm_net_node *to)
{
	(void)user;
	return is_cut && ((from->user == alice && to->user == bob) ||
			  (from->user == bob && to->user == alice));
}

static inline void join_net(struct peer *p)
{
	peer_join(p, &net);
	peer_set_network(p, &net.nodes[p->node].address, 1, false);
}

static inline void begin_with(unsigned relays)
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

static inline int begin(void **state)
{
	(void)state;
	begin_with(1);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < count; i++)
		peer_remove(&peers[i]);
	return 0;
}

static inline void begin_again(unsigned relays)
{
	end(NULL);
	begin_with(relays);
}

static inline void pass(mono_ns length)
{
	calm_net_run(&net, length, NULL, NULL);
}

static inline struct way *way(struct peer *from, const struct peer *to)
{
	return peer_person(from, to->name.text)->ways[0];
}

static inline bool knows(struct peer *p, const struct peer *other)
{
	const struct person *known = peer_person(p, other->name.text);

	return known && !known->is_removed;
}

/* As a directory does: what consent allows. */
static inline void show(struct peer *to, struct peer *who)
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

static inline void show_all(void)
{
	for (unsigned i = 0; i < 2 * count * count; i++) {
		struct peer *to = &peers[i / count % count], *who = &peers[i % count];

		if (to != who && knows(to, who) && knows(who, to))
			show(to, who);
	}
}

static inline void say(struct peer *from, const struct peer *to, const char *text)
{
	assert_int_equal(engine_send(from->engine, to->name.text, bytes_text(text), 0, 1), 0);
}

static inline struct contact look(struct peer *from, const struct peer *to)
{
	struct contact c;

	assert_int_equal(engine_contact(from->engine, to->name.text, &c), 0);
	return c;
}

static inline void hear(struct peer *from, struct peer *to, const struct wire_message *m)
{
	assert_int_equal(reach_say(from->rooms->reach, way(from, to), m), 0);
}

/* Everybody is online, all but the ends relay, and they are linked to both
 * ends. */
static inline void gather(void)
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

static inline bool has_heard(void *user)
{
	return ((struct peer *)user)->heard[0] != '\0';
}

static inline void assert_relayed(struct peer *from, struct peer *to, const struct peer *by)
{
	struct contact c = look(from, to);

	assert_true(c.is_linked);
	assert_int_equal(c.path_kind, PATH_RELAYED);
	assert_string_equal(c.relay.text, by->name.text);
}

static inline struct relay_report report(const struct peer *p)
{
	return relay_report(p->rooms->relay);
}

static inline unsigned circuits_of_all(void)
{
	unsigned circuits = 0;

	for (unsigned i = 2; i < count; i++)
		circuits += report(&peers[i]).circuits;
	return circuits;
}

/* Carol and Dave may both carry, and one of them does: who. */
static inline struct peer *carry_by_one_of_two(void)
{
	begin_again(2);
	gather();
	say(alice, bob, "one");
	pass(3 * SECOND);
	return report(carol).circuits ? carol : &peers[3];
}

static inline struct wire_message open_for(const struct way *w, uint32_t number,
					   struct peer *from, const struct peer *target)
{
	struct wire_message m = { .type = WIRE_RELAY_OPEN };

	m.relay_open.circuit = 2 * number + (link_is_initiator(w->link) ? 0 : 1);
	randombytes_buf(m.relay_open.nonce, sizeof m.relay_open.nonce);
	relay_target(m.relay_open.target, m.relay_open.nonce,
		     peer_person(from, target->name.text), &target->device.public);
	return m;
}

#define RELAY(test) cmocka_unit_test_setup_teardown(test, begin, end)

#endif
