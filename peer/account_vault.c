#include "peer/account_inside.h"

#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

/* --- which version of it is taken in, and whether another is due --- */

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
	v->is_invisible = a->is_invisible;
	v->settings_stamp = a->settings_stamp;
}

int account_vault_sign(const struct account *a, uint8_t out[VAULT_SIGNATURE_SIZE],
		       uint64_t version, struct bytes sealed)
{
	if (!a->has_identity)
		return ERR_STATE;
	vault_sign(out, &a->identity, &a->name, version, sealed);
	return 0;
}

/* --- the identity to come --- */

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

/* --- settings --- */

/* Of two with the same stamp, the same on every device. */
static int settings_compare(const struct account *a, const struct vault *v)
{
	if (a->settings_stamp != v->settings_stamp)
		return a->settings_stamp < v->settings_stamp ? -1 : 1;
	if (a->has_recovery != v->has_recovery)
		return a->has_recovery < v->has_recovery ? -1 : 1;
	if (a->has_recovery && memcmp(&a->recovery, &v->recovery, sizeof a->recovery) != 0)
		return memcmp(&a->recovery, &v->recovery, sizeof a->recovery);
	if (a->requests != v->requests)
		return a->requests < v->requests ? -1 : 1;
	return (int)a->is_invisible - (int)v->is_invisible;
}

bool account_vault_merge(struct account *a, const struct vault *v)
{
	int order = settings_compare(a, v);

	if (order >= 0)
		return order > 0;
	a->has_recovery = v->has_recovery;
	a->recovery = v->recovery;
	a->requests = v->requests;
	a->is_invisible = v->is_invisible;
	a->settings_stamp = v->settings_stamp;
	account_save(a);
	return false;
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

void account_set_invisible(struct account *a, bool is_invisible)
{
	if (a->is_invisible == is_invisible)
		return;
	a->is_invisible = is_invisible;
	settings_changed(a);
}

bool account_is_invisible(const struct account *a)
{
	return a->is_invisible;
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
