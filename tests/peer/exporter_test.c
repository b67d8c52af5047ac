/* The store of a running engine into an archive, on a loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/archive.h"
#include "peer/exporter.h"
#include "peer/store.h"
#include "shared/error.h"
#include "tests/scratch.h"

static const struct symmetric_key key = { "0123456789abcdef0123456789abcdef" };
static const struct bytes passphrase = { (const uint8_t *)"one", 3 };

static struct fixture {
	uv_loop_t loop;
	struct home home;
	struct engine *engine;
	struct exporter *exporter;
	char file[300], out[300], reason[512];
	unsigned answers;
	uint64_t ticket;
	int err;
} f;
static unsigned next_folder;

static void on_done(void *user, uint64_t ticket, int err, const char *detail)
{
	(void)user;
	assert_true(err == 0 || err == ERR_CLOSED ? !detail[0] : detail[0] != 0);
	f.answers++;
	f.ticket = ticket;
	f.err = err;
}

static int set_up(void **state)
{
	char folder[256], store[HOME_PATH_MAX];
	const struct engine_config engine = { .store = store, .key = &key };
	const struct exporter_config config = { .loop = &f.loop,
						.home = &f.home,
						.key = &key,
						.ksf = KSF_ARGON2ID_64M,
						.done = on_done };
	struct exporter_config with_engine = config;

	(void)state;
	memset(&f, 0, sizeof f);
	snprintf(folder, sizeof folder, "%s/%u", scratch, next_folder);
	snprintf(f.file, sizeof f.file, "%s/%u.palique", scratch, next_folder);
	snprintf(f.out, sizeof f.out, "%s/%u.out", scratch, next_folder++);
	assert_int_equal(home_find(&f.home, folder, f.reason, sizeof f.reason), 0);
	assert_int_equal(home_path(&f.home, "store.db", store), 0);
	assert_int_equal(
		engine_open(&f.engine, &engine, SECOND, 1000, f.reason, sizeof f.reason), 0);
	uv_loop_init(&f.loop);
	with_engine.engine = f.engine;
	f.exporter = exporter_new(&with_engine);
	return 0;
}

static void close_exporter(void)
{
	exporter_close(f.exporter);
	uv_run(&f.loop, UV_RUN_DEFAULT);
	exporter_free(f.exporter);
	f.exporter = NULL;
}

static int tear_down(void **state)
{
	(void)state;
	if (f.exporter)
		close_exporter();
	assert_int_equal(uv_loop_close(&f.loop), 0);
	engine_close(f.engine);
	return 0;
}

static int begin(const char *file, bool replace)
{
	f.reason[0] = '\0';
	return exporter_begin(f.exporter, file, passphrase, replace, 1000, 7, f.reason,
			      sizeof f.reason);
}

static bool has_copy(void)
{
	DIR *folder = opendir(f.home.folder);
	const struct dirent *entry;
	bool has = false;

	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL)
		has |= !strncmp(entry->d_name, "export.db", 9);
	closedir(folder);
	return has;
}

static const char *state_of(char out[32])
{
	struct json *status = json_object();

	exporter_status(f.exporter, status);
	snprintf(out, 32, "%s", json_text(status, "state"));
	json_free(status);
	return out;
}

static void a_running_engine_is_exported(void **state)
{
	struct symmetric_key found;
	struct store *store;
	char name[32];

	(void)state;
	assert_string_equal(state_of(name), "none");
	assert_int_equal(begin(f.file, false), 0);
	assert_string_equal(state_of(name), "copying");
	while (f.answers == 0)
		uv_run(&f.loop, UV_RUN_ONCE);
	assert_int_equal(f.err, 0);
	assert_int_equal(f.ticket, 7);
	assert_string_equal(state_of(name), "none");
	assert_false(has_copy());
	assert_int_equal(archive_read(f.file, passphrase, f.out, &found), 0);
	assert_memory_equal(&found, &key, sizeof key);
	assert_int_equal(store_open(&store, f.out, &found, false, f.reason, sizeof f.reason),
			 0);
	store_close(store);
}

static void it_waits_while_a_step_is_not_committed(void **state)
{
	struct db *db = engine_db(f.engine);
	char name[32];

	(void)state;
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(begin(f.file, false), 0);
	for (int i = 0; i < 5; i++)
		uv_run(&f.loop, UV_RUN_ONCE);
	assert_string_equal(state_of(name), "copying");
	assert_int_equal(db_commit(db), 0);
	while (f.answers == 0)
		uv_run(&f.loop, UV_RUN_ONCE);
	assert_int_equal(f.err, 0);
}

static void what_cannot_be_is_said_at_once(void **state)
{
	char inside[HOME_PATH_MAX + 32];
	int fd;

	(void)state;
	assert_int_equal(begin("relative.palique", false), ERR_FORMAT);
	assert_int_equal(begin("/", false), ERR_FORMAT);
	snprintf(inside, sizeof inside, "%s/copy", f.home.folder);
	assert_int_equal(begin(inside, false), ERR_REFUSED);
	snprintf(inside, sizeof inside, "%s/../%s/store.db", f.home.folder,
		 strrchr(f.home.folder, '/') + 1);
	assert_int_equal(begin(inside, true), ERR_REFUSED);
	fd = open(f.file, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(begin(f.file, false), ERR_EXISTS);
	assert_true(f.reason[0]);
	assert_int_equal(f.answers, 0);
	assert_int_equal(begin(f.file, true), 0);
	assert_int_equal(begin(f.file, true), ERR_BUSY);
}

static void a_folder_that_is_not_there_is_said_when_it_is_met(void **state)
{
	char nowhere[340];

	(void)state;
	snprintf(nowhere, sizeof nowhere, "%s.d/copy", f.file);
	assert_int_equal(begin(nowhere, false), 0);
	while (f.answers == 0)
		uv_run(&f.loop, UV_RUN_ONCE);
	assert_int_equal(f.err, ERR_NOT_FOUND);
	assert_false(has_copy());
}

/* At any moment: while it copies, and while a worker seals. */
static void an_engine_that_ends_gives_it_up_and_leaves_nothing(void **state)
{
	char name[32];

	(void)state;
	assert_int_equal(begin(f.file, false), 0);
	close_exporter();
	assert_int_equal(f.answers, 1);
	assert_int_equal(f.err, ERR_CLOSED);
	assert_false(has_copy());
	assert_int_equal(access(f.file, F_OK), -1);

	assert_int_equal(tear_down(NULL), 0);
	assert_int_equal(set_up(NULL), 0);
	assert_int_equal(begin(f.file, false), 0);
	while (!f.answers && strcmp(state_of(name), "sealing") != 0)
		uv_run(&f.loop, UV_RUN_NOWAIT);
	close_exporter();
	assert_int_equal(f.answers, 1);
	assert_false(has_copy());
	assert_true(f.err == 0 || access(f.file, F_OK) < 0);
}

static void what_a_crash_left_is_removed_at_the_next_start(void **state)
{
	char path[HOME_PATH_MAX];
	const struct exporter_config config = { .loop = &f.loop,
						.engine = f.engine,
						.home = &f.home,
						.key = &key,
						.done = on_done };
	int fd;

	(void)state;
	close_exporter();
	assert_int_equal(home_path(&f.home, "export.db.new-0123456789abcdef", path), 0);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_true(has_copy());
	f.exporter = exporter_new(&config);
	assert_false(has_copy());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_running_engine_is_exported),
		TEST(it_waits_while_a_step_is_not_committed),
		TEST(what_cannot_be_is_said_at_once),
		TEST(a_folder_that_is_not_there_is_said_when_it_is_met),
		TEST(an_engine_that_ends_gives_it_up_and_leaves_nothing),
		TEST(what_a_crash_left_is_removed_at_the_next_start),
	};

	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
