/* What a third keeps for others, whom it tells, what it learns of it, and what is believed of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "peer/persons.h"
#include "peer/store.h"
#include "shared/error.h"
#include "tests/forwarding_homes.h"

/* --- what it keeps, and whom it tells --- */

static void the_third_keeps_it_over_a_restart(void **state)
{
	(void)state;
	link_up(alice, tom);
	run();
	link_down(alice, tom);
	forwarding_free(rooms[2]);
	drop_ways(2);
	small_home_restart(tom);
	start(tom);
	link_up(bob, tom);
	run();
	pass(2 * SECOND);
	run();
	assert_int_equal(found[1].count, 1);
}

static void what_the_third_could_not_store_it_does_not_have(void **state)
{
	(void)state;
	link_up(alice, tom);
	step(alice);
	assert_int_equal(deliver(last_of(WIRE_FORWARDING, alice, tom)), 0);
	store_failed(tom->rooms.store, ERR_FULL);
	assert_int_equal(store_commit(tom->rooms.store), ERR_FULL);
	forwarding_reload(rooms[2]);
	forget_said();
	link_up(bob, tom);
	pass(2 * SECOND);
	run();
	assert_int_equal(count_of(WIRE_THERE, tom, bob), 0);
}

/* Bob may not have Alice's address any more: Tom is told of it soon, and says nothing before. */
static void who_lost_consent_is_not_told_by_a_third(void **state)
{
	struct wire_message m;

	(void)state;
	link_up(alice, tom);
	link_up(bob, tom);
	run();
	pass(2 * SECOND);
	run();
	assert_true(count_of(WIRE_THERE, tom, bob) > 0);
	forget_said();
	small_home_person(alice, bob)->consent = CONSENT_RELAY;
	pass(3 * SECOND);
	step(alice);
	assert_int_equal(count_of(WIRE_FORWARDING, alice, tom), 1);
	run();
	forget_said();
	pass(40 * SECOND);
	step(bob);
	assert_int_equal(count_of(WIRE_WHERE, bob, tom), 1);
	run();
	assert_int_equal(count_of(WIRE_THERE, tom, bob), 0);
	/* While Alice was away she could not say it: what Tom has kept is of before, and
	 * where he sees her is of now. */
	small_home_person(alice, bob)->consent = CONSENT_DIRECT;
	pass(40 * SECOND);
	run();
	link_down(alice, tom);
	link_up(alice, tom);
	forget_said();
	pass(40 * SECOND);
	step(tom);
	step(bob);
	for (; delivered < said_count; delivered++)
		assert_int_equal(deliver(&said[delivered]), 0);
	read_last(&m, WIRE_THERE, tom, bob);
	assert_int_equal(m.there.seen.family, 0);
}

/* --- what the third learns --- */

static bool stands_in(struct bytes all, struct bytes part)
{
	return memmem(all.data, all.size, part.data, part.size) != NULL;
}

static void the_third_cannot_read_what_it_keeps(void **state)
{
	const struct peer_record *ours;
	struct buf encoded = { 0 };
	struct statement *s;
	struct bytes record, readers;
	unsigned rows = 0;

	(void)state;
	link_up(alice, tom);
	step(alice);
	assert_int_equal(deliver(last_of(WIRE_FORWARDING, alice, tom)), 0);
	ours = address_book_open(alice->rooms.book);
	assert_int_equal(peer_record_encode(ours, &encoded), 0);
	s = db_sql(store_db(tom->rooms.store), "SELECT record, readers FROM forwarding");
	while (db_step(s) == 1) {
		rows++;
		record = column_bytes(s, 0);
		readers = column_bytes(s, 1);
		for (size_t i = 0; i + 6 <= encoded.size; i++) {
			assert_false(stands_in(record, bytes_of(encoded.data + i, 6)));
			assert_false(stands_in(readers, bytes_of(encoded.data + i, 6)));
		}
		for (size_t i = 0; i + 6 <= 32; i++) {
			struct bytes part = bytes_of(bob->identity.public.bytes + i, 6);

			assert_false(stands_in(readers, part));
			assert_false(stands_in(record, part));
		}
		/* always as long, whatever it says; readers among noise */
		assert_int_equal(record.size, WIRE_SEALED_RECORD_MAX);
		assert_int_equal(readers.size, 8 * 56);
	}
	db_done(s);
	assert_int_equal(rows, 1);
	buf_clear(&encoded);
}

