#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/persons.h"
#include "shared/error.h"
#include "tests/alices_contacts.h"

static bool knows(const char *name)
{
	struct contact c;

	return engine_contact(alice.engine, name, &c) == 0;
}

static void seen(const struct peer *who, bool is_online)
{
	peer_tell_presence(&alice, who, NULL, is_online);
	step();
}

static void befriend(void)
{
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	seen(&bob, true);
	assert_true(get("bob").is_online);
}

/* --- lists of devices --- */

/* To be signed. */
static void add_device(struct peer *p)
{
	static const struct device_public other = { { 5 } };

	assert_int_equal(device_list_add(&p->devices, &other, "other", 1), 0);
}

static void a_device_that_is_not_in_the_newest_list_is_passed_over(void **state)
{
	struct peer old;

	(void)state;
	befriend();
	old = bob;
	add_device(&bob);
	peer_revoke(&bob, &bob);
	seen(&bob, true);
	assert_false(get("bob").is_online);
	seen(&old, true); /* the old list, shown again */
	assert_false(get("bob").is_online);
	assert_int_equal(alice.counts[EVENT_KEY_CHANGED], 0);
}

/* Bob's account takes another identity; `is_signed`: the old one vouches for it. */
static void rekey(struct peer *p, bool is_signed)
{
	struct identity old = p->identity;

	identity_make(&p->identity);
	if (is_signed)
		device_list_succeed(&p->devices, &old, &p->identity.public);
	device_list_sign(&p->devices, &p->identity);
	certificate_make(&p->certificate, &p->identity, &p->device.public, "test", 2, 0);
}

static void a_signed_change_is_a_notice_once_and_takes_the_mark_away(void **state)
{
	struct contact c;

	(void)state;
	befriend();
	rekey(&bob, true);
	seen(&bob, true);
	seen(&bob, true);
	c = get("bob");
	assert_memory_equal(&c.identity, &bob.identity.public, 32);
	assert_false(c.is_key_changed);
	assert_true(c.is_online);
	assert_int_equal(alice.counts[EVENT_NOTICE], 1);
	assert_int_equal(alice.counts[EVENT_KEY_CHANGED], 0);
}

static void for_a_verified_contact_every_change_stops(void **state)
{
	(void)state;
	befriend();
	assert_int_equal(engine_verify(alice.engine, "bob", true), 0);
	rekey(&bob, true);
	seen(&bob, true);
	assert_true(get("bob").is_key_changed);
	assert_true(get("bob").is_change_signed);
	assert_int_equal(alice.counts[EVENT_KEY_CHANGED], 1);
	assert_int_equal(engine_verify(alice.engine, "bob", true), ERR_KEY_CHANGED);
	assert_int_equal(engine_accept(alice.engine, "bob"), 0);
	assert_false(get("bob").is_verified);
	assert_false(get("bob").is_change_signed);
}

static void an_unsigned_change_stops(void **state)
{
	(void)state;
	befriend();
	rekey(&bob, false);
	seen(&bob, true);
	assert_true(get("bob").is_key_changed);
	assert_false(get("bob").is_change_signed);
}

static void the_identity_before_shown_again_is_no_change(void **state)
{
	struct peer old;

	(void)state;
	befriend();
	old = bob;
	rekey(&bob, true);
	seen(&bob, true);
	seen(&old, true);
	assert_false(get("bob").is_key_changed);
	assert_false(get("bob").is_online);
	seen(&bob, true);
	assert_true(get("bob").is_online);
	assert_int_equal(alice.counts[EVENT_KEY_CHANGED], 0);
}

static void lists_are_there_after_a_restart(void **state)
{
	struct peer old;

	(void)state;
	befriend();
	old = bob;
	device_list_sign(&bob.devices, &bob.identity);
	seen(&bob, true);
	peer_close(&alice);
	peer_open(&alice, SECOND, 1700000000000);
	assert_int_equal(get("bob").devices, 1);
	add_device(&old);
	device_list_sign(&old.devices, &old.identity);
	seen(&old, true); /* no newer than the one we have */
	assert_int_equal(get("bob").devices, 1);
}

/* --- the vault --- */

