/* What both sides know of a file outlives what happens to them: small images that wait to be looked at,
 * that it has arrived, how much of it has, and why it does not come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/engine.h"
#include "peer/files.h"
#include "peer/filing.h"
#include "peer/image.h"
#include "peer/persons.h"
#include "peer/rooms.h"
#include "peer/way.h"
#include "shared/db.h"
#include "shared/error.h"
#include "tests/town_account.h"

/* --- what is seen --- */

struct seen {
	uint64_t id, size, done;
	enum transfer_state state;
	int error;
	bool is_there;
	uint8_t file_id[16];
	char thumbnail[40], path[300];
};

static bool on_message(void *user, const struct message *m)
{
	struct seen *s = user;

	s->is_there = m->has_file;
	s->id = m->id;
	memcpy(s->file_id, m->file.id, sizeof s->file_id);
	s->size = m->file.size;
	s->done = m->file.done;
	s->state = m->file.state;
	s->error = m->file.error;
	snprintf(s->thumbnail, sizeof s->thumbnail, "%.*s", (int)m->file.thumbnail.size,
		 (const char *)m->file.thumbnail.data);
	snprintf(s->path, sizeof s->path, "%.*s", (int)m->file.path.size,
		 (const char *)m->file.path.data);
	return false;
}

/* The newest message of the two, if it is a file. */
static struct seen see(const struct home *home, const char *with)
{
	struct seen s = { 0 };
	uint64_t id;

	assert_int_equal(engine_history(home->engine, with, 0, 1, on_message, &s), 0);
	id = s.id;
	if (s.is_there)
		assert_int_equal(engine_message(home->engine, id, on_message, &s), 0);
	return s;
}

struct wanted {
	const struct home *home;
	const char *with;
	bool (*holds)(const struct seen *s);
};

static bool is_so(void *user)
{
	const struct wanted *w = user;
	struct seen s = see(w->home, w->with);

	return s.is_there && w->holds(&s);
}

static struct seen await(struct town *t, const struct home *home, const char *with,
			 bool (*holds)(const struct seen *s), const char *what)
{
	struct wanted w = { home, with, holds };

	if (!calm_net_run(&t->net, 300 * SECOND, is_so, &w)) {
		struct seen s = see(home, with);

		fail_msg("%s: state %d, error %d, %llu bytes", what, s.state, s.error,
			 (unsigned long long)s.done);
	}
	return see(home, with);
}
#define AWAIT(t, home, with, holds) await(t, home, with, holds, #holds)

static bool is_here(const struct seen *s)
{
	return s->is_there;
}

static bool is_done(const struct seen *s)
{
	return s->state == TRANSFER_DONE;
}

/* --- what happens --- */

static void make_file(const struct town *t, const char *name, size_t size, char path[200])
{
	uint8_t *contents = memory_new(size ? size : 1);
	FILE *file;

	snprintf(path, 200, "%s/%s", t->folder, name);
	randombytes_buf(contents, size);
	/* To be taken for one where a test answers for images. */
	if (size >= 8)
		memcpy(contents, "\x89PNG\r\n\x1a\n", 8);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(contents, 1, size, file), size);
	fclose(file);
	free(contents);
}

static void offer_as(struct town *t, struct home *from, const char *to, const char *path,
		     bool is_spooled)
{
	struct engine_file file = { .to = to, .path = path, .is_spooled = is_spooled };

	assert_int_equal(engine_send_file(from->engine, &file, ++t->tickets), 0);
	assert_int_equal(answer_of(t, from, t->tickets), 0);
}

static void offer(struct town *t, struct home *from, const char *to, const char *path)
{
	offer_as(t, from, to, path, false);
}

static void sql(struct home *home, const char *what)
{
	assert_int_equal(db_exec(engine_db(home->engine), what), 0);
}

/* Nobody does any work for it: what it wants done waits. */
static mono_ns without_worker(void *user, mono_ns now, wall_ms wall)
{
	struct home *home = user;

	return engine_step(home->engine, now, wall);
}

static void restart(struct town *t, struct home *home)
{
	stop_home(t, home);
	start_home(t, home);
}

/* --- thumbnails --- */

static int make_small(struct image_work *w)
{
	const char *made = w->path ? "as it was said" : "made anew";

	w->width = w->height = 10;
	w->size = (uint32_t)strlen(made);
	memcpy(w->thumbnail, made, w->size);
	return 0;
}

