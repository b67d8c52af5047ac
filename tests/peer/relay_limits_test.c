/* What a relay carries at most, and what is said out of order or by who may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "tests/relay_crowd.h"

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
	first = carry_by_one_of_two();
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
