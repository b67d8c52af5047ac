#include <stdlib.h>
#include <string.h>

#include "peer/events.h"
#include "peer/files_inside.h"
#include "shared/error.h"

enum { SPARES_MAX = 8, BATCHES_FROM = 2 * FILING_BATCH };
#define SPARE_TIME (600 * SECOND)

/* Open, with what is hashed so far, for who comes back. */
struct spare {
	uint8_t id[OFFER_ID_SIZE];
	struct filing_source *source;
	mono_ns until;
};

enum serve_state {
	SERVE_OPENING,
	SERVE_HASHING, /* what they have already */
	SERVE_RUNNING,
	SERVE_TOLD, /* all was said; FILE_DONE is to come */
};

/* One file on its way to one device. */
struct serve {
	struct file_row row;
	struct file_stream stream;
	bool is_contacts; /* not another device of ours */
	int64_t to;       /* whose devices have places together */
	mono_ns began_at;
	enum serve_state state;
	struct filing_source *source; /* NULL: not open, or at work */
	bool is_working;
	uint64_t offset, read, said;               /* where they begin; so far */
	struct buf ready[FILES_READ_AHEAD], spare; /* of filing_room() */
	unsigned first, count;                     /* of `ready` */
	size_t first_at;                           /* so much of the first was said */
	mono_ns moved_at;                          /* something went on */
	uint64_t noted;                            /* so much of `said` is in the row, */
	mono_ns noted_at;
	struct file_rate rate;
};

/* --- sources that stay open for a while --- */

static void keep_source(struct files *f, struct serve *s)
{
	struct spare *oldest;

	if (!s->source)
		return;
	if (!f->spares)
		f->spares = memory_array(SPARES_MAX, sizeof *f->spares);
	oldest = f->spares;
	for (unsigned i = 0; i < SPARES_MAX; i++) {
		if (!f->spares[i].source || f->spares[i].until < oldest->until)
			oldest = &f->spares[i];
		if (!oldest->source)
			break;
	}
	filing_source_free(oldest->source);
	memcpy(oldest->id, s->row.id, sizeof oldest->id);
	oldest->source = s->source;
	oldest->until = f->rooms->now + SPARE_TIME;
	s->source = NULL;
}

static struct filing_source *take_spare(struct files *f, const uint8_t id[OFFER_ID_SIZE])
{
	for (unsigned i = 0; f->spares && i < SPARES_MAX; i++) {
		struct filing_source *source = f->spares[i].source;

		if (!source || memcmp(f->spares[i].id, id, OFFER_ID_SIZE) != 0)
			continue;
		f->spares[i].source = NULL;
		return source;
	}
	return NULL;
}

static void drop_spares(struct files *f, const uint8_t *id, mono_ns now)
{
	for (unsigned i = 0; f->spares && i < SPARES_MAX; i++) {
		struct spare *spare = &f->spares[i];

		if (!spare->source ||
		    (id ? memcmp(spare->id, id, OFFER_ID_SIZE) != 0 : now < spare->until))
			continue;
		filing_source_free(spare->source);
		spare->source = NULL;
	}
}

/* --- one of them --- */

static void serve_free(struct files *f, struct serve *s)
{
	files_disown(f, s);
	for (unsigned i = 0; i < FILES_SERVED; i++) {
		if (f->serves[i] == s)
			f->serves[i] = NULL;
	}
	filing_source_free(s->source);
	for (unsigned i = 0; i < FILES_READ_AHEAD; i++)
		filing_room_free(&s->ready[i]);
	filing_room_free(&s->spare);
	file_row_clear(&s->row);
	free(s);
}

/* What is left of it when the engine ends, or dies. */
static void note_given(struct files *f, struct serve *s, uint64_t done)
{
	if (s->is_contacts)
		told_given(f, s->row.id, done);
	s->noted = done;
	s->noted_at = f->rooms->now;
}

static void serve_end(struct files *f, struct serve *s, enum files_code code)
{
	struct file_row row = s->row;

	if (s->said >= s->noted + FILES_NOTED)
		note_given(f, s, s->said);
	file_stream_abandon(f, &s->stream, code);
	keep_source(f, s);
	file_tell_progress(f, &row);
	serve_free(f, s);
}

static void say_head(struct files *f, struct file_stream *stream, int err, uint64_t size)
{
	struct wire_message m = { .type = WIRE_FILE_HEAD };

	m.file_head.error = err;
	m.file_head.size = err < 0 ? 0 : size;
	if (file_stream_say(f, stream, &m, err < 0) < 0 || err < 0)
		stream->is_open = false;
}

/* Why it cannot be read, as both sides hear it. */
static int reason(int err)
{
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? err : ERR_IO;
}

