#include "peer/account_inside.h"

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "shared/proof.h"
#include "shared/text.h"

#define ANSWERED (60 * SECOND) /* then the person is told to look */
enum { TRIES_MAX = 5 };

void account_change_over(struct account *a, int err, const char *detail)
{
	uint64_t ticket = a->change.ticket;
	bool is_rekey = a->change.kind == CHANGE_REKEY;

	if (a->change.kind == CHANGE_NONE)
		return;
	/* What was said may have become true: the next line tells. */
	if (err < 0 && is_rekey && a->is_next_ours && a->has_next && !a->is_next_said)
		account_drop_next(a);
	sodium_memzero(&a->change, sizeof a->change);
	if (!ticket)
		return; /* nobody asked */
	events_answer(a->rooms->events, ticket, err, detail, 0);
}

static int begin(struct account *a, enum change_kind kind, uint64_t ticket)
{
	if (a->standing != STANDING_MEMBER || !a->is_online || !a->has_identity)
		return ERR_STATE;
	if (a->change.kind != CHANGE_NONE || a->becoming)
		return ERR_BUSY;
	memset(&a->change, 0, sizeof a->change);
	a->change.kind = kind;
	a->change.ticket = ticket;
	a->change.until = a->rooms->now + ANSWERED;
	a->change.is_due = a->change.is_new = true;
	return 0;
}

static bool is_list(const struct change *c)
{
	return c->kind == CHANGE_DEVICE_NAME || c->kind == CHANGE_REVOKE ||
	       c->kind == CHANGE_REKEY;
}

/* --- another device list --- */

static int keep_one(struct device_list *l, const struct device_public *device)
{
	const struct listed_device *found = device_list_find(l, device);
	struct listed_device kept;

	if (!found)
		return ERR_NOT_FOUND;
	kept = *found;
	memset(l->devices, 0, sizeof l->devices);
	l->devices[0] = kept;
	l->count = 1;
	return 0;
}

/* The list as it shall be, made from the newest we know. */
static int compose(struct account *a)
{
	struct change *c = &a->change;
	const struct listed_device *found;
	int err;

	c->list = a->devices;
	found = device_list_find(&c->list, &c->device);
	if (!found)
		return ERR_NOT_FOUND;
	switch (c->kind) {
	case CHANGE_DEVICE_NAME:
		err = device_list_add(&c->list, &c->device, c->label, found->since);
		break;
	case CHANGE_REVOKE:
		err = device_list_remove(&c->list, &c->device);
		break;
	default:
		err = keep_one(&c->list, &a->device.public);
		if (err == 0 && c->is_kept)
			device_list_succeed(&c->list, &a->identity, &a->next.public);
		break;
	}
	if (err == 0)
		device_list_sign(&c->list, c->is_kept ? &a->next : &a->identity);
	return err;
}

static int begin_list(struct account *a, enum change_kind kind,
		      const struct device_public *device, const char *label, uint64_t ticket)
{
	struct change before = a->change;
	int err = begin(a, kind, ticket);

	if (err < 0)
		return err;
	a->change.device = *device;
	if (label)
		memcpy(a->change.label, label, strlen(label) + 1);
	err = a->devices.version == 0 ? ERR_STATE : compose(a);
	if (err < 0)
		a->change = before;
	return err;
}

int account_name_device(struct account *a, const struct device_public *device,
			const char *label, uint64_t ticket)
{
	struct device_list probe = { 0 };

	if (!label[0] || strlen(label) > CERTIFICATE_LABEL_MAX ||
	    !bytes_is_utf8(bytes_text(label)))
		return ERR_FORMAT;
	/* A label that would be cut holds what may not stand in one. */
	if (device_list_add(&probe, device, label, 0) < 0 ||
	    strcmp(probe.devices[0].label, label) != 0)
		return ERR_FORMAT;
	return begin_list(a, CHANGE_DEVICE_NAME, device, label, ticket);
}

