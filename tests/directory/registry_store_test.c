/* What the operator does with the account store, and how it is opened, copied and upgraded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/db.h"
#include "shared/error.h"
#include "tests/registry_asked.h"

static bool collect_invite(void *user, const struct registry_invite *i)
{
	struct registry_invite *all = user;

	while (all->handle[0])
		all++;
	*all = *i;
	return true;
}

static void codes_are_listed_by_handle_and_revoked(void **state)
{
	struct registry_invite all[4] = { 0 };
	struct name alice = name_of("alice");

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(r->invite(r, "one", NULL, 3, now + day, now), 0);
	assert_int_equal(r->invite_reset(r, "two", &alice, now + 2 * day, now), 0);
	assert_int_equal(r->invites(r, collect_invite, all), 0);
	assert_int_equal(strlen(all[0].handle), 8);
	assert_int_equal(all[0].uses, 3);
	assert_false(all[0].is_reset || all[0].has_name);
	assert_true(all[1].is_reset && all[1].has_name);
	assert_string_equal(all[1].name.text, "alice");
	assert_int_equal(all[1].expires, now + 2 * day);
	assert_int_equal(r->revoke_invite(r, all[0].handle), 0);
	assert_int_equal(r->revoke_invite(r, all[0].handle), ERR_NOT_FOUND);
	assert_int_equal(may("bob", "one"), ERR_REFUSED);
	/* a code for an account that goes does not open the next of that name */
	assert_int_equal(r->remove(r, &alice), 0);
	assert_int_equal(create("alice", 2, 12, NULL), 0);
	r->reset(r, 42, bytes_text("two"), now);
	assert_int_equal(answer().err, ERR_REFUSED);
}

/* A clock that is wrong for an hour costs nobody an invitation. */
static void a_clock_that_jumps_ten_years_and_back_loses_nothing(void **state)
{
	struct name bob = name_of("bob");
	wall_ms far = now + 3653 * day, past = now - 3653 * day;

	(void)state;
	assert_int_equal(r->invite(r, "code", NULL, 1, now + day, now), 0);
	r->may_register(r, 42, &bob, true, bytes_text("code"), far);
	assert_int_equal(answer().err, ERR_EXPIRED);
	assert_int_equal(r->invite(r, "made then", NULL, 1, far + day, far), 0);
	r->may_register(r, 42, &bob, true, bytes_text("code"), past);
	assert_int_equal(answer().err, 0);
	assert_int_equal(may("bob", "code"), 0);
}

static void accounts_belong_to_one_key_holder(void **state)
{
	uint8_t key[32] = { 1 }, other[32] = { 2 };

	(void)state;
	assert_int_equal(r->bind_holder(r, key), 0);
	assert_int_equal(r->bind_holder(r, key), 0);
	assert_int_equal(r->bind_holder(r, other), ERR_AUTH);
}

static void a_copy_is_made_while_it_is_in_use(void **state)
{
	char copy[128], path[160];

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	snprintf(copy, sizeof copy, "%s-copy", folder);
	snprintf(path, sizeof path, "%s/accounts.db", copy);
	assert_int_equal(mkdir(copy, 0700), 0);
	assert_int_equal(r->backup(r, path), 0);
	assert_int_equal(r->backup(r, path), ERR_EXISTS);
	r->close(r);
	assert_int_equal(backend->open(&r, copy, reason, sizeof reason), 0);
	assert_true(find("alice").is_found);
	r->close(r);
	assert_int_equal(backend->open(&r, folder, reason, sizeof reason), 0);
	remove(path);
	snprintf(path, sizeof path, "%s/accounts.db-wal", copy);
	remove(path);
	snprintf(path, sizeof path, "%s/accounts.db-shm", copy);
	remove(path);
	assert_int_equal(rmdir(copy), 0);
}

/* The store as the first version made it. */
static const char *const first_version[] = {
	"CREATE TABLE settings(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE accounts(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" record BLOB NOT NULL, identity BLOB, created INTEGER NOT NULL);"
	"CREATE TABLE devices(device BLOB PRIMARY KEY,"
	" account INTEGER NOT NULL REFERENCES accounts(id), number INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE INDEX devices_of ON devices(account, number);"
	"CREATE TABLE invites(hash BLOB PRIMARY KEY, name TEXT, uses INTEGER NOT NULL,"
	" expires INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO settings VALUES('ksf', 1);"
	"INSERT INTO accounts VALUES(0, '', zeroblob(192), NULL, 0);"
	"INSERT INTO accounts VALUES(1, 'alice', zeroblob(192), zeroblob(32), 0);"
	"INSERT INTO devices VALUES(zeroblob(32), 1, 1);",
};