static void fill(struct vault *v)
{
	memset(v, 0, sizeof *v);
	contacts_vault_fill(alice.rooms->contacts, v);
}

static int by_name(const void *a, const void *b)
{
	const struct vault_contact *x = a, *y = b;

	return strcmp(x->name.text, y->name.text);
}

/* As read from a vault: sorted by name. */
static bool merge(struct vault *v)
{
	bool is_ahead;

	qsort(v->contacts, v->count, sizeof *v->contacts, by_name);
	is_ahead = contacts_vault_merge(alice.rooms->contacts, v);
	step();
	return is_ahead;
}

static bool merge_one(const char *name, enum vault_state state, uint64_t stamp,
		      const struct identity_public *identity)
{
	struct vault_contact c = { .state = state, .stamp = stamp };
	struct vault v = { .count = 1, .contacts = &c };

	c.name = name_of(name);
	c.has_identity = identity != NULL;
	if (identity)
		c.identity = *identity;
	return merge(&v);
}

static void what_was_written_merges_to_nothing(void **state)
{
	struct vault v;
	unsigned before;

	(void)state;
	befriend();
	assert_int_equal(engine_block(alice.engine, "eve"), 0);
	assert_int_equal(engine_add(alice.engine, "carol", NULL, NULL), 0);
	assert_int_equal(engine_remove(alice.engine, "carol"), 0);
	step();
	before = alice.counts[EVENT_CONTACT];
	fill(&v);
	assert_int_equal(v.count, 3);
	assert_false(merge(&v));
	assert_int_equal(alice.counts[EVENT_CONTACT], before);
	vault_clear(&v);
}

static void the_newer_stamp_holds(void **state)
{
	uint64_t stamp;

	(void)state;
	befriend();
	stamp = peer_person(&alice, "bob")->stamp;
	assert_true(stamp > 0);
	assert_true(merge_one("bob", VAULT_GONE, stamp - 1, NULL));
	assert_true(knows("bob"));
	assert_false(merge_one("bob", VAULT_GONE, stamp + 1, &bob.identity.public));
	assert_false(knows("bob"));
	merge_one("bob", VAULT_MUTUAL, stamp, &bob.identity.public);
	assert_false(knows("bob")); /* not brought back */
	assert_int_equal(peer_person(&alice, "bob")->stamp, stamp + 1);
}

static void of_two_with_one_stamp_all_devices_choose_the_same(void **state)
{
	(void)state;
	merge_one("carol", VAULT_ASKED, 50, NULL);
	merge_one("carol", VAULT_BLOCKED, 50, NULL);
	assert_int_equal(get("carol").state, CONTACT_BLOCKED);
	assert_true(merge_one("carol", VAULT_MUTUAL, 50, NULL));
	assert_int_equal(get("carol").state, CONTACT_BLOCKED);
}

static void a_block_that_comes_by_the_vault_changes_the_knock(void **state)
{
	struct knock before = *account_knock(alice.rooms->account);

	(void)state;
	befriend();
	merge_one("bob", VAULT_BLOCKED, INT64_MAX, &bob.identity.public);
	assert_int_equal(get("bob").state, CONTACT_BLOCKED);
	assert_memory_not_equal(account_knock(alice.rooms->account), &before, sizeof before);
	before = *account_knock(alice.rooms->account);
	merge_one("bob", VAULT_BLOCKED, INT64_MAX, &bob.identity.public);
	assert_memory_equal(account_knock(alice.rooms->account), &before, sizeof before);
}

static void a_stamp_rises_though_the_clock_stands_or_goes_back(void **state)
{
	uint64_t first, second;

	(void)state;
	assert_int_equal(engine_add(alice.engine, "carol", NULL, NULL), 0);
	first = peer_person(&alice, "carol")->stamp;
	peer_step(&alice, 3 * SECOND, 1000);
	assert_int_equal(engine_remove(alice.engine, "carol"), 0);
	second = peer_person(&alice, "carol")->stamp;
	assert_true(second > first);
}

