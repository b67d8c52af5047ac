#include <string.h>

#include "directory/login_inside.h"
#include "shared/error.h"

/* The list that a step puts, kept until it is known whether it was taken. */
static void keep(struct login *l, const struct device_list *devices)
{
	l->devices = *devices;
}

/* --- another password --- */

int login_password_start(struct login *l, const struct wire_message *message,
			 const struct login_turn *t)
{
	return login_hold_request(l, message->password_start.request, LOGIN_PASSWORD_HELD,
				  message->type, t);
}

int login_password_held(struct login *l, const struct holder_answer *a,
			struct wire_message *reply)
{
	struct holder *h = l->desk->holder;

	l->state = LOGIN_PROVED;
	if (a->err < 0)
		return login_refuse_answer(reply, WIRE_PASSWORD_START, a->err);
	opaque_server_register(h->public_key(h), &a->held, reply->password_challenge.response);
	reply->type = WIRE_PASSWORD_CHALLENGE;
	reply->password_challenge.ksf = l->desk->ksf;
	l->state = LOGIN_PASSWORD_CHALLENGED;
	return 1;
}

int login_password_finish(struct login *l, const struct wire_message *message,
			  const struct login_turn *t)
{
	const struct wire_password_finish *m = &message->password_finish;
	struct registry *r = l->desk->registry;
	bool is_reset = l->proof == LOGIN_BY_RESET;
	struct registry_password change = {
		.name = l->name,
		.wrap = m->has_wrap ? m->wrap : NULL,
		.devices = m->has_devices ? &m->devices : NULL,
	};

	l->state = LOGIN_PROVED;
	/* who was let in by the operator has no key of the vault, and nothing else to change */
	if (is_reset == m->has_wrap || (is_reset && m->has_devices))
		return login_refuse(t->reply, message->type, ERR_FORMAT);
	if (opaque_server_check_record(m->record) < 0 ||
	    (m->has_devices && device_list_verify(&m->devices) < 0))
		return login_refuse(t->reply, message->type, ERR_AUTH);
	memcpy(change.record, m->record, sizeof change.record);
	if (is_reset)
		change.reset_code = bytes_of(l->code, l->code_size);
	if (m->has_devices)
		keep(l, &m->devices);
	else
		l->devices.version = 0;
	l->state = LOGIN_CHANGING;
	r->put_password(r, t->ticket, &change, t->wall);
	return 0;
}

int login_password_changed(struct login *l, const struct registry_answer *a,
			   const struct login_turn *t)
{
	l->state = LOGIN_PROVED;
	if (a->err < 0)
		return login_refuse_answer(t->reply, WIRE_PASSWORD_FINISH, a->err);
	l->has_set_password = true;
	l->is_changed = l->devices.version > 0;
	if (l->proof == LOGIN_BY_RESET)
		l->state = LOGIN_BEGINS; /* the code is used up: now the password counts */
	t->reply->type = WIRE_PASSWORD_DONE;
	return 1;
}

/* --- the vault --- */

int login_vault_get(struct login *l, const struct wire_message *message,
		    const struct login_turn *t)
{
	struct registry *r = l->desk->registry;

	if (l->proof == LOGIN_BY_RESET)
		return ERR_STATE;
	l->state = LOGIN_READING;
	r->get_vault(r, t->ticket, &l->name, message->vault_get.offset);
	return 0;
}

int login_vault_read(struct login *l, const struct registry_answer *a,
		     const struct login_turn *t)
{
	struct wire_vault_part *part = &t->reply->vault_part;

	l->state = LOGIN_PROVED;
	if (a->err < 0)
		return login_refuse_answer(t->reply, WIRE_VAULT_GET, a->err);
	t->reply->type = WIRE_VAULT_PART;
	part->version = a->vault_version;
	memcpy(part->signature, a->vault_signature, sizeof part->signature);
	part->total = a->vault_size;
	part->offset = a->vault_offset;
	part->part = a->blob;
	return 1;
}

/* --- a device comes in --- */

int login_enrol(struct login *l, const struct wire_message *message, const struct login_turn *t)
{
	const struct wire_enrol *m = &message->enrol;
	struct registry *r = l->desk->registry;

	/* whoever shows the code has forgotten the password: a new one comes first, or the next
	 * machine could not be logged in */
	if (l->proof != LOGIN_BY_PASSWORD &&
	    !(l->proof == LOGIN_BY_RECOVERY && l->has_set_password))
		return ERR_STATE;
	if (login_check_newcomer(l, &m->newcomer, m->has_vault ? &m->vault : NULL, t->wall) < 0)
		return login_refuse(t->reply, message->type, ERR_AUTH);
	keep(l, &m->newcomer.devices);
	l->state = LOGIN_ENROLLING;
	r->enrol(r, t->ticket, &l->name, m);
	return 0;
}

int login_enrolled(struct login *l, const struct registry_answer *a, const struct login_turn *t)
{
	l->state = LOGIN_PROVED;
	if (a->err < 0)
		return login_refuse_answer(t->reply, WIRE_ENROL, a->err);
	l->is_changed = true;
	l->state = LOGIN_BEGINS;
	t->reply->type = WIRE_ENROL_DONE;
	return 1;
}