int account_revoke_device(struct account *a, const struct device_public *device,
			  uint64_t ticket)
{
	if (device_public_equal(device, &a->device.public))
		return ERR_REFUSED;
	return begin_list(a, CHANGE_REVOKE, device, NULL, ticket);
}

/* No other device is in the account any more: who is to be left out does not learn it. Durable
 * before anybody hears of it, here (see account_hear_devices()) and then in the vault, or the
 * account would be lost with this device. */
static void keep_next(struct account *a)
{
	struct change *c = &a->change;

	if (!a->is_next_ours || !a->has_next) {
		identity_wipe(&a->next);
		identity_make(&a->next);
		a->has_next = a->is_next_ours = true;
	}
	memset(&c->list, 0, sizeof c->list);
	c->is_due = c->is_said = c->is_outdated = false;
	c->is_keeping = true;
	c->tries = 0;
	account_save(a);
	account_vault_changed(a);
}

int account_rekey(struct account *a, uint64_t ticket)
{
	int err = a->has_vault_key
			  ? begin_list(a, CHANGE_REKEY, &a->device.public, NULL, ticket)
			  : ERR_STATE;

	if (err == 0 && a->devices.count == 1)
		keep_next(a);
	return err;
}

void account_next_kept(struct account *a, const struct identity_public *next)
{
	struct change *c = &a->change;
	int err;

	if (!c->is_keeping || c->is_kept || !a->has_next || !a->is_next_ours ||
	    !identity_public_equal(next, &a->next.public))
		return;
	c->is_kept = true;
	err = compose(a);
	if (err < 0)
		account_change_over(a, err, NULL);
	else
		c->is_due = true;
}

/* Made again from the newest list, and said again. */
static void retry(struct account *a)
{
	struct change *c = &a->change;
	bool is_lost = c->tries >= TRIES_MAX || (c->is_kept && !a->has_next);
	int err = is_lost ? ERR_BUSY : compose(a);

	if (err == ERR_NOT_FOUND && c->kind == CHANGE_REVOKE)
		account_change_over(a, 0, NULL); /* somebody else did */
	else if (err < 0)
		account_change_over(a, err, NULL);
	else
		c->is_due = true;
	c->is_said = c->is_outdated = false;
}

void account_change_heard(struct account *a, const struct device_list *devices)
{
	struct change *c = &a->change;

	if (c->kind == CHANGE_RESTORE) {
		if (a->devices.version >= c->list.version)
			account_change_over(a, 0, NULL);
		return;
	}
	if (!is_list(c))
		return;
	if (sodium_memcmp(devices->signature, c->list.signature, 64) != 0) {
		if (c->is_outdated && a->devices.version >= c->list.version)
			retry(a);
	} else if (c->kind == CHANGE_REKEY && !c->is_kept) {
		keep_next(a);
	} else {
		account_change_over(a, 0, NULL);
	}
}

/* Who is not in the newer one is not trusted again; this device is on this very line. */
void account_change_restore(struct account *a, const struct device_list *devices)
{
	struct change *c = &a->change;
	struct device_list *l = &c->list;
	unsigned kept = 0;

	/* Whom it does not list it would not let in: a list that leaves us out is not from it, and
	 * we do not sign one. */
	if (!device_list_find(devices, &a->device.public))
		return;
	if (c->kind != CHANGE_RESTORE && begin(a, CHANGE_RESTORE, 0) < 0)
		return;
	if (devices->version > a->devices.version)
		return; /* high enough by now */
	*l = *devices;
	for (unsigned i = 0; i < devices->count; i++) {
		const struct device_public *d = &devices->devices[i].device;
		const struct listed_device *ours = device_list_find(&a->devices, d);

		if (ours)
			l->devices[kept++] = *ours;
		else if (device_public_equal(d, &a->device.public))
			l->devices[kept++] = devices->devices[i];
	}
	memset(&l->devices[kept], 0, (l->count - kept) * sizeof l->devices[0]);
	l->count = kept;
	l->past_count = a->devices.past_count;
	memcpy(l->past, a->devices.past, sizeof l->past);
	l->version = a->devices.version; /* above all that anybody has seen */
	device_list_sign(l, &a->identity);
	c->is_due = true;
	c->is_said = false;
	c->until = a->rooms->now + ANSWERED;
}

