#include "peer/account_inside.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

/* --- rows --- */

static void read_row(struct account *a, struct statement *s)
{
	a->standing = (enum standing)column_int(s, 0);
	snprintf(a->name.text, sizeof a->name.text, "%s", column_text(s, 1));
	snprintf(a->place.host, sizeof a->place.host, "%s", column_text(s, 2));
	a->place.port = (uint16_t)column_int(s, 3);
	a->has_directory_key = column_copy(s, 4, a->directory_key.bytes, 32) == 0;
	a->is_pinned_on_trust = column_int(s, 5);
	a->has_identity = column_copy(s, 6, a->identity.public.bytes, 32) == 0 &&
			  column_copy(s, 7, a->identity.secret.bytes, 64) == 0;
	a->has_certificate = !column_is_null(s, 10) &&
			     certificate_decode(&a->certificate, column_bytes(s, 10)) == 0;
	memset(&a->devices, 0, sizeof a->devices);
	if (!column_is_null(s, 12))
		(void)device_list_decode(&a->devices, column_bytes(s, 12));
	a->has_recovery = column_copy(s, 13, a->recovery.bytes, 32) == 0;
	a->requests = (enum request_policy)column_int(s, 14);
	a->settings_stamp = (uint64_t)column_int(s, 15);
	a->is_recovery_offered = column_int(s, 16);
	a->has_next = column_copy(s, 17, a->next.secret.bytes, 64) == 0;
	if (!a->has_identity)
		identity_wipe(&a->identity);
	if (!a->has_next)
		identity_wipe(&a->next);
	else /* libsodium's form ends with the public key */
		memcpy(a->next.public.bytes, a->next.secret.bytes + 32, 32);
	a->is_next_ours = column_int(s, 18);
	a->is_invisible = column_int(s, 19);
	a->is_trying_next = false;
}

static int load_vault(struct account *a)
{
	struct statement *s = db_sql(store_db(a->rooms->store),
				     "SELECT key, version, is_due FROM vault");
	int err = db_step(s);

	a->has_vault_key = err == 1 && column_copy(s, 0, a->vault_key.bytes, 32) == 0;
	a->vault_version = err == 1 ? (uint64_t)column_int(s, 1) : 0;
	a->is_vault_due = err == 1 && column_int(s, 2);
	db_done(s);
	return err < 0 ? err : 0;
}

/* A store may have been brought here by an import: what stands in it is not of our making. */
static bool is_sound(const struct account *a)
{
	struct name name;

	return a->standing <= STANDING_REFUSED && a->requests <= REQUESTS_NONE &&
	       (!a->name.text[0] || name_check(&name, bytes_text(a->name.text)) == 0);
}

/* 1: there is a row, 0: none, or an error. */
static int load(struct account *a)
{
	struct statement *s = db_sql(store_db(a->rooms->store),
				     "SELECT standing, name, host, port, directory_key,"
				     " is_pinned_on_trust, identity_public, identity_secret,"
				     " device_public, device_secret, certificate, knock,"
				     " devices, recovery, requests, settings_stamp,"
				     " is_recovery_offered, next_identity, is_next_ours,"
				     " is_invisible FROM account");
	int err = db_step(s);

	if (err == 1) {
		read_row(a, s);
		if (!is_sound(a) || column_copy(s, 8, a->device.public.bytes, 32) < 0 ||
		    column_copy(s, 9, a->device.secret.bytes, 32) < 0 ||
		    column_copy(s, 11, a->knock.bytes, sizeof a->knock.bytes) < 0)
			err = ERR_CORRUPT;
	}
	db_done(s);
	if (err == 1) {
		int vault = load_vault(a);

		err = vault < 0 ? vault : 1;
	}
	return err;
}

/* Who could not store what the directory said of us hears it anew. */
#define CALL_AGAIN (5 * SECOND)

