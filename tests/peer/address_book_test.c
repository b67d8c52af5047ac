#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "peer/account.h"
#include "peer/candidates.h"
#include "peer/persons.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/pair.h"
#include "tests/no_endpoint.h"
#include "tests/small_home.h"

static struct small_home alice, bob, eve;
static struct person *p; /* Bob, as Alice knows him */
#define YEAR ((uint64_t)366 * 24 * 3600 * 1000)

static int begin(void **state)
{
	(void)state;
	small_home_begin(&alice, "alice");
	small_home_begin(&bob, "bob");
	small_home_begin(&eve, "eve");
	small_home_plug(&alice, "192.168.1.2", 3);
	p = small_home_meet(&alice, &bob);
	small_home_commit(&alice);
	return 0;
}

static int end(void **state)
{
	(void)state;
	small_home_end(&alice);
	small_home_end(&bob);
	small_home_end(&eve);
	return 0;
}

static struct address_book *book(void)
{
	return alice.rooms.book;
}

static const struct peer_record *known(void)
{
	return address_book_of(book(), p, &bob.device.public);
}

static void pass(void)
{
	alice.rooms.now += SECOND;
	alice.rooms.wall += 1000;
}

static bool learn(uint64_t number)
{
	struct peer_record r = small_home_record(&bob, number);

	return address_book_learn(book(), p, &r);
}

/* --- theirs --- */

static void the_newest_record_of_a_device_is_kept(void **state)
{
	(void)state;
	assert_null(known());
	assert_true(learn(5));
	assert_true(learn(9));
	assert_false(learn(7));
	assert_int_equal(known()->number, 9);
	assert_true(learn(9)); /* known just so */
	small_home_restart(&alice);
	p = small_home_person(&alice, &bob);
	assert_int_equal(known()->number, 9);
	assert_false(learn(8));
}

static void another_record_of_the_same_number_is_not_taken(void **state)
{
	struct peer_record r = small_home_record(&bob, 9);

	(void)state;
	assert_true(learn(9));
	r.is_relay = true;
	peer_record_sign(&r, &bob.identity);
	assert_false(address_book_learn(book(), p, &r));
	assert_false(known()->is_relay);
}

static void a_wrong_signature_is_refused_and_leaves_no_trace(void **state)
{
	struct peer_record r = small_home_record(&bob, 9);

	(void)state;
	peer_record_sign(&r, &eve.identity);
	assert_false(address_book_learn(book(), p, &r));
	r = small_home_record(&bob, 9);
	r.number = 10;
	assert_false(address_book_learn(book(), p, &r));
	assert_null(known());
	assert_false(store_is_writing(alice.rooms.store));
}

static void a_device_that_is_not_in_their_list_is_refused(void **state)
{
	struct peer_record r = small_home_record(&eve, 9);

	(void)state;
	peer_record_sign(&r, &bob.identity);
	assert_false(address_book_learn(book(), p, &r));
	assert_null(address_book_of(book(), p, &eve.device.public));
}

static void a_revoked_device_is_known_no_more(void **state)
{
	struct small_home second;

	(void)state;
	assert_true(learn(9));
	small_home_begin_sibling(&second, "bob", &bob);
	assert_int_equal(device_list_remove(&second.devices, &bob.device.public), 0);
	device_list_sign(&second.devices, &second.identity);
	small_home_hears_list(&alice, &second);
	assert_null(known());
	assert_false(learn(10));
	small_home_end(&second);
}

static void who_is_not_a_contact_is_not_kept(void **state)
{
	(void)state;
	p->state = CONTACT_ASKED;
	assert_false(learn(9));
	p->state = CONTACT_MUTUAL;
	p->is_key_changed = true;
	assert_false(learn(9));
}

static void a_clock_that_is_years_wrong_refuses_nobody(void **state)
{
	(void)state;
	assert_true(learn((uint64_t)alice.rooms.wall + 20 * YEAR));
	assert_true(learn((uint64_t)alice.rooms.wall + 20 * YEAR + 1));
	assert_false(learn((uint64_t)alice.rooms.wall));
}

