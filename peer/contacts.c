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
#include "shared/text.h"

/* Who may connect follows from what we know. Links are closed in a step only, where the
 * moment is known. */
static void admission(struct contacts *c, struct person *p)
{
	bool is_refused = account_standing(c->rooms->account) == STANDING_REFUSED;
	bool is_wanted, is_relayed;

	p->is_speaking = p->is_unseen && person_is_open(p) &&
			 reach_has_words(c->rooms->reach, p);
	is_wanted = person_may_link(p) && !is_refused;
	is_relayed = person_link_consent(p) == CONSENT_RELAY;
	/* Nobody tells us of them any more. Not before the step in which they were parted from is
	 * stored: where it was not they are a contact still, of whom the directory says nothing anew. */
	if ((p->is_parted && !person_is_listed(p)) || (is_refused && p->is_online))
		contacts_lose_sight(c, p);
	p->is_parted = false;
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
	if (is_wanted && !(p->is_admitted && p->is_admitted_relayed == is_relayed)) {
		endpoint_admit(c->rooms->endpoint, &p->identity, is_relayed);
		p->admitted = p->identity;
		p->is_admitted = true;
		p->is_admitted_relayed = is_relayed;
	}
}

/* The account is gone: nobody is a contact of nobody's. What was said stays. */
static void part(struct contacts *c, struct person *p)
{
	p->is_key_changed = p->is_change_signed = false;
	p->stamp = 0;
	contacts_change_state(c, p, CONTACT_ASKED, true);
}

mono_ns contacts_step(struct contacts *c)
{
	bool is_nobody = account_standing(c->rooms->account) == STANDING_NONE;
	struct person *p;

	contacts_hear_again(c);
	contacts_follow_invisible(c);
	for (unsigned i = 0; (p = persons_at(c->rooms->persons, i)) != NULL; i++) {
		if (is_nobody && !p->is_removed)
			part(c, p);
		admission(c, p);
	}
	return c->again_at;
}

