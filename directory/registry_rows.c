#include <sodium.h>
#include <string.h>

#include "directory/registry_inside.h"
#include "shared/error.h"

int registry_load(struct registry_sqlite *r, const struct name *name,
		  struct registry_account *a)
{
	struct statement *s = db_sql(r->db,
				     "SELECT a.id, a.identity, a.wrap IS NOT NULL, a.version,"
				     " coalesce(v.version, 0) FROM accounts a"
				     " LEFT JOIN vaults v ON v.account = a.id"
				     " WHERE a.name = ?1");
	int err;

	memset(a, 0, sizeof *a);
	bind_text(s, 1, name->text);
	err = db_step(s);
	if (err == 0)
		err = ERR_AUTH;
	if (err > 0) {
		a->id = column_int(s, 0);
		a->has_identity = !column_is_null(s, 1);
		a->has_wrap = column_int(s, 2);
		a->version = (uint64_t)column_int(s, 3);
		a->vault_version = (uint64_t)column_int(s, 4);
		err = 0;
		if (a->has_identity)
			err = column_copy(s, 1, a->identity.bytes, sizeof a->identity.bytes);
	}
	db_done(s);
	return err;
}

int registry_run(struct statement *s)
{
	int n = db_run(s);

	return n < 0 ? n : 0;
}

/* --- device lists --- */

static int check_enrolled(struct registry_sqlite *r, int64_t account,
			  const struct device_public *device)
{
	struct statement *s = db_sql(r->db, "SELECT 1 FROM enrolled"
					    " WHERE device = ?1 AND account = ?2");
	int err;

	bind_bytes(s, 1, BYTES(device->bytes));
	bind_int(s, 2, account);
	err = db_step(s);
	db_done(s);
	return err > 0 ? 0 : err < 0 ? err : ERR_AUTH;
}

static int enrol_listed(struct registry_sqlite *r, int64_t account, const struct device_list *l)
{
	struct statement *s = db_sql(r->db, "DELETE FROM enrolled WHERE account = ?1");
	int err;

	bind_int(s, 1, account);
	err = registry_run(s);
	for (unsigned i = 0; i < l->count && !err; i++) {
		s = db_sql(r->db, "INSERT INTO enrolled(device, account) VALUES(?1, ?2)");
		bind_bytes(s, 1, BYTES(l->devices[i].device.bytes));
		bind_int(s, 2, account);
		err = registry_run(s);
	}
	return err;
}

static int store_list(struct registry_sqlite *r, int64_t account, const struct device_list *l)
{
	struct buf wire = { .limit = DEVICE_LIST_SIZE_MAX };
	struct statement *s;
	int err = device_list_encode(l, &wire);

	if (err < 0)
		goto out;
	s = db_sql(r->db, "UPDATE accounts SET identity = ?2, version = ?3, devices = ?4"
			  " WHERE id = ?1");
	bind_int(s, 1, account);
	bind_bytes(s, 2, BYTES(l->identity.bytes));
	bind_int(s, 3, (int64_t)l->version);
	bind_bytes(s, 4, buf_view(&wire));
	err = registry_run(s);
	if (err == ERR_EXISTS)
		err = ERR_AUTH; /* the identity is another account's */
out:
	buf_clear(&wire);
	return err;
}

int registry_put_list(struct registry_sqlite *r, const struct registry_account *a,
		      const struct device_list *l, const struct device_public *newcomer)
{
	int err;

	/* whoever heard of a newer one than we did, from another device, goes on from there */
	if (a->version ? !device_list_follows(l->version, a->version) : l->version != 1)
		return ERR_STATE;
	if (newcomer && !device_list_find(l, newcomer))
		return ERR_AUTH;
	for (unsigned i = 0; i < l->count; i++) {
		if (newcomer && device_public_equal(&l->devices[i].device, newcomer))
			continue;
		err = check_enrolled(r, a->id, &l->devices[i].device);
		if (err < 0)
			return err;
	}
	err = store_list(r, a->id, l);
	return err < 0 ? err : enrol_listed(r, a->id, l);
}

int registry_put_own_list(struct registry_sqlite *r, const struct registry_account *a,
			  const struct device_list *l)
{
	if (!a->has_identity || !device_list_descends(l, &a->identity))
		return ERR_AUTH;
	return registry_put_list(r, a, l, NULL);
}

/* --- vaults and what opens them --- */

int registry_store_vault(struct registry_sqlite *r, int64_t account, uint64_t version,
			 const uint8_t signature[VAULT_SIGNATURE_SIZE], struct bytes sealed)
{
	struct statement *s = db_sql(
		r->db, "INSERT INTO vaults(account, version, signature, size, sealed)"
		       " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(account) DO UPDATE SET"
		       " version = ?2, signature = ?3, size = ?4, sealed = ?5");

	bind_int(s, 1, account);
	bind_int(s, 2, (int64_t)version);
	bind_bytes(s, 3, bytes_of(signature, VAULT_SIGNATURE_SIZE));
	bind_int(s, 4, (int64_t)sealed.size);
	bind_bytes(s, 5, sealed);
	return registry_run(s);
}

int registry_store_recovery(struct registry_sqlite *r, int64_t account,
			    const struct identity_public *prove, const uint8_t *wrap)
{
	struct statement *s = db_sql(r->db, "UPDATE accounts SET recovery = ?2,"
					    " recovery_wrap = ?3 WHERE id = ?1");

	bind_int(s, 1, account);
	bind_bytes(s, 2, BYTES(prove->bytes));
	if (wrap)
		bind_bytes(s, 3, bytes_of(wrap, VAULT_RECOVERY_SIZE));
	else
		bind_null(s, 3);
	return registry_run(s);
}

int registry_store_no_recovery(struct registry_sqlite *r, int64_t account)
{
	struct identity nobody;
	int err;

	identity_make(&nobody);
	err = registry_store_recovery(r, account, &nobody.public, NULL);
	identity_wipe(&nobody);
	return err;
}

int registry_store_wrap(struct registry_sqlite *r, int64_t account, const uint8_t *wrap)
{
	struct statement *s = db_sql(r->db, "UPDATE accounts SET wrap = ?2 WHERE id = ?1");

	bind_int(s, 1, account);
	if (wrap)
		bind_bytes(s, 2, bytes_of(wrap, VAULT_WRAP_SIZE));
	else
		bind_null(s, 2);
	return registry_run(s);
}

int registry_store_first_vault(struct registry_sqlite *r, int64_t account,
			       const struct wire_first_vault *v)
{
	int err = registry_store_vault(r, account, 1, v->signature, BYTES(v->sealed));

	return err < 0 ? err : registry_store_wrap(r, account, v->wrap);
}
