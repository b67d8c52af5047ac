/* The end of a step, and of what a face has changed: one commit. */
#include "peer/engine_inside.h"

#include "peer/account.h"
#include "peer/address_book.h"
#include "peer/bots.h"
#include "peer/contacts.h"
#include "peer/conversations.h"
#include "peer/directory_client.h"
#include "peer/events.h"
#include "peer/files.h"
#include "peer/forwarding.h"
#include "peer/grants.h"
#include "peer/marks.h"
#include "peer/persons.h"
#include "peer/profiles.h"
#include "peer/reach.h"
#include "peer/safe.h"
#include "peer/store.h"
#include "shared/error.h"

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

/* Memory as the store says. Where that cannot be read, memory is nobody's: nothing counts until it
 * can be (engine_is_readable()). */
static void read_again(struct engine *e)
{
	struct rooms *r = &e->rooms;

	account_reload(r->account);
	contacts_reload(r->contacts);
	address_book_reload(r->book);
	forwarding_reload(r->forwarding);
	grants_reload(r->grants);
	reach_undo(r->reach);
	files_undo(r->files);
	if (r->profiles)
		profiles_reload(r->profiles);
	if (r->marks)
		marks_reload(r->marks);
	if (e->bots)
		bots_reload(e->bots);
	e->has_menu = false; /* shown by what is read again */
	safe_undo(e->safe);
	/* With what reading again may have begun. */
	e->is_stale = store_commit(r->store) < 0;
}

bool engine_is_readable(struct engine *e)
{
	if (e->is_stale)
		read_again(e);
	return !e->is_stale;
}

int engine_settle(struct engine *e)
{
	struct rooms *r = &e->rooms;
	int err;

	if (e->is_stale) {
		store_failed(r->store, ERR_IO);
	} else {
		files_take_news(r->files);
		address_book_settle(r->book);
		save(r);
	}
	conversations_drop_news(r->conversations);
	err = store_commit(r->store);
	if (err == 0) {
		account_kept(r->account);
		contacts_kept(r->contacts);
		events_release(r->events);
		reach_release(r->reach);
		files_release(r->files);
		listing_release(&e->listing, r, safe_is_fetching(e->safe));
		safe_release(e->safe);
		directory_client_release(r->directory);
		return 0;
	}
	events_drop(r->events, err);
	read_again(e);
	return err;
}
