#include "peer/becoming_inside.h"

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "shared/proof.h"

int becoming_take_keys(struct becoming *b, const struct becoming_keys *keys)
{
	bool is_new = b->kind == BECOMING_NEW;
	struct wire_newcomer *newcomer = is_new ? &b->last.register_finish.newcomer
						: &b->last.enrol.newcomer;
	struct wire_first_vault *vault = is_new ? &b->last.register_finish.vault
						: &b->last.enrol.vault;
	struct buf sealed = { 0 };
	int err = ERR_STATE;

	if (b->stage != STAGE_KEYS || (is_new && !keys->first))
		goto out;
	memset(&b->last, 0, sizeof b->last);
	newcomer->certificate = *keys->certificate;
	newcomer->devices = *keys->devices;
	proof_register(newcomer->proof_of_possession, keys->identity, b->handshake_hash,
		       &b->name);
	if (is_new)
		memcpy(b->last.register_finish.record, b->setting.last, OPAQUE_RECORD_SIZE);
	else
		b->last.enrol.has_vault = keys->first != NULL;
	if (keys->first) {
		err = vault_seal(keys->first, keys->vault_key, &b->name, 1, &sealed);
		if (err == 0 && sealed.size != VAULT_FIRST_SIZE)
			err = ERR_LIMIT;
		if (err < 0)
			goto out;
		memcpy(vault->sealed, sealed.data, sealed.size);
		vault_sign(vault->signature, keys->identity, &b->name, 1, buf_view(&sealed));
		vault_wrap(vault->wrap, keys->vault_key,
			   is_new ? b->setting.export_key : b->proof.export_key, &b->name);
	}
	err = becoming_go(b, STAGE_LAST, is_new ? WIRE_REGISTER_FINISH : WIRE_ENROL);
out:
	buf_clear(&sealed);
	return err;
}

static void say_first(struct becoming *b, struct wire_message *m)
{
	switch (m->type) {
	case WIRE_REGISTER_START:
		m->register_start.name = b->name;
		m->register_start.invite = bytes_text(b->code);
		memcpy(m->register_start.request, b->setting.first, OPAQUE_REQUEST_SIZE);
		m->register_start.work = b->work;
		break;
	case WIRE_LOGIN_START:
		m->login_start.name = b->name;
		memcpy(m->login_start.ke1, b->proof.first, OPAQUE_KE1_SIZE);
		m->login_start.work = b->work;
		break;
	case WIRE_RECOVER:
		m->recover.name = b->name;
		proof_recover(m->recover.proof, &b->recovery.prove, b->handshake_hash,
			      &b->name);
		m->recover.work = b->work;
		break;
	default:
		m->reset.code = bytes_text(b->code);
		break;
	}
}

static void say_password(struct becoming *b, struct wire_message *m)
{
	struct wire_password_finish *f = &m->password_finish;
	const struct symmetric_key *key = b->kind == BECOMING_PASSWD ? &b->home_key
								     : &b->vault_key;

	memcpy(f->record, b->setting.last, OPAQUE_RECORD_SIZE);
	f->has_wrap = b->kind != BECOMING_RESET;
	if (f->has_wrap)
		vault_wrap(f->wrap, key, b->setting.export_key, &b->name);
	f->has_devices = b->shorter.version > 0;
	if (f->has_devices)
		f->devices = b->shorter;
}

bool becoming_next(struct becoming *b, struct wire_message *m)
{
	if (!b->say)
		return false;
	memset(m, 0, sizeof *m);
	m->type = b->say;
	switch (m->type) {
	case WIRE_LOGIN_FINISH:
		memcpy(m->login_finish.ke3, b->proof.last, OPAQUE_KE3_SIZE);
		break;
	case WIRE_VAULT_GET:
		m->vault_get.offset = b->sealed.size;
		break;
	case WIRE_PASSWORD_START:
		memcpy(m->password_start.request, b->setting.first, OPAQUE_REQUEST_SIZE);
		break;
	case WIRE_PASSWORD_FINISH:
		say_password(b, m);
		break;
	case WIRE_REGISTER_FINISH:
	case WIRE_ENROL:
		*m = b->last;
		m->type = b->say;
		sodium_memzero(&b->last, sizeof b->last);
		b->is_said = true;
		break;
	default:
		say_first(b, m);
		break;
	}
	b->say = 0;
	return true;
}
