#include "peer/contacts_inside.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/conversations.h"
#include "peer/events.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "shared/error.h"
#include "shared/text.h"

#define KEY_TOLD (60 * SECOND) /* between two keys of one name that nobody has accepted */
/* Until what could not be stored is heard again: a disk may be full for long, and the directory counts a list that
 * begins anew as 40 messages, of 50 in a second. */
#define HEAR_AGAIN (2 * SECOND)

/* Another key than the one we know is shown: told whenever it is another one again, so that
 * nobody accepts one that was not seen. */
static void key_changed(struct contacts *c, struct person *p,
			const struct identity_public *identity, bool is_signed)
{
	bool is_known = p->is_key_changed && identity_public_equal(&p->new_identity, identity);

	if (is_known && p->is_change_signed >= is_signed)
		return;
	/* The first one at once; who shows others all the time is not believed more. */
	if (!is_known && p->is_key_changed && c->rooms->now < p->key_told_at + KEY_TOLD)
		return;
	p->key_told_at = c->rooms->now;
	p->new_identity = *identity;
	p->is_key_changed = true;
	p->is_change_signed = is_signed;
	persons_save(c->rooms->persons, p);
	if (!is_known)
		contacts_tell(c, p, EVENT_KEY_CHANGED);
}

/* --- the lists of their devices --- */

static void keep_list(struct contacts *c, struct person *p, const struct device_list *devices)
{
	struct device_list *before = memory_new(sizeof *before);

	*before = p->devices;
	p->devices = *devices;
	persons_save(c->rooms->persons, p);
	reach_devices(c->rooms->reach, p, before);
	free(before);
}

static bool is_past(const struct device_list *devices, const struct identity_public *identity)
{
	for (unsigned i = 0; devices->version > 0 && i < devices->past_count; i++) {
		if (identity_public_equal(&devices->past[i].identity, identity))
			return true;
	}
	return false;
}

/* The identity before has vouched for this one. */
static void succeeded(struct contacts *c, struct person *p, const struct device_list *devices)
{
	struct event e = { .kind = EVENT_NOTICE, .name = p->name };

	if (p->is_verified) {
		key_changed(c, p, &devices->identity, true);
		return;
	}
	contacts_touch(c, p);
	contacts_trust(c, p, &devices->identity, true);
	keep_list(c, p, devices);
	snprintf(e.detail, sizeof e.detail, "%s",
		 N_("has a new key, and the old one vouches for it; what was written before "
		    "and not "
		    "delivered, if anything, waits until you accept"));
	events_add(c->rooms->events, &e);
}

void contacts_devices(struct contacts *c, struct person *p, const struct device_list *devices)
{
	bool is_known = p->devices.version == devices->version &&
			sodium_memcmp(p->devices.signature, devices->signature, 64) == 0;

	if (devices->version == 0 || is_known || contacts_is_blocked(p))
		return;
	if (device_list_verify(devices) < 0)
		return;
	if (!p->has_identity) {
		if (contacts_is_another_s(c, p, &devices->identity))
			return;
		contacts_touch(c, p);
		contacts_trust(c, p, &devices->identity, false);
	}
	if (identity_public_equal(&p->identity, &devices->identity)) {
		if (device_list_follows(devices->version, p->devices.version))
			keep_list(c, p, devices);
		return;
	}
	/* An old list is shown again, or one of somebody else. */
	if (!device_list_follows(devices->version, p->devices.version) ||
	    is_past(&p->devices, &devices->identity) ||
	    contacts_is_another_s(c, p, &devices->identity))
		return;
	if (device_list_descends(devices, &p->identity))
		succeeded(c, p, devices);
	else
		key_changed(c, p, &devices->identity, false);
}

/* A device shown under this name: whether it is the contact's. */
static bool vouches(struct contacts *c, struct person *p, const struct certificate *cert)
{
	if (!certificate_holds(cert, c->rooms->wall))
		return false;
	if (device_public_equal(&cert->device, account_device(c->rooms->account)))
		return false;
	if (!reach_knows(p, cert) && certificate_verify(cert) < 0)
		return false;
	if (!p->has_identity) {
		if (contacts_is_another_s(c, p, &cert->identity))
			return false;
		contacts_touch(c, p);
		contacts_trust(c, p, &cert->identity, false);
	}
	if (identity_public_equal(&p->identity, &cert->identity)) {
		/* Revoked, or not heard of in the newest list. */
		return p->devices.version == 0 || device_list_find(&p->devices, &cert->device);
	}
	if (is_past(&p->devices, &cert->identity))
		return false;
	key_changed(c, p, &cert->identity, false);
	return true;
}

void contacts_presence(struct contacts *c, const struct wire_presence *presence)
{
	const struct wire_device *devices[WIRE_DEVICES_MAX];
	struct person *p = persons_find(c->rooms->persons, &presence->name);
	unsigned count = 0;

	if (!p || !person_is_listed(p))
		return;
	c->has_seen = true;
	contacts_devices(c, p, &presence->devices);
	for (unsigned i = 0; i < presence->device_count; i++) {
		if (vouches(c, p, &presence->online[i].certificate))
			devices[count++] = &presence->online[i];
	}
	p->is_stale = false;
	if (count > 0 && p->state == CONTACT_ASKED)
		contacts_set_state(c, p, CONTACT_MUTUAL, false);
	reach_presence(c->rooms->reach, p, devices, count);
	contacts_set_online(c, p, count > 0);
}

