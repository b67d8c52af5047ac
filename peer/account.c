#include "peer/account.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/becoming.h"
#include "peer/events.h"
#include "peer/store.h"
#include "shared/error.h"
#include "shared/text.h"

struct account {
	struct rooms *rooms;
	char label[CERTIFICATE_LABEL_MAX + 1];
	enum ksf weakest;

	enum standing standing;
	struct name name;
	struct directory_place place;
	bool has_directory_key, is_pinned_on_trust;
	struct device_public directory_key;
	bool has_identity, has_certificate;
	struct identity identity;
	struct device device;
	struct certificate certificate;
	struct knock knock;

	uint64_t jobs;             /* given so far */
	struct becoming *becoming; /* a password exchange, or NULL */
	uint64_t waiting;          /* ticket of one whose outcome is unknown */
	bool wants_call;
	enum account_state told;
	bool is_online;
	struct address observed;
	wall_ms online_since;
	bool has_clock;
	int64_t ahead_ms; /* the directory's clock against ours */
	char trouble[192];
};

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
}

/* 1: there is a row, 0: none, or an error. */
static int load(struct account *a)
{
	struct statement *s = db_sql(store_db(a->rooms->store),
				     "SELECT standing, name, host, port, directory_key,"
				     " is_pinned_on_trust, identity_public, identity_secret,"
				     " device_public, device_secret, certificate, knock"
				     " FROM account");
	int err = db_step(s);

	if (err == 1) {
		read_row(a, s);
		if (column_copy(s, 8, a->device.public.bytes, 32) < 0 ||
		    column_copy(s, 9, a->device.secret.bytes, 32) < 0 ||
		    column_copy(s, 11, a->knock.bytes, sizeof a->knock.bytes) < 0)
			err = ERR_CORRUPT;
	}
	db_done(s);
	return err;
}