static void bind_rest(const struct account *a, struct statement *s, struct buf *devices)
{
	if (a->devices.version > 0 && device_list_encode(&a->devices, devices) == 0)
		bind_bytes(s, 13, buf_view(devices));
	if (a->has_recovery)
		bind_bytes(s, 14, BYTES(a->recovery.bytes));
	bind_int(s, 15, a->requests);
	bind_int(s, 16, (int64_t)a->settings_stamp);
	bind_int(s, 17, a->is_recovery_offered);
	if (a->has_next)
		bind_bytes(s, 18, BYTES(a->next.secret.bytes));
	bind_int(s, 19, a->is_next_ours);
	bind_int(s, 20, a->is_invisible);
}

void account_save(struct account *a)
{
	struct store *store = a->rooms->store;
	struct buf certificate = { 0 }, devices = { 0 };
	struct statement *s;

	store_write(store);
	s = db_sql(store_db(store),
		   "INSERT OR REPLACE INTO account(one, standing, name, host, port,"
		   " directory_key, is_pinned_on_trust, identity_public,"
		   " identity_secret, device_public, device_secret, certificate,"
		   " knock, devices, recovery, requests, settings_stamp,"
		   " is_recovery_offered, next_identity, is_next_ours, is_invisible)"
		   " VALUES(1,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	bind_int(s, 1, a->standing);
	bind_text(s, 2, a->name.text);
	bind_text(s, 3, a->place.host);
	bind_int(s, 4, a->place.port);
	if (a->has_directory_key)
		bind_bytes(s, 5, BYTES(a->directory_key.bytes));
	bind_int(s, 6, a->is_pinned_on_trust);
	if (a->has_identity) {
		bind_bytes(s, 7, BYTES(a->identity.public.bytes));
		bind_bytes(s, 8, BYTES(a->identity.secret.bytes));
	}
	bind_bytes(s, 9, BYTES(a->device.public.bytes));
	bind_bytes(s, 10, BYTES(a->device.secret.bytes));
	if (a->has_certificate && certificate_encode(&a->certificate, &certificate) == 0)
		bind_bytes(s, 11, buf_view(&certificate));
	bind_bytes(s, 12, BYTES(a->knock.bytes));
	bind_rest(a, s, &devices);
	store_run(store, s);
	buf_clear(&certificate);
	buf_clear(&devices);
}

void account_save_vault(struct account *a)
{
	struct store *store = a->rooms->store;
	struct statement *s;

	store_write(store);
	if (!a->has_vault_key) {
		store_run(store, db_sql(store_db(store), "DELETE FROM vault"));
		return;
	}
	s = db_sql(store_db(store), "INSERT OR REPLACE INTO vault(one, key, version, is_due)"
				    " VALUES(1,?,?,?)");
	bind_bytes(s, 1, BYTES(a->vault_key.bytes));
	bind_int(s, 2, (int64_t)a->vault_version);
	bind_int(s, 3, a->is_vault_due);
	store_run(store, s);
}

/* --- beginning and end --- */

int account_new(struct account **out, struct rooms *rooms, const char *label, enum ksf ksf)
{
	struct account *a = memory_new(sizeof *a);
	int err;

	a->rooms = rooms;
	a->weakest = ksf;
	snprintf(a->label, sizeof a->label, "%s", label ? label : "");
	err = load(a);
	if (err < 0) {
		account_free(a);
		return err;
	}
	if (err == 0) {
		device_make(&a->device);
		randombytes_buf(a->knock.bytes, sizeof a->knock.bytes);
		account_save(a);
	}
	*out = a;
	return 0;
}

void account_free(struct account *a)
{
	if (!a)
		return;
	becoming_free(a->becoming);
	sodium_memzero(a, sizeof *a);
	free(a);
}

/* What was begun never was: who asked is told so by the call itself. */
static void undo_becoming(struct account *a)
{
	bool is_guest = account_is_becoming(a);

	a->is_begun = false;
	becoming_free(a->becoming);
	a->becoming = NULL;
	memset(&a->enrolling, 0, sizeof a->enrolling);
	a->is_to_tell = is_guest; /* in a step: what is added here could be undone, too */
	a->wants_call |= is_guest;
}

void account_reload(struct account *a)
{
	uint64_t heard = a->devices.version;

	load(a);
	/* The directory said it once: the next line says it again. */
	if (a->devices.version != heard)
		a->wants_call = true;
	a->is_trying_next = false;
	if (a->has_heard_unknown)
		a->call_again_at = a->rooms->now + CALL_AGAIN;
	a->has_heard_unknown = false;
	account_equip(a);
	if (a->is_begun)
		undo_becoming(a); /* the call itself failed */
	/* What was to be said leans on what was not stored. */
	a->is_undone = a->becoming && becoming_is_ready(a->becoming);
	if (a->change.is_new)
		sodium_memzero(&a->change, sizeof a->change); /* the call itself failed */
}

void account_kept(struct account *a)
{
	a->is_begun = a->change.is_new = false;
}

void account_equip(struct account *a)
{
	if (a->has_certificate)
		endpoint_set_certificate(a->rooms->endpoint, &a->certificate);
	endpoint_set_knock(a->rooms->endpoint, &a->knock);
}

/* --- what changes in them --- */

void account_rotate_knock(struct account *a)
{
	randombytes_buf(a->knock.bytes, sizeof a->knock.bytes);
	account_save(a);
	endpoint_set_knock(a->rooms->endpoint, &a->knock);
}

void account_pin_directory(struct account *a, const struct device_public *key)
{
	if (account_is_becoming(a)) {
		becoming_pin(a->becoming, key);
	} else {
		a->directory_key = *key;
		a->has_directory_key = a->is_pinned_on_trust = true;
		account_save(a);
	}
	events_warn(
		a->rooms->events, NULL,
		N_("the directory's key was not in the link: the first one seen is trusted"));
}

void account_certify(struct account *a)
{
	certificate_make(&a->certificate, &a->identity, &a->device.public, a->label,
			 (uint64_t)a->rooms->wall, 0);
	a->has_certificate = true;
}

/* Who came in since `before`, but for this device. */
static void tell_newcomers(struct account *a, const struct device_list *before)
{
	char text[160];

	for (unsigned i = 0; before->version > 0 && i < a->devices.count; i++) {
		const struct listed_device *d = &a->devices.devices[i];

		if (device_list_find(before, &d->device) ||
		    device_public_equal(&d->device, &a->device.public))
			continue;
		snprintf(text, sizeof text,
			 _("another device logged in to this account: \"%s\"; if it is not "
			   "yours: palique devices revoke, then palique passwd"),
			 d->label);
		account_notice(a, text);
	}
}

void account_take_devices(struct account *a, const struct device_list *devices)
{
	struct event e = { .kind = EVENT_DEVICES };
	struct device_list before = a->devices;

	a->devices = *devices;
	account_save(a);
	events_add(a->rooms->events, &e);
	tell_newcomers(a, &before);
}

void account_empty(struct account *a)
{
	identity_wipe(&a->identity);
	identity_wipe(&a->next);
	sodium_memzero(&a->vault_key, sizeof a->vault_key);
	a->has_identity = a->has_next = a->has_certificate = a->has_vault_key = false;
	a->is_next_ours = a->is_next_said = a->is_trying_next = false;
	a->is_vault_due = a->has_recovery = a->is_recovery_offered = false;
	a->has_directory_key = a->is_pinned_on_trust = a->is_online = false;
	a->vault_version = a->vault_kept = a->settings_stamp = 0;
	a->requests = REQUESTS_ANYONE;
	a->is_invisible = false;
	a->standing = STANDING_NONE;
	memset(&a->devices, 0, sizeof a->devices);
	memset(&a->certificate, 0, sizeof a->certificate);
	memset(&a->name, 0, sizeof a->name);
	memset(&a->place, 0, sizeof a->place);
	a->trouble[0] = '\0';
	account_save(a);
	account_save_vault(a);
}
