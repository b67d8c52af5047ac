/* db, the same suite over a plain and a sealed file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/db.h"
#include "shared/error.h"

static const char *const first[] = {
	"CREATE TABLE note(id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB);",
};
static const char *const second[] = {
	"CREATE TABLE note(id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB);",
	"ALTER TABLE note ADD COLUMN stars INTEGER NOT NULL DEFAULT 3;"
	"CREATE TABLE tag(note INTEGER REFERENCES note(id), word TEXT);",
};
static const char *const broken[] = {
	"CREATE TABLE note(id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB);",
	"CREATE TABLE half(a); CREATE TABLE note(a);",
};

static const struct symmetric_key key = { "0123456789abcdef0123456789abcdef" };

struct place {
	char folder[64], path[96], other[96];
	struct db_config config;
};

static int set_up(void **state, bool is_sealed)
{
	struct place *p = calloc(1, sizeof *p);

	snprintf(p->folder, sizeof p->folder, "/tmp/palique-db-XXXXXX");
	if (!p || !mkdtemp(p->folder))
		return -1;
	snprintf(p->path, sizeof p->path, "%s/a b%%?.db", p->folder);
	snprintf(p->other, sizeof p->other, "%s/copy.db", p->folder);
	p->config = (struct db_config){ .path = p->path, .key = is_sealed ? &key : NULL };
	p->config.migrations = first;
	p->config.migration_count = 1;
	*state = p;
	return 0;
}

static int set_up_plain(void **state)
{
	return set_up(state, false);
}

static int set_up_sealed(void **state)
{
	return set_up(state, true);
}

static int tear_down(void **state)
{
	struct place *p = *state;
	char command[96];

	snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
	if (system(command) != 0)
		return -1;
	free(p);
	return 0;
}

static struct db *open_at(const struct place *p)
{
	struct db *db = NULL;
	char reason[256];
	int err = db_open(&db, &p->config, reason, sizeof reason);

	if (err < 0)
		print_message("%s\n", reason);
	assert_int_equal(err, 0);
	return db;
}

static int add(struct db *db, const char *name)
{
	struct statement *s = db_sql(db, "INSERT INTO note(name, body) VALUES(?, ?)");

	bind_text(s, 1, name);
	bind_bytes(s, 2, bytes_text("body"));
	return db_run(s);
}

static int64_t count(struct db *db)
{
	struct statement *s = db_sql(db, "SELECT count(*) FROM note");
	int64_t n;

	assert_int_equal(db_step(s), 1);
	n = column_int(s, 0);
	db_done(s);
	return n;
}

static unsigned files_beside(const struct place *p)
{
	DIR *folder = opendir(p->folder);
	unsigned n = 0;

	assert_non_null(folder);
	while (readdir(folder))
		n++;
	closedir(folder);
	return n;
}

static void what_is_bound_comes_back(void **state)
{
	struct db *db = open_at(*state);
	struct statement *s = db_sql(db, "SELECT ?1, ?2, ?3, ?4, ?5, ?6");
	uint8_t exact[3];

	bind_int(s, 1, INT64_MIN);
	bind_bytes(s, 2, bytes_of("\0\1\2", 3));
	bind_text(s, 3, "hola");
	bind_null(s, 4);
	bind_bytes(s, 5, (struct bytes){ 0 });
	bind_text(s, 6, NULL);
	assert_int_equal(db_step(s), 1);
	assert_true(column_int(s, 0) == INT64_MIN);
	assert_int_equal(column_bytes(s, 1).size, 3);
	assert_int_equal(column_copy(s, 1, exact, 3), 0);
	assert_memory_equal(exact, "\0\1\2", 3);
	assert_int_equal(column_copy(s, 1, exact, 2), ERR_CORRUPT);
	assert_string_equal(column_text(s, 2), "hola");
	assert_true(column_is_null(s, 3));
	assert_false(column_is_null(s, 4)); /* no bytes are not nothing */
	assert_int_equal(column_bytes(s, 4).size, 0);
	assert_true(column_is_null(s, 5));
	assert_string_equal(column_text(s, 5), "");
	assert_int_equal(db_step(s), 0);
	assert_int_equal(db_step(s), 0); /* and does not begin again */
	db_done(s);
	db_close(db);
}

