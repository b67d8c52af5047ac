#include "peer/address_book.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/candidates.h"
#include "peer/persons.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/pair.h"

/* One device of one person. A device is looked for among its person's: whoever signs that
 * somebody else's device is theirs does not get in its way. */
struct entry {
	int64_t contact; /* 0: our own account */
	struct device_public device;
	bool is_checked; /* the signature, with this identity */
	struct identity_public checked_with;
	struct peer_record record; /* number 0: none */
	struct address seen;       /* family 0: never */
};

/* What our records were made of. Compared as bytes: begin with zeros. */
struct made_of {
	struct identity_public identity;
	struct knock knock;
	uint64_t candidates, consents;
	uint8_t is_relay, has_identity;
};

struct address_book {
	struct rooms *rooms;
	struct entry **list; /* by contact, then device */
	unsigned count;
	bool is_relay;
	uint64_t number; /* the highest that was given to a record of ours */
	struct made_of made_of;
	mono_ns looked_at; /* NEVER: not yet */
	struct peer_record open, shut;
};

/* What is behind person.pair: a key, and for whom it was made. */
struct pair {
	struct symmetric_key key; /* first: the person points at it */
	bool is_good;
	struct identity_public ours, theirs;
};

/* --- the list --- */

static int compare(const struct entry *e, int64_t contact, const struct device_public *device)
{
	if (e->contact != contact)
		return e->contact < contact ? -1 : 1;
	return memcmp(e->device.bytes, device->bytes, sizeof device->bytes);
}