static bool has_thumbnail(const struct seen *s)
{
	return *s->thumbnail != 0;
}

static void a_thumbnail_is_shown_only_as_it_was_made_here(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	calm_net_step *works = t->net.nodes[b->node].step;
	char path[200];

	befriend(t);
	town_image = make_small;
	make_file(t, "moon.png", 1000, path);
	t->net.nodes[b->node].step = without_worker;
	offer(t, a, "bob", path);
	assert_string_equal(see(a, "bob").thumbnail, "as it was said");
	AWAIT(t, b, "alice", is_here);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_string_equal(see(b, "alice").thumbnail, "");
	t->net.nodes[b->node].step = works;
	assert_string_equal(AWAIT(t, b, "alice", has_thumbnail).thumbnail, "made anew");
	town_image = NULL;
}

static void a_thumbnail_that_waits_to_be_looked_at_outlives_the_engine(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	calm_net_step *works = t->net.nodes[b->node].step;
	char path[200];

	befriend(t);
	town_image = make_small;
	make_file(t, "moon.png", 1000, path);
	t->net.nodes[b->node].step = without_worker;
	offer(t, a, "bob", path);
	AWAIT(t, b, "alice", is_here);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	stop_home(t, a);
	t->net.nodes[b->node].step = works;
	restart(t, b);
	assert_string_equal(AWAIT(t, b, "alice", has_thumbnail).thumbnail, "made anew");
	town_image = NULL;
}

static bool is_leaving;

static int leave(struct image_work *w)
{
	return is_leaving && !w->path ? ERR_CLOSED : make_small(w);
}

static void a_thumbnail_that_is_looked_at_when_the_engine_ends_is_looked_at_again(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	befriend(t);
	town_image = leave;
	is_leaving = true;
	make_file(t, "moon.png", 1000, path);
	offer(t, a, "bob", path);
	AWAIT(t, b, "alice", is_here);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_string_equal(see(b, "alice").thumbnail, "");
	is_leaving = false;
	restart(t, b);
	assert_string_equal(AWAIT(t, b, "alice", has_thumbnail).thumbnail, "made anew");
	town_image = NULL;
}

static unsigned count_unchecked(struct home *home)
{
	struct statement *s = db_sql(engine_db(home->engine),
				     "SELECT count(*) FROM file WHERE flags & 64");
	unsigned count;

	assert_int_equal(db_step(s), 1);
	count = (unsigned)column_int(s, 0);
	db_done(s);
	return count;
}

static void what_has_no_thumbnail_does_not_wait_for_ever(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	befriend(t);
	make_file(t, "note.txt", 1000, path);
	for (unsigned i = 0; i < 5; i++)
		offer(t, a, "bob", path);
	AWAIT(t, b, "alice", is_done);
	sql(b, "UPDATE file SET flags = flags | 64");
	restart(t, b);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_equal(count_unchecked(b), 0);
}

/* --- that it has arrived, and why it does not --- */

enum { LARGE = 5 << 20 };

static bool is_failed(const struct seen *s)
{
	return s->state == TRANSFER_FAILED;
}

static bool is_offered(const struct seen *s)
{
	return s->state == TRANSFER_OFFERED;
}

static bool has_begun(const struct seen *s)
{
	return s->done >= 1 << 20;
}

static bool is_half_there(const struct seen *s)
{
	return s->done >= LARGE / 2;
}

static void accept(struct home *home, const char *of)
{
	assert_int_equal(engine_accept_file(home->engine, see(home, of).id, NULL), 0);
}

static void accept_all(struct home *home, uint64_t up_to)
{
	struct engine_settings settings;

	engine_settings(home->engine, &settings);
	settings.accept_up_to = up_to;
	assert_int_equal(engine_set_settings(home->engine, &settings), 0);
}

static unsigned count_untold(struct home *home)
{
	struct statement *s = db_sql(engine_db(home->engine),
				     "SELECT count(*) FROM file WHERE flags & 128");
	unsigned count;

	assert_int_equal(db_step(s), 1);
	count = (unsigned)column_int(s, 0);
	db_done(s);
	return count;
}

/* A worker that does one thing not, or says that it went wrong. */
static struct {
	enum filing_task what;
	int err; /* 0: it is not done, and waits here */
	bool is_held;
	struct job held;
} spoilt;

