/* Included by a test of the account store, once: every question to a registry, with its answer. */
#ifndef PALIQUE_TESTS_REGISTRY_ASKED_H
#define PALIQUE_TESTS_REGISTRY_ASKED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory/registry.h"

/* One suite for every row of functions: a store is added by adding how it is opened. */
struct backend {
	const char *name;
	int (*open)(struct registry **r, const char *data, char *reason, size_t size);
};

static inline int open_sqlite(struct registry **r, const char *data, char *reason, size_t size)
{
	return registry_sqlite_open(r, data, true, reason, size);
}

static const struct backend sqlite_backend = { "sqlite", open_sqlite };

static const wall_ms now = 1700000000000, day = 24 * 60 * 60 * 1000;
static char folder[64], reason[512];
static const struct backend *backend = &sqlite_backend;
static struct registry *r;

static inline int begin(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/palique-registry-XXXXXX");
	if (!mkdtemp(folder) ||
	    registry_sqlite_create(folder, KSF_ARGON2ID_64M, reason, sizeof reason) < 0)
		return -1;
	return backend->open(&r, folder, reason, sizeof reason);
}

static inline int end(void **state)
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

#define REGISTRY(test) cmocka_unit_test_setup_teardown(test, begin, end)

static inline struct name name_of(const char *text)
{
	struct name name;

	assert_int_equal(name_parse(&name, bytes_text(text)), 0);
	return name;
}

static inline struct registry_answer answer(void)
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

static inline int may(const char *who, const char *invite)
{
	struct name name = name_of(who);

	r->may_register(r, 42, &name, invite != NULL, bytes_text(invite ? invite : ""), now);
	return answer().err;
}

/* Device and identity keys are numbers repeated; nothing is signed: that is looked at before. */
static inline struct device_public key_of(uint8_t number)
{
	struct device_public d;

	memset(d.bytes, number, sizeof d.bytes);
	return d;
}

static inline struct device_list list_of(uint8_t identity, uint64_t version, unsigned count,
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

static inline struct wire_enrol newcomer(uint8_t identity, uint64_t version, unsigned count,
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

static inline int create_in(struct registry *where, const char *who, uint8_t identity,
			    uint8_t device, const char *invite)
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

static inline int create(const char *who, uint8_t identity, uint8_t device, const char *invite)
{
	return create_in(r, who, identity, device, invite);
}

static inline struct registry_answer find(const char *who)
{
	struct name name = name_of(who);

	r->find(r, 42, &name);
	return answer();
}

static inline struct registry_answer told(const char *who, bool by_recovery)
{
	struct name name = name_of(who);

	r->account(r, 42, &name, by_recovery);
	return answer();
}

/* The last device is the newcomer. */
static inline int enrol(const char *who, uint8_t identity, bool has_vault, uint64_t version,
			unsigned count, const uint8_t *devices)
{
	struct wire_enrol e = newcomer(identity, version, count, devices);
	struct name name = name_of(who);

	e.has_vault = has_vault;
	r->enrol(r, 42, &name, &e);
	return answer().err;
}

static inline int put_list(const char *who, const struct device_list *l)
{
	struct name name = name_of(who);

	r->put_devices(r, 42, &name, l);
	return answer().err;
}

static inline struct registry_answer device(uint8_t key, uint8_t identity)
{
	struct device_public d = key_of(key);
	struct identity_public i;

	memset(i.bytes, identity, sizeof i.bytes);
	r->device(r, 42, &d, &i);
	return answer();
}

static inline struct registry_answer put_vault(const char *who, uint64_t version, size_t size)
{
	static uint8_t sealed[VAULT_SIZE_MAX], signature[VAULT_SIGNATURE_SIZE] = { 5 };
	struct name name = name_of(who);

	memset(sealed, (int)version, size);
	r->put_vault(r, 42, &name, version, signature, bytes_of(sealed, size));
	return answer();
}

static inline struct registry_answer get_vault(const char *who, uint64_t offset)
{
	struct name name = name_of(who);

	r->get_vault(r, 42, &name, offset);
	return answer();
}

static inline int put_password(const char *who, bool has_wrap, const struct device_list *l,
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

#endif
