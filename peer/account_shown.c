#include "peer/account_inside.h"

#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "shared/pair.h"
#include "shared/text.h"

/* --- what others ask --- */

bool account_is_becoming(const struct account *a)
{
	return a->becoming && becoming_kind(a->becoming) != BECOMING_PASSWD;
}

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

int account_sign_record(const struct account *a, struct peer_record *r)
{
	if (!a->has_identity)
		return ERR_STATE;
	peer_record_sign(r, &a->identity);
	return 0;
}

int account_make_pair(const struct account *a, struct symmetric_key *out,
		      const struct identity_public *theirs)
{
	return a->has_identity ? pair_key_make(out, &a->identity, theirs) : ERR_STATE;
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

/* --- what people are shown --- */

void account_notice(struct account *a, const char *text)
{
	struct event e = { .kind = EVENT_NOTICE };

	snprintf(e.detail, sizeof e.detail, "%s", text);
	events_add(a->rooms->events, &e);
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