/* It cannot be had: they are told why, and may say no more. */
static void refuse(struct files *f, struct serve *s, int err)
{
	say_head(f, &s->stream, reason(err), 0);
	serve_free(f, s);
}

static files_done serve_done;

static void order(struct files *f, struct serve *s, enum filing_task what, uint64_t offset,
		  uint64_t size)
{
	struct filing_work *w = filing_work_new(what);

	w->source = s->source;
	s->source = NULL;
	w->offset = offset;
	w->size = size;
	w->data = s->spare;
	s->spare = (struct buf){ 0 };
	s->is_working = true;
	files_order(f, JOB_FILING, w, serve_done, s);
}

static void order_open(struct files *f, struct serve *s)
{
	struct filing_work *w = filing_work_new(FILING_OPEN);

	w->path = memory_text(s->row.path);
	w->is_folder = s->row.flags & FILE_FOLDER;
	w->is_safe = !(s->row.flags & FILE_HERE);
	w->size = s->row.size;
	w->modified = s->row.modified;
	if (w->is_folder)
		file_row_manifest(f, &s->row, &w->manifest);
	s->is_working = true;
	files_order(f, JOB_FILING, w, serve_done, s);
}

static void begin(struct files *f, struct serve *s)
{
	say_head(f, &s->stream, 0, s->row.size);
	s->state = SERVE_HASHING;
	s->read = s->said = s->noted = s->offset;
	/* Also that it can be read again, if it could not. */
	if (s->offset > 0 || s->row.state == TRANSFER_FAILED)
		note_given(f, s, s->offset);
	file_rate_begin(&s->rate, s->said, f->rooms->now);
	file_tell_progress(f, &s->row);
}

static void serve_done(struct files *f, void *owner, const struct job *answer)
{
	struct serve *s = owner;
	struct filing_work *w = answer->task;

	s->is_working = false;
	s->source = w->source;
	w->source = NULL;
	s->moved_at = f->rooms->now;
	if (answer->err < 0)
		told_broken(f, s->row.id, reason(answer->err));
	if (answer->err < 0 && s->state == SERVE_OPENING) {
		refuse(f, s, answer->err);
		return;
	}
	if (answer->err < 0) {
		filing_source_free(s->source); /* it is looked at anew the next time */
		s->source = NULL;
		serve_end(f, s, FILES_CODE_BROKEN);
		return;
	}
	if (w->has_hash && !s->row.has_hash) {
		memcpy(s->row.hash, w->hash, sizeof s->row.hash);
		s->row.has_hash = true;
	}
	if (s->state == SERVE_OPENING)
		begin(f, s);
	if (w->what != FILING_READ)
		return;
	s->ready[(s->first + s->count++) % FILES_READ_AHEAD] = w->data;
	s->read += w->data.size;
	w->data = (struct buf){ 0 };
}

/* As many bytes at once as are hashed cheaply, for who reads, and while few are served: what is held of
 * all of them has a bound. */
static uint64_t batch_size(const struct files *f, const struct serve *s)
{
	unsigned count = 0;

	if (s->said < s->offset + BATCHES_FROM)
		return WIRE_FILE_PIECE;
	for (unsigned i = 0; i < FILES_SERVED; i++)
		count += f->serves[i] != NULL;
	return count <= FILES_SERVED / 4 ? FILING_BATCH : WIRE_FILE_PIECE;
}

/* What they have already is hashed, unless the hash is known, as it is when it was had whole. */
static void read_ahead(struct files *f, struct serve *s)
{
	uint64_t left = s->row.size - s->read;

	if (s->is_working)
		return;
	if (s->state == SERVE_HASHING) {
		if (!s->row.has_hash &&
		    (filing_source_hashed(s->source) < s->offset || s->row.size == s->offset)) {
			order(f, s, FILING_HASH, s->offset, 0);
			return;
		}
		s->state = SERVE_RUNNING;
	}
	if (s->state == SERVE_RUNNING && left > 0 && s->count < FILES_READ_AHEAD) {
		uint64_t batch = batch_size(f, s), room = batch - s->read % batch;

		order(f, s, FILING_READ, s->read, left < room ? left : room);
	}
}

static void say_tail(struct files *f, struct serve *s)
{
	struct wire_message m = { .type = WIRE_FILE_TAIL };

	memcpy(m.file_tail.hash, s->row.hash, sizeof m.file_tail.hash);
	if (file_stream_say(f, &s->stream, &m, true) < 0)
		return;
	s->state = SERVE_TOLD;
	s->moved_at = f->rooms->now;
}

