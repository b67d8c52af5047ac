#include "peer/account_inside.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

/* --- our devices --- */

/* With the words to type. */
static void set_login_trouble(struct account *a, const char *why)
{
	char place[URI_HOST_MAX + 9], typed[URI_HOST_MAX + NAME_MAX + 32];

	a->why = ERR_REFUSED;
	place_print(&a->place, place);
	snprintf(typed, sizeof typed, _("log in again with: palique login %s@%s"), a->name.text,
		 place);
	snprintf(a->trouble, sizeof a->trouble, "%s%s%s", why ? why : "", why ? "; " : "",
		 typed);
}

/* Not a member any more, with words for people; keys stay. */
static void put_out(struct account *a, const char *why)
{
	a->is_online = false;
	a->standing = STANDING_REFUSED;
	set_login_trouble(a, why);
	account_save(a);
	account_change_over(a, ERR_REFUSED, why);
	a->wants_call = true;
	account_tell(a);
}

int account_hear_devices(struct account *a, const struct device_list *devices)
{
	bool is_known = a->devices.version == devices->version &&
			sodium_memcmp(a->devices.signature, devices->signature, 64) == 0;
	bool is_next = a->has_next &&
		       identity_public_equal(&a->next.public, &devices->identity);

	if (devices->version == 0)
		return 0;
	if (!a->has_identity || (!is_known && device_list_verify(devices) < 0))
		return ERR_AUTH;
	if (!is_next && !device_list_descends(devices, &a->identity.public))
		return ERR_AUTH;
	if (!is_known && !device_list_follows(devices->version, a->devices.version))
		return 0;
	if (is_next) {
		account_swap_next(a);
		a->wants_call = true; /* with the certificate of the new one */
	}
	if (!is_known)
		account_take_devices(a, devices);
	account_change_heard(a, devices);
	if (is_known)
		return 0;
	/* A new identity that we do not have: who has the password finds it in the vault. */
	if (a->standing == STANDING_MEMBER &&
	    !(device_list_find(devices, &a->device.public) &&
	      identity_public_equal(&devices->identity, &a->identity.public)))
		put_out(a, _("this device was logged out on another one"));
	return 1;
}

void account_told_devices(struct account *a, const struct device_list *devices)
{
	/* Of what another device told us meanwhile, the directory's word may still be under way:
	 * what counts is what we knew before we called. The same number is an older list only
	 * where it is another one. */
	bool is_older = devices->version < a->called_with ||
			(devices->version == a->called_with &&
			 a->devices.version == a->called_with &&
			 sodium_memcmp(devices->signature, a->devices.signature, 64) != 0);
	bool is_ours = a->has_identity && devices->version > 0 &&
		       identity_public_equal(&a->identity.public, &a->devices.identity);

	if (is_older && is_ours && device_list_verify(devices) == 0)
		account_change_restore(a, devices);
}

/* --- the directory knows us, or does not --- */

void account_welcomed(struct account *a, const struct wire_welcome *welcome)
{
	a->vault_kept = welcome->vault_version;
	a->is_next_said = false;
	if (a->is_trying_next) {
		account_swap_next(a);
		if (a->change.kind == CHANGE_REKEY)
			account_change_over(a, 0, NULL);
	} else if (a->has_next && a->is_next_ours && a->change.kind != CHANGE_REKEY) {
		account_drop_next(a); /* asked for before a restart, and not done */
	}
	if (a->standing == STANDING_PENDING || a->standing == STANDING_REFUSED) {
		a->standing = STANDING_MEMBER;
		account_save(a);
		account_equip(a);
	}
	if (a->waiting) {
		events_answer(a->rooms->events, a->waiting, 0, NULL, 0);
		a->waiting = 0;
	}
	account_tell_failed(a, welcome->failed);
}

void account_unknown(struct account *a)
{
	a->is_online = false;
	a->has_heard_unknown = true;
	if (a->has_next && !a->is_trying_next && a->standing == STANDING_MEMBER) {
		/* What we asked for last may have become true. */
		a->is_trying_next = true;
		account_swap_identities(a);
		a->wants_call = true;
		return;
	}
	if (a->is_trying_next) {
		account_swap_identities(a);
		identity_wipe(&a->next);
		a->is_trying_next = a->has_next = a->is_next_ours = false;
	}
	if (a->change.kind == CHANGE_DELETE && a->change.tries > 0) {
		account_empty(a);
		account_change_over(a, 0, NULL);
	} else if (a->standing == STANDING_PENDING) {
		account_empty(a); /* nobody but us has seen these keys */
	} else if (a->standing == STANDING_MEMBER) {
		put_out(a, _("this device was logged out, or the account is gone"));
	}
	if (a->waiting) {
		events_answer(a->rooms->events, a->waiting, ERR_REFUSED,
			      N_("the directory did not take us: try again"), 0);
		a->waiting = 0;
	}
	account_tell(a);
}

