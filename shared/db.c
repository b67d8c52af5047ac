#include "shared/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/db_seal.h"
#include "shared/error.h"
#include "shared/text.h"

enum {
	BUSY_TIMEOUT_MS = 5000,
	LOG_KEPT_BYTES = 16 << 20, /* a log grown larger is cut back after its checkpoint */
	STATEMENTS_FIRST = 64,     /* slots of the cache, a power of two */
	SUFFIX_MAX = 32,           /* "-wal", ".new-" and 16 digits */
};

struct statement {
	struct db *db;
	const char *sql;
	sqlite3_stmt *stmt;
	bool is_finished; /* stepped to its end or failed: must be bound anew */
};

struct db {
	sqlite3 *sqlite;
	uint64_t ticket;          /* of db_seal; 0: plain */
	struct statement **cache; /* open addressing by the literal's address */
	size_t cache_slots, cache_used;
	bool is_begun; /* by db_begin() */
	int lost;      /* SQLite rolled the transaction back by itself: why */
};

/* --- errors ------------------------------------------------------------------------ */

static int error_of(int code)
{
	if (code == SQLITE_IOERR_DATA) /* what db_seal says of a page that does not open */
		return ERR_CORRUPT;
	if (code == SQLITE_IOERR_NOMEM)
		abort();
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		abort();
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL: /* lost the race for the log's locks too often */
		return ERR_LOCKED;
	case SQLITE_FULL:
		return ERR_FULL;
	case SQLITE_CONSTRAINT:
		return ERR_EXISTS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
		return ERR_CORRUPT;
	case SQLITE_TOOBIG:
		return ERR_LIMIT;
	default:
		return ERR_IO;
	}
}

__attribute__((format(printf, 4, 5))) static int explain(char *reason, size_t size, int err,
							 const char *format, ...)
{
	va_list args;

	if (!reason || !size)
		return err;
	va_start(args, format);
	vsnprintf(reason, size, format, args);
	va_end(args);
	return err;
}

/* A sentence for a failure that SQLite or the VFS met. */
static int explain_failure(char *reason, size_t size, int err, const char *path)
{
	const char *shown = path ? path : ":memory:";

	switch (err) {
	case ERR_AUTH:
		return explain(reason, size, err, _("%s does not open with this key."), shown);
	case ERR_CORRUPT:
		return explain(reason, size, err,
			       _("%s is damaged. It has been left as it is."), shown);
	case ERR_LOCKED:
		return explain(reason, size, err, _("%s is in use by another process."), shown);
	case ERR_FULL:
		return explain(reason, size, err, _("There is no room left for %s."), shown);
	default:
		return explain(reason, size, err, _("%s cannot be opened: %s."), shown,
			       errno ? strerror(errno) : error_text(err));
	}
}

/* --- opening ----------------------------------------------------------------------- */

static int exec(sqlite3 *sqlite, const char *sql)
{
	return error_of(sqlite3_exec(sqlite, sql, NULL, NULL, NULL));
}

/* The first column of the first row: text that fits `out`, "" where there is none. */
static int exec_value(sqlite3 *sqlite, const char *sql, char *out, size_t size)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL);

	out[0] = 0;
	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		snprintf(out, size, "%s", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return error_of(code);
}

/* "file:" and the path with everything percent-encoded that a URI might understand. */
static char *uri_of(const char *path, uint64_t ticket)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789/._-";
	size_t room = strlen(path) * 3 + 64, used;
	char *uri = memory_new(room);

	used = (size_t)snprintf(uri, room, "file:");
	for (const char *c = path; *c; c++)
		used += (size_t)snprintf(uri + used, room - used,
					 strchr(plain, *c) ? "%c" : "%%%02X", (uint8_t)*c);
	/* psow: no frame of the log is ever written in two parts, see db_seal. */
	used += (size_t)snprintf(uri + used, room - used, "?psow=1");
	if (ticket)
		snprintf(uri + used, room - used, "&seal=%llu", (unsigned long long)ticket);
	return uri;
}

