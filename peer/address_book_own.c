/* Our own records: what they say, and when they are made anew. */
#include <string.h>

#include "peer/account.h"
#include "peer/address_book_inside.h"
#include "peer/candidates.h"
#include "peer/persons.h"
#include "peer/store.h"

void address_book_load_own(struct address_book *b)
{
	struct store *store = b->rooms->store;
	struct statement *s = db_sql(store_db(store), "SELECT number FROM own_record");
	int err = db_step(s);

	/* Of a store that was brought here it may be anything: the next one must be a number,
	 * too. */
	if (err == 1 && column_int(s, 0) > 0 && column_int(s, 0) < INT64_MAX / 2 &&
	    (uint64_t)column_int(s, 0) > b->number)
		b->number = (uint64_t)column_int(s, 0);
	db_done(s);
	store_failed(store, err);
	/* What the store does not know of our number is said again with a higher one. */
	memset(&b->made_of, 0, sizeof b->made_of);
	b->looked_at = NEVER;
}

/* Changes whenever some contact may know less, or more, than before. */
static uint64_t fold_consents(const struct address_book *b)
{
	const struct person *p;
	uint64_t sum = 0;

	for (unsigned i = 0; (p = persons_at(b->rooms->persons, i)) != NULL; i++) {
		enum consent consent = person_consent(p);

		if (consent != CONSENT_DIRECT && !p->is_removed)
			sum += ((uint64_t)p->id * 4 + consent) * 0x9e3779b97f4a7c15;
	}
	return sum;
}

/* Of the wall clock, so that a home put back from an old copy is believed again; above all
 * before, so that a clock put back does no harm. */
static uint64_t next_number(const struct address_book *b)
{
	wall_ms wall = b->rooms->wall > 0 ? b->rooms->wall : 1;

	return b->number < (uint64_t)wall ? (uint64_t)wall : b->number + 1;
}

static void save_number(struct address_book *b)
{
	struct store *store = b->rooms->store;
	struct statement *s;

	store_write(store);
	s = db_sql(store_db(store),
		   "INSERT OR REPLACE INTO own_record(one, number) VALUES(1,?)");
	bind_int(s, 1, (int64_t)b->number);
	store_run(store, s);
}

/* The open one has the higher number: who is given it after the other one takes it. Who is to have
 * the shut one after the open one is so by a change of consent, with which both are made
 * anew. */
static void sign(struct address_book *b)
{
	const struct rooms *r = b->rooms;
	int err;

	memset(&b->open, 0, sizeof b->open);
	b->open.device = *account_device(r->account);
	b->open.knock = *account_knock(r->account);
	b->open.is_relay = b->is_relay;
	b->shut = b->open;
	b->open.nat = *own_candidates_nat(r->candidates);
	b->open.candidates = *own_candidates(r->candidates);
	b->shut.number = next_number(b);
	b->number = b->open.number = b->shut.number + 1;
	err = account_sign_record(r->account, &b->open);
	if (err == 0)
		err = account_sign_record(r->account, &b->shut);
	if (err < 0)
		b->open.number = b->shut.number = 0;
	save_number(b);
}

/* Looks whether something of it is another one; once in a step. */
static void refresh(struct address_book *b)
{
	const struct rooms *r = b->rooms;
	const struct identity_public *identity = account_identity(r->account);
	struct made_of now;

	if (b->looked_at == r->now)
		return;
	b->looked_at = r->now;
	memset(&now, 0, sizeof now);
	if (identity) {
		now.has_identity = 1;
		now.identity = *identity;
	}
	now.knock = *account_knock(r->account);
	now.candidates = own_candidates_version(r->candidates);
	now.consents = fold_consents(b);
	now.is_relay = b->is_relay;
	if (memcmp(&now, &b->made_of, sizeof now) == 0)
		return;
	b->made_of = now;
	if (identity)
		sign(b);
	else
		b->open.number = b->shut.number = 0;
}

void address_book_settle(struct address_book *b)
{
	b->looked_at = NEVER;
	refresh(b);
}

const struct peer_record *address_book_open(struct address_book *b)
{
	refresh(b);
	return b->open.number > 0 ? &b->open : NULL;
}

const struct peer_record *address_book_shut(struct address_book *b)
{
	refresh(b);
	return b->shut.number > 0 ? &b->shut : NULL;
}

const struct peer_record *address_book_for(struct address_book *b, const struct person *p)
{
	enum consent consent = person_consent(p);

	if (!person_is_open(p) || consent >= CONSENT_NEVER)
		return NULL;
	return consent == CONSENT_DIRECT ? address_book_open(b) : address_book_shut(b);
}

void address_book_set_relay(struct address_book *b, bool is_relay)
{
	b->is_relay = is_relay;
	b->looked_at = NEVER;
}
