#include <stdlib.h>
#include <string.h>

#include "peer/events.h"
#include "peer/files_inside.h"
#include "peer/persons.h"
#include "peer/store.h"
#include "shared/error.h"

_Static_assert(FILE_UNCHECKED == 64 && FILE_UNTOLD == 128, "the numbers of the indexes");

#define COLUMNS                                                                                \
	"SELECT id, message, contact, is_ours, state, error, size, done, modified, "           \
	"changed_at,"                                                                          \
	" path, folder, name, flags, files, manifest_size, hash FROM file"

static struct db *db_of(struct files *f)
{
	return store_db(f->rooms->store);
}

void file_row_clear(struct file_row *row)
{
	free(row->path);
	free(row->folder);
	free(row->name);
	memset(row, 0, sizeof *row);
}

static char *text_at(struct statement *s, int at)
{
	return column_is_null(s, at) ? NULL : memory_text(column_text(s, at));
}

static void read_row(struct statement *s, struct file_row *row)
{
	*row = (struct file_row){
		.message = (uint64_t)column_int(s, 1),
		.contact = column_int(s, 2),
		.is_ours = column_int(s, 3),
		.state = (enum transfer_state)column_int(s, 4),
		.error = (int)column_int(s, 5),
		.size = (uint64_t)column_int(s, 6),
		.done = (uint64_t)column_int(s, 7),
		.modified = (uint64_t)column_int(s, 8),
		.changed_at = column_int(s, 9),
		.path = text_at(s, 10),
		.folder = text_at(s, 11),
		.name = text_at(s, 12),
		.flags = (unsigned)column_int(s, 13),
		.files = (uint32_t)column_int(s, 14),
		.manifest_size = (uint32_t)column_int(s, 15),
	};
	column_copy(s, 0, row->id, sizeof row->id);
	row->has_hash = !column_is_null(s, 16) &&
			column_copy(s, 16, row->hash, sizeof row->hash) == 0;
}

static int find(struct statement *s, struct file_row *row)
{
	int err = db_step(s);

	memset(row, 0, sizeof *row);
	if (err == 1)
		read_row(s, row);
	db_done(s);
	return err;
}

int file_row_find(struct files *f, const uint8_t id[OFFER_ID_SIZE], struct file_row *row)
{
	struct statement *s = db_sql(db_of(f), COLUMNS " WHERE id = ?");

	bind_bytes(s, 1, bytes_of(id, OFFER_ID_SIZE));
	return find(s, row);
}

int file_row_of_message(struct files *f, uint64_t message, struct file_row *row)
{
	struct statement *s = db_sql(db_of(f), COLUMNS " WHERE message = ?");

	bind_int(s, 1, (int64_t)message);
	return find(s, row);
}

static void bind_blob(struct statement *s, int at, struct bytes b)
{
	if (b.size > 0)
		bind_bytes(s, at, b);
	else
		bind_null(s, at);
}

int file_row_add(struct files *f, const struct file_row *row, struct bytes manifest,
		 struct bytes thumbnail)
{
	struct statement *s;
	int err;