static void a_statement_is_prepared_once_and_forgets_its_bindings(void **state)
{
	static const char sql[] = "SELECT ?1";
	struct db *db = open_at(*state);
	struct statement *s = db_sql(db, sql);

	bind_int(s, 1, 7);
	assert_int_equal(db_step(s), 1);
	assert_ptr_equal(db_sql(db, sql), s);
	assert_int_equal(db_step(s), 1);
	assert_true(column_is_null(s, 0));
	db_close(db);
}

static void many_statements_are_kept_apart(void **state)
{
	struct db *db = open_at(*state);
	static char sql[300][24];

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 300; i++) {
			struct statement *s;

			snprintf(sql[i], sizeof sql[i], "SELECT %d", i);
			s = db_sql(db, sql[i]);
			assert_int_equal(db_step(s), 1);
			assert_int_equal(column_int(s, 0), i);
			db_done(s);
		}
	db_close(db);
}

static void a_run_tells_how_many_rows_changed(void **state)
{
	struct db *db = open_at(*state);

	assert_int_equal(add(db, "a"), 1);
	assert_int_equal(db_last_id(db), 1);
	assert_int_equal(add(db, "b"), 1);
	assert_int_equal(db_run(db_sql(db, "UPDATE note SET body = x''")), 2);
	assert_int_equal(db_run(db_sql(db, "DELETE FROM note WHERE id = 9")), 0);
	assert_int_equal(db_run(db_sql(db, "SELECT * FROM note")), 0);
	db_close(db);
}

static void a_constraint_is_an_error_and_changes_nothing(void **state)
{
	struct db *db = open_at(*state);

	assert_int_equal(add(db, "a"), 1);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(add(db, "b"), 1);
	assert_int_equal(add(db, "a"), ERR_EXISTS);
	assert_true(db_in_transaction(db));
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(count(db), 2);
	db_close(db);
}

static void a_commit_stays_and_a_rollback_does_not(void **state)
{
	struct db *db = open_at(*state);

	assert_false(db_in_transaction(db));
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(add(db, "kept"), 1);
	assert_int_equal(db_commit(db), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(add(db, "dropped"), 1);
	db_rollback(db);
	db_rollback(db); /* harmless */
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(add(db, "unfinished"), 1);
	db_close(db);
	db = open_at(*state);
	assert_int_equal(count(db), 1);
	db_close(db);
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : st.st_size;
}

static void add_large(struct db *db, size_t size)
{
	struct bytes body = { calloc(1, size), size };
	struct statement *s = db_sql(db, "INSERT INTO note(body) VALUES(?)");

	bind_bytes(s, 1, body);
	assert_int_equal(db_run(s), 1);
	free((void *)body.data);
}

static void pages_leave_the_log_when_they_are_told_to_or_are_too_many(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);
	off_t before;

	(void)db_checkpoint(db, 1);
	before = size_of(p->path);
	assert_false(db_checkpoint(db, 1));
	add_large(db, 100 * 4096);
	assert_int_equal(size_of(p->path), before);
	assert_false(db_checkpoint(db, 200));
	assert_int_equal(size_of(p->path), before);
	assert_true(db_checkpoint(db, 100));
	assert_true(size_of(p->path) >= before + 100 * 4096);
	assert_false(db_checkpoint(db, 1));
	before = size_of(p->path);
	add_large(db, (size_t)DB_CHECKPOINT_PAGES * 4096);
	assert_true(size_of(p->path) > before);
	assert_int_equal(count(db), 2);
	db_close(db);
}