static void save(struct account *a)
{
	struct store *store = a->rooms->store;
	struct buf certificate = { 0 };
	struct statement *s;

	store_write(store);
	s = db_sql(store_db(store),
		   "INSERT OR REPLACE INTO account(one, standing, name, host, port,"
		   " directory_key, is_pinned_on_trust, identity_public,"
		   " identity_secret, device_public, device_secret, certificate,"
		   " knock) VALUES(1,?,?,?,?,?,?,?,?,?,?,?,?)");
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
	store_run(store, s);
	buf_clear(&certificate);
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
		save(a);
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

void account_reload(struct account *a)
{
	load(a);
	account_equip(a);
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
	save(a);
	endpoint_set_knock(a->rooms->endpoint, &a->knock);
}

enum standing account_standing(const struct account *a)
{
	return a->standing;
}

const struct directory_place *account_place(const struct account *a)
{
	return a->becoming ? becoming_place(a->becoming) : &a->place;
}

const struct device_public *account_directory_key(const struct account *a)
{
	if (a->becoming)
		return becoming_directory_key(a->becoming);
	return a->has_directory_key ? &a->directory_key : NULL;
}

void account_pin_directory(struct account *a, const struct device_public *key)
{
	if (a->becoming) {
		becoming_pin(a->becoming, key);
	} else {
		a->directory_key = *key;
		a->has_directory_key = a->is_pinned_on_trust = true;
		save(a);
	}
	events_warn(
		a->rooms->events, NULL,
		N_("the directory's key was not in the link: the first one seen is trusted"));
}

static enum account_state state_of(const struct account *a)
{
	if (a->becoming && a->standing != STANDING_MEMBER)
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

void account_set_online(struct account *a, const struct address *observed)
{
	a->is_online = observed != NULL;
	a->observed = observed ? *observed : (struct address){ 0 };
	a->online_since = observed ? a->rooms->wall : 0;
	if (observed)
		a->trouble[0] = '\0';
	account_tell(a);
}

void account_set_clock(struct account *a, int64_t ahead_ms)
{
	a->has_clock = true;
	a->ahead_ms = ahead_ms;
}

void account_set_trouble(struct account *a, const char *text)
{
	snprintf(a->trouble, sizeof a->trouble, "%s", text);
}

void account_fill(const struct account *a, struct engine_account *out)
{
	memset(out, 0, sizeof *out);
	out->state = state_of(a);
	out->name = a->becoming ? *becoming_name(a->becoming) : a->name;
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

/* --- becoming somebody --- */

bool account_is_becoming(const struct account *a)
{
	return a->becoming != NULL;
}

static int begin(struct account *a, const struct becoming_wish *wish)
{
	struct becoming *b;
	int err = becoming_new(&b, wish);

	if (err < 0)
		return err;
	a->becoming = b;
	a->trouble[0] = '\0';
	account_tell(a);
	a->wants_call = true;
	return 0;
}

int account_join(struct account *a, const struct uri *link, const char *name,
		 struct bytes password, uint64_t ticket)
{
	struct becoming_wish wish = {
		.weakest = a->weakest, .password = password, .ticket = ticket, .is_new = true
	};
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

int account_login(struct account *a, const char *name, const struct directory_place *place,
		  const struct device_public *directory_key, struct bytes password,
		  uint64_t ticket)
{
	struct becoming_wish wish = {
		.weakest = a->weakest, .password = password, .ticket = ticket, .place = *place
	};
	int err = name_parse(&wish.name, bytes_text(name));

	if (err < 0)
		return err;
	if (a->becoming || a->standing == STANDING_PENDING)
		return ERR_STATE;
	if (a->standing != STANDING_NONE &&
	    !(name_equal(&a->name, &wish.name) && same_place(&a->place, place)))
		return ERR_REFUSED;
	wish.directory_key = directory_key;
	if (!wish.directory_key && a->standing != STANDING_NONE && a->has_directory_key)
		wish.directory_key = &a->directory_key;
	return begin(a, &wish);
}

bool account_wants_call(const struct account *a)
{
	return a->wants_call;
}

void account_called(struct account *a)
{
	a->wants_call = false;
}

bool account_guest_up(struct account *a, const uint8_t handshake_hash[64],
		      struct wire_message *m)
{
	return a->becoming && becoming_start(a->becoming, handshake_hash, m) == 0;
}

/* Over: with an answer to whoever asked, and whatever the home was before. */
static void finish(struct account *a, int err, const char *detail)
{
	uint64_t ticket = becoming_ticket(a->becoming);

	becoming_free(a->becoming);
	a->becoming = NULL;
	if (err < 0 && a->standing == STANDING_PENDING)
		account_unknown(a);
	events_answer(a->rooms->events, ticket, err, detail, 0);
	if (err < 0)
		account_set_trouble(a, detail ? detail : error_text(err));
	account_tell(a);
	a->wants_call = true;
}

void account_guest_down(struct account *a, int err, const char *trouble)
{
	if (!a->becoming)
		return;
	if (!becoming_is_sent(a->becoming)) {
		finish(a, err == ERR_CLOSED ? ERR_OFFLINE : err, trouble);
		return;
	}
	/* Our last word may have arrived: ask with the device key. */
	account_equip(a);
	a->waiting = becoming_ticket(a->becoming);
	becoming_free(a->becoming);
	a->becoming = NULL;
	if (a->standing == STANDING_MEMBER || a->standing == STANDING_REFUSED)
		a->standing = STANDING_MEMBER;
	a->wants_call = true;
}

/* Keys that the directory is about to learn must be durable before it does. */
static void prepare(struct account *a)
{
	if (!a->has_identity) {
		identity_make(&a->identity);
		a->has_identity = true;
	}
	certificate_make(&a->certificate, &a->identity, &a->device.public, a->label,
			 (uint64_t)a->rooms->wall, 0);
	a->has_certificate = true;
	if (a->standing == STANDING_NONE) {
		a->standing = STANDING_PENDING;
		a->name = *becoming_name(a->becoming);
		a->place = *becoming_place(a->becoming);
	}
	a->directory_key = *becoming_directory_key(a->becoming);
	a->has_directory_key = true;
	a->is_pinned_on_trust = becoming_is_pinned(a->becoming);
	save(a);
}

static const char *refusal_text(enum wire_type about, int err, bool has_code)
{
	static const struct {
		enum wire_type about;
		int err;
		const char *text;
	} texts[] = {
		{ WIRE_REGISTER_START, ERR_EXISTS, N_("that name is taken") },
		{ WIRE_REGISTER_FINISH, ERR_EXISTS, N_("that name is taken") },
		{ WIRE_REGISTER_START, ERR_REFUSED,
		  N_("this directory takes new accounts by invitation only, or none at all") },
		{ WIRE_REGISTER_START, ERR_EXPIRED,
		  N_("the invitation has expired or was used") },
		{ WIRE_REGISTER_FINISH, ERR_EXPIRED,
		  N_("the invitation has expired or was used") },
		{ WIRE_REGISTER_START, ERR_BUSY, N_("too many attempts: try again later") },
		{ WIRE_LOGIN_START, ERR_BUSY, N_("too many attempts: try again later") },
		/* The directory's own proof was checked before: the password is right. */
		{ WIRE_LOGIN_FINISH, ERR_AUTH,
		  N_("the password is right, but the account is in another home folder or on "
		     "another machine") },
	};

	if (has_code && about == WIRE_REGISTER_START && err == ERR_REFUSED)
		return N_("the invitation is not valid here: mistyped, for another name, or "
			  "the directory takes no new accounts");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (texts[i].about == about && texts[i].err == err)
			return texts[i].text;
	}
	return error_text(err);
}

static int on_done(struct account *a)
{
	if (!becoming_is_sent(a->becoming))
		return ERR_STATE;
	a->standing = STANDING_MEMBER;
	save(a);
	account_equip(a);
	finish(a, 0, NULL);
	return 0;
}

int account_message(struct account *a, const struct wire_message *m)
{
	struct becoming *b = a->becoming;

	if (!b)
		return ERR_STATE;
	bool is_elsewhere = m->type == WIRE_REFUSAL && m->refusal.error == ERR_AUTH &&
			    m->refusal.about == WIRE_LOGIN_FINISH;

	switch (m->type) {
	case WIRE_REFUSAL:
		finish(a,
		       is_elsewhere || m->refusal.error >= 0 ? ERR_REFUSED : m->refusal.error,
		       refusal_text(m->refusal.about, m->refusal.error, becoming_has_code(b)));
		return 0;
	case WIRE_REGISTER_CHALLENGE:
	case WIRE_LOGIN_CHALLENGE:
		return becoming_challenged(b, m);
	case WIRE_REGISTER_DONE:
		return becoming_is_new(b) ? on_done(a) : ERR_STATE;
	case WIRE_LOGIN_DONE:
		return becoming_is_new(b) ? ERR_STATE : on_done(a);
	default:
		return ERR_STATE;
	}
}

bool account_next_job(struct account *a, struct job *job)
{
	if (!a->becoming || !becoming_next_job(a->becoming, a->jobs + 1, job))
		return false;
	a->jobs++;
	return true;
}

void account_stretched(struct account *a, const struct job *answer)
{
	int err;

	if (!a->becoming || !becoming_wants(a->becoming, answer))
		return;
	prepare(a);
	err = becoming_finish(a->becoming, answer, &a->identity, &a->certificate);
	if (err < 0)
		finish(a, err, err == ERR_AUTH ? N_("name or password is wrong") : NULL);
}

bool account_take_last(struct account *a, struct wire_message *m)
{
	return a->becoming && becoming_take_last(a->becoming, m);
}

void account_welcomed(struct account *a)
{
	if (a->standing == STANDING_PENDING || a->standing == STANDING_REFUSED) {
		a->standing = STANDING_MEMBER;
		save(a);
		account_equip(a);
	}
	if (a->waiting) {
		events_answer(a->rooms->events, a->waiting, 0, NULL, 0);
		a->waiting = 0;
	}
}

void account_unknown(struct account *a)
{
	a->is_online = false;
	if (a->standing == STANDING_PENDING) {
		/* Nobody but us has seen these keys. */
		identity_wipe(&a->identity);
		a->has_identity = a->has_certificate = false;
		a->has_directory_key = a->is_pinned_on_trust = false;
		a->standing = STANDING_NONE;
		memset(&a->name, 0, sizeof a->name);
		memset(&a->place, 0, sizeof a->place);
		save(a);
	} else if (a->standing == STANDING_MEMBER) {
		char place[URI_HOST_MAX + 9];

		a->standing = STANDING_REFUSED;
		place_print(&a->place, place);
		snprintf(a->trouble, sizeof a->trouble,
			 _("log in again with: palique login %s@%s"), a->name.text, place);
		save(a);
	}
	if (a->waiting) {
		events_answer(a->rooms->events, a->waiting, ERR_REFUSED,
			      N_("the directory did not take us: try again"), 0);
		a->waiting = 0;
	}
	account_tell(a);
}
