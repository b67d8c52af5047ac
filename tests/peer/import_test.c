/* An account that comes in: into an empty home whole, into any other not at all. */
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
#include <sys/wait.h>
#include <unistd.h>

#include "peer/archive.h"
#include "peer/event.h"
#include "peer/import.h"
#include "peer/store.h"
#include "peer/store_key.h"
#include "shared/error.h"
#include "tests/scratch.h"

static struct home from, home; /* the account's, and the one it comes to */
static char file[300], reason[1024];
static unsigned next_folder;

static const char an_account[] = "INSERT INTO account(one, standing, name, identity_secret, "
				 "device_public, device_secret,"
				 " knock) VALUES(1, 2, 'ana', x'01', x'02', x'03', x'04')";
static const char nobody[] =
	"INSERT INTO account(one, standing, device_public, device_secret, knock)"
	" VALUES(1, 0, x'02', x'03', x'04')";
static const char a_message[] =
	"INSERT INTO message(contact, chain, seq, is_ours, sent_at, arrived_at, kind, reply_to,"
	" body) VALUES(1, 1, 1, 1, 1, 1, 1, 0, x'61')";

static const char *path_of(const struct home *h, const char *name)
{
	static char paths[2][HOME_PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 2];

	assert_int_equal(home_path(h, name, path), 0);
	return path;
}

static bool exists(const char *name)
{
	return access(path_of(&home, name), F_OK) == 0;
}

/* A home with a store in which `sql` was done. */
static void make(const struct home *h, const char *sql)
{
	struct symmetric_key key;
	struct store *store;

	assert_int_equal(store_key_open(h, bytes_of(NULL, 0), &key, reason, sizeof reason), 0);
	assert_int_equal(
		store_open(&store, path_of(h, "store.db"), &key, false, reason, sizeof reason),
		0);
	store_write(store);
	assert_int_equal(db_exec(store_db(store), sql), 0);
	assert_int_equal(store_commit(store), 0);
	store_close(store);
	assert_int_equal(store_key_store_is_made(h), 0);
}

static void export(void)
{
	struct symmetric_key key;
	const struct archive_order order = {
		.file = file,
		.replace = true,
		.passphrase = bytes_text("one"),
		.ksf = KSF_ARGON2ID_64M,
		.store_key = &key,
		.store = path_of(&from, "store.db"),
	};

	assert_int_equal(store_key_open(&from, bytes_of(NULL, 0), &key, reason, sizeof reason),
			 0);
	assert_int_equal(archive_write(&order), 0);
}

static int fresh(void **state)
{
	char folder[256];

	(void)state;
	snprintf(folder, sizeof folder, "%s/%u", scratch, next_folder);
	assert_int_equal(home_find(&from, folder, reason, sizeof reason), 0);
	snprintf(folder, sizeof folder, "%s/%u-to", scratch, next_folder);
	assert_int_equal(home_find(&home, folder, reason, sizeof reason), 0);
	snprintf(file, sizeof file, "%s/%u.palique", scratch, next_folder++);
	make(&from, an_account);
	export();
	return 0;
}

static int import(const char *passphrase)
{
	reason[0] = '\0';
	return import_account(&home, file, bytes_text(passphrase), reason, sizeof reason);
}

/* The one row that says whose store it is; "" for nobody's. */
static void assert_account(const char *name)
{
	struct symmetric_key key;
	struct store *store;
	struct statement *s;

	assert_int_equal(store_key_open(&home, bytes_of(NULL, 0), &key, reason, sizeof reason),
			 0);
	assert_int_equal(store_open(&store, path_of(&home, "store.db"), &key, true, reason,
				    sizeof reason),
			 0);
	s = db_sql(store_db(store), "SELECT name FROM account");
	assert_int_equal(db_step(s), 1);
	assert_string_equal(column_text(s, 0), name);
	db_done(s);
	store_close(store);
}

/* Everything in the home but its lock, as one number. */
static uint64_t contents(void)
{
	static uint8_t bytes[1 << 20];
	DIR *all = opendir(home.folder);
	const struct dirent *entry;
	uint64_t sum = 0, one;

	assert_non_null(all);
	while ((entry = readdir(all)) != NULL) {
		crypto_generichash_state hash;
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "lock"))
			continue;
		int fd = open(path_of(&home, entry->d_name), O_RDONLY);
		assert_true(fd >= 0);
		ssize_t size = read(fd, bytes, sizeof bytes);
		assert_true(size >= 0);
		close(fd);
		crypto_generichash_init(&hash, NULL, 0, sizeof one);
		crypto_generichash_update(&hash, (const uint8_t *)entry->d_name,
					  strlen(entry->d_name));
		crypto_generichash_update(&hash, bytes, (size_t)size);
		crypto_generichash_final(&hash, (uint8_t *)&one, sizeof one);
		sum += one; /* the order of names does not matter */
	}
	closedir(all);
	return sum;
}

