#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/events.h"
#include "peer/files_inside.h"
#include "peer/persons.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/log.h"

enum {
	IN_MAX = WIRE_FILE_PIECE,       /* arrived, and not in the worker */
	WRITE_FROM = 128 << 10,         /* written at once, ... */
	LOOKED_AT = 1024,               /* rows, where there is not place for all */
	DEVICES_MAX = WIRE_DEVICES_MAX, /* whose word is remembered that they have it not */
};
#define LOOK_AGAIN (5 * SECOND)
#define WRITE_WAIT (50 * MILLISECOND) /* ... or after so long */

enum get_state {
	GET_WAITING,   /* for who has it, or its turn */
	GET_BEGINNING, /* opened, and what is here read again */
	GET_READY,     /* nobody is asked at this moment */
	GET_RUNNING,   /* on a stream */
	GET_FINISHING,
	GET_NAMED, /* its name waits for the commit, or is being given */
	GET_STORED,
	GET_OVER, /* failed, or not wanted any more */
};

struct get {
	struct file_row row;
	struct device_public author;
	bool has_author;
	enum get_state state;
	bool is_dropped; /* OVER: what came goes, too */
	struct filing_sink *sink;
	bool is_working;
	struct file_stream stream;
	bool has_head, has_tail;
	uint8_t tail[32];
	struct buf in;
	uint64_t received, stored, durable;
	mono_ns in_since, synced_at, heard_at, retry_at, backoff, began_at;
	struct {
		struct device_public device;
		mono_ns until;
	} elsewhere[DEVICES_MAX];
	unsigned elsewhere_next;
	struct file_rate rate;
};

/* --- the life of one --- */

static void get_free(struct files *f, struct get *g)
{
	files_disown(f, g);
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		if (f->gets[i] == g)
			f->gets[i] = NULL;
	}
	f->is_stale = true;
	filing_sink_free(g->sink);
	buf_clear(&g->in);
	file_row_clear(&g->row);
	free(g);
}

static void let_go(struct files *f, struct get *g, enum files_code code)
{
	file_stream_abandon(f, &g->stream, code);
	g->has_head = g->has_tail = false;
}

static void save(struct files *f, struct get *g)
{
	file_row_save(f, &g->row);
}

/* In its row, and told; memory goes on until what is under way has ended. */
static void end_as(struct files *f, struct get *g, enum transfer_state state, int err)
{
	let_go(f, g, state == TRANSFER_FAILED ? FILES_CODE_BROKEN : FILES_CODE_PAUSED);
	g->row.state = state;
	g->row.error = err;
	save(f, g);
	file_tell(f, &g->row);
	g->state = GET_OVER;
	if (state == TRANSFER_FAILED)
		log_event(LOG_INFO, "file-failed", "error", log_error(err), NULL);
}

static void fail(struct files *f, struct get *g, int err)
{
	end_as(f, g, TRANSFER_FAILED, err);
}

/* Asked again after a while, ever more seldom. */
static void rest(struct files *f, struct get *g, enum transfer_state state)
{
	let_go(f, g, FILES_CODE_DONE);
	if (g->state == GET_RUNNING)
		g->state = GET_READY;
	g->backoff = g->backoff ? 2 * g->backoff : FILES_AGAIN;
	if (g->backoff > FILES_AGAIN_MAX)
		g->backoff = FILES_AGAIN_MAX;
	g->retry_at = f->rooms->now + g->backoff;
	if (g->row.state != state) {
		g->row.state = state;
		save(f, g);
		file_tell(f, &g->row);
	}
}

/* --- from whom --- */

static bool is_elsewhere(const struct get *g, const struct device_public *device, mono_ns now)
{
	for (unsigned i = 0; i < DEVICES_MAX; i++) {
		if (now < g->elsewhere[i].until &&
		    device_public_equal(&g->elsewhere[i].device, device))
			return true;
	}
	return false;
}

static void note_elsewhere(struct get *g, const struct device_public *device, mono_ns until)
{
	g->elsewhere[g->elsewhere_next].device = *device;
	g->elsewhere[g->elsewhere_next].until = until;
	g->elsewhere_next = (g->elsewhere_next + 1) % DEVICES_MAX;
}

/* The author's person, then we ourselves. */
static struct person *source_person(struct files *f, const struct get *g, unsigned i)
{
	struct person *self = persons_self(f->rooms->persons);

