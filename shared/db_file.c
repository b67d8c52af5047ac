#include "shared/db_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/db_seal.h"
#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"

enum {
	LOG_KEPT_BYTES = 16 << 20, /* a log grown larger is cut back after its checkpoint */
	SUFFIX_MAX = 32,           /* "-wal", ".new-" and 16 digits */
};

/* --- errors ------------------------------------------------------------------------ */

int db_file_error(int code)
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

/* A sentence for a failure that SQLite or the VFS met; the error, which is ERR_FULL too where
 * SQLite only saw that a file beside its own could not be made. */
static int explain_failure(char *reason, size_t size, int err, const char *path)
{
	const char *shown = path ? path : ":memory:";
	int why = errno;

	if (err == ERR_IO && file_error() == ERR_FULL)
		err = ERR_FULL;
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
			       why ? strerror(why) : error_text(err));
	}
}

/* --- opening ----------------------------------------------------------------------- */

int db_file_exec(sqlite3 *sqlite, const char *sql)
{
	return db_file_error(sqlite3_exec(sqlite, sql, NULL, NULL, NULL));
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
	return db_file_error(code);
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
	err = db_file_error(
		sqlite3_open_v2(uri, &sqlite, flags, ticket ? db_seal_vfs() : NULL));
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
		err = db_file_error(sqlite3_file_control(
			sqlite, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved));
	if (err == 0)
		err = db_file_exec(sqlite, "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"
					   "PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON;"
					   "PRAGMA secure_delete=ON"); /* what goes is gone */
out:
	if (err < 0) {
		sqlite3_close(sqlite);
		sqlite = NULL;
	}
	*out = sqlite;
	return err;
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
		return file_error() == ERR_FULL ? ERR_FULL : ERR_IO;
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
	err = db_file_exec(sqlite, "PRAGMA page_size=4096; PRAGMA synchronous=FULL;"
				   "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY");
	if (err == 0)
		err = exec_value(sqlite, "PRAGMA journal_mode=WAL", mode, sizeof mode);
	if (err == 0 && strcmp(mode, "wal") != 0)
		err = ERR_IO;
	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	sqlite3_close(sqlite);
	if (err == 0)
		err = file_place(fresh, path, false);
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
		err = db_file_exec(sqlite, "PRAGMA locking_mode=EXCLUSIVE");
	if (err == 0 && c->shared)
		err = db_file_error(sqlite3_busy_timeout(sqlite, DB_PATIENCE_MS));
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
		err = db_file_exec(sqlite, "BEGIN EXCLUSIVE; COMMIT");
	return err;
}

static int settle(sqlite3 *sqlite, const struct db_config *c)
{
	char sql[128];

	sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, c->read_only, NULL);
	snprintf(sql, sizeof sql,
		 "PRAGMA synchronous=%s; PRAGMA journal_size_limit=%d;"
		 "PRAGMA wal_autocheckpoint=%d",
		 c->durable ? "FULL" : "NORMAL", LOG_KEPT_BYTES, DB_CHECKPOINT_PAGES);
	return db_file_exec(sqlite, sql);
}

/* Each script is one transaction with its number, so that none is ever done by half. In
 * a shared database another process may have been faster: the number is read again. */
