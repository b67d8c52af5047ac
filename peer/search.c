#include "peer/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/history.h"
#include "peer/search_inside.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/log.h"
#include "shared/offer.h"

enum {
	BATCH_BYTES = 64 << 10,
	MERGE_PAGES = 64, /* of the index, in one step */
	LOG_PAGES =
		256, /* in the store's log, and they go to their places in a step of their own */
	TIDY_EACH = 20000, /* messages: so many more, and tidying is due so much later ... */
	TIDY_MOST = 144,   /* ... up to a day */
	ROW_COST = 64,     /* what a row costs that is looked at, in bytes of text, ... */
	HIT_COST = 1024,   /* ... and one that is told */
};
#define PAUSE (2 * MILLISECOND) /* between two batches: others come first */

struct search {
	struct rooms *rooms;
	struct buf text, snippet, match; /* scratch */
	struct sighted sighted;
	bool is_behind; /* something was written since all was indexed */
	bool is_tidying;
	bool is_broken, was_rebuilt;
	mono_ns quiet_at, at_least_at;
	mono_ns tidy_at; /* NEVER: nothing was taken out */
};

static struct db *db_of(struct search *s)
{
	return store_db(s->rooms->store);
}

/* What is in the index: messages up to the id `upto`; of those that were granted, whose places fall while
 * ids rise, that is down to the place `granted`. */
struct indexed {
	uint64_t upto;
	int64_t granted; /* 1: none */
	bool is_untidy;
};

/* Never from memory: a commit may fail. */
static struct indexed indexed(struct search *s)
{
	struct statement *q = db_sql(db_of(s), "SELECT upto, granted, is_untidy FROM searched");
	struct indexed in = { .granted = 1 };

	if (db_step(q) == 1)
		in = (struct indexed){ (uint64_t)column_int(q, 0), column_int(q, 1),
				       column_int(q, 2) };
	db_done(q);
	return in;
}

/* What was taken out stays in the pages of the index until they are written anew, which for a large
 * one is so much work that it is done more seldom. */
static mono_ns tidy_after(uint64_t messages)
{
	uint64_t times = 1 + messages / TIDY_EACH;

	return SEARCH_TIDY * (times < TIDY_MOST ? times : TIDY_MOST);
}

struct search *search_new(struct rooms *rooms)
{
	struct search *s = memory_new(sizeof *s);
	struct indexed in;

	s->rooms = rooms;
	s->is_behind = true;
	in = indexed(s);
	s->tidy_at = in.is_untidy ? rooms->now + tidy_after(in.upto) : NEVER;
	s->at_least_at = s->quiet_at = rooms->now + SEARCH_QUIET;
	return s;
}

void search_free(struct search *s)
{
	if (!s)
		return;
	buf_clear(&s->text);
	buf_clear(&s->snippet);
	buf_clear(&s->match);
	sighted_clear(&s->sighted);
	free(s);
}

