#include <sodium.h>
#include <string.h>

#include "directory/registry_inside.h"
#include "shared/error.h"

enum { DAY = 24 * 60 * 60 * 1000, FAILED_MAX = 1000000 };

/* --- guests --- */

static int check_free(struct registry_sqlite *r, const struct name *name)
{
	struct statement *s = db_sql(r->db, "SELECT 1 FROM accounts WHERE name = ?1");
	int err;

	bind_text(s, 1, name->text);
	err = db_step(s);
	db_done(s);
	return err > 0 ? ERR_EXISTS : err;
}

static void may_register(struct registry *row, uint64_t ticket, const struct name *name,
			 bool needs_invite, struct bytes invite, wall_ms now)
{
	struct registry_sqlite *r = registry_self(row);
	struct registry_answer a = { .ticket = ticket, .name = *name };

	if (needs_invite)
		a.err = registry_check_code(r, REGISTRY_CODE_INVITATION, invite, name, NULL,
					    now);
	if (!a.err)
		a.err = check_free(r, name);
	registry_answers(r, &a);
}

static int add_account(struct registry_sqlite *r, const struct registry_new *account,
		       wall_ms now)
{
	struct statement *s = db_sql(r->db, "INSERT INTO accounts(name, record, created)"
					    " VALUES(?1, ?2, ?3)");

	bind_text(s, 1, account->name.text);
	bind_bytes(s, 2, BYTES(account->record));
	bind_int(s, 3, now / DAY);
	return registry_run(s);
}

static int create_all(struct registry_sqlite *r, const struct registry_new *account,
		      wall_ms now)
{
	struct registry_account fresh = { 0 };
	int err = 0;

	if (account->needs_invite)
		err = registry_check_code(r, REGISTRY_CODE_INVITATION, account->invite,
					  &account->name, NULL, now);
	if (!err)
		err = check_free(r, &account->name);
	if (!err)
		err = add_account(r, account, now);
	fresh.id = db_last_id(r->db);
	if (!err)
		err = registry_store_no_recovery(r, fresh.id);
	if (!err && account->newcomer)
		err = registry_put_list(r, &fresh, &account->newcomer->devices,
					&account->newcomer->certificate.device);
	if (!err && account->vault)
		err = registry_store_first_vault(r, fresh.id, account->vault);
	if (!err && account->needs_invite)
		err = registry_use_code(r, account->invite);
	return err;
}

static void create(struct registry *row, uint64_t ticket, const struct registry_new *account,
		   wall_ms now)
{
	struct registry_sqlite *r = registry_self(row);
	struct registry_answer a = { .ticket = ticket, .name = account->name };

	a.err = db_begin(r->db);
	if (!a.err)
		a.err = registry_finish(r, create_all(r, account, now));
	registry_answers(r, &a);
}

/* From the key that is stored, so that it is the same after a restart. */
static void make_fake(struct registry_sqlite *r, uint32_t place)
{
	uint8_t seed[crypto_sign_SEEDBYTES], secret[crypto_sign_SECRETKEYBYTES];

	crypto_generichash(seed, sizeof seed, (const uint8_t *)&place, sizeof place,
			   r->fake_key, sizeof r->fake_key);
	crypto_sign_seed_keypair(r->fake_recovery[place].bytes, secret, seed);
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(seed, sizeof seed);
	r->has_fake[place] = true;
}

/* Made when a name of that place is first asked for: that takes longer whether the name is there or
 * not. */
static const struct identity_public *fake_recovery(struct registry_sqlite *r,
						   const struct name *name)
{
	uint8_t hash[16];
	uint32_t place;

	crypto_generichash(hash, sizeof hash, (const uint8_t *)name->text, strlen(name->text),
			   r->fake_key, sizeof r->fake_key);
	place = (uint32_t)(hash[0] | hash[1] << 8) % REGISTRY_FAKES;
	if (!r->has_fake[place])
		make_fake(r, place);
	return &r->fake_recovery[place];
}

/* `out` or, unless `keep`, `other`: both are read, whichever it is. */
static void keep_or_take(uint8_t *out, const uint8_t *other, size_t size, bool keep)
{
	uint8_t mask = (uint8_t) - (int)keep;

	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)((out[i] & mask) | (other[i] & ~mask));
}

/* The nearest name at or below the one asked for: always exactly one row is sought and read,
 * of an account like any other, whether the name is there or not (below them all stands the
 * one without a name). */
