#include "peer/contacts_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/persons.h"
#include "shared/error.h"

/* A person as the vault has it; false: not at all. */
static bool form_of(const struct person *p, struct vault_contact *out)
{
	static const enum vault_state states[] = {
		[CONTACT_ASKED] = VAULT_ASKED,
		[CONTACT_REQUESTS] = VAULT_GONE, /* forgotten, and asks again */
		[CONTACT_MUTUAL] = VAULT_MUTUAL,
		[CONTACT_BLOCKED] = VAULT_BLOCKED,
	};
	enum vault_state state = p->is_removed ? VAULT_GONE : states[p->state];

	if (state == VAULT_GONE && p->stamp == 0)
		return false;
	memset(out, 0, sizeof *out);
	out->name = p->name;
	out->state = state;
	out->has_identity = p->has_identity;
	if (p->has_identity)
		out->identity = p->identity;
	out->is_verified = p->is_verified;
	out->consent = p->consent;
	out->is_hidden = p->is_hidden;
	out->stamp = p->stamp;
	return true;
}

static int newest_gone_first(const void *a, const void *b)
{
	const struct vault_contact *x = a, *y = b;

	if ((x->state == VAULT_GONE) != (y->state == VAULT_GONE))
		return x->state == VAULT_GONE ? 1 : -1;
	if (x->stamp != y->stamp)
		return x->stamp > y->stamp ? -1 : 1;
	return strcmp(x->name.text, y->name.text);
}

void contacts_vault_fill(const struct contacts *c, struct vault *v)
{
	const struct persons *persons = c->rooms->persons;
	const struct person *p;
	unsigned count = 0, kept = 0;

	while (persons_at(persons, count))
		count++;
	v->contacts = memory_array(count + 1, sizeof *v->contacts);
	for (unsigned i = 0; (p = persons_at(persons, i)) != NULL; i++)
		v->count += form_of(p, &v->contacts[v->count]);
	qsort(v->contacts, v->count, sizeof *v->contacts, newest_gone_first);
	while (kept < v->count && v->contacts[kept].state != VAULT_GONE)
		kept++;
	if (v->count > kept + CONTACTS_GONE_MAX)
		v->count = kept + CONTACTS_GONE_MAX;
	assert(v->count <= VAULT_CONTACTS_MAX);
}

/* Which of two holds, the same on every device: the newer; of two as new, the one whose encoding
 * sorts last. */
static int compare(const struct vault_contact *a, const struct vault_contact *b)
{
	if (a->stamp != b->stamp)
		return a->stamp < b->stamp ? -1 : 1;
	if (a->state != b->state)
		return a->state < b->state ? -1 : 1;
	if (a->has_identity != b->has_identity)
		return a->has_identity < b->has_identity ? -1 : 1;
	if (a->has_identity && !identity_public_equal(&a->identity, &b->identity))
		return memcmp(a->identity.bytes, b->identity.bytes, sizeof a->identity);
	if (a->is_verified != b->is_verified)
		return a->is_verified < b->is_verified ? -1 : 1;
	if (a->consent != b->consent)
		return (int)a->consent - (int)b->consent;
	return (int)a->is_hidden - (int)b->is_hidden;
}

static bool is_listed(enum vault_state state)
{
	return state == VAULT_ASKED || state == VAULT_MUTUAL;
}

/* What could not stand here, whoever wrote it. */
static bool is_fitting(const struct contacts *c, const struct person *p,
		       const struct vault_contact *v)
{
	if (name_equal(&v->name, account_name(c->rooms->account)))
		return false;
	if (v->has_identity && v->state != VAULT_GONE &&
	    contacts_is_another_s(c, p, &v->identity))
		return false;
	if (is_listed(v->state) && !(p && person_is_listed(p)))
		return contacts_count(c, person_is_listed) < WIRE_CONTACTS_MAX;
	if (v->state == VAULT_BLOCKED && !(p && contacts_is_blocked(p)))
		return contacts_count(c, contacts_is_blocked) < CONTACTS_BLOCKED_MAX;
	return true;
}

