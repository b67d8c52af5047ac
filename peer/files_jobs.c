#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/files_inside.h"
#include "peer/image.h"
#include "shared/error.h"
#include "shared/frame.h"

/* Tickets say whose they are: other rooms ask for images, too. */
#define TICKETS ((uint64_t)'F' << 56)

struct errand {
	uint64_t ticket;
	enum job_kind kind;
	void *task; /* the worker's while it is out */
	bool is_out;
	files_done *done;
	void *owner;
};

static void task_free(enum job_kind kind, void *task)
{
	if (kind == JOB_FILING) {
		filing_work_free(task);
		return;
	}
	free(((struct image_work *)task)->path);
	free((void *)(uintptr_t)((struct image_work *)task)->given.data);
	free(task);
}

void files_order(struct files *f, enum job_kind kind, void *task, files_done *done, void *owner)
{
	struct errand *e = memory_new(sizeof *e);

	*e = (struct errand){ TICKETS | ++f->ticket, kind, task, false, done, owner };
	f->errands = memory_grow(f->errands, f->errand_count + 1, sizeof(struct errand *));
	f->errands[f->errand_count++] = e;
}

static void forget(struct files *f, unsigned at)
{
	struct errand *e = f->errands[at];

	f->errands_out -= e->is_out;
	memmove(f->errands + at, f->errands + at + 1,
		(--f->errand_count - at) * sizeof(struct errand *));
	free(e);
}

void files_disown(struct files *f, const void *owner)
{
	for (unsigned i = f->errand_count; i-- > 0;) {
		struct errand *e = f->errands[i];

		if (e->owner != owner)
			continue;
		e->owner = NULL;
		e->done = NULL;
		if (!e->is_out) {
			task_free(e->kind, e->task);
			forget(f, i);
		}
	}
}

static bool is_task(const struct errand *e, enum filing_task what)
{
	return e->kind == JOB_FILING && ((const struct filing_work *)e->task)->what == what;
}

bool files_is_removing(const struct files *f, const char *part)
{
	for (unsigned i = 0; i < f->errand_count; i++) {
		const struct filing_work *w = f->errands[i]->task;

		if (is_task(f->errands[i], FILING_REMOVE) && strcmp(w->part, part) == 0)
			return true;
	}
	return false;
}

/* What is begun anew may be just what is being removed. */
static bool may_go_out(const struct files *f, unsigned at)
{
	for (unsigned i = 0; is_task(f->errands[at], FILING_BEGIN) && i < at; i++) {
		if (is_task(f->errands[i], FILING_REMOVE))
			return false;
	}
	return !f->errands[at]->is_out;
}

bool files_next_job(struct files *f, struct job *job)
{
	if (f->errands_out >= FILES_JOBS)
		return false;
	for (unsigned i = 0; i < f->errand_count; i++) {
		struct errand *e = f->errands[i];

		if (!may_go_out(f, i))
			continue;
		e->is_out = true;
		f->errands_out++;
		memset(job, 0, sizeof *job);
		job->kind = e->kind;
		job->ticket = e->ticket;
		job->task = e->task;
		return true;
	}
	return false;
}

bool files_job_done(struct files *f, const struct job *answer)
{
	if ((answer->ticket & ((uint64_t)0xff << 56)) != TICKETS)
		return false;
	for (unsigned i = 0; i < f->errand_count; i++) {
		struct errand e = *f->errands[i];

		if (e.ticket != answer->ticket || !e.is_out)
			continue;
		forget(f, i);
		if (e.done)
			e.done(f, e.owner, answer);
		task_free(e.kind, answer->task);
		return true;
	}
	files_job_drop(answer);
	return true;
}

void files_job_drop(const struct job *answer)
{
	if ((answer->kind == JOB_FILING || answer->kind == JOB_IMAGE) && answer->task &&
	    (answer->ticket & ((uint64_t)0xff << 56)) == TICKETS)
		task_free(answer->kind, answer->task);
}

/* What is out comes back to files_job_drop(). */
void files_jobs_clear(struct files *f)
{
	while (f->errand_count > 0) {
		struct errand *e = f->errands[0];

		if (!e->is_out)
			task_free(e->kind, e->task);
		forget(f, 0);
	}
	free(f->errands);
	for (unsigned i = 0; i < f->removal_count; i++)
		filing_work_free(f->removals[i]);
	free(f->removals);
}

void files_remove_later(struct files *f, struct filing_work *work)
{
	f->removals = memory_grow(f->removals, f->removal_count + 1,
				  sizeof(struct filing_work *));
	f->removals[f->removal_count++] = work;
}

void files_remove_now(struct files *f, bool is_committed)
{
	for (unsigned i = 0; i < f->removal_count; i++) {
		if (is_committed)
			files_order(f, JOB_FILING, f->removals[i], NULL, NULL);
		else
			filing_work_free(f->removals[i]);
	}
	f->removal_count = 0;
}

/* --- ways, and streams --- */

void files_ask(struct files *f, struct way *w)
{
	reach_ask(f->rooms->reach, w, true);
	f->asked = memory_grow(f->asked, f->asked_count + 1, sizeof *f->asked);
	f->asked[f->asked_count++] = w->number;
}

struct link *file_stream_link(struct files *f, struct file_stream *s)
{
	const struct way *w = s->is_open ? reach_by_number(f->rooms->reach, s->way) : NULL;

	s->is_open = w && w->state == WAY_LINKED && w->link_number == s->link_number;
	return s->is_open ? w->link : NULL;
}

void file_stream_abandon(struct files *f, struct file_stream *s, enum files_code code)
{
	struct link *link = file_stream_link(f, s);

	if (link)
		link_abandon(link, s->id, code);
	s->is_open = false;
}

int file_stream_say(struct files *f, struct file_stream *s, const struct wire_message *m,
		    bool is_last)
{
	struct link *link = file_stream_link(f, s);
	struct buf frame = { 0 };
	int err = link ? 0 : ERR_STATE;

	if (err == 0) {
		f->scratch.size = 0;
		err = wire_encode(m, &f->scratch);
	}
	if (err == 0)
		err = frame_append(&frame, buf_view(&f->scratch));
	if (err == 0)
		err = link_write(link, s->id, buf_view(&frame), is_last);
	buf_clear(&frame);
	return err;
}

int file_stream_hear(struct files *f, struct file_stream *s, struct wire_message *m)
{
	struct link *link = file_stream_link(f, s);
	struct bytes all, contents;
	size_t total;
	bool is_end;
	int err;

	if (!link)
		return ERR_CLOSED;
	all = link_peek(link, s->id, &is_end);
	err = frame_take(all, &contents, &total);
	if (err == 0)
		return is_end ? ERR_CLOSED : 0;
	if (err == 1)
		err = wire_decode(m, contents, WIRE_FROM_PEER);
	if (err < 0)
		return err;
	/* None of these messages points into what it was read from. */
	link_consume(link, s->id, total);
	return m->type >= WIRE_FILE_GET && m->type <= WIRE_FILE_DONE ? 1 : ERR_FORMAT;
}
