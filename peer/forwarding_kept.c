/* The third: keeps what devices leave with it, and says it to who asks with the right token. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/forwarding_inside.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/store.h"
#include "shared/error.h"

enum { READER_SIZE = sizeof(struct wire_forwarding_reader) };
_Static_assert(READER_SIZE == FORWARDING_TOKEN + 32 + 16,
	       "readers are stored one behind the other");

/* --- a set of tokens --- */

/* Most that are looked up are not in it: a bit for some of their own bits says so at once. */
struct token_set {
	const struct token *list;
	unsigned count;
	uint64_t bits[64];
};

static unsigned bit_of(const struct token *t)
{
	return ((unsigned)t->bytes[0] << 8 | t->bytes[1]) & 4095;
}

static void set_make(struct token_set *set, const struct token *list, unsigned count)
{
	memset(set, 0, sizeof *set);
	set->list = list;
	set->count = count;
	for (unsigned i = 0; i < count; i++)
		set->bits[bit_of(&list[i]) / 64] |= (uint64_t)1 << (bit_of(&list[i]) % 64);
}

static bool set_has(const struct token_set *set, const struct token *t)
{
	if (!(set->bits[bit_of(t) / 64] >> (bit_of(t) % 64) & 1))
		return false;
	for (unsigned i = 0; i < set->count; i++) {
		if (sodium_memcmp(set->list[i].bytes, t->bytes, sizeof t->bytes) == 0)
			return true;
	}
	return false;
}

/* The first of the kept readers that is in the set; `count`: none. */
static unsigned first_in(const struct kept *k, const struct token_set *set)
{
	unsigned i = 0;

	while (i < k->count && !set_has(set, &k->readers[i]))
		i++;
	return i;
}

/* --- what is kept --- */

static struct kept *find_kept(const struct forwarding *f, const struct device_public *device)
{
	for (unsigned i = 0; i < f->kept_count; i++) {
		if (device_public_equal(&f->kept[i]->device, device))
			return f->kept[i];
	}
	return NULL;
}

static void kept_free(struct kept *k)
{
	free(k->readers);
	free(k);
}

static struct kept *add_kept(struct forwarding *f, const struct device_public *device)
{
	struct kept *k = memory_new(sizeof *k);

	k->device = *device;
	f->kept = memory_grow(f->kept, f->kept_count + 1, sizeof(struct kept *));
	f->kept[f->kept_count++] = k;
	return k;
}

static void set_readers(struct kept *k, const struct wire_forwarding_reader *readers,
			unsigned count)
{
	free(k->readers);
	k->readers = memory_array(count > 0 ? count : 1, sizeof *k->readers);
	k->count = count;
	for (unsigned i = 0; i < count; i++)
		memcpy(k->readers[i].bytes, readers[i].token, sizeof readers[i].token);
}

static void erase(struct forwarding *f, const struct device_public *device)
{
	struct store *store = f->rooms->store;
	struct statement *s;

	store_write(store);
	s = db_sql(store_db(store), "DELETE FROM forwarding WHERE device = ?");
	bind_bytes(s, 1, BYTES(device->bytes));
	store_run(store, s);
}

static void drop_oldest(struct forwarding *f)
{
	unsigned oldest = 0;

	for (unsigned i = 1; i < f->kept_count; i++) {
		if (f->kept[i]->kept_at < f->kept[oldest]->kept_at)
			oldest = i;
	}
	erase(f, &f->kept[oldest]->device);
	kept_free(f->kept[oldest]);
	f->kept[oldest] = f->kept[--f->kept_count];
}