static void a_store_of_the_first_version_goes_on(void **state)
{
	static const uint8_t devices[] = { 11 };
	struct db_config config = { .shared = true,
				    .migrations = first_version,
				    .migration_count = 1 };
	struct registry_answer a;
	char path[128];
	struct db *db;

	(void)state;
	r->close(r);
	snprintf(path, sizeof path, "%s/accounts.db", folder);
	assert_int_equal(remove(path), 0);
	config.path = path;
	assert_int_equal(db_open(&db, &config, reason, sizeof reason), 0);
	db_close(db);
	assert_int_equal(backend->open(&r, folder, reason, sizeof reason), 0);
	a = find("alice");
	assert_true(a.is_found);
	assert_false(a.has_identity || a.has_recovery || a.is_suspended);
	assert_false(sodium_is_zero(a.recovery.bytes, sizeof a.recovery.bytes));
	/* it is as one that the operator made: the next login brings what is new */
	assert_int_equal(enrol("alice", 5, true, 1, 1, devices), 0);
	assert_int_equal(device(11, 5).vault_version, 1);
	assert_int_equal(create("bob", 2, 12, NULL), 0);
}

static void a_store_that_may_not_be_written_is_refused_with_a_reason(void **state)
{
	struct registry *other = NULL;
	char path[128];
	int err;

	(void)state;
	if (geteuid() != 0)
		skip();
	r->close(r);
	snprintf(path, sizeof path, "%s/accounts.db", folder);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(seteuid(65534), 0);
	reason[0] = 0;
	err = backend->open(&other, folder, reason, sizeof reason);
	assert_int_equal(seteuid(0), 0);
	assert_true(err < 0);
	assert_null(other);
	assert_non_null(strstr(reason, "accounts.db"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(backend->open(&r, folder, reason, sizeof reason), 0);
}

static bool collect(void *user, const struct registry_user *u)
{
	char *text = user;

	snprintf(text + strlen(text), 100, "%s:%u:%d ", u->name.text, u->devices,
		 u->has_identity);
	return true;
}

static void accounts_are_listed_and_removed(void **state)
{
	struct name alice = name_of("alice");
	char text[200] = "";

	(void)state;
	create("bob", 2, 12, NULL);
	create("alice", 1, 11, NULL);
	create("carol", 0, 0, NULL);
	assert_int_equal(r->list(r, collect, text), 0);
	assert_string_equal(text, "alice:1:1 bob:1:1 carol:0:0 ");
	assert_int_equal(r->remove(r, &alice), 0);
	assert_int_equal(r->remove(r, &alice), ERR_NOT_FOUND);
	assert_int_equal(device(11, 1).err, ERR_NOT_FOUND);
	assert_int_equal(get_vault("alice", 0).err, ERR_NOT_FOUND);
	assert_false(find("alice").is_found);
	assert_int_equal(r->count(r), 2);
	assert_int_equal(create("alice", 3, 11, NULL), 0);
}

static void a_store_is_not_made_twice_nor_opened_where_there_is_none(void **state)
{
	struct registry *other;

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(
		registry_sqlite_create(folder, KSF_ARGON2ID_64M, reason, sizeof reason),
		ERR_EXISTS);
	assert_true(find("alice").is_found);
	assert_int_equal(backend->open(&other, "/nonexistent", reason, sizeof reason),
			 ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		REGISTRY(codes_are_listed_by_handle_and_revoked),
		REGISTRY(a_clock_that_jumps_ten_years_and_back_loses_nothing),
		REGISTRY(accounts_belong_to_one_key_holder),
		REGISTRY(a_copy_is_made_while_it_is_in_use),
		REGISTRY(a_store_of_the_first_version_goes_on),
		REGISTRY(a_store_that_may_not_be_written_is_refused_with_a_reason),
		REGISTRY(accounts_are_listed_and_removed),
		REGISTRY(a_store_is_not_made_twice_nor_opened_where_there_is_none),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name(backend->name, tests, NULL, NULL);
}
