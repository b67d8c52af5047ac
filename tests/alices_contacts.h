/* Included by a test of contacts, once: Alice's engine alone, and Bob, whom she may know. */
#ifndef PALIQUE_TESTS_ALICES_CONTACTS_H
#define PALIQUE_TESTS_ALICES_CONTACTS_H

#include "tests/peer_fixture.h"

static struct peer alice, bob;

static inline int begin(void **state)
{
	(void)state;
	peer_make(&alice, "alice");
	peer_make(&bob, "bob");
	peer_open(&alice, SECOND, 1700000000000);
	peer_step(&alice, SECOND, 1700000000000);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	peer_remove(&alice);
	peer_remove(&bob);
	return 0;
}

#define CONTACTS(test) cmocka_unit_test_setup_teardown(test, begin, end)

static inline void step(void)
{
	peer_step(&alice, 2 * SECOND, 1700000001000);
}

static inline struct contact get(const char *name)
{
	struct contact c;

	assert_int_equal(engine_contact(alice.engine, name, &c), 0);
	return c;
}

#endif
