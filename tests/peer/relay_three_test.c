#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "peer/address_book.h"
#include "peer/reach.h"
#include "peer/relay.h"
#include "shared/error.h"
#include "tests/peer_fixture.h"

/* Alice and Bob, between whom nothing gets through, and Carol, whom both reach; what the directory
 * would say is told by hand. */

enum { RATE = 64 << 10 };

static struct calm_net net;
static struct peer alice, bob, carol;
static bool is_apart; /* Alice and Bob */

static bool is_cut(void *user, const struct calm_net_node *from, const struct calm_net_node *to)
{
	const struct calm_net_node *a = &net.nodes[alice.node], *b = &net.nodes[bob.node];

	(void)user;
	return is_apart && ((from == a && to == b) || (from == b && to == a));
}

static int begin(void **state)
{
	(void)state;
	calm_net_init(&net);
	is_apart = true;
	net.is_cut = is_cut;
	peer_make(&alice, "alice");
	peer_make(&bob, "bob");
	peer_make(&carol, "carol");
	peer_join(&alice, &net);
	peer_join(&bob, &net);
	peer_join(&carol, &net);
	peer_befriend(&alice, &bob);
	peer_befriend(&alice, &carol);
	peer_befriend(&bob, &carol);
	return 0;
}

static int end(void **state)
{
	(void)state;
	peer_remove(&alice);
	peer_remove(&bob);
	peer_remove(&carol);
	return 0;
}

static void pass(mono_ns length)
{
	calm_net_run(&net, length, NULL, NULL);
}

static void show(struct peer *to, const struct peer *who)
{
	peer_tell_presence(to, who, &net.nodes[who->node].address, true);
}

static void everybody_is_online(void)
{
	struct peer *all[] = { &alice, &bob, &carol };

	for (unsigned i = 0; i < 3; i++)
		for (unsigned k = 0; k < 3; k++)
			if (i != k)
				show(all[i], all[k]);
}

/* What her own records say once she has agreed, as the directory would pass it on. */
static void tell_that_carol_relays(struct peer *to)
{
	struct person *p = peer_person(to, "carol");
	struct peer_record record = *address_book_of(to->rooms->book, p, &carol.device.public);

	record.number++;
	record.is_relay = true;
	peer_record_sign(&record, &carol.identity);
	assert_true(address_book_learn(to->rooms->book, p, &record));
}

static void carol_relays(void)
{
	everybody_is_online();
	assert_int_equal(engine_set_relay(carol.engine, true, RATE), 0);
	tell_that_carol_relays(&alice);
	tell_that_carol_relays(&bob);
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

static unsigned circuits(void)
{
	struct engine_reach reach;

	engine_reach(carol.engine, &reach);
	return reach.relay.circuits;
}

static void two_without_a_path_talk_through_a_contact_of_both(void **state)
{
	struct contact c;

	(void)state;
	carol_relays();
	say(&alice, "bob", "through");
	pass(5 * SECOND);
	assert_string_equal(bob.heard, "through ");
	c = look(&alice, "bob");
	assert_true(c.is_linked);
	assert_int_equal(c.path_kind, PATH_RELAYED);
	assert_string_equal(c.relay.text, "carol");
	assert_string_equal(look(&bob, "alice").relay.text, "carol");
	assert_int_equal(circuits(), 1);
	assert_string_equal(carol.heard, "");
	say(&bob, "alice", "back");
	pass(SECOND);
	assert_string_equal(alice.heard, "back ");
}

static void who_has_not_agreed_is_not_asked(void **state)
{
	(void)state;
	everybody_is_online();
	say(&alice, "bob", "through");
	pass(10 * SECOND);
	assert_string_equal(bob.heard, "");
	assert_false(look(&alice, "carol").is_linked);
	assert_int_equal(circuits(), 0);
}

/* Its record said yes, and meanwhile it has thought better of it. */
static void who_has_changed_its_mind_refuses(void **state)
{
	(void)state;
	carol_relays();
	assert_int_equal(engine_set_relay(carol.engine, false, 0), 0);
	say(&alice, "bob", "through");
	pass(10 * SECOND);
	assert_string_equal(bob.heard, "");
	assert_true(look(&alice, "carol").is_linked);
	assert_int_equal(circuits(), 0);
}

static void switching_off_ends_what_is_carried(void **state)
{
	(void)state;
	carol_relays();
	say(&alice, "bob", "through");
	pass(5 * SECOND);
	assert_int_equal(circuits(), 1);
	assert_int_equal(engine_set_relay(carol.engine, false, 0), 0);
	assert_int_equal(circuits(), 0);
	say(&alice, "bob", "more");
	pass(10 * SECOND);
	assert_string_equal(bob.heard, "through ");
}

static void who_gets_no_address_is_reached_through_a_contact_of_both_alone(void **state)
{
	(void)state;
	is_apart = false;
	carol_relays();
	assert_int_equal(engine_set_consent(alice.engine, "bob", CONSENT_RELAY), 0);
	say(&alice, "bob", "through");
	pass(5 * SECOND);
	assert_string_equal(bob.heard, "through ");
	assert_int_equal(look(&alice, "bob").path_kind, PATH_RELAYED);
	pass(60 * SECOND);
	assert_int_equal(look(&alice, "bob").path_kind, PATH_RELAYED);
	/* And who may have it after all is not left to wait. */
	assert_int_equal(engine_set_consent(alice.engine, "bob", CONSENT_DIRECT), 0);
	pass(5 * SECOND);
	assert_int_not_equal(look(&alice, "bob").path_kind, PATH_RELAYED);
	assert_int_not_equal(look(&alice, "bob").path_kind, PATH_NONE);
}

static void somebody_whom_one_may_not_reach_is_not_called_for_others(void **state)
{
	(void)state;
	carol_relays();
	assert_int_equal(engine_set_consent(carol.engine, "bob", CONSENT_NEVER), 0);
	say(&alice, "bob", "through");
	pass(10 * SECOND);
	assert_string_equal(bob.heard, "");
	assert_false(look(&carol, "bob").is_linked);
	assert_int_equal(circuits(), 0);
}

static void a_rate_that_carries_nothing_is_refused(void **state)
{
	(void)state;
	assert_int_equal(engine_set_relay(carol.engine, true, RELAY_RATE_MIN - 1), ERR_LIMIT);
	assert_int_equal(engine_set_relay(carol.engine, true, RELAY_RATE_MIN), 0);
}

static void relaying_outlives_the_engine(void **state)
{
	struct engine_reach reach;

	(void)state;
	assert_int_equal(engine_set_relay(carol.engine, true, RATE), 0);
	pass(SECOND);
	peer_restart(&carol, &net);
	engine_reach(carol.engine, &reach);
	assert_true(reach.is_relay);
	assert_int_equal(reach.relay_rate, RATE);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_without_a_path_talk_through_a_contact_of_both),
		TEST(who_has_not_agreed_is_not_asked),
		TEST(who_has_changed_its_mind_refuses),
		TEST(switching_off_ends_what_is_carried),
		TEST(who_gets_no_address_is_reached_through_a_contact_of_both_alone),
		TEST(somebody_whom_one_may_not_reach_is_not_called_for_others),
		TEST(a_rate_that_carries_nothing_is_refused),
		TEST(relaying_outlives_the_engine),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
