/* A file is fetched while the store of one side is spoilt: at each of its operations in turn there is no
 * room, or an error comes back, or the power goes. It arrives whole all the same, once, and is called
 * whole by nobody before it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/files.h"
#include "peer/filing.h"
#include "shared/db.h"
#include "shared/error.h"
#include "shared/job.h"
#include "shared/log.h"
#include "tests/bad_disk.h"
#include "tests/peer_fixture.h"
#include "tests/world/disk.h"

#define WALL ((wall_ms)1700000000000)

enum { SIDES = 2, SIZE = 1300000, SETTLE_S = 900 };

struct side {
	struct peer peer;
	char first[64], folder[96], image[96], downloads[96];
	unsigned lives;
	uint64_t message; /* of the file; 0: none yet */
};

static char root[64], source[96];
static struct calm_net net;
static struct side sides[SIDES]; /* the first has the file */
static uint64_t cuts;

static struct side *other_of(const struct side *s)
{
	return s == sides ? sides + 1 : sides;
}

/* --- homes and their disks --- */

static void make_home(struct side *s, const char *name)
{
	struct peer *p = &s->peer;
	char store[sizeof p->path];

	snprintf(s->first, sizeof s->first, "%.40s/%s", root, name);
	assert_int_equal(mkdir(s->first, 0700), 0);
	peer_make(p, name);
	snprintf(store, sizeof store, "%.50s/store.db", s->first);
	assert_int_equal(rename(p->path, store), 0);
	memcpy(p->path, store, sizeof p->path);
	p->is_durable = true;
}

static void meet(struct side *s)
{
	const struct peer *with = &other_of(s)->peer;

	peer_open(&s->peer, SECOND, WALL);
	assert_int_equal(
		engine_add(s->peer.engine, with->name.text, &with->identity.public, NULL), 0);
	peer_step(&s->peer, SECOND, WALL);
	peer_close(&s->peer);
	bad_disk_forget(s->first);
}

static void write_source(void)
{
	uint8_t *contents = memory_new(SIZE), seed[randombytes_SEEDBYTES] = { 7 };
	FILE *file;

	randombytes_buf_deterministic(contents, SIZE, seed);
	snprintf(source, sizeof source, "%s/source.bin", root);
	file = fopen(source, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(contents, 1, SIZE, file), SIZE);
	fclose(file);
	free(contents);
}

static int make_homes(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "/tmp/palique-faults-XXXXXX");
	if (!mkdtemp(root))
		return 1;
	make_home(&sides[0], "alice");
	make_home(&sides[1], "bob");
	meet(&sides[0]);
	meet(&sides[1]);
	write_source();
	return 0;
}

static int remove_homes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SIDES; i++) {
		disk_remove(sides[i].first);
		disk_remove(sides[i].downloads);
		identity_wipe(&sides[i].peer.identity);
		device_wipe(&sides[i].peer.device);
	}
	unlink(source);
	rmdir(root);
	return 0;
}

static void next_life(struct side *s, char out[96])
{
	snprintf(out, 96, "%.60s-%u", s->first, ++s->lives);
}

static void show(struct side *to, const struct side *who)
{
	if (to->peer.engine)
		peer_tell_presence(&to->peer, &who->peer, &net.nodes[who->peer.node].address,
				   who->peer.engine != NULL);
}

static bool switch_on(struct side *s)
{
	struct peer *p = &s->peer;
	struct engine_config config = { .store = p->path,
					.device_label = "test",
					.durable = true,
					.downloads = s->downloads };
	char reason[256] = "";
	int err;

	snprintf(p->path, sizeof p->path, "%.50s/store.db", s->folder);
	err = engine_open(&p->engine, &config, net.now, net.wall, reason, sizeof reason);
	if (err < 0) {
		p->engine = NULL;
		if (err != ERR_FULL && err != ERR_IO && err != ERR_LOCKED)
			fail_msg("%s: %s", error_name(err), reason);
		return false;
	}
	p->rooms = engine_rooms(p->engine);
	net.nodes[p->node].endpoint = engine_endpoint(p->engine);
	show(s, other_of(s));
	show(other_of(s), s);
	return true;
}

