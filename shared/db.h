/* SQLite at arm's length: open, migrate, bind, step, transaction. sqlite3.h is known
 * here, in the file beneath (db_file) and in the VFS beneath that (db_seal), nowhere else. */
#ifndef PALIQUE_SHARED_DB_H
#define PALIQUE_SHARED_DB_H

#include "shared/bytes.h"
#include "shared/keys.h"

struct db;

struct db_config {
	const char *path;                /* NULL: in memory */
	const struct symmetric_key *key; /* NULL: plain; else every page is sealed */
	bool durable; /* synchronous=FULL: a commit survives a power cut; else NORMAL */
	bool shared;  /* other processes use it too (see db_set_patience()); else exclusive */
	bool read_only;
	const char *const *migrations; /* SQL scripts; PRAGMA user_version counts those done */
	unsigned migration_count;
};

/* Makes what is not there (not for a reader: ERR_NOT_FOUND); brings the schema up to date.
 * ERR_AUTH: another key; ERR_CORRUPT: damaged, empty, or a log without its file: never
 * deleted or overwritten here; ERR_LOCKED; ERR_VERSION: made by a newer program, or by an
 * older one and opened by a reader; ERR_IO, ERR_FULL. On failure `reason` (may be NULL)
 * gets a sentence. Contents are not checked as a whole: a start must stay quick, and in a
 * sealed file each page is checked as it is read. While it is open the process must not
 * open and close the file by other means: closing drops its locks (fcntl(2)). */
int db_open(struct db **db, const struct db_config *config, char *reason, size_t reason_size);
void db_close(struct db *db);
/* How long a call waits, blocking, for a lock that another process has on a shared database
 * before it gives ERR_LOCKED, in milliseconds; DB_PATIENCE_MS until this is called. */
enum { DB_PATIENCE_MS = 5000 };
void db_set_patience(struct db *db, unsigned ms);

/* One transaction at a time; begin inside one is an assertion. The commit is what
 * makes things durable; when it fails, nothing of the transaction has happened. Once anything in
 * it failed, be it a query alone (what follows was decided without its answer), every step until the
 * commit and the commit itself give that error; a constraint (ERR_EXISTS) is no failure. */
int db_begin(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);
/* The first failure of any statement since this was asked last, also of a query whose result nobody
 * looked at; 0: none. */
int db_trouble(struct db *db);

/* Pages in the log before they go to their places by themselves, in the commit that made them so many. A page
 * written often goes there once, so more is faster; but after a crash the log is read, 3 ms for each
 * MB, and such a commit takes 100 ms. */
enum { DB_CHECKPOINT_PAGES = 2000 };
/* Now, if they are `pages` or more: for who writes much and may choose when to wait. Not inside a transaction
 * (an assertion). False: there was nothing to do. What cannot be written stays in the log. */
bool db_checkpoint(struct db *db, unsigned pages);

/* A statement prepared once and kept; `sql` must live as long as the db (a literal). Asserts
 * on SQL that does not compile. Resets it and clears its bindings. Parameters from 1. */
struct statement;
struct statement *db_sql(struct db *db, const char *sql);
void bind_int(struct statement *s, int at, int64_t v);
/* A blob; not copied: must live until done. */
void bind_bytes(struct statement *s, int at, struct bytes b);
void bind_text(struct statement *s, int at, const char *text); /* copied; NULL: null */
void bind_null(struct statement *s, int at);
/* 1: a row, 0: done, else an error (ERR_EXISTS: a constraint, ERR_FULL, ERR_IO, ERR_CORRUPT, ERR_LOCKED). */
int db_step(struct statement *s);
/* Runs to the end and resets; number of rows changed or an error. */
int db_run(struct statement *s);
void db_done(struct statement *s); /* reset: always after the last db_step of a query */
int64_t column_int(struct statement *s, int at);        /* from 0 */
struct bytes column_bytes(struct statement *s, int at); /* until the next step or reset */
const char *column_text(struct statement *s, int at);   /* "" for null */
bool column_is_null(struct statement *s, int at);
/* Exactly, or ERR_CORRUPT. */
int column_copy(struct statement *s, int at, void *out, size_t size);

int64_t db_last_id(struct db *db);
/* Rows that were changed since it was opened, those of an FTS5 table's own tables among them. */
int64_t db_changes(const struct db *db);
/* Each word of a text in order, as an FTS5 table with "unicode61 remove_diacritics 2" takes it: folded
 * (valid until `each` returns), and where in the text it stands. Return false to stop. Text that is not
 * UTF-8 is walked, too. ERR_LIMIT: longer than 2 GiB. */
typedef bool db_each_word(void *user, struct bytes word, size_t start, size_t end);
int db_words_each(struct db *db, struct bytes text, db_each_word *each, void *user);
int db_exec(struct db *db, const char *sql);
/* Online copy into a new file sealed with the same key (or plain if plain). ERR_EXISTS: a
 * file of that name is there and stays. */
int db_backup(struct db *db, const char *path);

/* The same in slices, so that who writes meanwhile need not wait: what is written through `db`
 * between two slices is in the copy too, which is the database as it is at the last slice (a
 * transaction undone meanwhile makes it begin anew).
 * ERR_EXISTS at once or at the end, as above. Without `durable` it is not waited for the disk, which
 * for a large copy takes seconds at the end: for one that is read and thrown away. */
struct db_copy;
int db_backup_begin(struct db *db, const char *path, bool durable, struct db_copy **copy);
/* 1: there is more, 0: all is copied, or an error; then only the end is left. Not inside a
 * transaction (an assertion). */
int db_backup_step(struct db_copy *copy, unsigned pages);
/* How much of it is done, in pages. */
void db_backup_progress(const struct db_copy *copy, uint64_t *done, uint64_t *total);
/* When all is copied the file gets its name, whole and on disk; otherwise nothing is left of it.
 * Frees. 0, or why there is no copy (ERR_CLOSED: given up). Before db_close(). */
int db_backup_end(struct db_copy *copy);

#endif
