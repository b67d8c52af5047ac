#include "shared/db.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/db_file.h"
#include "shared/db_words.h"
#include "shared/error.h"

enum { STATEMENTS_FIRST = 64 }; /* slots of the cache, a power of two */

struct statement {
	struct db *db;
	const char *sql;
	sqlite3_stmt *stmt;
	bool is_finished; /* stepped to its end or failed: must be bound anew */
};

struct db {
	struct db_file file;
	struct statement **cache; /* open addressing by the literal's address */
	size_t cache_slots, cache_used;
	struct db_words *words; /* NULL: not needed yet */
	bool is_begun;          /* by db_begin() */
	int lost;               /* the transaction cannot be committed any more: why */
	int trouble;            /* the first failure since db_trouble() */
	unsigned log_pages;     /* that have not gone to their places */
};

static void checkpoint(struct db *db)
{
	db->log_pages = 0;
	(void)sqlite3_wal_checkpoint_v2(db->file.sqlite, "main", SQLITE_CHECKPOINT_PASSIVE,
					NULL, NULL);
}

static int on_commit(void *user, sqlite3 *sqlite, const char *name, int pages)
{
	struct db *db = user;

	(void)sqlite;
	(void)name;
	db->log_pages = (unsigned)pages;
	if (pages >= DB_CHECKPOINT_PAGES)
		checkpoint(db);
	return SQLITE_OK;
}

int db_open(struct db **out, const struct db_config *config, char *reason, size_t reason_size)
{
	struct db_file file;
	int err = db_file_open(&file, config, reason, reason_size);

	*out = NULL;
	if (err < 0)
		return err;
	*out = memory_new(sizeof **out);
	(*out)->file = file;
	sqlite3_wal_hook(file.sqlite, on_commit, *out);
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < db->cache_slots; i++) {
		if (!db->cache[i])
			continue;
		sqlite3_finalize(db->cache[i]->stmt);
		free(db->cache[i]);
	}
	free(db->cache);
	db_words_free(db->words);
	db_file_close(&db->file);
	free(db);
}

void db_set_patience(struct db *db, unsigned ms)
{
	sqlite3_busy_timeout(db->file.sqlite, (int)ms);
}

/* --- transactions ------------------------------------------------------------------ */

int db_begin(struct db *db)
{
	int err;

	assert(!db->is_begun);
	err = db_file_exec(db->file.sqlite, "BEGIN IMMEDIATE");
	db->is_begun = err == 0;
	db->lost = 0;
	return err;
}

int db_trouble(struct db *db)
{
	int err = db->trouble;

	db->trouble = 0;
	return err;
}

int db_commit(struct db *db)
{
	int err = db->lost;

	assert(db->is_begun);
	if (err == 0)
		err = db_file_exec(db->file.sqlite, "COMMIT");
	if (err < 0)
		db_rollback(db);
	db->is_begun = false;
	db->lost = 0;
	return err;
}

void db_rollback(struct db *db)
{
	if (db->is_begun && !sqlite3_get_autocommit(db->file.sqlite))
		(void)db_file_exec(db->file.sqlite, "ROLLBACK");
	db->is_begun = false;
	db->lost = 0;
}

bool db_in_transaction(const struct db *db)
{
	return db->is_begun;
}

bool db_checkpoint(struct db *db, unsigned pages)
{
	assert(!db->is_begun);
	if (db->log_pages == 0 || db->log_pages < pages)
		return false;
	checkpoint(db);
	return true;
}

/* A full disk or a failing one makes SQLite roll back by itself. What follows must then
 * not be taken for statements of their own, each its own transaction. */
static int note(struct db *db, int code)
{
	int err = db_file_error(code);

	/* What SQLite does not understand is a face's query that is not one, no fault of the store. */
	if (err == 0 || err == ERR_EXISTS || (code & 0xff) == SQLITE_ERROR)
		return err;
	if (db->is_begun && !db->lost)
		db->lost = err;
	if (!db->trouble)
		db->trouble = err;
	return err;
}

int db_exec(struct db *db, const char *sql)
{
	if (db->lost)
		return db->lost;
	return note(db, sqlite3_exec(db->file.sqlite, sql, NULL, NULL, NULL));
}

/* --- statements -------------------------------------------------------------------- */

static struct statement **slot_of(struct statement **cache, size_t slots, const char *sql)
{
	size_t i = (size_t)(((uintptr_t)sql * 0x9e3779b97f4a7c15u) >> 20) & (slots - 1);

	while (cache[i] && cache[i]->sql != sql)
		i = (i + 1) & (slots - 1);
	return &cache[i];
}

static void grow_cache(struct db *db)
{
	size_t slots = db->cache_slots ? db->cache_slots * 2 : STATEMENTS_FIRST;
	struct statement **cache = memory_array(slots, sizeof(struct statement *));

	for (size_t i = 0; i < db->cache_slots; i++)
		if (db->cache[i])
			*slot_of(cache, slots, db->cache[i]->sql) = db->cache[i];
	free(db->cache);
	db->cache = cache;
	db->cache_slots = slots;
}

static struct statement *prepare(struct db *db, const char *sql)
{
	struct statement *s = memory_new(sizeof *s);
	const char *rest = NULL;
	int code;

	s->db = db;
	s->sql = sql;
	code = sqlite3_prepare_v3(db->file.sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->stmt,
				  &rest);
	/* Not compiling is our mistake; a store that fails under us is not: db_step tells. */
	if ((code & 0xff) == SQLITE_ERROR)
		fprintf(stderr, "%s: %s\n", sqlite3_errmsg(db->file.sqlite), sql);
	assert((code & 0xff) != SQLITE_ERROR);
	if (code != SQLITE_OK)
		(void)note(db, code);
	return s;
}

