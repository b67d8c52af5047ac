#include "peer/listing.h"

#include <stdlib.h>

#include "peer/account.h"
#include "peer/candidates.h"
#include "peer/contacts.h"
#include "peer/directory_client.h"

void listing_clear(struct listing *l)
{
	free(l->changes);
	*l = (struct listing){ 0 };
}

void listing_start(struct listing *l)
{
	l->publish_due = l->list_due = true;
	l->change_count = 0;
}

void listing_change(struct listing *l, const struct name *name, bool is_listed)
{
	l->changes = memory_grow(l->changes, l->change_count + 1, sizeof *l->changes);
	l->changes[l->change_count++] = (struct listing_change){ *name, is_listed };
}

void listing_drop(struct listing *l)
{
	l->change_count = 0;
}

static void publish(struct rooms *r)
{
	struct wire_message m = { .type = WIRE_PUBLISH };

	m.publish.knock = *account_knock(r->account);
	m.publish.candidates = *own_candidates(r->candidates);
	directory_client_send(r->directory, &m);
}

static bool has_greeting(const struct person *p)
{
	return p->state == CONTACT_ASKED && p->our_greeting && p->has_identity;
}

static void say_listed(struct rooms *r, const struct person *p)
{
	struct wire_message m = { .type = WIRE_LIST_ADD };
	struct buf sealed = { 0 };

	m.list_add.name = p->name;
	if (has_greeting(p) &&
	    identity_seal(&p->identity, bytes_text(p->our_greeting), &sealed) == 0)
		m.list_add.greeting = buf_view(&sealed);
	directory_client_send(r->directory, &m);
	buf_clear(&sealed);
}

/* All names in chunks; who is asked with a greeting is listed alone, with it. */
static void say_list(struct rooms *r)
{
	struct wire_message m = { .type = WIRE_LIST };
	struct person *p;

	m.list.is_first = true;
	for (unsigned i = 0; (p = contacts_at(r->contacts, i)) != NULL; i++) {
		if (!person_is_listed(p) || has_greeting(p))
			continue;
		if (m.list.count == WIRE_LIST_CHUNK) {
			directory_client_send(r->directory, &m);
			m.list.is_first = false;
			m.list.count = 0;
		}
		m.list.names[m.list.count++] = p->name;
	}
	m.list.is_last = true;
	directory_client_send(r->directory, &m);
	for (unsigned i = 0; (p = contacts_at(r->contacts, i)) != NULL; i++) {
		if (person_is_listed(p) && has_greeting(p))
			say_listed(r, p);
	}
}

static void say_changes(const struct listing *l, struct rooms *r)
{
	for (unsigned i = 0; i < l->change_count; i++) {
		const struct listing_change *change = &l->changes[i];
		struct person *p = contacts_find(r->contacts, &change->name);

		if (change->is_listed && p) {
			say_listed(r, p);
		} else if (!change->is_listed) {
			struct wire_message m = { .type = WIRE_LIST_REMOVE };

			m.list_remove.name = change->name;
			directory_client_send(r->directory, &m);
		}
	}
}

void listing_say(struct listing *l, struct rooms *r)
{
	if (l->publish_due)
		publish(r);
	if (l->list_due)
		say_list(r);
	else
		say_changes(l, r);
	l->publish_due = l->list_due = false;
	l->change_count = 0;
}
