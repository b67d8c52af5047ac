#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "directory/registry_inside.h"
#include "shared/error.h"

/* Codes kept at most before those past their time are swept out. Not earlier: a clock that
 * was wrong for a day shall not have cost anybody an invitation. */
enum { CODES_KEPT = 20000 };

struct code_hash {
	uint8_t bytes[32];
};

/* Only the hash of a code is stored: who reads the file can use none. */
static struct code_hash hash_of(struct bytes code)
{
	struct code_hash h;

	crypto_generichash(h.bytes, sizeof h.bytes, code.data, code.size, NULL, 0);
	return h;
}

int registry_check_code(struct registry_sqlite *r, enum registry_code kind, struct bytes code,
			const struct name *name, struct name *whose, wall_ms now)
{
	struct code_hash hash = hash_of(code);
	struct statement *s = db_sql(r->db, "SELECT name, uses, expires FROM invites"
					    " WHERE hash = ?1 AND kind = ?2");
	int err;

	bind_bytes(s, 1, BYTES(hash.bytes));
	bind_int(s, 2, kind);
	err = db_step(s);
	if (err == 0)
		err = ERR_REFUSED;
	if (err < 0)
		goto out;
	err = ERR_REFUSED;
	if (name && !column_is_null(s, 0) && strcmp(column_text(s, 0), name->text) != 0)
		goto out;
	err = ERR_EXPIRED;
	if (column_int(s, 1) < 1 || column_int(s, 2) <= now)
		goto out;
	err = 0;
	if (whose && name_check(whose, bytes_text(column_text(s, 0))) < 0)
		err = ERR_CORRUPT;
out:
	db_done(s);
	return err;
}

int registry_use_code(struct registry_sqlite *r, struct bytes code)
{
	struct code_hash hash = hash_of(code);
	struct statement *s = db_sql(r->db, "UPDATE invites SET uses = uses - 1"
					    " WHERE hash = ?1 AND uses > 0");
	int n;

	bind_bytes(s, 1, BYTES(hash.bytes));
	n = db_run(s);
	return n < 0 ? n : n ? 0 : ERR_EXPIRED;
}

int registry_drop_resets(struct registry_sqlite *r, const struct name *name)
{
	struct statement *s = db_sql(r->db,
				     "DELETE FROM invites WHERE kind = ?1 AND name = ?2");
	int n;

	bind_int(s, 1, REGISTRY_CODE_RESET);
	bind_text(s, 2, name->text);
	n = db_run(s);
	return n < 0 ? n : 0;
}

static int sweep(struct registry_sqlite *r, wall_ms now)
{
	struct statement *s = db_sql(r->db, "DELETE FROM invites WHERE"
					    " (expires <= ?1 OR uses < 1) AND"
					    " (SELECT count(*) FROM invites) > ?2");
	int n;

	bind_int(s, 1, now);
	bind_int(s, 2, CODES_KEPT);
	n = db_run(s);
	return n < 0 ? n : 0;
}

static int add(struct registry_sqlite *r, enum registry_code kind, const char *code,
	       const struct name *only, unsigned uses, wall_ms expires)
{
	struct code_hash hash = hash_of(bytes_text(code));
	struct statement *s = db_sql(r->db,
				     "INSERT INTO invites(hash, name, uses, expires, kind)"
				     " VALUES(?1, ?2, ?3, ?4, ?5)");
	int n;

	bind_bytes(s, 1, BYTES(hash.bytes));
	bind_text(s, 2, only ? only->text : NULL);
	bind_int(s, 3, uses);
	bind_int(s, 4, expires);
	bind_int(s, 5, kind);
	n = db_run(s);
	return n < 0 ? n : 0;
}

int registry_invite(struct registry *row, const char *code, const struct name *only,
		    unsigned uses, wall_ms expires, wall_ms now)
{
	struct registry_sqlite *r = registry_self(row);
	int err;

	assert(uses >= 1 && uses <= REGISTRY_INVITE_USES_MAX);
	err = db_begin(r->db);
	if (err < 0)
		return err;
	err = sweep(r, now);
	if (!err)
		err = add(r, REGISTRY_CODE_INVITATION, code, only, uses, expires);
	return registry_finish(r, err);
}

static int check_account(struct registry_sqlite *r, const struct name *name)
{
	struct statement *s = db_sql(r->db, "SELECT 1 FROM accounts WHERE name = ?1");
	int err;

	bind_text(s, 1, name->text);
	err = db_step(s);
	db_done(s);
	return err > 0 ? 0 : err < 0 ? err : ERR_NOT_FOUND;
}

int registry_invite_reset(struct registry *row, const char *code, const struct name *name,
			  wall_ms expires, wall_ms now)
{
	struct registry_sqlite *r = registry_self(row);
	int err = db_begin(r->db);

	if (err < 0)
		return err;
	err = check_account(r, name);
	if (!err)
		err = sweep(r, now);
	if (!err)
		err = add(r, REGISTRY_CODE_RESET, code, name, 1, expires);
	return registry_finish(r, err);
}

/* The handle: the first four bytes of the hash, so it needs no column of its own. */
#define HANDLE "lower(hex(substr(hash, 1, 4)))"

int registry_invites(struct registry *row,
		     bool (*each)(void *user, const struct registry_invite *i), void *user)
{
	struct statement *s = db_sql(registry_self(row)->db,
				     "SELECT " HANDLE ", kind, name, uses, expires FROM invites"
				     " WHERE uses > 0 ORDER BY expires, hash");
	int err;

	while ((err = db_step(s)) > 0) {
		struct registry_invite i = { .is_reset = column_int(s, 1) ==
							 REGISTRY_CODE_RESET };
		const char *handle = column_text(s, 0);

		err = ERR_CORRUPT;
		if (strlen(handle) != sizeof i.handle - 1)
			break;
		memcpy(i.handle, handle, sizeof i.handle);
		i.has_name = !column_is_null(s, 2);
		if (i.has_name && name_check(&i.name, bytes_text(column_text(s, 2))) < 0)
			break;
		i.uses = (unsigned)column_int(s, 3);
		i.expires = column_int(s, 4);
		err = 0;
		if (!each(user, &i))
			break;
	}
	db_done(s);
	return err;
}

int registry_revoke_invite(struct registry *row, const char *handle)
{
	struct statement *s = db_sql(registry_self(row)->db,
				     "DELETE FROM invites WHERE uses > 0 AND " HANDLE " = ?1");
	int n;

	bind_text(s, 1, handle);
	n = db_run(s);
	return n < 0 ? n : n ? 0 : ERR_NOT_FOUND;
}