static mono_ns with_spoilt_worker(void *user, mono_ns now, wall_ms wall)
{
	struct home *home = user;
	mono_ns deadline = engine_step(home->engine, now, wall);
	struct job job;

	while (engine_next_job(home->engine, &job)) {
		const struct filing_work *w = job.kind == JOB_FILING ? job.task : NULL;
		bool is_it = w && w->what == spoilt.what;

		deadline = now;
		if (is_it && spoilt.err == 0) {
			spoilt.held = job;
			spoilt.is_held = true;
			continue;
		}
		job.err = is_it ? spoilt.err : w ? filing_run(&job) : ERR_NOT_FOUND;
		engine_job_done(home->engine, &job);
	}
	return deadline;
}

static bool is_held(void *user)
{
	(void)user;
	return spoilt.is_held;
}

static bool is_apart(void *user, const struct calm_net_node *from,
		     const struct calm_net_node *to)
{
	(void)user;
	return from->address.ip[3] != 1 && to->address.ip[3] != 1;
}

/* Bob has all of it but in its place, and that waits. */
static calm_net_step *hold_place(struct town *t, bool is_spooled, char path[200])
{
	struct home *a = &t->homes[0], *b = &t->homes[1];
	calm_net_step *works = t->net.nodes[b->node].step;

	memset(&spoilt, 0, sizeof spoilt);
	spoilt.what = FILING_PLACE;
	befriend(t);
	make_file(t, "note.txt", 1000, path);
	t->net.nodes[b->node].step = with_spoilt_worker;
	offer_as(t, a, "bob", path, is_spooled);
	assert_true(calm_net_run(&t->net, 60 * SECOND, is_held, NULL));
	assert_int_equal(see(a, "bob").state, TRANSFER_RUNNING);
	return works;
}

static void who_is_killed_before_it_says_that_it_has_a_file_says_so_later(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	t->net.nodes[b->node].step = hold_place(t, true, path);
	stop_home(t, b);
	files_job_drop(&spoilt.held);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	start_home(t, b);
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, a, "bob", is_done);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(count_untold(b), 0);
}

static void only_its_author_ends_the_telling(struct town *t)
{
	struct home *b = &t->homes[1];
	struct rooms *r = engine_rooms(b->engine);
	struct wire_file_noted m = { .error = ERR_FULL };
	struct way *real = NULL, w;
	struct name name;
	const struct person *p;

	assert_int_equal(name_parse(&name, bytes_text("alice")), 0);
	p = persons_find(r->persons, &name);
	for (unsigned i = 0; i < WIRE_DEVICES_MAX && !real; i++)
		real = p->ways[i];
	assert_non_null(real);
	w = *real;
	w.state = WAY_LINKED;
	w.told_open = 3;
	memcpy(m.id, see(b, "alice").file_id, sizeof m.id);
	files_hear_noted(r->files, &w, &m); /* another word */
	assert_int_equal(count_untold(b), 1);
	m.error = 0;
	w.device.bytes[0] ^= 1; /* another device */
	files_hear_noted(r->files, &w, &m);
	assert_int_equal(count_untold(b), 1);
	m.id[0] ^= 1; /* another file */
	w.device.bytes[0] ^= 1;
	files_hear_noted(r->files, &w, &m);
	assert_int_equal(count_untold(b), 1);
	m.id[0] ^= 1;
	assert_int_equal(w.told_open, 0);
	files_hear_noted(r->files, &w, &m); /* more than was said to them */
	assert_int_equal(count_untold(b), 1);
}

static void who_is_killed_before_it_stores_that_a_file_has_arrived_hears_it_again(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	calm_net_step *works;
	char path[200];

	works = hold_place(t, true, path);
	/* What it says is lost with who should have heard it. */
	t->net.is_cut = is_apart;
	spoilt.held.err = filing_run(&spoilt.held);
	engine_job_done(b->engine, &spoilt.held);
	t->net.nodes[b->node].step = works;
	AWAIT(t, b, "alice", is_done);
	assert_int_equal(count_untold(b), 1);
	only_its_author_ends_the_telling(t);
	restart(t, a);
	assert_int_equal(see(a, "bob").state, TRANSFER_OFFERED);
	t->net.is_cut = NULL;
	AWAIT(t, a, "bob", is_done);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(count_untold(b), 0);
	/* And once that is known it is not said any more. */
	restart(t, b);
	calm_net_run(&t->net, 5 * SECOND, NULL, NULL);
	assert_int_equal(count_untold(b), 0);
	assert_int_equal(see(a, "bob").state, TRANSFER_DONE);
}