/* As much as there is room for; what does not fit makes the link tell when there is. */
static void pump(struct files *f, struct serve *s, struct link *link)
{
	while (s->state == SERVE_RUNNING && s->count > 0) {
		struct buf *piece = &s->ready[s->first];
		size_t left = piece->size - s->first_at, room = link_room(link, s->stream.id);
		size_t part = left < room ? left : room;

		if (part > 0 &&
		    link_write(link, s->stream.id, bytes_of(piece->data + s->first_at, part),
			       false) < 0)
			return;
		s->first_at += part;
		s->said += part;
		if (part > 0)
			s->moved_at = f->rooms->now;
		if (part < left) {
			link_write(link, s->stream.id,
				   bytes_of(piece->data + s->first_at, left - part), false);
			return;
		}
		filing_room_free(&s->spare);
		s->spare = *piece;
		*piece = (struct buf){ 0 };
		s->first_at = 0;
		s->first = (s->first + 1) % FILES_READ_AHEAD;
		s->count--;
		read_ahead(f, s);
	}
	if (s->state == SERVE_RUNNING && s->said == s->row.size && s->row.has_hash)
		say_tail(f, s);
}

/* They say it until they hear that it is in the store. */
static void delivered(struct files *f, const struct serve *s)
{
	struct arrival a = { .has_hash = true,
			     .contact = s->is_contacts ? s->to : 0,
			     .way = s->stream.way,
			     .link_number = s->stream.link_number };

	memcpy(a.id, s->row.id, sizeof a.id);
	memcpy(a.hash, s->row.hash, sizeof a.hash);
	told_add(f, &a);
}

static void hear(struct files *f, struct serve *s)
{
	struct wire_message m;
	int err = file_stream_hear(f, &s->stream, &m);

	if (err == 0)
		return;
	if (err < 0 || m.type != WIRE_FILE_DONE || s->state != SERVE_TOLD) {
		serve_end(f, s, FILES_CODE_BROKEN);
		return;
	}
	if (m.file_done.error == 0)
		delivered(f, s);
	else
		s->source = (filing_source_free(s->source), NULL);
	serve_end(f, s, FILES_CODE_DONE);
}

static struct serve *of_stream(struct files *f, const struct reach_stream *event)
{
	for (unsigned i = 0; i < FILES_SERVED; i++) {
		struct serve *s = f->serves[i];

		if (s && s->stream.is_open && s->stream.way == event->way->number &&
		    s->stream.link_number == event->way->link_number &&
		    s->stream.id == event->stream)
			return s;
	}
	return NULL;
}

bool serves_hear(struct files *f, const struct reach_stream *event)
{
	struct serve *s = of_stream(f, event);

	if (!s)
		return false;
	reach_use(f->rooms->reach, event->way);
	if (event->kind == LINK_ABANDONED) {
		s->stream.is_open = false;
		serve_end(f, s, FILES_CODE_DONE);
	} else if (event->kind == LINK_READABLE) {
		hear(f, s);
	} else {
		pump(f, s, event->way->link);
	}
	return true;
}

/* --- who may have it --- */

static int judge(const struct file_row *row, const struct person *p)
{
	bool is_whole = row->state == TRANSFER_DONE && row->path;
	bool is_here = row->is_ours && (row->flags & FILE_HERE);

	if (!p->is_self && !(row->is_ours && row->contact == p->id))
		return ERR_NOT_FOUND;
	if (is_here && row->state == TRANSFER_CANCELLED)
		return ERR_EXPIRED;
	if ((!is_here && !is_whole) || !row->path)
		return ERR_NOT_FOUND;
	return is_here && row->state == TRANSFER_PAUSED ? ERR_STATE : 0;
}

static bool is_slow(const struct serve *s)
{
	return s->said < s->offset + FILES_SLOW;
}

/* Of those that have had their turn a slow one, or the one that began first. */
static struct serve *find_longest(struct files *f)
{
	struct serve *longest = NULL;

	for (unsigned i = 0; i < FILES_SERVED; i++) {
		struct serve *s = f->serves[i];

		if (f->rooms->now >= s->began_at + FILES_TURN &&
		    (!longest ||
		     (is_slow(s) == is_slow(longest) ? s->began_at < longest->began_at
						     : is_slow(s))))
			longest = s;
	}
	return longest;
}

/* Who has no place yet gets that of one who had it long enough. */
static int find_place(struct files *f, const struct way *from, unsigned *place)
{
	unsigned count = 0;
	struct serve *longest;

	*place = FILES_SERVED;
	for (unsigned i = FILES_SERVED; i-- > 0;) {
		if (!f->serves[i])
			*place = i;
		else
			count += f->serves[i]->to == from->person->id;
	}
	if (count >= FILES_SERVED_PERSON)
		return ERR_BUSY;
	if (*place < FILES_SERVED)
		return 0;
	longest = count == 0 ? find_longest(f) : NULL;
	if (!longest)
		return ERR_BUSY;
	for (unsigned i = 0; i < FILES_SERVED; i++) {
		if (f->serves[i] == longest)
			*place = i;
	}
	serve_end(f, longest, FILES_CODE_BUSY);
	return 0;
}

