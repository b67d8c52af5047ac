/* A file is fetched while the store of one side is spoilt: at each of its operations in turn there is no
 * room, or an error comes back, or the power goes. It arrives whole all the same, once, and is called
 * whole by nobody before it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/log.h"
#include "tests/scratch.h"
#include "tests/spoilt.h"

enum { SIZE = 1300000, SETTLE_S = 900 };

static char source[96]; /* the file; the first side has it */

static void write_source(void)
{
	uint8_t *contents = memory_new(SIZE), seed[randombytes_SEEDBYTES] = { 7 };
	FILE *file;

	randombytes_buf_deterministic(contents, SIZE, seed);
	snprintf(source, sizeof source, "%s/source.bin", homes);
	file = fopen(source, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(contents, 1, SIZE, file), SIZE);
	fclose(file);
	free(contents);
}

static int begin(void **state)
{
	int failed = make_homes(state);

	if (!failed)
		write_source();
	return failed;
}

static int end(void **state)
{
	unlink(source);
	return remove_homes(state);
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
		spoilt_pass(200 * MILLISECOND);
	}
}

static void close_story(struct side *s, const char *when)
{
	unsigned seconds = 0;

	(void)s;
	while (see(&sides[0]).state != TRANSFER_DONE || see(&sides[1]).state != TRANSFER_DONE) {
		if (seconds++ > SETTLE_S)
			fail_msg("%s: states %d and %d", when, see(&sides[0]).state,
				 see(&sides[1]).state);
		spoilt_pass(SECOND);
		judge_now(when);
	}
	judge_now(when);
	/* Nothing else was left there, and nobody had it twice. */
	if (count_in(sides[1].downloads) != 1)
		fail_msg("%s: %u files", when, count_in(sides[1].downloads));
}

static void tell_story(struct side *s, const struct bad_disk_plan *plan, const char *when)
{
	for (unsigned i = 0; i < SIDES; i++)
		assert_true(switch_on(&sides[i]));
	spoilt_pass(SECOND);
	bad_disk_plan(s->folder, plan);
	offer(when);
	for (unsigned i = 0; i < 20; i++) {
		spoilt_pass(100 * MILLISECOND);
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

static void strike(enum bad_disk_fault fault, unsigned operations, uint64_t count,
		   const char *what)
{
	static const struct story story = { .leaps = true,
					    .tell = tell_story,
					    .close = close_story };
	uint64_t stories = strike_each(&story, fault, operations, count, what);

	print_message("%llu stories, %llu power cuts\n", (unsigned long long)stories,
		      (unsigned long long)cuts);
}

static void a_full_disk_at_any_write_loses_no_file(void **state)
{
	(void)state;
	strike(BAD_DISK_FULL, BAD_DISK_WRITES, 1, "no room for write");
}

static void a_disk_that_is_full_for_a_while_loses_no_file(void **state)
{
	(void)state;
	strike(BAD_DISK_FULL, BAD_DISK_WRITES, 9, "no room for 9 writes from");
}

static void an_error_at_any_write_or_sync_loses_no_file(void **state)
{
	(void)state;
	strike(BAD_DISK_FAILS, BAD_DISK_WRITES | BAD_DISK_SYNCS, 1, "failed write or sync");
}

static void a_power_cut_at_any_operation_loses_no_file(void **state)
{
	(void)state;
	strike(BAD_DISK_POWER, BAD_DISK_WRITES | BAD_DISK_SYNCS, 1, "power cut");
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
	return cmocka_run_group_tests(tests, begin, end);
}