/* A connection with everything set that touches no file yet. */
static int connect_to(sqlite3 **out, const char *path, uint64_t ticket, bool read_only)
{
	int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
		    SQLITE_OPEN_EXRESCODE |
		    (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	char *uri = path ? uri_of(path, ticket) : memory_text(":memory:");
	int reserved = PAGE_RESERVED;
	sqlite3 *sqlite = NULL;
	int err;

	errno = 0;
	err = error_of(sqlite3_open_v2(uri, &sqlite, flags, ticket ? db_seal_vfs() : NULL));
	free(uri);
	if (err < 0)
		goto out;
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	/* Closing what turns out unreadable must not tidy its log away. */
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (ticket)
		err = error_of(sqlite3_file_control(sqlite, "main", SQLITE_FCNTL_RESERVE_BYTES,
						    &reserved));
	if (err == 0)
		err = exec(sqlite, "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"
				   "PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON");
out:
	if (err < 0) {
		sqlite3_close(sqlite);
		sqlite = NULL;
	}
	*out = sqlite;
	return err;
}

static void sync_folder_of(const char *path)
{
	char *folder = memory_text(path);
	char *slash = strrchr(folder, '/');
	int fd;

	if (slash)
		slash[slash == folder] = 0; /* "/x" is in "/" */
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd); /* some file systems have nothing to sync here */
		close(fd);
	}
	free(folder);
}

/* Gives a finished file its name unless the name is taken: ERR_EXISTS. */
static int take_name(const char *from, const char *path)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE) < 0) {
		if (errno == EEXIST)
			return ERR_EXISTS;
		if (errno != EINVAL && errno != ENOSYS)
			return ERR_IO;
		if (link(from, path) < 0) /* a file system without the flag */
			return errno == EEXIST ? ERR_EXISTS : ERR_IO;
		unlink(from);
	}
	sync_folder_of(path);
	return 0;
}

/* A name beside `path` that nobody else uses, as an empty file of mode 0600. */
static int fresh_file(char **name, const char *path)
{
	size_t room = strlen(path) + SUFFIX_MAX;
	char *fresh = memory_new(room);
	uint64_t unique;
	int fd;

	randombytes_buf(&unique, sizeof unique);
	snprintf(fresh, room, "%s.new-%016llx", path, (unsigned long long)unique);
	fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		free(fresh);
		return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
	}
	close(fd);
	*name = fresh;
	return 0;
}

/* An empty database in WAL mode. It gets its name only when it is whole and on disk, so
 * that an empty or half-made file under that name always means damage. */
static int create(const char *path, uint64_t ticket)
{
	sqlite3 *sqlite = NULL;
	char *fresh = NULL;
	char mode[16];
	int err = fresh_file(&fresh, path);

	if (err < 0)
		return err;
	err = connect_to(&sqlite, fresh, ticket, false);
	if (err < 0)
		goto out;
	err = exec(sqlite, "PRAGMA page_size=4096; PRAGMA synchronous=FULL;"
			   "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY");
	if (err == 0)
		err = exec_value(sqlite, "PRAGMA journal_mode=WAL", mode, sizeof mode);
	if (err == 0 && strcmp(mode, "wal") != 0)
		err = ERR_IO;
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	sqlite3_close(sqlite);
	if (err == 0)
		err = take_name(fresh, path);
	if (err == ERR_EXISTS) /* another process was faster: its database is as good */
		err = 0;
out:
	unlink(fresh);
	free(fresh);
	return err;
}

/* Looks at the files before SQLite does, for it takes an empty file for a new database
 * and then deletes the log beside it. */
static int look(const struct db_config *c, uint64_t ticket, char *reason, size_t size)
{
	size_t room = strlen(c->path) + SUFFIX_MAX;
	char *log = memory_new(room);
	struct stat st, log_st;
	bool has_log, exists;
	int err = 0;

	snprintf(log, room, "%s-wal", c->path);
	errno = 0;
	exists = stat(c->path, &st) == 0;
	if (!exists && errno != ENOENT)
		err = ERR_IO;
	has_log = stat(log, &log_st) == 0 && log_st.st_size > 0;
	free(log);
	if (err < 0)
		return explain_failure(reason, size, err, c->path);
	if (exists && !S_ISREG(st.st_mode))
		return explain(reason, size, ERR_IO, _("%s is not a file."), c->path);
	if (exists && st.st_size == 0)
		return explain(
			reason, size, ERR_CORRUPT,
			_("%s is empty: its contents are lost. It has been left as it is."),
			c->path);
	if (!exists && has_log)
		return explain(reason, size, ERR_CORRUPT,
			       _("%s is missing, but its log %s-wal is there."), c->path,
			       c->path);
	if (!exists && c->read_only)
		return explain(reason, size, ERR_NOT_FOUND, _("%s does not exist."), c->path);
	if (!exists)
		err = create(c->path, ticket);
	return err < 0 ? explain_failure(reason, size, err, c->path) : 0;
}