static void find(struct registry *row, uint64_t ticket, const struct name *name)
{
	struct registry_sqlite *r = registry_self(row);
	struct registry_answer a = { .ticket = ticket, .name = *name };
	struct statement *s = db_sql(r->db, "SELECT name, record, recovery, is_suspended,"
					    " identity IS NOT NULL, recovery_wrap IS NOT NULL"
					    " FROM accounts WHERE name <= ?1"
					    " ORDER BY name DESC LIMIT 1");

	bind_text(s, 1, name->text);
	a.err = db_step(s);
	if (a.err == 0)
		a.err = ERR_CORRUPT; /* the account without a name is gone */
	if (a.err > 0) {
		a.is_found = strcmp(column_text(s, 0), name->text) == 0;
		a.err = column_copy(s, 1, a.record, sizeof a.record);
		if (!a.err)
			a.err = column_copy(s, 2, a.recovery.bytes, sizeof a.recovery.bytes);
		keep_or_take(a.record, r->fake_record, sizeof a.record, a.is_found);
		keep_or_take(a.recovery.bytes, fake_recovery(r, name)->bytes,
			     sizeof a.recovery.bytes, a.is_found);
		a.is_suspended = column_int(s, 3) & a.is_found;
		a.has_identity = column_int(s, 4) & a.is_found;
		a.has_recovery = column_int(s, 5) & a.is_found;
	}
	db_done(s);
	registry_answers(r, &a);
}

static int is_suspended(struct registry_sqlite *r, const struct name *name, bool *is)
{
	struct statement *s = db_sql(r->db,
				     "SELECT is_suspended FROM accounts WHERE name = ?1");
	int err;

	bind_text(s, 1, name->text);
	err = db_step(s);
	if (err > 0)
		*is = column_int(s, 0);
	db_done(s);
	return err > 0 ? 0 : err < 0 ? err : ERR_REFUSED;
}

static void reset(struct registry *row, uint64_t ticket, struct bytes code, wall_ms now)
{
	struct registry_sqlite *r = registry_self(row);
	struct registry_answer a = { .ticket = ticket };

	a.err = registry_check_code(r, REGISTRY_CODE_RESET, code, NULL, &a.name, now);
	if (!a.err)
		a.err = is_suspended(r, &a.name, &a.is_suspended);
	registry_answers(r, &a);
}

/* --- who has proved to own the account --- */

/* The columns of a wrap, the second where a recovery code was shown. */
#define TOLD                                                                                   \
	"SELECT a.id, a.name, a.identity, a.devices, a.is_suspended,"                          \
	" a.recovery_wrap IS NOT NULL, a.failed, coalesce(v.version, 0), a.wrap,"              \
	" a.recovery_wrap FROM accounts a LEFT JOIN vaults v ON v.account = a.id "

/* What TOLD brings; steps and is done with it. `none`: the error where there is no row. */
static int read_told(struct registry_sqlite *r, struct statement *s, int none, int wrap,
		     struct registry_answer *a)
{
	int64_t id = 0;
	int err = db_step(s);

	if (err == 0)
		err = none;
	if (err < 0)
		goto out;
	err = ERR_CORRUPT;
	id = column_int(s, 0);
	if (name_check(&a->name, bytes_text(column_text(s, 1))) < 0)
		goto out;
	a->has_identity = !column_is_null(s, 2);
	if (a->has_identity &&
	    (column_copy(s, 2, a->identity.bytes, sizeof a->identity.bytes) < 0 ||
	     device_list_decode(&a->devices, column_bytes(s, 3)) < 0))
		goto out;
	a->is_found = true;
	a->is_suspended = column_int(s, 4);
	a->has_recovery = column_int(s, 5);
	a->failed = (uint32_t)column_int(s, 6);
	a->vault_version = (uint64_t)column_int(s, 7);
	if (wrap)
		a->blob = column_bytes(s, wrap);
	err = 0;
out:
	a->err = err;
	registry_answers(r, a); /* copies the wrap, which ends with the row */
	db_done(s);
	if (err < 0 || !a->failed || a->is_suspended)
		return err;
	s = db_sql(r->db, "UPDATE accounts SET failed = 0 WHERE id = ?1");
	bind_int(s, 1, id);
	return registry_run(s); /* where it fails they are told once more */
}

static void account(struct registry *row, uint64_t ticket, const struct name *name,
		    bool by_recovery)
{
	struct registry_sqlite *r = registry_self(row);
	struct registry_answer a = { .ticket = ticket, .name = *name };
	struct statement *s = db_sql(r->db, TOLD "WHERE a.name = ?1");

	bind_text(s, 1, name->text);
	read_told(r, s, ERR_AUTH, by_recovery ? 9 : 8, &a);
}

static void device(struct registry *row, uint64_t ticket, const struct device_public *device,
		   const struct identity_public *identity)
{
	struct registry_sqlite *r = registry_self(row);
	struct registry_answer a = { .ticket = ticket };
	struct statement *s = db_sql(r->db, TOLD
				     "WHERE a.identity = ?2 AND EXISTS(SELECT 1 FROM enrolled"
				     " WHERE device = ?1 AND account = a.id)");

	bind_bytes(s, 1, BYTES(device->bytes));
	bind_bytes(s, 2, BYTES(identity->bytes));
	read_told(r, s, ERR_NOT_FOUND, 0, &a);
}

