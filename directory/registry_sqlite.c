#include <assert.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/registry.h"
#include "shared/db.h"
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
};

struct registry_sqlite {
	struct registry row;
	struct db *db;
	enum ksf ksf;
	struct registry_answer *answers; /* a ring */
	size_t first, count, room;
};

enum { DAY = 24 * 60 * 60 * 1000 };

static struct registry_sqlite *self(struct registry *r)
{
	return (struct registry_sqlite *)r;
}

static void answer(struct registry_sqlite *r, const struct registry_answer *a)
{
	if (r->count == r->room) {
		size_t room = r->room ? r->room * 2 : 16;
		struct registry_answer *grown = memory_array(room, sizeof *grown);

		for (size_t i = 0; i < r->count; i++)
			grown[i] = r->answers[(r->first + i) % r->room];
		free(r->answers);
		r->answers = grown;
		r->room = room;
		r->first = 0;
	}
	r->answers[(r->first + r->count++) % r->room] = *a;
}

static bool sqlite_next(struct registry *row, struct registry_answer *out)
{
	struct registry_sqlite *r = self(row);

	if (!r->count)
		return false;
	*out = r->answers[r->first];
	r->first = (r->first + 1) % r->room;
	r->count--;
	return true;
}

/* --- invitations --- */

struct invite_hash {
	uint8_t bytes[32];
};

/* Only the hash of a code is stored: who reads the file can use none. */
static struct invite_hash hash_of(struct bytes code)
{
	struct invite_hash h;

	crypto_generichash(h.bytes, sizeof h.bytes, code.data, code.size, NULL, 0);
	return h;
}

static int check_invite(struct registry_sqlite *r, struct bytes code, const struct name *name,
			wall_ms now)
{
	struct invite_hash hash = hash_of(code);
	struct statement *s = db_sql(r->db,
				     "SELECT name, uses, expires FROM invites WHERE hash = ?1");
	int err;

	bind_bytes(s, 1, BYTES(hash.bytes));
	err = db_step(s);
	if (err == 0)
		err = ERR_REFUSED;
	if (err < 0)
		goto out;
	err = ERR_REFUSED;
	if (!column_is_null(s, 0) && strcmp(column_text(s, 0), name->text) != 0)
		goto out;
	err = ERR_EXPIRED;
	if (column_int(s, 1) < 1 || column_int(s, 2) <= now)
		goto out;
	err = 0;
out:
	db_done(s);
	return err;
}

static int use_invite(struct registry_sqlite *r, struct bytes code)
{
	struct invite_hash hash = hash_of(code);
	struct statement *s = db_sql(r->db,
				     "UPDATE invites SET uses = uses - 1 WHERE hash = ?1");
	int n;

	bind_bytes(s, 1, BYTES(hash.bytes));
	n = db_run(s);
	return n < 0 ? n : 0;
}

static int sqlite_invite(struct registry *row, const char *code, const struct name *only,
			 unsigned uses, wall_ms expires, wall_ms now)
{
	struct registry_sqlite *r = self(row);
	struct invite_hash hash = hash_of(bytes_text(code));
	struct statement *s;
	int err;

	assert(uses >= 1 && uses <= REGISTRY_INVITE_USES_MAX);
	err = db_begin(r->db);
	if (err < 0)
		return err;
	s = db_sql(r->db, "DELETE FROM invites WHERE expires <= ?1 OR uses < 1");
	bind_int(s, 1, now - 30 * (wall_ms)DAY); /* so long it is told "expired", not "none" */
	err = db_run(s);
	s = db_sql(r->db,
		   "INSERT INTO invites(hash, name, uses, expires) VALUES(?1, ?2, ?3, ?4)");
	bind_bytes(s, 1, BYTES(hash.bytes));
	bind_text(s, 2, only ? only->text : NULL);
	bind_int(s, 3, uses);
	bind_int(s, 4, expires);
	if (err >= 0)
		err = db_run(s);
	if (err >= 0)
		err = db_commit(r->db);
	if (err < 0)
		db_rollback(r->db);
	return err < 0 ? err : 0;
}

/* --- accounts --- */

static int check_free(struct registry_sqlite *r, const struct name *name)
{
	struct statement *s = db_sql(r->db, "SELECT 1 FROM accounts WHERE name = ?1");
	int err;

	bind_text(s, 1, name->text);
	err = db_step(s);
	db_done(s);
	return err > 0 ? ERR_EXISTS : err;
}

static void sqlite_may_register(struct registry *row, uint64_t ticket, const struct name *name,
				bool needs_invite, struct bytes invite, wall_ms now)
{
	struct registry_sqlite *r = self(row);
	struct registry_answer a = { .ticket = ticket, .name = *name };

	if (needs_invite)
		a.err = check_invite(r, invite, name, now);
	if (!a.err)
		a.err = check_free(r, name);
	answer(r, &a);
}