/* --- the recovery code, the end --- */

int account_recovery(struct account *a, const struct recovery_code *code, uint64_t ticket)
{
	struct recovery_keys keys;
	int err = a->has_vault_key ? begin(a, CHANGE_RECOVERY, ticket) : ERR_STATE;

	if (err < 0)
		return err;
	a->change.is_none = !code;
	if (!code)
		return 0;
	recovery_keys(&keys, code, &a->name);
	a->change.prove = keys.prove.public;
	a->change.recovery = keys.unwrap.public;
	recovery_wrap(a->change.wrap, &keys.unwrap.public, &a->vault_key);
	recovery_keys_wipe(&keys);
	return 0;
}

int account_delete(struct account *a, uint64_t ticket)
{
	return begin(a, CHANGE_DELETE, ticket);
}

/* --- the line --- */

bool account_change_next(struct account *a, struct wire_message *m)
{
	struct change *c = &a->change;

	if (c->kind == CHANGE_NONE || !c->is_due || !a->is_online)
		return false;
	c->is_due = false;
	c->is_said = true;
	c->tries++;
	a->is_next_said |= c->is_kept;
	memset(m, 0, sizeof *m);
	switch (c->kind) {
	case CHANGE_RECOVERY:
		m->type = WIRE_RECOVERY_PUT;
		m->recovery_put.is_none = c->is_none;
		m->recovery_put.prove = c->prove;
		memcpy(m->recovery_put.wrap, c->wrap, sizeof c->wrap);
		break;
	case CHANGE_DELETE:
		m->type = WIRE_DELETE;
		proof_delete(m->delete.proof, &a->identity, a->handshake_hash, &a->name);
		break;
	default:
		m->type = WIRE_DEVICES_PUT;
		m->devices_put.devices = c->list;
		break;
	}
	return true;
}

void account_change_lost(struct account *a)
{
	struct change *c = &a->change;

	if (c->kind == CHANGE_RESTORE)
		account_change_over(a, 0, NULL); /* the next line tells what there is */
	if (c->kind == CHANGE_RECOVERY && c->is_said)
		account_change_over(a, ERR_TIMEOUT,
				    N_("the line was lost before the directory confirmed: "
				       "perhaps neither code counts; make another one"));
}

void account_change_back(struct account *a)
{
	struct change *c = &a->change;

	if (!c->is_said)
		return;
	/* A list said again is the same list: done already, or taken now. */
	c->is_said = false;
	c->is_due = c->tries < TRIES_MAX;
}

static int on_refusal(struct account *a, const struct wire_message *m)
{
	struct change *c = &a->change;
	int err = m->refusal.error < 0 ? m->refusal.error : ERR_REFUSED;

	if (c->is_kept)
		a->is_next_said = false;
	if (!is_list(c) || err != ERR_STATE) {
		account_change_over(a, err, NULL);
	} else if (a->devices.version >= c->list.version) {
		retry(a);
	} else {
		c->is_said = false;
		c->is_outdated = true; /* PRESENCE brings the newest */
	}
	return 0;
}

int account_change_hear(struct account *a, const struct wire_message *m)
{
	struct change *c = &a->change;

	if (!c->is_said)
		return 0; /* given up by now */
	switch (m->type) {
	case WIRE_REFUSAL:
		return on_refusal(a, m);
	case WIRE_RECOVERY_DONE:
		if (c->kind != CHANGE_RECOVERY)
			return 0;
		account_set_recovery(a, c->is_none ? NULL : &c->recovery);
		break;
	case WIRE_DELETE_DONE:
		if (c->kind != CHANGE_DELETE)
			return 0;
		account_empty(a);
		a->wants_call = true;
		break;
	default:
		return ERR_STATE;
	}
	account_change_over(a, 0, NULL);
	account_tell(a);
	return 0;
}
