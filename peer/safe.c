#include "peer/safe.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/account.h"
#include "peer/contacts.h"
#include "peer/directory_client.h"
#include "peer/events.h"
#include "shared/error.h"
#include "shared/text.h"

enum { REFUSALS_MAX = 8 }; /* other devices may be quicker so often */

struct safe {
	struct rooms *rooms;
	mono_ns again_at;          /* not before */
	unsigned refusals;         /* of what was put, in a row */
	bool has_warned, is_stuck; /* until the directory tells another version */
	/* A version that is fetched, in parts. */
	bool is_fetching, is_asking;
	struct wire_vault_part head; /* of the first part; without the part */
	struct buf sealed;
	/* A version that is put there: until the directory shows it, or another. */
	bool is_putting, has_next;
	struct identity_public next; /* the identity to come that it holds */
	uint64_t version, changes;
	size_t said;
	uint8_t signature[VAULT_SIGNATURE_SIZE];
	struct buf out;
};

struct safe *safe_new(struct rooms *rooms)
{
	struct safe *s = memory_new(sizeof *s);

	s->rooms = rooms;
	buf_init(&s->sealed, VAULT_SIZE_MAX);
	buf_init(&s->out, VAULT_SIZE_MAX);
	return s;
}

void safe_free(struct safe *s)
{
	if (!s)
		return;
	buf_clear(&s->sealed);
	buf_clear(&s->out);
	free(s);
}

static void stop_fetching(struct safe *s)
{
	s->is_fetching = s->is_asking = false;
	s->sealed.size = 0;
}

static void stop_putting(struct safe *s)
{
	s->is_putting = false;
	s->out.size = 0;
}

static void wait_for(struct safe *s, mono_ns time)
{
	s->again_at = s->rooms->now + time;
}

/* Two messages of one cause are one too many: told once in a session. */
static void warn(struct safe *s, const char *text)
{
	if (!s->has_warned)
		events_warn(s->rooms->events, NULL, text);
	s->has_warned = true;
}

static void start_fetching(struct safe *s)
{
	stop_fetching(s);
	s->is_fetching = s->is_asking = true;
}

/* --- putting --- */

static void start_putting(struct safe *s)
{
	struct account *a = s->rooms->account;
	struct vault v = { 0 };
	int err;

	stop_putting(s);
	account_vault_fill(a, &v);
	contacts_vault_fill(s->rooms->contacts, &v);
	s->version = account_vault_kept(a) + 1;
	s->changes = account_vault_changes(a);
	s->said = 0;
	s->has_next = v.has_next;
	s->next = v.next.public;
	err = vault_seal(&v, account_vault_key(a), account_name(a), s->version, &s->out);
	if (err == 0)
		err = account_vault_sign(a, s->signature, s->version, buf_view(&s->out));
	vault_clear(&v);
	if (err < 0) {
		stop_putting(s);
		wait_for(s, SAFE_RETRY);
		warn(s, N_("the vault cannot be written: contacts and settings stay on this "
			   "device alone"));
		return;
	}
	s->is_putting = true;
}

/* The directory shows the very version that we put. */
static void accepted(struct safe *s)
{
	struct account *a = s->rooms->account;
	uint64_t held = account_vault_version(a);

	stop_putting(s);
	s->refusals = 0;
	account_vault_told(a, s->version);
	if (s->has_next)
		account_next_kept(a, &s->next);
	else
		account_next_gone(a);
	/* A directory that was put back from an older copy: up to where others believe it. */
	if (s->version <= held) {
		account_vault_held(a, held, true);
		wait_for(s, SAFE_PAUSE / 4);
		return;
	}
	account_vault_held(a, s->version, account_vault_changes(a) != s->changes);
	wait_for(s, SAFE_PAUSE);
}

/* --- fetching --- */