	if (g->row.is_ours)
		return i == 0 ? self : NULL;
	return i == 0 ? files_person(f, g->row.contact) : i == 1 ? self : NULL;
}

typedef bool each_source(struct files *f, struct get *g, struct way *w);

static bool try_source(struct files *f, struct get *g, struct person *p,
		       const struct device_public *device, each_source *each)
{
	struct way *w;

	if (!person_is_open(p) || is_elsewhere(g, device, f->rooms->now))
		return false;
	w = reach_way(f->rooms->reach, p, device);
	return w && each(f, g, w);
}

/* The author's device first; until `each` is content. */
static bool through_sources(struct files *f, struct get *g, each_source *each)
{
	struct person *p;

	for (unsigned i = 0; (p = source_person(f, g, i)) != NULL; i++) {
		if (i == 0 && g->has_author && try_source(f, g, p, &g->author, each))
			return true;
		for (unsigned k = 0; k < p->devices.count; k++) {
			const struct device_public *device = &p->devices.devices[k].device;

			if ((i > 0 || !g->has_author ||
			     !device_public_equal(device, &g->author)) &&
			    try_source(f, g, p, device, each))
				return true;
		}
	}
	return false;
}

static bool is_linked(struct files *f, struct get *g, struct way *w)
{
	(void)f;
	(void)g;
	return w->state == WAY_LINKED;
}

static bool ask_way(struct files *f, struct get *g, struct way *w)
{
	(void)g;
	if (w->state == WAY_LINKED)
		return false;
	reach_ask(f->rooms->reach, w, true);
	f->asked = memory_grow(f->asked, f->asked_count + 1, sizeof *f->asked);
	f->asked[f->asked_count++] = w->number;
	return false; /* everybody */
}

static bool is_in(const uintptr_t *list, unsigned count, uintptr_t number)
{
	for (unsigned i = 0; i < count; i++) {
		if (list[i] == number)
			return true;
	}
	return false;
}

/* Nobody is dialled for what nobody wants any more. */
static void ask_no_more(struct files *f, uintptr_t *before, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct way *w = reach_by_number(f->rooms->reach, before[i]);

		if (w && !is_in(f->asked, f->asked_count, before[i]))
			reach_ask(f->rooms->reach, w, false);
	}
	free(before);
}

/* How many run, in all and on the way. */
static unsigned running(const struct files *f, const struct way *w)
{
	unsigned count = 0;

	for (unsigned i = 0; i < FILES_WAITING; i++) {
		const struct get *g = f->gets[i];

		if (w)
			count += g && g->stream.is_open && g->stream.way == w->number;
		else
			count += g && (g->stream.is_open || g->state == GET_BEGINNING);
	}
	return count;
}

static unsigned running_of(const struct files *f, int64_t contact)
{
	unsigned count = 0;

	for (unsigned i = 0; i < FILES_WAITING; i++) {
		const struct get *g = f->gets[i];

		count += g && g->row.contact == contact &&
			 (g->stream.is_open || g->state == GET_BEGINNING);
	}
	return count;
}

static bool ask_for_it(struct files *f, struct get *g, struct way *w)
{
	struct wire_message m = { .type = WIRE_FILE_GET };

	if (w->state != WAY_LINKED || running(f, w) >= FILES_RUNNING_LINK ||
	    link_open(w->link, &g->stream.id) < 0)
		return false;
	g->stream.way = w->number;
	g->stream.link_number = w->link_number;
	g->stream.is_open = true;
	memcpy(m.file_get.id, g->row.id, sizeof m.file_get.id);
	m.file_get.offset = g->received;
	if (file_stream_say(f, &g->stream, &m, false) < 0) {
		let_go(f, g, FILES_CODE_BROKEN);
		return false;
	}
	g->state = GET_RUNNING;
	g->heard_at = g->began_at = f->rooms->now;
	reach_use(f->rooms->reach, w);
	file_rate_begin(&g->rate, g->received, f->rooms->now);
	return true;
}

/* --- the worker --- */

static files_done get_done;

