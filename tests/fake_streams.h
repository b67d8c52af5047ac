/* Included by a test of the files rooms alone, once, in place of links, reach and conversations: people
 * whose devices are linked, and streams whose other ends the test holds itself. The worker is asked
 * and answers at once. */
#ifndef PALIQUE_TESTS_FAKE_STREAMS_H
#define PALIQUE_TESTS_FAKE_STREAMS_H

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/conversations.h"
#include "peer/files_inside.h"
#include "peer/image.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/store.h"
#include "peer/way.h"
#include "shared/error.h"
#include "shared/frame.h"
#include "tests/no_endpoint.h"
#include "tests/small_home.h"

enum { FAKE_PEOPLE = 20, FAKE_STREAMS = 80, FAKE_ROOM = 1 << 20 };

struct fake_stream {
	struct way *way; /* NULL: there is none */
	int64_t id;
	struct buf in, out; /* to files; from them */
	size_t taken;       /* of `in` */
	bool is_ended, has_ended, is_abandoned;
};

static struct small_home fake_home, fake_others[FAKE_PEOPLE];
static struct way fake_ways[FAKE_PEOPLE];
static struct fake_stream fake_streams[FAKE_STREAMS];
static int64_t fake_next;
static struct wire_message fake_said;
static unsigned fake_said_count;
static char fake_folder[64];
/* Whether an image is one; NULL: none is. */
static int (*fake_image)(struct image_work *work);

/* --- what files call, and what accounts would --- */

static struct fake_stream *fake_find(const struct link *link, int64_t id)
{
	for (unsigned i = 0; i < FAKE_STREAMS; i++) {
		struct fake_stream *s = &fake_streams[i];

		if (s->way && s->id == id && (const struct link *)(void *)s->way == link &&
		    !s->is_abandoned)
			return s;
	}
	return NULL;
}

static void fake_clear(struct fake_stream *s)
{
	buf_clear(&s->in);
	buf_clear(&s->out);
	memset(s, 0, sizeof *s);
}

/* Over both ways: its place is another one's. */
static struct fake_stream *fake_open(struct way *w)
{
	for (unsigned i = 0; i < FAKE_STREAMS; i++) {
		struct fake_stream *s = &fake_streams[i];

		if (s->way && !s->is_abandoned && !(s->is_ended && s->has_ended))
			continue;
		fake_clear(s);
		s->way = w;
		s->id = fake_next += 4;
		return s;
	}
	return NULL;
}

int link_open(struct link *l, int64_t *stream)
{
	struct fake_stream *s = fake_open((struct way *)(void *)l);

	if (!s)
		return ERR_FULL;
	*stream = s->id;
	return 0;
}

size_t link_room(const struct link *l, int64_t stream)
{
	struct fake_stream *s = fake_find(l, stream);

	return s && s->out.size < FAKE_ROOM ? FAKE_ROOM - s->out.size : 0;
}

int link_write(struct link *l, int64_t stream, struct bytes data, bool is_last)
{
	struct fake_stream *s = fake_find(l, stream);

	if (!s || s->has_ended)
		return ERR_STATE;
	if (data.size > link_room(l, stream))
		return ERR_FULL;
	buf_append(&s->out, data);
	s->has_ended = is_last;
	return 0;
}

struct bytes link_peek(struct link *l, int64_t stream, bool *is_end)
{
	struct fake_stream *s = fake_find(l, stream);

	*is_end = !s || s->is_ended;
	return s ? bytes_of(s->in.data + s->taken, s->in.size - s->taken) : bytes_of(NULL, 0);
}

void link_consume(struct link *l, int64_t stream, size_t count)
{
	struct fake_stream *s = fake_find(l, stream);

	if (!s)
		return;
	if (count > s->in.size - s->taken)
		abort();
	s->taken += count;
	if (s->taken == s->in.size)
		s->taken = s->in.size = 0;
}

void link_abandon(struct link *l, int64_t stream, uint64_t code)
{
	struct fake_stream *s = fake_find(l, stream);

	(void)code;
	if (s)
		s->is_abandoned = true;
}

struct way *reach_way(struct reach *r, struct person *p, const struct device_public *device)
{
	(void)r;
	for (unsigned i = 0; i < FAKE_PEOPLE; i++) {
		if (fake_ways[i].person == p &&
		    device_public_equal(&fake_ways[i].device, device))
			return &fake_ways[i];
	}
	return NULL;
}

struct way *reach_by_number(const struct reach *r, uintptr_t number)
{
	(void)r;
	return number >= 1 && number <= FAKE_PEOPLE ? &fake_ways[number - 1] : NULL;
}

void reach_ask(struct reach *r, struct way *w, bool is_asked)
{
	(void)r;
	w->is_asked = is_asked;
}

struct way *reach_way_at(const struct reach *r, unsigned index)
{
	(void)r;
	return index < FAKE_PEOPLE && fake_ways[index].person ? &fake_ways[index] : NULL;
}

/* On the control stream: what was said last, and how often. */
int reach_say(struct reach *r, struct way *w, const struct wire_message *m)
{
	(void)r;
	(void)w;
	fake_said = *m;
	fake_said_count++;
	return 0;
}