static unsigned place_of(const struct address_book *b, int64_t contact,
			 const struct device_public *device)
{
	unsigned low = 0, high = b->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (compare(b->list[middle], contact, device) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *find(const struct address_book *b, const struct person *p,
			  const struct device_public *device)
{
	unsigned at = place_of(b, p->id, device);

	if (at < b->count && compare(b->list[at], p->id, device) == 0)
		return b->list[at];
	return NULL;
}

static struct entry *insert(struct address_book *b, int64_t contact,
			    const struct device_public *device)
{
	unsigned at = place_of(b, contact, device);
	struct entry *e = memory_new(sizeof *e);

	e->contact = contact;
	e->device = *device;
	b->list = memory_grow(b->list, b->count + 1, sizeof(struct entry *));
	memmove(b->list + at + 1, b->list + at, (b->count - at) * sizeof(struct entry *));
	b->list[at] = e;
	b->count++;
	return e;
}

static void remove_at(struct address_book *b, unsigned at)
{
	free(b->list[at]);
	memmove(b->list + at, b->list + at + 1, (--b->count - at) * sizeof(struct entry *));
}

static void empty(struct address_book *b)
{
	for (unsigned i = 0; i < b->count; i++)
		free(b->list[i]);
	free(b->list);
	b->list = NULL;
	b->count = 0;
}

/* --- rows --- */

static void read_row(struct address_book *b, struct statement *s)
{
	struct device_public device;
	struct entry *e;

	if (column_copy(s, 0, device.bytes, sizeof device.bytes) < 0)
		return;
	e = insert(b, column_int(s, 1), &device);
	/* A store may have been brought here by an import: what stands in it is checked like
	 * what comes from others, when it is first asked for. */
	if (!column_is_null(s, 2) && (peer_record_decode(&e->record, column_bytes(s, 2)) < 0 ||
				      !device_public_equal(&e->record.device, &device)))
		memset(&e->record, 0, sizeof e->record);
	if (!column_is_null(s, 3) && address_decode(&e->seen, column_bytes(s, 3)) < 0)
		memset(&e->seen, 0, sizeof e->seen);
}

static void load(struct address_book *b)
{
	struct store *store = b->rooms->store;
	struct statement *s = db_sql(store_db(store),
				     "SELECT device, contact, record, seen FROM address");
	int err;

	empty(b);
	while ((err = db_step(s)) == 1)
		read_row(b, s);
	db_done(s);
	store_failed(store, err);
	s = db_sql(store_db(store), "SELECT number FROM own_record");
	err = db_step(s);
	/* Of a store that was brought here it may be anything: the next one must be a number, too. */
	if (err == 1 && column_int(s, 0) > 0 && column_int(s, 0) < INT64_MAX / 2 &&
	    (uint64_t)column_int(s, 0) > b->number)
		b->number = (uint64_t)column_int(s, 0);
	db_done(s);
	store_failed(store, err);
}

static void save(struct address_book *b, const struct entry *e)
{
	struct store *store = b->rooms->store;
	struct buf record = { 0 }, seen = { 0 };
	struct statement *s;

	store_write(store);
	s = db_sql(store_db(store), "INSERT OR REPLACE INTO address(device, contact, number,"
				    " record, seen) VALUES(?,?,?,?,?)");
	bind_bytes(s, 1, BYTES(e->device.bytes));
	bind_int(s, 2, e->contact);
	bind_int(s, 3, (int64_t)e->record.number);
	if (e->record.number > 0 && peer_record_encode(&e->record, &record) == 0)
		bind_bytes(s, 4, buf_view(&record));
	if (e->seen.family && address_encode(&e->seen, &seen) == 0)
		bind_bytes(s, 5, buf_view(&seen));
	store_run(store, s);
	buf_clear(&record);
	buf_clear(&seen);
}

static void erase(struct address_book *b, const struct entry *e)
{
	struct store *store = b->rooms->store;
	struct statement *s;

	store_write(store);
	s = db_sql(store_db(store), "DELETE FROM address WHERE contact = ? AND device = ?");
	bind_int(s, 1, e->contact);
	bind_bytes(s, 2, BYTES(e->device.bytes));
	store_run(store, s);
}

/* --- beginning and end --- */

struct address_book *address_book_new(struct rooms *rooms)
{
	struct address_book *b = memory_new(sizeof *b);

	b->rooms = rooms;
	b->looked_at = NEVER;
	load(b);
	return b;
}

static void forget_pair(struct person *p)
{
	if (p->pair)
		sodium_free(p->pair);
	p->pair = NULL;
}

void address_book_free(struct address_book *b)
{
	struct person *p;

	if (!b)
		return;
	for (unsigned i = 0; (p = persons_at(b->rooms->persons, i)) != NULL; i++)
		forget_pair(p);
	forget_pair(persons_self(b->rooms->persons));
	empty(b);
	free(b);
}

void address_book_reload(struct address_book *b)
{
	load(b);
	/* What the store does not know of our number is said again with a higher one. */
	memset(&b->made_of, 0, sizeof b->made_of);
	b->looked_at = NEVER;
}

/* --- ours --- */

/* Changes whenever some contact may know less, or more, than before. */
static uint64_t fold_consents(const struct address_book *b)
{
	const struct person *p;
	uint64_t sum = 0;

	for (unsigned i = 0; (p = persons_at(b->rooms->persons, i)) != NULL; i++) {
		if (p->consent != CONSENT_DIRECT && !p->is_removed)
			sum += ((uint64_t)p->id * 4 + p->consent) * 0x9e3779b97f4a7c15;
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
	if (!person_is_open(p) || p->consent == CONSENT_NEVER)
		return NULL;
	return p->consent == CONSENT_DIRECT ? address_book_open(b) : address_book_shut(b);
}

void address_book_set_relay(struct address_book *b, bool is_relay)
{
	b->is_relay = is_relay;
	b->looked_at = NEVER;
}

/* --- theirs --- */

/* Without a list of theirs the signature alone says so. This device needs no address. */
static bool is_theirs(const struct address_book *b, const struct person *p,
		      const struct device_public *device)
{
	return !device_public_equal(device, account_device(b->rooms->account)) &&
	       person_has_device(p, device);
}

static bool is_stored(const struct person *p)
{
	return p->is_self || p->id != 0;
}

const struct peer_record *address_book_of(struct address_book *b, const struct person *p,
					  const struct device_public *device)
{
	struct entry *e = find(b, p, device);

	if (!e || e->record.number == 0 || !p->has_identity || !is_theirs(b, p, device))
		return NULL;
	if (!e->is_checked || !identity_public_equal(&e->checked_with, &p->identity)) {
		if (peer_record_verify(&e->record, &p->identity) < 0) {
			memset(&e->record, 0, sizeof e->record);
			return NULL;
		}
		e->is_checked = true;
		e->checked_with = p->identity;
	}
	return &e->record;
}

/* Those of one person are as many as an account can have devices: the oldest that is not theirs
 * any more gives way, else the oldest. */
static void make_room(struct address_book *b, const struct person *p)
{
	static const struct device_public least;
	unsigned from = place_of(b, p->id, &least), count = 0, worst = from;
	bool is_gone = false;

	for (unsigned i = from; i < b->count && b->list[i]->contact == p->id; i++, count++) {
		const struct entry *e = b->list[i];
		bool is_lost = !is_theirs(b, p, &e->device);

		if (is_lost == is_gone ? e->record.number < b->list[worst]->record.number
				       : is_lost)
			worst = i;
		is_gone |= is_lost;
	}
	if (count < DEVICE_LIST_MAX)
		return;
	erase(b, b->list[worst]);
	remove_at(b, worst);
}

static struct entry *need(struct address_book *b, const struct person *p,
			  const struct device_public *device)
{
	struct entry *e = find(b, p, device);

	if (e)
		return e;
	make_room(b, p);
	return insert(b, p->id, device);
}

bool address_book_learn(struct address_book *b, const struct person *p,
			const struct peer_record *record)
{
	const struct peer_record *known;
	struct entry *e;

	if (!person_is_open(p) || !is_stored(p) || record->number == 0 ||
	    !is_theirs(b, p, &record->device))
		return false;
	known = address_book_of(b, p, &record->device);
	if (known && known->number >= record->number)
		return peer_record_equal(known, record);
	if (peer_record_verify(record, &p->identity) < 0)
		return false;
	e = need(b, p, &record->device);
	e->record = *record;
	e->is_checked = true;
	e->checked_with = p->identity;
	save(b, e);
	return true;
}

void address_book_saw(struct address_book *b, const struct person *p,
		      const struct device_public *device, const struct address *at)
{
	struct entry *e;

	if (!is_stored(p) || !is_theirs(b, p, device) || !address_is_unicast(at))
		return;
	e = need(b, p, device);
	if (address_equal(&e->seen, at))
		return;
	e->seen = *at;
	save(b, e);
}

bool address_book_last(struct address_book *b, const struct person *p,
		       const struct device_public *device, struct address *at)
{
	const struct entry *e = find(b, p, device);

	if (!e || !e->seen.family || !is_theirs(b, p, device))
		return false;
	/* The interface that such a one belongs to is not stored: its number may be another's
	 * by now. */
	if (e->seen.family == 6 && address_is_link_local(&e->seen) && e->seen.scope == 0)
		return false;
	*at = e->seen;
	return true;
}

void address_book_forget(struct address_book *b, struct person *p)
{
	static const struct device_public least;
	unsigned at = place_of(b, p->id, &least);

	forget_pair(p);
	if (!is_stored(p))
		return;
	while (at < b->count && b->list[at]->contact == p->id) {
		erase(b, b->list[at]);
		remove_at(b, at);
	}
}

/* --- the pair --- */

const struct symmetric_key *address_book_pair(struct address_book *b, struct person *p)
{
	const struct identity_public *ours = account_identity(b->rooms->account);
	struct pair *pair = (struct pair *)p->pair;

	if (!ours || !p->has_identity)
		return NULL;
	if (pair && identity_public_equal(&pair->ours, ours) &&
	    identity_public_equal(&pair->theirs, &p->identity))
		return pair->is_good ? &pair->key : NULL;
	if (!pair) {
		pair = sodium_malloc(sizeof *pair);
		if (!pair)
			abort();
	}
	sodium_memzero(pair, sizeof *pair);
	pair->ours = *ours;
	pair->theirs = p->identity;
	pair->is_good = account_make_pair(b->rooms->account, &pair->key, &p->identity) == 0;
	p->pair = &pair->key;
	return pair->is_good ? &pair->key : NULL;
}