static void switch_off(struct side *s)
{
	net.nodes[s->peer.node].endpoint = NULL;
	if (s->peer.engine)
		peer_close(&s->peer);
	show(other_of(s), s);
}

/* The power went: it goes on with what its disk held then. */
static void mourn(struct side *s)
{
	if (access(s->image, F_OK) != 0)
		return;
	cuts++;
	switch_off(s);
	bad_disk_forget(s->folder);
	disk_remove(s->folder);
	memcpy(s->folder, s->image, sizeof s->folder);
	next_life(s, s->image);
	if (!switch_on(s))
		fail_msg("after a power cut it does not open");
}

static void pass(mono_ns length)
{
	calm_net_run(&net, length, NULL, NULL);
	for (unsigned i = 0; i < SIDES; i++)
		mourn(&sides[i]);
}

/* --- the file --- */

static mono_ns step(void *user, mono_ns now, wall_ms wall)
{
	struct side *s = user;
	mono_ns deadline = peer_step(&s->peer, now, wall);
	bool has_worked = false;
	struct job job;

	while (files_next_job(s->peer.rooms->files, &job)) {
		job.err = job.kind == JOB_FILING ? filing_run(&job) : ERR_NOT_FOUND;
		engine_job_done(s->peer.engine, &job);
		has_worked = true;
	}
	return has_worked ? now : deadline;
}

struct seen {
	enum transfer_state state;
	int error;
	char path[300];
};

static bool on_message(void *user, const struct message *m)
{
	struct seen *s = user;

	s->state = m->file.state;
	s->error = m->file.error;
	snprintf(s->path, sizeof s->path, "%.*s", (int)m->file.path.size,
		 (const char *)m->file.path.data);
	return true;
}

static struct seen see(const struct side *s)
{
	struct seen seen = { 0 };

	if (s->peer.engine)
		engine_history(s->peer.engine, other_of(s)->peer.name.text, 0, 100, on_message,
			       &seen);
	return seen;
}

static bool is_the_same(const char *path)
{
	char command[500];

	snprintf(command, sizeof command, "cmp -s '%s' '%s'", source, path);
	return system(command) == 0;
}

/* Whoever says at any moment that it is done has it, and in its place. */
static void judge_now(const char *when)
{
	struct seen theirs = see(&sides[1]);

	if (theirs.state == TRANSFER_DONE && !is_the_same(theirs.path))
		fail_msg("%s: what is done is another file: %s", when, theirs.path);
	if (theirs.state == TRANSFER_FAILED)
		fail_msg("%s: it failed: %s", when, error_name(theirs.error));
}

static void begin_story(struct side *s)
{
	disk_copy(s->first, (next_life(s, s->folder), s->folder));
	next_life(s, s->image);
	snprintf(s->downloads, sizeof s->downloads, "%.60s-files", s->first);
	memset(s->peer.counts, 0, sizeof s->peer.counts);
	s->peer.heard[0] = 0;
	s->peer.engine = NULL;
	s->peer.node = calm_net_add(&net, NULL, step, s);
}

static void end_story(struct side *s)
{
	switch_off(s);
	bad_disk_forget(s->folder);
	disk_remove(s->folder);
	bad_disk_forget(s->image);
	disk_remove(s->image);
	disk_remove(s->downloads);
}

/* Until it is said once: who was told that it could not be says it again. */
static void offer(const char *when)
{
	struct side *a = &sides[0];
	struct engine_file file = { .to = "bob", .path = source };
	uint64_t ticket = 1;

	while (see(a).state == 0) {
		if (ticket > 50)
			fail_msg("%s: it cannot be said", when);
		if (!a->peer.engine)
			switch_on(a);
		if (a->peer.engine)
			engine_send_file(a->peer.engine, &file, ticket);
		ticket++;
		pass(200 * MILLISECOND);
	}
}

static unsigned count_in(const char *folder)
{
	char command[300], line[300];
	unsigned count = 0;
	FILE *out;

	snprintf(command, sizeof command, "ls -A '%s' 2>/dev/null", folder);
	out = popen(command, "r");
	while (fgets(line, sizeof line, out))
		count++;
	pclose(out);
	return count;
}