static int migrate(sqlite3 *sqlite, const struct db_config *c, char *reason, size_t size)
{
	char text[64];
	int err = 0;

	for (unsigned i = 0; i < c->migration_count && err == 0; i++) {
		err = db_file_exec(sqlite, "BEGIN IMMEDIATE");
		if (err == 0)
			err = exec_value(sqlite, "PRAGMA user_version", text, sizeof text);
		if (err == 0 && strtoull(text, NULL, 10) <= i) {
			err = db_file_exec(sqlite, c->migrations[i]);
			snprintf(text, sizeof text, "PRAGMA user_version=%u", i + 1);
			if (err == 0)
				err = db_file_exec(sqlite, text);
			else
				explain(reason, size, err, "migration %u: %s", i + 1,
					sqlite3_errmsg(sqlite));
		}
		if (err == 0)
			err = db_file_exec(sqlite, "COMMIT");
		if (err < 0 && !sqlite3_get_autocommit(sqlite))
			(void)db_file_exec(sqlite, "ROLLBACK");
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
static int open_existing(struct db_file *f, const struct db_config *c, uint64_t *version)
{
	enum db_seal_state state = DB_SEAL_OK;
	int err = 0;

	if (f->ticket)
		state = db_seal_probe(c->path, f->ticket, c->durable && !c->shared);
	if (state != DB_SEAL_LOG_BROKEN)
		err = error_of_probe(state);
	if (err == 0)
		err = connect_to(&f->sqlite, c->path, f->ticket, c->read_only);
	if (err == 0)
		err = verify(f->sqlite, c, version);
	/* A log that another process writes may look broken: that one has been excluded now. */
	return err < 0 ? err : error_of_probe(state);
}

int db_file_open(struct db_file *f, const struct db_config *c, char *reason, size_t reason_size)
{
	uint64_t version = 0;
	int err = 0;

	*f = (struct db_file){ 0 };
	explain(reason, reason_size, 0, "%s", "");
	if (sodium_init() < 0)
		abort();
	if (c->key && c->path)
		f->ticket = db_seal_lend(c->key);
	if (c->path)
		err = look(c, f->ticket, reason, reason_size);
	if (err == 0)
		err = open_existing(f, c, &version);
	if (err == 0)
		err = check_version(c, version, reason, reason_size);
	if (err == 0)
		err = settle(f->sqlite, c);
	if (err == 0 && version < c->migration_count)
		err = migrate(f->sqlite, c, reason, reason_size);
	if (err < 0) {
		/* Whoever knew more has said it already. */
		if (!reason || !reason_size || !reason[0])
			err = explain_failure(reason, reason_size, err, c->path);
		db_file_close(f);
	}
	return err;
}

void db_file_close(struct db_file *f)
{
	int code = sqlite3_close(f->sqlite);

	assert(code == SQLITE_OK);
	(void)code;
	if (f->ticket)
		db_seal_return(f->ticket);
	*f = (struct db_file){ 0 };
}

/* --- copies ------------------------------------------------------------------------ */

struct db_file_copy {
	sqlite3_backup *backup;
	sqlite3 *sqlite; /* the copy's */
	char *path;      /* the name it is to get ... */
	char *fresh;     /* ... and the one it has until it is whole */
	uint64_t done, total;
};

static void copy_free(struct db_file_copy *copy)
{
	size_t room = strlen(copy->fresh) + SUFFIX_MAX;
	char *log = memory_new(room);

	snprintf(log, room, "%s-wal", copy->fresh);
	sqlite3_backup_finish(copy->backup);
	sqlite3_close(copy->sqlite);
	unlink(log);
	unlink(copy->fresh);
	free(log);
	free(copy->fresh);
	free(copy->path);
	free(copy);
}

int db_file_copy_begin(const struct db_file *f, const char *path, bool durable,
		       struct db_file_copy **out)
{
	struct db_file_copy *copy;
	char *fresh = NULL;
	int err;

	*out = NULL;
	if (access(path, F_OK) == 0)
		return ERR_EXISTS;
	err = fresh_file(&fresh, path);
	if (err < 0)
		return err;
	copy = memory_new(sizeof *copy);
	copy->fresh = fresh;
	copy->path = memory_text(path);
	err = connect_to(&copy->sqlite, fresh, f->ticket, false);
	if (err == 0)
		err = db_file_exec(copy->sqlite,
				   "PRAGMA page_size=4096;"
				   "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY");
	if (err == 0)
		err = db_file_exec(copy->sqlite, durable ? "PRAGMA synchronous=FULL"
							 : "PRAGMA synchronous=OFF");
	if (err == 0) {
		copy->backup = sqlite3_backup_init(copy->sqlite, "main", f->sqlite, "main");
		if (!copy->backup)
			err = db_file_error(sqlite3_errcode(copy->sqlite));
	}
	if (err < 0)
		copy_free(copy);
	else
		*out = copy;
	return err;
}

int db_file_copy_step(struct db_file_copy *copy, unsigned pages)
{
	int code = sqlite3_backup_step(copy->backup, pages > INT_MAX ? -1 : (int)pages);
	int total = sqlite3_backup_pagecount(copy->backup);

	copy->total = total > 0 ? (uint64_t)total : 0;
	copy->done = copy->total - (uint64_t)sqlite3_backup_remaining(copy->backup);
	if (code == SQLITE_OK)
		return 1;
	return code == SQLITE_DONE ? 0 : db_file_error(code);
}

void db_file_copy_progress(const struct db_file_copy *copy, uint64_t *done, uint64_t *total)
{
	*done = copy->done;
	*total = copy->total;
}

int db_file_copy_end(struct db_file_copy *copy, int err)
{
	int code = sqlite3_backup_finish(copy->backup);

	copy->backup = NULL;
	if (err == 0)
		err = db_file_error(code);
	sqlite3_db_config(copy->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	if (sqlite3_close(copy->sqlite) == SQLITE_OK)
		copy->sqlite = NULL;
	if (err == 0)
		err = file_place(copy->fresh, copy->path,
				 false); /* never over a file that is there */
	copy_free(copy);
	return err;
}
