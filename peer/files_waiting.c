/* Which files are fetched now. */
#include <stdlib.h>
#include <string.h>

#include "peer/files_get_inside.h"
#include "peer/store.h"
#include "shared/error.h"

enum { LOOKED_AT = 1024 }; /* rows, where there is not place for all */
#define LOOK_AGAIN (5 * SECOND)

/* --- which --- */

static bool is_here(const struct files *f, const uint8_t id[OFFER_ID_SIZE])
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		if (f->gets[i] && memcmp(f->gets[i]->row.id, id, OFFER_ID_SIZE) == 0)
			return true;
	}
	return false;
}

static void get_new(struct files *f, struct file_row *row)
{
	struct get *g = memory_new(sizeof *g);
	unsigned at = 0;

	while (f->gets[at])
		at++;
	f->gets[at] = g;
	g->row = *row;
	g->has_author = file_author(f, row, &g->author);
	g->retry_at = f->rooms->now;
	g->state = row->flags & FILE_NAMED ? GET_NAMED : GET_WAITING;
	*row = (struct file_row){ 0 };
}

static bool has_place(const struct files *f)
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		if (!f->gets[i])
			return true;
	}
	return false;
}

static bool is_near(const struct files *f, int64_t contact)
{
	const struct person *p = files_person(f, contact);

	for (unsigned i = 0; p && i < WIRE_DEVICES_MAX; i++) {
		if (p->ways[i] && p->ways[i]->state == WAY_LINKED)
			return true;
	}
	return false;
}

static unsigned count_of(const struct files *f, int64_t contact)
{
	unsigned count = 0;

	for (unsigned i = 0; i < FILES_WAITING; i++)
		count += f->gets[i] && f->gets[i]->row.contact == contact;
	return count;
}

/* Nothing of it is in memory alone. */
static bool is_at_rest(const struct get *g)
{
	return (g->state == GET_WAITING || g->state == GET_READY) && !g->is_working &&
	       g->in.size == 0 && g->stored == g->durable;
}

/* Nothing is open for it, and nobody is there who has it; or it has had turns, and is of one who has more
 * places than `contact`. */
static struct get *find_idle(const struct files *f, int64_t contact)
{
	struct get *found = NULL;

	for (unsigned i = 0; i < FILES_WAITING; i++) {
		struct get *g = f->gets[i];

		if (!g || !is_at_rest(g))
			continue;
		if (!g->sink && !is_near(f, g->row.contact))
			return g;
		if (g->turns > (found ? found->turns : 0) &&
		    count_of(f, g->row.contact) > count_of(f, contact))
			found = g;
	}
	return found;
}

/* One for whom nobody is there, or who had turns, gives way to one for whom somebody is. */
static bool find_room(struct files *f, const struct file_row *row)
{
	struct get *idle;

	if (has_place(f))
		return true;
	idle = is_near(f, row->contact) ? find_idle(f, row->contact) : NULL;
	if (!idle)
		return false;
	get_free(f, idle);
	f->is_stale = false; /* that is looked at later */
	return true;
}

/* Those that wait in the store, the oldest first, a few of each conversation; now and then all are looked
 * at again, in another order: by who is there. */
static void look_for_more(struct files *f)
{
	uint8_t ids[LOOKED_AT][OFFER_ID_SIZE];
	unsigned count = 0;
	struct statement *s;

	f->is_stale = false;
	f->looked_at = f->rooms->now;
	s = db_sql(store_db(f->rooms->store),
		   "SELECT id FROM (SELECT id, message, row_number() OVER"
		   " (PARTITION BY contact, state ORDER BY message) AS place FROM file"
		   " WHERE state IN (2, 5) AND state < 7)"
		   " WHERE place <= ? ORDER BY message LIMIT ?");
	bind_int(s, 1, FILES_WAITING_OF);
	bind_int(s, 2, LOOKED_AT);
	while (count < LOOKED_AT && db_step(s) == 1) {
		if (column_copy(s, 0, ids[count], OFFER_ID_SIZE) == 0 &&
		    !is_here(f, ids[count]))
			count++;
	}
	db_done(s);
	for (unsigned i = 0; i < count; i++) {
		struct file_row row;

		if (file_row_find(f, ids[i], &row) == 1 && find_room(f, &row))
			get_new(f, &row);
		file_row_clear(&row);
	}
}

