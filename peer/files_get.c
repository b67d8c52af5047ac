/* How one file comes. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/files_get_inside.h"
#include "shared/error.h"

/* What has come is written from one multiple of FILING_BATCH to the next, or after so long. */
#define WRITE_WAIT (50 * MILLISECOND)
/* So much is hashed by one thread while another one stores it. */
enum { SUM_FROM = WIRE_FILE_PIECE };

static bool is_batch_whole(const struct get *g)
{
	return g->in.size > 0 &&
	       (g->received % FILING_BATCH == 0 || g->received == g->row.size);
}

/* How much more may wait for the worker. */
static size_t in_room(const struct get *g)
{
	uint64_t left = g->row.size - g->received;
	size_t room = FILING_BATCH - (size_t)(g->received % FILING_BATCH);

	if (is_batch_whole(g))
		return 0;
	return left < room ? (size_t)left : room;
}

/* Such memory is dear to get and to give back: where more is to come it stays. */
static void take_spare(struct get *g, struct buf *room)
{
	if (g->state == GET_RUNNING && !g->spare.data) {
		g->spare = *room;
		*room = (struct buf){ 0 };
	}
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
	struct filing_work *w = filing_work_new(FILING_WRITE), *sum = NULL;

	w->sink = g->sink;
	w->data = g->in;
	g->sink = NULL;
	g->in = (struct buf){ 0 };
	g->is_working = true;
	g->is_half_done = w->data.size < SUM_FROM;
	g->half_err = 0;
	if (!g->is_half_done)
		sum = filing_sum_of(w);
	files_order(f, JOB_FILING, w, get_done, g);
	if (sum)
		files_order(f, JOB_FILING, sum, get_done, g);
}

static void on_begun(struct files *f, struct get *g, const struct filing_work *w, int err)
{
	if (err < 0) {
		get_fail_here(f, g, err);
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
		get_fail_here(f, g, err);
		return;
	}
	g->durable = g->row.done = w->done;
	g->synced_at = f->rooms->now;
	get_save(f, g);
}

/* Another hash than that of its owner: once it is fetched anew. */
static void on_mismatch(struct files *f, struct get *g)
{
	struct wire_message m = { .type = WIRE_FILE_DONE };

	m.file_done.error = ERR_CORRUPT;
	file_stream_say(f, &g->stream, &m, true);
	g->row.done = 0;
	if (g->row.flags & FILE_AGAIN) {
		get_fail_here(f, g, ERR_CORRUPT);
		return;
	}
	g->row.flags |= FILE_AGAIN;
	g->stream.is_open = g->has_head = g->has_tail = false;
	g->state = GET_WAITING;
	get_save(f, g);
}