static void a_transaction_lost_to_a_full_disk_is_lost_whole(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);
	struct bytes megabyte = { calloc(1, 1 << 20), 1 << 20 };
	struct statement *s;
	int result;

	assert_int_equal(add(db, "before"), 1);
	assert_int_equal(db_exec(db, "PRAGMA max_page_count=100"), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(add(db, "in it"), 1);
	s = db_sql(db, "INSERT INTO note(name, body) VALUES('big', ?)");
	bind_bytes(s, 1, megabyte);
	result = db_run(s);
	assert_int_equal(result, ERR_FULL);
	/* SQLite may have rolled back by itself; nothing may slip out behind its back. */
	result = add(db, "after");
	if (result < 0) {
		assert_int_equal(result, ERR_FULL);
		assert_int_equal(db_commit(db), ERR_FULL);
		assert_int_equal(count(db), 1);
	} else {
		assert_int_equal(db_commit(db), 0);
		assert_int_equal(count(db), 3);
	}
	assert_false(db_in_transaction(db));
	assert_int_equal(add(db, "later"), 1);
	free((void *)megabyte.data);
	db_close(db);
}

static void migrations_run_once_and_in_order(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);
	struct statement *s;

	assert_int_equal(add(db, "old"), 1);
	db_close(db);
	p->config.migrations = second;
	p->config.migration_count = 2;
	for (int i = 0; i < 2; i++) {
		db = open_at(p);
		s = db_sql(db, "SELECT stars FROM note WHERE name = 'old'");
		assert_int_equal(db_step(s), 1);
		assert_int_equal(column_int(s, 0), 3);
		db_done(s);
		/* foreign keys are on */
		assert_int_equal(db_exec(db, "INSERT INTO tag VALUES(77, 'x')"), ERR_EXISTS);
		db_close(db);
	}
}

static void a_migration_that_fails_leaves_the_database_as_it_was(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);
	char reason[256] = "";

	db_close(db);
	p->config.migrations = broken;
	p->config.migration_count = 2;
	assert_true(db_open(&db, &p->config, reason, sizeof reason) < 0);
	assert_null(db);
	assert_non_null(strstr(reason, "migration 2"));
	p->config.migration_count = 1;
	db = open_at(p);
	assert_int_equal(db_exec(db, "CREATE TABLE half(a)"), 0);
	db_close(db);
}

static void what_a_newer_program_made_is_refused(void **state)
{
	struct place *p = *state;
	struct db *db;
	char reason[256] = "";

	p->config.migrations = second;
	p->config.migration_count = 2;
	db_close(open_at(p));
	p->config.migration_count = 1;
	assert_int_equal(db_open(&db, &p->config, reason, sizeof reason), ERR_VERSION);
	assert_non_null(strstr(reason, "newer"));
}

/* The answer of a program of its own, or 1 when it could open and write. Not merely a fork:
 * that would inherit what SQLite remembers of our locks. */
static int open_elsewhere(const struct place *p)
{
	pid_t child = fork();
	char how[4] = { p->config.key ? 'k' : '-', p->config.shared ? 's' : '-',
			p->config.read_only ? 'r' : '-', 0 };
	int status;

	if (child == 0) {
		execl("/proc/self/exe", "db_test", how, p->path, NULL);
		_exit(99);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) >= 100 ? 1 : -WEXITSTATUS(status);
}

static int open_here(const char *how, const char *path)
{
	struct db_config config = { .path = path,
				    .key = how[0] == 'k' ? &key : NULL,
				    .shared = how[1] == 's',
				    .read_only = how[2] == 'r',
				    .migrations = first,
				    .migration_count = 1 };
	struct db *db;
	int err = db_open(&db, &config, NULL, 0);

	if (err == 0 && !config.read_only)
		err = add(db, "elsewhere");
	db_close(db);
	return err >= 0 ? 100 : -err;
}

static void an_exclusive_database_is_locked_to_others(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p), *again;
	char reason[256] = "";

	assert_int_equal(open_elsewhere(p), ERR_LOCKED);
	assert_int_equal(db_open(&again, &p->config, reason, sizeof reason), ERR_LOCKED);
	assert_non_null(strstr(reason, "another process"));
	/* Not even the attempt in this very process may loosen the lock (POSIX would). */
	assert_int_equal(open_elsewhere(p), ERR_LOCKED);
	assert_int_equal(add(db, "still ours"), 1);
	p->config.read_only = true;
	assert_int_equal(open_elsewhere(p), ERR_LOCKED);
	p->config.read_only = false;
	db_close(db);
	assert_int_equal(open_elsewhere(p), 1);
}

