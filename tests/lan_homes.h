/* Included by a test of announcements in the local network, once: a wire that all homes hang on.
 * What leaves is kept, and goes to who it is for when told. */
#ifndef PALIQUE_TESTS_LAN_HOMES_H
#define PALIQUE_TESTS_LAN_HOMES_H

#include <string.h>

#include "peer/lan.h"
#include "peer/reach.h"
#include "tests/no_endpoint.h"
#include "tests/small_home.h"

enum { HOMES = 4, SENT_MAX = 512, SIZE_MAX_HERE = 1452 };

struct sent {
	struct small_home *from;
	struct path path;
	size_t size;
	uint8_t data[SIZE_MAX_HERE];
};

static struct small_home homes[HOMES];
static struct lan *lans[HOMES];
static struct sent sent[SENT_MAX];
static unsigned sent_count;
static struct {
	unsigned count;
	struct device_public device;
	struct address seen;
	enum reach_source source;
	bool is_both;
	struct person *person;
} found[HOMES];

#define alice (&homes[0])
#define bob   (&homes[1])
#define carol (&homes[2])
#define eve   (&homes[3])

static inline unsigned index_of(const struct small_home *h)
{
	return (unsigned)(h - homes);
}

/* --- in place of the rooms above and below --- */

void endpoint_send_stray(struct endpoint *e, const struct path *path, struct bytes contents,
			 uint8_t ttl)
{
	struct sent *s = &sent[sent_count++];

	assert_true(sent_count < SENT_MAX);
	assert_true(contents.size <= sizeof s->data);
	assert_int_equal(ttl, 0);
	s->from = (struct small_home *)(void *)e;
	s->path = *path;
	s->size = contents.size;
	memcpy(s->data, contents.data, contents.size);
}

void reach_found(struct reach *r, struct person *p, const struct device_public *device,
		 const struct address *seen, enum reach_source source, bool is_both)
{
	unsigned i = index_of((const struct small_home *)(const void *)r);

	found[i].count++;
	found[i].device = *device;
	found[i].seen = *seen;
	found[i].source = source;
	found[i].is_both = is_both;
	found[i].person = p;
}

/* --- the wire --- */

static inline void start(struct small_home *h)
{
	unsigned i = index_of(h);

	/* These two are only handed through to the functions above. */
	h->rooms.endpoint = (struct endpoint *)(void *)h;
	h->rooms.reach = (struct reach *)(void *)h;
	lans[i] = lan_new(&h->rooms);
}

static inline int begin(void **state)
{
	static const char *const names[HOMES] = { "alice", "bob", "carol", "eve" };

	(void)state;
	sent_count = 0;
	memset(found, 0, sizeof found);
	for (unsigned i = 0; i < HOMES; i++) {
		small_home_begin(&homes[i], names[i]);
		start(&homes[i]);
	}
	small_home_plug(alice, "192.168.1.1", 2);
	small_home_plug(bob, "192.168.1.2", 7);
	small_home_plug(carol, "192.168.1.3", 2);
	small_home_plug(eve, "192.168.1.4", 2);
	small_home_meet(alice, bob);
	small_home_meet(bob, alice);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HOMES; i++) {
		lan_free(lans[i]);
		small_home_end(&homes[i]);
	}
	return 0;
}

static inline mono_ns step(struct small_home *h)
{
	return lan_step(lans[index_of(h)]);
}

static inline bool hear(struct small_home *h, const struct address *from, struct bytes data)
{
	struct path path = { .remote = *from };

	return lan_stray(lans[index_of(h)], &path, data);
}

static inline bool has(const struct small_home *h, const struct address *a)
{
	for (unsigned i = 0; i < h->network.address_count; i++) {
		const struct address *own = &h->network.addresses[i];

		if (own->family == a->family && memcmp(own->ip, a->ip, 16) == 0 &&
		    own->port == a->port)
			return true;
	}
	return false;
}

/* The link of a home that such an address is on, as it counts there; 0: it has none. */
static inline uint32_t link_for(const struct small_home *h, const struct address *a)
{
	for (unsigned i = 0; i < h->network.address_count; i++) {
		if (h->network.addresses[i].family == a->family && a->family == 4)
			return h->network.links[0];
		if (h->network.addresses[i].family == a->family &&
		    h->network.addresses[i].scope)
			return h->network.addresses[i].scope;
	}
	return 0;
}

static inline struct address source_of(const struct sent *s)
{
	struct address from = s->path.local;

	if (!from.family) { /* the system chooses */
		for (unsigned i = 0; i < s->from->network.address_count; i++) {
			if (s->from->network.addresses[i].family == s->path.remote.family)
				from = s->from->network.addresses[i];
		}
	}
	return from;
}

static inline void deliver(const struct sent *s, struct small_home *to)
{
	struct path path = { .remote = source_of(s) };

	if (path.remote.family == 6)
		path.remote.scope = link_for(to, &path.remote);
	(void)lan_stray(lans[index_of(to)], &path, bytes_of(s->data, s->size));
}

/* All that was sent, in order, and what is sent because of it. */
static inline void run(void)
{
	for (unsigned i = 0; i < sent_count; i++) {
		for (unsigned n = 0; n < HOMES; n++) {
			/* loopback of multicast: also to who sent it */
			if (lans[n] && (address_is_multicast(&sent[i].path.remote)
						? link_for(&homes[n], &sent[i].path.remote) != 0
						: has(&homes[n], &sent[i].path.remote)))
				deliver(&sent[i], &homes[n]);
		}
	}
}

static inline unsigned count_of(uint8_t kind, const struct small_home *from)
{
	unsigned count = 0;

	for (unsigned i = 0; i < sent_count; i++)
		count += sent[i].data[0] == kind && sent[i].from == from;
	return count;
}

static inline void pass(mono_ns length)
{
	for (unsigned i = 0; i < HOMES; i++) {
		homes[i].rooms.now += length;
		homes[i].rooms.wall += (wall_ms)(length / MILLISECOND);
	}
}

static inline void unplug(struct small_home *h)
{
	h->network.address_count = h->network.link_count = 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