/* The identity that signed it: ours, or one that was ours before, or NULL. */
static const struct identity_public *signer(const struct safe *s, struct bytes sealed)
{
	const struct account *a = s->rooms->account;
	const struct device_list *devices = account_devices(a);
	const struct identity_public *by = account_identity(a);

	for (unsigned i = 0; i <= devices->past_count; i++) {
		if (i > 0)
			by = &devices->past[i - 1].identity;
		if (vault_verify(s->head.signature, by, account_name(a), s->head.version,
				 sealed) == 0)
			return by;
	}
	return NULL;
}

/* Signed before our key changed, perhaps by who made us change it: believed from those only who
 * knew the key to come. */
static bool is_believed(const struct vault *v, const struct identity_public *ours)
{
	return v->has_next && identity_public_equal(&v->next.public, ours);
}

/* True: it is one of ours, and in `v`. */
static bool open_ours(struct safe *s, struct vault *v, const struct identity_public *by)
{
	struct account *a = s->rooms->account;

	return by &&
	       vault_open(v, buf_view(&s->sealed), account_vault_key(a), account_name(a),
			  s->head.version) == 0 &&
	       identity_public_equal(&v->identity.public, by);
}

static void take(struct safe *s)
{
	struct account *a = s->rooms->account;
	const struct identity_public *ours = account_identity(a), *by;
	struct vault v = { 0 };
	bool is_ours, is_ahead;

	if (!ours || !account_vault_key(a))
		goto out;
	by = signer(s, buf_view(&s->sealed));
	is_ours = open_ours(s, &v, by);
	if (!by || (by == ours && !is_ours)) {
		s->is_stuck = true;
		warn(s, N_("the directory shows a vault that this account did not sign: it is "
			   "not taken; ask the operator"));
		goto out;
	}
	account_vault_told(a, s->head.version);
	if (by == ours && v.has_next)
		account_next_kept(a, &v.next.public);
	if (s->head.version <= account_vault_version(a))
		goto out;
	s->refusals = 0;
	vault_doubt_stamps(&v, s->rooms->wall);
	/* What we know takes the place of one from before. */
	is_ahead = by == ours ? account_next_merge(a, &v) : true;
	if (is_ours && (by == ours || is_believed(&v, ours))) {
		is_ahead |= account_vault_merge(a, &v);
		is_ahead |= contacts_vault_merge(s->rooms->contacts, &v);
	}
	account_vault_held(a, s->head.version, is_ahead);
out:
	vault_clear(&v);
	stop_fetching(s);
}

static void on_part(struct safe *s, const struct wire_vault_part *p)
{
	if (!s->is_fetching)
		return;
	if (p->offset == 0) {
		s->sealed.size = 0;
		s->head = *p;
		s->head.part = (struct bytes){ 0 };
		if (s->is_putting && p->version == s->version &&
		    sodium_memcmp(p->signature, s->signature, sizeof s->signature) == 0) {
			stop_fetching(s);
			accepted(s);
			return;
		}
		if (s->is_putting && p->version >= s->version)
			stop_putting(s); /* another device was first */
	}
	if (p->version != s->head.version || p->total != s->head.total) {
		start_fetching(s); /* put anew in between */
		return;
	}
	if (p->total > VAULT_SIZE_MAX || p->offset != s->sealed.size || p->part.size == 0 ||
	    p->part.size > p->total - p->offset || buf_append(&s->sealed, p->part) < 0) {
		stop_fetching(s);
		wait_for(s, SAFE_RETRY);
		return;
	}
	if (s->sealed.size < p->total)
		s->is_asking = true;
	else
		take(s);
}

/* --- what the directory says --- */

/* Perhaps ours, perhaps another device's of the same number: the signature tells. */
static void on_now(struct safe *s, uint64_t version)
{
	account_vault_told(s->rooms->account, version);
	s->is_stuck = false;
	if (s->is_putting && version < s->version) {
		stop_putting(s);
		return;
	}
	if (s->is_putting || version > account_vault_version(s->rooms->account)) {
		if (!s->is_fetching || s->head.version != version)
			start_fetching(s);
	}
}

