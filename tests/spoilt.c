#include "tests/spoilt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/files.h"
#include "peer/filing.h"
#include "shared/error.h"
#include "shared/job.h"
#include "tests/world/disk.h"

#define WALL ((wall_ms)1700000000000)

struct side sides[SIDES];
struct calm_net spoilt_net;
char homes[64];
uint64_t cuts;

struct side *other_of(const struct side *s)
{
	return s == sides ? sides + 1 : sides;
}

/* --- homes and their disks --- */

static void make_home(struct side *s, const char *name)
{
	struct peer *p = &s->peer;
	char store[sizeof p->path];

	snprintf(s->first, sizeof s->first, "%.40s/%s", homes, name);
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

int make_homes(void **state)
{
	(void)state;
	snprintf(homes, sizeof homes, "/tmp/palique-faults-XXXXXX");
	if (!mkdtemp(homes))
		return 1;
	make_home(&sides[0], "alice");
	make_home(&sides[1], "bob");
	meet(&sides[0]);
	meet(&sides[1]);
	return 0;
}

int remove_homes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SIDES; i++) {
		disk_remove(sides[i].first);
		disk_remove(sides[i].downloads);
		identity_wipe(&sides[i].peer.identity);
		device_wipe(&sides[i].peer.device);
	}
	rmdir(homes);
	return 0;
}

static void next_life(struct side *s, char out[96])
{
	snprintf(out, 96, "%.60s-%u", s->first, ++s->lives);
}

static void show(struct side *to, const struct side *who)
{
	if (to->peer.engine)
		peer_tell_presence(&to->peer, &who->peer,
				   &spoilt_net.nodes[who->peer.node].address,
				   who->peer.engine != NULL);
}

bool switch_on(struct side *s)
{
	struct peer *p = &s->peer;
	struct engine_config config = { .store = p->path,
					.device_label = "test",
					.durable = true,
					.downloads = s->downloads };
	char reason[256] = "";
	int err;

	snprintf(p->path, sizeof p->path, "%.50s/store.db", s->folder);
	err = engine_open(&p->engine, &config, spoilt_net.now, spoilt_net.wall, reason,
			  sizeof reason);
	if (err < 0) {
		p->engine = NULL;
		if (err != ERR_FULL && err != ERR_IO && err != ERR_LOCKED)
			fail_msg("%s: %s", error_name(err), reason);
		assert_string_not_equal(reason, "");
		return false;
	}
	p->rooms = engine_rooms(p->engine);
	spoilt_net.nodes[p->node].endpoint = engine_endpoint(p->engine);
	show(s, other_of(s));
	show(other_of(s), s);
	return true;
}

void switch_off(struct side *s)
{
	spoilt_net.nodes[s->peer.node].endpoint = NULL;
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

void spoilt_pass(mono_ns length)
{
	calm_net_run(&spoilt_net, length, NULL, NULL);
	for (unsigned i = 0; i < SIDES; i++)
		mourn(&sides[i]);
}

/* --- stories --- */

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

static void begin_story(struct side *s)
{
	disk_copy(s->first, (next_life(s, s->folder), s->folder));
	next_life(s, s->image);
	snprintf(s->downloads, sizeof s->downloads, "%.60s-files", s->first);
	memset(s->peer.counts, 0, sizeof s->peer.counts);
	s->peer.heard[0] = 0;
	s->peer.engine = NULL;
	s->peer.node = calm_net_add(&spoilt_net, NULL, step, s);
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

uint64_t strike_each(const struct story *story, enum bad_disk_fault fault, unsigned operations,
		     uint64_t count, const char *what)
{
	const struct bad_disk_plan well = { .fault = BAD_DISK_WELL };
	const uint64_t stride = bad_disk_stride() * (story->leaps ? count : 1);
	uint64_t stories = 0, struck;

	cuts = 0;
	for (struct side *s = sides; s < sides + SIDES; s++) {
		struck = 1;
		for (uint64_t after = 0; struck > 0; after += stride) {
			struct bad_disk_plan plan = { fault, operations, after,
						      count, s->image,   after + 1 };
			uint64_t cuts_before = cuts;
			char when[96];

			snprintf(when, sizeof when, "%s %llu of %s", what,
				 (unsigned long long)after, s->peer.name.text);
			calm_net_init(&spoilt_net);
			for (unsigned i = 0; i < SIDES; i++)
				begin_story(&sides[i]);
			story->tell(s, &plan, when);
			struck = fault == BAD_DISK_POWER ? cuts - cuts_before
							 : bad_disk_struck(s->folder);
			bad_disk_plan(s->folder, &well);
			for (unsigned i = 0; i < SIDES; i++) {
				if (!sides[i].peer.engine)
					assert_true(switch_on(&sides[i]));
			}
			story->close(s, when);
			for (unsigned i = 0; i < SIDES; i++)
				end_story(&sides[i]);
			stories++;
		}
	}
	return stories;
}
