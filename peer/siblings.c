#include "peer/siblings.h"

#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/contacts.h"
#include "peer/conversations.h"
#include "peer/events.h"
#include "peer/persons.h"
#include "peer/reach.h"

struct siblings {
	struct rooms *rooms;
	bool has_begun;
	uint16_t online;    /* those told of: a bit for each place in our list */
	uint64_t online_of; /* ... of this version */
};

struct siblings *siblings_new(struct rooms *rooms)
{
	struct siblings *s = memory_new(sizeof *s);

	s->rooms = rooms;
	return s;
}

void siblings_free(struct siblings *s)
{
	free(s);
}

static struct person *self_of(const struct siblings *s)
{
	return persons_self(s->rooms->persons);
}

/* --- who we are --- */

/* Another identity: to everybody we are somebody else, and links were made with the one before. */
static void rekeyed(struct siblings *s, const struct identity_public *identity)
{
	struct rooms *r = s->rooms;
	struct person *self = self_of(s), *p;

	if (self->has_identity) {
		reach_renew(r->reach, self);
		for (unsigned i = 0; (p = persons_at(r->persons, i)) != NULL; i++)
			reach_drop(r->reach, p);
	}
	/* At the start they are of the identity of now already. */
	if (s->has_begun)
		conversations_rekeyed(r->conversations);
	self->identity = *identity;
	self->has_identity = true;
}

static void admit(struct siblings *s)
{
	struct person *self = self_of(s);
	bool is_wanted = person_is_open(self);

	if (self->is_admitted &&
	    !(is_wanted && identity_public_equal(&self->admitted, &self->identity))) {
		reach_drop(s->rooms->reach, self);
		endpoint_dismiss(s->rooms->endpoint, &self->admitted);
		self->is_admitted = false;
	}
	if (is_wanted && !self->is_admitted) {
		endpoint_admit(s->rooms->endpoint, &self->identity, false);
		self->admitted = self->identity;
		self->is_admitted = true;
	}
}

/* The list the account has is the one that counts; what it changes is done at once. */
static void take_list(struct siblings *s)
{
	const struct device_list *now = account_devices(s->rooms->account);
	struct person *self = self_of(s);
	struct device_list *before;

	if (now->version == self->devices.version &&
	    identity_public_equal(&now->identity, &self->devices.identity))
		return;
	before = memory_new(sizeof *before);
	*before = self->devices;
	self->devices = *now;
	reach_devices(s->rooms->reach, self, before);
	free(before);
}

static void follow_account(struct siblings *s)
{
	const struct account *a = s->rooms->account;
	const struct identity_public *identity = account_identity(a);
	struct person *self = self_of(s);
	bool is_member = identity && account_standing(a) == STANDING_MEMBER;

	if (!is_member && !self->is_removed)
		reach_presence(s->rooms->reach, self, NULL, 0);
	self->is_removed = !is_member;
	if (is_member) {
		self->name = *account_name(a);
		if (!self->has_identity || !identity_public_equal(&self->identity, identity))
			rekeyed(s, identity);
		take_list(s);
	}
	s->has_begun = true;
	admit(s);
}

/* --- what is told --- */

static bool vouches(const struct siblings *s, const struct certificate *c)
{
	const struct person *self = self_of(s);

	return person_is_open(self) && certificate_holds(c, s->rooms->wall) &&
	       identity_public_equal(&c->identity, &self->identity) &&
	       !device_public_equal(&c->device, account_device(s->rooms->account)) &&
	       device_list_find(&self->devices, &c->device) &&
	       (reach_knows(self, c) || certificate_verify(c) == 0);
}

void siblings_presence(struct rooms *r, const struct wire_presence *presence)
{
	const struct wire_device *devices[WIRE_DEVICES_MAX];
	struct siblings *s = r->siblings;
	unsigned count = 0;

	if (presence->devices.version > 0)
		account_hear_devices(s->rooms->account, &presence->devices);
	follow_account(s);
	for (unsigned i = 0; i < presence->device_count; i++) {
		if (vouches(s, &presence->online[i].certificate))
			devices[count++] = &presence->online[i];
	}
	reach_presence(s->rooms->reach, self_of(s), devices, count);
}

void siblings_introduced(struct rooms *r, const struct wire_introduction *introduction)
{
	struct siblings *s = r->siblings;

	follow_account(s);
	if (vouches(s, &introduction->device.certificate))
		reach_introduced(s->rooms->reach, self_of(s), introduction);
}

static void hand_on_lists(struct siblings *s)
{
	struct device_list *list = memory_new(sizeof *list);
	struct person *p;

	while (reach_next_devices(s->rooms->reach, &p, list)) {
		if (p->is_self)
			account_hear_devices(s->rooms->account, list);
		else
			contacts_devices(s->rooms->contacts, p, list);
	}
	free(list);
}

static void tell_online(struct siblings *s)
{
	const struct person *self = self_of(s);
	struct event e = { .kind = EVENT_DEVICES };
	uint16_t online = 0;

	for (unsigned i = 0; i < self->devices.count; i++) {
		if (reach_sees(self, &self->devices.devices[i].device))
			online |= (uint16_t)(1u << i);
	}
	/* A new list is told of by the account. */
	if (online != s->online && s->online_of == self->devices.version)
		events_add(s->rooms->events, &e);
	s->online = online;
	s->online_of = self->devices.version;
}

void siblings_step(struct rooms *r)
{
	struct siblings *s = r->siblings;

	follow_account(s);
	hand_on_lists(s);
	follow_account(s);
	tell_online(s);
}

bool siblings_is_online(const struct rooms *r, const struct device_public *device)
{
	return reach_sees(persons_self(r->persons), device);
}
