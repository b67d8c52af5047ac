#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/candidates.h"
#include "peer/conversations.h"
#include "peer/directory_client.h"
#include "peer/forwarding_inside.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/store.h"
#include "shared/error.h"
#include "tests/small_home.h"

/* Alice and Bob know each other, and both know Tom; links are there when the test says so. */

enum { HOMES = 5, WAYS_MAX = 8, SAID_MAX = 256 };

struct said {
	struct small_home *from, *to;
	enum wire_type type;
	struct buf bytes;
};

static struct small_home homes[HOMES];
static struct forwarding *rooms[HOMES];
static struct way *ways[HOMES][WAYS_MAX];
static unsigned way_count[HOMES];
static bool is_online[HOMES], is_full;
static uint64_t links;
static struct said said[SAID_MAX];
static unsigned said_count, delivered;
static struct {
	unsigned count;
	struct device_public device;
	struct person *person;
	struct address seen;
	enum reach_source source;
	bool is_both;
} found[HOMES];

#define alice  (&homes[0])
#define bob    (&homes[1])
#define tom    (&homes[2])
#define eve    (&homes[3])
#define second (&homes[4]) /* Alice's, where a test begins it */

static unsigned index_of(const void *h)
{
	return (unsigned)((const struct small_home *)h - homes);
}

/* --- in place of the rooms above and below --- */

void endpoint_set_knock(struct endpoint *e, const struct knock *knock)
{
	(void)e;
	(void)knock;
}

void endpoint_set_certificate(struct endpoint *e, const struct certificate *c)
{
	(void)e;
	(void)c;
}

/* As seen from anywhere: each home's address, or where its NAT has it. */
struct path link_path(const struct link *l)
{
	const struct small_home *h = (const struct small_home *)(const void *)l;
	struct path path = { .remote = h->network.addresses[0] };

	path.remote.port = 4242;
	return path;
}

bool directory_client_is_online(const struct directory_client *d)
{
	return is_online[index_of(d)];
}

struct way *reach_way_at(const struct reach *r, unsigned index)
{
	unsigned i = index_of(r);

	return index < way_count[i] ? ways[i][index] : NULL;
}

int reach_say(struct reach *r, struct way *w, const struct wire_message *m)
{
	struct said *s = &said[said_count];

	if (w->state != WAY_LINKED)
		return ERR_STATE;
	if (is_full)
		return ERR_FULL;
	assert_true(said_count < SAID_MAX);
	s->from = &homes[index_of(r)];
	s->to = NULL;
	for (unsigned i = 0; i < HOMES; i++) {
		if (device_public_equal(&homes[i].device.public, &w->device))
			s->to = &homes[i];
	}
	s->type = m->type;
	memset(&s->bytes, 0, sizeof s->bytes);
	assert_int_equal(wire_encode(m, &s->bytes), 0);
	said_count++;
	return 0;
}

void reach_found(struct reach *r, struct person *p, const struct device_public *device,
		 const struct address *seen, enum reach_source source, bool is_both)
{
	unsigned i = index_of(r);

	found[i].seen = *seen;
	found[i].count++;
	found[i].device = *device;
	found[i].person = p;
	found[i].source = source;
	found[i].is_both = is_both;
}

/* --- the homes --- */

static void start(struct small_home *h)
{
	/* These are only handed through to the functions above. */
	h->rooms.reach = (struct reach *)(void *)h;
	h->rooms.directory = (struct directory_client *)(void *)h;
	rooms[index_of(h)] = forwarding_new(&h->rooms);
	small_home_commit(h);
}

static void open_home(struct small_home *h, const char *name, const char *address)
{
	small_home_begin(h, name);
	small_home_plug(h, address, 2);
	start(h);
}

static void meet(struct small_home *a, struct small_home *b)
{
	small_home_meet(a, b);
	small_home_meet(b, a);
}

static int begin(void **state)
{
	(void)state;
	memset(found, 0, sizeof found);
	memset(is_online, 0, sizeof is_online);
	is_full = false;
	said_count = delivered = 0;
	open_home(alice, "alice", "192.168.1.1");
	open_home(bob, "bob", "192.168.2.2");
	open_home(tom, "tom", "192.168.3.3");
	open_home(eve, "eve", "192.168.4.4");
	meet(alice, bob);
	meet(alice, tom);
	meet(bob, tom);
	return 0;
}

