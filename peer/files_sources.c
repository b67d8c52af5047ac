/* From whom a file can be had. */
#include <stdlib.h>
#include <string.h>

#include "peer/files_get_inside.h"
#include "peer/persons.h"
#include "shared/log.h"

/* --- the life of one --- */

void get_free(struct files *f, struct get *g)
{
	files_disown(f, g);
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		if (f->gets[i] == g)
			f->gets[i] = NULL;
	}
	f->is_stale = true;
	f->has_dropped |= g->is_dropped;
	filing_sink_free(g->sink);
	free(g->sum);
	filing_room_free(&g->in);
	filing_room_free(&g->spare);
	file_row_clear(&g->row);
	free(g);
}

void get_let_go(struct files *f, struct get *g, enum files_code code)
{
	file_stream_abandon(f, &g->stream, code);
	g->has_head = g->has_tail = false;
}

void get_save(struct files *f, struct get *g)
{
	file_row_save(f, &g->row);
}

/* In its row, and told; memory goes on until what is under way has ended. */
static void end_as(struct files *f, struct get *g, enum transfer_state state, int err)
{
	get_let_go(f, g, state == TRANSFER_FAILED ? FILES_CODE_BROKEN : FILES_CODE_PAUSED);
	g->row.state = state;
	g->row.error = err;
	get_save(f, g);
	file_tell(f, &g->row);
	g->state = GET_OVER;
	if (state == TRANSFER_FAILED)
		log_event(LOG_INFO, "file-failed", "error", log_error(err), NULL);
}

void get_fail(struct files *f, struct get *g, int err)
{
	/* Taken back, or another one now: what came will never be whole. */
	if (err == ERR_EXPIRED || err == ERR_CORRUPT) {
		g->is_dropped = true;
		part_drop(f, &g->row);
	}
	end_as(f, g, TRANSFER_FAILED, err);
}

void get_fail_here(struct files *f, struct get *g, int err)
{
	if (!g->row.is_ours)
		g->row.flags |= FILE_UNTOLD;
	end_as(f, g, TRANSFER_FAILED, err);
	if (g->has_author)
		told_stand(f, &g->row, &g->author, false);
}

/* Asked again after a while, ever more seldom. */
void get_rest(struct files *f, struct get *g, enum transfer_state state, int err)
{
	get_let_go(f, g, FILES_CODE_DONE);
	if (g->state == GET_RUNNING)
		g->state = GET_READY;
	g->backoff = g->backoff ? 2 * g->backoff : FILES_AGAIN;
	if (g->backoff > FILES_AGAIN_MAX)
		g->backoff = FILES_AGAIN_MAX;
	g->retry_at = f->rooms->now + g->backoff;
	if (g->row.state != state || g->row.error != err) {
		g->row.state = state;
		g->row.error = err;
		get_save(f, g);
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

void get_note_elsewhere(struct get *g, const struct device_public *device, mono_ns until)
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
	if (w->state != WAY_LINKED)
		files_ask(f, w);
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
void gets_ask_no_more(struct files *f, uintptr_t *before, unsigned count)
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
		get_let_go(f, g, FILES_CODE_BROKEN);
		return false;
	}
	g->state = GET_RUNNING;
	g->heard_at = g->began_at = f->rooms->now;
	g->began_from = g->received;
	reach_use(f->rooms->reach, w);
	file_rate_begin(&g->rate, g->received, f->rooms->now);
	return true;
}

bool get_has_source(struct files *f, struct get *g)
{
	return through_sources(f, g, is_linked);
}

void get_ask_sources(struct files *f, struct get *g)
{
	through_sources(f, g, ask_way);
}

bool get_request(struct files *f, struct get *g)
{
	return through_sources(f, g, ask_for_it);
}

unsigned gets_running(const struct files *f)
{
	return running(f, NULL);
}

static bool has_line(struct files *f, struct get *g, struct way *w)
{
	(void)g;
	return w->state == WAY_LINKED && running(f, w) < FILES_RUNNING_LINK;
}

static bool could_run(struct files *f, struct get *g)
{
	return through_sources(f, g, has_line);
}

bool get_is_behind(struct files *f, const struct get *g)
{
	mono_ns now = f->rooms->now;

	for (unsigned i = 0;
	     g->turns > 0 && now < g->retry_at + FILES_TURN && i < FILES_WAITING; i++) {
		struct get *other = f->gets[i];

		if (other && other->turns < g->turns && now >= other->retry_at &&
		    (other->state == GET_WAITING || other->state == GET_READY) &&
		    could_run(f, other))
			return true;
	}
	return false;
}

static bool is_slow(const struct get *g)
{
	return g->received - g->began_from < FILES_SLOW;
}

static bool goes_first(const struct get *g, const struct get *other)
{
	if (is_slow(g) != is_slow(other))
		return is_slow(g);
	return g->began_at < other->began_at;
}

bool get_make_place(struct files *f, struct get *for_it)
{
	struct get *longest = NULL;

	if (!could_run(f, for_it))
		return false;
	for (unsigned i = 0; i < FILES_WAITING; i++) {
		struct get *g = f->gets[i];

		if (!g || g->state != GET_RUNNING || g->has_tail ||
		    f->rooms->now < g->began_at + FILES_TURN ||
		    (longest && !goes_first(g, longest)) ||
		    running_of(f, g->row.contact) <= running_of(f, for_it->row.contact))
			continue;
		longest = g;
	}
	if (!longest)
		return false;
	get_let_go(f, longest, FILES_CODE_BUSY);
	longest->state = GET_READY;
	longest->retry_at = f->rooms->now + FILES_BUSY_AGAIN;
	longest->turns++;
	return true;
}
