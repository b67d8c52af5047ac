#include "peer/account_inside.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

/* --- what is stored --- */

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
				     " is_recovery_offered, next_identity, is_next_ours"
				     " FROM account");
	int err = db_step(s);

	if (err == 1) {
		read_row(a, s);
		if (!is_sound(a) || column_copy(s, 8, a->device.public.bytes, 32) < 0 ||
		    column_copy(s, 9, a->device.secret.bytes, 32) < 0 ||
		    column_copy(s, 11, a->knock.bytes, sizeof a->knock.bytes) < 0)
			err = ERR_CORRUPT;
	}
	db_done(s);
	if (err == 1 && load_vault(a) < 0)
		err = ERR_CORRUPT;
	return err;
}

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
		   " is_recovery_offered, next_identity, is_next_ours)"
		   " VALUES(1,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
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

bool account_is_becoming(const struct account *a)
{
	return a->becoming && becoming_kind(a->becoming) != BECOMING_PASSWD;
}

void account_free(struct account *a)
{
	if (!a)
		return;
	becoming_free(a->becoming);
	sodium_memzero(a, sizeof *a);
	free(a);
}

void account_reload(struct account *a)
{
	uint64_t heard = a->devices.version;

	load(a);
	/* The directory said it once: the next line says it again. */
	if (a->devices.version != heard)
		a->wants_call = true;
	a->is_trying_next = false;
	account_equip(a);
	/* What was to be said leans on what was not stored. */
	a->is_undone = a->becoming && becoming_is_ready(a->becoming);
	if (a->change.is_new)
		sodium_memzero(&a->change, sizeof a->change); /* the call itself failed */
}

void account_equip(struct account *a)
{
	if (a->has_certificate)
		endpoint_set_certificate(a->rooms->endpoint, &a->certificate);
	endpoint_set_knock(a->rooms->endpoint, &a->knock);
}

/* --- what others ask --- */

const struct device *account_device_keys(const struct account *a)
{
	return &a->device;
}

const struct device_public *account_device(const struct account *a)
{
	return &a->device.public;
}

const struct identity_public *account_identity(const struct account *a)
{
	return a->has_identity ? &a->identity.public : NULL;
}

const struct device_list *account_devices(const struct account *a)
{
	return &a->devices;
}

const struct name *account_name(const struct account *a)
{
	return &a->name;
}

const struct knock *account_knock(const struct account *a)
{
	return &a->knock;
}

void account_rotate_knock(struct account *a)
{
	randombytes_buf(a->knock.bytes, sizeof a->knock.bytes);
	account_save(a);
	endpoint_set_knock(a->rooms->endpoint, &a->knock);
}

enum standing account_standing(const struct account *a)
{
	return a->standing;
}

const struct directory_place *account_place(const struct account *a)
{
	return account_is_becoming(a) ? becoming_place(a->becoming) : &a->place;
}

