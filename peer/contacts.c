#include "peer/contacts.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/conversations.h"
#include "peer/events.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/store.h"
#include "shared/error.h"

struct contacts {
	struct rooms *rooms;
	struct listing_change *changes; /* for the directory, since the last commit */
	unsigned change_count, changes_taken;
};

/* Who may connect follows from what we know. Links are closed in a step only, where the
 * moment is known. */
static void admission(struct contacts *c, struct person *p)
{
	bool is_wanted = person_is_open(p);

	if (p->is_renewed) {
		p->is_renewed = false;
		reach_renew(c->rooms->reach, p);
	}
	if (p->is_admitted &&
	    !(is_wanted && identity_public_equal(&p->admitted, &p->identity))) {
		reach_drop(c->rooms->reach, p);
		endpoint_dismiss(c->rooms->endpoint, &p->admitted);
		p->is_admitted = false;
	}
	if (is_wanted && !p->is_admitted) {
		endpoint_admit(c->rooms->endpoint, &p->identity);
		p->admitted = p->identity;
		p->is_admitted = true;
	}
}

void contacts_step(struct contacts *c)
{
	struct person *p;

	for (unsigned i = 0; (p = persons_at(c->rooms->persons, i)) != NULL; i++)
		admission(c, p);
}

static void open_all(struct contacts *c)
{
	struct person *p;

	for (unsigned i = 0; (p = persons_at(c->rooms->persons, i)) != NULL; i++) {
		if (p->conversation)
			conversations_reload(c->rooms->conversations, p);
		else
			conversations_open(c->rooms->conversations, p);
	}
}

/* What other rooms hang on a person goes. */
static void take_apart(struct contacts *c, struct person *p)
{
	reach_forget(c->rooms->reach, p);
	conversations_close(p);
}

int contacts_new(struct contacts **out, struct rooms *rooms)
{
	struct contacts *c = memory_new(sizeof *c);
	int err;

	c->rooms = rooms;
	rooms->contacts = c;
	err = persons_load(rooms->persons);
	if (err < 0) {
		contacts_free(c);
		rooms->contacts = NULL;
		return err;
	}
	open_all(c);
	*out = c;
	return 0;
}

void contacts_free(struct contacts *c)
{
	struct person *p;

	if (!c)
		return;
	for (unsigned i = 0; (p = persons_at(c->rooms->persons, i)) != NULL; i++)
		take_apart(c, p);
	free(c->changes);
	free(c);
}

void contacts_reload(struct contacts *c)
{
	struct persons *persons = c->rooms->persons;
	struct person *p;

	c->change_count = c->changes_taken = 0;
	if (persons_load(persons) < 0)
		return; /* the store cannot be read: what memory says is as good */
	for (unsigned i = 0; (p = persons_at(persons, i)) != NULL; i++) {
		if (p->id != 0)
			continue;
		if (p->is_admitted)
			endpoint_dismiss(c->rooms->endpoint, &p->admitted);
		take_apart(c, p);
	}
	persons_sweep(persons);
	open_all(c);
}

static struct person *make(struct contacts *c, const struct name *name)
{
	struct person *p = persons_add(c->rooms->persons, name);

	p->is_removed = true;
	persons_save(c->rooms->persons, p);
	conversations_open(c->rooms->conversations, p);
	return p;
}

/* --- changes --- */

static void tell(struct contacts *c, const struct person *p, enum event_kind kind)
{
	struct event e = { .kind = kind, .name = p->name, .is_online = p->is_online };

	if (kind == EVENT_REQUEST && p->greeting)
		snprintf(e.greeting, sizeof e.greeting, "%s", p->greeting);
	events_add(c->rooms->events, &e);
}

static void set_online(struct contacts *c, struct person *p, bool is_online)
{
	if (p->is_online == is_online)
		return;
	p->is_online = is_online;
	p->last_seen = c->rooms->wall;
	persons_save(c->rooms->persons, p);
	tell(c, p, EVENT_PRESENCE);
}

