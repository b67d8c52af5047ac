/* Sealed databases: what stands in the files, and what a store that is sealed does as any other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared/error.h"
#include "tests/sealed_place.h"

static bool has_text(struct image image, const char *text)
{
	return image.data && memmem(image.data, image.size, text, strlen(text)) != NULL;
}

static void nothing_in_the_files_is_plain_text(void **state)
{
	struct place *p = *state;
	struct pair files;
	static const char *const words[] = { MARK,     "nobody may", "SQLite format 3",
					     "CREATE", "total",      NULL };

	make(p, 300, 300);
	files = take(p);
	assert_true(files.db.size > 10 * PAGE_BYTES);
	assert_true(files.log.size > 100 * FRAME);
	for (const char *const *word = words; *word; word++) {
		assert_false(has_text(files.db, *word));
		assert_false(has_text(files.log, *word));
	}
	drop(&files);
	assert_int_equal(read_all(p), 600);
	/* The search itself can find: the same in a plain store. */
	p->config.path = p->other;
	p->config.key = NULL;
	db_close(open_at(p));
	files.db = load(p->other);
	assert_true(has_text(files.db, "CREATE"));
	free(files.db.data);
}

static void two_equal_stores_are_different_bytes(void **state)
{
	struct place *p = *state;
	struct image one, two;
	unsigned same = 0;

	make(p, 20, 0);
	one = load(p->path);
	assert_int_equal(unlink(p->path), 0);
	make(p, 20, 0);
	two = load(p->path);
	assert_int_equal(one.size, two.size);
	for (size_t i = 0; i < one.size; i++)
		same += one.data[i] == two.data[i];
	assert_true(same < one.size / 64); /* by chance one in 256 */
	free(one.data);
	free(two.data);
}

static void another_key_is_refused_and_nothing_is_touched(void **state)
{
	struct place *p = *state;
	struct pair files;
	char reason[256];
	struct db *db;

	make(p, 20, 20);
	files = take(p);
	p->config.key = &other_key;
	assert_int_equal(db_open(&db, &p->config, reason, sizeof reason), ERR_AUTH);
	assert_null(db);
	assert_non_null(strstr(reason, "key"));
	stays(p, files);
	p->config.key = NULL;
	assert_int_equal(db_open(&db, &p->config, reason, sizeof reason), ERR_CORRUPT);
	stays(p, files);
	p->config.key = &key;
	assert_int_equal(read_all(p), 40);
	drop(&files);
}

static void a_plain_store_is_not_taken_for_a_sealed_one(void **state)
{
	struct place *p = *state;
	struct pair files;
	struct db *db;

	p->config.key = NULL;
	make(p, 5, 5);
	files = take(p);
	p->config.key = &key;
	assert_int_equal(db_open(&db, &p->config, NULL, 0), ERR_AUTH);
	stays(p, files);
	p->config.key = NULL;
	assert_int_equal(read_all(p), 10);
	drop(&files);
}

/* The same bytes as SQLite sees them and as they stand in the log. */
static void a_frame_shows_its_page_number_and_nothing_else(void **state)
{
	struct place *p = *state;
	uint8_t seen[FRAME], on_disk[FRAME];
	uint64_t ticket = db_seal_lend(&key);
	sqlite3_file *log = NULL;
	sqlite3 *sqlite = NULL;
	char uri[160];
	FILE *file;

	db_close(open_at(p));
	snprintf(uri, sizeof uri, "file:%s?seal=%llu", p->path, (unsigned long long)ticket);
	assert_int_equal(sqlite3_open_v2(uri, &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI,
					 db_seal_vfs()),
			 SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, "UPDATE total SET n = 5", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(
		sqlite3_file_control(sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log),
		SQLITE_OK);
	assert_int_equal(log->pMethods->xRead(log, seen, FRAME, LOG_HEADER), SQLITE_OK);
	file = fopen(p->log, "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, LOG_HEADER, SEEK_SET), 0);
	assert_int_equal(fread(on_disk, 1, FRAME, file), FRAME);
	fclose(file);
	assert_memory_equal(seen, on_disk, 16);
	assert_memory_not_equal(seen + 16, on_disk + 16, 4); /* SQLite's checksums */
	assert_memory_not_equal(seen + 20, on_disk + 20, 4);
	for (size_t at = 24; at < FRAME; at += 16)
		assert_memory_not_equal(seen + at, on_disk + at, 16);
	assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
	db_seal_return(ticket);
}

static void stores_with_keys_of_their_own_are_open_side_by_side(void **state)
{
	struct place *p = *state, elsewhere = *p;
	struct db *one, *two;

	elsewhere.config.path = elsewhere.other;
	elsewhere.config.key = &other_key;
	one = open_at(p);
	two = open_at(&elsewhere);
	for (int64_t n = 1; n <= 50; n++) {
		assert_int_equal(say(one, n), 0);
		assert_int_equal(say(two, n), 0);
	}
	db_close(one);
	assert_int_equal(check_all(two), 50);
	db_close(two);
	assert_int_equal(read_all(p), 50);
	assert_int_equal(read_all(&elsewhere), 50);
	elsewhere.config.key = &key;
	assert_int_equal(read_all(&elsewhere), ERR_AUTH);
}

static void no_other_file_is_written_through_the_seal(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);
	struct statement *s;
	char sql[160];

	snprintf(sql, sizeof sql, "ATTACH '%s' AS plain", p->other);
	assert_true(db_exec(db, sql) < 0);
	snprintf(sql, sizeof sql, "VACUUM INTO '%s'", p->other);
	assert_true(db_exec(db, sql) < 0);
	/* Leaving the log takes a rollback journal, which would be plain text. */
	(void)db_exec(db, "PRAGMA journal_mode=DELETE");
	s = db_sql(db, "PRAGMA journal_mode");
	assert_int_equal(db_step(s), 1);
	assert_string_equal(column_text(s, 0), "wal");
	db_done(s);
	assert_int_equal(say_many(db, 1, 5), 0);
	assert_int_equal(check_all(db), 5);
	db_close(db);
	assert_int_equal(read_all(p), 5);
}

static void a_small_cache_that_spills_changes_nothing(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);

	/* Dirty pages go to the log before the commit and are written over there. */
	assert_int_equal(db_exec(db, "PRAGMA cache_size=5; PRAGMA cache_spill=5"), 0);
	for (int round = 0; round < 5; round++) {
		assert_int_equal(db_begin(db), 0);
		assert_true(run_int(db,
				    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
				    "FROM c WHERE x < 2000) INSERT INTO words(rowid, body) "
				    "SELECT x + 100000 * ?1, 'filling ' || x FROM c",
				    round + 1) > 0);
		assert_true(run_int(db,
				    "UPDATE words SET body = 'x' || body WHERE rowid % ?1 = 0",
				    3) > 0);
		if (round % 2)
			db_rollback(db);
		else
			assert_int_equal(db_commit(db), 0);
	}
	assert_int_equal(say_many(db, 1, 20), 0);
	assert_int_equal(check_all(db), 20);
	db_close(db);
	assert_int_equal(read_all(p), 20);
}