static void take_key(struct contacts *c, struct person *p, const struct vault_contact *v)
{
	bool is_other = !p->has_identity || !identity_public_equal(&p->identity, &v->identity);

	/* Another device trusts another key by now; what waits here was written for the old one. */
	if (is_other || (p->is_key_changed && v->is_verified))
		contacts_trust(c, p, &v->identity, p->has_identity);
	p->is_verified = v->is_verified;
}

static void take_state(struct contacts *c, struct person *p, enum vault_state state)
{
	bool is_blocked = contacts_is_blocked(p);

	switch (state) {
	case VAULT_ASKED:
		contacts_change_state(c, p, CONTACT_ASKED, false);
		break;
	case VAULT_MUTUAL:
		contacts_change_state(c, p, CONTACT_MUTUAL, false);
		break;
	case VAULT_BLOCKED:
		p->is_key_changed = p->is_change_signed = false;
		contacts_change_state(c, p, CONTACT_BLOCKED, false);
		/* This device has a knock of its own, which they may know. */
		if (!is_blocked)
			account_rotate_knock(c->rooms->account);
		break;
	case VAULT_GONE:
		p->is_key_changed = p->is_change_signed = false;
		if (contacts_is_request(p))
			persons_save(c->rooms->persons, p); /* asks, since it was forgotten */
		else
			contacts_change_state(c, p, CONTACT_ASKED, true);
		break;
	}
}

static void take(struct contacts *c, struct person *p, const struct vault_contact *v)
{
	bool was_listed = p && person_is_listed(p), is_renewed;

	if (!p)
		p = contacts_make(c, &v->name);
	p->stamp = v->stamp;
	is_renewed = p->has_identity && v->has_identity &&
		     !identity_public_equal(&p->identity, &v->identity);
	if (v->has_identity)
		take_key(c, p, v);
	contacts_change_consent(c, p, v->consent);
	contacts_change_hidden(c, p, v->is_hidden);
	take_state(c, p, v->state);
	if (is_renewed && was_listed)
		contacts_list_again(c, p);
}

static const struct vault_contact *find(const struct vault *v, const struct name *name)
{
	unsigned low = 0, high = v->count;

	/* Sorted by name: decoded so. */
	while (low < high) {
		unsigned middle = (low + high) / 2;
		int order = strcmp(v->contacts[middle].name.text, name->text);

		if (order == 0)
			return &v->contacts[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Whether of something that belongs into the vault we hold the newer. */
static bool is_ahead(const struct contacts *c, const struct vault *v)
{
	struct vault ours = { 0 };
	bool is = false;

	contacts_vault_fill(c, &ours);
	for (unsigned i = 0; !is && i < ours.count; i++) {
		const struct vault_contact *theirs = find(v, &ours.contacts[i].name);

		if (!theirs)
			is = true; /* of the forgotten ones `ours` has the newest */
		else
			is = compare(&ours.contacts[i], theirs) > 0;
	}
	vault_clear(&ours);
	return is;
}

bool contacts_vault_merge(struct contacts *c, const struct vault *v)
{
	struct vault_contact ours;

	for (unsigned i = 0; i < v->count; i++) {
		const struct vault_contact *theirs = &v->contacts[i];
		struct person *p = persons_find(c->rooms->persons, &theirs->name);

		if (p && form_of(p, &ours) && compare(&ours, theirs) >= 0) {
			/* Decided anew on a machine that did not know the key yet. */
			if (!p->has_identity && theirs->has_identity &&
			    is_fitting(c, p, theirs))
				contacts_trust(c, p, &theirs->identity, false);
			continue;
		}
		if (!p && theirs->state == VAULT_GONE && theirs->stamp == 0)
			continue;
		if (is_fitting(c, p, theirs))
			take(c, p, theirs);
	}
	return is_ahead(c, v);
}