/* Their addresses and links, and that they are online, are not ours to know any more. */
static void lose_sight(struct contacts *c, struct person *p)
{
	reach_presence(c->rooms->reach, p, NULL, 0);
	set_online(c, p, false);
}

static void list_changed(struct contacts *c, const struct name *name, bool is_listed)
{
	c->changes = memory_grow(c->changes, c->change_count + 1, sizeof *c->changes);
	c->changes[c->change_count++] = (struct listing_change){ *name, is_listed };
}

bool contacts_next_change(struct contacts *c, struct listing_change *change)
{
	if (c->changes_taken == c->change_count) {
		c->changes_taken = c->change_count = 0;
		return false;
	}
	*change = c->changes[c->changes_taken++];
	return true;
}

static void set_state(struct contacts *c, struct person *p, enum contact_state state,
		      bool is_removed)
{
	bool was_listed = person_is_listed(p);

	p->state = state;
	p->is_removed = is_removed;
	if (state != CONTACT_REQUESTS)
		person_set_text(&p->greeting, NULL);
	if (state != CONTACT_ASKED)
		person_set_text(&p->our_greeting, NULL);
	persons_save(c->rooms->persons, p);
	if (was_listed != person_is_listed(p))
		list_changed(c, &p->name, person_is_listed(p));
	if (was_listed && !person_is_listed(p))
		lose_sight(c, p);
	tell(c, p, EVENT_CONTACT);
}

/* From now on `identity` is the one we trust. */
static void trust(struct contacts *c, struct person *p, const struct identity_public *identity)
{
	bool is_new = !p->has_identity || !identity_public_equal(&p->identity, identity);

	p->is_renewed |= is_new && p->has_identity;
	p->identity = *identity;
	p->has_identity = true;
	p->is_key_changed = false;
	if (is_new)
		p->is_verified = false;
	persons_save(c->rooms->persons, p);
	if (is_new)
		conversations_identified(c->rooms->conversations, p, false);
}

static unsigned count_of(const struct contacts *c, bool (*is)(const struct person *p))
{
	const struct person *p;
	unsigned count = 0;

	for (unsigned i = 0; (p = persons_at(c->rooms->persons, i)) != NULL; i++)
		count += is(p);
	return count;
}

static bool is_request(const struct person *p)
{
	return !p->is_removed && p->state == CONTACT_REQUESTS;
}

static bool is_blocked(const struct person *p)
{
	return !p->is_removed && p->state == CONTACT_BLOCKED;
}

/* One identity is one contact: under a second name, which only a directory that lies would
 * give it, words to the one would go to the other. Nor does a blocked person come back so. */
static bool is_another_s(const struct contacts *c, const struct person *p,
			 const struct identity_public *identity)
{
	const struct identity_public *ours = account_identity(c->rooms->account);
	const struct person *x;

	if (ours && identity_public_equal(ours, identity))
		return true;
	for (unsigned i = 0; (x = persons_at(c->rooms->persons, i)) != NULL; i++) {
		if (x != p && x->has_identity && (person_is_listed(x) || is_blocked(x)) &&
		    identity_public_equal(&x->identity, identity))
			return true;
	}
	return false;
}

