#include <string.h>

#include "directory/registry_inside.h"
#include "shared/error.h"

/* "ok", and nothing else, is what SQLite says of a database that is whole. */
static int integrity(struct db *db)
{
	struct statement *s = db_sql(db, "PRAGMA integrity_check(1)");
	int err = db_step(s);

	if (err > 0)
		err = strcmp(column_text(s, 0), "ok") == 0 ? 0 : ERR_CORRUPT;
	db_done(s);
	return err;
}

/* A row is told for each reference to what is not there. */
static int references(struct db *db)
{
	struct statement *s = db_sql(db, "PRAGMA foreign_key_check");
	int err = db_step(s);

	db_done(s);
	return err > 0 ? ERR_CORRUPT : err;
}

int registry_sqlite_check(struct registry *r)
{
	struct db *db = registry_self(r)->db;
	int err = integrity(db);

	return err < 0 ? err : references(db);
}
