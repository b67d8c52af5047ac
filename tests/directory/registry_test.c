#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory/registry.h"
#include "shared/error.h"

/* One suite for every row of functions: a store is added by adding how it is opened. */
struct backend {
	const char *name;
	int (*open)(struct registry **r, const char *data, char *reason, size_t size);
};

static int open_sqlite(struct registry **r, const char *data, char *reason, size_t size)
{
	return registry_sqlite_open(r, data, true, reason, size);
}

static const struct backend sqlite_backend = { "sqlite", open_sqlite };

static const wall_ms now = 1700000000000, day = 24 * 60 * 60 * 1000;
static char folder[64], reason[512];
static const struct backend *backend = &sqlite_backend;
static struct registry *r;

static int begin(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/palique-registry-XXXXXX");
	if (!mkdtemp(folder) ||
	    registry_sqlite_create(folder, KSF_ARGON2ID_64M, reason, sizeof reason) < 0)
		return -1;
	return backend->open(&r, folder, reason, sizeof reason);
}

static int end(void **state)
{
	static const char *const files[] = { "accounts.db", "accounts.db-wal",
					     "accounts.db-shm" };
	char path[128];

	(void)state;
	r->close(r);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, files[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static struct name name_of(const char *text)
{
	struct name name;

	assert_int_equal(name_parse(&name, bytes_text(text)), 0);
	return name;
}

static struct registry_answer answer(void)
{
	struct registry_answer a;

	assert_true(r->next(r, &a));
	assert_int_equal(a.ticket, 42);
	assert_false(r->next(r, &(struct registry_answer){ 0 }));
	return a;
}

static int may(const char *who, const char *invite)
{
	struct name name = name_of(who);

	r->may_register(r, 42, &name, invite != NULL, bytes_text(invite ? invite : ""), now);
	return answer().err;
}

/* Device and identity keys are numbers repeated. */
static struct registry_new account(const char *who, uint8_t identity, uint8_t device)
{
	struct registry_new n = { .name = name_of(who), .has_identity = identity != 0 };

	memset(n.record, identity + 1, sizeof n.record);
	memset(n.certificate.identity.bytes, identity, 32);
	memset(n.certificate.device.bytes, device, 32);
	return n;
}

static int create(const char *who, uint8_t identity, uint8_t device, const char *invite)
{
	struct registry_new n = account(who, identity, device);

	n.needs_invite = invite != NULL;
	n.invite = bytes_text(invite ? invite : "");
	r->create(r, 42, &n, now);
	return answer().err;
}

static struct registry_answer find(const char *who)
{
	struct name name = name_of(who);

	r->find(r, 42, &name);
	return answer();
}

static int enrol(const char *who, uint8_t identity, uint8_t device)
{
	struct registry_new n = account(who, identity, device);

	r->enrol(r, 42, &n.name, &n.certificate, now);
	return answer().err;
}

static struct registry_answer device(uint8_t key)
{
	struct device_public d;

	memset(d.bytes, key, sizeof d.bytes);
	r->device(r, 42, &d);
	return answer();
}

static void an_account_is_found_by_name_and_by_device(void **state)
{
	struct registry_answer a;

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	a = find("alice");
	assert_int_equal(a.err, 0);
	assert_true(a.is_found && a.has_identity);
	assert_int_equal(a.record[191], 2);
	assert_int_equal(a.identity.bytes[31], 1);
	a = device(11);
	assert_int_equal(a.err, 0);
	assert_string_equal(a.name.text, "alice");
	assert_int_equal(a.identity.bytes[0], 1);
	assert_int_equal(device(12).err, ERR_NOT_FOUND);
	assert_int_equal(r->count(r), 1);
	assert_int_equal(r->ksf(r), KSF_ARGON2ID_64M);
}

static void unknown_names_share_one_stored_record(void **state)
{
	struct registry_answer one = find("nobody"), two = find("zeno");

	(void)state;
	assert_int_equal(one.err, 0);
	assert_false(one.is_found);
	assert_false(one.has_identity);
	assert_memory_equal(one.record, two.record, sizeof one.record);
	assert_false(sodium_is_zero(one.record, sizeof one.record));
	/* and the same one after a restart, or the time of it would show */
	r->close(r);
	assert_int_equal(backend->open(&r, folder, reason, sizeof reason), 0);
	two = find("nobody");
	assert_memory_equal(one.record, two.record, sizeof one.record);
}

static void a_name_is_taken_once(void **state)
{
	(void)state;
	assert_int_equal(may("alice", NULL), 0);
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(may("alice", NULL), ERR_EXISTS);
	assert_int_equal(create("alice", 2, 12, NULL), ERR_EXISTS);
	assert_int_equal(device(12).err, ERR_NOT_FOUND);
	assert_int_equal(find("alice").identity.bytes[0], 1);
}

static void a_device_belongs_to_one_account(void **state)
{
	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(create("bob", 2, 11, NULL), ERR_EXISTS);
	assert_false(find("bob").is_found); /* nothing of the attempt is left */
	assert_int_equal(create("bob", 2, 12, NULL), 0);
	assert_int_equal(enrol("bob", 2, 11), ERR_AUTH);
	assert_string_equal(device(11).name.text, "alice");
}

static void an_invitation_is_used_up_only_by_success(void **state)
{
	(void)state;
	assert_int_equal(r->invite(r, "code", NULL, 2, now + day, now), 0);
	assert_int_equal(may("alice", "wrong"), ERR_REFUSED);
	assert_int_equal(may("alice", ""), ERR_REFUSED);
	assert_int_equal(may("alice", "code"), 0);
	assert_int_equal(create("alice", 1, 11, "code"), 0);
	assert_int_equal(create("alice", 2, 12, "code"), ERR_EXISTS);
	assert_int_equal(create("bob", 2, 11, "code"), ERR_EXISTS);
	assert_int_equal(create("bob", 2, 12, "code"), 0);
	assert_int_equal(may("carol", "code"), ERR_EXPIRED);
	assert_int_equal(create("carol", 3, 13, "code"), ERR_EXPIRED);
	assert_false(find("carol").is_found);
}

static void an_invitation_ends_and_may_be_for_one_name(void **state)
{
	struct name bob = name_of("bob");

	(void)state;
	assert_int_equal(r->invite(r, "late", NULL, 1, now, now), 0);
	assert_int_equal(may("alice", "late"), ERR_EXPIRED);
	assert_int_equal(r->invite(r, "bobs", &bob, 1, now + day, now), 0);
	assert_int_equal(may("alice", "bobs"), ERR_REFUSED);
	assert_int_equal(create("alice", 1, 11, "bobs"), ERR_REFUSED);
	assert_int_equal(create("bob", 1, 11, "bobs"), 0);
}

static void the_first_login_sets_the_identity_and_no_other_may(void **state)
{
	(void)state;
	assert_int_equal(create("alice", 0, 0, NULL), 0);
	assert_false(find("alice").has_identity);
	assert_int_equal(enrol("alice", 5, 50), 0);
	assert_int_equal(find("alice").identity.bytes[0], 5);
	assert_int_equal(enrol("alice", 6, 60), ERR_AUTH);
	assert_int_equal(device(60).err, ERR_NOT_FOUND);
	assert_int_equal(enrol("alice", 5, 51), 0);
	assert_int_equal(enrol("alice", 5, 51), 0); /* again: nothing new */
	assert_int_equal(enrol("nobody", 5, 52), ERR_AUTH);
}

static void one_device_too_many_pushes_out_the_oldest(void **state)
{
	(void)state;
	assert_int_equal(create("alice", 1, 100, NULL), 0);
	for (uint8_t i = 1; i <= REGISTRY_DEVICES_MAX; i++)
		assert_int_equal(enrol("alice", 1, 100 + i), 0);
	assert_int_equal(device(100).err, ERR_NOT_FOUND);
	assert_int_equal(device(101).err, 0);
	assert_int_equal(device(100 + REGISTRY_DEVICES_MAX).err, 0);
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
	assert_int_equal(device(11).err, ERR_NOT_FOUND);
	assert_false(find("alice").is_found);
	assert_int_equal(r->count(r), 2);
	assert_int_equal(create("alice", 3, 11, NULL), 0);
}

static void answers_come_in_order_with_their_tickets(void **state)
{
	struct name name = name_of("alice");
	struct registry_answer a;

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		r->find(r, i, &name);
	for (uint64_t i = 0; i < 100; i++) {
		assert_true(r->next(r, &a));
		assert_int_equal(a.ticket, i);
	}
	assert_false(r->next(r, &a));
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
#define ROW(name) cmocka_unit_test_setup_teardown(name, begin, end)
		ROW(an_account_is_found_by_name_and_by_device),
		ROW(unknown_names_share_one_stored_record),
		ROW(a_name_is_taken_once),
		ROW(a_device_belongs_to_one_account),
		ROW(an_invitation_is_used_up_only_by_success),
		ROW(an_invitation_ends_and_may_be_for_one_name),
		ROW(the_first_login_sets_the_identity_and_no_other_may),
		ROW(one_device_too_many_pushes_out_the_oldest),
		ROW(accounts_are_listed_and_removed),
		ROW(answers_come_in_order_with_their_tickets),
		ROW(a_store_is_not_made_twice_nor_opened_where_there_is_none),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name(backend->name, tests, NULL, NULL);
}
