/* Who may have our addresses: kept, merged with what other devices of ours decided, and acted on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/persons.h"
#include "shared/error.h"
#include "tests/bad_disk.h"
#include "tests/peer_fixture.h"

static struct peer alice, bob;
static mono_ns now;

static void step(void)
{
	now += SECOND;
	peer_step(&alice, now, 1700000000000 + (wall_ms)(now / MILLISECOND));
}

static int begin(void **state)
{
	(void)state;
	now = SECOND;
	peer_make(&alice, "alice");
	peer_make(&bob, "bob");
	peer_open(&alice, now, 1700000000000);
	step();
	assert_int_equal(engine_add(alice.engine, "bob", NULL, NULL), 0);
	peer_tell_presence(&alice, &bob, NULL, true);
	step();
	return 0;
}

static int end(void **state)
{
	(void)state;
	peer_remove(&alice);
	peer_remove(&bob);
	return 0;
}

static struct person *bob_here(void)
{
	return peer_person(&alice, "bob");
}

static enum consent shown(void)
{
	struct contact c;

	assert_int_equal(engine_contact(alice.engine, "bob", &c), 0);
	return c.consent;
}

static void give(enum consent consent)
{
	assert_int_equal(engine_set_consent(alice.engine, "bob", consent), 0);
	step();
}

static void a_contact_may_have_our_addresses_until_we_say_otherwise(void **state)
{
	(void)state;
	assert_int_equal(shown(), CONSENT_DIRECT);
	give(CONSENT_RELAY);
	assert_int_equal(shown(), CONSENT_RELAY);
	peer_close(&alice);
	peer_open(&alice, now, 1700000000000);
	assert_int_equal(shown(), CONSENT_RELAY);
	give(CONSENT_NEVER);
	assert_int_equal(shown(), CONSENT_NEVER);
}

static void there_is_no_consent_for_who_is_not_known(void **state)
{
	(void)state;
	assert_int_equal(engine_set_consent(alice.engine, "carol", CONSENT_RELAY),
			 ERR_NOT_FOUND);
	assert_int_equal(engine_set_consent(alice.engine, "no name", CONSENT_RELAY), ERR_NAME);
	assert_int_equal(engine_remove(alice.engine, "bob"), 0);
	assert_int_equal(engine_set_consent(alice.engine, "bob", CONSENT_RELAY), ERR_NOT_FOUND);
}

static void a_change_is_told_once_and_no_change_is_not(void **state)
{
	uint64_t stamp = bob_here()->stamp;
	unsigned told = alice.counts[EVENT_CONTACT];

	(void)state;
	give(CONSENT_RELAY);
	assert_int_equal(alice.counts[EVENT_CONTACT], told + 1);
	assert_true(bob_here()->stamp > stamp);
	stamp = bob_here()->stamp;
	give(CONSENT_RELAY);
	assert_int_equal(alice.counts[EVENT_CONTACT], told + 1);
	assert_true(bob_here()->stamp == stamp);
}

static void the_directory_is_told_of_a_change(void **state)
{
	struct contacts *contacts = alice.rooms->contacts;
	struct name name = name_of("bob");
	struct listing_change change;

	(void)state;
	assert_int_equal(contacts_set_consent(contacts, &name, CONSENT_RELAY), 0);
	assert_true(contacts_next_change(contacts, &change));
	assert_string_equal(change.name.text, "bob");
	assert_true(change.is_listed);
	assert_false(contacts_next_change(contacts, &change));
	assert_int_equal(contacts_set_consent(contacts, &name, CONSENT_RELAY), 0);
	assert_false(contacts_next_change(contacts, &change));
}

static void who_may_connect_follows(void **state)
{
	(void)state;
	assert_true(bob_here()->is_admitted);
	assert_false(bob_here()->is_admitted_relayed);
	give(CONSENT_RELAY);
	assert_true(bob_here()->is_admitted);
	assert_true(bob_here()->is_admitted_relayed);
	give(CONSENT_NEVER);
	assert_false(bob_here()->is_admitted);
	give(CONSENT_DIRECT);
	assert_true(bob_here()->is_admitted);
	assert_false(bob_here()->is_admitted_relayed);
}

static void a_contact_is_given_the_record_that_it_may_have(void **state)
{
	struct address_book *book = alice.rooms->book;
	const struct peer_record *record = address_book_for(book, bob_here());
	uint64_t number;

	(void)state;
	assert_ptr_equal(record, address_book_open(book));
	number = record->number;
	give(CONSENT_RELAY);
	record = address_book_for(book, bob_here());
	assert_ptr_equal(record, address_book_shut(book));
	assert_int_equal(record->candidates.count, 0);
	assert_true(record->number > number); /* else bob would keep the other one */
	number = record->number;
	give(CONSENT_NEVER);
	assert_null(address_book_for(book, bob_here()));
	give(CONSENT_DIRECT);
	record = address_book_for(book, bob_here());
	assert_ptr_equal(record, address_book_open(book));
	assert_true(record->number > number);
}

static struct knock knock(void)
{
	return *account_knock(alice.rooms->account);
}

static void our_port_is_closed_to_who_may_never_link(void **state)
{
	struct knock before = knock(), after;

	(void)state;
	give(CONSENT_RELAY);
	after = knock();
	assert_memory_equal(&before, &after, sizeof before);
	give(CONSENT_NEVER);
	after = knock();
	assert_memory_not_equal(&before, &after, sizeof before);
	give(CONSENT_DIRECT);
	before = knock();
	assert_memory_equal(&before, &after, sizeof before);
}

