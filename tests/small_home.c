#include "tests/small_home.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/candidates.h"
#include "peer/events.h"
#include "peer/expiry.h"
#include "peer/persons.h"
#include "peer/search.h"
#include "peer/store.h"
#include "tests/stored_account.h"

struct address small_address(const char *text)
{
	struct address a;
	int err = address_parse(&a, text, 7000);

	assert(err == 0);
	return a;
}

static void open_rooms(struct small_home *h)
{
	struct rooms *r = &h->rooms;
	struct person *self;
	int err;

	r->events = events_new(r->store);
	r->persons = persons_new(r->store);
	err = persons_load(r->persons);
	assert(err == 0);
	r->candidates = own_candidates_new();
	own_candidates_set_network(r->candidates, &h->network);
	err = account_new(&r->account, r, "test", KSF_ARGON2ID_64M);
	assert(err == 0);
	r->book = address_book_new(r);
	r->expiry = expiry_new(r);
	r->search = search_new(r);
	self = persons_self(r->persons);
	self->name = h->name;
	self->has_identity = true;
	self->identity = h->identity.public;
	self->devices = h->devices;
}

static void close_rooms(struct small_home *h)
{
	struct rooms *r = &h->rooms;

	search_free(r->search);
	expiry_free(r->expiry);
	address_book_free(r->book);
	account_free(r->account);
	own_candidates_free(r->candidates);
	persons_free(r->persons);
	events_free(r->events);
}

static void begin(struct small_home *h)
{
	int err;

	device_make(&h->device);
	randombytes_buf(&h->knock, sizeof h->knock);
	err = device_list_add(&h->devices, &h->device.public, "test", 0);
	assert(err == 0);
	device_list_sign(&h->devices, &h->identity);
	h->rooms.now = 1000 * SECOND;
	h->rooms.wall = SMALL_HOME_WALL;
	h->rooms.save_at = NEVER;
	h->network.port = 7000;
	err = store_open(&h->rooms.store, NULL, NULL, false, NULL, 0);
	assert(err == 0);
	stored_account_write(h->rooms.store,
			     &(struct stored_account){ &h->name, &h->identity, &h->device,
						       &h->knock, &h->devices });
	open_rooms(h);
	small_home_commit(h);
}

void small_home_begin(struct small_home *h, const char *name)
{
	int err;

	memset(h, 0, sizeof *h);
	err = name_parse(&h->name, bytes_text(name));
	assert(err == 0);
	identity_make(&h->identity);
	begin(h);
}

void small_home_begin_sibling(struct small_home *h, const char *name, struct small_home *first)
{
	int err;

	memset(h, 0, sizeof *h);
	err = name_parse(&h->name, bytes_text(name));
	assert(err == 0);
	h->identity = first->identity;
	h->devices = first->devices;
	begin(h);
	first->devices = h->devices;
	small_home_hears_list(first, first);
}

void small_home_end(struct small_home *h)
{
	if (!h->rooms.store)
		return;
	close_rooms(h);
	store_close(h->rooms.store);
	identity_wipe(&h->identity);
	device_wipe(&h->device);
	memset(h, 0, sizeof *h);
}

void small_home_restart(struct small_home *h)
{
	small_home_commit(h);
	close_rooms(h);
	open_rooms(h);
}

void small_home_commit(struct small_home *h)
{
	int err = store_commit(h->rooms.store);

	assert(err == 0);
}

struct person *small_home_person(struct small_home *h, const struct small_home *other)
{
	if (name_equal(&h->name, &other->name))
		return persons_self(h->rooms.persons);
	return persons_find(h->rooms.persons, &other->name);
}

void small_home_hears_list(struct small_home *h, const struct small_home *other)
{
	struct person *p = small_home_person(h, other);

	p->devices = other->devices;
	if (!p->is_self)
		persons_save(h->rooms.persons, p);
}

struct person *small_home_meet(struct small_home *h, const struct small_home *other)
{
	struct person *p = persons_add(h->rooms.persons, &other->name);

	p->state = CONTACT_MUTUAL;
	p->has_identity = true;
	p->identity = other->identity.public;
	small_home_hears_list(h, other);
	return p;
}

void small_home_plug(struct small_home *h, const char *address, uint32_t link)
{
	struct network *n = &h->network;
	struct address *a = &n->addresses[n->address_count++];

	*a = small_address(address);
	a->port = n->port;
	a->scope = a->family == 6 && address_is_link_local(a) ? link : 0;
	if (link && (n->link_count == 0 || n->links[n->link_count - 1] != link))
		n->links[n->link_count++] = link;
	own_candidates_set_network(h->rooms.candidates, n);
}

struct peer_record small_home_record(const struct small_home *h, uint64_t number)
{
	struct peer_record r = { .device = h->device.public,
				 .number = number,
				 .knock = h->knock };
	struct address at = small_address("10.1.2.3:7000");

	candidates_add(&r.candidates, CANDIDATE_HOST, &at);
	peer_record_sign(&r, &h->identity);
	return r;
}