void contacts_introduced(struct contacts *c, const struct wire_introduction *introduction)
{
	struct person *p = persons_find(c->rooms->persons, &introduction->name);

	if (p && person_is_listed(p) && vouches(c, p, &introduction->device.certificate))
		reach_introduced(c->rooms->reach, p, introduction);
}

/* The key that waits for the person to decide. */
static bool is_shown(const struct person *p, const struct identity_public *identity)
{
	return identity_public_equal(p->is_key_changed ? &p->new_identity : &p->identity,
				     identity);
}

/* By our settings. Who has our contact link has sealed a greeting, perhaps an empty one. */
static bool is_heard(struct contacts *c, const struct wire_asked *asked, char *greeting,
		     size_t size)
{
	const struct account *a = c->rooms->account;
	bool has_link = asked->greeting.size > 0 &&
			account_open_seal(a, asked->greeting, greeting, size) >= 0;

	switch (account_requests(a)) {
	case REQUESTS_ANYONE:
		return true;
	case REQUESTS_LINK:
		return has_link;
	default:
		return false;
	}
}

/* Until it is stored. */
static void keep_asking(struct contacts *c, const struct wire_asked *asked)
{
	struct asking *one = NULL;

	for (unsigned i = 0; i < c->asking_count && !one; i++) {
		if (name_equal(&c->askings[i].said.name, &asked->name))
			one = &c->askings[i];
	}
	if (!one) {
		if (c->asking_count == CONTACTS_REQUESTS_MAX)
			return;
		c->askings = memory_grow(c->askings, c->asking_count + 1, sizeof *one);
		one = &c->askings[c->asking_count++];
		*one = (struct asking){ 0 };
	}
	one->said = *asked;
	one->greeting.size = 0;
	buf_append(&one->greeting, asked->greeting);
	one->said.greeting = buf_view(&one->greeting);
}

void contacts_asked(struct contacts *c, const struct wire_asked *asked)
{
	struct person *p = persons_find(c->rooms->persons, &asked->name);
	char greeting[WIRE_GREETING_MAX * 4 + 1] = "";

	if (name_equal(&asked->name, account_name(c->rooms->account)))
		return;
	if (p && (contacts_is_blocked(p) || person_is_listed(p)))
		return;
	if (contacts_is_another_s(c, p, &asked->identity))
		return;
	if (!is_heard(c, asked, greeting, sizeof greeting))
		return;
	keep_asking(c, asked);
	if (!(p && contacts_is_request(p)) &&
	    contacts_count(c, contacts_is_request) >= CONTACTS_REQUESTS_MAX)
		return;
	if (contacts_characters(greeting) > WIRE_GREETING_MAX)
		greeting[0] = '\0';
	if (p && contacts_is_request(p) && is_shown(p, &asked->identity) &&
	    (p->greeting || !greeting[0]))
		return; /* who asks again is not told again, whatever the words */
	if (!p)
		p = contacts_make(c, &asked->name);
	if (!p->has_identity)
		contacts_trust(c, p, &asked->identity, false);
	p->state = CONTACT_REQUESTS;
	p->is_removed = false;
	person_set_text(&p->greeting, greeting);
	persons_save(c->rooms->persons, p);
	contacts_tell(c, p, EVENT_REQUEST);
	if (!identity_public_equal(&p->identity, &asked->identity))
		key_changed(c, p, &asked->identity, false);
}

static void drop_askings(struct asking *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		buf_clear(&list[i].greeting);
	free(list);
}

void contacts_forget_heard(struct contacts *c)
{
	drop_askings(c->askings, c->asking_count);
	c->askings = NULL;
	c->asking_count = 0;
	c->has_seen = false;
}

void contacts_kept(struct contacts *c)
{
	struct person *p;

	if (c->again_at != NEVER)
		return;
	for (unsigned i = 0; c->has_presence && (p = persons_at(c->rooms->persons, i)); i++)
		p->is_told_online = p->is_online;
	c->has_presence = false;
	contacts_forget_heard(c);
}

void contacts_missed(struct contacts *c)
{
	if (c->again_at == NEVER && (c->has_seen || c->has_presence || c->asking_count > 0))
		c->again_at = c->rooms->now + HEAR_AGAIN;
}

void contacts_hear_again(struct contacts *c)
{
	struct asking *list = c->askings;
	unsigned count = c->asking_count;
	struct person *p;

	if (c->rooms->now < c->again_at)
		return;
	c->again_at = NEVER;
	for (unsigned i = 0; (p = persons_at(c->rooms->persons, i)) != NULL; i++) {
		if (p->is_online != p->is_told_online)
			contacts_tell_presence(c, p);
	}
	c->has_turned |= c->has_seen;
	c->has_seen = false;
	c->askings = NULL;
	c->asking_count = 0;
	for (unsigned i = 0; i < count; i++)
		contacts_asked(c, &list[i].said);
	drop_askings(list, count);
}

void contacts_stale(struct contacts *c)
{
	struct person *p;

	for (unsigned i = 0; (p = persons_at(c->rooms->persons, i)) != NULL; i++)
		p->is_stale = p->is_online;
}

void contacts_sweep(struct contacts *c)
{
	struct person *p;

	for (unsigned i = 0; (p = persons_at(c->rooms->persons, i)) != NULL; i++) {
		if (p->is_stale) {
			p->is_stale = false;
			contacts_lose_sight(c, p);
		}
	}
}

void contacts_take_goodbyes(struct contacts *c)
{
	struct person *p;

	while ((p = reach_next_left(c->rooms->reach)) != NULL)
		contacts_set_online(c, p, false);
}