const struct device_public *account_directory_key(const struct account *a)
{
	if (account_is_becoming(a))
		return becoming_directory_key(a->becoming);
	return a->has_directory_key ? &a->directory_key : NULL;
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

static enum account_state state_of(const struct account *a)
{
	if (account_is_becoming(a) && a->standing != STANDING_MEMBER)
		return ACCOUNT_JOINING;
	switch (a->standing) {
	case STANDING_NONE:
		return ACCOUNT_NONE;
	case STANDING_PENDING:
		return ACCOUNT_JOINING;
	case STANDING_MEMBER:
		return a->is_online ? ACCOUNT_ONLINE : ACCOUNT_CONNECTING;
	case STANDING_REFUSED:
		break;
	}
	return ACCOUNT_REFUSED;
}

void account_tell(struct account *a)
{
	struct event e = { .kind = EVENT_ACCOUNT, .name = a->name };

	if (state_of(a) == a->told)
		return;
	a->told = e.account = state_of(a);
	snprintf(e.detail, sizeof e.detail, "%s", a->trouble);
	events_add(a->rooms->events, &e);
}

void account_set_clock(struct account *a, int64_t ahead_ms)
{
	a->has_clock = true;
	a->ahead_ms = ahead_ms;
}

void account_set_trouble(struct account *a, int why, const char *text)
{
	a->why = why;
	snprintf(a->trouble, sizeof a->trouble, "%s", text);
}

void account_fill(const struct account *a, struct engine_account *out)
{
	memset(out, 0, sizeof *out);
	out->state = state_of(a);
	out->name = account_is_becoming(a) ? *becoming_name(a->becoming) : a->name;
	out->place = *account_place(a);
	if (account_directory_key(a))
		out->directory_key = *account_directory_key(a);
	out->is_key_pinned_on_trust = a->is_pinned_on_trust;
	if (a->has_identity)
		out->identity = a->identity.public;
	out->observed = a->observed;
	out->online_since = a->online_since;
	out->has_directory_clock = a->has_clock;
	out->directory_ahead_ms = a->ahead_ms;
	snprintf(out->trouble, sizeof out->trouble, "%s", a->trouble);
	out->why = a->trouble[0] ? a->why : 0;
	out->has_recovery = a->has_recovery;
	out->vault_version = a->vault_kept > a->vault_version ? a->vault_kept
							      : a->vault_version;
	out->is_vault_due = a->is_vault_due;
	out->is_vault_behind = a->vault_kept > a->vault_version;
}

int account_open_seal(const struct account *a, struct bytes sealed, char *out, size_t size)
{
	struct buf plain = { 0 };
	int err = ERR_STATE;

	out[0] = '\0';
	buf_init(&plain, size);
	if (!a->has_identity)
		goto out;
	err = identity_open(&a->identity, sealed, &plain);
	if (err < 0)
		goto out;
	err = ERR_FORMAT;
	if (plain.size >= size || !bytes_is_utf8(buf_view(&plain)))
		goto out;
	if (plain.size > 0)
		memcpy(out, plain.data, plain.size);
	out[plain.size] = '\0';
	err = (int)plain.size;
out:
	buf_clear(&plain);
	return err;
}

/* --- our devices --- */

void account_notice(struct account *a, const char *text)
{
	struct event e = { .kind = EVENT_NOTICE };

	snprintf(e.detail, sizeof e.detail, "%s", text);
	events_add(a->rooms->events, &e);
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

void account_swap_identities(struct account *a)
{
	struct identity ours = a->identity;

	a->identity = a->next;
	a->next = ours;
	identity_wipe(&ours);
	account_certify(a);
	account_equip(a);
}

void account_swap_next(struct account *a)
{
	if (!a->is_trying_next)
		account_swap_identities(a);
	identity_wipe(&a->next);
	a->has_next = a->is_next_ours = a->is_next_said = a->is_trying_next = false;
	a->is_vault_due = a->has_vault_key;
	a->vault_changes++;
	account_save(a);
	account_save_vault(a);
}

void account_drop_next(struct account *a)
{
	identity_wipe(&a->next);
	a->has_next = a->is_next_said = false;
	a->is_next_ours = true; /* until the vault lacks it */
	account_save(a);
	account_vault_changed(a);
}

void account_tell_failed(struct account *a, uint32_t failed)
{
	char text[200];

	if (failed == 0)
		return;
	snprintf(text, sizeof text,
		 ngettext("%u attempt to log in to this account failed since the last time",
			  "%u attempts to log in to this account failed since the last time",
			  failed),
		 failed);
	account_notice(a, text);
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
	a->standing = STANDING_NONE;
	memset(&a->devices, 0, sizeof a->devices);
	memset(&a->certificate, 0, sizeof a->certificate);
	memset(&a->name, 0, sizeof a->name);
	memset(&a->place, 0, sizeof a->place);
	a->trouble[0] = '\0';
	account_save(a);
	account_save_vault(a);
}

/* --- the vault --- */

const struct symmetric_key *account_vault_key(const struct account *a)
{
	return a->has_vault_key && a->has_identity ? &a->vault_key : NULL;
}

uint64_t account_vault_version(const struct account *a)
{
	return a->vault_version;
}

uint64_t account_vault_kept(const struct account *a)
{
	return a->vault_kept;
}

void account_vault_told(struct account *a, uint64_t version)
{
	a->vault_kept = version;
}

void account_vault_changed(struct account *a)
{
	a->vault_changes++;
	if (!a->has_vault_key || a->is_vault_due)
		return;
	a->is_vault_due = true;
	account_save_vault(a);
}

uint64_t account_vault_changes(const struct account *a)
{
	return a->vault_changes;
}

bool account_vault_is_due(const struct account *a)
{
	return a->is_vault_due;
}

void account_vault_held(struct account *a, uint64_t version, bool is_due)
{
	a->vault_version = version;
	a->is_vault_due = is_due;
	account_save_vault(a);
}

void account_vault_fill(const struct account *a, struct vault *v)
{
	v->identity = a->identity;
	v->has_next = a->has_next;
	if (a->has_next)
		v->next = a->next;
	v->past_count = a->devices.past_count;
	memcpy(v->past, a->devices.past, sizeof v->past);
	v->has_recovery = a->has_recovery;
	v->recovery = a->recovery;
	v->requests = a->requests;
	v->settings_stamp = a->settings_stamp;
}

/* Of two with the same stamp, the same on every device. */
static int settings_compare(const struct account *a, const struct vault *v)
{
	if (a->settings_stamp != v->settings_stamp)
		return a->settings_stamp < v->settings_stamp ? -1 : 1;
	if (a->has_recovery != v->has_recovery)
		return a->has_recovery < v->has_recovery ? -1 : 1;
	if (a->has_recovery && memcmp(&a->recovery, &v->recovery, sizeof a->recovery) != 0)
		return memcmp(&a->recovery, &v->recovery, sizeof a->recovery);
	return (a->requests > v->requests) - (a->requests < v->requests);
}

void account_next_gone(struct account *a)
{
	if (!a->is_next_ours || a->has_next)
		return;
	a->is_next_ours = false;
	account_save(a);
}

bool account_next_merge(struct account *a, const struct vault *v)
{
	bool is_same = a->has_next == v->has_next &&
		       (!v->has_next ||
			identity_public_equal(&a->next.public, &v->next.public));

	if (!v->has_next)
		account_next_gone(a);
	if (is_same || a->is_next_ours)
		return !is_same;
	identity_wipe(&a->next);
	a->has_next = v->has_next;
	if (v->has_next)
		a->next = v->next;
	account_save(a);
	return false;
}

bool account_vault_merge(struct account *a, const struct vault *v)
{
	int order = settings_compare(a, v);

	if (order >= 0)
		return order > 0;
	a->has_recovery = v->has_recovery;
	a->recovery = v->recovery;
	a->requests = v->requests;
	a->settings_stamp = v->settings_stamp;
	account_save(a);
	return false;
}

int account_vault_sign(const struct account *a, uint8_t out[VAULT_SIGNATURE_SIZE],
		       uint64_t version, struct bytes sealed)
{
	if (!a->has_identity)
		return ERR_STATE;
	vault_sign(out, &a->identity, &a->name, version, sealed);
	return 0;
}

static void settings_changed(struct account *a)
{
	uint64_t now = a->rooms->wall > 0 ? (uint64_t)a->rooms->wall : 0;

	a->settings_stamp = now > a->settings_stamp ? now : a->settings_stamp + 1;
	account_save(a);
	account_vault_changed(a);
}

void account_set_requests(struct account *a, enum request_policy policy)
{
	if (a->requests == policy)
		return;
	a->requests = policy;
	settings_changed(a);
}

enum request_policy account_requests(const struct account *a)
{
	return a->requests;
}

void account_set_recovery(struct account *a, const struct device_public *recovery)
{
	a->has_recovery = recovery != NULL;
	if (recovery)
		a->recovery = *recovery;
	a->is_recovery_offered = true;
	settings_changed(a);
}

bool account_is_recovery_offered(const struct account *a)
{
	return a->is_recovery_offered || a->has_recovery || !a->has_vault_key;
}

void account_offer_recovery(struct account *a)
{
	if (account_is_recovery_offered(a))
		return;
	a->is_recovery_offered = true;
	account_save(a);
	account_notice(a, N_("a forgotten password would lose this account: print a recovery "
			     "code with: palique recovery"));
}