static void on_finished(struct files *f, struct get *g, struct filing_work *w, int err)
{
	if (err < 0) {
		get_fail_here(f, g, err == ERR_FORMAT ? ERR_CORRUPT : err);
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
	get_save(f, g);
	if (g->row.flags & FILE_FOLDER)
		file_row_set_manifest(f, &g->row, buf_view(&w->manifest));
}

static void on_placed(struct files *f, struct get *g, struct filing_work *w, int err)
{
	if (err == ERR_EXISTS) {
		free(g->row.path);
		g->row.path = w->path;
		w->path = NULL;
		get_save(f, g); /* and once more */
		return;
	}
	if (err < 0) {
		/* Neither the part nor the file: it is fetched anew when somebody wants that. */
		g->row.flags &= ~(unsigned)FILE_NAMED;
		g->row.done = 0;
		free(g->row.path);
		g->row.path = NULL;
		get_fail_here(f, g, err);
		return;
	}
	g->row.modified = w->modified;
	g->row.state = TRANSFER_DONE;
	g->row.error = 0;
	if (!g->row.is_ours)
		g->row.flags |= FILE_UNTOLD;
	g->state = GET_STORED;
	get_save(f, g);
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

/* What came is stored, or hashed; true: both. */
static bool half_done(struct get *g, struct filing_work *w, int *err)
{
	if (w->what == FILING_WRITE) {
		g->sink = w->sink;
		w->sink = NULL;
		g->stored = w->done;
	} else {
		g->sum = w->sum;
		w->sum = NULL;
	}
	if (filing_work_is_last(w))
		take_spare(g, &w->data);
	if (*err == 0)
		*err = g->half_err;
	if (!g->is_half_done) {
		g->is_half_done = true;
		g->half_err = *err;
		return false;
	}
	if (g->sum && *err == 0)
		filing_summed(g->sink, g->sum);
	free(g->sum);
	g->sum = NULL;
	return true;
}

static void get_done(struct files *f, void *owner, const struct job *answer)
{
	struct get *g = owner;
	struct filing_work *w = answer->task;
	int err = answer->err;

	if (w->what == FILING_WRITE || w->what == FILING_SUM) {
		if (!half_done(g, w, &err))
			return;
	} else {
		g->sink = w->sink;
		w->sink = NULL;
	}
	g->is_working = false;
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
	case FILING_SUM:
		if (err < 0)
			get_fail_here(f, g, err == ERR_FORMAT ? ERR_CORRUPT : err);
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
		get_let_go(f, g, FILES_CODE_DONE);
		g->state = GET_READY;
		g->retry_at = f->rooms->now + FILES_BUSY_AGAIN;
	} else if (err == ERR_STATE) {
		get_rest(f, g, TRANSFER_STOPPED, 0);
	} else if (err == ERR_NOT_FOUND || err == ERR_EXPIRED || err == ERR_CORRUPT) {
		if (is_author) {
			get_fail(f, g, err);
			return;
		}
		get_note_elsewhere(g, &w->device, f->rooms->now + FILES_ELSEWHERE);
		get_let_go(f, g, FILES_CODE_DONE);
		g->state = GET_READY;
	} else {
		/* They cannot read it, and know. */
		get_rest(f, g, TRANSFER_WAITING, ERR_IO);
	}
}

static void on_head(struct files *f, struct get *g, const struct wire_file_head *head)
{
	if (head->error < 0) {
		on_refused(f, g, head->error);
		return;
	}
	if (head->size != g->row.size) {
		get_fail(f, g, ERR_CORRUPT);
		return;
	}
	g->has_head = true;
	g->backoff = 0;
	if (g->row.state != TRANSFER_WAITING || g->row.error < 0) {
		g->row.state = TRANSFER_WAITING;
		g->row.error = 0;
		get_save(f, g);
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
	get_let_go(f, g, FILES_CODE_BROKEN);
	get_rest(f, g, TRANSFER_WAITING, 0);
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
	size_t room = in_room(g), count = all.size < room ? all.size : room;

	if (all.size == 0 && is_end) {
		on_broken(f, g); /* less than was offered */
		return false;
	}
	if (count == 0)
		return false;
	if (g->in.size == 0) {
		g->in_since = f->rooms->now;
		if (!g->in.data) {
			g->in = g->spare;
			g->spare = (struct buf){ 0 };
		}
		filing_room(&g->in, room);
	}
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
			get_rest(f, g, g->row.state, g->row.error);
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
	return g->in.size > 0 &&
	       (is_batch_whole(g) || !g->stream.is_open || now >= g->in_since + WRITE_WAIT);
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
	if (g->state == GET_RUNNING && !g->has_tail && !g->is_working && !is_batch_whole(g) &&
	    now >= g->heard_at + FILES_SILENCE)
		on_broken(f, g);
	if (g->state == GET_RUNNING && !file_stream_link(f, &g->stream) && !g->has_tail) {
		get_let_go(f, g, FILES_CODE_DONE);
		g->state = GET_READY;
		file_tell_progress(f, &g->row);
	}
	if (g->state != GET_RUNNING)
		filing_room_free(&g->spare);
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
/* Nothing is open, or nobody is asked. */
static mono_ns seek(struct files *f, struct get *g)
{
	mono_ns now = f->rooms->now;

	if (now < g->retry_at)
		return g->retry_at;
	if (!get_has_source(f, g)) {
		get_ask_sources(f, g);
		return NEVER;
	}
	if (gets_running(f) >= FILES_RUNNING ? !get_make_place(f, g) : get_is_behind(f, g))
		return now + SECOND; /* or when one of them ends */
	if (g->state == GET_WAITING) {
		g->state = GET_BEGINNING;
		order(f, g, FILING_BEGIN);
	} else if (!g->is_working && g->in.size == 0) {
		get_request(f, g);
	}
	return NEVER;
}

/* What has come is stored and made durable first, if it is not to go. */
static void wind_up(struct files *f, struct get *g)
{
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
	get_free(f, g);
}

mono_ns get_step(struct files *f, struct get *g)
{
	mono_ns deadline = NEVER;

	if (g->state == GET_OVER) {
		wind_up(f, g);
		return NEVER;
	}
	if (g->is_unsaved) {
		g->is_unsaved = false;
		get_save(f, g);
		if (g->state == GET_STORED)
			file_tell(f, &g->row);
	}
	if (g->state == GET_RUNNING || g->state == GET_READY)
		deadline = watch(f, g);
	if (g->state == GET_WAITING || g->state == GET_READY)
		deadline = mono_earlier(deadline, seek(f, g));
	return deadline;
}

void get_place(struct files *f, struct get *g)
{
	order(f, g, FILING_PLACE);
}