/* In memory stands what was refused, until the store can be read again. */
static void what_could_not_be_stored_is_not_shown_as_decided(void **state)
{
	const struct bad_disk_plan well = { .fault = BAD_DISK_WELL };
	const struct bad_disk_plan fails = { .fault = BAD_DISK_FAILS,
					     .operations = BAD_DISK_READS | BAD_DISK_WRITES |
							   BAD_DISK_SYNCS };
	struct engine_safety safety;
	struct contact c;

	(void)state;
	bad_disk_read_often(true);
	bad_disk_plan("/tmp", &fails);
	assert_true(engine_set_consent(alice.engine, "bob", CONSENT_RELAY) < 0);
	assert_false(engine_is_readable(alice.engine));
	assert_int_equal(engine_contact(alice.engine, "bob", &c), ERR_IO);
	assert_int_equal(engine_contact_at(alice.engine, 0, &c), ERR_IO);
	assert_int_equal(engine_safety(alice.engine, "bob", &safety), ERR_IO);
	assert_int_equal(engine_set_consent(alice.engine, "bob", CONSENT_NEVER), ERR_IO);
	step();
	assert_false(bob_here()->is_admitted_relayed);
	bad_disk_plan("/tmp", &well);
	bad_disk_read_often(false);
	assert_int_equal(shown(), CONSENT_DIRECT);
	assert_int_equal(engine_contact_at(alice.engine, 0, &c), 0);
	give(CONSENT_RELAY);
	assert_int_equal(shown(), CONSENT_RELAY);
}

/* --- the vault --- */

static bool merge(enum consent consent, uint64_t stamp)
{
	struct vault_contact c = { .name = name_of("bob"),
				   .state = VAULT_MUTUAL,
				   .has_identity = true,
				   .identity = bob.identity.public,
				   .consent = consent,
				   .stamp = stamp };
	struct vault v = { .count = 1, .contacts = &c };
	bool is_ahead = contacts_vault_merge(alice.rooms->contacts, &v);

	step();
	return is_ahead;
}

static void the_vault_holds_what_was_decided(void **state)
{
	struct vault v = { 0 };

	(void)state;
	give(CONSENT_RELAY);
	contacts_vault_fill(alice.rooms->contacts, &v);
	assert_int_equal(v.count, 1);
	assert_int_equal(v.contacts[0].consent, CONSENT_RELAY);
	assert_false(contacts_vault_merge(alice.rooms->contacts, &v));
	vault_clear(&v);
}

static void what_another_device_decided_later_holds(void **state)
{
	uint64_t stamp = bob_here()->stamp;
	struct knock before = knock(), after;

	(void)state;
	assert_true(merge(CONSENT_NEVER, stamp - 1));
	assert_int_equal(shown(), CONSENT_DIRECT);
	assert_false(merge(CONSENT_NEVER, stamp + 1));
	assert_int_equal(shown(), CONSENT_NEVER);
	assert_false(bob_here()->is_admitted);
	after = knock();
	assert_memory_not_equal(&before, &after, sizeof before);
	merge(CONSENT_DIRECT, stamp + 2);
	assert_int_equal(shown(), CONSENT_DIRECT);
	assert_true(bob_here()->is_admitted);
}

static void of_two_with_one_stamp_the_one_that_gives_less_holds(void **state)
{
	uint64_t stamp;

	(void)state;
	give(CONSENT_RELAY);
	stamp = bob_here()->stamp;
	assert_true(merge(CONSENT_DIRECT, stamp));
	assert_int_equal(shown(), CONSENT_RELAY);
	assert_false(merge(CONSENT_NEVER, stamp));
	assert_int_equal(shown(), CONSENT_NEVER);
}

static void a_decision_of_another_device_is_told_to_the_directory(void **state)
{
	struct contacts *contacts = alice.rooms->contacts;
	struct vault_contact c = { .name = name_of("bob"),
				   .state = VAULT_MUTUAL,
				   .has_identity = true,
				   .identity = bob.identity.public,
				   .consent = CONSENT_RELAY,
				   .stamp = INT64_MAX };
	struct vault v = { .count = 1, .contacts = &c };
	struct listing_change change;

	(void)state;
	contacts_vault_merge(contacts, &v);
	assert_true(contacts_next_change(contacts, &change));
	assert_true(change.is_listed);
	assert_false(contacts_next_change(contacts, &change));
}

#define CONSENT(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONSENT(a_contact_may_have_our_addresses_until_we_say_otherwise),
		CONSENT(there_is_no_consent_for_who_is_not_known),
		CONSENT(a_change_is_told_once_and_no_change_is_not),
		CONSENT(the_directory_is_told_of_a_change),
		CONSENT(who_may_connect_follows),
		CONSENT(a_contact_is_given_the_record_that_it_may_have),
		CONSENT(our_port_is_closed_to_who_may_never_link),
		CONSENT(what_could_not_be_stored_is_not_shown_as_decided),
		CONSENT(the_vault_holds_what_was_decided),
		CONSENT(what_another_device_decided_later_holds),
		CONSENT(of_two_with_one_stamp_the_one_that_gives_less_holds),
		CONSENT(a_decision_of_another_device_is_told_to_the_directory),
	};

	bad_disk_begin();
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