static void two_thirds_cannot_compare_for_whom_it_is(void **state)
{
	struct wire_message first, other;

	(void)state;
	meet(alice, eve);
	link_up(alice, tom);
	link_up(alice, eve);
	step(alice);
	read_last(&first, WIRE_FORWARDING, alice, tom);
	read_last(&other, WIRE_FORWARDING, alice, eve);
	for (unsigned i = 0; i < first.forwarding.count; i++) {
		for (unsigned j = 0; j < other.forwarding.count; j++)
			assert_memory_not_equal(first.forwarding.readers[i].token,
						other.forwarding.readers[j].token, 8);
	}
}

static bool is_reader(const struct wire_message *m, struct small_home *from,
		      const struct small_home *reader, const struct small_home *third)
{
	const struct symmetric_key *pair = address_book_pair(from->rooms.book,
							     small_home_person(from, reader));
	struct token token = forwarding_token(pair, &from->device.public,
					      &third->identity.public);

	for (unsigned i = 0; i < m->forwarding.count; i++) {
		if (memcmp(m->forwarding.readers[i].token, token.bytes, 8) == 0)
			return true;
	}
	return false;
}

static void without_consent_nobody_is_a_reader_or_looked_for(void **state)
{
	static const enum consent less[] = { CONSENT_RELAY, CONSENT_NEVER };
	struct wire_message m;

	(void)state;
	link_up(alice, tom);
	run();
	read_last(&m, WIRE_FORWARDING, alice, tom);
	assert_true(is_reader(&m, alice, bob, tom));
	assert_false(is_reader(&m, alice, tom, tom));
	for (unsigned i = 0; i < 2; i++) {
		forget_said();
		small_home_person(alice, bob)->consent = less[i];
		pass(FORWARDING_EVERY);
		run();
		read_last(&m, WIRE_FORWARDING, alice, tom);
		assert_false(is_reader(&m, alice, bob, tom));
		assert_int_equal(m.forwarding.count, 8); /* it does not show */
		assert_int_equal(count_of(WIRE_WHERE, alice, tom), 0);
	}
	link_up(bob, tom);
	run();
	pass(2 * SECOND);
	run();
	assert_int_equal(count_of(WIRE_THERE, tom, bob), 0);
	assert_null(known(bob, alice));
}

static void a_token_for_somebody_else_opens_nothing(void **state)
{
	struct wire_message left, where = { .type = WIRE_WHERE };

	(void)state;
	meet(eve, tom);
	link_up(alice, tom);
	link_up(eve, tom);
	run();
	/* Eve has seen a token of Bob's somewhere */
	read_last(&left, WIRE_FORWARDING, alice, tom);
	where.where.count = 8;
	for (unsigned i = 0; i < 8; i++)
		memcpy(where.where.tokens[i], left.forwarding.readers[i].token, 8);
	assert_int_equal(forwarding_hear(rooms[2], way_to(tom, eve), &where), 0);
	assert_int_equal(count_of(WIRE_THERE, tom, eve), 1);
	assert_int_equal(deliver(last_of(WIRE_THERE, tom, eve)), 0);
	assert_int_equal(found[3].count, 0);
}

/* --- bad input --- */

static void a_third_that_lies_is_not_believed(void **state)
{
	struct wire_message there, forged;
	unsigned before;

	(void)state;
	look_for_each_other();
	before = found[0].count;
	read_last(&there, WIRE_THERE, tom, alice);
	/* not asked for */
	forged = there;
	forged.there.reader.token[0] ^= 1;
	assert_int_equal(forwarding_hear(rooms[0], way_to(alice, tom), &forged), 0);
	/* another key, another record */
	forged = there;
	forged.there.reader.key[5] ^= 1;
	assert_int_equal(forwarding_hear(rooms[0], way_to(alice, tom), &forged), 0);
	for (size_t i = 0; i < there.there.record.size; i += 13) {
		uint8_t sealed[WIRE_SEALED_RECORD_MAX];

		memcpy(sealed, there.there.record.data, sizeof sealed);
		sealed[i] ^= 1;
		forged = there;
		forged.there.record = BYTES(sealed);
		pass(SECOND);
		assert_int_equal(forwarding_hear(rooms[0], way_to(alice, tom), &forged), 0);
	}
	forged = there;
	forged.there.record.size--;
	assert_int_equal(forwarding_hear(rooms[0], way_to(alice, tom), &forged), 0);
	assert_int_equal(found[0].count, before);
	assert_int_equal(forwarding_hear(rooms[0], way_to(alice, tom), &there), 0);
	assert_int_equal(found[0].count, before + 1);
}