static void order(struct files *f, struct get *g, enum filing_task what)
{
	struct filing_work *w = filing_work_new(what);

	w->sink = g->sink;
	g->sink = NULL;
	w->is_folder = g->row.flags & FILE_FOLDER;
	w->size = g->row.size;
	w->done = g->row.done;
	w->files = g->row.files;
	w->manifest_size = g->row.manifest_size;
	w->folder = memory_text(g->row.folder);
	filing_part_name(g->row.id, w->part);
	if (what == FILING_FINISH || what == FILING_PLACE) {
		char name[FILING_NAME_MAX + 1];

		filing_safe_name(bytes_text(g->row.name ? g->row.name : ""), name);
		w->name = memory_text(name);
	}
	if (what == FILING_PLACE)
		w->path = memory_text(g->row.path);
	g->is_working = true;
	files_order(f, JOB_FILING, w, get_done, g);
}

static void order_write(struct files *f, struct get *g)
{
	struct filing_work *w = filing_work_new(FILING_WRITE);

	w->sink = g->sink;
	w->data = g->in;
	g->sink = NULL;
	g->in = (struct buf){ 0 };
	g->is_working = true;
	files_order(f, JOB_FILING, w, get_done, g);
}

static void on_begun(struct files *f, struct get *g, const struct filing_work *w, int err)
{
	if (err < 0) {
		fail(f, g, err);
		return;
	}
	g->row.done = w->done;
	if (w->offset < w->done) {
		order(f, g, FILING_CHECK);
		return;
	}
	g->received = g->stored = g->durable = w->done;
	g->synced_at = f->rooms->now;
	g->state = GET_READY;
}

static void on_durable(struct files *f, struct get *g, const struct filing_work *w, int err)
{
	if (err < 0) {
		fail(f, g, err);
		return;
	}
	g->durable = g->row.done = w->done;
	g->synced_at = f->rooms->now;
	save(f, g);
}

/* Another hash than that of its owner: once it is fetched anew. */
static void on_mismatch(struct files *f, struct get *g)
{
	struct wire_message m = { .type = WIRE_FILE_DONE };

	m.file_done.error = ERR_CORRUPT;
	file_stream_say(f, &g->stream, &m, true);
	g->row.done = 0;
	if (g->row.flags & FILE_AGAIN) {
		fail(f, g, ERR_CORRUPT);
		return;
	}
	g->row.flags |= FILE_AGAIN;
	g->stream.is_open = g->has_head = g->has_tail = false;
	g->state = GET_WAITING;
	save(f, g);
}

static void on_finished(struct files *f, struct get *g, struct filing_work *w, int err)
{
	if (err < 0) {
		fail(f, g, err == ERR_FORMAT ? ERR_CORRUPT : err);
		return;
	}
	if (sodium_memcmp(w->hash, g->tail, sizeof g->tail) != 0) {
		on_mismatch(f, g);
		return;
	}
	memcpy(g->row.hash, w->hash, sizeof g->row.hash);
	g->row.has_hash = true;
	g->row.done = g->row.size;
	g->row.flags |= FILE_NAMED;
	free(g->row.path);
	g->row.path = w->path;
	w->path = NULL;
	g->state = GET_NAMED;
	save(f, g);
	if (g->row.flags & FILE_FOLDER)
		file_row_set_manifest(f, &g->row, buf_view(&w->manifest));
}

static void on_placed(struct files *f, struct get *g, struct filing_work *w, int err)
{
	if (err == ERR_EXISTS) {
		free(g->row.path);
		g->row.path = w->path;
		w->path = NULL;
		save(f, g); /* and once more */
		return;
	}
	if (err < 0) {
		/* Neither the part nor the file: it is fetched anew when somebody wants that. */
		g->row.flags &= ~(unsigned)FILE_NAMED;
		g->row.done = 0;
		free(g->row.path);
		g->row.path = NULL;
		fail(f, g, err);
		return;
	}
	g->row.modified = w->modified;
	g->row.state = TRANSFER_DONE;
	g->row.error = 0;
	g->state = GET_STORED;
	save(f, g);
	file_tell(f, &g->row);
}

static void on_over(struct files *f, struct get *g, const struct filing_work *w, int err)
{
	struct file_row row;

	if (g->is_dropped || w->what != FILING_SYNC || err < 0)
		return;
	g->durable = g->stored = w->done;
	/* What is on disk counts, if it is wanted again; the rest of the row is others' by now. */
	if (file_row_find(f, g->row.id, &row) == 1 && row.done < w->done &&
	    !(row.flags & FILE_NAMED)) {
		row.done = w->done;
		file_row_save(f, &row);
	}
	file_row_clear(&row);
}

