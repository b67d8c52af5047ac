/* What the directory is told of us and gives to whom: our records, by consent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "peer/address_book.h"
#include "peer/persons.h"
#include "peer/rooms.h"
#include "shared/error.h"
#include "tests/town.h"

struct look {
	struct home *home;
	enum consent given; /* by alice */
	bool is_linked;
};

static struct person *person_of(const struct home *h, const char *name)
{
	struct name wanted;

	assert_int_equal(name_check(&wanted, bytes_text(name)), 0);
	return persons_find(engine_rooms(h->engine)->persons, &wanted);
}

/* Alice's newest record at bob; number 0: none. */
static struct peer_record alice_at(struct home *bob)
{
	static const struct peer_record none;
	struct person *alice = person_of(bob, "alice");
	const struct peer_record *record = address_book_of(
		engine_rooms(bob->engine)->book, alice, &alice->devices.devices[0].device);

	return record ? *record : none;
}

static bool has_record(void *user)
{
	struct look *look = user;
	struct peer_record record = alice_at(look->home);

	return record.number > 0 &&
	       (record.candidates.count > 0) == (look->given == CONSENT_DIRECT);
}

static void wait_record(struct town *t, enum consent given)
{
	struct look look = { .home = &t->homes[1], .given = given };

	if (!calm_net_run(&t->net, 60 * SECOND, has_record, &look))
		fail_msg("bob does not have the record of consent %d", given);
}

static bool is_linked(void *user)
{
	struct look *look = user;
	struct contact c;

	return engine_contact(look->home->engine, "alice", &c) == 0 &&
	       c.is_linked == look->is_linked;
}

static void wait_linked(struct town *t, bool is)
{
	struct look look = { .home = &t->homes[1], .is_linked = is };

	if (!calm_net_run(&t->net, 60 * SECOND, is_linked, &look))
		fail_msg("bob is %slinked with alice", is ? "not " : "");
}

static void pass(struct town *t, mono_ns time)
{
	(void)calm_net_run(&t->net, time, NULL, NULL);
}

static void give(struct town *t, enum consent consent)
{
	assert_int_equal(engine_set_consent(t->homes[0].engine, "bob", consent), 0);
}

static void a_contact_gets_the_record_that_we_consent_to(void **state)
{
	struct town *t = *state;

	befriend(t);
	wait_record(t, CONSENT_DIRECT);
	give(t, CONSENT_RELAY);
	wait_record(t, CONSENT_RELAY);
	give(t, CONSENT_DIRECT);
	wait_record(t, CONSENT_DIRECT);
}

static void a_new_session_begins_with_what_was_decided(void **state)
{
	struct town *t = *state;
	struct home *alice = &t->homes[0];
	uint64_t number;

	befriend(t);
	give(t, CONSENT_RELAY);
	wait_record(t, CONSENT_RELAY);
	number = alice_at(&t->homes[1]).number;
	stop_home(t, alice);
	wait_seen(t, &t->homes[1], "alice", false);
	start_home(t, alice);
	wait_online(t, alice);
	wait_seen(t, &t->homes[1], "alice", true);
	pass(t, 5 * SECOND);
	assert_int_equal(alice_at(&t->homes[1]).candidates.count, 0);
	assert_true(alice_at(&t->homes[1]).number >= number);
}

static void to_who_may_never_link_what_is_written_waits(void **state)
{
	struct town *t = *state;
	struct home *alice = &t->homes[0], *bob = &t->homes[1];
	struct contact c;

	befriend(t);
	say(t, bob, "alice", "before");
	wait_for(t, alice, EVENT_HEARD, 1);
	wait_linked(t, true);
	give(t, CONSENT_NEVER);
	wait_linked(t, false);
	say(t, bob, "alice", "meanwhile");
	say(t, alice, "bob", "mine");
	pass(t, 30 * SECOND);
	assert_int_equal(count_events(alice, EVENT_HEARD), 1);
	assert_int_equal(count_events(bob, EVENT_HEARD), 0);
	assert_int_equal(engine_contact(alice->engine, "bob", &c), 0);
	assert_true(c.is_online);
	assert_int_equal(c.queued, 1);

	give(t, CONSENT_DIRECT);
	wait_for(t, alice, EVENT_HEARD, 2);
	wait_for(t, bob, EVENT_HEARD, 1);
}

/* A link that is there goes, and no other comes. */
static void who_may_reach_us_through_others_only_has_no_direct_link(void **state)
{
	struct town *t = *state;
	struct home *alice = &t->homes[0], *bob = &t->homes[1];

	befriend(t);
	say(t, bob, "alice", "before");
	wait_for(t, alice, EVENT_HEARD, 1);
	give(t, CONSENT_RELAY);
	wait_linked(t, false);
	say(t, bob, "alice", "meanwhile");
	say(t, alice, "bob", "mine");
	pass(t, 30 * SECOND);
	assert_int_equal(count_events(alice, EVENT_HEARD), 1);
	assert_int_equal(count_events(bob, EVENT_HEARD), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(a_contact_gets_the_record_that_we_consent_to),
		TOWN(a_new_session_begins_with_what_was_decided),
		TOWN(to_who_may_never_link_what_is_written_waits),
		TOWN(who_may_reach_us_through_others_only_has_no_direct_link),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
