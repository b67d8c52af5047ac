#include "peer/account_inside.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

static int begin(struct account *a, struct becoming_wish *wish)
{
	struct becoming *b;
	int err;

	wish->weakest = a->weakest;
	if (a->has_identity)
		wish->identity = &a->identity.public;
	if (a->has_identity && a->has_vault_key)
		wish->vault_key = &a->vault_key;
	wish->known = &a->devices;
	err = becoming_new(&b, wish);
	if (err < 0)
		return err;
	a->becoming = b;
	a->is_begun = true;
	a->was_refused = a->standing == STANDING_REFUSED;
	memset(&a->enrolling, 0, sizeof a->enrolling);
	if (wish->kind == BECOMING_PASSWD) {
		err = becoming_up(b, a->handshake_hash);
		if (err < 0) {
			becoming_free(b);
			a->becoming = NULL;
		}
		return err;
	}
	a->trouble[0] = '\0';
	account_tell(a);
	a->wants_call = true;
	return 0;
}

int account_join(struct account *a, const struct uri *link, const char *name,
		 struct bytes password, uint64_t ticket)
{
	struct becoming_wish wish = { .kind = BECOMING_NEW,
				      .password = password,
				      .ticket = ticket };
	int err;

	if (a->standing != STANDING_NONE || a->becoming)
		return ERR_EXISTS;
	if (link->kind != URI_DIRECTORY && link->kind != URI_INVITATION)
		return ERR_FORMAT;
	err = name_parse(&wish.name, bytes_text(name));
	if (err < 0)
		return err;
	wish.place = link->place;
	wish.directory_key = link->has_directory_key ? &link->directory_key : NULL;
	if (link->kind == URI_INVITATION)
		wish.code = link->code;
	return begin(a, &wish);
}

static bool same_place(const struct directory_place *a, const struct directory_place *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}

/* As whom, and where; only as the one this home holds already. */
static int come_in(struct account *a, const char *name, const struct directory_place *place,
		   const struct device_public *directory_key, struct becoming_wish *wish)
{
	int err = name_parse(&wish->name, bytes_text(name));

	if (err < 0)
		return err;
	if (a->becoming || a->change.kind != CHANGE_NONE || a->standing == STANDING_PENDING)
		return ERR_STATE;
	if (a->standing != STANDING_NONE &&
	    !(name_equal(&a->name, &wish->name) && same_place(&a->place, place)))
		return ERR_REFUSED;
	wish->place = *place;
	wish->directory_key = directory_key;
	if (!wish->directory_key && a->standing != STANDING_NONE && a->has_directory_key)
		wish->directory_key = &a->directory_key;
	return begin(a, wish);
}

int account_login(struct account *a, const char *name, const struct directory_place *place,
		  const struct device_public *directory_key, struct bytes password,
		  bool begin_anew, uint64_t ticket)
{
	struct becoming_wish wish = { .kind = BECOMING_LOGIN,
				      .password = password,
				      .begin_anew = begin_anew,
				      .ticket = ticket };

	return come_in(a, name, place, directory_key, &wish);
}

int account_recover(struct account *a, const char *name, const struct directory_place *place,
		    const struct device_public *directory_key, const struct recovery_code *code,
		    struct bytes new_password, uint64_t ticket)
{
	struct becoming_wish wish = { .kind = BECOMING_RECOVER,
				      .password = new_password,
				      .recovery = code,
				      .ticket = ticket };

	return come_in(a, name, place, directory_key, &wish);
}

int account_reset(struct account *a, const struct uri *link, struct bytes new_password,
		  uint64_t ticket)
{
	struct becoming_wish wish = { .kind = BECOMING_RESET,
				      .password = new_password,
				      .code = link->code,
				      .place = link->place,
				      .ticket = ticket };

	if (link->kind != URI_RESET)
		return ERR_FORMAT;
	if (a->becoming || a->change.kind != CHANGE_NONE || a->standing == STANDING_PENDING)
		return ERR_STATE;
	if (link->has_directory_key)
		wish.directory_key = &link->directory_key;
	else if (a->has_directory_key && same_place(&a->place, &link->place))
		wish.directory_key = &a->directory_key;
	return begin(a, &wish);
}

int account_passwd(struct account *a, struct bytes old_password, struct bytes new_password,
		   bool everywhere, uint64_t ticket)
{
	struct becoming_wish wish = { .kind = BECOMING_PASSWD,
				      .password = old_password,
				      .new_password = new_password,
				      .name = a->name,
				      .place = a->place,
				      .ticket = ticket };
	const struct listed_device *ours = device_list_find(&a->devices, &a->device.public);
	struct device_list shorter = a->devices;

	if (a->standing != STANDING_MEMBER || !a->is_online || !a->has_vault_key)
		return ERR_STATE;
	if (a->becoming || a->change.kind != CHANGE_NONE)
		return ERR_BUSY;
	if (everywhere && !ours)
		return ERR_STATE;
	if (everywhere) {
		memset(shorter.devices, 0, sizeof shorter.devices);
		shorter.devices[0] = *ours;
		shorter.count = 1;
		device_list_sign(&shorter, &a->identity);
		wish.devices = &shorter;
	}
	int err = begin(a, &wish);

	if (err == 0 && everywhere)
		a->enrolling = shorter;
	return err;
}

