/* How files stand at the other side: of ours what they have said of it, of theirs what is to be said, until
 * they say that it is in their store. */
#include <stdlib.h>
#include <string.h>

#include "peer/files_inside.h"
#include "peer/persons.h"
#include "peer/store.h"
#include "shared/error.h"

/* --- ours, with them --- */

static void save(struct files *f, struct file_row *row, enum transfer_state state, int err)
{
	row->state = state;
	row->error = err;
	file_row_save(f, row);
	file_tell(f, row);
}

static void arrived(struct files *f, struct file_row *row, const struct arrival *a)
{
	bool is_news = a->contact && (row->flags & FILE_HERE) && row->state != TRANSFER_DONE;
	struct filing_work *w;

	if (a->has_hash && !row->has_hash) {
		memcpy(row->hash, a->hash, sizeof row->hash);
		row->has_hash = true;
		if (!is_news)
			file_row_save(f, row);
	}
	if (!is_news)
		return;
	row->done = row->size;
	save(f, row, TRANSFER_DONE, 0);
	if (row->flags & FILE_SPOOLED) {
		w = filing_work_new(FILING_REMOVE);
		w->path = memory_text(row->path);
		files_remove_later(f, w);
	}
}

/* Theirs, not to be taken for what is wrong with the file here. */
static int their_reason(int err)
{
	return err == ERR_FULL || err == ERR_EXPIRED ? err
	       : err == ERR_CORRUPT                  ? ERR_FORMAT
						     : ERR_REFUSED;
}

static bool is_our_reason(int err)
{
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT || err == ERR_IO;
}

/* Who offered it has taken the offer back. What is whole here, or ended here, stays as it is. */
static void withdrawn(struct files *f, struct file_row *row)
{
	if (row->state == TRANSFER_DONE || row->state == TRANSFER_CANCELLED ||
	    (row->state == TRANSFER_FAILED && row->error == ERR_EXPIRED))
		return;
	row->flags &= ~(unsigned)FILE_UNTOLD;
	save(f, row, TRANSFER_FAILED, ERR_EXPIRED);
}

static void note(struct files *f, const struct arrival *a)
{
	struct file_row row;
	int err = their_reason(a->error);

	if (file_row_find(f, a->id, &row) != 1)
		return;
	if (a->contact && row.contact == a->contact && !row.is_ours &&
	    a->error == ERR_EXPIRED && !a->is_whole)
		withdrawn(f, &row);
	else if (a->contact && (!row.is_ours || row.contact != a->contact))
		; /* not offered to them */
	else if (a->error == 0)
		arrived(f, &row, a);
	else if ((row.flags & FILE_HERE) && (row.state == TRANSFER_OFFERED ||
					     (row.state == TRANSFER_FAILED &&
					      !is_our_reason(row.error) && row.error != err)))
		save(f, &row, TRANSFER_FAILED, err);
	file_row_clear(&row);
}

bool told_add(struct files *f, const struct arrival *a)
{
	if (f->arrival_count >= FILES_ARRIVALS)
		return false;
	f->arrivals = memory_grow(f->arrivals, f->arrival_count + 1, sizeof *a);
	f->arrivals[f->arrival_count++] = *a;
	note(f, a);
	return true;
}

void told_hear(struct files *f, struct way *from, const struct wire_file_stands *m,
	       bool is_whole)
{
	struct arrival a = { .contact = from->person->id,
			     .error = m->error,
			     .is_whole = is_whole,
			     .way = from->number,
			     .link_number = from->link_number };

	if (from->state != WAY_LINKED || !person_is_open(from->person) || from->person->is_self)
		return;
	memcpy(a.id, m->id, sizeof a.id);
	told_add(f, &a);
}

void told_broken(struct files *f, const uint8_t id[OFFER_ID_SIZE], int err)
{
	struct file_row row;

	if (file_row_find(f, id, &row) != 1)
		return;
	if ((row.flags & FILE_HERE) && (row.state == TRANSFER_OFFERED ||
					(row.state == TRANSFER_FAILED && row.error != err)))
		save(f, &row, TRANSFER_FAILED, err);
	file_row_clear(&row);
}

void told_given(struct files *f, const uint8_t id[OFFER_ID_SIZE], uint64_t done)
{
	struct file_row row;

	if (file_row_find(f, id, &row) != 1)
		return;
	if ((row.flags & FILE_HERE) &&
	    (row.state == TRANSFER_OFFERED || row.state == TRANSFER_FAILED)) {
		row.done = done;
		row.state = TRANSFER_OFFERED;
		row.error = 0;
		file_row_save(f, &row);
	}
	file_row_clear(&row);
}

/* Once it is in the store. */
static void say_noted(struct files *f, const struct arrival *a)
{
	struct wire_message m = { .type = WIRE_FILE_NOTED };
	struct way *w = a->contact ? reach_by_number(f->rooms->reach, a->way) : NULL;

	if (!w || w->state != WAY_LINKED || w->link_number != a->link_number)
		return;
	memcpy(m.file_noted.id, a->id, sizeof m.file_noted.id);
	m.file_noted.error = a->error;
	if (reach_say(f->rooms->reach, w, &m) == 0)
		f->rooms->has_more = true; /* the line is written in a step */
}