static void a_copy_and_a_vacuum_are_sealed_too(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);
	struct image copy;

	assert_int_equal(say_many(db, 1, 50), 0);
	assert_int_equal(db_backup(db, p->other), 0);
	copy = load(p->other);
	assert_false(has_text(copy, MARK));
	free(copy.data);
	assert_int_equal(run_int(db, "DELETE FROM said WHERE n > ?", 50), 0);
	assert_int_equal(db_exec(db, "VACUUM"), 0);
	assert_int_equal(check_all(db), 50);
	db_close(db);
	copy = load(p->path);
	assert_false(has_text(copy, MARK));
	free(copy.data);
	assert_int_equal(read_all(p), 50);
	p->config.path = p->other;
	assert_int_equal(read_all(p), 50);
	p->config.key = &other_key;
	assert_int_equal(read_all(p), ERR_AUTH);
}

/* Writes until it is killed; tells each number that is committed. */
static void write_for_ever(const struct place *p, int64_t from, int to)
{
	struct db *db;

	if (db_open(&db, &p->config, NULL, 0) < 0 ||
	    db_exec(db, "PRAGMA cache_size=8; PRAGMA wal_autocheckpoint=20") < 0)
		_exit(1);
	for (int64_t n = from;; n++)
		if (say(db, n) < 0 || write(to, &n, sizeof n) != sizeof n)
			_exit(1);
}

static void kill_9_loses_no_committed_row(void **state)
{
	struct place *p = *state;
	struct timespec begin, now;
	int64_t known = 0, told;
	int rounds = 0;

	db_close(open_at(p));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		unsigned some = 1 + randombytes_uniform(60);
		int pipe_of[2];
		pid_t child;

		assert_int_equal(pipe(pipe_of), 0);
		child = fork();
		if (child == 0)
			write_for_ever(p, known + 1, pipe_of[1]);
		close(pipe_of[1]);
		/* It goes on writing while we read, so it dies anywhere. */
		while (some-- && read(pipe_of[0], &told, sizeof told) == sizeof told)
			known = told;
		assert_int_equal(kill(child, SIGKILL), 0);
		while (read(pipe_of[0], &told, sizeof told) == sizeof told)
			known = told;
		close(pipe_of[0]);
		assert_int_equal(waitpid(child, NULL, 0), child);
		told = read_all(p);
		if (told != known && told != known + 1)
			fail_msg("round %d: %lld, not %lld", rounds, (long long)told,
				 (long long)known);
		/* One may have been committed and not told any more. */
		known = told;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (++rounds < 20 || (rounds < 60 && now.tv_sec - begin.tv_sec < 3));
	print_message("%d rounds, %lld messages\n", rounds, (long long)known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(nothing_in_the_files_is_plain_text),
		IN_PLACE(two_equal_stores_are_different_bytes),
		IN_PLACE(another_key_is_refused_and_nothing_is_touched),
		IN_PLACE(a_plain_store_is_not_taken_for_a_sealed_one),
		IN_PLACE(a_frame_shows_its_page_number_and_nothing_else),
		IN_PLACE(stores_with_keys_of_their_own_are_open_side_by_side),
		IN_PLACE(no_other_file_is_written_through_the_seal),
		IN_PLACE(a_small_cache_that_spills_changes_nothing),
		IN_PLACE(a_copy_and_a_vacuum_are_sealed_too),
		IN_PLACE(kill_9_loses_no_committed_row),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
