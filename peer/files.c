#include "peer/files.h"

#include <stdlib.h>
#include <string.h>

#include "peer/conversations.h"
#include "peer/files_inside.h"
#include "peer/persons.h"
#include "peer/settings.h"
#include "peer/store.h"
#include "shared/error.h"

struct files *files_new(struct rooms *rooms)
{
	struct files *f = memory_new(sizeof *f);

	f->rooms = rooms;
	f->is_stale = f->has_unchecked = f->has_dropped = true;
	return f;
}

void files_free(struct files *f)
{
	if (!f)
		return;
	gets_clear(f);
	serves_clear(f);
	sendings_clear(f);
	told_clear(f);
	files_jobs_clear(f);
	buf_clear(&f->scratch);
	free(f->downloads);
	free(f);
}

void files_set_downloads(struct files *f, const char *folder)
{
	free(f->downloads);
	f->downloads = folder && *folder ? memory_text(folder) : NULL;
}

/* --- what faces ask --- */

static int find(struct files *f, uint64_t message, struct file_row *row)
{
	int err = file_row_of_message(f, message, row);

	return err == 1 ? 0 : err < 0 ? err : ERR_NOT_FOUND;
}

/* It has its state from now on. */
static void decide(struct files *f, struct file_row *row, enum transfer_state state)
{
	row->state = state;
	row->error = 0;
	row->flags &= ~(unsigned)FILE_UNTOLD;
	told_forget(f, row->id);
	if (state == TRANSFER_CANCELLED)
		told_cancelled(f, row);
	file_row_save(f, row);
	file_tell(f, row);
	file_row_clear(row);
}

static bool is_given(const struct file_row *row)
{
	return row->is_ours && (row->flags & FILE_HERE);
}

int files_accept(struct files *f, uint64_t message, const char *folder)
{
	struct file_row row;
	char *where;
	int err = find(f, message, &row);

	if (err < 0)
		return err;
	if (is_given(&row)) {
		if (row.state != TRANSFER_PAUSED && row.state != TRANSFER_CANCELLED)
			goto no;
		decide(f, &row, TRANSFER_OFFERED);
		return 0;
	}
	where = files_folder(f, folder ? folder : row.folder);
	if (!where || where[0] != '/' || row.state == TRANSFER_DONE) {
		free(where);
		goto no;
	}
	/* What has come stays where it is. */
	if (!row.folder || (row.done == 0 && !(row.flags & FILE_NAMED))) {
		free(row.folder);
		row.folder = where;
	} else {
		free(where);
	}
	if (row.state == TRANSFER_FAILED || row.state == TRANSFER_CANCELLED)
		row.flags &= ~(unsigned)FILE_AGAIN;
	row.flags &= ~(unsigned)FILE_UNASKED;
	gets_hurry(f, row.id);
	part_keep(f, &row);
	f->is_stale = true;
	decide(f, &row, TRANSFER_WAITING);
	return 0;
no:
	file_row_clear(&row);
	return ERR_STATE;
}

int files_pause(struct files *f, uint64_t message)
{
	struct file_row row;
	int err = find(f, message, &row);

	if (err < 0)
		return err;
	if (row.state != TRANSFER_OFFERED && row.state != TRANSFER_WAITING &&
	    row.state != TRANSFER_STOPPED) {
		file_row_clear(&row);
		return ERR_STATE;
	}
	files_end(f, &row, FILES_CODE_PAUSED, false);
	file_row_clear(&row); /* it says now how much of ours was given */
	err = find(f, message, &row);
	if (err < 0)
		return err;
	decide(f, &row, TRANSFER_PAUSED);
	return 0;
}

int files_cancel(struct files *f, uint64_t message)
{
	struct file_row row;
	int err = find(f, message, &row);

	if (err < 0)
		return err;
	if (row.state == TRANSFER_DONE || row.state == TRANSFER_CANCELLED) {
		file_row_clear(&row);
		return ERR_STATE;
	}
	files_end(f, &row, FILES_CODE_CANCELLED, true);
	row.done = 0;
	row.flags &= ~(unsigned)FILE_NAMED;
	decide(f, &row, TRANSFER_CANCELLED);
	return 0;
}

int files_forward(struct files *f, uint64_t message, struct person *to, const char *caption,
		  const char *alt, uint64_t ticket)
{
	struct file_row row;
	struct file_wish wish = {
		.to = to, .is_forwarded = true, .caption = caption, .alt = alt, .ticket = ticket
	};
	int err = find(f, message, &row);

	if (err < 0)
		return err;
	wish.path = row.path;
	wish.name = row.name;
	err = row.path && (is_given(&row) || row.state == TRANSFER_DONE) ? files_send(f, &wish)
									 : ERR_STATE;
	file_row_clear(&row);
	return err;
}