void reach_use(struct reach *r, struct way *w)
{
	(void)r;
	(void)w;
}

bool conversations_next_news(struct conversations *c, struct conversation_news *news)
{
	(void)c;
	(void)news;
	return false;
}

int conversations_say_entry(struct conversations *c, struct person *p, const struct to_say *say,
			    uint64_t *id)
{
	(void)c, (void)p, (void)say, (void)id;
	return ERR_STATE;
}

/* --- what a test does --- */

/* Contact number `i`, whose one device is linked. */
static inline struct person *fake_meet(unsigned i)
{
	struct way *w = &fake_ways[i];
	char name[16];

	snprintf(name, sizeof name, "friend%u", i);
	small_home_begin(&fake_others[i], name);
	w->person = small_home_meet(&fake_home, &fake_others[i]);
	w->device = fake_others[i].device.public;
	w->number = 1 + i;
	w->link_number = 1;
	w->link = (struct link *)(void *)w;
	w->state = WAY_LINKED;
	w->person->ways[0] = w;
	return w->person;
}

static inline void fake_begin(void)
{
	memset(fake_ways, 0, sizeof fake_ways);
	fake_next = 0;
	snprintf(fake_folder, sizeof fake_folder, "/tmp/palique-files-XXXXXX");
	if (!mkdtemp(fake_folder))
		abort();
	small_home_begin(&fake_home, "bob");
	fake_home.rooms.files = files_new(&fake_home.rooms);
	files_set_downloads(fake_home.rooms.files, fake_folder);
}

static inline void fake_end(void)
{
	char command[100];

	files_free(fake_home.rooms.files);
	for (unsigned i = 0; i < FAKE_STREAMS; i++)
		fake_clear(&fake_streams[i]);
	for (unsigned i = 0; i < FAKE_PEOPLE; i++)
		small_home_end(&fake_others[i]);
	small_home_end(&fake_home);
	snprintf(command, sizeof command, "rm -rf '%s'", fake_folder);
	if (system(command) != 0)
		abort();
}

static inline bool fake_work(void)
{
	struct files *f = fake_home.rooms.files;
	bool has_worked = false;
	struct job job;

	while (files_next_job(f, &job)) {
		job.err = job.kind == JOB_FILING ? filing_run(&job)
			  : fake_image           ? fake_image(job.task)
						 : ERR_FORMAT;
		files_job_done(f, &job);
		has_worked = true;
	}
	return has_worked;
}

/* A step after so long, and those that follow at once. */
static inline void fake_pass(mono_ns time)
{
	struct rooms *r = &fake_home.rooms;
	unsigned rounds = 0;

	r->now += time;
	r->wall += (wall_ms)(time / MILLISECOND);
	do {
		files_step(r->files);
		small_home_commit(&fake_home);
		files_release(r->files);
	} while (fake_work() && ++rounds < 1000);
}

/* The other side says it; files hear that there is something. */
static inline void fake_say(struct fake_stream *s, struct bytes raw)
{
	struct reach_stream event = { s->way, s->id, LINK_READABLE, 0 };

	buf_append(&s->in, raw);
	files_hear_stream(fake_home.rooms.files, &event);
}

static inline void fake_say_message(struct fake_stream *s, const struct wire_message *m)
{
	struct buf raw = { 0 }, frame = { 0 };

	if (wire_encode(m, &raw) < 0 || frame_append(&frame, buf_view(&raw)) < 0)
		abort();
	fake_say(s, buf_view(&frame));
	buf_clear(&raw);
	buf_clear(&frame);
}

/* The stream that is open with `w`, NULL: none. */
static inline struct fake_stream *fake_stream_of(const struct way *w)
{
	for (unsigned i = 0; i < FAKE_STREAMS; i++) {
		struct fake_stream *s = &fake_streams[i];

		if (s->way == w && !s->is_abandoned && !(s->is_ended && s->has_ended))
			return s;
	}
	return NULL;
}

/* A row as an offer makes it; its id is of `message` alone. */
static inline void fake_row(struct person *p, uint64_t message, uint64_t size, bool is_ours,
			    const char *path)
{
	struct file_row row = { .message = message,
				.contact = p->id,
				.is_ours = is_ours,
				.state = is_ours ? TRANSFER_OFFERED : TRANSFER_WAITING,
				.size = size,
				.flags = is_ours ? FILE_HERE : 0,
				.name = (char *)(uintptr_t) "file.bin" };

	memcpy(row.id, &message, sizeof message);
	row.path = (char *)(uintptr_t)path;
	if (file_row_add(fake_home.rooms.files, &row, bytes_of(NULL, 0), bytes_of(NULL, 0)) < 0)
		abort();
	if (!is_ours) {
		row.folder = fake_folder;
		file_row_save(fake_home.rooms.files, &row);
		fake_home.rooms.files->is_stale = true;
	}
	small_home_commit(&fake_home);
}

static inline struct file_row fake_see(uint64_t message)
{
	struct file_row row;

	if (file_row_of_message(fake_home.rooms.files, message, &row) != 1)
		abort();
	return row;
}

#endif
