#include "peer/listing.h"

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/contacts.h"
#include "peer/directory_client.h"
#include "peer/persons.h"

void listing_start(struct listing *l)
{
	l->is_started = false;
}

static void publish(struct listing *l, struct rooms *r)
{
	const struct peer_record *open = address_book_open(r->book);
	const struct peer_record *shut = address_book_shut(r->book);
	struct wire_message m = { .type = WIRE_PUBLISH };

	if (!open || !shut)
		return;
	if (l->is_started && l->open == open->number && l->shut == shut->number)
		return;
	l->open = open->number;
	l->shut = shut->number;
	m.publish.open = *open;
	m.publish.shut = *shut;
	directory_client_send(r->directory, &m);
}

/* Also an empty one, which says that we have their contact link. */
static bool has_greeting(const struct person *p)
{
	return p->state == CONTACT_ASKED && p->our_greeting && p->has_identity;
}

static void say_listed(struct rooms *r, const struct person *p)
{
	struct wire_message m = { .type = WIRE_LIST_ADD };
	struct buf sealed = { 0 };

	m.list_add.name = p->name;
	m.list_add.consent = person_consent(p);
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
	for (unsigned i = 0; (p = persons_at(r->persons, i)) != NULL; i++) {
		if (!person_is_listed(p) || has_greeting(p))
			continue;
		if (m.list.count == WIRE_LIST_CHUNK) {
			directory_client_send(r->directory, &m);
			m.list.is_first = false;
			m.list.count = 0;
		}
		m.list.list[m.list.count++] = (struct wire_listed){ p->name,
								    person_consent(p) };
	}
	m.list.is_last = true;
	directory_client_send(r->directory, &m);
	for (unsigned i = 0; (p = persons_at(r->persons, i)) != NULL; i++) {
		if (person_is_listed(p) && has_greeting(p))
			say_listed(r, p);
	}
}

static void say_change(struct rooms *r, const struct listing_change *change)
{
	struct person *p = persons_find(r->persons, &change->name);
	struct wire_message m = { .type = WIRE_LIST_REMOVE };

	if (change->is_listed) {
		if (p)
			say_listed(r, p);
		return;
	}
	m.list_remove.name = change->name;
	directory_client_send(r->directory, &m);
}

void listing_release(struct listing *l, struct rooms *r, bool is_early)
{
	bool is_online = directory_client_is_online(r->directory) &&
			 !(is_early && !l->is_started);
	struct listing_change change;

	if (is_online) {
		publish(l, r);
		if (contacts_take_turn(r->contacts) || !l->is_started)
			say_list(r);
	}
	/* What changed while we were away, or just before, is in the whole list. */
	while (contacts_next_change(r->contacts, &change)) {
		if (is_online && l->is_started)
			say_change(r, &change);
	}
	l->is_started |= is_online;
}
