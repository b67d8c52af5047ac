#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/registry.h"
#include "shared/db.h"
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
	static uint8_t blob[VAULT_SIZE_MAX]; /* what is told is there until the next */
	struct registry_answer a;

	assert_true(r->next(r, &a));
	assert_int_equal(a.ticket, 42);
	if (a.blob.size)
		memcpy(blob, a.blob.data, a.blob.size);
	a.blob.data = blob;
	assert_false(r->next(r, &(struct registry_answer){ 0 }));
	return a;
}

static int may(const char *who, const char *invite)
{
	struct name name = name_of(who);

	r->may_register(r, 42, &name, invite != NULL, bytes_text(invite ? invite : ""), now);
	return answer().err;
}

/* Device and identity keys are numbers repeated; nothing is signed: that is looked at before. */
static struct device_public key_of(uint8_t number)
{
	struct device_public d;

	memset(d.bytes, number, sizeof d.bytes);
	return d;
}

static struct device_list list_of(uint8_t identity, uint64_t version, unsigned count,
				  const uint8_t *devices)
{
	struct device_list l = { .version = version };

	memset(l.identity.bytes, identity, sizeof l.identity.bytes);
	for (unsigned i = 0; i < count; i++) {
		struct device_public d = key_of(devices[i]);

		assert_int_equal(device_list_add(&l, &d, "d", now), 0);
	}
	return l;
}

static struct wire_enrol newcomer(uint8_t identity, uint64_t version, unsigned count,
				  const uint8_t *devices)
{
	struct wire_enrol e = { 0 };

	e.newcomer.devices = list_of(identity, version, count, devices);
	memset(e.newcomer.certificate.identity.bytes, identity, 32);
	e.newcomer.certificate.device = key_of(devices[count - 1]);
	memset(e.vault.sealed, identity, sizeof e.vault.sealed);
	memset(e.vault.wrap, identity, sizeof e.vault.wrap);
	return e;
}

static int create_in(struct registry *where, const char *who, uint8_t identity, uint8_t device,
		     const char *invite)
{
	struct registry_new n = { .name = name_of(who) };
	struct wire_enrol e = newcomer(identity, 1, 1, &device);
	struct registry_answer a;

	memset(n.record, identity + 1, sizeof n.record);
	n.newcomer = identity ? &e.newcomer : NULL;
	n.vault = identity ? &e.vault : NULL;
	n.needs_invite = invite != NULL;
	n.invite = bytes_text(invite ? invite : "");
	where->create(where, 42, &n, now);
	assert_true(where->next(where, &a));
	return a.err;
}

static int create(const char *who, uint8_t identity, uint8_t device, const char *invite)
{
	return create_in(r, who, identity, device, invite);
}

static struct registry_answer find(const char *who)
{
	struct name name = name_of(who);

	r->find(r, 42, &name);
	return answer();
}

static struct registry_answer told(const char *who, bool by_recovery)
{
	struct name name = name_of(who);

	r->account(r, 42, &name, by_recovery);
	return answer();
}

/* The last device is the newcomer. */
static int enrol(const char *who, uint8_t identity, bool has_vault, uint64_t version,
		 unsigned count, const uint8_t *devices)
{
	struct wire_enrol e = newcomer(identity, version, count, devices);
	struct name name = name_of(who);

	e.has_vault = has_vault;
	r->enrol(r, 42, &name, &e);
	return answer().err;
}

static int put_list(const char *who, const struct device_list *l)
{
	struct name name = name_of(who);

	r->put_devices(r, 42, &name, l);
	return answer().err;
}

static struct registry_answer device(uint8_t key, uint8_t identity)
{
	struct device_public d = key_of(key);
	struct identity_public i;

	memset(i.bytes, identity, sizeof i.bytes);
	r->device(r, 42, &d, &i);
	return answer();
}

