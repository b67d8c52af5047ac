/* Two engines talk while the disk of one is spoilt: at each of its operations in turn the power
 * goes, there is no room, or an error comes back. Whatever was answered or shown before is there
 * afterwards, and nothing is there twice. */
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

#include "shared/error.h"
#include "shared/log.h"
#include "tests/bad_disk.h"
#include "tests/peer_fixture.h"
#include "tests/world/disk.h"

#define WALL ((wall_ms)1700000000000)

enum { TEXTS = 8, SIDES = 2, SETTLE_S = 600, TEXT_SIZE = NAME_MAX + 12 };

enum fate { UNSAID, UNANSWERED, ACCEPTED, REFUSED };

struct side {
	struct peer peer;
	char first[64], folder[96], image[96];
	unsigned lives;
	enum fate fates[TEXTS];
	bool is_off; /* it could not be opened */
};

static char root[64];
static struct calm_net net;
static struct side sides[SIDES];
static uint64_t cuts, starts_refused;

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
	return 0;
}

static int remove_homes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SIDES; i++) {
		disk_remove(sides[i].first);
		identity_wipe(&sides[i].peer.identity);
		device_wipe(&sides[i].peer.device);
	}
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

/* Its engine is a node of the net from now on; false: the disk does not let it. */
static bool switch_on(struct side *s)
{
	struct peer *p = &s->peer;
	struct engine_config config = { .store = p->path,
					.device_label = "test",
					.durable = true };
	char reason[256] = "";
	int err;

	snprintf(p->path, sizeof p->path, "%.50s/store.db", s->folder);
	err = engine_open(&p->engine, &config, net.now, net.wall, reason, sizeof reason);
	s->is_off = err < 0;
	if (err < 0) {
		p->engine = NULL;
		if (err != ERR_FULL && err != ERR_IO && err != ERR_LOCKED)
			fail_msg("%s: %s", error_name(err), reason);
		assert_string_not_equal(reason, "");
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

/* --- what is said --- */

static void text_of(const struct side *s, unsigned n, char out[TEXT_SIZE])
{
	snprintf(out, TEXT_SIZE, "%s%u.", s->peer.name.text, n);
}

static void say(struct side *s, unsigned n)
{
	struct peer *p = &s->peer;
	unsigned before = p->counts[EVENT_ANSWER];
	uint64_t cuts_before = cuts;
	char text[TEXT_SIZE];

	text_of(s, n, text);
	if (!p->engine)
		return;
	s->fates[n] = UNANSWERED;
	if (engine_send(p->engine, other_of(s)->peer.name.text, bytes_text(text), 0, n + 1) < 0)
		s->fates[n] = REFUSED;
	pass(20 * MILLISECOND);
	if (p->counts[EVENT_ANSWER] > before && p->last[EVENT_ANSWER].ticket == n + 1)
		s->fates[n] = p->last[EVENT_ANSWER].error == 0 ? ACCEPTED : REFUSED;
	/* Nobody read that it was refused: it may be on the disk as the power found it. */
	if (s->fates[n] == REFUSED && cuts > cuts_before)
		s->fates[n] = UNANSWERED;
}

struct told {
	char text[4096];
};

static bool note(void *user, const struct message *m)
{
	struct told *told = user;
	size_t used = strlen(told->text) + 1;

	/* Told newest first. */
	assert_in_range(used + m->text.size, 0, sizeof told->text);
	memmove(told->text + m->text.size, told->text, used);
	memcpy(told->text, m->text.data, m->text.size);
	return true;
}

static unsigned times(const char *in, const char *text)
{
	unsigned count = 0;

	for (const char *at = in; (at = strstr(at, text)) != NULL; at++)
		count++;
	return count;
}

/* What `author` said stands in this history in its order, each text once, none that was refused. */
static void judge(const struct side *author, const char *history, const char *where)
{
	const char *last = history;

	for (unsigned n = 0; n < TEXTS; n++) {
		char text[TEXT_SIZE];
		unsigned count;

		text_of(author, n, text);
		count = times(history, text);
		if (count > 1 || (author->fates[n] == ACCEPTED && count != 1) ||
		    ((author->fates[n] == REFUSED || author->fates[n] == UNSAID) && count != 0))
			fail_msg("%s: %s is there %u times (fate %d): %s", where, text, count,
				 (int)author->fates[n], history);
		if (count == 1 && strstr(history, text) < last)
			fail_msg("%s: %s is not in its order: %s", where, text, history);
		if (count == 1)
			last = strstr(history, text);
	}
}

static bool is_settled(void *user)
{
	(void)user;
	for (unsigned i = 0; i < SIDES; i++) {
		struct contact c;

		if (!sides[i].peer.engine ||
		    engine_contact(sides[i].peer.engine, other_of(&sides[i])->peer.name.text,
				   &c) < 0 ||
		    c.queued > 0)
			return false;
	}
	return true;
}

static void judge_all(const char *when)
{
	struct told histories[SIDES] = { 0 };

	if (!calm_net_run(&net, SETTLE_S * SECOND, is_settled, NULL))
		fail_msg("%s: something is still owed", when);
	for (unsigned i = 0; i < SIDES; i++) {
		const struct side *s = &sides[i];

		assert_int_equal(engine_history(s->peer.engine, other_of(s)->peer.name.text, 0,
						100, note, &histories[i]),
				 0);
	}
	for (unsigned i = 0; i < SIDES; i++) {
		const struct side *s = &sides[i];
		const char *mine = histories[i].text, *theirs = histories[1 - i].text;

		judge(s, mine, when);
		judge(s, theirs, when);
		for (unsigned n = 0; n < TEXTS; n++) {
			char text[TEXT_SIZE];

			text_of(s, n, text);
			if (times(mine, text) != times(theirs, text))
				fail_msg("%s: %s is on one side alone", when, text);
			/* Shown: never twice, and never what was lost. */
			if (times(other_of(s)->peer.heard, text) > times(theirs, text))
				fail_msg("%s: %s was shown %u times", when, text,
					 times(other_of(s)->peer.heard, text));
		}
	}
}

/* --- one story, with the disk of `side` spoilt --- */

static void begin_story(struct side *s)
{
	disk_copy(s->first, (next_life(s, s->folder), s->folder));
	next_life(s, s->image);
	memset(s->fates, 0, sizeof s->fates);
	memset(s->peer.counts, 0, sizeof s->peer.counts);
	s->peer.heard[0] = 0;
	s->peer.engine = NULL;
	s->peer.node = calm_net_add(&net, NULL, peer_step, &s->peer);
}

static void end_story(struct side *s)
{
	switch_off(s);
	bad_disk_forget(s->folder);
	disk_remove(s->folder);
	bad_disk_forget(s->image);
	disk_remove(s->image);
}

/* Who could not be opened is tried again once its disk is well, as who is annoyed would. */
static void tell_story(struct side *s, const struct bad_disk_plan *plan)
{
	calm_net_init(&net);
	for (unsigned i = 0; i < SIDES; i++)
		begin_story(&sides[i]);
	bad_disk_plan(s->folder, plan);
	for (unsigned i = 0; i < SIDES; i++) {
		if (!switch_on(&sides[i]))
			starts_refused++;
		mourn(&sides[i]);
	}
	for (unsigned n = 0; n < TEXTS; n++) {
		if (!s->peer.engine)
			switch_on(s);
		say(&sides[n % 2], n);
		say(&sides[1 - n % 2], n);
		if (n == TEXTS / 2 && plan->fault != BAD_DISK_POWER) {
			switch_off(s);
			switch_on(s);
		}
		pass(300 * MILLISECOND);
	}
}

static void close_story(struct side *s, const char *when)
{
	const struct bad_disk_plan well = { .fault = BAD_DISK_WELL };

	bad_disk_plan(s->folder, &well);
	if (!s->peer.engine)
		assert_true(switch_on(s));
	judge_all(when);
	for (unsigned i = 0; i < SIDES; i++)
		end_story(&sides[i]);
}

/* Each operation of these kinds is struck once, in a story of its own. */
static void strike_each(enum bad_disk_fault fault, unsigned operations, uint64_t count,
			const char *what)
{
	uint64_t stories = 0, struck = 1, refused = 0;

	cuts = starts_refused = 0;
	for (unsigned i = 0; i < SIDES; i++) {
		struct side *s = &sides[i];

		struck = 1;
		for (uint64_t after = 0; struck > 0; after += bad_disk_stride()) {
			struct bad_disk_plan plan = { fault, operations, after,
						      count, s->image,   after + 1 };
			char when[96];
			uint64_t cuts_before = cuts;

			snprintf(when, sizeof when, "%s %llu of %s", what,
				 (unsigned long long)after, s->peer.name.text);
			tell_story(s, &plan);
			struck = fault == BAD_DISK_POWER ? cuts - cuts_before
							 : bad_disk_struck(s->folder);
			for (unsigned n = 0; n < TEXTS; n++)
				refused += s->fates[n] == REFUSED;
			close_story(s, when);
			stories++;
		}
	}
	print_message(
		"%llu stories, %llu power cuts, %llu starts refused, %llu texts refused\n",
		(unsigned long long)stories, (unsigned long long)cuts,
		(unsigned long long)starts_refused, (unsigned long long)refused);
}

static void a_power_cut_at_any_operation_loses_nothing_that_was_answered(void **state)
{
	(void)state;
	strike_each(BAD_DISK_POWER, BAD_DISK_WRITES | BAD_DISK_SYNCS, 1, "power cut");
}

static void a_full_disk_at_any_write_loses_nothing_that_was_answered(void **state)
{
	(void)state;
	strike_each(BAD_DISK_FULL, BAD_DISK_WRITES, 1, "no room for write");
}

static void a_disk_that_is_full_for_a_while_loses_nothing_that_was_answered(void **state)
{
	(void)state;
	strike_each(BAD_DISK_FULL, BAD_DISK_WRITES, 9, "no room for 9 writes from");
}

static void an_error_at_any_write_or_sync_loses_nothing_that_was_answered(void **state)
{
	(void)state;
	strike_each(BAD_DISK_FAILS, BAD_DISK_WRITES | BAD_DISK_SYNCS, 1,
		    "failed write or sync");
}

static void an_error_at_any_read_loses_nothing_that_was_answered(void **state)
{
	(void)state;
	bad_disk_read_often(true);
	strike_each(BAD_DISK_FAILS, BAD_DISK_READS, 1, "failed read");
	strike_each(BAD_DISK_FAILS, BAD_DISK_READS, 9, "nine failed reads from");
	bad_disk_read_often(false);
}

static void who_finds_the_store_locked_says_so_and_loses_nothing(void **state)
{
	(void)state;
	strike_each(BAD_DISK_LOCKED, BAD_DISK_LOCKS, 1, "lock");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_cut_at_any_operation_loses_nothing_that_was_answered),
		cmocka_unit_test(a_full_disk_at_any_write_loses_nothing_that_was_answered),
		cmocka_unit_test(
			a_disk_that_is_full_for_a_while_loses_nothing_that_was_answered),
		cmocka_unit_test(an_error_at_any_write_or_sync_loses_nothing_that_was_answered),
		cmocka_unit_test(an_error_at_any_read_loses_nothing_that_was_answered),
		cmocka_unit_test(who_finds_the_store_locked_says_so_and_loses_nothing),
	};

	if (sodium_init() < 0)
		return 1;
	log_init(LOG_ERROR, false);
	bad_disk_begin();
	return cmocka_run_group_tests(tests, make_homes, remove_homes);
}