static void drop_ways(unsigned i)
{
	for (unsigned w = 0; w < way_count[i]; w++)
		free(ways[i][w]);
	way_count[i] = 0;
}

static void forget_said(void)
{
	for (unsigned i = 0; i < said_count; i++)
		buf_clear(&said[i].bytes);
	said_count = delivered = 0;
}

static int end(void **state)
{
	(void)state;
	forget_said();
	for (unsigned i = 0; i < HOMES; i++) {
		forwarding_free(rooms[i]);
		rooms[i] = NULL;
		drop_ways(i);
		small_home_end(&homes[i]);
	}
	return 0;
}

static struct way *way_to(struct small_home *from, const struct small_home *to)
{
	unsigned i = index_of(from);

	for (unsigned w = 0; w < way_count[i]; w++) {
		if (device_public_equal(&ways[i][w]->device, &to->device.public))
			return ways[i][w];
	}
	return NULL;
}

static void link_one(struct small_home *from, const struct small_home *to)
{
	unsigned i = index_of(from), at = 0;
	struct way *w = way_to(from, to);

	if (!w) {
		w = ways[i][way_count[i]++] = memory_new(sizeof *w);
		w->number = ++links;
		w->device = to->device.public;
		w->person = small_home_person(from, to);
		while (w->person->ways[at])
			at++;
		w->person->ways[at] = w;
	}
	w->state = WAY_LINKED;
	w->link = (struct link *)(void *)(uintptr_t)to;
	w->link_number = ++links;
}

static void link_up(struct small_home *a, struct small_home *b)
{
	link_one(a, b);
	link_one(b, a);
}

static void link_down(struct small_home *a, struct small_home *b)
{
	way_to(a, b)->state = way_to(b, a)->state = WAY_IDLE;
	way_to(a, b)->link_number = way_to(b, a)->link_number = 0;
}

static mono_ns step(struct small_home *h)
{
	return forwarding_step(rooms[index_of(h)]);
}

static void step_all(void)
{
	for (unsigned i = 0; i < HOMES; i++) {
		if (rooms[i])
			step(&homes[i]);
	}
}

static void pass(mono_ns length)
{
	for (unsigned i = 0; i < HOMES; i++) {
		homes[i].rooms.now += length;
		homes[i].rooms.wall += (wall_ms)(length / MILLISECOND);
	}
}

static int deliver(const struct said *s)
{
	struct wire_message m;

	assert_int_equal(wire_decode(&m, buf_view(&s->bytes), WIRE_FROM_PEER), 0);
	return forwarding_hear(rooms[index_of(s->to)], way_to(s->to, s->from), &m);
}

/* All that is said, in order, and what is said because of it. */
static void run(void)
{
	step_all();
	for (; delivered < said_count; delivered++)
		assert_int_equal(deliver(&said[delivered]), 0);
	for (unsigned i = 0; i < HOMES; i++) {
		if (rooms[i])
			small_home_commit(&homes[i]);
	}
}

static unsigned count_of(enum wire_type type, const struct small_home *from,
			 const struct small_home *to)
{
	unsigned count = 0;

	for (unsigned i = 0; i < said_count; i++)
		count += said[i].type == type && said[i].from == from && said[i].to == to;
	return count;
}

static const struct said *last_of(enum wire_type type, const struct small_home *from,
				  const struct small_home *to)
{
	for (unsigned i = said_count; i > 0; i--) {
		if (said[i - 1].type == type && said[i - 1].from == from &&
		    said[i - 1].to == to)
			return &said[i - 1];
	}
	fail();
	return NULL;
}

static void read_last(struct wire_message *m, enum wire_type type,
		      const struct small_home *from, const struct small_home *to)
{
	assert_int_equal(
		wire_decode(m, buf_view(&last_of(type, from, to)->bytes), WIRE_FROM_PEER), 0);
}

static const struct peer_record *known(struct small_home *h, const struct small_home *of)
{
	return address_book_of(h->rooms.book, small_home_person(h, of), &of->device.public);
}