static void a_clock_that_was_lost_refuses_nobody(void **state)
{
	(void)state;
	alice.rooms.wall = 5000;
	assert_true(learn((uint64_t)1767225600000));
}

static void who_signs_for_a_device_of_somebody_else_is_not_in_its_way(void **state)
{
	struct peer_record forged = small_home_record(&bob, 1000);
	struct person *other;

	(void)state;
	assert_true(learn(9));
	assert_int_equal(device_list_add(&eve.devices, &bob.device.public, "mine", 0), 0);
	device_list_sign(&eve.devices, &eve.identity);
	other = small_home_meet(&alice, &eve);
	peer_record_sign(&forged, &eve.identity);
	assert_true(address_book_learn(book(), other, &forged));
	assert_int_equal(known()->number, 9);
	small_home_restart(&alice);
	p = small_home_person(&alice, &bob);
	assert_int_equal(known()->number, 9);
}

static void what_stands_in_the_store_is_checked_before_it_is_believed(void **state)
{
	(void)state;
	assert_true(learn(9));
	small_home_commit(&alice);
	/* The last byte of a signature, which is at most 16 (RFC 8032, section 5.1.7). */
	assert_int_equal(
		db_exec(store_db(alice.rooms.store),
			"UPDATE address SET record = CAST(substr(record, 1, length(record) - 1)"
			" || x'ff' AS BLOB)"),
		0);
	small_home_restart(&alice);
	p = small_home_person(&alice, &bob);
	assert_null(known());
	assert_true(learn(9));
}

static void a_person_without_a_list_has_sixteen_places(void **state)
{
	(void)state;
	p->devices.version = 0;
	for (unsigned i = 0; i < DEVICE_LIST_MAX + 4; i++) {
		struct peer_record r = small_home_record(&bob, i + 1);

		r.device.bytes[0] = (uint8_t)i;
		peer_record_sign(&r, &bob.identity);
		assert_true(address_book_learn(book(), p, &r));
	}
	for (unsigned i = 0; i < DEVICE_LIST_MAX + 4; i++) {
		struct device_public device = bob.device.public;

		device.bytes[0] = (uint8_t)i;
		assert_true((address_book_of(book(), p, &device) == NULL) == (i < 4));
	}
}

static void where_a_device_answered_from_is_remembered(void **state)
{
	struct address at = small_address("198.51.100.7:4000"), last;

	(void)state;
	assert_false(address_book_last(book(), p, &bob.device.public, &last));
	address_book_saw(book(), p, &bob.device.public, &at);
	assert_null(known());
	assert_true(learn(9));
	small_home_restart(&alice);
	p = small_home_person(&alice, &bob);
	assert_true(address_book_last(book(), p, &bob.device.public, &last));
	assert_true(address_equal(&last, &at));
	assert_int_equal(known()->number, 9);
}

static void an_address_of_one_link_only_is_not_remembered_beyond_the_run(void **state)
{
	struct address at = small_address("[fe80::1%3]:4000"), last;

	(void)state;
	address_book_saw(book(), p, &bob.device.public, &at);
	assert_true(address_book_last(book(), p, &bob.device.public, &last));
	assert_int_equal(last.scope, 3);
	small_home_restart(&alice);
	p = small_home_person(&alice, &bob);
	assert_false(address_book_last(book(), p, &bob.device.public, &last));
}

static void who_goes_takes_all_along(void **state)
{
	struct address at = small_address("198.51.100.7:4000"), last;

	(void)state;
	assert_true(learn(9));
	address_book_saw(book(), p, &bob.device.public, &at);
	assert_non_null(address_book_pair(book(), p));
	address_book_forget(book(), p);
	assert_null(p->pair);
	assert_null(known());
	small_home_restart(&alice);
	p = small_home_person(&alice, &bob);
	assert_null(known());
	assert_false(address_book_last(book(), p, &bob.device.public, &last));
}