void account_becoming_over(struct account *a, int err, const char *detail)
{
	uint64_t ticket = becoming_ticket(a->becoming);
	bool is_guest = account_is_becoming(a);

	becoming_free(a->becoming);
	a->becoming = NULL;
	if (err < 0 && a->standing == STANDING_PENDING)
		account_empty(a);
	if (err < 0 && is_guest && a->was_refused) {
		a->standing = STANDING_REFUSED;
		account_save(a);
	}
	events_answer(a->rooms->events, ticket, err, detail, 0);
	if (!is_guest)
		return;
	if (err < 0)
		account_set_trouble(a, err, detail ? detail : error_text(err));
	account_tell(a);
	a->wants_call = true;
}

/* --- keys that the directory is about to learn must be durable before it does --- */

static void take_place(struct account *a)
{
	if (a->standing == STANDING_NONE) {
		a->standing = STANDING_PENDING;
		a->name = *becoming_name(a->becoming);
		a->place = *becoming_place(a->becoming);
	} else if (a->standing == STANDING_REFUSED) {
		a->standing = STANDING_MEMBER; /* a crash from here on: the device key tells */
	}
	a->directory_key = *becoming_directory_key(a->becoming);
	a->has_directory_key = true;
	a->is_pinned_on_trust = becoming_is_pinned(a->becoming);
}

/* The identity to come in with: the vault's, the one this home holds, or a fresh one. A fresh
 * one in a home that has another stands aside until the directory has confirmed. */
static const struct identity *take_identity(struct account *a)
{
	const struct vault *v = becoming_vault(a->becoming);
	bool is_other = v && a->has_identity &&
			!identity_public_equal(&v->identity.public, &a->identity.public);

	if (v && !is_other) {
		a->identity = v->identity;
		a->has_identity = true;
		return &a->identity;
	}
	if (!v && a->has_identity && becoming_is_kept(a->becoming))
		return &a->identity;
	if (!a->has_identity) {
		identity_make(&a->identity);
		a->has_identity = true;
		return &a->identity;
	}
	if (v)
		a->next = v->identity; /* it was changed on another device */
	else
		identity_make(&a->next);
	a->has_next = a->is_next_ours = true;
	return &a->next;
}

static void take_vault(struct account *a, bool is_first)
{
	const struct symmetric_key *key = becoming_vault_key(a->becoming);
	uint64_t version = becoming_vault_version(a->becoming);
	bool is_known = key && a->has_vault_key &&
			sodium_memcmp(key->bytes, a->vault_key.bytes, sizeof key->bytes) == 0;

	if (key)
		a->vault_key = *key;
	else if (!a->has_vault_key)
		randombytes_buf(a->vault_key.bytes, sizeof a->vault_key.bytes);
	a->has_vault_key = true;
	if (is_first) {
		a->vault_version = 1;
		a->is_vault_due = becoming_kind(a->becoming) != BECOMING_NEW;
	} else if (becoming_vault(a->becoming)) {
		/* What it holds is taken in once we are in: by whoever keeps it in step. But of a
		 * vault that we know, none that is older than what we have seen. */
		if (!is_known || version > a->vault_version)
			a->vault_version = version - 1;
	}
	account_save_vault(a);
}

/* The account's list, one version up, with this device in it. */
static int make_list(struct account *a, const struct identity *by, bool is_first,
		     struct device_list *l)
{
	const struct device_list *old = becoming_devices(a->becoming);
	const struct listed_device *known;
	char label[CERTIFICATE_LABEL_MAX + 1];
	int err;

	memset(l, 0, sizeof *l);
	if (is_first)
		l->version = old->version;
	else
		*l = *old;
	known = device_list_find(l, &a->device.public);
	device_list_distinct(l, a->label, label);
	err = device_list_add(l, &a->device.public, known ? known->label : label,
			      known ? known->since : a->rooms->wall);
	if (err == 0)
		device_list_sign(l, by);
	return err;
}