/* Alice and Bob are linked to Tom and look for each other. */
static void look_for_each_other(void)
{
	link_up(alice, tom);
	link_up(bob, tom);
	run();
	pass(2 * SECOND);
	run();
}

/* --- our record --- */

static void a_new_link_is_told_where_we_are(void **state)
{
	(void)state;
	link_up(alice, bob);
	run();
	assert_int_equal(known(alice, bob)->candidates.count, 1);
	assert_int_equal(known(bob, alice)->number,
			 address_book_open(alice->rooms.book)->number);
	forget_said();
	pass(SECOND);
	run();
	assert_int_equal(count_of(WIRE_RECORD, alice, bob), 0);
}

static void a_change_is_told_though_not_each_at_once(void **state)
{
	(void)state;
	link_up(alice, bob);
	run();
	forget_said();
	small_home_plug(alice, "192.168.1.77", 2);
	pass(SECOND);
	assert_true(step(alice) <= alice->rooms.now + SECOND);
	assert_int_equal(count_of(WIRE_RECORD, alice, bob), 0);
	pass(SECOND);
	run();
	assert_int_equal(known(bob, alice)->candidates.count, 2);
	assert_int_equal(count_of(WIRE_RECORD, alice, bob), 1);
}

static void what_found_no_room_is_said_later(void **state)
{
	(void)state;
	link_up(alice, bob);
	is_full = true;
	step(alice);
	is_full = false;
	assert_int_equal(said_count, 0);
	pass(2 * SECOND);
	run();
	assert_non_null(known(bob, alice));
}

static void consent_decides_what_a_contact_is_told(void **state)
{
	struct wire_message m;

	(void)state;
	link_up(alice, bob);
	small_home_person(alice, bob)->consent = CONSENT_RELAY;
	run();
	assert_int_equal(known(bob, alice)->candidates.count, 0);
	read_last(&m, WIRE_RECORD, alice, bob);
	assert_int_equal(m.record.record.candidates.count, 0);
	forget_said();
	small_home_person(alice, bob)->consent = CONSENT_NEVER;
	pass(60 * SECOND);
	assert_true(step(alice) > alice->rooms.now);
	assert_int_equal(count_of(WIRE_RECORD, alice, bob), 0);
}

static void a_record_of_another_device_breaks_the_protocol(void **state)
{
	struct wire_message m = { .type = WIRE_RECORD };

	(void)state;
	link_up(alice, bob);
	m.record.record = small_home_record(tom, 5);
	assert_int_equal(forwarding_hear(rooms[0], way_to(alice, bob), &m), ERR_FORMAT);
	m.record.record = small_home_record(bob, 5);
	m.record.record.number++;
	assert_int_equal(forwarding_hear(rooms[0], way_to(alice, bob), &m), ERR_AUTH);
	m.record.record = small_home_record(bob, 5);
	assert_int_equal(forwarding_hear(rooms[0], way_to(alice, bob), &m), 0);
	m.record.record = small_home_record(bob, 4); /* old: no offence */
	assert_int_equal(forwarding_hear(rooms[0], way_to(alice, bob), &m), 0);
	assert_int_equal(known(alice, bob)->number, 5);
}

/* --- finding --- */

static void two_find_each_other_through_a_third(void **state)
{
	(void)state;
	look_for_each_other();
	assert_true(found[0].count > 0);
	assert_true(found[1].count > 0);
	assert_int_equal(found[2].count, 0);
	assert_true(device_public_equal(&found[0].device, &bob->device.public));
	assert_string_equal(found[1].person->name.text, "alice");
	assert_int_equal(found[0].source, REACH_THIRD);
	assert_true(found[0].is_both);
	/* the port is one that Bob himself does not know */
	assert_true(address_same_ip(&found[0].seen, &bob->network.addresses[0]));
	assert_int_equal(found[0].seen.port, 4242);
	assert_int_equal(known(alice, bob)->number, address_book_open(bob->rooms.book)->number);
}

static void who_left_before_is_found_though_it_is_gone(void **state)
{
	(void)state;
	link_up(alice, tom);
	run();
	link_down(alice, tom);
	link_up(bob, tom);
	run();
	pass(2 * SECOND);
	run();
	assert_int_equal(found[1].count, 1);
	assert_int_equal(found[1].seen.family, 0);
	assert_non_null(known(bob, alice));
	assert_null(known(alice, bob));
}

