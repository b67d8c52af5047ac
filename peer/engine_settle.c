/* The end of a step, and of what a face has changed: one commit. */
#include "peer/engine_inside.h"

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/contacts.h"
#include "peer/conversations.h"
#include "peer/directory_client.h"
#include "peer/events.h"
#include "peer/forwarding.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/safe.h"
#include "peer/store.h"

/* Rooms write what they kept in memory; what was delivered alone waits for company. */
static void save(struct rooms *r)
{
	struct person *p;

	if (!store_is_writing(r->store) && r->now < r->save_at)
		return;
	r->save_at = NEVER;
	reach_save(r->reach);
	for (unsigned i = 0; (p = persons_at(r->persons, i)) != NULL; i++)
		conversations_save(r->conversations, p);
	directory_client_save(r->directory);
}

int engine_settle(struct engine *e)
{
	struct rooms *r = &e->rooms;
	int err;

	address_book_settle(r->book);
	save(r);
	err = store_commit(r->store);
	if (err == 0) {
		events_release(r->events);
		reach_release(r->reach);
		listing_release(&e->listing, r, safe_is_fetching(e->safe));
		safe_release(e->safe);
		directory_client_release(r->directory);
		return 0;
	}
	events_drop(r->events, err);
	account_reload(r->account);
	contacts_reload(r->contacts);
	address_book_reload(r->book);
	forwarding_reload(r->forwarding);
	reach_undo(r->reach);
	safe_undo(e->safe);
	store_commit(r->store); /* what reading again may have begun */
	return err;
}
