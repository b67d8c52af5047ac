#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/registry_inside.h"
#include "shared/error.h"
#include "shared/text.h"

/* The account without a name is the one that unknown names are answered with. */
static const char *const migrations[] = {
	"CREATE TABLE settings(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE accounts("
	"	id INTEGER PRIMARY KEY,"
	"	name TEXT NOT NULL UNIQUE,"
	"	record BLOB NOT NULL,"
	"	identity BLOB,"
	"	created INTEGER NOT NULL);"
	"CREATE TABLE devices("
	"	device BLOB PRIMARY KEY,"
	"	account INTEGER NOT NULL REFERENCES accounts(id),"
	"	number INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX devices_of ON devices(account, number);"
	"CREATE TABLE invites("
	"	hash BLOB PRIMARY KEY,"
	"	name TEXT,"
	"	uses INTEGER NOT NULL,"
	"	expires INTEGER NOT NULL) WITHOUT ROWID;",
	/* A device is enrolled under an account, not for the whole directory: who knows
	 * another's device key can enrol it as his own and keeps nobody out by that.
	 * An account from before device lists is as one made by the operator: its
	 * next login brings identity, list and vault. `recovery` is a random key where there
	 * is no code, so that all are answered by the same steps. */
	"DROP TABLE devices;"
	"CREATE TABLE enrolled("
	"	device BLOB NOT NULL,"
	"	account INTEGER NOT NULL REFERENCES accounts(id),"
	"	PRIMARY KEY(device, account)) WITHOUT ROWID;"
	"CREATE INDEX enrolled_of ON enrolled(account);"
	"UPDATE accounts SET identity = NULL;"
	"CREATE UNIQUE INDEX accounts_identity ON accounts(identity);"
	"ALTER TABLE accounts ADD COLUMN recovery BLOB;"
	"ALTER TABLE accounts ADD COLUMN recovery_wrap BLOB;"
	"ALTER TABLE accounts ADD COLUMN wrap BLOB;"
	"ALTER TABLE accounts ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE accounts ADD COLUMN is_suspended INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE accounts ADD COLUMN version INTEGER NOT NULL DEFAULT 0;" /* of devices */
	"ALTER TABLE accounts ADD COLUMN devices BLOB;"
	"CREATE TABLE vaults("
	"	account INTEGER PRIMARY KEY REFERENCES accounts(id),"
	"	version INTEGER NOT NULL,"
	"	signature BLOB NOT NULL,"
	"	size INTEGER NOT NULL,"
	"	sealed BLOB NOT NULL);"
	"ALTER TABLE invites ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;",
};

enum { DAY = 24 * 60 * 60 * 1000 };

/* --- the operator --- */

static int sqlite_list(struct registry *row,
		       bool (*each)(void *user, const struct registry_user *u), void *user)
{
	struct statement *s = db_sql(registry_self(row)->db,
				     "SELECT name, identity IS NOT NULL, created, is_suspended,"
				     " recovery_wrap IS NOT NULL,"
				     " (SELECT count(*) FROM enrolled WHERE account = id)"
				     " FROM accounts WHERE name <> '' ORDER BY name");
	int err;

	while ((err = db_step(s)) > 0) {
		struct registry_user u = { 0 };

		err = name_check(&u.name, bytes_text(column_text(s, 0))) < 0 ? ERR_CORRUPT : 0;
		if (err < 0)
			break;
		u.has_identity = column_int(s, 1);
		u.created = column_int(s, 2) * DAY;
		u.is_suspended = column_int(s, 3);
		u.has_recovery = column_int(s, 4);
		u.devices = (unsigned)column_int(s, 5);
		if (!each(user, &u))
			break;
	}
	db_done(s);
	return err < 0 ? err : 0;
}

static uint64_t sqlite_count(struct registry *row)
{
	struct statement *s = db_sql(registry_self(row)->db, "SELECT count(*) FROM accounts"
							     " WHERE name <> ''");
	uint64_t count = 0;

	if (db_step(s) > 0)
		count = column_int(s, 0);
	db_done(s);
	return count;
}

static enum ksf sqlite_ksf(struct registry *row)
{
	return registry_self(row)->ksf;
}

static int sqlite_bind_holder(struct registry *row, const uint8_t server_public[32])
{
	struct db *db = registry_self(row)->db;
	struct statement *s = db_sql(db, "SELECT value FROM settings WHERE key = 'holder'");
	uint8_t bound[32];
	int err = db_step(s);

	if (err > 0) {
		err = column_copy(s, 0, bound, sizeof bound);
		if (!err && memcmp(bound, server_public, sizeof bound) != 0)
			err = ERR_AUTH;
		db_done(s);
		return err;
	}
	db_done(s);
	if (err < 0)
		return err;
	s = db_sql(db, "INSERT INTO settings(key, value) VALUES('holder', ?1)");
	bind_bytes(s, 1, bytes_of(server_public, 32));
	err = db_run(s);
	return err < 0 ? err : 0;
}

static int sqlite_backup(struct registry *row, const char *path)
{
	return db_backup(registry_self(row)->db, path);
}

static void sqlite_hurry(struct registry *row)
{
	db_set_patience(registry_self(row)->db, REGISTRY_HURRY_MS);
}

static void sqlite_close(struct registry *row)
{
	struct registry_sqlite *r = registry_self(row);

	db_close(r->db);
	registry_answers_clear(r);
	free(r);
}