static void read_row(struct forwarding *f, struct statement *s)
{
	struct wire_forwarding_reader readers[WIRE_FORWARDING_MAX];
	struct bytes list = column_bytes(s, 3);
	struct device_public device;
	struct kept *k;

	if (column_copy(s, 0, device.bytes, sizeof device.bytes) < 0 ||
	    list.size % READER_SIZE != 0 || list.size > sizeof readers ||
	    f->kept_count == FORWARDING_KEPT_MAX)
		return;
	if (list.size > 0)
		memcpy(readers, list.data, list.size);
	k = add_kept(f, &device);
	k->contact = column_int(s, 1);
	k->kept_at = column_int(s, 2);
	set_readers(k, readers, (unsigned)(list.size / READER_SIZE));
}

void forwarding_free_kept(struct forwarding *f)
{
	for (unsigned i = 0; i < f->kept_count; i++)
		kept_free(f->kept[i]);
	free(f->kept);
	f->kept = NULL;
	f->kept_count = 0;
}

void forwarding_forget_strangers(struct forwarding *f)
{
	struct store *store = f->rooms->store;

	store_write(store);
	store_run(store, db_sql(store_db(store),
				"DELETE FROM forwarding WHERE contact != 0 AND contact NOT IN"
				" (SELECT id FROM contact WHERE is_removed = 0)"));
}

void forwarding_load_kept(struct forwarding *f)
{
	struct store *store = f->rooms->store;
	struct statement *s;
	int err;

	forwarding_free_kept(f);
	s = db_sql(store_db(store), "SELECT device, contact, kept_at, readers FROM forwarding"
				    " ORDER BY kept_at DESC");
	while ((err = db_step(s)) == 1)
		read_row(f, s);
	db_done(s);
	store_failed(store, err);
}

static void save(struct forwarding *f, const struct kept *k, const struct wire_forwarding *m)
{
	struct store *store = f->rooms->store;
	struct statement *s;

	store_write(store);
	s = db_sql(store_db(store), "INSERT OR REPLACE INTO forwarding(device, contact, number,"
				    " kept_at, record, readers) VALUES(?,?,?,?,?,?)");
	bind_bytes(s, 1, BYTES(k->device.bytes));
	bind_int(s, 2, k->contact);
	bind_int(s, 3, (int64_t)m->number);
	bind_int(s, 4, k->kept_at);
	bind_bytes(s, 5, m->record);
	bind_bytes(s, 6, bytes_of(m->readers, (size_t)m->count * READER_SIZE));
	store_run(store, s);
}

/* --- saying it --- */

static struct way *way_of_post(const struct forwarding *f, const struct post *post)
{
	struct way *w;

	for (unsigned i = 0; (w = reach_way_at(f->rooms->reach, i)) != NULL; i++) {
		if (w->number == post->way)
			return w->state == WAY_LINKED && w->link_number == post->link_number
				       ? w
				       : NULL;
	}
	return NULL;
}

/* Whether who left it is a contact still, and the device theirs. */
static bool is_good(const struct forwarding *f, const struct kept *k)
{
	const struct persons *all = f->rooms->persons;
	const struct person *p = persons_self(all);

	for (unsigned i = 0; p && p->id != k->contact; i++)
		p = persons_at(all, i);
	return p && person_is_open(p) && person_has_device(p, &k->device);
}

/* Where the device is for us; who may read what it left may know that. */
static struct address seen_at(const struct forwarding *f, const struct kept *k)
{
	const struct post *post;
	const struct way *w;
	struct path path;

	for (unsigned i = 0; (w = reach_way_at(f->rooms->reach, i)) != NULL; i++) {
		if (w->state != WAY_LINKED || w->person->id != k->contact ||
		    !device_public_equal(&w->device, &k->device))
			continue;
		path = link_path(w->link);
		post = forwarding_post(f, w);
		/* Who reads what it left before may not be told any more: what it has decided
		 * meanwhile comes first on a new link. */
		if (!post || !post->has_left)
			break;
		if (path.tunnel || address_is_loopback(&path.remote) ||
		    address_is_link_local(&path.remote))
			break;
		return path.remote;
	}
	return (struct address){ 0 };
}