static int64_t lower(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* --- the index --- */

enum { ROW_ID, ROW_CONTACT, ROW_KIND, ROW_FLAGS, ROW_PLACE, ROW_BODY, ROW_EDIT };
#define ROWS                                                                                   \
	"SELECT m.id, m.contact, m.kind, m.flags, m.place, m.body, e.body"                     \
	" FROM message AS m LEFT JOIN message AS e ON e.id = m.edit"

/* All that can be found in a row, line by line; empty: nothing. Views until the next call. `is_stored`: as it
 * stands in the index, where what is doomed is still. */
static struct bytes text_of(struct search *s, struct statement *row, bool is_stored)
{
	int64_t flags = column_int(row, ROW_FLAGS);
	bool is_edited = !column_is_null(row, ROW_EDIT);
	struct bytes body = column_bytes(row, ROW_BODY);
	struct offer offer;

	if (flags & (ENTRY_GONE | ENTRY_RETRACTED) ||
	    (flags & ENTRY_SILENT && !(is_stored && flags & ENTRY_DOOMED)))
		return bytes_of(NULL, 0);
	if (column_int(row, ROW_KIND) == SAY_TEXT)
		return is_edited ? column_bytes(row, ROW_EDIT) : body;
	if (column_int(row, ROW_KIND) != SAY_FILE || offer_decode(&offer, body) < 0)
		return bytes_of(NULL, 0);
	s->text.size = 0;
	buf_append(&s->text, is_edited ? column_bytes(row, ROW_EDIT) : offer.caption);
	if (s->text.size)
		buf_append_byte(&s->text, '\n');
	buf_append(&s->text, offer.name);
	if (offer.alt.size) {
		buf_append_byte(&s->text, '\n');
		buf_append(&s->text, offer.alt);
	}
	return buf_view(&s->text);
}

/* Whose a message is stands in the index as a word, too: c and the number of the contact. */
enum { WHO_SIZE = 24 };
static void who(char out[WHO_SIZE], int64_t contact)
{
	snprintf(out, WHO_SIZE, "c%lld", (long long)contact);
}

/* A damaged index is no damaged store: it is made anew from the messages. */
static int changed(struct search *s, int result)
{
	if (result == ERR_CORRUPT || result == ERR_EXISTS)
		s->is_broken = true;
	else if (result < 0)
		store_failed(s->rooms->store, result);
	return result;
}

/* `is_in`: put in, else taken out, which FTS5 does only by what was put in. */
static void change_index(struct search *s, struct statement *row, bool is_in)
{
	struct bytes text = text_of(s, row, true);
	struct statement *q;
	char name[WHO_SIZE];

	if (text.size == 0)
		return;
	if (is_in)
		q = db_sql(db_of(s), "INSERT INTO search(rowid, body, who) VALUES(?,?,?)");
	else
		q = db_sql(db_of(s), "INSERT INTO search(rowid, body, who, search)"
				     " VALUES(?,?,?,'delete')");
	who(name, column_int(row, ROW_CONTACT));
	bind_int(q, 1, column_int(row, ROW_PLACE));
	bind_bytes(q, 2, text);
	bind_text(q, 3, name);
	changed(s, db_run(q));
}

static void change_one(struct search *s, uint64_t id, bool is_in)
{
	struct statement *row;
	struct indexed in;

	store_write(s->rooms->store);
	in = indexed(s);
	if (id > in.upto)
		return;
	row = db_sql(db_of(s), ROWS " WHERE m.id = ?");
	bind_int(row, 1, (int64_t)id);
	if (db_step(row) == 1)
		change_index(s, row, is_in);
	db_done(row);
	if (!is_in && !in.is_untidy)
		store_run(s->rooms->store,
			  db_sql(db_of(s), "UPDATE searched SET is_untidy = 1"));
}

void search_out(struct search *s, uint64_t id)
{
	change_one(s, id, false);
	if (s->tidy_at == NEVER)
		s->tidy_at = s->rooms->now + tidy_after(indexed(s).upto);
}

void search_in(struct search *s, uint64_t id)
{
	change_one(s, id, true);
}

/* --- in the background --- */

static void set_indexed(struct search *s, const struct indexed *in)
{
	struct statement *q = db_sql(db_of(s),
				     "INSERT INTO searched(one, upto, granted) VALUES(1, ?, ?)"
				     " ON CONFLICT(one) DO UPDATE SET upto = excluded.upto,"
				     " granted = excluded.granted");

	bind_int(q, 1, (int64_t)in->upto);
	bind_int(q, 2, in->granted);
	store_run(s->rooms->store, q);
}

/* The next rows, a batch of them. FTS5 takes rising numbers quickly and others one by one: granted ones,
 * whose places fall, have a turn of their own. */
static void index_batch(struct search *s, struct indexed *in)
{
	struct statement *row = db_sql(db_of(s), ROWS " WHERE m.id > ? ORDER BY m.id LIMIT ?");
	uint64_t end = in->upto;
	int64_t granted = in->granted;
	size_t bytes = 0;

	bind_int(row, 1, (int64_t)in->upto);
	bind_int(row, 2, SEARCH_BATCH);
	while (bytes < BATCH_BYTES && db_step(row) == 1) {
		end = (uint64_t)column_int(row, ROW_ID);
		bytes += column_bytes(row, ROW_BODY).size;
		if (column_int(row, ROW_PLACE) > 0)
			change_index(s, row, true);
		else
			granted = lower(granted, column_int(row, ROW_PLACE));
	}
	db_done(row);
	if (granted < in->granted) {
		row = db_sql(db_of(s), ROWS " WHERE m.place >= ? AND m.place < ?"
					    " AND m.place <= 0 ORDER BY m.place");
		bind_int(row, 1, granted);
		bind_int(row, 2, in->granted);
		while (db_step(row) == 1)
			change_index(s, row, true);
		db_done(row);
	}
	*in = (struct indexed){ end, granted, in->is_untidy };
}

static uint64_t newest(struct search *s)
{
	struct statement *q = db_sql(db_of(s), "SELECT max(id) FROM message");
	uint64_t id = db_step(q) == 1 ? (uint64_t)column_int(q, 0) : 0;

	db_done(q);
	return id;
}

/* From the beginning, once in a run: where that does not help it is the disk. */
static void rebuild(struct search *s)
{
	s->is_broken = false;
	if (s->was_rebuilt)
		return;
	s->was_rebuilt = s->is_behind = true;
	log_event(LOG_WARNING, "search-index-made-anew", NULL);
	store_write(s->rooms->store);
	if (db_run(db_sql(db_of(s), "INSERT INTO search(search) VALUES('delete-all')")) >= 0)
		set_indexed(s, &(struct indexed){ .granted = 1 });
	s->is_broken = false;
}

/* FTS5 would merge its parts by itself, and much at once; so it is told to, each time a little. `is_all`: begin
 * to write the whole index anew. False: there was nothing to do. */
static bool merge(struct search *s, bool is_all)
{
	int64_t before = db_changes(db_of(s));
	struct statement *q = db_sql(db_of(s), "INSERT INTO search(search, rank)"
					       " VALUES('merge', ?)");

	bind_int(q, 1, is_all ? -MERGE_PAGES : MERGE_PAGES);
	/* https://sqlite.org/fts5.html#the_merge_command: less than two rows: nothing is left to do */
	return changed(s, db_run(q)) >= 0 && db_changes(db_of(s)) - before >= 2;
}

/* A slice of writing the whole index anew, without what was taken out. */
static void tidy(struct search *s)
{
	store_write(s->rooms->store);
	if (merge(s, !s->is_tidying)) {
		s->is_tidying = true;
		return;
	}
	s->is_tidying = false;
	s->tidy_at = NEVER;
	store_run(s->rooms->store, db_sql(db_of(s), "UPDATE searched SET is_untidy = 0"));
}

mono_ns search_step(struct search *s)
{
	struct rooms *r = s->rooms;
	struct indexed in;

	if (store_is_writing(r->store)) {
		s->is_behind = true;
		s->quiet_at = r->now + SEARCH_QUIET;
	}
	if (s->is_broken)
		rebuild(s);
	if (!s->is_behind && r->now < s->tidy_at)
		return s->tidy_at;
	if (r->now < s->quiet_at && (r->now < s->at_least_at || !s->is_behind))
		return mono_earlier(s->quiet_at, s->is_behind ? s->at_least_at : NEVER);
	s->at_least_at = r->now + SEARCH_AT_LEAST;
	if (!store_is_writing(r->store) && db_checkpoint(db_of(s), LOG_PAGES))
		return r->now + PAUSE;
	in = indexed(s);
	if (newest(s) > in.upto + SEARCH_TAIL) {
		store_write(r->store);
		index_batch(s, &in);
		set_indexed(s, &in);
		merge(s, false);
		return r->now + PAUSE;
	}
	s->is_behind = false;
	if (r->now < s->tidy_at)
		return s->tidy_at;
	tidy(s);
	return s->tidy_at == NEVER ? NEVER : r->now + PAUSE;
}

/* --- finding --- */

struct finding {
	struct search *s;
	struct query query;
	const struct person *person;
	int64_t place; /* all from here on up has been looked at */
	int64_t left;  /* of SEARCH_SLICE */
	unsigned limit;
	engine_each_hit *each;
	void *user;
	bool is_over;
};

static bool may_go_on(const struct finding *f)
{
	return !f->is_over && f->left > 0;
}

static bool on_found(void *user, const struct message *m)
{
	struct finding *f = user;
	struct hit hit = { *m, buf_view(&f->s->snippet) };

	f->limit--;
	f->is_over = !f->each(f->user, &hit) || f->limit == 0;
	return false;
}

static int look_at(struct finding *f, struct statement *row)
{
	struct search *s = f->s;
	struct bytes text;
	int err;

	if (f->person && f->person->id != column_int(row, ROW_CONTACT))
		return 0;
	text = text_of(s, row, false);
	f->left -= (int64_t)text.size;
	if (!query_finds(&f->query, text, &s->sighted, &s->snippet))
		return 0;
	f->left -= HIT_COST;
	err = history_one(s->rooms, (uint64_t)column_int(row, ROW_ID), on_found, f);
	return err == ERR_NOT_FOUND ? 0 : err;
}

/* The rows of a bound query, newest first, as far as this slice goes. At their end all down to `end` has
 * been looked at. */
static int walk(struct finding *f, struct statement *row, int64_t end)
{
	int err = 0, more = 1;

	while (err >= 0 && may_go_on(f) && (more = db_step(row)) == 1) {
		int64_t place = column_int(row, ROW_PLACE);

		f->left -= ROW_COST;
		/* A granted one among the others, which come by their ids, has its turn later. */
		if (place > 0 || end <= 0)
			err = look_at(f, row);
		f->place = place > 0 || end <= 0 ? place : column_int(row, ROW_ID);
	}
	db_done(row);
	if (more == 0)
		f->place = end;
	return more < 0 ? more : err;
}

/* What is not in the index yet. */
static int look_through(struct finding *f, uint64_t upto)
{
	struct statement *row = db_sql(db_of(f->s), ROWS " WHERE m.id > ? AND m.id < ?"
							 " ORDER BY m.id DESC");

	bind_int(row, 1, (int64_t)upto);
	bind_int(row, 2, f->place);
	return walk(f, row, (int64_t)upto + 1);
}

static int look_through_granted(struct finding *f)
{
	struct statement *row = db_sql(db_of(f->s), ROWS " WHERE m.place <= 0 AND m.place < ?"
							 " ORDER BY m.place DESC");

	bind_int(row, 1, f->place);
	return walk(f, row, INT64_MIN);
}

/* Places in the index from `from` on; CROSS JOIN: the index leads. */
static int ask_index(struct finding *f, int64_t from)
{
	struct buf *match = &f->s->match;
	struct statement *row;
	char name[WHO_SIZE];
	int err;

	match->size = 0;
	query_for_index(&f->query, match);
	if (f->person) {
		who(name, f->person->id);
		buf_append(match, bytes_text(" AND who:"));
		buf_append(match, bytes_text(name));
	}
	buf_append_byte(match, '\0');
	if (from > 0)
		row = db_sql(db_of(f->s),
			     "SELECT m.id, m.contact, m.kind, m.flags, m.place, m.body, e.body"
			     " FROM search CROSS JOIN message AS m ON m.id = search.rowid"
			     " LEFT JOIN message AS e ON e.id = m.edit WHERE search MATCH ?"
			     " AND search.rowid >= ? AND search.rowid < ?"
			     " AND m.place = m.id ORDER BY search.rowid DESC");
	else
		row = db_sql(db_of(f->s),
			     "SELECT m.id, m.contact, m.kind, m.flags, m.place, m.body, e.body"
			     " FROM search CROSS JOIN message AS m ON m.place = search.rowid"
			     " AND m.place <= 0 LEFT JOIN message AS e ON e.id = m.edit"
			     " WHERE search MATCH ? AND search.rowid >= ? AND search.rowid < ?"
			     " ORDER BY search.rowid DESC");
	bind_text(row, 1, (const char *)match->data);
	bind_int(row, 2, from);
	bind_int(row, 3, f->place);
	err = walk(f, row, from);
	if (err == ERR_CORRUPT) {
		f->s->is_broken = true;
		f->s->is_behind = true;
	}
	return err;
}

/* The newest first: what is not in the index, what is, and then the same of what was granted the other way
 * round, as of that the oldest came last. */
static int look(struct finding *f)
{
	struct indexed in = indexed(f->s);
	int err = 0;

	if (f->place > (int64_t)in.upto + 1)
		err = look_through(f, in.upto);
	if (err == 0 && may_go_on(f) && f->place > 1)
		err = ask_index(f, 1);
	if (err == 0 && may_go_on(f) && f->place > in.granted)
		err = ask_index(f, in.granted);
	if (err == 0 && may_go_on(f))
		err = look_through_granted(f);
	return err < 0 ? err : !f->is_over && f->place > INT64_MIN;
}

int search_find(struct search *s, const char *text, const struct person *p, uint64_t before,
		unsigned limit, struct search_at *at, engine_each_hit *each, void *user)
{
	struct finding f = { .s = s,
			     .person = p,
			     .place = at->is_begun ? at->place : INT64_MAX,
			     .left = SEARCH_SLICE,
			     .limit = limit,
			     .each = each,
			     .user = user,
			     .is_over = limit == 0 };
	int err = query_parse(&f.query, db_of(s), bytes_text(text));

	if (err == 0 && before && !at->is_begun)
		err = history_place(s->rooms, p, before, &f.place);
	if (err == 0)
		err = look(&f);
	if (err >= 0)
		*at = (struct search_at){ true, f.place };
	query_clear(&f.query);
	return err;
}