static void assert_refused(const char *passphrase, int err)
{
	uint64_t before = contents();

	assert_int_equal(import(passphrase), err);
	assert_true(reason[0]);
	assert_true(contents() == before);
}

static void an_account_comes_into_a_new_home(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(import("one"), 0);
	assert_account("ana");
	assert_int_equal(stat(path_of(&home, "store.db"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(path_of(&home, "store.key"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_false(exists("store.key.import"));
	assert_false(exists("store.db.import"));
	assert_true(exists("store.made"));
}

static void a_home_that_is_nobodys_yet_makes_room(void **state)
{
	(void)state;
	make(&home, nobody);
	assert_int_equal(import("one"), 0);
	assert_account("ana");
}

static void a_home_with_an_account_stays_as_it_is(void **state)
{
	(void)state;
	make(&home, an_account);
	assert_refused("one", ERR_EXISTS);
	assert_non_null(strstr(reason, "OTHER-FOLDER"));
}

static void a_home_with_a_history_stays_as_it_is(void **state)
{
	(void)state;
	make(&home, a_message);
	assert_refused("one", ERR_EXISTS);
}

static void a_locked_home_stays_as_it_is(void **state)
{
	(void)state;
	make(&home, nobody);
	assert_int_equal(
		store_key_lock(&home, bytes_text("x"), KSF_ARGON2ID_64M, reason, sizeof reason),
		0);
	assert_refused("one", ERR_EXISTS);
}

static void a_wrong_passphrase_changes_nothing(void **state)
{
	(void)state;
	assert_refused("two", ERR_AUTH);
	make(&home, nobody);
	assert_refused("two", ERR_AUTH);
	assert_account("");
}

static void a_file_cut_short_changes_nothing(void **state)
{
	struct stat st;

	(void)state;
	make(&home, nobody);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(truncate(file, st.st_size - 1), 0);
	assert_refused("one", ERR_CORRUPT);
}

static void a_store_of_a_newer_program_changes_nothing(void **state)
{
	(void)state;
	make(&from, "PRAGMA user_version=1000");
	export();
	assert_refused("one", ERR_VERSION);
	assert_non_null(strstr(reason, "newer version"));
}

static void a_file_without_an_account_changes_nothing(void **state)
{
	(void)state;
	make(&from, "DELETE FROM account");
	export();
	assert_refused("one", ERR_NOT_FOUND);
}

static void a_home_in_use_is_left_alone(void **state)
{
	int lock, status;
	pid_t child;

	(void)state;
	lock = home_lock(&home, 0);
	assert_true(lock >= 0);
	child = fork();
	if (child == 0)
		_exit(import("one") == ERR_LOCKED && strstr(reason, "palique stop") ? 0 : 1);
	assert_true(waitpid(child, &status, 0) == child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(lock);
	assert_false(exists("store.db"));
}

/* The key of a store that is gone is kept: the store may turn up again. */
static void a_lost_store_gives_way_but_its_key_is_kept(void **state)
{
	(void)state;
	make(&home, an_account);
	assert_int_equal(unlink(path_of(&home, "store.db")), 0);
	assert_int_equal(import("one"), 0);
	assert_account("ana");
	assert_true(exists("store.key.old"));
}

/* What a crash leaves at each point; then the engine starts. */
static void a_crash_before_the_end_leaves_the_home_as_it_was(void **state)
{
	uint64_t before;

	(void)state;
	make(&home, nobody);
	before = contents();
	assert_int_equal(link(file, path_of(&home, "store.db.import")), 0);
	assert_int_equal(link(file, path_of(&home, "store.db.import-wal")), 0);
	assert_int_equal(link(file, path_of(&home, "store.key.import.new")), 0);
	assert_int_equal(import_settle(&home, reason, sizeof reason), 0);
	assert_true(contents() == before);
}

/* Copies a file of the account's home under another name. */
static void bring(const char *name, const char *as)
{
	char command[4 * HOME_PATH_MAX];

	snprintf(command, sizeof command, "cp '%s/%s' '%s/%s'", from.folder, name, home.folder,
		 as);
	assert_int_equal(system(command), 0);
}

static void a_crash_behind_the_decision_is_finished_at_the_next_start(void **state)
{
	(void)state;
	make(&home, nobody);
	bring("store.db", "store.db.import");
	bring("store.key", "store.key.import");
	bring("store.key", "store.db-wal"); /* of the old store: not to be read into the new */
	assert_int_equal(import_settle(&home, reason, sizeof reason), 0);
	assert_false(exists("store.db-wal"));
	assert_account("ana");
	assert_false(exists("store.key.import"));

	assert_int_equal(fresh(NULL), 0);
	make(&home, nobody);
	bring("store.db", "store.db"); /* and one step later */
	bring("store.key", "store.key.import");
	assert_int_equal(import_settle(&home, reason, sizeof reason), 0);
	assert_account("ana");
}

/* Of one column of one row of the home's store. */
static const char *text_of(const char *sql)
{
	static char text[HOME_PATH_MAX];
	struct symmetric_key key;
	struct store *store;
	struct statement *s;

	assert_int_equal(store_key_open(&home, bytes_of(NULL, 0), &key, reason, sizeof reason),
			 0);
	assert_int_equal(store_open(&store, path_of(&home, "store.db"), &key, true, reason,
				    sizeof reason),
			 0);
	s = db_sql(store_db(store), sql);
	snprintf(text, sizeof text, "%s", db_step(s) == 1 ? column_text(s, 0) : "none");
	db_done(s);
	store_close(store);
	return text;
}

static void files_on_their_way_go_to_folders_of_this_machine(void **state)
{
	char sql[2048], usual[HOME_PATH_MAX];

	(void)state;
	assert_int_equal(home_downloads(&home, usual), 0);
	snprintf(sql, sizeof sql,
		 "INSERT INTO setting(name, value) VALUES('downloads', '/not/here');"
		 "INSERT INTO file(id, message, contact, is_ours, state, size, changed_at, "
		 "folder)"
		 " VALUES(x'01', 1, 1, 0, %d, 9, 1, '/not/there'),"
		 " (x'02', 2, 1, 0, %d, 9, 1, '/not/here'),"
		 " (x'03', 3, 1, 0, %d, 9, 1, '%s'), (x'04', 4, 1, 0, %d, 9, 1, '/not/there')",
		 TRANSFER_PAUSED, TRANSFER_WAITING, TRANSFER_WAITING, scratch, TRANSFER_DONE);
	make(&from, sql);
	export();
	assert_int_equal(import("one"), 0);
	assert_string_equal(text_of("SELECT folder FROM file WHERE id = x'01'"), usual);
	assert_string_equal(text_of("SELECT folder FROM file WHERE id = x'02'"), usual);
	assert_string_equal(text_of("SELECT folder FROM file WHERE id = x'03'"), scratch);
	assert_string_equal(text_of("SELECT folder FROM file WHERE id = x'04'"), "/not/there");
	assert_string_equal(text_of("SELECT value FROM setting WHERE name = 'downloads'"),
			    "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(files_on_their_way_go_to_folders_of_this_machine, fresh),
		cmocka_unit_test_setup(an_account_comes_into_a_new_home, fresh),
		cmocka_unit_test_setup(a_home_that_is_nobodys_yet_makes_room, fresh),
		cmocka_unit_test_setup(a_home_with_an_account_stays_as_it_is, fresh),
		cmocka_unit_test_setup(a_home_with_a_history_stays_as_it_is, fresh),
		cmocka_unit_test_setup(a_locked_home_stays_as_it_is, fresh),
		cmocka_unit_test_setup(a_wrong_passphrase_changes_nothing, fresh),
		cmocka_unit_test_setup(a_file_cut_short_changes_nothing, fresh),
		cmocka_unit_test_setup(a_store_of_a_newer_program_changes_nothing, fresh),
		cmocka_unit_test_setup(a_file_without_an_account_changes_nothing, fresh),
		cmocka_unit_test_setup(a_home_in_use_is_left_alone, fresh),
		cmocka_unit_test_setup(a_lost_store_gives_way_but_its_key_is_kept, fresh),
		cmocka_unit_test_setup(a_crash_before_the_end_leaves_the_home_as_it_was, fresh),
		cmocka_unit_test_setup(
			a_crash_behind_the_decision_is_finished_at_the_next_start, fresh),
	};

	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