/* --- our line --- */

/* A new password that was asked for on the line that went. */
static void lose_passwd(struct account *a)
{
	if (!a->becoming || account_is_becoming(a))
		return;
	if (becoming_is_setting(a->becoming))
		account_becoming_over(a, ERR_TIMEOUT,
				      N_("the line was lost before the directory confirmed: "
					 "either password may count now; set it again"));
	else
		account_becoming_over(a, ERR_OFFLINE, N_("the line to the directory was lost"));
}

void account_set_observed(struct account *a, const struct address *observed)
{
	a->observed = *observed;
}

void account_set_online(struct account *a, const struct address *observed,
			const uint8_t *handshake_hash)
{
	bool was_online = a->is_online;

	a->is_online = observed != NULL;
	a->observed = observed ? *observed : (struct address){ 0 };
	a->online_since = observed ? a->rooms->wall : 0;
	if (observed) {
		memcpy(a->handshake_hash, handshake_hash, sizeof a->handshake_hash);
		a->trouble[0] = '\0';
		account_change_back(a);
	} else if (was_online) {
		account_change_lost(a);
		lose_passwd(a);
	}
	account_tell(a);
}

/* --- what is said on it, and answered --- */

bool account_wants_call(const struct account *a)
{
	return a->wants_call;
}

void account_calls(struct account *a)
{
	a->called_with = a->devices.version;
	a->has_heard_unknown = false;
}

void account_called(struct account *a)
{
	a->wants_call = false;
}

bool account_next(struct account *a, struct wire_message *m)
{
	if (a->is_undone)
		return false;
	if (a->becoming && becoming_next(a->becoming, m))
		return true;
	return !account_is_becoming(a) && account_change_next(a, m);
}

static bool is_of_change(const struct wire_message *m)
{
	enum wire_type type = m->type == WIRE_REFUSAL ? m->refusal.about : m->type;

	return type == WIRE_DEVICES_PUT || type == WIRE_RECOVERY_PUT ||
	       type == WIRE_RECOVERY_DONE || type == WIRE_DELETE || type == WIRE_DELETE_DONE;
}

static bool is_of_password(const struct wire_message *m)
{
	enum wire_type type = m->type == WIRE_REFUSAL ? m->refusal.about : m->type;

	return type == WIRE_LOGIN_START || type == WIRE_LOGIN_CHALLENGE ||
	       type == WIRE_LOGIN_FINISH || type == WIRE_LOGIN_DONE ||
	       (type >= WIRE_PASSWORD_START && type <= WIRE_PASSWORD_DONE);
}

int account_message(struct account *a, const struct wire_message *m)
{
	if (m->type == WIRE_DEVICES_DONE) {
		struct device_list list = a->change.list;

		if (!a->change.is_said || list.version != m->devices_done.version)
			return 0;
		if (a->change.kind == CHANGE_RESTORE)
			account_change_restore(a, &list);
		(void)account_hear_devices(a, &list);
		return 0;
	}
	if (!account_is_becoming(a) && is_of_change(m))
		return account_change_hear(a, m);
	if (a->becoming && (account_is_becoming(a) || is_of_password(m)))
		return account_becoming_hear(a, m);
	/* What was given up, or is not ours. */
	return account_is_becoming(a) ? ERR_STATE : 0;
}

static mono_ns step_change(struct account *a)
{
	if (a->change.kind == CHANGE_NONE)
		return NEVER;
	if (a->change.is_keeping && !a->has_next) {
		account_change_over(a, ERR_IO,
				    N_("the keys could not be stored: is the disk full?"));
		return NEVER;
	}
	if (a->rooms->now < a->change.until)
		return a->change.until;
	account_change_over(a, ERR_TIMEOUT,
			    N_("the directory has not confirmed: see later whether it holds"));
	return NEVER;
}

mono_ns account_step(struct account *a)
{
	if (a->is_undone) {
		a->is_undone = false;
		if (a->becoming)
			account_becoming_over(
				a, ERR_IO,
				N_("the keys could not be stored: is the disk full?"));
	}
	if (a->is_to_tell) {
		a->is_to_tell = false;
		account_tell(a);
	}
	if (a->call_again_at && a->rooms->now >= a->call_again_at) {
		a->call_again_at = 0;
		a->wants_call = true;
	}
	return mono_earlier(step_change(a), a->call_again_at ? a->call_again_at : NEVER);
}