static struct registry_answer put_vault(const char *who, uint64_t version, size_t size)
{
	static uint8_t sealed[VAULT_SIZE_MAX], signature[VAULT_SIGNATURE_SIZE] = { 5 };
	struct name name = name_of(who);

	memset(sealed, (int)version, size);
	r->put_vault(r, 42, &name, version, signature, bytes_of(sealed, size));
	return answer();
}

static struct registry_answer get_vault(const char *who, uint64_t offset)
{
	struct name name = name_of(who);

	r->get_vault(r, 42, &name, offset);
	return answer();
}

static int put_password(const char *who, bool has_wrap, const struct device_list *l,
			const char *reset)
{
	static const uint8_t wrap[VAULT_WRAP_SIZE] = { 77 };
	struct registry_password p = { .name = name_of(who),
				       .wrap = has_wrap ? wrap : NULL,
				       .devices = l,
				       .reset_code = bytes_text(reset ? reset : "") };

	memset(p.record, 99, sizeof p.record);
	r->put_password(r, 42, &p, now);
	return answer().err;
}

static void an_account_is_found_by_name_and_by_device(void **state)
{
	struct registry_answer a;

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	a = find("alice");
	assert_int_equal(a.err, 0);
	assert_true(a.is_found && a.has_identity && !a.has_recovery);
	assert_int_equal(a.record[191], 2);
	a = device(11, 1);
	assert_int_equal(a.err, 0);
	assert_string_equal(a.name.text, "alice");
	assert_int_equal(a.identity.bytes[0], 1);
	assert_int_equal(a.devices.version, 1);
	assert_int_equal(a.devices.count, 1);
	assert_int_equal(a.vault_version, 1);
	assert_int_equal(device(12, 1).err, ERR_NOT_FOUND);
	assert_int_equal(device(11, 2).err, ERR_NOT_FOUND);
	assert_int_equal(r->count(r), 1);
	assert_int_equal(r->ksf(r), KSF_ARGON2ID_64M);
	a = told("alice", false);
	assert_int_equal(a.blob.size, VAULT_WRAP_SIZE);
	assert_int_equal(a.blob.data[0], 1);
	assert_int_equal(told("nobody", false).err, ERR_AUTH);
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
	/* with accounts around them in the order of names too */
	assert_int_equal(create("neil", 1, 11, NULL), 0);
	assert_int_equal(create("nora", 2, 12, NULL), 0);
	two = find("nobody");
	assert_false(two.is_found || two.has_identity || two.is_suspended || two.has_recovery);
	assert_memory_equal(one.record, two.record, sizeof one.record);
	assert_memory_equal(&one.recovery, &two.recovery, sizeof one.recovery);
	assert_true(find("nora").is_found);
	/* an account without a code has a key of its own to check codes with */
	two = find("nora");
	assert_memory_not_equal(&one.recovery, &two.recovery, sizeof one.recovery);
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
	assert_int_equal(device(12, 2).err, ERR_NOT_FOUND);
	assert_int_equal(told("alice", false).identity.bytes[0], 1);
}

static void whoever_enrols_another_s_device_keeps_nobody_out(void **state)
{
	(void)state;
	assert_int_equal(create("eve", 6, 11, NULL), 0); /* alice's key, which she has seen */
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_string_equal(device(11, 1).name.text, "alice");
	assert_string_equal(device(11, 6).name.text, "eve");
}

