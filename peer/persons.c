#include "peer/persons.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/store.h"
#include "shared/error.h"

struct persons {
	struct store *store;
	struct person *self;
	struct person **list; /* by name */
	unsigned count;
};

struct persons *persons_new(struct store *store)
{
	struct persons *all = memory_new(sizeof *all);

	all->store = store;
	all->self = memory_new(sizeof *all->self);
	all->self->state = CONTACT_MUTUAL;
	all->self->is_self = true;
	return all;
}

struct person *persons_self(const struct persons *all)
{
	return all->self;
}

static void person_free(struct person *p)
{
	free(p->greeting);
	free(p->our_greeting);
	free(p->shown);
	free(p->marks);
	free(p);
}

void persons_free(struct persons *all)
{
	if (!all)
		return;
	for (unsigned i = 0; i < all->count; i++)
		person_free(all->list[i]);
	person_free(all->self);
	free(all->list);
	free(all);
}

static unsigned place_of(const struct persons *all, const char *name)
{
	unsigned low = 0, high = all->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (strcmp(all->list[middle]->name.text, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct person *persons_at(const struct persons *all, unsigned index)
{
	return index < all->count ? all->list[index] : NULL;
}

struct person *persons_find(const struct persons *all, const struct name *name)
{
	unsigned at = place_of(all, name->text);

	if (at < all->count && name_equal(&all->list[at]->name, name))
		return all->list[at];
	return NULL;
}

struct person *persons_of_identity(const struct persons *all,
				   const struct identity_public *identity)
{
	if (person_is_open(all->self) && identity_public_equal(&all->self->identity, identity))
		return all->self;
	for (unsigned i = 0; i < all->count; i++) {
		struct person *p = all->list[i];

		if (person_is_open(p) && identity_public_equal(&p->identity, identity))
			return p;
	}
	return NULL;
}

struct person *persons_add(struct persons *all, const struct name *name)
{
	unsigned at = place_of(all, name->text);
	struct person *p = memory_new(sizeof *p);

	p->name = *name;
	p->tells_read = -1;
	all->list = memory_grow(all->list, all->count + 1, sizeof(struct person *));
	memmove(all->list + at + 1, all->list + at,
		(all->count - at) * sizeof(struct person *));
	all->list[at] = p;
	all->count++;
	return p;
}

void person_set_text(char **where, const char *text)
{
	free(*where);
	*where = text && *text ? memory_text(text) : NULL;
}

/* A store may have been brought here by an import: what stands in it is not of our making. */
static bool is_sound(struct name *name, struct statement *s)
{
	int64_t state = column_int(s, 2), consent = column_int(s, 14);

	return name_check(name, bytes_text(column_text(s, 1))) == 0 && state >= 0 &&
	       state <= CONTACT_BLOCKED && consent >= 0 && consent <= CONSENT_NEVER &&
	       column_int(s, 16) >= -1 && column_int(s, 16) <= 1;
}

static void read_row(struct person *p, struct statement *s)
{
	p->id = column_int(s, 0);
	p->state = (enum contact_state)column_int(s, 2);
	p->is_removed = column_int(s, 3);
	p->has_identity = column_copy(s, 4, p->identity.bytes, 32) == 0;
	p->is_key_changed = column_copy(s, 5, p->new_identity.bytes, 32) == 0;
	p->is_verified = column_int(s, 6);
	p->last_seen = column_int(s, 7);
	p->read_up_to = (uint64_t)column_int(s, 8);
	person_set_text(&p->greeting, column_text(s, 9));
	free(p->our_greeting); /* an empty one is one, too */
	p->our_greeting = column_is_null(s, 10) ? NULL : memory_text(column_text(s, 10));
	memset(&p->devices, 0, sizeof p->devices);
	if (!column_is_null(s, 11))
		(void)device_list_decode(&p->devices, column_bytes(s, 11));
	p->stamp = (uint64_t)column_int(s, 12);
	p->is_change_signed = column_int(s, 13);
	p->consent = (enum consent)column_int(s, 14);
	p->is_hidden = column_int(s, 15);
	p->tells_read = (int)column_int(s, 16);
}

int persons_load(struct persons *all)
{
	struct statement *s = db_sql(
		store_db(all->store),
		"SELECT id, name, state, is_removed, identity, new_identity,"
		" is_verified, last_seen, read_up_to, greeting, our_greeting,"
		" devices, stamp, is_change_signed, consent, is_hidden, tells_read"
		" FROM contact ORDER BY name");
	struct name name;
	int err;

	for (unsigned i = 0; i < all->count; i++)
		all->list[i]->id = 0;
	while ((err = db_step(s)) == 1) {
		struct person *p;

		if (!is_sound(&name, s)) {
			err = ERR_CORRUPT;
			break;
		}
		p = persons_find(all, &name);
		if (!p)
			p = persons_add(all, &name);
		read_row(p, s);
	}
	db_done(s);
	return err;
}

void persons_save(struct persons *all, struct person *p)
{
	struct store *store = all->store;
	struct buf devices = { 0 };
	struct statement *s;

	store_write(store);
	s = db_sql(
		store_db(store),
		"INSERT INTO contact(name, state, is_removed, identity, new_identity,"
		" is_verified, last_seen, read_up_to, greeting, our_greeting,"
		" devices, stamp, is_change_signed, consent, is_hidden, tells_read)"
		" VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)"
		" ON CONFLICT(name) DO UPDATE SET state = ?2, is_removed = ?3, identity = ?4,"
		" new_identity = ?5, is_verified = ?6, last_seen = ?7, read_up_to = ?8,"
		" greeting = ?9, our_greeting = ?10, devices = ?11, stamp = ?12,"
		" is_change_signed = ?13, consent = ?14, is_hidden = ?15, tells_read = ?16");
	bind_text(s, 1, p->name.text);
	bind_int(s, 2, p->state);
	bind_int(s, 3, p->is_removed);
	if (p->has_identity)
		bind_bytes(s, 4, BYTES(p->identity.bytes));
	if (p->is_key_changed)
		bind_bytes(s, 5, BYTES(p->new_identity.bytes));
	bind_int(s, 6, p->is_verified);
	bind_int(s, 7, p->last_seen);
	bind_int(s, 8, (int64_t)p->read_up_to);
	bind_text(s, 9, p->greeting);
	bind_text(s, 10, p->our_greeting);
	if (p->devices.version > 0 && device_list_encode(&p->devices, &devices) == 0)
		bind_bytes(s, 11, buf_view(&devices));
	bind_int(s, 12, (int64_t)p->stamp);
	bind_int(s, 13, p->is_change_signed);
	bind_int(s, 14, p->consent);
	bind_int(s, 15, p->is_hidden);
	bind_int(s, 16, p->tells_read);
	if (store_run(store, s) >= 0 && p->id == 0)
		p->id = db_last_id(store_db(store));
	buf_clear(&devices);
}

void persons_sweep(struct persons *all)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < all->count; i++) {
		if (all->list[i]->id != 0)
			all->list[kept++] = all->list[i];
		else
			person_free(all->list[i]);
	}
	all->count = kept;
}
