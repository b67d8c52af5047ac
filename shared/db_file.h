/* The file beneath a db: found, looked at, made, locked, verified, brought up to date and
 * copied. Only db uses it. */
#ifndef PALIQUE_SHARED_DB_FILE_H
#define PALIQUE_SHARED_DB_FILE_H

#include <sqlite3.h>

#include "shared/db.h"

struct db_file {
	sqlite3 *sqlite;
	uint64_t ticket; /* of db_seal; 0: plain */
};

/* As db_open(). On failure nothing is left open. */
int db_file_open(struct db_file *f, const struct db_config *c, char *reason,
		 size_t reason_size);
/* Every statement is finalized by then. Harmless on a zeroed one. */
void db_file_close(struct db_file *f);

/* As db_backup_begin() and so on; the end is told how it went. */
struct db_file_copy;
int db_file_copy_begin(const struct db_file *f, const char *path, bool durable,
		       struct db_file_copy **copy);
int db_file_copy_step(struct db_file_copy *copy, unsigned pages);
void db_file_copy_progress(const struct db_file_copy *copy, uint64_t *done, uint64_t *total);
int db_file_copy_end(struct db_file_copy *copy, int err);

/* SQLite's result codes, extended ones too, as ours; memory exhaustion aborts. */
int db_file_error(int code);
int db_file_exec(sqlite3 *sqlite, const char *sql);

#endif