unsigned files_list(struct files *f, const struct person *p, bool is_active, uint64_t *ids,
		    unsigned limit)
{
	struct statement *s = db_sql(
		store_db(f->rooms->store),
		"SELECT message FROM file WHERE (contact = ?1 OR ?1 < 0)"
		" AND (state < 7 OR ?2 = 0) ORDER BY message DESC LIMIT ?3");
	unsigned count = 0;

	bind_int(s, 1, p ? p->id : -1);
	bind_int(s, 2, is_active);
	bind_int(s, 3, limit);
	while (count < limit && db_step(s) == 1)
		ids[count++] = (uint64_t)column_int(s, 0);
	db_done(s);
	return count;
}

int files_want_spooled(struct files *f, const char *name)
{
	size_t size = strlen(name);
	struct statement *s;
	int result;

	/* One that is being looked at has no row yet. */
	for (unsigned i = 0; i < FILES_SENDING; i++) {
		if (f->sendings[i])
			return 1;
	}
	s = db_sql(store_db(f->rooms->store),
		   "SELECT 1 FROM file WHERE flags & ?1 AND state NOT IN (?2, ?3)"
		   " AND substr(path, -?4) = '/' || ?5");
	bind_int(s, 1, FILE_SPOOLED);
	bind_int(s, 2, TRANSFER_DONE);
	bind_int(s, 3, TRANSFER_CANCELLED);
	bind_int(s, 4, (int64_t)size + 1);
	bind_text(s, 5, name);
	result = db_step(s);
	db_done(s);
	return result;
}

void files_show(const struct files *f, struct message *m)
{
	if (!m->has_file || m->file.state == TRANSFER_DONE)
		return;
	if (m->is_ours && serves_show(f, &m->file)) {
		if (m->file.state == TRANSFER_OFFERED || m->file.state == TRANSFER_FAILED)
			m->file.state = TRANSFER_RUNNING;
		return;
	}
	if (m->file.state < TRANSFER_CANCELLED)
		gets_show(f, &m->file);
}

void files_show_new(struct files *f, struct message *m)
{
	struct file_row row;

	if (file_row_of_message(f, m->id, &row) != 1)
		return;
	m->file.state = row.state;
	m->file.done = file_shown(&m->file, row.done);
	m->file.error = row.error;
	file_row_clear(&row);
	files_show(f, m);
}

/* --- the step --- */

bool files_hear_stream(struct files *f, const struct reach_stream *event)
{
	return gets_hear(f, event) || serves_hear(f, event);
}

/* What had come of it and rested goes. */
static void drop_withdrawn(struct files *f, const uint8_t id[OFFER_ID_SIZE], int64_t contact)
{
	struct file_row row;

	if (file_row_find(f, id, &row) != 1)
		return;
	if (!row.is_ours && row.contact == contact && row.state != TRANSFER_DONE)
		files_end(f, &row, FILES_CODE_CANCELLED, true);
	file_row_clear(&row);
}

void files_hear_stands(struct files *f, struct way *from, const struct wire_file_stands *m)
{
	bool is_whole = false;

	if (m->error == ERR_EXPIRED && from->state == WAY_LINKED &&
	    person_is_open(from->person) && !from->person->is_self) {
		/* The end of its stream may be heard later: it is not given any more then. */
		serves_stop_on(f, m->id, from);
		is_whole = gets_withdrawn(f, m->id, from->person->id);
		if (!is_whole)
			drop_withdrawn(f, m->id, from->person->id);
	}
	told_hear(f, from, m, is_whole);
}

void files_asked(struct files *f, struct way *from, int64_t stream,
		 const struct wire_file_get *get)
{
	serve_ask(f, from, stream, get);
}

void files_take_news(struct files *f)
{
	offers_news(f);
}

mono_ns files_step(struct files *f)
{
	mono_ns deadline;

	offers_news(f);
	offers_step(f);
	told_step(f);
	deadline = gets_step(f);
	return mono_earlier(deadline, serves_step(f));
}

void files_release(struct files *f)
{
	files_remove_now(f, true);
	parts_release(f);
	gets_release(f);
	told_release(f);
}

void files_undo(struct files *f)
{
	files_remove_now(f, false);
	told_undo(f);
	gets_undo(f);
	f->has_unchecked = f->has_dropped = true;
}
