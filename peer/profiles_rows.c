/* The rows of profiles: everybody's, and which of ours their devices have. */
#include <stdlib.h>
#include <string.h>

#include "peer/persons.h"
#include "peer/profiles_inside.h"
#include "peer/settings.h"

static void take_text(char *out, size_t size, const char *text)
{
	size_t length = strlen(text);

	if (length >= size)
		length = 0; /* not of our making */
	memcpy(out, text, length);
	out[length] = '\0';
}

static void read_row(struct statement *s, struct shown *out)
{
	*out = (struct shown){
		.version.number = (uint64_t)column_int(s, 1),
		.availability = column_int(s, 2) <= BUSY ? (enum availability)column_int(s, 2)
							 : AVAILABLE,
		.has_picture = !column_is_null(s, 5),
		.is_bot = column_int(s, 9),
	};
	take_text(out->title, sizeof out->title, column_text(s, 3));
	take_text(out->status, sizeof out->status, column_text(s, 4));
	(void)column_copy(s, 6, out->picture_hash, sizeof out->picture_hash);
	(void)column_copy(s, 7, out->version.mark.bytes, sizeof out->version.mark.bytes);
}

static struct person *of_row(const struct profiles *s, int64_t contact)
{
	struct person *p;

	for (unsigned i = 0; (p = persons_at(s->rooms->persons, i)) != NULL; i++) {
		if (p->id == contact)
			return p;
	}
	return NULL;
}

static void forget_all(struct profiles *s)
{
	struct person *p;

	for (unsigned i = 0; (p = persons_at(s->rooms->persons, i)) != NULL; i++) {
		free(p->shown);
		p->shown = NULL;
	}
	memset(&s->ours, 0, sizeof s->ours);
	s->picture.size = s->said.size = s->menu.size = 0;
}

void profiles_load(struct profiles *s)
{
	struct store *store = s->rooms->store;
	struct statement *st = db_sql(store_db(store),
				      "SELECT contact, number, availability, title, status,"
				      " picture, picture_hash, mark, said, is_bot, menu"
				      " FROM profile");
	int err;

	forget_all(s);
	while ((err = db_step(st)) == 1) {
		int64_t contact = column_int(st, 0);
		struct person *p = contact ? of_row(s, contact) : NULL;

		if (!contact) {
			read_row(st, &s->ours);
			buf_append(&s->picture, column_bytes(st, 5));
			buf_append(&s->said, column_bytes(st, 8));
			buf_append(&s->menu, column_bytes(st, 10));
		} else if (p) {
			p->shown = memory_new(sizeof *p->shown);
			read_row(st, p->shown);
			p->shown->whose = p->identity;
		}
	}
	db_done(st);
	store_failed(store, err);
	s->is_made_here = s->ours.version.number > 0 &&
			  settings_number(store, "profile_made", 0) ==
				  (int64_t)s->ours.version.number;
}

static void bind(struct statement *st, const struct person *p, const struct shown *shown,
		 struct bytes menu)
{
	bind_int(st, 1, p ? p->id : 0);
	bind_int(st, 2, (int64_t)shown->version.number);
	bind_int(st, 3, shown->availability);
	bind_text(st, 4, shown->title);
	bind_text(st, 5, shown->status);
	bind_bytes(st, 6, BYTES(shown->picture_hash));
	bind_bytes(st, 7, BYTES(shown->version.mark.bytes));
	bind_int(st, 8, shown->is_bot);
	if (menu.size > 0)
		bind_bytes(st, 9, menu);
}

void profiles_write(struct profiles *s, const struct person *p, const struct shown *shown,
		    struct bytes menu, const struct buf *picture, const struct buf *said)
{
	struct store *store = s->rooms->store;
	struct statement *st;

	store_write(store);
	st = db_sql(store_db(store),
		    "INSERT OR REPLACE INTO profile(contact, number, availability, title,"
		    " status, picture_hash, mark, is_bot, menu, picture, said)"
		    " VALUES(?,?,?,?,?,?,?,?,?,?,?)");
	bind(st, p, shown, menu);
	if (picture && picture->size)
		bind_bytes(st, 10, buf_view(picture));
	if (said && said->size)
		bind_bytes(st, 11, buf_view(said));
	store_run(store, st);
}

void profiles_rewrite(struct profiles *s, const struct person *p, const struct shown *shown,
		      struct bytes menu)
{
	struct store *store = s->rooms->store;
	struct statement *st;

	store_write(store);
	st = db_sql(store_db(store),
		    "UPDATE profile SET number = ?2, availability = ?3, title = ?4,"
		    " status = ?5, picture_hash = ?6, mark = ?7, is_bot = ?8, menu = ?9"
		    " WHERE contact = ?1");
	bind(st, p, shown, menu);
	store_run(store, st);
}

void profiles_drop(struct profiles *s, struct person *p)
{
	struct store *store = s->rooms->store;
	struct statement *st;

	store_write(store);
	st = db_sql(store_db(store), "DELETE FROM profile WHERE contact = ?");
	bind_int(st, 1, p ? p->id : 0);
	store_run(store, st);
	if (p) {
		free(p->shown);
		p->shown = NULL;
	}
}

void profiles_read_had(struct profiles *s, const struct way *w, struct version *had)
{
	struct statement *st = db_sql(store_db(s->rooms->store),
				      "SELECT number, mark FROM shown WHERE device = ?");

	memset(had, 0, sizeof *had);
	bind_bytes(st, 1, BYTES(w->device.bytes));
	if (db_step(st) == 1) {
		had->number = (uint64_t)column_int(st, 0);
		(void)column_copy(st, 1, had->mark.bytes, sizeof had->mark.bytes);
	}
	db_done(st);
}

void profiles_write_had(struct profiles *s, const struct way *w)
{
	struct store *store = s->rooms->store;
	struct statement *st;

	store_write(store);
	st = db_sql(store_db(store),
		    "INSERT OR REPLACE INTO shown(device, contact, number, mark)"
		    " VALUES(?,?,?,?)");
	bind_bytes(st, 1, BYTES(w->device.bytes));
	bind_int(st, 2, w->person->id);
	bind_int(st, 3, (int64_t)w->profile.has.number);
	bind_bytes(st, 4, BYTES(w->profile.has.mark.bytes));
	store_run(store, st);
}