static void a_shared_database_is_written_by_two_processes(void **state)
{
	struct place *p = *state;
	struct db *db;

	p->config.shared = true;
	db = open_at(p);
	assert_int_equal(add(db, "here"), 1);
	assert_int_equal(open_elsewhere(p), 1);
	assert_int_equal(count(db), 2);
	p->config.read_only = true;
	assert_int_equal(open_elsewhere(p), 1);
	db_close(db);
}

static void a_reader_cannot_write(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);

	assert_int_equal(add(db, "a"), 1);
	db_close(db);
	p->config.read_only = true;
	db = open_at(p);
	assert_int_equal(count(db), 1);
	assert_true(add(db, "b") < 0);
	db_close(db);
}

static void a_reader_does_not_make_what_is_not_there(void **state)
{
	struct place *p = *state;
	struct db *db;

	p->config.read_only = true;
	assert_int_equal(db_open(&db, &p->config, NULL, 0), ERR_NOT_FOUND);
	assert_int_equal(access(p->path, F_OK), -1);
}

static void files_are_for_their_owner_only(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);
	char log[112];
	struct stat st;

	assert_int_equal(add(db, "a"), 1);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(log, sizeof log, "%s-wal", p->path);
	assert_int_equal(stat(log, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	db_close(db);
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

static void an_empty_file_or_a_lonely_log_is_damage_and_is_left_alone(void **state)
{
	struct place *p = *state;
	char log[112], reason[256] = "";
	struct stat st;
	struct db *db;

	write_file(p->path, "", 0);
	assert_int_equal(db_open(&db, &p->config, reason, sizeof reason), ERR_CORRUPT);
	assert_non_null(strstr(reason, "empty"));
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(unlink(p->path), 0);
	snprintf(log, sizeof log, "%s-wal", p->path);
	write_file(log, "something", 9);
	assert_int_equal(db_open(&db, &p->config, reason, sizeof reason), ERR_CORRUPT);
	assert_non_null(strstr(reason, "log"));
	assert_int_equal(stat(log, &st), 0);
	assert_int_equal(st.st_size, 9);
	assert_int_equal(access(p->path, F_OK), -1);
}

static void what_is_no_database_is_refused(void **state)
{
	static char text[5000];
	struct place *p = *state;
	char reason[256] = "";
	struct db *db;
	int err;

	memset(text, 'x', sizeof text);
	write_file(p->path, text, sizeof text);
	err = db_open(&db, &p->config, reason, sizeof reason);
	assert_int_equal(err, p->config.key ? ERR_AUTH : ERR_CORRUPT);
	assert_true(strlen(reason) > 0);
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_int_equal(db_open(&db, &p->config, NULL, 0), ERR_IO);
	assert_int_equal(rmdir(p->path), 0);
	p->config.path = "/nowhere/at/all/x.db";
	assert_int_equal(db_open(&db, &p->config, reason, sizeof reason), ERR_IO);
}

static void a_backup_is_whole_and_never_covers_a_file(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);

	assert_int_equal(add(db, "a"), 1);
	assert_int_equal(db_backup(db, p->other), 0);
	assert_int_equal(add(db, "b"), 1);
	assert_int_equal(db_backup(db, p->other), ERR_EXISTS);
	db_close(db);
	p->config.path = p->other;
	db = open_at(p);
	assert_int_equal(count(db), 1);
	db_close(db);
}

/* Both ways of writing meanwhile: rows that come, and a transaction that is undone. */
static void a_backup_in_slices_has_what_was_written_meanwhile(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);
	struct db_copy *copy;
	uint64_t done, total;
	int slices = 0, more;
	int64_t said;
	char text[24];

	for (int i = 0; i < 300; i++) {
		snprintf(text, sizeof text, "first %d", i);
		assert_int_equal(add(db, text), 1);
	}
	assert_int_equal(db_backup_begin(db, p->other, true, &copy), 0);
	while ((more = db_backup_step(copy, 1)) > 0) {
		snprintf(text, sizeof text, "then %d", slices++);
		assert_int_equal(add(db, text), 1);
		if (slices == 2) {
			assert_int_equal(db_begin(db), 0);
			assert_int_equal(add(db, "undone"), 1);
			db_rollback(db);
		}
		assert_int_equal(access(p->other, F_OK), -1);
	}
	assert_int_equal(more, 0);
	assert_true(slices > 2);
	db_backup_progress(copy, &done, &total);
	assert_int_equal(done, total);
	said = count(db);
	assert_int_equal(said, 300 + slices);
	assert_int_equal(db_backup_end(copy), 0);
	db_close(db);
	p->config.path = p->other;
	db = open_at(p);
	assert_int_equal(count(db), said);
	db_close(db);
}