static void get_done(struct files *f, void *owner, const struct job *answer)
{
	struct get *g = owner;
	struct filing_work *w = answer->task;
	int err = answer->err;

	g->is_working = false;
	g->sink = w->sink;
	w->sink = NULL;
	if (w->what == FILING_WRITE) {
		g->stored = w->done;
		buf_clear(&w->data);
	}
	if (g->state == GET_OVER) {
		on_over(f, g, w, err);
		return;
	}
	switch (w->what) {
	case FILING_BEGIN:
	case FILING_CHECK:
		on_begun(f, g, w, err);
		break;
	case FILING_WRITE:
		if (err < 0)
			fail(f, g, err == ERR_FORMAT ? ERR_CORRUPT : err);
		break;
	case FILING_SYNC:
		on_durable(f, g, w, err);
		break;
	case FILING_FINISH:
		on_finished(f, g, w, err);
		break;
	default:
		on_placed(f, g, w, err);
		break;
	}
}

/* --- what comes --- */

static void on_refused(struct files *f, struct get *g, int err)
{
	const struct way *w = reach_by_number(f->rooms->reach, g->stream.way);
	bool is_author = !w || (g->has_author && device_public_equal(&w->device, &g->author));

	if (err == ERR_BUSY) {
		let_go(f, g, FILES_CODE_DONE);
		g->state = GET_READY;
		g->retry_at = f->rooms->now + FILES_BUSY_AGAIN;
	} else if (err == ERR_STATE) {
		rest(f, g, TRANSFER_STOPPED);
	} else if (err == ERR_NOT_FOUND || err == ERR_CORRUPT) {
		if (is_author) {
			fail(f, g, err);
			return;
		}
		note_elsewhere(g, &w->device, f->rooms->now + FILES_ELSEWHERE);
		let_go(f, g, FILES_CODE_DONE);
		g->state = GET_READY;
	} else {
		rest(f, g, TRANSFER_WAITING);
	}
}

static void on_head(struct files *f, struct get *g, const struct wire_file_head *head)
{
	if (head->error < 0) {
		on_refused(f, g, head->error);
		return;
	}
	if (head->size != g->row.size) {
		fail(f, g, ERR_CORRUPT);
		return;
	}
	g->has_head = true;
	g->backoff = 0;
	if (g->row.state != TRANSFER_WAITING) {
		g->row.state = TRANSFER_WAITING;
		save(f, g);
	}
	file_tell_progress(f, &g->row);
}

static void on_tail(struct files *f, struct get *g, const struct wire_file_tail *tail)
{
	if (tail->error < 0) {
		on_refused(f, g, ERR_CORRUPT);
		return;
	}
	memcpy(g->tail, tail->hash, sizeof g->tail);
	g->has_tail = true;
}

/* Who breaks the rules is not asked again for a while. */
static void on_broken(struct files *f, struct get *g)
{
	let_go(f, g, FILES_CODE_BROKEN);
	rest(f, g, TRANSFER_WAITING);
}

static bool hear_message(struct files *f, struct get *g)
{
	struct wire_message m;
	int err = file_stream_hear(f, &g->stream, &m);

	if (err == 0)
		return false;
	if (err == 1 && m.type == WIRE_FILE_HEAD && !g->has_head)
		on_head(f, g, &m.file_head);
	else if (err == 1 && m.type == WIRE_FILE_TAIL && g->has_head)
		on_tail(f, g, &m.file_tail);
	else
		on_broken(f, g);
	return g->state == GET_RUNNING;
}

/* True: something was taken. */
static bool take_contents(struct files *f, struct get *g, struct link *link)
{
	bool is_end;
	struct bytes all = link_peek(link, g->stream.id, &is_end);
	uint64_t left = g->row.size - g->received;
	size_t room = g->in.size < IN_MAX ? IN_MAX - g->in.size : 0;
	size_t count = all.size < room ? all.size : room;

	if (count > left)
		count = (size_t)left;
	if (all.size == 0 && is_end) {
		on_broken(f, g); /* less than was offered */
		return false;
	}
	if (count == 0)
		return false;
	if (g->in.size == 0)
		g->in_since = f->rooms->now;
	if (!g->in.data)
		buf_room(&g->in, IN_MAX);
	buf_append(&g->in, bytes_of(all.data, count));
	g->received += count;
	link_consume(link, g->stream.id, count);
	return true;
}