static void what_comes_as_it_should_is_known_on_both_sides_at_once(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	befriend(t);
	make_file(t, "note.txt", 1000, path);
	offer(t, a, "bob", path);
	AWAIT(t, a, "bob", is_done);
	calm_net_run(&t->net, 100 * MILLISECOND, NULL, NULL);
	assert_int_equal(count_untold(b), 0);
}

static void more_than_is_said_at_once_is_said_all_the_same(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	befriend(t);
	make_file(t, "note.txt", 1000, path);
	offer(t, a, "bob", path);
	AWAIT(t, a, "bob", is_done);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	sql(b,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)"
	    " INSERT INTO file(id, message, contact, is_ours, state, size, changed_at, flags)"
	    " SELECT randomblob(16), message, contact, 0, 7, size, 0, 128 FROM file, n");
	assert_int_equal(count_untold(b), 150);
	restart(t, b);
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(count_untold(b), 0);
}

/* Bob accepts nothing by himself. */
static void offer_unasked(struct town *t, size_t size, char path[200])
{
	befriend(t);
	accept_all(&t->homes[1], 0);
	make_file(t, "large.bin", size, path);
	offer(t, &t->homes[0], "bob", path);
	AWAIT(t, &t->homes[1], "alice", is_here);
}

static void offer_large(struct town *t, char path[200])
{
	offer_unasked(t, LARGE, path);
}

static void whose_file_is_gone_hears_of_it_and_may_put_it_back(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200], away[210];

	offer_large(t, path);
	snprintf(away, sizeof away, "%s.away", path);
	assert_int_equal(rename(path, away), 0);
	accept(b, "alice");
	assert_int_equal(AWAIT(t, b, "alice", is_failed).error, ERR_NOT_FOUND);
	assert_int_equal(AWAIT(t, a, "bob", is_failed).error, ERR_NOT_FOUND);
	/* It is theirs that is gone: nobody has to say so to them. */
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_equal(count_untold(b), 0);
	assert_int_equal(rename(away, path), 0);
	accept(b, "alice");
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, a, "bob", is_done);
}

static void whose_file_was_changed_hears_of_it(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_large(t, path);
	make_file(t, "large.bin", LARGE + 1, path);
	accept(b, "alice");
	assert_int_equal(AWAIT(t, b, "alice", is_failed).error, ERR_CORRUPT);
	assert_int_equal(AWAIT(t, a, "bob", is_failed).error, ERR_CORRUPT);
}

static void who_changes_a_file_on_its_way_hears_of_it(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_unasked(t, 6 * LARGE, path);
	accept(b, "alice");
	AWAIT(t, b, "alice", has_begun);
	make_file(t, "large.bin", 6 * LARGE + 1, path);
	assert_int_equal(AWAIT(t, a, "bob", is_failed).error, ERR_CORRUPT);
	assert_int_equal(AWAIT(t, b, "alice", is_failed).error, ERR_CORRUPT);
}

static void that_there_is_no_room_is_told_to_who_offered_it(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	calm_net_step *works = t->net.nodes[b->node].step;
	char path[200];

	memset(&spoilt, 0, sizeof spoilt);
	spoilt.what = FILING_BEGIN;
	spoilt.err = ERR_FULL;
	offer_large(t, path);
	t->net.nodes[b->node].step = with_spoilt_worker;
	accept(b, "alice");
	assert_int_equal(AWAIT(t, b, "alice", is_failed).error, ERR_FULL);
	assert_int_equal(AWAIT(t, a, "bob", is_failed).error, ERR_FULL);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_equal(count_untold(b), 0);
	/* There is again. */
	t->net.nodes[b->node].step = works;
	accept(b, "alice");
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, a, "bob", is_done);
}

static void that_there_is_no_room_is_told_later_to_who_is_away(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	memset(&spoilt, 0, sizeof spoilt);
	spoilt.what = FILING_WRITE;
	spoilt.err = ERR_FULL;
	offer_large(t, path);
	t->net.nodes[b->node].step = with_spoilt_worker;
	accept(b, "alice");
	assert_int_equal(AWAIT(t, b, "alice", is_failed).error, ERR_FULL);
	t->net.is_cut = is_apart;
	stop_home(t, a);
	start_home(t, a);
	sql(a, "UPDATE file SET state = 1, error = 0");
	sql(b, "UPDATE file SET flags = flags | 128");
	restart(t, b);
	t->net.is_cut = NULL;
	assert_int_equal(AWAIT(t, a, "bob", is_failed).error, ERR_FULL);
}