static int enrol_all(struct registry_sqlite *r, const struct name *name,
		     const struct wire_enrol *m)
{
	const struct device_list *l = &m->newcomer.devices;
	struct registry_account a;
	bool is_ours;
	int err = registry_load(r, name, &a);

	if (err < 0)
		return err;
	is_ours = a.has_identity && identity_public_equal(&a.identity, &l->identity);
	if (is_ours && m->has_vault)
		return ERR_EXISTS;
	/* another identity: nobody is in the account, or nobody can open its vault by the
	 * password any more, and whoever is here has the password */
	if (!is_ours && (!m->has_vault || l->past_count || (a.has_identity && a.has_wrap)))
		return ERR_AUTH;
	if (!is_ours && a.has_identity) {
		struct statement *s = db_sql(r->db, "DELETE FROM enrolled WHERE account = ?1");

		bind_int(s, 1, a.id);
		err = registry_run(s);
		if (!err)
			err = registry_store_no_recovery(r, a.id);
	}
	if (!err)
		err = registry_put_list(r, &a, l, &m->newcomer.certificate.device);
	if (!err && m->has_vault)
		err = registry_store_first_vault(r, a.id, &m->vault);
	return err;
}

static void enrol(struct registry *row, uint64_t ticket, const struct name *name,
		  const struct wire_enrol *m)
{
	struct registry_sqlite *r = registry_self(row);
	struct registry_answer a = { .ticket = ticket, .name = *name };

	a.err = db_begin(r->db);
	if (!a.err)
		a.err = registry_finish(r, enrol_all(r, name, m));
	registry_answers(r, &a);
}

static int change_password(struct registry_sqlite *r, const struct registry_password *change,
			   wall_ms now)
{
	struct registry_account a;
	struct statement *s;
	int err = registry_load(r, &change->name, &a);

	if (err < 0)
		return err;
	if (change->reset_code.size) {
		err = registry_check_code(r, REGISTRY_CODE_RESET, change->reset_code,
					  &change->name, NULL, now);
		if (!err)
			err = registry_drop_resets(r, &change->name); /* older ones too */
	}
	if (err < 0)
		return err;
	s = db_sql(r->db, "UPDATE accounts SET record = ?2 WHERE id = ?1");
	bind_int(s, 1, a.id);
	bind_bytes(s, 2, BYTES(change->record));
	err = registry_run(s);
	if (!err)
		err = registry_store_wrap(r, a.id, change->wrap);
	if (!err && change->devices)
		err = registry_put_own_list(r, &a, change->devices);
	return err;
}

static void put_password(struct registry *row, uint64_t ticket,
			 const struct registry_password *change, wall_ms now)
{
	struct registry_sqlite *r = registry_self(row);
	struct registry_answer a = { .ticket = ticket, .name = change->name };

	a.err = db_begin(r->db);
	if (!a.err)
		a.err = registry_finish(r, change_password(r, change, now));
	registry_answers(r, &a);
}

static void get_vault(struct registry *row, uint64_t ticket, const struct name *name,
		      uint64_t offset)
{
	struct registry_sqlite *r = registry_self(row);
	struct registry_answer a = { .ticket = ticket, .name = *name };
	struct statement *s = db_sql(
		r->db, "SELECT v.version, v.signature, v.size, substr(v.sealed, ?2, ?3)"
		       " FROM accounts a JOIN vaults v ON v.account = a.id"
		       " WHERE a.name = ?1 AND v.size > ?4");

	bind_text(s, 1, name->text);
	bind_int(s, 2, (int64_t)offset + 1);
	bind_int(s, 3, WIRE_VAULT_GET_PART);
	bind_int(s, 4, (int64_t)offset);
	a.err = db_step(s);
	if (a.err == 0)
		a.err = ERR_NOT_FOUND;
	if (a.err > 0) {
		a.vault_version = (uint64_t)column_int(s, 0);
		a.err = column_copy(s, 1, a.vault_signature, sizeof a.vault_signature);
		a.vault_size = (uint64_t)column_int(s, 2);
		a.vault_offset = offset;
		a.blob = column_bytes(s, 3);
	}
	registry_answers(r, &a);
	db_done(s);
}

/* --- devices --- */