/* What stands in the store for the reader at this place. */
static void say_there(struct forwarding *f, struct way *to, const struct kept *k, unsigned at)
{
	struct store *store = f->rooms->store;
	struct wire_message m = { .type = WIRE_THERE };
	struct wire_there *there = &m.there;
	struct statement *s;
	struct bytes readers;
	int err;

	if (!is_good(f, k))
		return;
	s = db_sql(store_db(store), "SELECT number, record, readers FROM forwarding"
				    " WHERE device = ?");
	bind_bytes(s, 1, BYTES(k->device.bytes));
	err = db_step(s);
	if (err == 1) {
		there->seen = seen_at(f, k);
		there->number = (uint64_t)column_int(s, 0);
		there->record = column_bytes(s, 1);
		readers = column_bytes(s, 2);
		if (readers.size >= (size_t)(at + 1) * READER_SIZE) {
			memcpy(&there->reader, readers.data + (size_t)at * READER_SIZE,
			       READER_SIZE);
			/* Refused where the row was not of our making; ERR_FULL: they ask again. */
			(void)reach_say(f->rooms->reach, to, &m);
		}
	}
	db_done(s);
	store_failed(store, err);
}

/* To a device that waits for it, if it is one of the readers. */
static void tell_watcher(struct forwarding *f, const struct post *post, const struct kept *k)
{
	struct token_set set;
	struct way *to;
	unsigned at;

	set_make(&set, post->watched, post->watched_count);
	at = first_in(k, &set);
	if (at == k->count)
		return;
	to = way_of_post(f, post);
	if (to && !device_public_equal(&to->device, &k->device))
		say_there(f, to, k, at);
}

static void tell_watchers(struct forwarding *f, const struct kept *k)
{
	for (unsigned i = 0; i < f->post_count; i++) {
		if (f->posts[i]->link_number && f->posts[i]->watched_count > 0)
			tell_watcher(f, f->posts[i], k);
	}
}

/* Who was asked for waits for the asker, too: then both are told at one moment. */
static void tell_other(struct forwarding *f, const struct kept *asker, const struct kept *other)
{
	const struct way *w;

	for (unsigned i = 0; (w = reach_way_at(f->rooms->reach, i)) != NULL; i++) {
		const struct post *post;

		if (!device_public_equal(&w->device, &other->device) ||
		    w->person->id != other->contact)
			continue;
		post = forwarding_post(f, w);
		if (post && post->watched_count > 0)
			tell_watcher(f, post, asker);
	}
}

/* --- hearing --- */

int forwarding_hear_left(struct forwarding *f, struct way *from,
			 const struct wire_forwarding *m)
{
	struct kept *k = find_kept(f, &from->device);

	if (!k && f->kept_count == FORWARDING_KEPT_MAX)
		drop_oldest(f);
	if (!k)
		k = add_kept(f, &from->device);
	k->contact = from->person->id;
	k->kept_at = f->rooms->wall;
	set_readers(k, m->readers, m->count);
	save(f, k, m);
	tell_watchers(f, k);
	return 0;
}

int forwarding_hear_where(struct forwarding *f, struct way *from, struct post *post,
			  const struct wire_where *m)
{
	const struct kept *own = find_kept(f, &from->device);
	struct token_set set;
	unsigned answers = 0;

	if (!post->watched)
		post->watched = memory_array(WIRE_WHERE_MAX, sizeof *post->watched);
	post->watched_count = m->count;
	for (unsigned i = 0; i < m->count; i++)
		memcpy(post->watched[i].bytes, m->tokens[i], sizeof m->tokens[i]);
	set_make(&set, post->watched, post->watched_count);
	for (unsigned i = 0; i < f->kept_count && answers < WIRE_WHERE_MAX; i++) {
		const struct kept *k = f->kept[i];
		unsigned at = k == own ? k->count : first_in(k, &set);

		if (at == k->count)
			continue;
		answers++;
		say_there(f, from, k, at);
		if (own)
			tell_other(f, own, k);
	}
	return 0;
}