static void what_was_withdrawn_is_called_so(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_large(t, path);
	assert_int_equal(engine_cancel_file(a->engine, see(a, "bob").id), 0);
	accept(b, "alice");
	assert_int_equal(AWAIT(t, b, "alice", is_failed).error, ERR_EXPIRED);
	assert_int_equal(see(a, "bob").state, TRANSFER_CANCELLED);
}

static bool is_cancelled_by_them(const struct seen *s)
{
	return s->state == TRANSFER_FAILED && s->error == ERR_EXPIRED;
}

static void what_was_offered_and_is_withdrawn_is_called_so_at_once(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_large(t, path);
	assert_int_equal(engine_cancel_file(a->engine, see(a, "bob").id), 0);
	AWAIT(t, b, "alice", is_cancelled_by_them);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	assert_int_equal(see(a, "bob").state, TRANSFER_CANCELLED);
	assert_int_equal(count_untold(a), 0);
	/* Offered once more it can be had. */
	assert_int_equal(engine_accept_file(a->engine, see(a, "bob").id, NULL), 0);
	accept(b, "alice");
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, a, "bob", is_done);
}

static void who_was_away_hears_later_that_a_file_is_withdrawn(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct seen s = { 0 };
	uint64_t theirs;
	char path[200];

	offer_large(t, path);
	theirs = see(b, "alice").id;
	calm_net_run(&t->net, 5 * SECOND, NULL, NULL);
	stop_home(t, b);
	assert_int_equal(engine_cancel_file(a->engine, see(a, "bob").id), 0);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	restart(t, a);
	assert_int_equal(count_untold(a), 1);
	start_home(t, b);
	say(t, b, "alice", "back");
	calm_net_run(&t->net, 20 * SECOND, NULL, NULL);
	assert_int_equal(engine_message(b->engine, theirs, on_message, &s), 0);
	assert_true(is_cancelled_by_them(&s));
	assert_int_equal(count_untold(a), 0);
}

static void what_is_withdrawn_before_it_was_delivered_is_called_so(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	befriend(t);
	accept_all(b, 0);
	stop_home(t, b);
	make_file(t, "large.bin", LARGE, path);
	offer(t, a, "bob", path);
	assert_int_equal(engine_cancel_file(a->engine, see(a, "bob").id), 0);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	start_home(t, b);
	AWAIT(t, b, "alice", is_cancelled_by_them);
}

static void who_cancels_what_was_offered_to_them_says_so(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_large(t, path);
	accept(b, "alice");
	AWAIT(t, b, "alice", is_half_there);
	assert_int_equal(engine_cancel_file(b->engine, see(b, "alice").id), 0);
	AWAIT(t, a, "bob", is_cancelled_by_them);
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_true(is_cancelled_by_them((struct seen[]){ see(a, "bob") }));
	assert_int_equal(see(b, "alice").state, TRANSFER_CANCELLED);
	assert_int_equal(count_untold(b), 0);
	/* They want it all the same. */
	accept(b, "alice");
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, a, "bob", is_done);
}

static void who_cancels_while_the_other_is_away_says_so_later(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_large(t, path);
	accept(b, "alice");
	AWAIT(t, b, "alice", is_half_there);
	stop_home(t, a);
	assert_int_equal(engine_cancel_file(b->engine, see(b, "alice").id), 0);
	calm_net_run(&t->net, SECOND, NULL, NULL);
	restart(t, b);
	start_home(t, a);
	AWAIT(t, a, "bob", is_cancelled_by_them);
}

static void a_sender_that_begins_anew_knows_how_much_has_arrived(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	offer_large(t, path);
	accept(b, "alice");
	AWAIT(t, b, "alice", is_half_there);
	stop_home(t, a);
	t->net.is_cut = is_apart;
	start_home(t, a);
	assert_true(is_offered((struct seen[]){ see(a, "bob") }));
	assert_in_range(see(a, "bob").done, 1 << 20, LARGE);
	t->net.is_cut = NULL;
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, a, "bob", is_done);
}

