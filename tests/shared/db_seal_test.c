/* Sealed databases: what stands in the files, and what is done to files by others. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared/db.h"
#include "shared/db_seal.h"
#include "shared/error.h"

enum { FRAME = 24 + PAGE_BYTES, LOG_HEADER = 32 };

#define MARK "the word that nobody may read"

static const char *const migrations[] = {
	"CREATE TABLE said(n INTEGER PRIMARY KEY, body TEXT NOT NULL);"
	"CREATE TABLE total(id INTEGER PRIMARY KEY, n INTEGER NOT NULL);"
	"INSERT INTO total VALUES(1, 0);"
	"CREATE VIRTUAL TABLE words USING fts5(body);",
};
static const struct symmetric_key key = { "0123456789abcdef0123456789abcdef" };
static const struct symmetric_key other_key = { "0123456789abcdef0123456789abcdeg" };

struct place {
	char folder[64], path[96], log[104], other[96];
	struct db_config config;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	/* In memory where the machine has such a folder: these tests write a lot. */
	snprintf(p->folder, sizeof p->folder, "%s/palique-seal-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(p->folder))
		return -1;
	snprintf(p->path, sizeof p->path, "%s/store.db", p->folder);
	snprintf(p->log, sizeof p->log, "%s-wal", p->path);
	snprintf(p->other, sizeof p->other, "%s/other.db", p->folder);
	p->config = (struct db_config){ .path = p->path,
					.key = &key,
					.durable = true,
					.migrations = migrations,
					.migration_count = 1 };
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	char command[96];

	snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
	free(p);
	return system(command);
}

/* --- files as bytes ---------------------------------------------------------------- */

struct image {
	uint8_t *data;
	size_t size;
};

static struct image load(const char *path)
{
	struct image image = { 0 };
	FILE *file = fopen(path, "rb");
	struct stat st;

	if (!file)
		return image;
	assert_int_equal(fstat(fileno(file), &st), 0);
	image.size = (size_t)st.st_size;
	image.data = malloc(image.size + 1);
	assert_int_equal(fread(image.data, 1, image.size, file), image.size);
	fclose(file);
	return image;
}

static void store(const char *path, struct image image)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(image.data, 1, image.size, file), image.size);
	assert_int_equal(fclose(file), 0);
}

/* Both files of a store, as somebody with a copy has them. */
struct pair {
	struct image db, log;
};

static struct pair take(const struct place *p)
{
	return (struct pair){ load(p->path), load(p->log) };
}

static void put(const struct place *p, struct pair pair)
{
	store(p->path, pair.db);
	if (pair.log.data)
		store(p->log, pair.log);
	else
		unlink(p->log);
}

static void drop(struct pair *pair)
{
	free(pair->db.data);
	free(pair->log.data);
}

static void stays(const struct place *p, struct pair before)
{
	struct pair after = take(p);

	assert_int_equal(after.db.size, before.db.size);
	assert_memory_equal(after.db.data, before.db.data, before.db.size);
	assert_int_equal(after.log.size, before.log.size);
	if (before.log.size)
		assert_memory_equal(after.log.data, before.log.data, before.log.size);
	drop(&after);
}

static bool has_text(struct image image, const char *text)
{
	return image.data && memmem(image.data, image.size, text, strlen(text)) != NULL;
}

/* --- a store with something in it -------------------------------------------------- */

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

static int run_int(struct db *db, const char *sql, int64_t v)
{
	struct statement *s = db_sql(db, sql);

	bind_int(s, 1, v);
	return db_run(s);
}

/* One transaction that touches several pages more than once. */
static int say(struct db *db, int64_t n)
{
	struct statement *s;
	char body[64];
	int err = db_begin(db);

	snprintf(body, sizeof body, MARK " %lld", (long long)n);
	for (const char *const *sql = (const char *const[]){ "INSERT INTO said VALUES(?1, ?2)",
							     "INSERT INTO words(rowid, body) "
							     "VALUES(?1, ?2)",
							     NULL };
	     *sql && err >= 0; sql++) {
		s = db_sql(db, *sql);
		bind_int(s, 1, n);
		bind_text(s, 2, body);
		err = db_run(s);
	}
	if (err >= 0)
		err = run_int(db, "UPDATE total SET n = ?1", n);
	if (err < 0) {
		db_rollback(db);
		return err;
	}
	return db_commit(db);
}

