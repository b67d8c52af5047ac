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
#include "peer/image.h"
#include "shared/error.h"
#include "tests/town.h"

/* --- what is seen --- */

struct seen {
	uint64_t id, size, done;
	enum transfer_state state;
	int error;
	bool is_there;
	char thumbnail[40], path[300];
};

static bool on_message(void *user, const struct message *m)
{
	struct seen *s = user;

	s->is_there = m->has_file;
	s->id = m->id;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(a_thumbnail_is_shown_only_as_it_was_made_here),
		TOWN(a_thumbnail_that_waits_to_be_looked_at_outlives_the_engine),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