/* --- theirs, here --- */

/* As FILE_STANDS says it. */
static int word_of(enum transfer_state state, int err)
{
	if (state == TRANSFER_DONE)
		return 0;
	if (state == TRANSFER_CANCELLED)
		return ERR_EXPIRED;
	return err == ERR_FULL || err == ERR_CORRUPT ? err : ERR_IO;
}

static bool say_stands(struct files *f, struct way *w, const uint8_t id[OFFER_ID_SIZE], int err)
{
	struct wire_message m = { .type = WIRE_FILE_STANDS };

	memcpy(m.file_stands.id, id, sizeof m.file_stands.id);
	m.file_stands.error = err;
	if (reach_say(f->rooms->reach, w, &m) < 0)
		return false;
	f->rooms->has_more = true;
	w->told_open++;
	return true;
}

void told_stand(struct files *f, const struct file_row *row, const struct device_public *author,
		bool is_said)
{
	struct stand *s;

	if (!(row->flags & FILE_UNTOLD))
		return;
	f->stands = memory_grow(f->stands, f->stand_count + 1, sizeof *s);
	s = &f->stands[f->stand_count++];
	memcpy(s->id, row->id, sizeof s->id);
	s->contact = row->contact;
	s->device = *author;
	s->error = word_of(row->state, row->error);
	s->is_said = is_said;
}

static struct way *way_to(struct files *f, int64_t contact, const struct device_public *device)
{
	struct person *p = files_person(f, contact);

	return p && person_is_open(p) ? reach_way(f->rooms->reach, p, device) : NULL;
}

static unsigned find_author(const struct files *f, int64_t contact,
			    const struct device_public *device)
{
	unsigned i = 0;

	while (i < f->author_count && (f->authors[i].contact != contact ||
				       !device_public_equal(&f->authors[i].device, device)))
		i++;
	return i;
}

static void add_author(struct files *f, int64_t contact, const struct device_public *device)
{
	if (f->author_count >= FILES_AUTHORS ||
	    find_author(f, contact, device) < f->author_count)
		return;
	f->authors = memory_grow(f->authors, f->author_count + 1, sizeof *f->authors);
	f->authors[f->author_count++] = (struct author){ .contact = contact,
							 .device = *device };
}

/* Those of an earlier life. */
static void find_authors(struct files *f)
{
	struct device_public device;
	struct statement *s = db_sql(
		store_db(f->rooms->store),
		"SELECT DISTINCT f.contact, c.author FROM file AS f CROSS JOIN message AS m"
		" ON m.id = f.message CROSS JOIN chain AS c ON c.id = m.chain"
		" WHERE f.flags & 128 AND f.is_ours = 0 AND f.state IN (7, 8, 9) LIMIT ?");

	bind_int(s, 1, FILES_AUTHORS);
	while (db_step(s) == 1) {
		if (column_copy(s, 1, device.bytes, sizeof device.bytes) == 0)
			add_author(f, column_int(s, 0), &device);
	}
	db_done(s);
	f->are_authors_known = true;
}

void told_ask(struct files *f)
{
	if (!f->are_authors_known)
		find_authors(f);
	for (unsigned i = 0; i < f->author_count; i++) {
		struct way *w = way_to(f, f->authors[i].contact, &f->authors[i].device);

		if (w && w->state != WAY_LINKED)
			files_ask(f, w);
	}
}

static void say_stand(struct files *f, const struct stand *s)
{
	struct way *w = way_to(f, s->contact, &s->device);
	bool is_linked = w && w->state == WAY_LINKED && w->told_link == w->link_number;

	if (is_linked && s->is_said)
		w->told_open++;
	else if (is_linked)
		say_stands(f, w, s->id, s->error);
	add_author(f, s->contact, &s->device);
}

static void forget_author(struct files *f, unsigned at)
{
	if (at < f->author_count)
		f->authors[at] = f->authors[--f->author_count];
}

/* Up to where the device has what we say in the conversation. */
static uint64_t held_by(const struct way *w)
{
	for (unsigned i = 0; i < w->talk_count; i++) {
		if (w->talks[i]->person == w->person)
			return w->talks[i]->debt.next;
	}
	return 0;
}

/* The link is new: what that device offered, and has not said that it knows; and what of ours was taken
 * back: once it holds the offer, else that would come behind. */