static void take(struct files *f, struct get *g)
{
	for (;;) {
		struct link *link = file_stream_link(f, &g->stream);
		bool is_more;

		if (!link || g->state != GET_RUNNING || g->has_tail)
			return;
		if (!g->has_head || g->received == g->row.size)
			is_more = hear_message(f, g);
		else
			is_more = take_contents(f, g, link);
		if (!is_more)
			return;
		g->heard_at = f->rooms->now;
	}
}

bool gets_hear(struct files *f, const struct reach_stream *event)
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		struct get *g = f->gets[i];

		if (!g || !g->stream.is_open || g->stream.way != event->way->number ||
		    g->stream.link_number != event->way->link_number ||
		    g->stream.id != event->stream)
			continue;
		reach_use(f->rooms->reach, event->way);
		if (event->kind == LINK_ABANDONED && g->state == GET_RUNNING) {
			g->stream.is_open = false;
			/* Why, they say when they are asked again. */
			rest(f, g, g->row.state);
			g->retry_at = f->rooms->now + FILES_BUSY_AGAIN;
		} else if (event->kind == LINK_READABLE) {
			take(f, g);
		}
		return true;
	}
	return false;
}

/* --- the step --- */

static bool wants_write(const struct get *g, mono_ns now)
{
	return g->in.size > 0 && (g->in.size >= WRITE_FROM || g->received == g->row.size ||
				  !g->stream.is_open || now >= g->in_since + WRITE_WAIT);
}

static bool wants_sync(const struct get *g, mono_ns now)
{
	return g->stored > g->durable && (g->stored - g->durable >= FILES_SYNC_BYTES ||
					  now >= g->synced_at + FILES_SYNC_TIME);
}

/* What came is stored, whatever happens to the stream. */
static void store_more(struct files *f, struct get *g)
{
	mono_ns now = f->rooms->now;

	if (g->is_working)
		return;
	if (g->has_tail && g->in.size == 0 && g->stored == g->row.size) {
		g->state = GET_FINISHING;
		order(f, g, FILING_FINISH);
	} else if (wants_sync(g, now)) {
		order(f, g, FILING_SYNC);
	} else if (wants_write(g, now)) {
		order_write(f, g);
	}
}

static mono_ns watch(struct files *f, struct get *g)
{
	mono_ns now = f->rooms->now, deadline = NEVER;

	take(f, g);
	if (g->state == GET_RUNNING && !g->has_tail && !g->is_working && g->in.size < IN_MAX &&
	    now >= g->heard_at + FILES_SILENCE)
		on_broken(f, g);
	if (g->state == GET_RUNNING && !file_stream_link(f, &g->stream) && !g->has_tail) {
		let_go(f, g, FILES_CODE_DONE);
		g->state = GET_READY;
		file_tell_progress(f, &g->row);
	}
	if (g->state != GET_RUNNING && g->state != GET_READY)
		return NEVER;
	store_more(f, g);
	if (g->state == GET_RUNNING) {
		if (file_rate_step(&g->rate, g->received, now))
			file_tell_progress(f, &g->row);
		deadline = g->heard_at + FILES_SILENCE;
		if (deadline <= now) /* it is the disk that takes its time */
			deadline = now + SECOND;
	}
	if (g->in.size > 0 && !g->is_working)
		deadline = mono_earlier(deadline, g->in_since + WRITE_WAIT);
	if (g->stored > g->durable && !g->is_working)
		deadline = mono_earlier(deadline, g->synced_at + FILES_SYNC_TIME);
	return deadline;
}

/* All places are taken: of those that have had their turn, of a contact with more than this one has, the
 * one that began first goes behind the others. */
static bool make_place(struct files *f, const struct get *for_it)
{
	struct get *longest = NULL;

	for (unsigned i = 0; i < FILES_WAITING; i++) {
		struct get *g = f->gets[i];

		if (!g || g->state != GET_RUNNING || g->has_tail ||
		    f->rooms->now < g->began_at + FILES_TURN ||
		    (longest && longest->began_at <= g->began_at) ||
		    running_of(f, g->row.contact) <= running_of(f, for_it->row.contact))
			continue;
		longest = g;
	}
	if (!longest)
		return false;
	let_go(f, longest, FILES_CODE_BUSY);
	longest->state = GET_READY;
	longest->retry_at = f->rooms->now + FILES_BUSY_AGAIN;
	return true;
}

