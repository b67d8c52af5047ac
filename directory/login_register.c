#include <string.h>

#include "directory/login_inside.h"
#include "shared/error.h"
#include "shared/proof.h"

int login_hold_request(struct login *l, const uint8_t request[OPAQUE_REQUEST_SIZE],
		       enum login_state state, enum wire_type about, const struct login_turn *t)
{
	struct holder *h = l->desk->holder;

	if (!h->public_key(h)) {
		login_refund(l);
		return login_refuse_answer(t->reply, about, ERR_OFFLINE);
	}
	l->state = state;
	h->ask(h, t->ticket, &l->name, request, NULL);
	return 0;
}

int login_check_newcomer(const struct login *l, const struct wire_newcomer *n,
			 const struct wire_first_vault *vault, wall_ms wall)
{
	const struct certificate *c = &n->certificate;

	if (!identity_public_equal(&c->identity, &n->devices.identity) ||
	    !device_list_find(&n->devices, &c->device) || !certificate_holds(c, wall))
		return ERR_AUTH;
	if (certificate_verify(c) < 0 || device_list_verify(&n->devices) < 0)
		return ERR_AUTH;
	if (proof_register_verify(n->proof_of_possession, &c->identity, l->handshake_hash,
				  &l->name) < 0)
		return ERR_AUTH;
	if (vault &&
	    vault_verify(vault->signature, &c->identity, &l->name, 1, BYTES(vault->sealed)) < 0)
		return ERR_AUTH;
	return 0;
}

int login_register_start(struct login *l, const struct wire_message *message,
			 const struct login_turn *t)
{
	static const enum limit limits[] = { LIMIT_REGISTER };
	const struct wire_register_start *m = &message->register_start;
	struct registry *r = l->desk->registry;

	l->state = LOGIN_BEGINS;
	if (l->desk->registration == REGISTRATION_CLOSED)
		return login_refuse(t->reply, message->type, ERR_REFUSED);
	if (m->invite.size > sizeof l->code)
		return login_refuse(t->reply, message->type, ERR_LIMIT);
	if (login_charge(l, limits, 1, &m->name, &m->work, message->type, t))
		return 1;
	l->code_size = m->invite.size;
	if (m->invite.size)
		memcpy(l->code, m->invite.data, m->invite.size);
	l->needs_invite = l->desk->registration == REGISTRATION_INVITE;
	memcpy(l->request, m->request, sizeof l->request);
	l->state = LOGIN_MAY_REGISTER;
	r->may_register(r, t->ticket, &l->name, l->needs_invite,
			bytes_of(l->code, l->code_size), t->wall);
	return 0;
}

int login_may_register(struct login *l, const struct registry_answer *a,
		       const struct login_turn *t)
{
	l->state = LOGIN_BEGINS;
	if (a->err < 0)
		return login_refuse_answer(t->reply, WIRE_REGISTER_START, a->err);
	return login_hold_request(l, l->request, LOGIN_REGISTER_HELD, WIRE_REGISTER_START, t);
}

int login_register_held(struct login *l, const struct holder_answer *a,
			struct wire_message *reply)
{
	struct holder *h = l->desk->holder;

	l->state = LOGIN_BEGINS;
	if (a->err < 0)
		return login_refuse_answer(reply, WIRE_REGISTER_START, a->err);
	opaque_server_register(h->public_key(h), &a->held, reply->register_challenge.response);
	reply->type = WIRE_REGISTER_CHALLENGE;
	reply->register_challenge.ksf = l->desk->ksf;
	l->state = LOGIN_REGISTER_CHALLENGED;
	return 1;
}

int login_register_finish(struct login *l, const struct wire_message *message,
			  const struct login_turn *t)
{
	const struct wire_register_finish *m = &message->register_finish;
	struct registry *r = l->desk->registry;
	struct registry_new account = {
		.name = l->name,
		.newcomer = &m->newcomer,
		.vault = &m->vault,
		.needs_invite = l->needs_invite,
		.invite = bytes_of(l->code, l->code_size),
	};

	l->state = LOGIN_BEGINS;
	if (opaque_server_check_record(m->record) < 0 ||
	    login_check_newcomer(l, &m->newcomer, &m->vault, t->wall) < 0)
		return login_refuse(t->reply, message->type, ERR_AUTH);
	memcpy(account.record, m->record, sizeof account.record);
	l->state = LOGIN_CREATING;
	r->create(r, t->ticket, &account, t->wall);
	return 0;
}

int login_created(struct login *l, const struct registry_answer *a, const struct login_turn *t)
{
	l->state = LOGIN_BEGINS;
	if (a->err < 0)
		return login_refuse_answer(t->reply, WIRE_REGISTER_FINISH, a->err);
	t->reply->type = WIRE_REGISTER_DONE;
	return 1;
}