static void close_story(struct side *s, const char *when)
{
	const struct bad_disk_plan well = { .fault = BAD_DISK_WELL };
	unsigned seconds = 0;

	bad_disk_plan(s->folder, &well);
	for (unsigned i = 0; i < SIDES; i++) {
		if (!sides[i].peer.engine)
			assert_true(switch_on(&sides[i]));
	}
	while (see(&sides[0]).state != TRANSFER_DONE || see(&sides[1]).state != TRANSFER_DONE) {
		if (seconds++ > SETTLE_S)
			fail_msg("%s: states %d and %d", when, see(&sides[0]).state,
				 see(&sides[1]).state);
		pass(SECOND);
		judge_now(when);
	}
	judge_now(when);
	/* Nothing else was left there, and nobody had it twice. */
	if (count_in(sides[1].downloads) != 1)
		fail_msg("%s: %u files", when, count_in(sides[1].downloads));
	for (unsigned i = 0; i < SIDES; i++)
		end_story(&sides[i]);
}

static void tell_story(struct side *s, const struct bad_disk_plan *plan, const char *when)
{
	calm_net_init(&net);
	for (unsigned i = 0; i < SIDES; i++)
		begin_story(&sides[i]);
	for (unsigned i = 0; i < SIDES; i++)
		assert_true(switch_on(&sides[i]));
	pass(SECOND);
	bad_disk_plan(s->folder, plan);
	offer(when);
	for (unsigned i = 0; i < 20; i++) {
		pass(100 * MILLISECOND);
		judge_now(when);
		/* Both begin anew in the middle. */
		if (i == 3 && plan->fault != BAD_DISK_POWER) {
			for (unsigned k = 0; k < SIDES; k++) {
				switch_off(&sides[k]);
				switch_on(&sides[k]);
			}
		}
	}
}

/* Each operation of these kinds is struck once, `count` of them in a story. */
static void strike_each(enum bad_disk_fault fault, unsigned operations, uint64_t count,
			const char *what)
{
	uint64_t stories = 0, struck;

	cuts = 0;
	for (unsigned i = 0; i < SIDES; i++) {
		struct side *s = &sides[i];

		struck = 1;
		for (uint64_t after = 0; struck > 0; after += count * bad_disk_stride()) {
			struct bad_disk_plan plan = { fault, operations, after,
						      count, s->image,   after + 1 };
			uint64_t cuts_before = cuts;
			char when[96];

			snprintf(when, sizeof when, "%s %llu of %s", what,
				 (unsigned long long)after, s->peer.name.text);
			tell_story(s, &plan, when);
			struck = fault == BAD_DISK_POWER ? cuts - cuts_before
							 : bad_disk_struck(s->folder);
			close_story(s, when);
			stories++;
		}
	}
	print_message("%llu stories, %llu power cuts\n", (unsigned long long)stories,
		      (unsigned long long)cuts);
}

static void a_full_disk_at_any_write_loses_no_file(void **state)
{
	(void)state;
	strike_each(BAD_DISK_FULL, BAD_DISK_WRITES, 1, "no room for write");
}

static void a_disk_that_is_full_for_a_while_loses_no_file(void **state)
{
	(void)state;
	strike_each(BAD_DISK_FULL, BAD_DISK_WRITES, 9, "no room for 9 writes from");
}

static void an_error_at_any_write_or_sync_loses_no_file(void **state)
{
	(void)state;
	strike_each(BAD_DISK_FAILS, BAD_DISK_WRITES | BAD_DISK_SYNCS, 1,
		    "failed write or sync");
}

static void a_power_cut_at_any_operation_loses_no_file(void **state)
{
	(void)state;
	strike_each(BAD_DISK_POWER, BAD_DISK_WRITES | BAD_DISK_SYNCS, 1, "power cut");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_disk_at_any_write_loses_no_file),
		cmocka_unit_test(a_disk_that_is_full_for_a_while_loses_no_file),
		cmocka_unit_test(an_error_at_any_write_or_sync_loses_no_file),
		cmocka_unit_test(a_power_cut_at_any_operation_loses_no_file),
	};

	if (sodium_init() < 0)
		return 1;
	log_init(LOG_ERROR, false);
	bad_disk_begin();
	return cmocka_run_group_tests(tests, make_homes, remove_homes);
}