static int error_of_probe(enum db_seal_state state)
{
	switch (state) {
	case DB_SEAL_OTHER_KEY:
		return ERR_AUTH;
	case DB_SEAL_DAMAGED:
	case DB_SEAL_LOG_BROKEN:
		return ERR_CORRUPT;
	case DB_SEAL_UNREADABLE:
		return ERR_IO;
	default:
		return 0;
	}
}

/* Takes the lock and reads the first page and the schema: what cannot be read is found
 * out here, while nothing has been written. */
static int verify(sqlite3 *sqlite, const struct db_config *c, uint64_t *version)
{
	char text[32];
	int err = 0;

	/* A reader takes no exclusive lock: it may not even be allowed to. */
	if (c->path && !c->shared && !c->read_only)
		err = exec(sqlite, "PRAGMA locking_mode=EXCLUSIVE");
	if (err == 0 && c->shared)
		err = error_of(sqlite3_busy_timeout(sqlite, BUSY_TIMEOUT_MS));
	if (err == 0)
		err = exec_value(sqlite, "SELECT count(*) FROM sqlite_schema", text,
				 sizeof text);
	if (err == 0)
		err = exec_value(sqlite, "PRAGMA user_version", text, sizeof text);
	if (err < 0)
		return err;
	*version = strtoull(text, NULL, 10);
	if (!c->path || c->read_only)
		return 0;
	err = exec_value(sqlite, "PRAGMA journal_mode=WAL", text, sizeof text);
	if (err == 0 && strcmp(text, "wal") != 0)
		err = ERR_IO;
	/* The lock is ours from the first read on; taking the write lock once proves it. */
	if (err == 0 && !c->shared)
		err = exec(sqlite, "BEGIN EXCLUSIVE; COMMIT");
	return err;
}

static int settle(sqlite3 *sqlite, const struct db_config *c)
{
	char sql[128];

	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, c->read_only, NULL);
	snprintf(sql, sizeof sql, "PRAGMA synchronous=%s; PRAGMA journal_size_limit=%d",
		 c->durable ? "FULL" : "NORMAL", LOG_KEPT_BYTES);
	return exec(sqlite, sql);
}

/* Each script is one transaction with its number, so that none is ever done by half. In
 * a shared database another process may have been faster: the number is read again. */
static int migrate(sqlite3 *sqlite, const struct db_config *c, char *reason, size_t size)
{
	char text[64];
	int err = 0;

	for (unsigned i = 0; i < c->migration_count && err == 0; i++) {
		err = exec(sqlite, "BEGIN IMMEDIATE");
		if (err == 0)
			err = exec_value(sqlite, "PRAGMA user_version", text, sizeof text);
		if (err == 0 && strtoull(text, NULL, 10) <= i) {
			err = exec(sqlite, c->migrations[i]);
			snprintf(text, sizeof text, "PRAGMA user_version=%u", i + 1);
			if (err == 0)
				err = exec(sqlite, text);
			else
				explain(reason, size, err, "migration %u: %s", i + 1,
					sqlite3_errmsg(sqlite));
		}
		if (err == 0)
			err = exec(sqlite, "COMMIT");
		if (err < 0 && !sqlite3_get_autocommit(sqlite))
			(void)exec(sqlite, "ROLLBACK");
	}
	return err;
}

static int check_version(const struct db_config *c, uint64_t version, char *reason, size_t size)
{
	if (version > c->migration_count)
		return explain(reason, size, ERR_VERSION,
			       _("%s was made by a newer version of this program."), c->path);
	if (c->read_only && version < c->migration_count)
		return explain(reason, size, ERR_VERSION,
			       _("%s was made by an older version of this program."), c->path);
	return 0;
}

/* A connection to files that are there. */
static int open_existing(struct db *db, const struct db_config *c, uint64_t *version)
{
	enum db_seal_state state = DB_SEAL_OK;
	int err = 0;

	if (db->ticket)
		state = db_seal_probe(c->path, db->ticket, c->durable && !c->shared);
	if (state != DB_SEAL_LOG_BROKEN)
		err = error_of_probe(state);
	if (err == 0)
		err = connect_to(&db->sqlite, c->path, db->ticket, c->read_only);
	if (err == 0)
		err = verify(db->sqlite, c, version);
	/* A log that another process writes may look broken: that one has been excluded now. */
	return err < 0 ? err : error_of_probe(state);
}

