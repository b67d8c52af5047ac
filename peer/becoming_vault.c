#include "peer/becoming_inside.h"

#include "shared/error.h"
#include "shared/text.h"

/* --- what the directory says of the account --- */

/* The password is right, and nothing is wrapped under it. */
static int on_sealed(struct becoming *b)
{
	bool is_ours = b->has_home_key &&
		       identity_public_equal(&b->home_identity, &b->devices.identity);
	int err;

	if (b->kind != BECOMING_LOGIN)
		return ERR_FORMAT;
	if (b->begin_anew)
		return becoming_want_keys(b);
	if (!is_ours)
		return becoming_fail(
			b, ERR_KEY_CHANGED,
			N_("the vault is sealed with an older password: use the recovery code "
			   "(palique recover) or another device (palique passwd); or "
			   "begin anew (palique login --begin-anew): contacts will be told"));
	/* This home holds the vault's key: it is wrapped under the password anew. */
	b->vault_key = b->home_key;
	b->has_vault_key = b->is_kept = true;
	err = entry_init(&b->setting, true, bytes_of(b->proof.password, b->proof.size),
			 b->weakest);
	return err < 0 ? err : becoming_begin_setting(b);
}

static int unwrap(struct becoming *b, struct bytes wrap)
{
	bool is_recovery = b->kind == BECOMING_RECOVER;

	if (wrap.size != (is_recovery ? VAULT_RECOVERY_SIZE : VAULT_WRAP_SIZE))
		return ERR_FORMAT;
	return is_recovery
		       ? recovery_unwrap(&b->vault_key, wrap.data, &b->recovery.unwrap)
		       : vault_unwrap(&b->vault_key, wrap.data, b->proof.export_key, &b->name);
}

/* An account that the operator made and nobody was in yet; or so it says. */
static int on_nobody(struct becoming *b)
{
	if (b->kind != BECOMING_LOGIN)
		return ERR_FORMAT;
	if (b->had_identity && !b->begin_anew)
		return becoming_fail(
			b, ERR_KEY_CHANGED,
			N_("the directory has lost the account's key, or it lies: ask the "
			   "operator; or begin anew (palique login --begin-anew): contacts "
			   "will be told"));
	return becoming_want_keys(b);
}

/* Whoever made us change the key may have the one before. */
static bool was_given_up(const struct becoming *b)
{
	for (unsigned i = 0; b->known.version > 0 && i < b->known.past_count; i++) {
		if (identity_public_equal(&b->known.past[i].identity, &b->devices.identity))
			return true;
	}
	return false;
}

int becoming_on_login_done(struct becoming *b, const struct wire_message *m)
{
	const struct wire_login_done *d = &m->login_done;

	if (b->kind == BECOMING_RECOVER && b->stage == STAGE_ASKED)
		b->stage = STAGE_PROVED;
	if (b->stage != STAGE_PROVED)
		return ERR_STATE;
	b->failed = d->failed;
	if (b->kind == BECOMING_PASSWD)
		return becoming_begin_setting(b);
	b->devices = d->devices;
	if (!d->has_identity)
		return on_nobody(b);
	if (device_list_verify(&b->devices) < 0 || !device_list_follows(b->devices.version, 0))
		return becoming_fail(
			b, ERR_AUTH,
			N_("the directory shows a device list that is not signed by its "
			   "identity"));
	if (!b->begin_anew && was_given_up(b))
		return becoming_fail(
			b, ERR_KEY_CHANGED,
			N_("the directory shows a key that this account has given up: it "
			   "was put back from an old copy, or it lies; ask the operator. "
			   "To go back to that key: palique login --begin-anew"));
	b->had_identity = true;
	if (d->wrap.size == 0)
		return on_sealed(b);
	if (unwrap(b, d->wrap) < 0)
		return becoming_fail(
			b, ERR_AUTH,
			N_("the password is right, but what the directory keeps of the "
			   "vault is not what was put there: ask its operator"));
	b->has_vault_key = true;
	b->least_version = d->vault_version;
	return becoming_go(b, STAGE_FETCHING, WIRE_VAULT_GET);
}

/* --- the vault, in parts --- */

/* The identity that signed the vault: the list's, or one before it, or NULL. */
static const struct identity_public *signer(const struct becoming *b)
{
	const struct identity_public *by = &b->devices.identity;

	for (unsigned i = 0; i <= b->devices.past_count; i++) {
		if (i > 0)
			by = &b->devices.past[i - 1].identity;
		if (vault_verify(b->head.signature, by, &b->name, b->head.version,
				 buf_view(&b->sealed)) == 0)
			return by;
	}
	return NULL;
}

/* A vault of the identity before: the device that changed it has not put another one yet, or
 * never will. Who made it knew the one to come. */
static bool go_on_with_next(struct becoming *b)
{
	struct vault *v = &b->vault;

	if (!v->has_next || !identity_public_equal(&v->next.public, &b->devices.identity))
		return false;
	v->identity = v->next;
	identity_wipe(&v->next);
	v->has_next = false;
	return true;
}

static int open_vault(struct becoming *b)
{
	const struct wire_vault_part *head = &b->head;
	const struct identity_public *by = signer(b);

	b->has_vault = by && head->version >= b->least_version &&
		       vault_open(&b->vault, buf_view(&b->sealed), &b->vault_key, &b->name,
				  head->version) == 0;
	if (!b->has_vault || !identity_public_equal(&b->vault.identity.public, by) ||
	    (by != &b->devices.identity && !go_on_with_next(b)))
		return becoming_fail(
			b, ERR_AUTH,
			N_("the vault that the directory shows is not the account's: ask "
			   "its operator"));
	return b->kind == BECOMING_RECOVER ? becoming_begin_setting(b) : becoming_want_keys(b);
}

int becoming_on_vault_part(struct becoming *b, const struct wire_message *m)
{
	const struct wire_vault_part *p = &m->vault_part;

	if (b->stage != STAGE_FETCHING || p->total > VAULT_SIZE_MAX)
		return ERR_STATE;
	if (b->sealed.size > 0 &&
	    (p->version != b->head.version || p->total != b->head.total)) {
		/* Put anew in between. */
		if (b->agains++ == BECOMING_AGAINS)
			return becoming_fail(b, ERR_BUSY,
					     N_("the account keeps changing: try again later"));
		b->sealed.size = 0;
		return becoming_go(b, STAGE_FETCHING, WIRE_VAULT_GET);
	}
	if (p->offset != b->sealed.size || p->part.size == 0 ||
	    p->part.size > p->total - p->offset)
		return ERR_FORMAT;
	if (p->offset == 0) {
		b->head = *p;
		b->head.part = (struct bytes){ 0 };
	}
	if (buf_append(&b->sealed, p->part) < 0)
		return ERR_LIMIT;
	return b->sealed.size < p->total ? becoming_go(b, STAGE_FETCHING, WIRE_VAULT_GET)
					 : open_vault(b);
}