static int say_many(struct db *db, int64_t from, int64_t to)
{
	for (int64_t n = from; n <= to; n++) {
		int err = say(db, n);

		if (err < 0)
			return err;
	}
	return 0;
}

/* Everything read, each value known: the number of messages, or an error. */
static int64_t check_all(struct db *db)
{
	struct statement *s = db_sql(db, "PRAGMA integrity_check");
	char body[64];
	int64_t n = 0, total = -1;
	int result = db_step(s);
	bool is_sane = result == 1 && strcmp(column_text(s, 0), "ok") == 0;

	db_done(s);
	if (!is_sane)
		return result < 0 ? result : ERR_CORRUPT;
	s = db_sql(db, "SELECT n, body FROM said ORDER BY n");
	while ((result = db_step(s)) == 1) {
		snprintf(body, sizeof body, MARK " %lld", (long long)++n);
		assert_int_equal(column_int(s, 0), n);
		assert_string_equal(column_text(s, 1), body);
	}
	db_done(s);
	if (result < 0)
		return result;
	s = db_sql(db, "SELECT n FROM total");
	result = db_step(s);
	if (result == 1)
		total = column_int(s, 0);
	db_done(s);
	if (result < 0)
		return result;
	assert_int_equal(total, n);
	return n;
}

/* Opens and reads everything, closes. */
static int64_t read_all(const struct place *p)
{
	struct db *db;
	int64_t n = db_open(&db, &p->config, NULL, 0);

	if (n < 0)
		return n;
	n = check_all(db);
	db_close(db);
	return n;
}