static void with_a_directory_nobody_is_asked_for(void **state)
{
	(void)state;
	is_online[0] = is_online[1] = true;
	look_for_each_other();
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 0);
	assert_int_equal(count_of(WIRE_FORWARDING, alice, tom), 1);
	/* nor at once when it goes: it may be back */
	is_online[0] = false;
	run();
	pass(FORWARDING_ALONE / 2);
	run();
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 0);
	pass(FORWARDING_ALONE / 2);
	run();
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 1);
	assert_int_equal(found[0].count, 1);
}

static void who_is_linked_is_not_asked_for(void **state)
{
	(void)state;
	link_up(alice, bob);
	link_up(alice, tom);
	run();
	pass(2 * SECOND);
	run();
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 0);
	/* until the link is gone */
	link_down(alice, bob);
	step(alice);
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 1);
}

static void it_is_asked_again_while_somebody_is_missing(void **state)
{
	mono_ns next;

	(void)state;
	link_up(alice, tom);
	run();
	pass(FORWARDING_ALONE);
	next = step(alice);
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 1);
	assert_true(next == alice->rooms.now + FORWARDING_ASK);
	pass(FORWARDING_ASK);
	step(alice);
	assert_int_equal(count_of(WIRE_WHERE, alice, tom), 2);
}

static void who_moves_is_told_of_to_who_asked(void **state)
{
	(void)state;
	look_for_each_other();
	forget_said();
	small_home_plug(alice, "192.168.1.99", 2);
	pass(FORWARDING_EVERY);
	run();
	assert_int_equal(count_of(WIRE_FORWARDING, alice, tom), 1);
	assert_true(count_of(WIRE_THERE, tom, bob) >= 1);
	assert_int_equal(known(bob, alice)->candidates.count, 2);
}

static void who_moves_need_not_ask(void **state)
{
	(void)state;
	is_online[0] = true; /* Alice has a directory, Bob has none */
	look_for_each_other();
	forget_said();
	small_home_plug(alice, "192.168.1.99", 2);
	pass(FORWARDING_EVERY - 2 * SECOND);
	step(alice);
	assert_int_equal(deliver(last_of(WIRE_FORWARDING, alice, tom)), 0);
	assert_int_equal(count_of(WIRE_THERE, tom, bob), 1);
	assert_int_equal(count_of(WIRE_THERE, tom, alice), 0);
	assert_int_equal(deliver(last_of(WIRE_THERE, tom, bob)), 0);
	assert_int_equal(known(bob, alice)->candidates.count, 2);
}

static void who_is_asked_for_is_told_of_the_asker(void **state)
{
	(void)state;
	look_for_each_other();
	forget_said();
	pass(FORWARDING_ASK);
	step(bob);
	assert_int_equal(deliver(last_of(WIRE_WHERE, bob, tom)), 0);
	assert_int_equal(count_of(WIRE_THERE, tom, bob), 1);
	assert_int_equal(count_of(WIRE_THERE, tom, alice), 1);
}

static void left_anew_it_is_at_most_every_30_seconds(void **state)
{
	(void)state;
	link_up(alice, tom);
	run();
	for (unsigned i = 0; i < 29; i++) {
		struct nat nat = { .mapping = i % 2 ? NAT_EASY : NAT_RANDOM };

		own_candidates_set_nat(alice->rooms.candidates, &nat);
		pass(SECOND);
		run();
		assert_int_equal(count_of(WIRE_FORWARDING, alice, tom), 1);
	}
	pass(SECOND);
	run();
	assert_int_equal(count_of(WIRE_FORWARDING, alice, tom), 2);
}

static void a_new_contact_becomes_a_reader(void **state)
{
	(void)state;
	look_for_each_other();
	meet(alice, eve);
	meet(eve, tom);
	pass(FORWARDING_EVERY);
	run();
	link_up(eve, tom);
	run();
	pass(2 * SECOND);
	run();
	assert_non_null(known(eve, alice));
}

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