static int add_account(struct registry_sqlite *r, const struct registry_new *account,
		       wall_ms now)
{
	struct statement *s = db_sql(r->db,
				     "INSERT INTO accounts(name, record, identity, created)"
				     " VALUES(?1, ?2, ?3, ?4)");
	int n;

	bind_text(s, 1, account->name.text);
	bind_bytes(s, 2, BYTES(account->record));
	if (account->has_identity)
		bind_bytes(s, 3, BYTES(account->certificate.identity.bytes));
	else
		bind_null(s, 3);
	bind_int(s, 4, now / DAY);
	n = db_run(s);
	return n < 0 ? n : 0;
}

/* ERR_EXISTS: the device is another account's. One that is this account's stays. */
static int add_device(struct registry_sqlite *r, int64_t account,
		      const struct device_public *device)
{
	struct statement *s;
	int err;

	s = db_sql(r->db, "SELECT account FROM devices WHERE device = ?1");
	bind_bytes(s, 1, BYTES(device->bytes));
	err = db_step(s);
	if (err > 0)
		err = column_int(s, 0) == account ? 1 : ERR_EXISTS;
	db_done(s);
	if (err)
		return err < 0 ? err : 0;

	s = db_sql(r->db, "DELETE FROM devices WHERE account = ?1 AND device NOT IN"
			  " (SELECT device FROM devices WHERE account = ?1"
			  " ORDER BY number DESC LIMIT ?2)");
	bind_int(s, 1, account);
	bind_int(s, 2, REGISTRY_DEVICES_MAX - 1);
	err = db_run(s);
	if (err < 0)
		return err;
	s = db_sql(r->db,
		   "INSERT INTO devices(device, account, number) VALUES(?1, ?2,"
		   " (SELECT coalesce(max(number), 0) + 1 FROM devices WHERE account = ?2))");
	bind_bytes(s, 1, BYTES(device->bytes));
	bind_int(s, 2, account);
	err = db_run(s);
	return err < 0 ? err : 0;
}

static int create(struct registry_sqlite *r, const struct registry_new *account, wall_ms now)
{
	int err = 0;

	if (account->needs_invite)
		err = check_invite(r, account->invite, &account->name, now);
	if (!err)
		err = check_free(r, &account->name);
	if (!err)
		err = add_account(r, account, now);
	if (!err && account->has_identity)
		err = add_device(r, db_last_id(r->db), &account->certificate.device);
	if (!err && account->needs_invite)
		err = use_invite(r, account->invite);
	return err;
}

static void sqlite_create(struct registry *row, uint64_t ticket,
			  const struct registry_new *account, wall_ms now)
{
	struct registry_sqlite *r = self(row);
	struct registry_answer a = { .ticket = ticket, .name = account->name };

	a.err = db_begin(r->db);
	if (!a.err) {
		a.err = create(r, account, now);
		if (!a.err)
			a.err = db_commit(r->db);
		if (a.err)
			db_rollback(r->db);
	}
	answer(r, &a);
}

static void sqlite_find(struct registry *row, uint64_t ticket, const struct name *name)
{
	struct registry_sqlite *r = self(row);
	struct registry_answer a = { .ticket = ticket, .name = *name };
	/* Both rows are looked up whether the first exists or not; a real name sorts last. */
	struct statement *s = db_sql(r->db,
				     "SELECT name <> '', record, identity FROM accounts"
				     " WHERE name IN ('', ?1) ORDER BY name DESC LIMIT 1");

	bind_text(s, 1, name->text);
	a.err = db_step(s);
	if (a.err == 0)
		a.err = ERR_CORRUPT; /* the fake record is gone */
	if (a.err > 0) {
		a.is_found = column_int(s, 0);
		a.err = column_copy(s, 1, a.record, sizeof a.record);
		a.has_identity = !column_is_null(s, 2);
		if (!a.err && a.has_identity)
			a.err = column_copy(s, 2, a.identity.bytes, sizeof a.identity.bytes);
	}
	db_done(s);
	answer(r, &a);
}

static int enrol(struct registry_sqlite *r, const struct name *name,
		 const struct certificate *c)
{
	struct statement *s;
	int64_t account;
	bool is_ours, has_identity;
	int err;

	s = db_sql(r->db, "SELECT id, identity IS NOT NULL, identity IS ?2 FROM accounts"
			  " WHERE name = ?1");
	bind_text(s, 1, name->text);
	bind_bytes(s, 2, BYTES(c->identity.bytes));
	err = db_step(s);
	if (err <= 0) {
		db_done(s);
		return err < 0 ? err : ERR_AUTH;
	}
	account = column_int(s, 0);
	has_identity = column_int(s, 1);
	is_ours = column_int(s, 2);
	db_done(s);
	if (has_identity && !is_ours)
		return ERR_AUTH;
	if (!has_identity) {
		s = db_sql(r->db, "UPDATE accounts SET identity = ?2 WHERE id = ?1");
		bind_int(s, 1, account);
		bind_bytes(s, 2, BYTES(c->identity.bytes));
		err = db_run(s);
		if (err < 0)
			return err;
	}
	err = add_device(r, account, &c->device);
	return err == ERR_EXISTS ? ERR_AUTH : err;
}