static void an_identity_is_one_account_s(void **state)
{
	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(create("bob", 1, 12, NULL), ERR_AUTH);
	assert_false(find("bob").is_found); /* nothing of the attempt is left */
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
	assert_int_equal(create("bob", 1, 12, "code"), ERR_AUTH);
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

/* Two processes have the store open and let somebody in by the last use of one code. */
static void of_two_who_use_an_invitation_at_once_one_wins(void **state)
{
	struct name bob = name_of("bob");
	struct registry *other;
	struct registry_answer a;

	(void)state;
	assert_int_equal(backend->open(&other, folder, reason, sizeof reason), 0);
	assert_int_equal(r->invite(r, "code", NULL, 1, now + day, now), 0);
	assert_int_equal(may("alice", "code"), 0);
	other->may_register(other, 42, &bob, true, bytes_text("code"), now);
	assert_true(other->next(other, &a));
	assert_int_equal(a.err, 0); /* both have been told that they may */
	assert_int_equal(create_in(other, "bob", 2, 12, "code"), 0);
	assert_int_equal(create("alice", 1, 11, "code"), ERR_EXPIRED);
	assert_false(find("alice").is_found);
	assert_true(find("bob").is_found);
	other->close(other);
}

static void the_first_login_brings_identity_and_vault_and_no_other_may(void **state)
{
	static const uint8_t devices[] = { 50, 51, 52 };

	(void)state;
	assert_int_equal(create("alice", 0, 0, NULL), 0);
	assert_false(find("alice").has_identity);
	assert_int_equal(enrol("alice", 5, false, 1, 1, devices), ERR_AUTH); /* no vault */
	assert_int_equal(enrol("alice", 5, true, 2, 1, devices), ERR_STATE);
	assert_int_equal(enrol("alice", 5, true, 1, 1, devices), 0);
	assert_int_equal(told("alice", false).identity.bytes[0], 5);
	assert_int_equal(enrol("alice", 6, true, 2, 1, devices), ERR_AUTH);
	assert_int_equal(enrol("alice", 6, false, 2, 1, devices), ERR_AUTH);
	assert_int_equal(enrol("alice", 5, true, 2, 2, devices), ERR_EXISTS);
	assert_int_equal(enrol("alice", 5, false, 2, 3, devices), ERR_AUTH); /* 51 is not in */
	assert_int_equal(enrol("alice", 5, false, 2, 2, devices), 0);
	assert_int_equal(enrol("alice", 5, false, 2, 2, devices), ERR_STATE); /* replayed */
	assert_int_equal(enrol("nobody", 5, false, 1, 1, devices), ERR_AUTH);
	assert_int_equal(device(51, 5).err, 0);
}

static void a_device_that_is_not_in_the_next_list_is_enrolled_no_more(void **state)
{
	static const uint8_t devices[] = { 10, 11, 12, 99 };
	struct device_list l = list_of(1, 4, 2, devices + 1);

	(void)state;
	assert_int_equal(create("alice", 1, 10, NULL), 0);
	assert_int_equal(enrol("alice", 1, false, 2, 2, devices), 0);
	assert_int_equal(enrol("alice", 1, false, 3, 3, devices), 0);
	assert_int_equal(put_list("alice", &l), 0);
	assert_int_equal(device(10, 1).err, ERR_NOT_FOUND);
	assert_int_equal(device(11, 1).err, 0);
	assert_int_equal(put_list("alice", &l), ERR_STATE);
	l = list_of(1, 5, 3, devices); /* nobody comes in, or back, like this */
	assert_int_equal(put_list("alice", &l), ERR_AUTH);
	l = list_of(2, 5, 1, devices + 1); /* nor another identity */
	assert_int_equal(put_list("alice", &l), ERR_AUTH);
	assert_int_equal(told("alice", false).devices.version, 4);
	memset(l.past[0].identity.bytes, 1, 32); /* unless the old one has vouched for it */
	l.past_count = 1;
	assert_int_equal(put_list("alice", &l), 0);
	assert_int_equal(device(11, 2).err, 0);
	assert_int_equal(device(11, 1).err, ERR_NOT_FOUND);
}

static void a_vault_is_replaced_by_the_next_version_only(void **state)
{
	struct registry_answer a;
	size_t got = 0;

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(get_vault("alice", 0).vault_size, VAULT_FIRST_SIZE);
	a = put_vault("alice", 3, 100);
	assert_int_equal(a.err, ERR_STATE);
	assert_int_equal(a.vault_version, 1);
	assert_int_equal(put_vault("alice", 1, 100).err, ERR_STATE);
	a = put_vault("alice", 2, VAULT_SIZE_MAX);
	assert_int_equal(a.err, 0);
	assert_int_equal(a.vault_version, 2);
	while ((a = get_vault("alice", got)).err == 0) {
		assert_int_equal(a.vault_version, 2);
		assert_int_equal(a.vault_size, VAULT_SIZE_MAX);
		assert_int_equal(a.vault_offset, got);
		assert_int_equal(a.vault_signature[0], 5);
		assert_in_range(a.blob.size, 1, WIRE_VAULT_GET_PART);
		assert_int_equal(a.blob.data[a.blob.size - 1], 2);
		got += a.blob.size;
	}
	assert_int_equal(a.err, ERR_NOT_FOUND);
	assert_int_equal(got, VAULT_SIZE_MAX);
	assert_int_equal(put_vault("nobody", 1, 100).err, ERR_AUTH);
	assert_int_equal(get_vault("nobody", 0).err, ERR_NOT_FOUND);
}

static void a_password_is_changed_with_all_that_goes_with_it_or_not_at_all(void **state)
{
	static const uint8_t devices[] = { 11, 12 };
	struct device_list l = list_of(1, 3, 1, devices);
	struct registry_answer a;

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(enrol("alice", 1, false, 2, 2, devices), 0);
	l.version = 2 + DEVICE_LIST_LEAP + 1;
	assert_int_equal(put_password("alice", true, &l, NULL), ERR_STATE);
	assert_int_equal(find("alice").record[0], 2);
	a = told("alice", false);
	assert_int_equal(a.blob.data[0], 1);
	l.version = 3;
	assert_int_equal(put_password("alice", true, &l, NULL), 0);
	assert_int_equal(find("alice").record[0], 99);
	a = told("alice", false);
	assert_int_equal(a.blob.data[0], 77);
	assert_int_equal(device(12, 1).err, ERR_NOT_FOUND);
	assert_int_equal(device(11, 1).err, 0);
	assert_int_equal(put_password("nobody", true, NULL, NULL), ERR_AUTH);
}

static void a_reset_code_sets_a_password_once_and_seals_the_vault(void **state)
{
	struct name alice = name_of("alice"), nobody = name_of("nobody");
	static const uint8_t devices[] = { 20 };

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(create("bob", 2, 12, NULL), 0);
	assert_int_equal(r->invite_reset(r, "code", &nobody, now + day, now), ERR_NOT_FOUND);
	assert_int_equal(r->invite_reset(r, "code", &alice, now + day, now), 0);
	assert_int_equal(r->invite_reset(r, "late", &alice, now, now), 0);
	assert_int_equal(may("carol", "code"), ERR_REFUSED); /* it invites nobody */
	r->reset(r, 42, bytes_text("wrong"), now);
	assert_int_equal(answer().err, ERR_REFUSED);
	r->reset(r, 42, bytes_text("late"), now);
	assert_int_equal(answer().err, ERR_EXPIRED);
	r->reset(r, 42, bytes_text("code"), now);
	assert_string_equal(answer().name.text, "alice");
	assert_int_equal(put_password("bob", false, NULL, "code"), ERR_REFUSED);
	assert_int_equal(put_password("alice", false, NULL, "code"), 0);
	assert_int_equal(put_password("alice", false, NULL, "code"), ERR_REFUSED);
	assert_int_equal(told("alice", false).blob.size, 0);
	assert_int_equal(device(11, 1).err, 0); /* her devices stay */
	/* another identity may come now, with a vault of its own, after the same list */
	assert_int_equal(enrol("alice", 7, false, 2, 1, devices), ERR_AUTH);
	assert_int_equal(enrol("alice", 7, true, 1, 1, devices), ERR_STATE);
	assert_int_equal(enrol("alice", 7, true, 2, 1, devices), 0);
	assert_int_equal(device(11, 1).err, ERR_NOT_FOUND);
	assert_int_equal(device(20, 7).vault_version, 1);
	assert_int_equal(enrol("alice", 8, true, 3, 1, devices), ERR_AUTH);
}

static void a_recovery_code_is_kept_replaced_and_taken_away(void **state)
{
	struct wire_recovery_put p = { 0 };
	struct name alice = name_of("alice");
	struct registry_answer a;

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	memset(p.prove.bytes, 3, sizeof p.prove.bytes);
	memset(p.wrap, 4, sizeof p.wrap);
	r->put_recovery(r, 42, &alice, &p);
	assert_int_equal(answer().err, 0);
	a = find("alice");
	assert_true(a.has_recovery);
	assert_int_equal(a.recovery.bytes[31], 3);
	a = told("alice", true);
	assert_int_equal(a.blob.size, VAULT_RECOVERY_SIZE);
	assert_int_equal(a.blob.data[0], 4);
	p.is_none = true;
	r->put_recovery(r, 42, &alice, &p);
	assert_int_equal(answer().err, 0);
	a = find("alice");
	assert_false(a.has_recovery);
	assert_memory_not_equal(a.recovery.bytes, p.prove.bytes, sizeof p.prove.bytes);
	assert_int_equal(told("alice", true).blob.size, 0);
}

static void failed_logins_are_told_once(void **state)
{
	struct registry_failures list[] = { { name_of("alice"), 3 }, { name_of("nobody"), 5 } };

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(r->add_failures(r, list, 2), 0);
	assert_int_equal(r->add_failures(r, list, 1), 0);
	assert_int_equal(device(11, 1).failed, 6);
	assert_int_equal(device(11, 1).failed, 0);
	assert_int_equal(r->add_failures(r, list, 1), 0);
	assert_int_equal(told("alice", false).failed, 3);
	assert_int_equal(told("alice", false).failed, 0);
}

static void a_suspended_account_is_known_as_one(void **state)
{
	struct name alice = name_of("alice"), nobody = name_of("nobody");

	(void)state;
	assert_int_equal(create("alice", 1, 11, NULL), 0);
	assert_int_equal(r->suspend(r, &nobody, true), ERR_NOT_FOUND);
	assert_int_equal(r->suspend(r, &alice, true), 0);
	assert_true(device(11, 1).is_suspended);
	assert_true(told("alice", false).is_suspended);
	assert_int_equal(r->suspend(r, &alice, false), 0);
	assert_false(device(11, 1).is_suspended);
}

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
		ROW(whoever_enrols_another_s_device_keeps_nobody_out),
		ROW(an_identity_is_one_account_s),
		ROW(an_invitation_is_used_up_only_by_success),
		ROW(an_invitation_ends_and_may_be_for_one_name),
		ROW(of_two_who_use_an_invitation_at_once_one_wins),
		ROW(the_first_login_brings_identity_and_vault_and_no_other_may),
		ROW(a_device_that_is_not_in_the_next_list_is_enrolled_no_more),
		ROW(a_vault_is_replaced_by_the_next_version_only),
		ROW(a_password_is_changed_with_all_that_goes_with_it_or_not_at_all),
		ROW(a_reset_code_sets_a_password_once_and_seals_the_vault),
		ROW(a_recovery_code_is_kept_replaced_and_taken_away),
		ROW(failed_logins_are_told_once),
		ROW(a_suspended_account_is_known_as_one),
		ROW(codes_are_listed_by_handle_and_revoked),
		ROW(a_clock_that_jumps_ten_years_and_back_loses_nothing),
		ROW(accounts_belong_to_one_key_holder),
		ROW(a_copy_is_made_while_it_is_in_use),
		ROW(a_store_of_the_first_version_goes_on),
		ROW(a_store_that_may_not_be_written_is_refused_with_a_reason),
		ROW(accounts_are_listed_and_removed),
		ROW(answers_come_in_order_with_their_tickets),
		ROW(a_store_is_not_made_twice_nor_opened_where_there_is_none),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name(backend->name, tests, NULL, NULL);
}
