#include "tests/town_files.h"

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

#include "peer/persons.h"
#include "peer/rooms.h"
#include "peer/way.h"
#include "shared/db.h"
#include "shared/frame.h"

void path_in(const struct town *t, const char *name, char out[200])
{
	snprintf(out, 200, "%s/%s", t->folder, name);
}

void make_file(const struct town *t, const char *name, size_t size, char path[200])
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

bool are_equal(const char *a, const char *b)
{
	char command[1000];

	snprintf(command, sizeof command, "diff -r '%s' '%s' >/dev/null", a, b);
	return system(command) == 0;
}

uint64_t offer_as(struct town *t, struct home *from, const char *to,
		  const struct engine_file *file)
{
	uint64_t ticket = ++t->tickets;
	struct engine_file f = *file;

	f.to = to;
	assert_int_equal(engine_send_file(from->engine, &f, ticket), 0);
	assert_int_equal(answer_of(t, from, ticket), 0);
	return find_event(from, EVENT_SAID)->message.id;
}

uint64_t offer(struct town *t, struct home *from, const char *to, const char *path)
{
	return offer_as(t, from, to, &(struct engine_file){ .path = path });
}

static bool on_message(void *user, const struct message *m)
{
	struct seen *s = user;

	assert_true(m->has_file);
	memcpy(s->file, m->file.id, sizeof s->file);
	s->state = m->file.state;
	s->done = m->file.done;
	s->error = m->file.error;
	snprintf(s->path, sizeof s->path, "%.*s", (int)m->file.path.size,
		 (const char *)m->file.path.data);
	return false;
}

struct seen see(struct home *home, uint64_t id)
{
	struct seen s = { 0 };

	assert_int_equal(engine_message(home->engine, id, on_message, &s), 0);
	return s;
}

struct wanted {
	struct home *home;
	uint64_t id, bytes;
	enum transfer_state state;
};

static bool is_so(void *user)
{
	const struct wanted *w = user;
	struct seen now = see(w->home, w->id);

	return now.state == w->state && now.done >= w->bytes;
}

static void await_wanted(struct town *t, struct wanted *w)
{
	if (!calm_net_run(&t->net, 300 * SECOND, is_so, w)) {
		struct seen s = see(w->home, w->id);

		fail_msg("state %d, error %d, %llu bytes", s.state, s.error,
			 (unsigned long long)s.done);
	}
}

void await(struct town *t, struct home *home, uint64_t id, enum transfer_state state)
{
	await_wanted(t, &(struct wanted){ .home = home, .id = id, .state = state });
}

void await_bytes(struct town *t, struct home *home, uint64_t id, uint64_t bytes)
{
	await_wanted(t, &(struct wanted){ home, id, bytes, TRANSFER_RUNNING });
}

uint64_t heard(struct town *t, struct home *home)
{
	wait_for(t, home, EVENT_HEARD, 1);
	return find_event(home, EVENT_HEARD)->message.id;
}

void accept_up_to(struct home *home, uint64_t bytes)
{
	struct engine_settings settings;

	engine_settings(home->engine, &settings);
	settings.accept_up_to = bytes;
	assert_int_equal(engine_set_settings(home->engine, &settings), 0);
}

void accept_all(struct home *home)
{
	accept_up_to(home, UINT64_MAX >> 2);
}

void make_folder(const struct town *t, char path[200])
{
	char name[200];

	path_in(t, "things", path);
	assert_int_equal(mkdir(path, 0700), 0);
	path_in(t, "things/none", name);
	assert_int_equal(mkdir(name, 0700), 0);
	path_in(t, "things/deep", name);
	assert_int_equal(mkdir(name, 0700), 0);
	make_file(t, "things/deep/large", LARGE, name);
	make_file(t, "things/deep/nothing", 0, name);
	make_file(t, "things/a", 10, name);
	make_file(t, "things/.hidden", 5, name);
	make_file(t, "things/z", 3 << 20, name);
	make_file(t, "things/zero", 0, name);
}

bool is_apart(void *user, const struct calm_net_node *from, const struct calm_net_node *to)
{
	(void)user;
	return from->address.ip[3] != 1 && to->address.ip[3] != 1;
}

uint64_t bytes_between(const struct town *t)
{
	return endpoint_counters(engine_endpoint(t->homes[0].engine)).sent_bytes;
}

struct link *link_to(struct home *home, const char *name)
{
	struct rooms *r = engine_rooms(home->engine);
	struct name n;
	const struct person *p;

	assert_int_equal(name_parse(&n, bytes_text(name)), 0);
	p = persons_find(r->persons, &n);
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (p->ways[i] && p->ways[i]->state == WAY_LINKED)
			return p->ways[i]->link;
	}
	fail_msg("no link");
	return NULL;
}

void say_on(struct link *link, int64_t stream, const struct wire_message *m)
{
	struct buf raw = { 0 }, frame = { 0 };

	assert_int_equal(wire_encode(m, &raw), 0);
	assert_int_equal(frame_append(&frame, buf_view(&raw)), 0);
	assert_int_equal(link_write(link, stream, buf_view(&frame), false), 0);
	buf_clear(&raw);
	buf_clear(&frame);
}

void sql(struct home *home, const char *what)
{
	assert_int_equal(db_exec(engine_db(home->engine), what), 0);
}