static void own_devices_are_thirds_and_are_found(void **state)
{
	(void)state;
	small_home_begin_sibling(second, "alice", alice);
	small_home_plug(second, "192.168.1.5", 2);
	start(second);
	small_home_meet(second, bob);
	small_home_meet(second, tom);
	small_home_hears_list(bob, second);
	small_home_hears_list(tom, second);
	link_up(second, tom);
	link_up(alice, tom);
	run();
	pass(2 * SECOND);
	run();
	assert_true(found[4].count > 0);
	assert_true(found[4].person->is_self);
	assert_non_null(known(alice, second));
	/* the sibling says where Bob is, and to Bob where the first one is */
	link_up(second, bob);
	run();
	link_down(second, tom);
	link_down(alice, tom);
	link_up(second, alice);
	run();
	pass(FORWARDING_ASK);
	run();
	assert_true(count_of(WIRE_THERE, second, alice) > 0);
	assert_non_null(known(alice, bob));
}

static void whom_we_owe_something_comes_first_of_many(void **state)
{
	struct conversation owing = { .ours.next = 5, .delivered = 2 };
	struct wire_message m;

	(void)state;
	for (unsigned i = 0; i < 150; i++) {
		struct small_home other = { 0 };
		char name[NAME_MAX + 1] = "0";

		name[1] = (char)('a' + i / 26);
		name[2] = (char)('a' + i % 26);
		assert_int_equal(name_parse(&other.name, bytes_text(name)), 0);
		identity_make(&other.identity);
		other.devices.identity = other.identity.public;
		device_list_add(&other.devices,
				&(struct device_public){ .bytes = { 1, (uint8_t)i } }, "d", 0);
		other.devices.version = 1;
		small_home_meet(alice, &other);
	}
	small_home_person(alice, bob)->conversation = &owing;
	link_up(alice, tom);
	link_up(bob, tom);
	run();
	pass(2 * SECOND);
	run();
	read_last(&m, WIRE_WHERE, alice, tom);
	assert_int_equal(m.where.count, WIRE_WHERE_MAX);
	assert_true(found[0].count > 0);
	small_home_person(alice, bob)->conversation = NULL;
	/* the others have their turns: Bob, who is the last, too */
	found[0].count = 0;
	for (unsigned i = 0; i < 4 && found[0].count == 0; i++) {
		forget_said();
		pass(FORWARDING_ASK);
		run();
	}
	assert_true(found[0].count > 0);
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

static void other_messages_are_not_for_this_room(void **state)
{
	struct wire_message m = { .type = WIRE_SAY };

	(void)state;
	link_up(alice, tom);
	assert_true(forwarding_hear(rooms[0], way_to(alice, tom), &m) < 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_link_is_told_where_we_are),
		T(a_change_is_told_though_not_each_at_once),
		T(what_found_no_room_is_said_later),
		T(consent_decides_what_a_contact_is_told),
		T(a_record_of_another_device_breaks_the_protocol),
		T(two_find_each_other_through_a_third),
		T(who_left_before_is_found_though_it_is_gone),
		T(with_a_directory_nobody_is_asked_for),
		T(who_is_linked_is_not_asked_for),
		T(it_is_asked_again_while_somebody_is_missing),
		T(who_moves_is_told_of_to_who_asked),
		T(who_moves_need_not_ask),
		T(who_is_asked_for_is_told_of_the_asker),
		T(left_anew_it_is_at_most_every_30_seconds),
		T(a_new_contact_becomes_a_reader),
		T(the_third_keeps_it_over_a_restart),
		T(what_the_third_could_not_store_it_does_not_have),
		T(who_lost_consent_is_not_told_by_a_third),
		T(own_devices_are_thirds_and_are_found),
		T(whom_we_owe_something_comes_first_of_many),
		T(the_third_cannot_read_what_it_keeps),
		T(two_thirds_cannot_compare_for_whom_it_is),
		T(without_consent_nobody_is_a_reader_or_looked_for),
		T(a_token_for_somebody_else_opens_nothing),
		T(a_third_that_lies_is_not_believed),
		T(a_flood_is_passed_over),
		T(of_a_thousand_kept_the_oldest_gives_way),
		T(who_is_blocked_is_not_said_where_others_are_nor_is_he_said),
		T(what_somebody_left_goes_with_him),
		T(other_messages_are_not_for_this_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
