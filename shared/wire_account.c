/* Becoming somebody, and what an account is made of. */
#include "shared/wire_fields.h"

#include "shared/error.h"
#include "shared/ksf.h"

/* --- parts of several messages ---------------------------------------------------------- */

static void ksf(struct coder *c, uint64_t *id)
{
	coder_number(c, id, 1, UINT8_MAX);
	coder_check(c, ksf_is_known(*id), ERR_VERSION);
}

static void work(struct coder *c, struct wire_work *w)
{
	w->is_done = coder_optional(c, w->is_done);
	if (w->is_done)
		coder_number(c, &w->nonce, 0, UINT64_MAX);
}

static void newcomer(struct coder *c, struct wire_newcomer *n)
{
	coder_nest(c, 3);
	coder_certificate(c, &n->certificate);
	coder_fixed(c, n->proof_of_possession, sizeof n->proof_of_possession);
	coder_device_list(c, &n->devices);
}

static void first_vault(struct coder *c, struct wire_first_vault *v)
{
	coder_nest(c, 3);
	coder_fixed(c, v->wrap, sizeof v->wrap);
	coder_fixed(c, v->signature, sizeof v->signature);
	coder_fixed(c, v->sealed, sizeof v->sealed);
}

/* A part of something longer: at least one byte, and inside of it. */
static void part_of(struct coder *c, uint64_t *total, uint64_t *offset, struct bytes *part,
		    size_t max)
{
	coder_number(c, total, 1, VAULT_SIZE_MAX);
	coder_number(c, offset, 0, VAULT_SIZE_MAX);
	coder_bytes(c, part, 1, max);
	coder_check(c, *offset <= *total && part->size <= *total - *offset, ERR_FORMAT);
}

/* --- becoming somebody ------------------------------------------------------------------- */

void fields_register_start(struct coder *c, struct wire_message *m)
{
	coder_name(c, &m->register_start.name);
	coder_text(c, &m->register_start.invite, 0, WIRE_INVITE_MAX);
	coder_fixed(c, m->register_start.request, sizeof m->register_start.request);
	work(c, &m->register_start.work);
}

void fields_register_challenge(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->register_challenge.response, sizeof m->register_challenge.response);
	ksf(c, &m->register_challenge.ksf);
}

void fields_register_finish(struct coder *c, struct wire_message *m)
{
	struct wire_register_finish *f = &m->register_finish;

	coder_fixed(c, f->record, sizeof f->record);
	newcomer(c, &f->newcomer);
	first_vault(c, &f->vault);
}

void fields_login_start(struct coder *c, struct wire_message *m)
{
	coder_name(c, &m->login_start.name);
	coder_fixed(c, m->login_start.ke1, sizeof m->login_start.ke1);
	work(c, &m->login_start.work);
}

void fields_login_challenge(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->login_challenge.ke2, sizeof m->login_challenge.ke2);
	ksf(c, &m->login_challenge.ksf);
}

void fields_login_finish(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->login_finish.ke3, sizeof m->login_finish.ke3);
}

void fields_login_done(struct coder *c, struct wire_message *m)
{
	struct wire_login_done *d = &m->login_done;

	coder_flag(c, &d->has_identity);
	coder_maybe_device_list(c, &d->devices);
	coder_check(c, d->has_identity == (d->devices.version > 0), ERR_FORMAT);
	coder_bytes(c, &d->wrap, 0, VAULT_RECOVERY_SIZE);
	coder_check(c,
		    d->wrap.size == 0 || d->wrap.size == VAULT_WRAP_SIZE ||
			    d->wrap.size == VAULT_RECOVERY_SIZE,
		    ERR_FORMAT);
	coder_flag(c, &d->has_recovery);
	coder_number(c, &d->vault_version, 0, INT64_MAX);
	coder_number32(c, &d->failed, 0, UINT32_MAX);
}

void fields_enrol(struct coder *c, struct wire_message *m)
{
	newcomer(c, &m->enrol.newcomer);
	m->enrol.has_vault = coder_optional(c, m->enrol.has_vault);
	if (m->enrol.has_vault)
		first_vault(c, &m->enrol.vault);
}

void fields_recover(struct coder *c, struct wire_message *m)
{
	coder_name(c, &m->recover.name);
	coder_fixed(c, m->recover.proof, sizeof m->recover.proof);
	work(c, &m->recover.work);
}

void fields_reset(struct coder *c, struct wire_message *m)
{
	coder_text(c, &m->reset.code, 1, WIRE_INVITE_MAX);
}

void fields_reset_done(struct coder *c, struct wire_message *m)
{
	coder_name(c, &m->reset_done.name);
}

/* --- the account ------------------------------------------------------------------------- */

void fields_password_start(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->password_start.request, sizeof m->password_start.request);
}

void fields_password_challenge(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->password_challenge.response, sizeof m->password_challenge.response);
	ksf(c, &m->password_challenge.ksf);
}

void fields_password_finish(struct coder *c, struct wire_message *m)
{
	struct wire_password_finish *f = &m->password_finish;

	coder_fixed(c, f->record, sizeof f->record);
	f->has_wrap = coder_optional(c, f->has_wrap);
	if (f->has_wrap)
		coder_fixed(c, f->wrap, sizeof f->wrap);
	f->has_devices = coder_optional(c, f->has_devices);
	if (f->has_devices)
		coder_device_list(c, &f->devices);
}

void fields_vault_get(struct coder *c, struct wire_message *m)
{
	coder_number(c, &m->vault_get.offset, 0, VAULT_SIZE_MAX);
}

void fields_vault_part(struct coder *c, struct wire_message *m)
{
	struct wire_vault_part *p = &m->vault_part;

	coder_number(c, &p->version, 1, INT64_MAX);
	coder_fixed(c, p->signature, sizeof p->signature);
	part_of(c, &p->total, &p->offset, &p->part, WIRE_VAULT_GET_PART);
}

void fields_vault_put(struct coder *c, struct wire_message *m)
{
	struct wire_vault_put *p = &m->vault_put;

	coder_number(c, &p->version, 1, INT64_MAX);
	coder_fixed(c, p->signature, sizeof p->signature);
	part_of(c, &p->total, &p->offset, &p->part, WIRE_VAULT_PUT_PART);
}

void fields_vault_now(struct coder *c, struct wire_message *m)
{
	coder_number(c, &m->vault_now.version, 0, INT64_MAX);
}

void fields_devices_put(struct coder *c, struct wire_message *m)
{
	coder_device_list(c, &m->devices_put.devices);
}

void fields_devices_done(struct coder *c, struct wire_message *m)
{
	coder_number(c, &m->devices_done.version, 1, INT64_MAX);
}

void fields_recovery_put(struct coder *c, struct wire_message *m)
{
	m->recovery_put.is_none = !coder_optional(c, !m->recovery_put.is_none);
	if (m->recovery_put.is_none)
		return;
	coder_nest(c, 2);
	coder_fixed(c, m->recovery_put.prove.bytes, sizeof m->recovery_put.prove.bytes);
	coder_fixed(c, m->recovery_put.wrap, sizeof m->recovery_put.wrap);
}

void fields_delete_account(struct coder *c, struct wire_message *m)
{
	coder_fixed(c, m->delete.proof, sizeof m->delete.proof);
}