static void sqlite_enrol(struct registry *row, uint64_t ticket, const struct name *name,
			 const struct certificate *certificate, wall_ms now)
{
	struct registry_sqlite *r = self(row);
	struct registry_answer a = { .ticket = ticket, .name = *name };

	(void)now;
	a.err = db_begin(r->db);
	if (!a.err) {
		a.err = enrol(r, name, certificate);
		if (!a.err)
			a.err = db_commit(r->db);
		if (a.err)
			db_rollback(r->db);
	}
	answer(r, &a);
}

static void sqlite_device(struct registry *row, uint64_t ticket,
			  const struct device_public *device)
{
	struct registry_sqlite *r = self(row);
	struct registry_answer a = { .ticket = ticket };
	struct statement *s = db_sql(r->db, "SELECT a.name, a.identity FROM devices d"
					    " JOIN accounts a ON a.id = d.account"
					    " WHERE d.device = ?1");

	bind_bytes(s, 1, BYTES(device->bytes));
	a.err = db_step(s);
	if (a.err == 0)
		a.err = ERR_NOT_FOUND;
	if (a.err > 0) {
		a.is_found = a.has_identity = true;
		a.err = name_check(&a.name, bytes_text(column_text(s, 0))) < 0 ? ERR_CORRUPT
									       : 0;
		if (!a.err)
			a.err = column_copy(s, 1, a.identity.bytes, sizeof a.identity.bytes);
	}
	db_done(s);
	answer(r, &a);
}

/* --- the operator --- */

static int remove_rows(struct registry_sqlite *r, const struct name *name)
{
	struct statement *s;
	int n;

	s = db_sql(r->db, "DELETE FROM devices WHERE account ="
			  " (SELECT id FROM accounts WHERE name = ?1)");
	bind_text(s, 1, name->text);
	n = db_run(s);
	if (n < 0)
		return n;
	s = db_sql(r->db, "DELETE FROM accounts WHERE name = ?1");
	bind_text(s, 1, name->text);
	n = db_run(s);
	return n < 0 ? n : n ? 0 : ERR_NOT_FOUND;
}

static int sqlite_remove(struct registry *row, const struct name *name)
{
	struct registry_sqlite *r = self(row);
	int err = db_begin(r->db);

	if (err < 0)
		return err;
	err = remove_rows(r, name);
	if (!err)
		err = db_commit(r->db);
	if (err)
		db_rollback(r->db);
	return err;
}

static int sqlite_list(struct registry *row,
		       bool (*each)(void *user, const struct registry_user *u), void *user)
{
	struct registry_sqlite *r = self(row);
	struct statement *s = db_sql(r->db, "SELECT name, identity IS NOT NULL, created,"
					    " (SELECT count(*) FROM devices WHERE account = id)"
					    " FROM accounts WHERE name <> '' ORDER BY name");
	int err;

	while ((err = db_step(s)) > 0) {
		struct registry_user u = { 0 };

		err = name_check(&u.name, bytes_text(column_text(s, 0))) < 0 ? ERR_CORRUPT : 0;
		if (err < 0)
			break;
		u.has_identity = column_int(s, 1);
		u.created = column_int(s, 2) * DAY;
		u.devices = column_int(s, 3);
		if (!each(user, &u))
			break;
	}
	db_done(s);
	return err < 0 ? err : 0;
}

static uint64_t sqlite_count(struct registry *row)
{
	struct statement *s = db_sql(self(row)->db, "SELECT count(*) FROM accounts"
						    " WHERE name <> ''");
	uint64_t count = 0;

	if (db_step(s) > 0)
		count = column_int(s, 0);
	db_done(s);
	return count;
}

static enum ksf sqlite_ksf(struct registry *row)
{
	return self(row)->ksf;
}

static void sqlite_close(struct registry *row)
{
	struct registry_sqlite *r = self(row);

	db_close(r->db);
	free(r->answers);
	free(r);
}

static const struct registry sqlite_row = {
	.may_register = sqlite_may_register,
	.create = sqlite_create,
	.find = sqlite_find,
	.enrol = sqlite_enrol,
	.device = sqlite_device,
	.next = sqlite_next,
	.invite = sqlite_invite,
	.remove = sqlite_remove,
	.list = sqlite_list,
	.count = sqlite_count,
	.ksf = sqlite_ksf,
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

int registry_sqlite_open(struct registry **out, const char *data, bool is_hasty, char *reason,
			 size_t reason_size)
{
	char path[PATH_MAX];
	struct registry_sqlite *r;
	struct statement *s;
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
	r->db = db;
	s = db_sql(db, "SELECT value FROM settings WHERE key = 'ksf'");
	if (db_step(s) > 0)
		r->ksf = (enum ksf)column_int(s, 0);
	db_done(s);
	if (!ksf_is_known(r->ksf)) {
		snprintf(reason, reason_size,
			 _("%s is not whole. It has been left as it is; bring back a copy."),
			 path);
		sqlite_close(&r->row);
		return ERR_CORRUPT;
	}
	*out = &r->row;
	return 0;
}