static const struct registry sqlite_row = {
	.next = registry_next,
	.invite = registry_invite,
	.invite_reset = registry_invite_reset,
	.invites = registry_invites,
	.revoke_invite = registry_revoke_invite,
	.list = sqlite_list,
	.count = sqlite_count,
	.ksf = sqlite_ksf,
	.bind_holder = sqlite_bind_holder,
	.backup = sqlite_backup,
	.hurry = sqlite_hurry,
	.close = sqlite_close,
};

/* --- the file --- */

static int open_file(struct db **db, const char *path, bool is_hasty, char *reason,
		     size_t reason_size)
{
	struct db_config config = {
		.path = path,
		.durable = !is_hasty,
		.shared = true,
		.migrations = migrations,
		.migration_count = sizeof migrations / sizeof migrations[0],
	};

	return db_open(db, &config, reason, reason_size);
}

static int fill(struct db *db, enum ksf ksf)
{
	uint8_t record[OPAQUE_RECORD_SIZE];
	struct statement *s;
	int err = db_begin(db);

	if (err < 0)
		return err;
	opaque_server_fake_record(record);
	s = db_sql(db, "INSERT INTO accounts(id, name, record, created) VALUES(0, '', ?1, 0)");
	bind_bytes(s, 1, BYTES(record));
	err = db_run(s);
	s = db_sql(db, "INSERT INTO settings(key, value) VALUES('ksf', ?1)");
	bind_int(s, 1, ksf);
	if (err >= 0)
		err = db_run(s);
	if (err >= 0)
		err = db_commit(db);
	if (err < 0)
		db_rollback(db);
	return err < 0 ? err : 0;
}

int registry_sqlite_create(const char *data, enum ksf ksf, char *reason, size_t reason_size)
{
	char path[PATH_MAX];
	struct db *db = NULL;
	mode_t before;
	int err;

	assert(ksf_is_known(ksf));
	if (snprintf(path, sizeof path, "%s/accounts.db", data) >= (int)sizeof path) {
		snprintf(reason, reason_size, _("The path of the data folder is too long."));
		return ERR_LIMIT;
	}
	if (access(path, F_OK) == 0) {
		snprintf(reason, reason_size, _("%s exists already; it is never written over."),
			 path);
		return ERR_EXISTS;
	}
	before = umask(077);
	err = open_file(&db, path, false, reason, reason_size);
	if (!err) {
		err = fill(db, ksf);
		if (err < 0)
			snprintf(reason, reason_size, _("%s cannot be written: %s."), path,
				 error_text(err));
		db_close(db);
	}
	umask(before);
	return err;
}

/* A key to check recovery codes against for every account that has none yet: those of an
 * earlier version, and the one without a name when it is new. */
static int fill_recovery(struct db *db)
{
	struct statement *s = db_sql(db, "SELECT 1 FROM accounts WHERE recovery IS NULL");
	struct identity nobody;
	int err = db_step(s);

	db_done(s);
	if (err <= 0)
		return err;
	identity_make(&nobody);
	s = db_sql(db, "UPDATE accounts SET recovery = ?1 WHERE recovery IS NULL");
	bind_bytes(s, 1, BYTES(nobody.public.bytes));
	err = db_run(s);
	identity_wipe(&nobody);
	return err < 0 ? err : 0;
}

/* What is read once. ERR_CORRUPT: it is not there. */
static int load(struct registry_sqlite *r)
{
	struct statement *s;
	int err = fill_recovery(r->db);

	if (err < 0)
		return err;
	s = db_sql(r->db, "SELECT value FROM settings WHERE key = 'ksf'");
	if (db_step(s) > 0)
		r->ksf = (enum ksf)column_int(s, 0);
	db_done(s);
	if (!ksf_is_known(r->ksf))
		return ERR_CORRUPT;
	s = db_sql(r->db, "SELECT record, recovery FROM accounts WHERE name = ''");
	err = db_step(s);
	if (err == 0)
		err = ERR_CORRUPT;
	if (err > 0)
		err = column_copy(s, 0, r->fake_record, sizeof r->fake_record);
	if (!err)
		err = column_copy(s, 1, r->fake_key, sizeof r->fake_key);
	db_done(s);
	return err;
}

int registry_sqlite_open(struct registry **out, const char *data, bool is_hasty, char *reason,
			 size_t reason_size)
{
	char path[PATH_MAX];
	struct registry_sqlite *r;
	struct db *db;
	int err;

	*out = NULL;
	err = snprintf(path, sizeof path, "%s/accounts.db", data);
	if (err >= (int)sizeof path || access(path, F_OK) != 0) {
		snprintf(reason, reason_size,
			 _("There is no directory in %s. Make one with: palique-directory init "
			   "--data %s"),
			 data, data);
		return ERR_NOT_FOUND;
	}
	err = open_file(&db, path, is_hasty, reason, reason_size);
	if (err < 0)
		return err;
	r = memory_new(sizeof *r);
	r->row = sqlite_row;
	registry_accounts_fill(&r->row);
	r->db = db;
	err = load(r);
	if (err < 0) {
		snprintf(
			reason, reason_size,
			err == ERR_CORRUPT
				? _("%s is not whole. It has been left as it is; bring back a "
				    "copy.")
				: _("%s cannot be read or written: %s. Look at the disk: full, "
				    "read-only or failing?"),
			path, error_text(err));
		sqlite_close(&r->row);
		return err;
	}
	*out = &r->row;
	return 0;
}