bool contacts_take_turn(struct contacts *c)
{
	bool has_turned = c->has_turned;

	c->has_turned = false;
	return has_turned;
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

static void open_all(struct contacts *c)
{
	struct person *p;

	for (unsigned i = 0; (p = persons_at(c->rooms->persons, i)) != NULL; i++) {
		p->is_unseen = p->is_hidden || c->is_invisible;
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
	if (p->id == 0) /* it never was in the store */
		address_book_forget(c->rooms->book, p);
}

int contacts_new(struct contacts **out, struct rooms *rooms)
{
	struct contacts *c = memory_new(sizeof *c);
	int err;

	c->rooms = rooms;
	c->again_at = NEVER;
	c->is_invisible = account_is_invisible(rooms->account);
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
	contacts_forget_heard(c);
	free(c->changes);
	free(c);
}

void contacts_reload(struct contacts *c)
{
	struct persons *persons = c->rooms->persons;
	struct person *p;

	contacts_missed(c);
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

static int check_add(struct contacts *c, const struct name *name, const struct person *p,
		     const struct identity_public *identity, const char *greeting)
{
	if (account_standing(c->rooms->account) == STANDING_NONE ||
	    account_standing(c->rooms->account) == STANDING_PENDING)
		return ERR_STATE;
	if (name_equal(name, account_name(c->rooms->account)))
		return ERR_REFUSED;
	if (identity && contacts_is_another_s(c, p, identity))
		return ERR_REFUSED;
	if (greeting && *greeting) {
		if (!identity && !(p && p->has_identity))
			return ERR_STATE;
		if (!bytes_is_utf8(bytes_text(greeting)))
			return ERR_FORMAT;
		if (contacts_characters(greeting) > WIRE_GREETING_MAX)
			return ERR_LIMIT;
	}
	if (p && person_is_listed(p) && !identity)
		return ERR_EXISTS;
	if (!(p && person_is_listed(p)) &&
	    contacts_count(c, person_is_listed) >= WIRE_CONTACTS_MAX)
		return ERR_LIMIT;
	return 0;
}

/* Who has their contact link seals a greeting, if only an empty one. */
static void show_link(struct contacts *c, struct person *p)
{
	if (p->state != CONTACT_ASKED || p->our_greeting)
		return;
	p->our_greeting = memory_text("");
	persons_save(c->rooms->persons, p);
	contacts_list_changed(c, &p->name, true);
}

int contacts_add(struct contacts *c, const struct name *name,
		 const struct identity_public *identity, const char *greeting)
{
	struct person *p = persons_find(c->rooms->persons, name);
	bool asks = p && contacts_is_request(p);
	int err = check_add(c, name, p, identity, greeting);

	if (err < 0)
		return err;
	if (!p)
		p = contacts_make(c, name);
	/* The link vouches for the key, also for the one we had. */
	if (identity && (!p->has_identity || p->is_key_changed ||
			 !identity_public_equal(&p->identity, identity))) {
		contacts_touch(c, p);
		contacts_trust(c, p, identity, false);
	}
	if (person_is_listed(p)) {
		show_link(c, p);
		return 0;
	}
	person_set_text(&p->our_greeting, asks ? NULL : greeting);
	if (identity && !asks && !p->our_greeting)
		p->our_greeting = memory_text("");
	contacts_set_state(c, p, asks ? CONTACT_MUTUAL : CONTACT_ASKED, false);
	return 0;
}

int contacts_accept(struct contacts *c, const struct name *name)
{
	struct person *p = persons_find(c->rooms->persons, name);
	bool has_held = p && conversations_held(p) > 0;
	bool is_waiting = p && (contacts_is_request(p) || p->is_key_changed || has_held);

	if (!p || p->is_removed)
		return ERR_NOT_FOUND;
	if (!is_waiting || p->state == CONTACT_BLOCKED)
		return ERR_STATE;
	if (contacts_is_request(p) && contacts_count(c, person_is_listed) >= WIRE_CONTACTS_MAX)
		return ERR_LIMIT;
	if (contacts_is_another_s(c, p, p->is_key_changed ? &p->new_identity : &p->identity))
		return ERR_REFUSED;
	if (p->is_key_changed) {
		struct identity_public accepted = p->new_identity;

		contacts_trust(c, p, &accepted, false);
		contacts_list_again(c, p);
	}
	if (has_held)
		conversations_release_held(c->rooms->conversations, p);
	contacts_set_state(c, p, p->state == CONTACT_REQUESTS ? CONTACT_MUTUAL : p->state,
			   false);
	return 0;
}

/* Something else than who they are to us. */
static void decided(struct contacts *c, struct person *p)
{
	contacts_touch(c, p);
	persons_save(c->rooms->persons, p);
	contacts_tell(c, p, EVENT_CONTACT);
}

int contacts_verify(struct contacts *c, const struct name *name, bool is_verified)
{
	struct person *p = persons_find(c->rooms->persons, name);

	if (!p || p->is_removed)
		return ERR_NOT_FOUND;
	if (!p->has_identity)
		return ERR_STATE;
	if (p->is_key_changed)
		return ERR_KEY_CHANGED;
	if (p->is_verified == is_verified)
		return 0;
	p->is_verified = is_verified;
	decided(c, p);
	return 0;
}

int contacts_set_consent(struct contacts *c, const struct name *name, enum consent consent)
{
	struct person *p = persons_find(c->rooms->persons, name);

	if (!p || p->is_removed)
		return ERR_NOT_FOUND;
	if (p->consent == consent)
		return 0;
	contacts_change_consent(c, p, consent);
	decided(c, p);
	return 0;
}

int contacts_set_hidden(struct contacts *c, const struct name *name, bool is_hidden)
{
	struct person *p = persons_find(c->rooms->persons, name);

	if (!p || p->is_removed)
		return ERR_NOT_FOUND;
	if (p->is_hidden == is_hidden)
		return 0;
	contacts_change_hidden(c, p, is_hidden);
	decided(c, p);
	return 0;
}

void contacts_set_invisible(struct contacts *c, bool is_invisible)
{
	account_set_invisible(c->rooms->account, is_invisible);
	contacts_follow_invisible(c);
}

int contacts_set_read_marks(struct contacts *c, const struct name *name, int tells_read)
{
	struct person *p = persons_find(c->rooms->persons, name);

	if (!p || p->is_removed)
		return ERR_NOT_FOUND;
	p->tells_read = tells_read;
	persons_save(c->rooms->persons, p);
	return 0;
}

int contacts_block(struct contacts *c, const struct name *name)
{
	struct person *p = persons_find(c->rooms->persons, name);

	if (account_standing(c->rooms->account) == STANDING_NONE)
		return ERR_STATE;
	if (p && contacts_is_blocked(p))
		return 0;
	if (contacts_count(c, contacts_is_blocked) >= CONTACTS_BLOCKED_MAX)
		return ERR_LIMIT;
	if (!p)
		p = contacts_make(c, name);
	p->is_key_changed = p->is_change_signed = false;
	contacts_set_state(c, p, CONTACT_BLOCKED, false);
	/* They may know the knock: with another one our port is closed to them. */
	account_rotate_knock(c->rooms->account);
	return 0;
}

int contacts_remove(struct contacts *c, const struct name *name)
{
	struct person *p = persons_find(c->rooms->persons, name);

	if (!p || p->is_removed)
		return ERR_NOT_FOUND;
	p->is_key_changed = p->is_change_signed = false;
	contacts_set_state(c, p, p->state == CONTACT_BLOCKED ? CONTACT_ASKED : p->state, true);
	return 0;
}

void contacts_fill(const struct person *p, struct contact *out)
{
	const struct conversation *v = p->conversation;

	memset(out, 0, sizeof *out);
	out->name = p->name;
	out->state = p->state;
	out->is_online = p->is_online && person_is_listed(p);
	out->has_identity = p->has_identity;
	out->is_key_changed = p->is_key_changed;
	out->is_verified = p->is_verified;
	out->identity = p->identity;
	if (p->is_key_changed)
		out->new_identity = p->new_identity;
	out->is_change_signed = p->is_change_signed;
	out->consent = p->consent;
	out->is_hidden_from = p->is_unseen;
	out->devices = p->devices.count;
	out->held = conversations_held(p);
	out->last_seen = p->last_seen;
	if (p->greeting)
		snprintf(out->greeting, sizeof out->greeting, "%s", p->greeting);
	out->unread = v->unread;
	out->queued = v->ours.next - v->delivered;
	out->our_timer = v->our_timer.life;
	out->their_timer = v->their_timer.life;
	reach_fill(p, out);
}
