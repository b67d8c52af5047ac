#include "tests/town_told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/filing.h"
#include "shared/db.h"
#include "shared/error.h"

/* --- what is seen --- */

bool show_file(void *user, const struct message *m)
{
	struct shown_file *s = user;

	s->is_there = m->has_file;
	s->id = m->id;
	memcpy(s->file_id, m->file.id, sizeof s->file_id);
	s->size = m->file.size;
	s->done = m->file.done;
	s->state = m->file.state;
	s->error = m->file.error;
	snprintf(s->thumbnail, sizeof s->thumbnail, "%.*s", (int)m->file.thumbnail.size,
		 (const char *)m->file.thumbnail.data);
	return false;
}

struct shown_file see_newest(const struct home *home, const char *with)
{
	struct shown_file s = { 0 };
	uint64_t id;

	assert_int_equal(engine_history(home->engine, with, 0, 1, show_file, &s), 0);
	id = s.id;
	if (s.is_there)
		assert_int_equal(engine_message(home->engine, id, show_file, &s), 0);
	return s;
}

struct wanted {
	const struct home *home;
	const char *with;
	bool (*holds)(const struct shown_file *s);
};

static bool is_so(void *user)
{
	const struct wanted *w = user;
	struct shown_file s = see_newest(w->home, w->with);

	return s.is_there && w->holds(&s);
}

struct shown_file await_newest(struct town *t, const struct home *home, const char *with,
			       bool (*holds)(const struct shown_file *s), const char *what)
{
	struct wanted w = { home, with, holds };

	if (!calm_net_run(&t->net, 300 * SECOND, is_so, &w)) {
		struct shown_file s = see_newest(home, with);

		fail_msg("%s: state %d, error %d, %llu bytes", what, s.state, s.error,
			 (unsigned long long)s.done);
	}
	return see_newest(home, with);
}

bool is_here(const struct shown_file *s)
{
	return s->is_there;
}

bool is_done(const struct shown_file *s)
{
	return s->state == TRANSFER_DONE;
}

bool is_failed(const struct shown_file *s)
{
	return s->state == TRANSFER_FAILED;
}

bool is_half_there(const struct shown_file *s)
{
	return s->done >= LARGE / 2;
}

unsigned count_of_flag(struct home *home, unsigned flag)
{
	char query[80];
	struct statement *s;
	unsigned count;

	snprintf(query, sizeof query, "SELECT count(*) FROM file WHERE flags & %u", flag);
	s = db_sql(engine_db(home->engine), query);
	assert_int_equal(db_step(s), 1);
	count = (unsigned)column_int(s, 0);
	db_done(s);
	return count;
}

unsigned count_untold(struct home *home)
{
	return count_of_flag(home, 128);
}

/* --- what happens --- */

void make_new_file(const struct town *t, const char *name, size_t size, char path[200])
{
	uint8_t *contents = memory_new(size ? size : 1);
	FILE *file;

	path_in(t, name, path);
	randombytes_buf(contents, size);
	if (size >= 8)
		memcpy(contents, "\x89PNG\r\n\x1a\n", 8);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(contents, 1, size, file), size);
	fclose(file);
	free(contents);
}

void fetch(struct home *home, const char *of)
{
	assert_int_equal(engine_accept_file(home->engine, see_newest(home, of).id, NULL), 0);
}

void restart(struct town *t, struct home *home)
{
	stop_home(t, home);
	start_home(t, home);
}

void offer_unasked(struct town *t, size_t size, char path[200])
{
	befriend(t);
	accept_up_to(&t->homes[1], 0);
	make_new_file(t, "large.bin", size, path);
	offer(t, &t->homes[0], "bob", path);
	AWAIT(t, &t->homes[1], "alice", is_here);
}

void offer_large(struct town *t, char path[200])
{
	offer_unasked(t, LARGE, path);
}

void offer_half(struct town *t, char path[200])
{
	offer_large(t, path);
	fetch(&t->homes[1], "alice");
	AWAIT(t, &t->homes[1], "alice", is_half_there);
}

/* --- a worker that does one thing not, or says that it went wrong --- */

struct spoilt_worker spoilt_worker;

mono_ns with_spoilt_worker(void *user, mono_ns now, wall_ms wall)
{
	struct home *home = user;
	mono_ns deadline = engine_step(home->engine, now, wall);
	struct job job;

	while (engine_next_job(home->engine, &job)) {
		const struct filing_work *w = job.kind == JOB_FILING ? job.task : NULL;
		bool is_it = w && w->what == spoilt_worker.what;

		deadline = now;
		if (is_it && spoilt_worker.err == 0) {
			spoilt_worker.held = job;
			spoilt_worker.is_held = true;
			continue;
		}
		job.err = is_it ? spoilt_worker.err : w ? filing_run(&job) : ERR_NOT_FOUND;
		engine_job_done(home->engine, &job);
	}
	return deadline;
}