static int prepare(struct account *a)
{
	bool is_first = !becoming_vault_key(a->becoming);
	struct certificate certificate;
	struct becoming_keys keys = { .certificate = &certificate,
				      .devices = &a->enrolling,
				      .vault_key = &a->vault_key };
	struct vault first = { 0 };
	int err;

	take_place(a);
	keys.identity = take_identity(a);
	certificate_make(&certificate, keys.identity, &a->device.public, a->label,
			 (uint64_t)a->rooms->wall, 0);
	if (keys.identity == &a->identity) {
		a->certificate = certificate;
		a->has_certificate = true;
	}
	take_vault(a, is_first);
	account_save(a);
	err = make_list(a, keys.identity, is_first, &a->enrolling);
	if (err == ERR_FULL)
		account_becoming_over(
			a, ERR_FULL,
			N_("the account has as many devices as it may: revoke one on another "
			   "device, or set the password anew and log out everywhere"));
	if (err < 0)
		return err == ERR_FULL ? 0 : err;
	if (is_first) {
		account_vault_fill(a, &first);
		first.identity = *keys.identity;
		first.past_count = 0;
		identity_wipe(&first.next);
		first.has_next = false;
		/* A code that was made for the vault before opens this one no more. */
		first.has_recovery = false;
		keys.first = &first;
	}
	err = becoming_take_keys(a->becoming, &keys);
	vault_clear(&first);
	return err;
}

static void on_over(struct account *a)
{
	enum becoming_kind kind = becoming_kind(a->becoming);
	struct name name = *becoming_name(a->becoming);
	struct device_list devices = a->enrolling;
	uint32_t failed = becoming_failed(a->becoming);
	bool is_first = !becoming_vault_key(a->becoming);

	if (kind == BECOMING_RESET) {
		account_becoming_over(a, 0, name.text);
		return;
	}
	if (kind == BECOMING_PASSWD) {
		if (devices.version > a->devices.version)
			account_take_devices(a, &devices);
		account_becoming_over(a, 0, NULL);
		return;
	}
	a->standing = STANDING_MEMBER;
	if (a->has_next && identity_public_equal(&a->next.public, &devices.identity))
		account_swap_next(a);
	if (is_first)
		a->has_recovery = false;
	/* Unless the directory has an older one than it had: see account_told_devices(). */
	if (devices.version > a->devices.version ||
	    !identity_public_equal(&devices.identity, &a->devices.identity))
		account_take_devices(a, &devices);
	account_equip(a);
	account_tell_failed(a, failed);
	account_becoming_over(a, 0, NULL);
}

/* What came of a message or an answer. */
static int went(struct account *a, int how)
{
	switch (how) {
	case BECOMING_ON:
		if (becoming_is_working(a->becoming))
			account_set_trouble(a, ERR_BUSY,
					    N_("the directory has many visitors: this "
					       "machine works to be let in, for up to a "
					       "minute"));
		return 0;
	case BECOMING_WANTS_KEYS:
		how = prepare(a);
		if (how < 0)
			account_becoming_over(a, how, NULL);
		return 0;
	case BECOMING_AGAIN:
		a->wants_call = true;
		return 0;
	case BECOMING_OVER:
		on_over(a);
		return 0;
	default:
		break;
	}
	if (becoming_detail(a->becoming)) {
		account_becoming_over(a, how, becoming_detail(a->becoming));
		return 0;
	}
	return how;
}

int account_becoming_hear(struct account *a, const struct wire_message *m)
{
	return went(a, becoming_hear(a->becoming, m));
}

bool account_next_job(struct account *a, struct job *job)
{
	if (!a->becoming || !becoming_next_job(a->becoming, a->jobs + 1, job))
		return false;
	a->jobs++;
	return true;
}

void account_job_done(struct account *a, const struct job *answer)
{
	int err;

	if (!a->becoming || !becoming_wants(a->becoming, answer))
		return;
	err = went(a, becoming_answered(a->becoming, answer));
	if (err < 0 && a->becoming)
		account_becoming_over(a, err, NULL);
}

/* --- the guest's line --- */

void account_guest_up(struct account *a, const uint8_t handshake_hash[64])
{
	int err = a->becoming ? becoming_up(a->becoming, handshake_hash) : 0;

	if (err < 0)
		account_becoming_over(a, err, NULL);
}

void account_guest_down(struct account *a, int err, const char *trouble)
{
	if (!account_is_becoming(a))
		return;
	if (becoming_is_setting(a->becoming)) {
		account_becoming_over(a, ERR_TIMEOUT,
				      N_("the line was lost before the directory confirmed: "
					 "perhaps the new password counts already; try to log "
					 "in with it"));
		return;
	}
	if (!becoming_is_sent(a->becoming)) {
		account_becoming_over(a, err == ERR_CLOSED ? ERR_OFFLINE : err, trouble);
		return;
	}
	/* Our last word may have arrived: ask with the device key. */
	account_equip(a);
	a->waiting = becoming_ticket(a->becoming);
	becoming_free(a->becoming);
	a->becoming = NULL;
	a->wants_call = true;
}
