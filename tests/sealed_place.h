/* Included by a test of sealed databases, once: a place with a store in it, which has a finished
 * message in each row, and its files as bytes. */
#ifndef PALIQUE_TESTS_SEALED_PLACE_H
#define PALIQUE_TESTS_SEALED_PLACE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
{
	struct place *p = *state;
	char command[96];

	snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
	free(p);
	return system(command);
}

struct image {
	uint8_t *data;
	size_t size;
};

static inline struct image load(const char *path)
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

static inline void store(const char *path, struct image image)
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

static inline struct pair take(const struct place *p)
{
	return (struct pair){ load(p->path), load(p->log) };
}

static inline void put(const struct place *p, struct pair pair)
{
	store(p->path, pair.db);
	if (pair.log.data)
		store(p->log, pair.log);
	else
		unlink(p->log);
}

static inline void drop(struct pair *pair)
{
	free(pair->db.data);
	free(pair->log.data);
}

static inline void stays(const struct place *p, struct pair before)
{
	struct pair after = take(p);

	assert_int_equal(after.db.size, before.db.size);
	assert_memory_equal(after.db.data, before.db.data, before.db.size);
	assert_int_equal(after.log.size, before.log.size);
	if (before.log.size)
		assert_memory_equal(after.log.data, before.log.data, before.log.size);
	drop(&after);
}

static inline struct db *open_at(const struct place *p)
{
	struct db *db = NULL;
	char reason[256];
	int err = db_open(&db, &p->config, reason, sizeof reason);

	if (err < 0)
		print_message("%s\n", reason);
	assert_int_equal(err, 0);
	return db;
}

static inline int run_int(struct db *db, const char *sql, int64_t v)
{
	struct statement *s = db_sql(db, sql);

	bind_int(s, 1, v);
	return db_run(s);
}

/* One transaction that touches several pages more than once. */
static inline int say(struct db *db, int64_t n)
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

static inline int say_many(struct db *db, int64_t from, int64_t to)
{
	for (int64_t n = from; n <= to; n++) {
		int err = say(db, n);

		if (err < 0)
			return err;
	}
	return 0;
}

/* Everything read, each value known: the number of messages, or an error. */
static inline int64_t check_all(struct db *db)
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
static inline int64_t read_all(const struct place *p)
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
static inline void make(const struct place *p, int64_t checkpointed, int64_t logged)
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

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