static void a_backup_that_is_given_up_leaves_nothing(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);
	struct db_copy *copy;
	unsigned files = files_beside(p);

	assert_int_equal(add(db, "a"), 1);
	assert_int_equal(db_backup_begin(db, p->other, false, &copy), 0);
	assert_int_equal(db_backup_step(copy, 1), 1);
	assert_int_equal(db_backup_end(copy), ERR_CLOSED);
	assert_int_equal(access(p->other, F_OK), -1);
	assert_int_equal(files_beside(p), files);
	db_close(db);
}

static void a_vacuumed_database_is_the_same_database(void **state)
{
	struct db *db = open_at(*state);

	assert_int_equal(add(db, "a"), 1);
	assert_int_equal(db_exec(db, "VACUUM"), 0);
	assert_int_equal(add(db, "b"), 1);
	db_close(db);
	db = open_at(*state);
	assert_int_equal(count(db), 2);
	db_close(db);
}

static void without_a_path_it_lives_in_memory(void **state)
{
	struct place *p = *state;
	struct db *db, *other;

	p->config.path = NULL;
	db = open_at(p);
	other = open_at(p);
	assert_int_equal(add(db, "a"), 1);
	assert_int_equal(count(db), 1);
	assert_int_equal(count(other), 0);
	db_close(db);
	db_close(other);
}

#define OVER(test)                                                                             \
	{ #test " (plain)", test, set_up_plain, tear_down, NULL },                             \
	{                                                                                      \
#test " (sealed)", test, set_up_sealed, tear_down, NULL                        \
	}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		OVER(what_is_bound_comes_back),
		OVER(a_statement_is_prepared_once_and_forgets_its_bindings),
		OVER(many_statements_are_kept_apart),
		OVER(a_run_tells_how_many_rows_changed),
		OVER(a_constraint_is_an_error_and_changes_nothing),
		OVER(a_commit_stays_and_a_rollback_does_not),
		OVER(pages_leave_the_log_when_they_are_told_to_or_are_too_many),
		OVER(a_transaction_lost_to_a_full_disk_is_lost_whole),
		OVER(migrations_run_once_and_in_order),
		OVER(a_migration_that_fails_leaves_the_database_as_it_was),
		OVER(what_a_newer_program_made_is_refused),
		OVER(an_exclusive_database_is_locked_to_others),
		OVER(a_shared_database_is_written_by_two_processes),
		OVER(a_reader_cannot_write),
		OVER(a_reader_does_not_make_what_is_not_there),
		OVER(files_are_for_their_owner_only),
		OVER(an_empty_file_or_a_lonely_log_is_damage_and_is_left_alone),
		OVER(what_is_no_database_is_refused),
		OVER(a_backup_is_whole_and_never_covers_a_file),
		OVER(a_backup_in_slices_has_what_was_written_meanwhile),
		OVER(a_backup_that_is_given_up_leaves_nothing),
		OVER(a_vacuumed_database_is_the_same_database),
		OVER(without_a_path_it_lives_in_memory),
	};

	if (argc == 3)
		return open_here(argv[1], argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