static unsigned characters(const char *text)
{
	unsigned count = 0;

	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

static int check_add(struct contacts *c, const struct name *name, const struct person *p,
		     const struct identity_public *identity, const char *greeting)
{
	if (account_standing(c->rooms->account) == STANDING_NONE ||
	    account_standing(c->rooms->account) == STANDING_PENDING)
		return ERR_STATE;
	if (name_equal(name, account_name(c->rooms->account)))
		return ERR_REFUSED;
	if (identity && is_another_s(c, p, identity))
		return ERR_REFUSED;
	if (greeting && *greeting) {
		if (!identity && !(p && p->has_identity))
			return ERR_STATE;
		if (!bytes_is_utf8(bytes_text(greeting)))
			return ERR_FORMAT;
		if (characters(greeting) > WIRE_GREETING_MAX)
			return ERR_LIMIT;
	}
	if (p && person_is_listed(p) && !identity)
		return ERR_EXISTS;
	if (!(p && person_is_listed(p)) && count_of(c, person_is_listed) >= WIRE_CONTACTS_MAX)
		return ERR_LIMIT;
	return 0;
}

int contacts_add(struct contacts *c, const struct name *name,
		 const struct identity_public *identity, const char *greeting)
{
	struct person *p = persons_find(c->rooms->persons, name);
	bool asks = p && is_request(p);
	int err = check_add(c, name, p, identity, greeting);

	if (err < 0)
		return err;
	if (!p)
		p = make(c, name);
	if (identity && !(p->has_identity && identity_public_equal(&p->identity, identity)))
		trust(c, p, identity);
	else if (identity && p->is_key_changed)
		trust(c, p, identity); /* the link vouches for the key we had */
	if (person_is_listed(p))
		return 0;
	person_set_text(&p->our_greeting, asks ? NULL : greeting);
	set_state(c, p, asks ? CONTACT_MUTUAL : CONTACT_ASKED, false);
	return 0;
}

int contacts_accept(struct contacts *c, const struct name *name)
{
	struct person *p = persons_find(c->rooms->persons, name);
	bool is_waiting = p && (is_request(p) || p->is_key_changed);

	if (!p || p->is_removed)
		return ERR_NOT_FOUND;
	if (!is_waiting || p->state == CONTACT_BLOCKED)
		return ERR_STATE;
	if (is_request(p) && count_of(c, person_is_listed) >= WIRE_CONTACTS_MAX)
		return ERR_LIMIT;
	if (is_another_s(c, p, p->is_key_changed ? &p->new_identity : &p->identity))
		return ERR_REFUSED;
	if (p->is_key_changed) {
		struct identity_public accepted = p->new_identity;

		trust(c, p, &accepted);
		/* Listed anew, so that the directory tells again where they are. */
		if (person_is_listed(p)) {
			list_changed(c, &p->name, false);
			list_changed(c, &p->name, true);
		}
	}
	set_state(c, p, p->state == CONTACT_REQUESTS ? CONTACT_MUTUAL : p->state, false);
	return 0;
}

int contacts_block(struct contacts *c, const struct name *name)
{
	struct person *p = persons_find(c->rooms->persons, name);

	if (account_standing(c->rooms->account) == STANDING_NONE)
		return ERR_STATE;
	if (p && is_blocked(p))
		return 0;
	if (count_of(c, is_blocked) >= CONTACTS_BLOCKED_MAX)
		return ERR_LIMIT;
	if (!p)
		p = make(c, name);
	p->is_key_changed = false;
	set_state(c, p, CONTACT_BLOCKED, false);
	/* They may know the knock: with another one our port is closed to them. */
	account_rotate_knock(c->rooms->account);
	return 0;
}

int contacts_remove(struct contacts *c, const struct name *name)
{
	struct person *p = persons_find(c->rooms->persons, name);

	if (!p || p->is_removed)
		return ERR_NOT_FOUND;
	p->is_key_changed = false;
	set_state(c, p, p->state == CONTACT_BLOCKED ? CONTACT_ASKED : p->state, true);
	return 0;
}

int contacts_mark_read(struct contacts *c, struct person *p, uint64_t up_to)
{
	if (up_to <= p->read_up_to)
		return 0;
	p->read_up_to = up_to > INT64_MAX ? INT64_MAX : up_to;
	persons_save(c->rooms->persons, p);
	return conversations_mark_read(c->rooms->conversations, p);
}

/* --- what the directory tells --- */

/* Another key than the one we know is shown: told whenever it is another one again, so that
 * nobody accepts one that was not seen. */
static void key_changed(struct contacts *c, struct person *p,
			const struct identity_public *identity)
{
	if (p->is_key_changed && identity_public_equal(&p->new_identity, identity))
		return;
	p->new_identity = *identity;
	p->is_key_changed = true;
	persons_save(c->rooms->persons, p);
	tell(c, p, EVENT_KEY_CHANGED);
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
		if (is_another_s(c, p, &cert->identity))
			return false;
		trust(c, p, &cert->identity);
	}
	if (!identity_public_equal(&p->identity, &cert->identity))
		key_changed(c, p, &cert->identity);
	return true;
}