mono_ns gets_step(struct files *f)
{
	mono_ns deadline = NEVER;
	uintptr_t *asked = f->asked;
	unsigned count = f->asked_count;

	f->asked = NULL;
	f->asked_count = 0;
	if (f->is_stale || (!has_place(f) && f->rooms->now >= f->looked_at + LOOK_AGAIN))
		look_for_more(f);
	if (!has_place(f))
		deadline = f->looked_at + LOOK_AGAIN;
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		if (f->gets[i])
			deadline = mono_earlier(deadline, get_step(f, f->gets[i]));
	}
	told_ask(f);
	gets_ask_no_more(f, asked, count);
	return deadline;
}

/* It is in its place, and that is durable: they hear of it, if they are there. */
static void say_done(struct files *f, struct get *g)
{
	struct wire_message m = { .type = WIRE_FILE_DONE };
	const struct way *w = g->stream.is_open
				      ? reach_by_number(f->rooms->reach, g->stream.way)
				      : NULL;
	bool is_author = w && g->has_author && device_public_equal(&w->device, &g->author);
	bool is_said = file_stream_say(f, &g->stream, &m, true) == 0 && is_author;

	if (g->has_author)
		told_stand(f, &g->row, &g->author, is_said);
	g->stream.is_open = false;
	get_free(f, g);
}

void gets_release(struct files *f)
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		struct get *g = f->gets[i];

		if (g && g->state == GET_NAMED && !g->is_working)
			get_place(f, g);
		else if (g && g->state == GET_STORED)
			say_done(f, g);
	}
}

/* Whole, and they wait to hear so on a stream that will not come again. */
static bool has_last_word(const struct get *g)
{
	return (g->state == GET_NAMED || g->state == GET_STORED) && g->stream.is_open &&
	       !(g->row.flags & FILE_FOLDER);
}

void gets_undo(struct files *f)
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		struct get *g = f->gets[i];

		/* What is over winds up by itself: the worker may be writing to its part. */
		if (!g || g->state == GET_OVER)
			continue;
		if (has_last_word(g)) {
			g->is_unsaved = true;
			continue;
		}
		get_let_go(f, g, FILES_CODE_BUSY);
		get_free(f, g);
	}
	f->is_stale = true;
}

void gets_stop(struct files *f, const uint8_t id[OFFER_ID_SIZE], enum files_code code,
	       bool drop)
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		struct get *g = f->gets[i];

		if (!g || memcmp(g->row.id, id, OFFER_ID_SIZE) != 0)
			continue;
		get_let_go(f, g, code);
		g->state = GET_OVER;
		g->is_dropped |= drop;
	}
}

bool gets_withdrawn(struct files *f, const uint8_t id[OFFER_ID_SIZE], int64_t contact)
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		struct get *g = f->gets[i];

		if (!g || g->state == GET_OVER || g->row.is_ours || g->row.contact != contact ||
		    memcmp(g->row.id, id, OFFER_ID_SIZE) != 0)
			continue;
		if (g->state >= GET_FINISHING || g->has_tail)
			return true;
		get_fail(f, g, ERR_EXPIRED);
	}
	return false;
}

void gets_hurry(struct files *f, const uint8_t id[OFFER_ID_SIZE])
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		struct get *g = f->gets[i];

		if (!g || memcmp(g->row.id, id, OFFER_ID_SIZE) != 0)
			continue;
		g->retry_at = f->rooms->now;
		g->backoff = 0;
		g->row.error = 0;
		memset(g->elsewhere, 0, sizeof g->elsewhere);
		if (g->state != GET_OVER)
			g->row.state = TRANSFER_WAITING;
	}
}

bool gets_show(const struct files *f, struct message_file *file)
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		const struct get *g = f->gets[i];

		if (!g || memcmp(g->row.id, file->id, OFFER_ID_SIZE) != 0)
			continue;
		if (g->state == GET_OVER) { /* what has come is being stored */
			if (!g->is_dropped && g->row.error == 0 &&
			    file_shown(file, g->received) > file->done)
				file->done = file_shown(file, g->received);
			return true;
		}
		if (g->state == GET_BEGINNING || g->state == GET_FINISHING ||
		    g->state == GET_NAMED)
			file->state = TRANSFER_CHECKING;
		else if (g->state == GET_RUNNING && g->has_head)
			file->state = TRANSFER_RUNNING;
		if (g->state >= GET_READY && g->state <= GET_FINISHING)
			file->done = file_shown(file, g->received);
		if (file->state == TRANSFER_RUNNING)
			file->rate = g->rate.rate;
		return true;
	}
	return false;
}

void gets_clear(struct files *f)
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		if (f->gets[i])
			get_free(f, f->gets[i]);
	}
	free(f->asked);
}