static void on_refusal(struct safe *s, const struct wire_refusal *r)
{
	mono_ns told = (mono_ns)r->retry_after * SECOND;

	if (r->about == WIRE_VAULT_PUT) {
		stop_putting(s);
	} else if (r->about == WIRE_VAULT_GET) {
		stop_fetching(s);
		stop_putting(s);
		if (r->error == ERR_NOT_FOUND)
			account_vault_told(s->rooms->account, 0);
	} else {
		return;
	}
	if ((r->error == ERR_STATE || r->error == ERR_NOT_FOUND) &&
	    s->refusals++ < REFUSALS_MAX)
		wait_for(s, SAFE_PAUSE); /* what is kept there is told, or was just now */
	else
		wait_for(s, told > SAFE_RETRY ? told : SAFE_RETRY);
}

void safe_hear(struct safe *s, const struct wire_message *m)
{
	switch (m->type) {
	case WIRE_VAULT_PART:
		on_part(s, &m->vault_part);
		break;
	case WIRE_VAULT_NOW:
		on_now(s, m->vault_now.version);
		break;
	case WIRE_REFUSAL:
		on_refusal(s, &m->refusal);
		break;
	default:
		break;
	}
}

void safe_welcomed(struct safe *s)
{
	stop_fetching(s);
	stop_putting(s);
	s->has_warned = s->is_stuck = false;
	s->refusals = 0;
	s->again_at = 0;
}

bool safe_is_fetching(const struct safe *s)
{
	return s->is_fetching;
}

/* --- what is due --- */

static void look(struct safe *s)
{
	struct account *a = s->rooms->account;
	uint64_t kept = account_vault_kept(a), held = account_vault_version(a);

	if (kept > held) {
		if (!s->is_stuck)
			start_fetching(s);
		return;
	}
	if (kept < held) {
		warn(s, N_("the directory has an older vault than it had: it was put back from "
			   "an old copy, or it lies; this device puts what it knows there "
			   "again"));
		if (!account_vault_is_due(a))
			account_vault_held(a, held, true);
	}
	if (account_vault_is_due(a))
		start_putting(s);
}

mono_ns safe_step(struct safe *s)
{
	struct rooms *r = s->rooms;

	if (!directory_client_is_online(r->directory) || !account_vault_key(r->account)) {
		stop_fetching(s);
		stop_putting(s);
		return NEVER;
	}
	if (s->is_fetching || s->is_putting)
		return NEVER;
	if (r->now >= s->again_at)
		look(s);
	else if (account_vault_is_due(r->account) ||
		 account_vault_kept(r->account) != account_vault_version(r->account))
		return s->again_at;
	return NEVER;
}

void safe_release(struct safe *s)
{
	struct directory_client *d = s->rooms->directory;
	struct wire_message m;

	if (!directory_client_is_online(d))
		return;
	if (s->is_asking) {
		s->is_asking = false;
		memset(&m, 0, sizeof m);
		m.type = WIRE_VAULT_GET;
		m.vault_get.offset = s->sealed.size;
		directory_client_send(d, &m);
	}
	while (s->is_putting && s->said < s->out.size) {
		size_t left = s->out.size - s->said;

		memset(&m, 0, sizeof m);
		m.type = WIRE_VAULT_PUT;
		m.vault_put.version = s->version;
		memcpy(m.vault_put.signature, s->signature, sizeof s->signature);
		m.vault_put.total = s->out.size;
		m.vault_put.offset = s->said;
		m.vault_put.part = bytes_of(s->out.data + s->said,
					    left < WIRE_VAULT_PUT_PART ? left
								       : WIRE_VAULT_PUT_PART);
		s->said += m.vault_put.part.size;
		directory_client_send(d, &m);
	}
}

void safe_undo(struct safe *s)
{
	if (s->is_putting && s->said == 0)
		stop_putting(s);
}