static void say_all(struct files *f, struct way *w)
{
	struct statement *s = db_sql(
		store_db(f->rooms->store),
		"SELECT f.id, f.state, f.error, f.is_ours, m.seq, c.conversation = (SELECT"
		" max(id) FROM conversation WHERE contact = f.contact) FROM file AS f"
		" CROSS JOIN message AS m ON m.id = f.message"
		" CROSS JOIN chain AS c ON c.id = m.chain"
		" WHERE f.flags & 128 AND f.contact = ? AND (f.is_ours OR c.author = ?)"
		" AND f.state IN (7, 8, 9) ORDER BY f.message LIMIT ?");
	uint8_t id[OFFER_ID_SIZE];
	unsigned at = find_author(f, w->person->id, &w->device);

	/* Who never says that it knows is not dialled for ever. */
	if (at < f->author_count && ++f->authors[at].tries >= FILES_TELLS)
		forget_author(f, at);
	w->told_behind = 0;
	bind_int(s, 1, w->person->id);
	bind_bytes(s, 2, BYTES(w->device.bytes));
	bind_int(s, 3, FILES_TOLD);
	while (db_step(s) == 1 && column_copy(s, 0, id, sizeof id) == 0) {
		uint64_t seq = (uint64_t)column_int(s, 4);

		if (column_int(s, 3) && column_int(s, 5) && seq >= held_by(w))
			w->told_behind = w->told_behind ? w->told_behind : seq;
		else if (!say_stands(f, w, id,
				     word_of((enum transfer_state)column_int(s, 1),
					     (int)column_int(s, 2))))
			break;
	}
	db_done(s);
}

static void noted(struct files *f, struct way *from, const uint8_t id[OFFER_ID_SIZE])
{
	unsigned at = find_author(f, from->person->id, &from->device);
	struct statement *s;

	file_row_told(f, id);
	s = db_sql(store_db(f->rooms->store),
		   "SELECT 1 FROM file AS f CROSS JOIN message AS m ON m.id = f.message"
		   " CROSS JOIN chain AS c ON c.id = m.chain"
		   " WHERE f.flags & 128 AND f.contact = ? AND c.author = ? LIMIT 1");
	bind_int(s, 1, from->person->id);
	bind_bytes(s, 2, BYTES(from->device.bytes));
	if (db_step(s) == 0)
		forget_author(f, at);
	else if (at < f->author_count)
		f->authors[at].tries = 0;
	db_done(s);
	if (from->told_open == 0)
		from->told_link =
			0; /* there may have been more of them than are said at once */
}

void files_hear_noted(struct files *f, struct way *from, const struct wire_file_noted *m)
{
	struct device_public author;
	struct file_row row;

	/* Not more than was said: each is looked up. */
	if (from->state != WAY_LINKED || from->told_open == 0)
		return;
	from->told_open--;
	if (file_row_find(f, m->id, &row) != 1)
		return;
	if ((row.flags & FILE_UNTOLD) && row.contact == from->person->id &&
	    word_of(row.state, row.error) == m->error &&
	    (row.is_ours ||
	     (file_author(f, &row, &author) && device_public_equal(&author, &from->device))))
		noted(f, from, m->id);
	file_row_clear(&row);
}

static void tell_again(struct files *f, struct person *p)
{
	for (unsigned i = 0; p && i < WIRE_DEVICES_MAX; i++) {
		if (p->ways[i] && p->ways[i]->state == WAY_LINKED)
			p->ways[i]->told_link = 0;
	}
	f->rooms->has_more = true;
}

void told_cancelled(struct files *f, struct file_row *row)
{
	struct person *p = files_person(f, row->contact);
	struct device_public author;

	if (!p || p->is_self || (row->is_ours && !(row->flags & FILE_HERE)))
		return;
	row->flags |= FILE_UNTOLD;
	if (row->is_ours)
		tell_again(f, p);
	else if (file_author(f, row, &author))
		told_stand(f, row, &author, false);
}

void told_forget(struct files *f, const uint8_t id[OFFER_ID_SIZE])
{
	for (unsigned i = f->stand_count; i-- > 0;) {
		if (memcmp(f->stands[i].id, id, OFFER_ID_SIZE) == 0)
			f->stands[i] = f->stands[--f->stand_count];
	}
}

/* --- in a step --- */

void told_step(struct files *f)
{
	for (unsigned i = 0; f->is_arrival_lost && i < f->arrival_count; i++)
		note(f, &f->arrivals[i]);
	f->is_arrival_lost = false;
}

void told_release(struct files *f)
{
	struct way *w;

	for (unsigned i = 0; i < f->arrival_count; i++)
		say_noted(f, &f->arrivals[i]);
	f->arrival_count = 0;
	f->is_arrival_lost = false;
	for (unsigned i = 0; i < f->stand_count; i++)
		say_stand(f, &f->stands[i]);
	f->stand_count = 0;
	for (unsigned i = 0; (w = reach_way_at(f->rooms->reach, i)) != NULL; i++) {
		if (w->state != WAY_LINKED || w->person->is_self ||
		    !person_is_open(w->person) ||
		    (w->told_link == w->link_number &&
		     (w->told_behind == 0 || held_by(w) <= w->told_behind)))
			continue;
		if (w->told_link != 0 && w->told_link != w->link_number)
			w->told_open = 0;
		w->told_link = w->link_number;
		say_all(f, w);
	}
}

void told_undo(struct files *f)
{
	f->is_arrival_lost = f->arrival_count > 0;
	f->stand_count = 0;
}

void told_clear(struct files *f)
{
	free(f->arrivals);
	free(f->stands);
	free(f->authors);
}