static void a_flood_is_passed_over(void **state)
{
	struct wire_message left, where = { .type = WIRE_WHERE };
	struct kept *kept;

	(void)state;
	look_for_each_other();
	read_last(&left, WIRE_FORWARDING, alice, tom);
	pass(FORWARDING_HEAR_FORWARDING * FORWARDING_BURST);
	kept = rooms[2]->kept[0];
	for (unsigned i = 0; i < 100; i++) {
		pass(MILLISECOND);
		assert_int_equal(forwarding_hear(rooms[2], way_to(tom, alice), &left), 0);
		if (i == FORWARDING_BURST - 1)
			kept->kept_at = 1;
	}
	assert_int_equal(kept->kept_at, 1);
	forget_said();
	pass(FORWARDING_HEAR_WHERE * FORWARDING_BURST);
	where.where.count = 1;
	for (unsigned i = 0; i < 8; i++) {
		if (memcmp(left.forwarding.readers[i].token, "\0\0\0\0\0\0\0\0", 8) != 0)
			memcpy(where.where.tokens[0], left.forwarding.readers[i].token, 8);
	}
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(forwarding_hear(rooms[2], way_to(tom, bob), &where), 0);
	assert_true(said_count <= 2 * FORWARDING_BURST);
}

static void of_a_thousand_kept_the_oldest_gives_way(void **state)
{
	struct wire_message m;
	struct statement *s;

	(void)state;
	link_up(alice, tom);
	run();
	read_last(&m, WIRE_FORWARDING, alice, tom);
	for (unsigned i = 0; i < FORWARDING_KEPT_MAX; i++) {
		pass(SECOND);
		randombytes_buf(&ways[2][0]->device, 32);
		assert_int_equal(forwarding_hear_left(rooms[2], ways[2][0], &m.forwarding), 0);
		if (i < FORWARDING_KEPT_MAX - 1)
			continue;
		memcpy(&ways[2][0]->device, &alice->device.public, 32);
	}
	assert_int_equal(rooms[2]->kept_count, FORWARDING_KEPT_MAX);
	small_home_commit(tom);
	s = db_sql(store_db(tom->rooms.store), "SELECT count(*) FROM forwarding");
	assert_int_equal(db_step(s), 1);
	assert_int_equal(column_int(s, 0), FORWARDING_KEPT_MAX);
	db_done(s);
	for (unsigned i = 0; i < FORWARDING_KEPT_MAX; i++)
		assert_false(
			device_public_equal(&rooms[2]->kept[i]->device, &alice->device.public));
}

static void who_is_blocked_is_not_said_where_others_are_nor_is_he_said(void **state)
{
	(void)state;
	link_up(alice, tom);
	run();
	small_home_person(tom, alice)->state = CONTACT_BLOCKED;
	link_up(bob, tom);
	run();
	pass(2 * SECOND);
	run();
	assert_int_equal(count_of(WIRE_THERE, tom, bob), 0);
}

static void what_somebody_left_goes_with_him(void **state)
{
	struct person *p;

	(void)state;
	link_up(alice, tom);
	run();
	assert_int_equal(rooms[2]->kept_count, 1);
	p = small_home_person(tom, alice);
	p->is_removed = true;
	persons_save(tom->rooms.persons, p);
	forwarding_free(rooms[2]);
	drop_ways(2);
	small_home_restart(tom);
	start(tom);
	assert_int_equal(rooms[2]->kept_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_third_keeps_it_over_a_restart),
		T(what_the_third_could_not_store_it_does_not_have),
		T(who_lost_consent_is_not_told_by_a_third),
		T(the_third_cannot_read_what_it_keeps),
		T(two_thirds_cannot_compare_for_whom_it_is),
		T(without_consent_nobody_is_a_reader_or_looked_for),
		T(a_token_for_somebody_else_opens_nothing),
		T(a_third_that_lies_is_not_believed),
		T(a_flood_is_passed_over),
		T(of_a_thousand_kept_the_oldest_gives_way),
		T(who_is_blocked_is_not_said_where_others_are_nor_is_he_said),
		T(what_somebody_left_goes_with_him),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