struct statement *db_sql(struct db *db, const char *sql)
{
	struct statement **slot;

	if (db->cache_used * 2 >= db->cache_slots)
		grow_cache(db);
	slot = slot_of(db->cache, db->cache_slots, sql);
	if (*slot && !(*slot)->stmt) { /* could not be read then; perhaps now */
		free(*slot);
		*slot = prepare(db, sql);
	} else if (!*slot) {
		*slot = prepare(db, sql);
		db->cache_used++;
	}
	sqlite3_reset((*slot)->stmt);
	sqlite3_clear_bindings((*slot)->stmt);
	(*slot)->is_finished = false;
	return *slot;
}

/* A parameter that the statement does not have is our mistake. */
static void bound(const struct statement *s, int code)
{
	if (!s->stmt)
		return;
	if (code == SQLITE_NOMEM)
		abort();
	assert(code == SQLITE_OK);
}

void bind_int(struct statement *s, int at, int64_t v)
{
	bound(s, sqlite3_bind_int64(s->stmt, at, v));
}

void bind_bytes(struct statement *s, int at, struct bytes b)
{
	/* A null pointer would bind NULL: no bytes are a blob too. */
	const void *data = b.size ? (const void *)b.data : "";

	bound(s, sqlite3_bind_blob64(s->stmt, at, data, b.size, SQLITE_STATIC));
}

void bind_text(struct statement *s, int at, const char *text)
{
	bound(s, text ? sqlite3_bind_text(s->stmt, at, text, -1, SQLITE_TRANSIENT)
		      : sqlite3_bind_null(s->stmt, at));
}

void bind_null(struct statement *s, int at)
{
	bound(s, sqlite3_bind_null(s->stmt, at));
}

int db_step(struct statement *s)
{
	struct db *db = s->db;
	int code, err;

	if (db->lost)
		return db->lost;
	if (s->is_finished)
		return 0;
	if (!s->stmt)
		return ERR_IO;
	code = sqlite3_step(s->stmt);
	if (code == SQLITE_ROW)
		return 1;
	err = note(db, code);
	db_done(s); /* holds no lock and no borrowed bytes from here on */
	return err;
}

int db_run(struct statement *s)
{
	int result;

	do
		result = db_step(s);
	while (result > 0);
	if (result < 0)
		return result;
	return sqlite3_stmt_readonly(s->stmt) ? 0 : sqlite3_changes(s->db->file.sqlite);
}

void db_done(struct statement *s)
{
	sqlite3_reset(s->stmt);
	sqlite3_clear_bindings(s->stmt);
	s->is_finished = true;
}

int64_t column_int(struct statement *s, int at)
{
	return sqlite3_column_int64(s->stmt, at);
}

struct bytes column_bytes(struct statement *s, int at)
{
	const void *data = sqlite3_column_blob(s->stmt,
					       at); /* before the size: it may convert */

	return bytes_of(data, (size_t)sqlite3_column_bytes(s->stmt, at));
}

const char *column_text(struct statement *s, int at)
{
	const char *text = (const char *)sqlite3_column_text(s->stmt, at);

	return text ? text : "";
}

bool column_is_null(struct statement *s, int at)
{
	return sqlite3_column_type(s->stmt, at) == SQLITE_NULL;
}

int column_copy(struct statement *s, int at, void *out, size_t size)
{
	struct bytes b = column_bytes(s, at);

	if (b.size != size)
		return ERR_CORRUPT;
	if (size)
		memcpy(out, b.data, size);
	return 0;
}

int64_t db_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->file.sqlite);
}

int64_t db_changes(const struct db *db)
{
	return sqlite3_total_changes64(db->file.sqlite);
}

int db_words_each(struct db *db, struct bytes text, db_each_word *each, void *user)
{
	if (!db->words)
		db->words = db_words_new(db->file.sqlite);
	assert(db->words); /* the schema has FTS5 tables */
	return db_words_walk(db->words, text, each, user);
}

struct db_copy {
	struct db *db;
	struct db_file_copy *file;
	int state; /* as db_backup_step() returns it */
};

int db_backup_begin(struct db *db, const char *path, bool durable, struct db_copy **out)
{
	struct db_file_copy *file;
	int err = db_file_copy_begin(&db->file, path, durable, &file);

	*out = NULL;
	if (err < 0)
		return err;
	*out = memory_new(sizeof **out);
	**out = (struct db_copy){ .db = db, .file = file, .state = 1 };
	return 0;
}

int db_backup_step(struct db_copy *copy, unsigned pages)
{
	assert(!copy->db->is_begun);
	if (copy->state == 1)
		copy->state = db_file_copy_step(copy->file, pages);
	return copy->state;
}

void db_backup_progress(const struct db_copy *copy, uint64_t *done, uint64_t *total)
{
	db_file_copy_progress(copy->file, done, total);
}

int db_backup_end(struct db_copy *copy)
{
	int err = copy->state == 1 ? ERR_CLOSED : copy->state;

	err = db_file_copy_end(copy->file, err);
	free(copy);
	return err;
}

int db_backup(struct db *db, const char *path)
{
	struct db_copy *copy;
	int err = db_backup_begin(db, path, true, &copy);

	if (err < 0)
		return err;
	while (db_backup_step(copy, UINT32_MAX) > 0)
		;
	return db_backup_end(copy);
}
