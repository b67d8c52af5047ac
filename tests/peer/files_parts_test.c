/* What has come of a file that nobody wants any more goes, whatever happens to the engine meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <sodium.h>
#include <string.h>

#include "peer/engine.h"
#include "peer/store.h"
#include "shared/db.h"
#include "shared/error.h"
#include "tests/town_files.h"

static unsigned parts_of(const struct home *home)
{
	DIR *dir = opendir(home->downloads);
	unsigned count = 0;

	for (struct dirent *entry; dir && (entry = readdir(dir));)
		count += strncmp(entry->d_name, ".palique-", 9) == 0;
	if (dir)
		closedir(dir);
	return count;
}

static unsigned remembered(struct home *home)
{
	struct statement *s = db_sql(engine_db(home->engine), "SELECT count(*) FROM dropped");
	unsigned count;

	assert_int_equal(db_step(s), 1);
	count = (unsigned)column_int(s, 0);
	db_done(s);
	return count;
}

/* Bob has a piece of a file of Alice's: its message there. */
static uint64_t fetch_a_piece(struct town *t, char path[200])
{
	struct home *a = &t->homes[0], *b = &t->homes[1];
	uint64_t theirs;

	befriend(t);
	make_file(t, "large.bin", LARGE, path);
	offer(t, a, "bob", path);
	theirs = heard(t, b);
	assert_int_equal(engine_accept_file(b->engine, theirs, NULL), 0);
	await_bytes(t, b, theirs, 1 << 20);
	assert_int_equal(parts_of(b), 1);
	return theirs;
}

static void assert_gone(struct town *t, struct home *home)
{
	calm_net_run(&t->net, 5 * SECOND, NULL, NULL);
	assert_int_equal(parts_of(home), 0);
	assert_int_equal(remembered(home), 0);
}

/* Bob wants it no more, and his engine ends before what came is gone. */
static void refuse_and_end(struct town *t, int (*refuse)(struct engine *e, uint64_t id))
{
	struct home *b = &t->homes[1];
	char path[200];
	uint64_t id = fetch_a_piece(t, path);

	assert_int_equal(refuse(b->engine, id), 0);
	stop_home(t, b);
	assert_int_equal(parts_of(b), 1);
	start_home(t, b);
	assert_gone(t, b);
}

static void what_came_goes_though_the_engine_ends_when_it_was_cancelled(void **state)
{
	refuse_and_end(*state, engine_cancel_file);
}

static void what_came_goes_though_the_engine_ends_when_its_message_was_deleted(void **state)
{
	refuse_and_end(*state, engine_forget_message);
}

static calm_net_step *step_of_home;

static mono_ns with_a_full_disk(void *user, mono_ns now, wall_ms wall)
{
	struct home *home = user;

	store_failed(engine_rooms(home->engine)->store, ERR_FULL);
	return step_of_home(user, now, wall);
}

static void what_came_goes_though_the_next_steps_cannot_be_stored(void **state)
{
	struct town *t = *state;
	struct home *b = &t->homes[1];
	struct calm_net_node *node = &t->net.nodes[b->node];
	char path[200];
	uint64_t id = fetch_a_piece(t, path);

	step_of_home = node->step;
	assert_int_equal(engine_cancel_file(b->engine, id), 0);
	node->step = with_a_full_disk;
	calm_net_run(&t->net, 5 * SECOND, NULL, NULL);
	node->step = step_of_home;
	assert_gone(t, b);
	assert_int_equal(see(b, id).state, TRANSFER_CANCELLED);
}

static void what_is_wanted_again_comes_and_leaves_nothing_behind(void **state)
{
	struct town *t = *state;
	struct home *b = &t->homes[1];
	char path[200];
	uint64_t id = fetch_a_piece(t, path);

	assert_int_equal(engine_cancel_file(b->engine, id), 0);
	stop_home(t, b);
	start_home(t, b);
	assert_int_equal(engine_accept_file(b->engine, id, NULL), 0);
	assert_int_equal(remembered(b), 0);
	await(t, b, id, TRANSFER_DONE);
	assert_true(are_equal(path, see(b, id).path));
	assert_gone(t, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TOWN(what_came_goes_though_the_engine_ends_when_it_was_cancelled),
		TOWN(what_came_goes_though_the_engine_ends_when_its_message_was_deleted),
		TOWN(what_came_goes_though_the_next_steps_cannot_be_stored),
		TOWN(what_is_wanted_again_comes_and_leaves_nothing_behind),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