/* Nothing is open, or nobody is asked. */
static mono_ns seek(struct files *f, struct get *g)
{
	mono_ns now = f->rooms->now;

	if (now < g->retry_at)
		return g->retry_at;
	if (!through_sources(f, g, is_linked)) {
		through_sources(f, g, ask_way);
		return NEVER;
	}
	if (running(f, NULL) >= FILES_RUNNING && !make_place(f, g))
		return now + SECOND; /* or when one of them ends */
	if (g->state == GET_WAITING) {
		g->state = GET_BEGINNING;
		order(f, g, FILING_BEGIN);
	} else if (!g->is_working && g->in.size == 0) {
		through_sources(f, g, ask_for_it);
	}
	return NEVER;
}

/* What has come is stored and made durable first. */
static void wind_up(struct files *f, struct get *g)
{
	struct filing_work *w;

	if (g->is_working)
		return;
	if (g->sink && !g->is_dropped && g->row.error == 0 && g->in.size > 0) {
		order_write(f, g);
		return;
	}
	if (g->sink && !g->is_dropped && g->stored > g->durable) {
		g->durable = g->stored; /* once */
		order(f, g, FILING_SYNC);
		return;
	}
	if (g->is_dropped && g->row.folder) {
		w = filing_work_new(FILING_REMOVE);
		w->folder = memory_text(g->row.folder);
		filing_part_name(g->row.id, w->part);
		filing_sink_free(g->sink);
		g->sink = NULL;
		files_remove_later(f, w);
	}
	get_free(f, g);
}

static mono_ns step(struct files *f, struct get *g)
{
	mono_ns deadline = NEVER;

	if (g->state == GET_OVER) {
		wind_up(f, g);
		return NEVER;
	}
	if (g->state == GET_RUNNING || g->state == GET_READY)
		deadline = watch(f, g);
	if (g->state == GET_WAITING || g->state == GET_READY)
		deadline = mono_earlier(deadline, seek(f, g));
	return deadline;
}

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

/* Nothing is open for it, and nobody is there who has it. */
static struct get *find_idle(const struct files *f)
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		struct get *g = f->gets[i];

		if (g && g->state == GET_WAITING && !g->sink && !g->is_working &&
		    !is_near(f, g->row.contact))
			return g;
	}
	return NULL;
}

/* One for whom nobody is there gives way to one for whom somebody is. */
static bool find_room(struct files *f, const struct file_row *row)
{
	struct get *idle;

	if (has_place(f))
		return true;
	idle = is_near(f, row->contact) ? find_idle(f) : NULL;
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
			deadline = mono_earlier(deadline, step(f, f->gets[i]));
	}
	ask_no_more(f, asked, count);
	return deadline;
}

/* It is in its place, and that is durable: they hear of it, if they are there. */
static void say_done(struct files *f, struct get *g)
{
	struct wire_message m = { .type = WIRE_FILE_DONE };

	file_stream_say(f, &g->stream, &m, true);
	g->stream.is_open = false;
	get_free(f, g);
}

void gets_release(struct files *f)
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		struct get *g = f->gets[i];

		if (g && g->state == GET_NAMED && !g->is_working)
			order(f, g, FILING_PLACE);
		else if (g && g->state == GET_STORED)
			say_done(f, g);
	}
}

void gets_undo(struct files *f)
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		struct get *g = f->gets[i];

		if (!g)
			continue;
		let_go(f, g, FILES_CODE_BUSY);
		get_free(f, g);
	}
	f->is_stale = true;
}

bool gets_stop(struct files *f, const uint8_t id[OFFER_ID_SIZE], enum files_code code,
	       bool drop)
{
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		struct get *g = f->gets[i];

		if (!g || memcmp(g->row.id, id, OFFER_ID_SIZE) != 0)
			continue;
		let_go(f, g, code);
		g->state = GET_OVER;
		g->is_dropped |= drop;
		return true;
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
		if (g->state == GET_BEGINNING || g->state == GET_FINISHING ||
		    g->state == GET_NAMED)
			file->state = TRANSFER_CHECKING;
		else if (g->state == GET_RUNNING && g->has_head)
			file->state = TRANSFER_RUNNING;
		if (g->state >= GET_READY && g->state <= GET_FINISHING)
			file->done = g->received;
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