int db_open(struct db **out, const struct db_config *c, char *reason, size_t reason_size)
{
	struct db *db = memory_new(sizeof *db);
	uint64_t version = 0;
	int err = 0;

	*out = NULL;
	explain(reason, reason_size, 0, "%s", "");
	if (sodium_init() < 0)
		abort();
	if (c->key && c->path)
		db->ticket = db_seal_lend(c->key);
	if (c->path)
		err = look(c, db->ticket, reason, reason_size);
	if (err < 0)
		goto out;
	err = open_existing(db, c, &version);
	if (err < 0) {
		explain_failure(reason, reason_size, err, c->path);
		goto out;
	}
	err = check_version(c, version, reason, reason_size);
	if (err < 0)
		goto out;
	err = settle(db->sqlite, c);
	if (err == 0 && version < c->migration_count)
		err = migrate(db->sqlite, c, reason, reason_size);
	if (err < 0) {
		if (reason && reason_size && !reason[0])
			explain_failure(reason, reason_size, err, c->path);
		goto out;
	}
	*out = db;
	db = NULL;
out:
	db_close(db);
	return err;
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
	if (db->sqlite) {
		int code = sqlite3_close(db->sqlite);

		assert(code == SQLITE_OK); /* every statement was ours */
		(void)code;
	}
	if (db->ticket)
		db_seal_return(db->ticket);
	free(db);
}

/* --- transactions ------------------------------------------------------------------ */

int db_begin(struct db *db)
{
	int err;

	assert(!db->is_begun);
	err = exec(db->sqlite, "BEGIN IMMEDIATE");
	db->is_begun = err == 0;
	db->lost = 0;
	return err;
}

int db_commit(struct db *db)
{
	int err = db->lost;

	assert(db->is_begun);
	if (err == 0)
		err = exec(db->sqlite, "COMMIT");
	if (err < 0)
		db_rollback(db);
	db->is_begun = false;
	db->lost = 0;
	return err;
}

void db_rollback(struct db *db)
{
	if (db->is_begun && !sqlite3_get_autocommit(db->sqlite))
		(void)exec(db->sqlite, "ROLLBACK");
	db->is_begun = false;
	db->lost = 0;
}

bool db_in_transaction(const struct db *db)
{
	return db->is_begun;
}

/* A full disk or a failing one makes SQLite roll back by itself. What follows must then
 * not be taken for statements of their own, each its own transaction. */
static int note(struct db *db, int code)
{
	int err = error_of(code);

	if (err < 0 && db->is_begun && !db->lost && sqlite3_get_autocommit(db->sqlite))
		db->lost = err;
	return err;
}

int db_exec(struct db *db, const char *sql)
{
	if (db->lost)
		return db->lost;
	return note(db, sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL));
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
	code = sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->stmt,
				  &rest);
	/* Not compiling is our mistake; a store that fails under us is not: db_step tells. */
	if ((code & 0xff) == SQLITE_ERROR)
		fprintf(stderr, "%s: %s\n", sqlite3_errmsg(db->sqlite), sql);
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
	return sqlite3_stmt_readonly(s->stmt) ? 0 : sqlite3_changes(s->db->sqlite);
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
	return sqlite3_last_insert_rowid(db->sqlite);
}

/* --- copies ------------------------------------------------------------------------ */

int db_backup(struct db *db, const char *path)
{
	sqlite3_backup *backup;
	sqlite3 *copy = NULL;
	char *fresh = NULL;
	char *log = NULL;
	size_t room;
	int err = fresh_file(&fresh, path);

	if (err < 0)
		return err;
	room = strlen(fresh) + SUFFIX_MAX;
	log = memory_new(room);
	snprintf(log, room, "%s-wal", fresh);
	err = connect_to(&copy, fresh, db->ticket, false);
	if (err < 0)
		goto out;
	err = exec(copy, "PRAGMA page_size=4096; PRAGMA synchronous=FULL;"
			 "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY");
	if (err < 0)
		goto out;
	backup = sqlite3_backup_init(copy, "main", db->sqlite, "main");
	if (backup)
		(void)sqlite3_backup_step(backup, -1);
	err = error_of(backup ? sqlite3_backup_finish(backup) : sqlite3_errcode(copy));
	sqlite3_db_config(copy, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	if (sqlite3_close(copy) == SQLITE_OK)
		copy = NULL;
	if (err == 0)
		err = take_name(fresh, path); /* never over a file that is there */
out:
	sqlite3_close(copy);
	unlink(log);
	unlink(fresh);
	free(log);
	free(fresh);
	return err;
}