void serve_ask(struct files *f, struct way *from, int64_t stream,
	       const struct wire_file_get *get)
{
	struct file_stream said = { from->number, from->link_number, stream, true };
	struct file_row row;
	unsigned place;
	int err = file_row_find(f, get->id, &row) == 1 ? judge(&row, from->person)
						       : ERR_NOT_FOUND;
	struct serve *s;

	if (err == 0 && get->offset > row.size)
		err = ERR_CORRUPT;
	if (err == 0)
		err = find_place(f, from, &place);
	if (err < 0) {
		say_head(f, &said, err, 0);
		file_row_clear(&row);
		return;
	}
	s = f->serves[place] = memory_new(sizeof *s);
	s->row = row;
	s->stream = said;
	s->is_contacts = !from->person->is_self;
	s->to = from->person->id;
	s->began_at = f->rooms->now;
	s->offset = get->offset;
	s->moved_at = f->rooms->now;
	reach_use(f->rooms->reach, from);
	s->source = take_spare(f, row.id);
	if (s->source)
		begin(f, s);
	else
		order_open(f, s);
}

/* --- the step --- */

/* Soon at first, for what is over in no time, then ever more seldom. */
static bool is_to_note(const struct serve *s, mono_ns now)
{
	uint64_t more = s->said - s->noted;

	return more >= FILES_NOTED &&
	       (more > s->noted - s->offset || now >= s->noted_at + FILES_NOTED_TIME);
}

static mono_ns step(struct files *f, struct serve *s)
{
	struct link *link = file_stream_link(f, &s->stream);
	mono_ns now = f->rooms->now;

	if (!link || (!s->is_working && now >= s->moved_at + FILES_SILENCE)) {
		serve_end(f, s, FILES_CODE_BUSY);
		return NEVER;
	}
	if (s->state != SERVE_OPENING && s->state != SERVE_TOLD) {
		read_ahead(f, s);
		pump(f, s, link);
	}
	if (s->state == SERVE_RUNNING && file_rate_step(&s->rate, s->said, now))
		file_tell_progress(f, &s->row);
	if (is_to_note(s, now))
		note_given(f, s, s->said);
	return s->is_working ? NEVER : s->moved_at + FILES_SILENCE;
}

mono_ns serves_step(struct files *f)
{
	mono_ns deadline = NEVER;

	for (unsigned i = 0; i < FILES_SERVED; i++) {
		if (f->serves[i])
			deadline = mono_earlier(deadline, step(f, f->serves[i]));
	}
	drop_spares(f, NULL, f->rooms->now);
	return deadline;
}

void serves_stop(struct files *f, const uint8_t id[OFFER_ID_SIZE], enum files_code code)
{
	for (unsigned i = 0; i < FILES_SERVED; i++) {
		struct serve *s = f->serves[i];

		if (!s || memcmp(s->row.id, id, OFFER_ID_SIZE) != 0)
			continue;
		if (s->said > s->noted)
			note_given(f, s, s->said);
		serve_end(f, s, code);
	}
	drop_spares(f, id, 0);
}

void serves_stop_on(struct files *f, const uint8_t id[OFFER_ID_SIZE], const struct way *w)
{
	for (unsigned i = 0; i < FILES_SERVED; i++) {
		struct serve *s = f->serves[i];

		if (s && s->stream.way == w->number &&
		    s->stream.link_number == w->link_number &&
		    memcmp(s->row.id, id, OFFER_ID_SIZE) == 0)
			serve_end(f, s, FILES_CODE_BUSY);
	}
}

bool serves_show(const struct files *f, struct message_file *file)
{
	bool is_served = false;

	for (unsigned i = 0; i < FILES_SERVED; i++) {
		const struct serve *s = f->serves[i];

		if (!s || s->state == SERVE_OPENING || !s->is_contacts ||
		    memcmp(s->row.id, file->id, OFFER_ID_SIZE) != 0)
			continue;
		if (!is_served || file_shown(file, s->said) > file->done)
			file->done = file_shown(file, s->said);
		is_served = true;
		file->rate += s->rate.rate;
	}
	return is_served;
}

void serves_clear(struct files *f)
{
	for (unsigned i = 0; i < FILES_SERVED; i++) {
		if (f->serves[i])
			serve_free(f, f->serves[i]);
	}
	for (unsigned i = 0; f->spares && i < SPARES_MAX; i++)
		filing_source_free(f->spares[i].source);
	free(f->spares);
}