void contacts_presence(struct contacts *c, const struct wire_presence *presence)
{
	const struct wire_device *devices[WIRE_DEVICES_MAX];
	struct person *p = persons_find(c->rooms->persons, &presence->name);
	unsigned count = 0;

	if (!p || !person_is_listed(p))
		return;
	for (unsigned i = 0; i < presence->device_count; i++) {
		if (vouches(c, p, &presence->devices[i].certificate))
			devices[count++] = &presence->devices[i];
	}
	p->is_stale = false;
	if (count > 0 && p->state == CONTACT_ASKED)
		set_state(c, p, CONTACT_MUTUAL, false);
	reach_presence(c->rooms->reach, p, devices, count);
	set_online(c, p, count > 0);
}

void contacts_introduced(struct contacts *c, const struct wire_introduction *introduction)
{
	struct person *p = persons_find(c->rooms->persons, &introduction->name);

	if (p && person_is_listed(p) && vouches(c, p, &introduction->device.certificate))
		reach_introduced(c->rooms->reach, p, &introduction->device);
}

/* The key that waits for the person to decide. */
static bool is_shown(const struct person *p, const struct identity_public *identity)
{
	return identity_public_equal(p->is_key_changed ? &p->new_identity : &p->identity,
				     identity);
}

void contacts_asked(struct contacts *c, const struct wire_asked *asked)
{
	struct person *p = persons_find(c->rooms->persons, &asked->name);
	char greeting[WIRE_GREETING_MAX * 4 + 1] = "";

	if (name_equal(&asked->name, account_name(c->rooms->account)))
		return;
	if (p && (is_blocked(p) || person_is_listed(p)))
		return;
	if (is_another_s(c, p, &asked->identity))
		return;
	if (!(p && is_request(p)) && count_of(c, is_request) >= CONTACTS_REQUESTS_MAX)
		return;
	if (asked->greeting.size > 0)
		account_open_seal(c->rooms->account, asked->greeting, greeting,
				  sizeof greeting);
	if (characters(greeting) > WIRE_GREETING_MAX)
		greeting[0] = '\0';
	if (p && is_request(p) && is_shown(p, &asked->identity) &&
	    (p->greeting || !greeting[0]))
		return; /* who asks again is not told again, whatever the words */
	if (!p)
		p = make(c, &asked->name);
	if (!p->has_identity)
		trust(c, p, &asked->identity);
	p->state = CONTACT_REQUESTS;
	p->is_removed = false;
	person_set_text(&p->greeting, greeting);
	persons_save(c->rooms->persons, p);
	tell(c, p, EVENT_REQUEST);
	if (!identity_public_equal(&p->identity, &asked->identity))
		key_changed(c, p, &asked->identity);
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
			lose_sight(c, p);
		}
	}
}

void contacts_take_goodbyes(struct contacts *c)
{
	struct person *p;

	while ((p = reach_next_left(c->rooms->reach)) != NULL)
		set_online(c, p, false);
}

void contacts_fill(const struct person *p, struct contact *out)
{
	const struct conversation *v = p->conversation;

	memset(out, 0, sizeof *out);
	out->name = p->name;
	out->state = p->state;
	out->is_online = p->is_online;
	out->has_identity = p->has_identity;
	out->is_key_changed = p->is_key_changed;
	out->is_verified = p->is_verified;
	out->identity = p->identity;
	if (p->is_key_changed)
		out->new_identity = p->new_identity;
	out->last_seen = p->last_seen;
	if (p->greeting)
		snprintf(out->greeting, sizeof out->greeting, "%s", p->greeting);
	out->unread = v->unread;
	out->queued = v->ours.next - v->delivered;
	reach_fill(p, out);
}