/* A store as after kill -9: `checkpointed` messages in the file, then `logged` in the log. */
static void make(const struct place *p, int64_t checkpointed, int64_t logged)
{
	pid_t child;
	int status;
	struct db *db = open_at(p);

	assert_int_equal(say_many(db, 1, checkpointed), 0);
	assert_int_equal(db_exec(db, "VACUUM"), 0); /* no page that nobody would miss */
	db_close(db);
	if (!logged)
		return;
	child = fork();
	if (child == 0) {
		if (db_open(&db, &p->config, NULL, 0) < 0 ||
		    say_many(db, checkpointed + 1, checkpointed + logged) < 0)
			_exit(1);
		_exit(0); /* without closing */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* --- tests ------------------------------------------------------------------------- */

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

static void a_damaged_first_page_is_told_from_another_key(void **state)
{
	struct place *p = *state;
	struct pair files;
	struct db *db;

	make(p, 20, 0);
	files = take(p);
	files.db.data[1000] ^= 1;
	put(p, files);
	assert_int_equal(db_open(&db, &p->config, NULL, 0), ERR_CORRUPT);
	stays(p, files);
	drop(&files);
}

/* Sealed pages are torn by a power cut in a checkpoint; the log still has them. */
static void a_torn_first_page_is_healed_from_the_log(void **state)
{
	struct place *p = *state;
	struct pair files;

	make(p, 20, 300); /* enough for the file to grow: that is noted in the first page */
	files = take(p);
	memset(files.db.data, 0x55, 512);
	put(p, files);
	assert_int_equal(read_all(p), 320);
	drop(&files);
	assert_int_equal(read_all(p), 320);
}

static void any_flipped_bit_in_the_file_is_found(void **state)
{
	struct place *p = *state;
	struct pair files;

	make(p, 100, 0);
	files = take(p);
	assert_null(files.log.data); /* closed in peace: no log is left */
	for (unsigned i = 0; i < 250; i++) {
		/* Each page in turn, and the places where something begins or ends. */
		static const unsigned within[] = { 0, 99, 100, 4055, 4056, 4072, 4080, 4095 };
		size_t page = i % (files.db.size / PAGE_BYTES);
		size_t at = page * PAGE_BYTES +
			    (i % 2 ? within[i / 2 % 8] : randombytes_uniform(PAGE_BYTES));
		uint8_t bit = (uint8_t)(1u << randombytes_uniform(8));
		int64_t result;

		files.db.data[at] ^= bit;
		put(p, files);
		result = read_all(p);
		if (result != ERR_CORRUPT && !(result == ERR_AUTH && page == 0))
			fail_msg("byte %zu, bit %u: %d", at, bit, (int)result);
		stays(p, files);
		files.db.data[at] ^= bit;
	}
	put(p, files);
	assert_int_equal(read_all(p), 100);
	drop(&files);
}

/* In the log a bad frame may be the mark of a power cut: at most the last message may be
 * missing, and only if the damage is in its frames; anything more is refused. */
static void a_flipped_bit_in_the_log_loses_no_finished_message_in_silence(void **state)
{
	struct place *p = *state;
	struct pair files;
	unsigned refused = 0;

	make(p, 10, 30);
	files = take(p);
	for (unsigned i = 0; i < 300; i++) {
		size_t at = i < 32 ? i : randombytes_uniform((uint32_t)files.log.size);
		uint8_t bit = (uint8_t)(1u << randombytes_uniform(8));
		int64_t result;

		files.log.data[at] ^= bit;
		put(p, files);
		result = read_all(p);
		if (result != ERR_CORRUPT && result != 40 && result != 39)
			fail_msg("byte %zu, bit %u: %d", at, bit, (int)result);
		if (result == ERR_CORRUPT) {
			refused++;
			stays(p, files);
		}
		files.log.data[at] ^= bit;
	}
	assert_true(refused > 200);
	put(p, files);
	assert_int_equal(read_all(p), 40);
	drop(&files);
}

static void a_log_cut_anywhere_keeps_a_beginning(void **state)
{
	struct place *p = *state;
	struct pair files;
	int64_t last = 10;

	make(p, 10, 30);
	files = take(p);
	for (size_t size = 0; size < files.log.size; size += 1013) {
		struct pair cut = { files.db, { files.log.data, size } };
		int64_t result;

		put(p, cut);
		result = read_all(p);
		assert_true(result >= last && result <= 40);
		last = result;
	}
	assert_true(last >= 39);
	drop(&files);
}

static void a_file_cut_anywhere_is_refused_and_stays(void **state)
{
	struct place *p = *state;
	struct pair files;

	make(p, 100, 0);
	files = take(p);
	for (size_t size = 0; size < files.db.size; size += size < 5000 ? 499 : 2048) {
		struct pair cut = { { files.db.data, size }, { NULL, 0 } };
		int64_t result;

		put(p, cut);
		result = read_all(p);
		if (result != ERR_CORRUPT && !(result == ERR_AUTH && size < PAGE_BYTES))
			fail_msg("cut to %zu: %d", size, (int)result);
		stays(p, cut);
	}
	drop(&files);
}

/* Two tables of one page each: exchanged, they would make a sane database that lies. */
static void the_pages_of_two_tables_cannot_be_exchanged(void **state)
{
	struct place *p = *state;
	struct db *db = open_at(p);
	uint8_t page[PAGE_BYTES], *one, *two;
	struct pair files;
	struct statement *s;
	int64_t at_one, at_two;

	assert_int_equal(db_exec(db, "CREATE TABLE one(x); CREATE TABLE two(x);"
				     "INSERT INTO one VALUES(1); INSERT INTO two VALUES(2)"),
			 0);
	s = db_sql(db, "SELECT (SELECT rootpage FROM sqlite_schema WHERE name = 'one'),"
		       "(SELECT rootpage FROM sqlite_schema WHERE name = 'two')");
	assert_int_equal(db_step(s), 1);
	at_one = column_int(s, 0);
	at_two = column_int(s, 1);
	db_close(db);
	files = take(p);
	one = files.db.data + (at_one - 1) * PAGE_BYTES;
	two = files.db.data + (at_two - 1) * PAGE_BYTES;
	memcpy(page, one, PAGE_BYTES);
	memcpy(one, two, PAGE_BYTES);
	memcpy(two, page, PAGE_BYTES);
	put(p, files);
	db = open_at(p);
	s = db_sql(db, "SELECT x FROM one");
	assert_int_equal(db_step(s), ERR_CORRUPT);
	db_close(db);
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

static void pages_cannot_change_places(void **state)
{
	struct place *p = *state, elsewhere = *p;
	struct pair files, foreign;
	uint8_t page[PAGE_BYTES];

	make(p, 100, 0);
	files = take(p);
	memcpy(page, files.db.data + PAGE_BYTES, PAGE_BYTES);
	memcpy(files.db.data + PAGE_BYTES, files.db.data + 2 * PAGE_BYTES, PAGE_BYTES);
	memcpy(files.db.data + 2 * PAGE_BYTES, page, PAGE_BYTES);
	put(p, files);
	assert_int_equal(read_all(p), ERR_CORRUPT);
	/* Nor can a page come from a store under another key. */
	memcpy(files.db.data + 2 * PAGE_BYTES, files.db.data + PAGE_BYTES, PAGE_BYTES);
	snprintf(elsewhere.path, sizeof elsewhere.path, "%s", p->other);
	snprintf(elsewhere.log, sizeof elsewhere.log, "%s-wal", p->other);
	elsewhere.config.path = elsewhere.path;
	elsewhere.config.key = &other_key;
	make(&elsewhere, 100, 0);
	foreign = take(&elsewhere);
	memcpy(files.db.data + PAGE_BYTES, foreign.db.data + PAGE_BYTES, PAGE_BYTES);
	put(p, files);
	assert_int_equal(read_all(p), ERR_CORRUPT);
	drop(&files);
	drop(&foreign);
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

static void a_journal_put_beside_the_store_is_not_played_back(void **state)
{
	struct place *p = *state;
	char journal[112];
	struct image planted = { calloc(1, 8192), 8192 };

	make(p, 20, 0);
	/* A hot journal by SQLite's rules: header, then one page to be written back. */
	memcpy(planted.data, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
	planted.data[11] = 1;    /* pages in it */
	planted.data[19] = 1;    /* size of the database then */
	planted.data[22] = 2;    /* sector size 512 */
	planted.data[26] = 0x10; /* page size 4096 */
	planted.data[512 + 3] = 1;
	snprintf(journal, sizeof journal, "%s-journal", p->path);
	store(journal, planted);
	assert_int_equal(read_all(p), 20);
	assert_int_equal(access(journal, F_OK), 0); /* nor is it removed: it is not ours */
	free(planted.data);
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

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(nothing_in_the_files_is_plain_text),
		IN_PLACE(two_equal_stores_are_different_bytes),
		IN_PLACE(another_key_is_refused_and_nothing_is_touched),
		IN_PLACE(a_plain_store_is_not_taken_for_a_sealed_one),
		IN_PLACE(a_damaged_first_page_is_told_from_another_key),
		IN_PLACE(a_torn_first_page_is_healed_from_the_log),
		IN_PLACE(any_flipped_bit_in_the_file_is_found),
		IN_PLACE(a_flipped_bit_in_the_log_loses_no_finished_message_in_silence),
		IN_PLACE(a_log_cut_anywhere_keeps_a_beginning),
		IN_PLACE(a_file_cut_anywhere_is_refused_and_stays),
		IN_PLACE(the_pages_of_two_tables_cannot_be_exchanged),
		IN_PLACE(a_frame_shows_its_page_number_and_nothing_else),
		IN_PLACE(pages_cannot_change_places),
		IN_PLACE(stores_with_keys_of_their_own_are_open_side_by_side),
		IN_PLACE(a_journal_put_beside_the_store_is_not_played_back),
		IN_PLACE(no_other_file_is_written_through_the_seal),
		IN_PLACE(a_small_cache_that_spills_changes_nothing),
		IN_PLACE(a_copy_and_a_vacuum_are_sealed_too),
		IN_PLACE(kill_9_loses_no_committed_row),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