static void put_devices(struct registry *row, uint64_t ticket, const struct name *name,
			const struct device_list *devices)
{
	struct registry_sqlite *r = registry_self(row);
	struct registry_answer a = { .ticket = ticket, .name = *name };
	struct registry_account known;

	a.err = db_begin(r->db);
	if (!a.err) {
		a.err = registry_load(r, name, &known);
		if (!a.err)
			a.err = registry_put_own_list(r, &known, devices);
		a.err = registry_finish(r, a.err);
	}
	registry_answers(r, &a);
}

static void put_vault(struct registry *row, uint64_t ticket, const struct name *name,
		      uint64_t version, const uint8_t signature[VAULT_SIGNATURE_SIZE],
		      struct bytes sealed)
{
	struct registry_sqlite *r = registry_self(row);
	struct registry_answer a = { .ticket = ticket, .name = *name };
	struct registry_account known = { 0 };

	a.err = db_begin(r->db);
	if (!a.err) {
		a.err = registry_load(r, name, &known);
		if (!a.err && version != known.vault_version + 1)
			a.err = ERR_STATE;
		if (!a.err)
			a.err = registry_store_vault(r, known.id, version, signature, sealed);
		a.err = registry_finish(r, a.err);
	}
	a.vault_version = a.err ? known.vault_version : version;
	registry_answers(r, &a);
}

static void put_recovery(struct registry *row, uint64_t ticket, const struct name *name,
			 const struct wire_recovery_put *recovery)
{
	struct registry_sqlite *r = registry_self(row);
	struct registry_answer a = { .ticket = ticket, .name = *name };
	struct registry_account known;

	a.err = db_begin(r->db);
	if (!a.err) {
		a.err = registry_load(r, name, &known);
		if (!a.err && recovery->is_none)
			a.err = registry_store_no_recovery(r, known.id);
		else if (!a.err)
			a.err = registry_store_recovery(r, known.id, &recovery->prove,
							recovery->wrap);
		a.err = registry_finish(r, a.err);
	}
	registry_answers(r, &a);
}

static int remove_rows(struct registry_sqlite *r, const struct name *name)
{
	static const char *const sql[] = { "DELETE FROM enrolled WHERE account = ?1",
					   "DELETE FROM vaults WHERE account = ?1",
					   "DELETE FROM accounts WHERE id = ?1" };
	struct registry_account a;
	int err = registry_load(r, name, &a);

	if (err == ERR_AUTH)
		return ERR_NOT_FOUND;
	if (!err)
		err = registry_drop_resets(r, name);
	for (size_t i = 0; i < sizeof sql / sizeof sql[0] && !err; i++) {
		struct statement *s = db_sql(r->db, sql[i]);

		bind_int(s, 1, a.id);
		err = registry_run(s);
	}
	return err;
}

static int remove_account(struct registry *row, const struct name *name)
{
	struct registry_sqlite *r = registry_self(row);
	int err = db_begin(r->db);

	return err < 0 ? err : registry_finish(r, remove_rows(r, name));
}

static void delete_account(struct registry *row, uint64_t ticket, const struct name *name)
{
	struct registry_answer a = { .ticket = ticket, .name = *name };

	a.err = remove_account(row, name);
	registry_answers(registry_self(row), &a);
}

/* --- the operator, and what is told to owners --- */

static int add_failures(struct registry *row, const struct registry_failures *list,
			unsigned count)
{
	struct registry_sqlite *r = registry_self(row);
	int err = db_begin(r->db);

	if (err < 0)
		return err;
	for (unsigned i = 0; i < count && !err; i++) {
		struct statement *s = db_sql(r->db,
					     "UPDATE accounts SET failed = min(failed + ?2, ?3)"
					     " WHERE name = ?1 AND name <> ''");

		bind_text(s, 1, list[i].name.text);
		bind_int(s, 2, list[i].count);
		bind_int(s, 3, FAILED_MAX);
		err = registry_run(s);
	}
	return registry_finish(r, err);
}

static int suspend(struct registry *row, const struct name *name, bool suspended)
{
	struct statement *s = db_sql(registry_self(row)->db,
				     "UPDATE accounts SET is_suspended = ?2"
				     " WHERE name = ?1 AND name <> ''");
	int n;

	bind_text(s, 1, name->text);
	bind_int(s, 2, suspended);
	n = db_run(s);
	return n < 0 ? n : n ? 0 : ERR_NOT_FOUND;
}

void registry_accounts_fill(struct registry *row)
{
	row->may_register = may_register;
	row->create = create;
	row->find = find;
	row->reset = reset;
	row->account = account;
	row->enrol = enrol;
	row->put_password = put_password;
	row->get_vault = get_vault;
	row->device = device;
	row->put_devices = put_devices;
	row->put_vault = put_vault;
	row->put_recovery = put_recovery;
	row->delete = delete_account;
	row->remove = remove_account;
	row->add_failures = add_failures;
	row->suspend = suspend;
}