	store_write(f->rooms->store);
	s = db_sql(
		db_of(f),
		"INSERT INTO file(id, message, contact, is_ours, state, size, changed_at, path,"
		" modified, flags, files, manifest_size, name, manifest, thumbnail)"
		" VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	bind_bytes(s, 1, BYTES(row->id));
	bind_int(s, 2, (int64_t)row->message);
	bind_int(s, 3, row->contact);
	bind_int(s, 4, row->is_ours);
	bind_int(s, 5, row->state);
	bind_int(s, 6, (int64_t)row->size);
	bind_int(s, 7, f->rooms->wall);
	bind_text(s, 8, row->path);
	bind_int(s, 9, (int64_t)row->modified);
	bind_int(s, 10, row->flags);
	bind_int(s, 11, row->files);
	bind_int(s, 12, row->manifest_size);
	bind_text(s, 13, row->name);
	bind_blob(s, 14, manifest);
	bind_blob(s, 15, thumbnail);
	err = store_run(f->rooms->store, s);
	return err < 0 ? err : 0;
}

void file_row_save(struct files *f, struct file_row *row)
{
	struct statement *s;

	store_write(f->rooms->store);
	row->changed_at = f->rooms->wall;
	s = db_sql(db_of(f),
		   "UPDATE file SET state = ?, error = ?, done = ?, changed_at = ?,"
		   " path = ?, folder = ?, flags = (flags & 64) | ?7, hash = ?, modified = ?"
		   " WHERE id = ?");
	bind_int(s, 1, row->state);
	bind_int(s, 2, row->error);
	bind_int(s, 3, (int64_t)row->done);
	bind_int(s, 4, row->changed_at);
	bind_text(s, 5, row->path);
	bind_text(s, 6, row->folder);
	/* Whether its thumbnail waits is not known to who holds a row for long. */
	bind_int(s, 7, row->flags & ~(unsigned)FILE_UNCHECKED);
	bind_blob(s, 8, row->has_hash ? BYTES(row->hash) : bytes_of(NULL, 0));
	bind_int(s, 9, (int64_t)row->modified);
	bind_bytes(s, 10, BYTES(row->id));
	store_run(f->rooms->store, s);
}

void file_row_remove(struct files *f, const struct file_row *row)
{
	struct statement *s;

	store_write(f->rooms->store);
	s = db_sql(db_of(f), "DELETE FROM file WHERE id = ?");
	bind_bytes(s, 1, BYTES(row->id));
	store_run(f->rooms->store, s);
}

void file_row_told(struct files *f, const uint8_t id[OFFER_ID_SIZE])
{
	struct statement *s;

	store_write(f->rooms->store);
	s = db_sql(db_of(f), "UPDATE file SET flags = flags & ~?2 WHERE id = ?1");
	bind_bytes(s, 1, bytes_of(id, OFFER_ID_SIZE));
	bind_int(s, 2, FILE_UNTOLD);
	store_run(f->rooms->store, s);
}

void file_row_set_manifest(struct files *f, const struct file_row *row, struct bytes manifest)
{
	struct statement *s;

	store_write(f->rooms->store);
	s = db_sql(db_of(f), "UPDATE file SET manifest = ? WHERE id = ?");
	bind_blob(s, 1, manifest);
	bind_bytes(s, 2, BYTES(row->id));
	store_run(f->rooms->store, s);
}

void file_row_manifest(struct files *f, const struct file_row *row, struct buf *out)
{
	struct statement *s = db_sql(db_of(f), "SELECT manifest FROM file WHERE id = ?");

	bind_bytes(s, 1, BYTES(row->id));
	if (db_step(s) == 1)
		buf_append(out, column_bytes(s, 0));
	db_done(s);
}

void file_row_set_thumbnail(struct files *f, uint64_t message, struct bytes thumbnail)
{
	struct statement *s;

	store_write(f->rooms->store);
	s = db_sql(db_of(f),
		   "UPDATE file SET thumbnail = ?, flags = flags & ~?3 WHERE message = ?2");
	bind_blob(s, 1, thumbnail);
	bind_int(s, 2, (int64_t)message);
	bind_int(s, 3, FILE_UNCHECKED);
	store_run(f->rooms->store, s);
}

int file_row_unchecked(struct files *f, int64_t after, int64_t *contact, uint64_t *message)
{
	struct statement *s = db_sql(db_of(f),
				     "SELECT contact, message FROM file WHERE flags & 64"
				     " AND contact > ? ORDER BY contact, message LIMIT 1");
	int err;

	bind_int(s, 1, after);
	err = db_step(s);
	if (err == 1) {
		*contact = column_int(s, 0);
		*message = (uint64_t)column_int(s, 1);
	}
	db_done(s);
	return err;
}

unsigned file_rows_unchecked(struct files *f, int64_t contact, unsigned limit)
{
	struct statement *s = db_sql(db_of(f),
				     "SELECT count(*) FROM (SELECT 1 FROM file WHERE flags & 64"
				     " AND contact = ? LIMIT ?)");
	unsigned count = limit;

	bind_int(s, 1, contact);
	bind_int(s, 2, limit);
	if (db_step(s) == 1)
		count = (unsigned)column_int(s, 0);
	db_done(s);
	return count;
}

bool file_author(struct files *f, const struct file_row *row, struct device_public *author)
{
	struct statement *s = db_sql(db_of(f), "SELECT chain.author FROM message, chain"
					       " WHERE message.id = ? AND"
					       " chain.id = message.chain");
	bool is_known;

	bind_int(s, 1, (int64_t)row->message);
	is_known = db_step(s) == 1 &&
		   column_copy(s, 0, author->bytes, sizeof author->bytes) == 0;
	db_done(s);
	return is_known;
}

struct person *files_person(const struct files *f, int64_t contact)
{
	struct person *p;

	for (unsigned i = 0; (p = persons_at(f->rooms->persons, i)) != NULL; i++) {
		if (p->id == contact)
			return p;
	}
	return NULL;
}

static struct event event_of(const struct files *f, const struct file_row *row,
			     enum event_kind kind)
{
	struct event e = { .kind = kind, .message_id = row->message };
	const struct person *p = files_person(f, row->contact);

	if (p)
		e.name = p->name;
	return e;
}

void file_tell(struct files *f, const struct file_row *row)
{
	struct event e = event_of(f, row, EVENT_FILE);

	events_add(f->rooms->events, &e);
}

void file_tell_progress(struct files *f, const struct file_row *row)
{
	struct event e = event_of(f, row, EVENT_PROGRESS);

	events_pass(f->rooms->events, &e);
}

uint64_t file_shown(const struct message_file *file, uint64_t bytes)
{
	return bytes > file->manifest ? bytes - file->manifest : 0;
}

/* --- how fast --- */

#define RATE_WINDOW (500 * MILLISECOND)

void file_rate_begin(struct file_rate *r, uint64_t bytes, mono_ns now)
{
	*r = (struct file_rate){ .at = now, .told_at = now, .from = bytes };
}

bool file_rate_step(struct file_rate *r, uint64_t bytes, mono_ns now)
{
	if (now >= r->at + RATE_WINDOW && bytes >= r->from) {
		uint64_t ms = (now - r->at) / MILLISECOND;
		uint64_t rate = (bytes - r->from) * 1000 / (ms ? ms : 1);

		/* A third of what it was stays: the last two seconds, as good as. */
		r->rate = r->has_begun ? (2 * rate + r->rate) / 3 : rate;
		r->has_begun = true;
		r->from = bytes;
		r->at = now;
	}
	if (now < r->told_at + FILES_PROGRESS)
		return false;
	r->told_at = now;
	return true;
}