static void what_does_not_fit_is_not_taken(void **state)
{
	(void)state;
	befriend();
	merge_one("alice", VAULT_MUTUAL, 50, NULL);
	assert_false(knows("alice"));
	/* Bob's key under another name */
	merge_one("carol", VAULT_MUTUAL, 50, &bob.identity.public);
	assert_false(knows("carol"));
	for (unsigned i = 0; i < WIRE_CONTACTS_MAX + 20; i++) {
		struct vault_contact c = { .state = VAULT_ASKED, .stamp = 50 };
		struct vault v = { .count = 1, .contacts = &c };
		char text[16];

		snprintf(text, sizeof text, "user%u", i);
		c.name = name_of(text);
		contacts_vault_merge(alice.rooms->contacts, &v);
	}
	step();
	assert_true(knows("user998"));
	assert_false(knows("user999"));
}

static void of_the_forgotten_the_newest_stay_in_the_vault(void **state)
{
	struct vault v;

	(void)state;
	for (unsigned i = 0; i < CONTACTS_GONE_MAX + 20; i++) {
		char text[16];

		snprintf(text, sizeof text, "user%u", i);
		peer_step(&alice, 2 * SECOND, 1700000001000 + i);
		assert_int_equal(engine_add(alice.engine, text, NULL, NULL), 0);
		assert_int_equal(engine_remove(alice.engine, text), 0);
	}
	fill(&v);
	assert_int_equal(v.count, CONTACTS_GONE_MAX);
	for (unsigned i = 0; i < v.count; i++)
		assert_string_not_equal(v.contacts[i].name.text, "user0");
	assert_false(merge(&v));
	vault_clear(&v);
}

static void a_key_that_another_device_accepted_holds_what_waits(void **state)
{
	struct identity_public other = { { 7 } };

	(void)state;
	befriend();
	assert_int_equal(engine_send(alice.engine, "bob", bytes_text("to the old"), 0, 1), 0);
	step();
	merge_one("bob", VAULT_MUTUAL, INT64_MAX, &other);
	assert_memory_equal(&peer_person(&alice, "bob")->identity, &other, sizeof other);
	assert_int_equal(get("bob").held, 1);
	assert_int_equal(engine_accept(alice.engine, "bob"), 0);
	assert_int_equal(get("bob").held, 0);
}

/* What it told of them before was of the old key: devices that are not known are not reached. */
static void a_key_that_another_device_accepted_has_the_directory_asked_again(void **state)
{
	struct vault_contact c = { .state = VAULT_MUTUAL,
				   .stamp = INT64_MAX,
				   .has_identity = true,
				   .identity = { { 7 } },
				   .name = name_of("bob") };
	struct vault v = { .count = 1, .contacts = &c };
	struct contacts *contacts = alice.rooms->contacts;
	struct listing_change change;

	(void)state;
	befriend();
	step();
	contacts_vault_merge(contacts, &v);
	assert_true(contacts_next_change(contacts, &change));
	assert_string_equal(change.name.text, "bob");
	assert_false(change.is_listed);
	assert_true(contacts_next_change(contacts, &change));
	assert_true(change.is_listed);
	assert_false(contacts_next_change(contacts, &change));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTACTS(a_device_that_is_not_in_the_newest_list_is_passed_over),
		CONTACTS(a_signed_change_is_a_notice_once_and_takes_the_mark_away),
		CONTACTS(for_a_verified_contact_every_change_stops),
		CONTACTS(an_unsigned_change_stops),
		CONTACTS(the_identity_before_shown_again_is_no_change),
		CONTACTS(lists_are_there_after_a_restart),
		CONTACTS(what_was_written_merges_to_nothing),
		CONTACTS(the_newer_stamp_holds),
		CONTACTS(of_two_with_one_stamp_all_devices_choose_the_same),
		CONTACTS(a_block_that_comes_by_the_vault_changes_the_knock),
		CONTACTS(a_stamp_rises_though_the_clock_stands_or_goes_back),
		CONTACTS(what_does_not_fit_is_not_taken),
		CONTACTS(of_the_forgotten_the_newest_stay_in_the_vault),
		CONTACTS(a_key_that_another_device_accepted_holds_what_waits),
		CONTACTS(a_key_that_another_device_accepted_has_the_directory_asked_again),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