static void what_was_had_from_another_own_device_is_told_to_who_offered_it(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1], *too = &t->homes[2];
	char path[200];

	befriend(t);
	another_device(t, too, "bob");
	accept_all(too, 0);
	make_file(t, "note.txt", 1000, path);
	offer(t, a, "bob", path);
	AWAIT(t, b, "alice", is_done);
	AWAIT(t, too, "alice", is_here);
	AWAIT(t, a, "bob", is_done);
	stop_home(t, a);
	accept(too, "alice");
	AWAIT(t, too, "alice", is_done);
	assert_int_equal(count_untold(too), 1);
	start_home(t, a);
	sql(a, "UPDATE file SET state = 1");
	say(t, a, "bob", "back");
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(count_untold(too), 0);
}

/* --- what is in a folder --- */

static void a_folder_is_as_large_as_its_files_and_says_what_it_leaves_out(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200], name[210];
	const struct event *answer;

	befriend(t);
	snprintf(path, sizeof path, "%s/things", t->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	make_file(t, "things/one", 1000, name);
	make_file(t, "things/two", 24, name);
	snprintf(name, sizeof name, "%s/none", path);
	assert_int_equal(mkdir(name, 0700), 0);
	snprintf(name, sizeof name, "%s/out", path);
	assert_int_equal(symlink("/etc/passwd", name), 0);
	snprintf(name, sizeof name, "%s/none/up", path);
	assert_int_equal(symlink("..", name), 0);
	snprintf(name, sizeof name, "%s/pipe", path);
	assert_int_equal(mkfifo(name, 0600), 0);
	offer(t, a, "bob", path);
	answer = find_event(a, EVENT_ANSWER);
	assert_int_equal(answer->message.file.links, 2);
	assert_int_equal(answer->message.file.others, 1);
	assert_int_equal(see(a, "bob").size, 1024);
	assert_int_equal(AWAIT(t, b, "alice", is_done).size, 1024);
	assert_int_equal(see(b, "alice").done, 1024);
	wait_for(t, b, EVENT_HEARD, 1);
	assert_int_equal(find_event(b, EVENT_HEARD)->message.file.size, 1024);
	assert_int_equal(AWAIT(t, a, "bob", is_done).done, 1024);
}

static void an_empty_folder_holds_no_bytes(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];

	befriend(t);
	snprintf(path, sizeof path, "%s/none", t->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	offer(t, a, "bob", path);
	assert_int_equal(see(a, "bob").size, 0);
	assert_int_equal(find_event(a, EVENT_ANSWER)->message.file.links, 0);
	assert_int_equal(AWAIT(t, b, "alice", is_done).done, 0);
	assert_int_equal(see(b, "alice").size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(a_thumbnail_is_shown_only_as_it_was_made_here),
		TOWN(a_thumbnail_that_waits_to_be_looked_at_outlives_the_engine),
		TOWN(a_thumbnail_that_is_looked_at_when_the_engine_ends_is_looked_at_again),
		TOWN(what_has_no_thumbnail_does_not_wait_for_ever),
		TOWN(who_is_killed_before_it_says_that_it_has_a_file_says_so_later),
		TOWN(who_is_killed_before_it_stores_that_a_file_has_arrived_hears_it_again),
		TOWN(what_comes_as_it_should_is_known_on_both_sides_at_once),
		TOWN(more_than_is_said_at_once_is_said_all_the_same),
		TOWN(whose_file_is_gone_hears_of_it_and_may_put_it_back),
		TOWN(whose_file_was_changed_hears_of_it),
		TOWN(who_changes_a_file_on_its_way_hears_of_it),
		TOWN(that_there_is_no_room_is_told_to_who_offered_it),
		TOWN(that_there_is_no_room_is_told_later_to_who_is_away),
		TOWN(what_was_withdrawn_is_called_so),
		TOWN(what_was_offered_and_is_withdrawn_is_called_so_at_once),
		TOWN(what_is_withdrawn_before_it_was_delivered_is_called_so),
		TOWN(who_was_away_hears_later_that_a_file_is_withdrawn),
		TOWN(who_cancels_what_was_offered_to_them_says_so),
		TOWN(who_cancels_while_the_other_is_away_says_so_later),
		TOWN(a_sender_that_begins_anew_knows_how_much_has_arrived),
		TOWN(what_was_had_from_another_own_device_is_told_to_who_offered_it),
		TOWN(a_folder_is_as_large_as_its_files_and_says_what_it_leaves_out),
		TOWN(an_empty_folder_holds_no_bytes),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
