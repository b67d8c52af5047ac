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
#include "peer/rooms.h"
#include "shared/error.h"
#include "shared/file.h"
#include "tests/town.h"

enum { LARGE = 5 * 1024 * 1024 + 12345 };

/* --- files on disk --- */

static void path_in(const struct town *t, const char *name, char out[200])
{
	snprintf(out, 200, "%s/%s", t->folder, name);
}

static void make_file(const struct town *t, const char *name, size_t size, char path[200])
{
	uint8_t *contents = malloc(size ? size : 1), seed[randombytes_SEEDBYTES] = { 7 };
	FILE *file;

	path_in(t, name, path);
	randombytes_buf_deterministic(contents, size, seed);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(contents, 1, size, file), size);
	fclose(file);
	free(contents);
}

static bool are_equal(const char *a, const char *b)
{
	char command[500];

	snprintf(command, sizeof command, "diff -r '%s' '%s' >/dev/null", a, b);
	return system(command) == 0;
}

/* --- two people --- */

static uint64_t offer_as(struct town *t, struct home *from, const char *to,
			 const struct engine_file *file)
{
	uint64_t ticket = ++t->tickets;
	struct engine_file f = *file;

	f.to = to;
	assert_int_equal(engine_send_file(from->engine, &f, ticket), 0);
	assert_int_equal(answer_of(t, from, ticket), 0);
	return find_event(from, EVENT_SAID)->message.id;
}

static uint64_t offer(struct town *t, struct home *from, const char *to, const char *path)
{
	return offer_as(t, from, to, &(struct engine_file){ .path = path });
}

struct seen {
	struct home *home;
	uint64_t id;
	enum transfer_state state;
	enum transfer_state wanted;
	uint64_t done, from;
	int error;
	char path[300];
};

static bool on_message(void *user, const struct message *m)
{
	struct seen *s = user;

	assert_true(m->has_file);
	s->state = m->file.state;
	s->done = m->file.done;
	s->error = m->file.error;
	snprintf(s->path, sizeof s->path, "%.*s", (int)m->file.path.size,
		 (const char *)m->file.path.data);
	return false;
}

static struct seen see(struct home *home, uint64_t id)
{
	struct seen s = { .home = home, .id = id };

	assert_int_equal(engine_message(home->engine, id, on_message, &s), 0);
	return s;
}

static bool is_so(void *user)
{
	struct seen *s = user, now = see(s->home, s->id);

	return now.state == s->wanted && now.done >= s->from;
}

static void await(struct town *t, struct home *home, uint64_t id, enum transfer_state state)
{
	struct seen s = { .home = home, .id = id, .wanted = state };

	if (!calm_net_run(&t->net, 300 * SECOND, is_so, &s)) {
		s = see(home, id);
		fail_msg("state %d, error %d, %llu bytes", s.state, s.error,
			 (unsigned long long)s.done);
	}
}

static void await_bytes(struct town *t, struct home *home, uint64_t id, uint64_t bytes)
{
	struct seen s = { .home = home, .id = id, .wanted = TRANSFER_RUNNING, .from = bytes };

	if (!calm_net_run(&t->net, 300 * SECOND, is_so, &s))
		fail_msg("state %d", see(home, id).state);
}

static uint64_t heard(struct town *t, struct home *home)
{
	wait_for(t, home, EVENT_HEARD, 1);
	return find_event(home, EVENT_HEARD)->message.id;
}

static void accept_all(struct home *home)
{
	struct engine_settings settings;

	engine_settings(home->engine, &settings);
	settings.accept_up_to = UINT64_MAX >> 2;
	assert_int_equal(engine_set_settings(home->engine, &settings), 0);
}

/* --- the tests --- */

static void a_small_file_arrives_without_being_asked_for(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	char path[200];
	uint64_t ours, theirs;

	befriend(t);
	make_file(t, "note.txt", 1000, path);
	ours = offer(t, a, "bob", path);
	theirs = heard(t, b);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
	await(t, a, ours, TRANSFER_DONE);
}

static void a_large_file_waits_until_it_is_accepted(void **state)
{
	struct town *t = *state;
	struct home *a = &t->homes[0], *b = &t->homes[1];
	struct engine_settings settings;
	char path[200];
	uint64_t theirs;

	befriend(t);
	engine_settings(b->engine, &settings);
	settings.accept_up_to = LARGE - 1;
	assert_int_equal(engine_set_settings(b->engine, &settings), 0);
	make_file(t, "large.bin", LARGE, path);
	offer(t, a, "bob", path);
	theirs = heard(t, b);
	calm_net_run(&t->net, 10 * SECOND, NULL, NULL);
	assert_int_equal(see(b, theirs).state, TRANSFER_OFFERED);
	assert_int_equal(engine_accept_file(b->engine, theirs, NULL), 0);
	await(t, b, theirs, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, theirs).path));
	assert_int_equal(engine_accept_file(b->engine, theirs, NULL), ERR_STATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(a_small_file_arrives_without_being_asked_for),
		TOWN(a_large_file_waits_until_it_is_accepted),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
