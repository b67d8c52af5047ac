/* Included by a test of forwarding alone, once: Alice and Bob know each other, and both know Tom;
 * links are there when the test says so, and what is said on them arrives when it delivers it. */
#ifndef PALIQUE_TESTS_FORWARDING_HOMES_H
#define PALIQUE_TESTS_FORWARDING_HOMES_H

#include <stdlib.h>
#include <string.h>

#include "peer/directory_client.h"
#include "peer/forwarding_inside.h"
#include "peer/reach.h"
#include "shared/error.h"
#include "tests/no_endpoint.h"
#include "tests/small_home.h"

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

static inline unsigned index_of(const void *h)
{
	return (unsigned)((const struct small_home *)h - homes);
}

/* --- in place of the rooms above and below --- */

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

static inline void start(struct small_home *h)
{
	/* These are only handed through to the functions above. */
	h->rooms.reach = (struct reach *)(void *)h;
	h->rooms.directory = (struct directory_client *)(void *)h;
	rooms[index_of(h)] = forwarding_new(&h->rooms);
	small_home_commit(h);
}

static inline void open_home(struct small_home *h, const char *name, const char *address)
{
	small_home_begin(h, name);
	small_home_plug(h, address, 2);
	start(h);
}

static inline void meet(struct small_home *a, struct small_home *b)
{
	small_home_meet(a, b);
	small_home_meet(b, a);
}

static inline int begin(void **state)
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

static inline void drop_ways(unsigned i)
{
	for (unsigned w = 0; w < way_count[i]; w++)
		free(ways[i][w]);
	way_count[i] = 0;
}

static inline void forget_said(void)
{
	for (unsigned i = 0; i < said_count; i++)
		buf_clear(&said[i].bytes);
	said_count = delivered = 0;
}

static inline int end(void **state)
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

static inline struct way *way_to(struct small_home *from, const struct small_home *to)
{
	unsigned i = index_of(from);

	for (unsigned w = 0; w < way_count[i]; w++) {
		if (device_public_equal(&ways[i][w]->device, &to->device.public))
			return ways[i][w];
	}
	return NULL;
}

static inline void link_one(struct small_home *from, const struct small_home *to)
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

static inline void link_up(struct small_home *a, struct small_home *b)
{
	link_one(a, b);
	link_one(b, a);
}

static inline void link_down(struct small_home *a, struct small_home *b)
{
	way_to(a, b)->state = way_to(b, a)->state = WAY_IDLE;
	way_to(a, b)->link_number = way_to(b, a)->link_number = 0;
}

static inline mono_ns step(struct small_home *h)
{
	return forwarding_step(rooms[index_of(h)]);
}

static inline void step_all(void)
{
	for (unsigned i = 0; i < HOMES; i++) {
		if (rooms[i])
			step(&homes[i]);
	}
}

static inline void pass(mono_ns length)
{
	for (unsigned i = 0; i < HOMES; i++) {
		homes[i].rooms.now += length;
		homes[i].rooms.wall += (wall_ms)(length / MILLISECOND);
	}
}

static inline int deliver(const struct said *s)
{
	struct wire_message m;

	assert_int_equal(wire_decode(&m, buf_view(&s->bytes), WIRE_FROM_PEER), 0);
	return forwarding_hear(rooms[index_of(s->to)], way_to(s->to, s->from), &m);
}

/* All that is said, in order, and what is said because of it. */
static inline void run(void)
{
	step_all();
	for (; delivered < said_count; delivered++)
		assert_int_equal(deliver(&said[delivered]), 0);
	for (unsigned i = 0; i < HOMES; i++) {
		if (rooms[i])
			small_home_commit(&homes[i]);
	}
}

static inline unsigned count_of(enum wire_type type, const struct small_home *from,
				const struct small_home *to)
{
	unsigned count = 0;

	for (unsigned i = 0; i < said_count; i++)
		count += said[i].type == type && said[i].from == from && said[i].to == to;
	return count;
}

static inline const struct said *last_of(enum wire_type type, const struct small_home *from,
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

static inline void read_last(struct wire_message *m, enum wire_type type,
			     const struct small_home *from, const struct small_home *to)
{
	assert_int_equal(
		wire_decode(m, buf_view(&last_of(type, from, to)->bytes), WIRE_FROM_PEER), 0);
}

static inline const struct peer_record *known(struct small_home *h, const struct small_home *of)
{
	return address_book_of(h->rooms.book, small_home_person(h, of), &of->device.public);
}

/* Alice and Bob are linked to Tom and look for each other. */
static inline void look_for_each_other(void)
{
	link_up(alice, tom);
	link_up(bob, tom);
	run();
	pass(2 * SECOND);
	run();
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
