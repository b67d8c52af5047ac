/* Where others are: one entry for each of their devices; and what is shared with each. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/address_book_inside.h"
#include "peer/persons.h"
#include "peer/store.h"

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
	load(b);
	address_book_load_own(b);
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
	address_book_load_own(b);
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
