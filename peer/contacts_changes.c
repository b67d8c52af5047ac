#include "peer/contacts_inside.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/conversations.h"
#include "peer/events.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "shared/error.h"

struct person *contacts_make(struct contacts *c, const struct name *name)
{
	struct person *p = persons_add(c->rooms->persons, name);

	p->is_removed = true;
	p->is_unseen = c->is_invisible;
	persons_save(c->rooms->persons, p);
	conversations_open(c->rooms->conversations, p);
	return p;
}

void contacts_tell(struct contacts *c, const struct person *p, enum event_kind kind)
{
	struct event e = { .kind = kind, .name = p->name, .is_online = p->is_online };

	if (kind == EVENT_REQUEST && p->greeting)
		snprintf(e.greeting, sizeof e.greeting, "%s", p->greeting);
	events_add(c->rooms->events, &e);
}

void contacts_set_online(struct contacts *c, struct person *p, bool is_online)
{
	if (p->is_online == is_online)
		return;
	p->is_online = is_online;
	contacts_tell_presence(c, p);
}

void contacts_tell_presence(struct contacts *c, struct person *p)
{
	c->has_presence = true;
	p->last_seen = c->rooms->wall;
	persons_save(c->rooms->persons, p);
	contacts_tell(c, p, EVENT_PRESENCE);
}

void contacts_lose_sight(struct contacts *c, struct person *p)
{
	reach_presence(c->rooms->reach, p, NULL, 0);
	contacts_set_online(c, p, false);
}

void contacts_list_changed(struct contacts *c, const struct name *name, bool is_listed)
{
	c->changes = memory_grow(c->changes, c->change_count + 1, sizeof *c->changes);
	c->changes[c->change_count++] = (struct listing_change){ *name, is_listed };
}

void contacts_list_again(struct contacts *c, const struct person *p)
{
	if (!person_is_listed(p))
		return;
	contacts_list_changed(c, &p->name, false);
	contacts_list_changed(c, &p->name, true);
}

void contacts_touch(struct contacts *c, struct person *p)
{
	uint64_t now = c->rooms->wall > 0 ? (uint64_t)c->rooms->wall : 0;

	p->stamp = now > p->stamp ? now : p->stamp + 1;
	account_vault_changed(c->rooms->account);
}

void contacts_change_state(struct contacts *c, struct person *p, enum contact_state state,
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
		contacts_list_changed(c, &p->name, person_is_listed(p));
	if (was_listed && !person_is_listed(p)) {
		p->is_parted = true;
		address_book_forget(c->rooms->book, p);
	}
	contacts_tell(c, p, EVENT_CONTACT);
}

void contacts_set_state(struct contacts *c, struct person *p, enum contact_state state,
			bool is_removed)
{
	/* A request that goes was never in the vault. */
	if (!is_removed || p->stamp > 0 || p->state != CONTACT_REQUESTS)
		contacts_touch(c, p);
	contacts_change_state(c, p, state, is_removed);
}

void contacts_change_consent(struct contacts *c, struct person *p, enum consent consent)
{
	if (p->consent == consent)
		return;
	p->consent = consent;
	if (person_is_listed(p))
		contacts_list_changed(c, &p->name, true);
	/* They may know the knock, as who is blocked may. Who is reached through others goes on
	 * needing it. */
	if (consent == CONSENT_NEVER)
		account_rotate_knock(c->rooms->account);
}

/* True: they could see us, and may know the knock, as who is blocked may. */
static bool look(struct contacts *c, struct person *p)
{
	bool was_unseen = p->is_unseen;

	p->is_unseen = p->is_hidden || c->is_invisible;
	p->is_speaking = false;
	return p->is_unseen && !was_unseen && person_is_open(p);
}

void contacts_change_hidden(struct contacts *c, struct person *p, bool is_hidden)
{
	if (p->is_hidden == is_hidden)
		return;
	p->is_hidden = is_hidden;
	if (look(c, p))
		account_rotate_knock(c->rooms->account);
	if (person_is_listed(p))
		contacts_list_changed(c, &p->name, true);
}

void contacts_follow_invisible(struct contacts *c)
{
	bool is_invisible = account_is_invisible(c->rooms->account);
	bool may_be_known = false;
	struct person *p;

	if (c->is_invisible == is_invisible)
		return;
	c->is_invisible = is_invisible;
	c->has_turned = true;
	for (unsigned i = 0; (p = persons_at(c->rooms->persons, i)) != NULL; i++)
		may_be_known |= look(c, p);
	if (may_be_known)
		account_rotate_knock(c->rooms->account);
}

void contacts_trust(struct contacts *c, struct person *p,
		    const struct identity_public *identity, bool keep_queued)
{
	bool is_new = !p->has_identity || !identity_public_equal(&p->identity, identity);

	p->is_renewed |= is_new && p->has_identity;
	p->identity = *identity;
	p->has_identity = true;
	p->is_key_changed = p->is_change_signed = false;
	if (is_new) {
		p->is_verified = false;
		memset(&p->devices, 0, sizeof p->devices);
	}
	persons_save(c->rooms->persons, p);
	if (is_new)
		conversations_identified(c->rooms->conversations, p, keep_queued);
}

unsigned contacts_count(const struct contacts *c, bool (*is)(const struct person *p))
{
	const struct person *p;
	unsigned count = 0;

	for (unsigned i = 0; (p = persons_at(c->rooms->persons, i)) != NULL; i++)
		count += is(p);
	return count;
}

bool contacts_is_request(const struct person *p)
{
	return !p->is_removed && p->state == CONTACT_REQUESTS;
}

bool contacts_is_blocked(const struct person *p)
{
	return !p->is_removed && p->state == CONTACT_BLOCKED;
}

bool contacts_is_another_s(const struct contacts *c, const struct person *p,
			   const struct identity_public *identity)
{
	const struct identity_public *ours = account_identity(c->rooms->account);
	const struct person *x;

	if (ours && identity_public_equal(ours, identity))
		return true;
	for (unsigned i = 0; (x = persons_at(c->rooms->persons, i)) != NULL; i++) {
		if (x != p && x->has_identity &&
		    (person_is_listed(x) || contacts_is_blocked(x)) &&
		    identity_public_equal(&x->identity, identity))
			return true;
	}
	return false;
}

unsigned contacts_characters(const char *text)
{
	unsigned count = 0;

	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}