static void what_was_not_committed_was_not_learned(void **state)
{
	(void)state;
	assert_true(learn(5));
	small_home_commit(&alice);
	assert_true(learn(9));
	store_failed(alice.rooms.store, ERR_FULL);
	assert_int_equal(store_commit(alice.rooms.store), ERR_FULL);
	address_book_reload(book());
	assert_int_equal(known()->number, 5);
}

static void another_device_of_ours_has_a_record_and_this_one_none(void **state)
{
	struct small_home second;
	struct person *self = persons_self(alice.rooms.persons);
	struct peer_record r;

	(void)state;
	small_home_begin_sibling(&second, "alice", &alice);
	r = small_home_record(&second, 9);
	assert_true(address_book_learn(book(), self, &r));
	assert_non_null(address_book_of(book(), self, &second.device.public));
	r = small_home_record(&alice, 9);
	assert_false(address_book_learn(book(), self, &r));
	small_home_end(&second);
}

/* --- ours --- */

static void our_records_are_signed_and_only_one_has_addresses(void **state)
{
	const struct peer_record *open = address_book_open(book());
	const struct peer_record *shut = address_book_shut(book());

	(void)state;
	assert_int_equal(peer_record_verify(open, &alice.identity.public), 0);
	assert_int_equal(peer_record_verify(shut, &alice.identity.public), 0);
	assert_int_equal(open->candidates.count, 1);
	assert_int_equal(shut->candidates.count, 0);
	assert_int_equal(shut->nat.mapping, NAT_UNKNOWN);
	assert_true(open->number > shut->number);
	assert_memory_equal(open->knock.bytes, alice.knock.bytes, sizeof alice.knock.bytes);
	assert_true(device_public_equal(&open->device, &alice.device.public));
}

static void the_number_rises_with_each_change_and_only_then(void **state)
{
	uint64_t first = address_book_open(book())->number;
	struct nat nat = { .mapping = NAT_EASY };

	(void)state;
	pass();
	assert_int_equal(address_book_open(book())->number, first);
	own_candidates_set_nat(alice.rooms.candidates, &nat);
	pass();
	assert_true(address_book_open(book())->number > first);
	assert_int_equal(address_book_open(book())->nat.mapping, NAT_EASY);
	first = address_book_open(book())->number;
	address_book_set_relay(book(), true);
	assert_true(address_book_open(book())->number > first);
	assert_true(address_book_open(book())->is_relay);
	first = address_book_open(book())->number;
	account_rotate_knock(alice.rooms.account);
	pass();
	assert_true(address_book_shut(book())->number > first);
}

static void the_number_rises_over_restarts_and_when_the_clock_goes_back(void **state)
{
	uint64_t first = address_book_open(book())->number;

	(void)state;
	small_home_restart(&alice);
	assert_true(address_book_shut(book())->number > first);
	first = address_book_open(book())->number;
	alice.rooms.wall -= 3600 * 1000;
	small_home_restart(&alice);
	assert_true(address_book_shut(book())->number > first);
	first = address_book_open(book())->number;
	alice.rooms.wall = 5000; /* lost with its battery */
	small_home_restart(&alice);
	assert_true(address_book_shut(book())->number > first);
}

static void after_a_clock_that_was_far_ahead_the_number_goes_on_rising(void **state)
{
	wall_ms now = alice.rooms.wall;
	uint64_t ahead;

	(void)state;
	alice.rooms.wall += 20 * (wall_ms)YEAR;
	ahead = address_book_open(book())->number;
	assert_true(ahead > (uint64_t)now + YEAR);
	alice.rooms.wall = now;
	small_home_restart(&alice);
	assert_true(address_book_open(book())->number > ahead);
}

static void a_number_brought_here_leaves_room_for_the_next(void **state)
{
	(void)state;
	assert_non_null(address_book_open(book()));
	small_home_commit(&alice);
	assert_int_equal(
		db_exec(store_db(alice.rooms.store), "UPDATE own_record SET number = -2"), 0);
	small_home_restart(&alice);
	assert_true(address_book_open(book())->number > address_book_shut(book())->number);
}

static void a_number_that_was_not_committed_is_not_given_again(void **state)
{
	uint64_t first = address_book_open(book())->number;

	(void)state;
	store_failed(alice.rooms.store, ERR_FULL);
	store_commit(alice.rooms.store);
	address_book_reload(book());
	assert_true(address_book_shut(book())->number > first);
	first = address_book_open(book())->number;
	small_home_restart(&alice);
	assert_true(address_book_shut(book())->number > first);
}

static void consent_decides_which_record_is_given(void **state)
{
	uint64_t open = address_book_for(book(), p)->number;

	(void)state;
	assert_int_equal(address_book_for(book(), p)->candidates.count, 1);
	p->consent = CONSENT_RELAY;
	pass();
	assert_int_equal(address_book_for(book(), p)->candidates.count, 0);
	/* who had the open one takes the shut one */
	assert_true(address_book_for(book(), p)->number > open);
	p->consent = CONSENT_NEVER;
	assert_null(address_book_for(book(), p));
	p->consent = CONSENT_DIRECT;
	p->state = CONTACT_BLOCKED;
	assert_null(address_book_for(book(), p));
}

/* --- the pair --- */

static void both_sides_have_the_same_pair_key(void **state)
{
	struct person *us = small_home_meet(&bob, &alice);
	const struct symmetric_key *here = address_book_pair(book(), p);
	const struct symmetric_key *there = address_book_pair(bob.rooms.book, us);

	(void)state;
	assert_memory_equal(here->bytes, there->bytes, sizeof here->bytes);
	assert_ptr_equal(address_book_pair(book(), p), here);
}

static void another_identity_is_another_pair(void **state)
{
	struct symmetric_key before = *address_book_pair(book(), p);

	(void)state;
	p->identity = eve.identity.public;
	assert_memory_not_equal(address_book_pair(book(), p)->bytes, before.bytes,
				sizeof before.bytes);
	memset(&p->identity, 0, sizeof p->identity);
	assert_null(address_book_pair(book(), p));
	p->has_identity = false;
	assert_null(address_book_pair(book(), p));
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_newest_record_of_a_device_is_kept),
		T(another_record_of_the_same_number_is_not_taken),
		T(a_wrong_signature_is_refused_and_leaves_no_trace),
		T(a_device_that_is_not_in_their_list_is_refused),
		T(a_revoked_device_is_known_no_more),
		T(who_is_not_a_contact_is_not_kept),
		T(a_clock_that_is_years_wrong_refuses_nobody),
		T(a_clock_that_was_lost_refuses_nobody),
		T(who_signs_for_a_device_of_somebody_else_is_not_in_its_way),
		T(what_stands_in_the_store_is_checked_before_it_is_believed),
		T(a_person_without_a_list_has_sixteen_places),
		T(where_a_device_answered_from_is_remembered),
		T(an_address_of_one_link_only_is_not_remembered_beyond_the_run),
		T(who_goes_takes_all_along),
		T(what_was_not_committed_was_not_learned),
		T(another_device_of_ours_has_a_record_and_this_one_none),
		T(our_records_are_signed_and_only_one_has_addresses),
		T(the_number_rises_with_each_change_and_only_then),
		T(the_number_rises_over_restarts_and_when_the_clock_goes_back),
		T(after_a_clock_that_was_far_ahead_the_number_goes_on_rising),
		T(a_number_brought_here_leaves_room_for_the_next),
		T(a_number_that_was_not_committed_is_not_given_again),
		T(consent_decides_which_record_is_given),
		T(both_sides_have_the_same_pair_key),
		T(another_identity_is_another_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
