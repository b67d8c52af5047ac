#include <sodium.h>
#include <string.h>

#include "directory/login_inside.h"
#include "shared/error.h"
#include "shared/proof.h"

/* The client learns from KE2 whether its guess is right (RFC 9807 section 9.2), so it is the
 * answer that is charged; a login that succeeds gets it back. A recovery code likewise. */
static const enum limit charged[] = { LIMIT_LOGIN_PREFIX, LIMIT_LOGIN, LIMIT_LOGIN_NAME };
enum { CHARGED = sizeof charged / sizeof charged[0] };

static void begin(struct login *l)
{
	l->state = LOGIN_BEGINS;
	l->proof = LOGIN_BY_NOTHING;
	l->has_set_password = false;
	l->is_outdated = false;
}

/* The store or the key-holder failed: it is not the guest's fault, and says nothing about
 * the name. */
static int fail(struct login *l, enum wire_type about, struct wire_message *reply)
{
	l->state = LOGIN_BEGINS;
	login_refund(l);
	return login_refuse_answer(reply, about, ERR_OFFLINE);
}

static int refuse(struct login *l, enum wire_type about, struct wire_message *reply)
{
	l->state = LOGIN_BEGINS;
	login_failed(l);
	return login_refuse(reply, about, ERR_AUTH);
}

int login_is_over(struct login *l, enum wire_type about, struct wire_message *reply)
{
	begin(l);
	return login_refuse(reply, about, ERR_AUTH);
}

/* --- by password --- */

int login_start(struct login *l, const struct wire_message *message, const struct login_turn *t)
{
	const struct wire_login_start *m = &message->login_start;
	struct registry *r = l->desk->registry;

	begin(l);
	if (login_charge(l, charged, CHARGED, &m->name, &m->work, message->type, t))
		return 1;
	l->is_foreign = l->only.text[0] && !name_equal(&l->only, &l->name);
	memcpy(l->start.ke1, m->ke1, sizeof l->start.ke1);
	l->state = LOGIN_FINDING;
	r->find(r, t->ticket, &l->name);
	return 0;
}

int login_found(struct login *l, const struct registry_answer *a, const struct login_turn *t)
{
	struct holder *h = l->desk->holder;

	if (a->err < 0 || !h->public_key(h))
		return fail(l, WIRE_LOGIN_START, t->reply);
	memcpy(l->start.record, a->record, sizeof l->start.record);
	l->state = LOGIN_HELD;
	h->ask(h, t->ticket, &l->name, opaque_ke1_blinded(l->start.ke1),
	       opaque_ke1_keyshare(l->start.ke1));
	return 0;
}

int login_challenge(struct login *l, const struct holder_answer *a, struct wire_message *reply)
{
	struct holder *h = l->desk->holder;
	struct opaque_server_random random;
	struct opaque_names names = { { 0 }, { 0 } };
	uint8_t context[PROOF_CONTEXT_SIZE];
	struct opaque_pending pending;
	int err = a->err;

	if (err < 0 && err != ERR_AUTH)
		return fail(l, WIRE_LOGIN_START, reply);
	if (!err) {
		proof_context(context, l->desk->ksf, l->handshake_hash);
		opaque_server_random(&random);
		err = opaque_server_respond(h->public_key(h), &a->held, l->start.record, names,
					    BYTES(context), &random, l->start.ke1,
					    reply->login_challenge.ke2, &pending);
		sodium_memzero(&random, sizeof random);
	}
	if (err < 0)
		return refuse(l, WIRE_LOGIN_START, reply);
	l->pending = pending;
	sodium_memzero(&pending, sizeof pending);
	reply->type = WIRE_LOGIN_CHALLENGE;
	reply->login_challenge.ksf = l->desk->ksf;
	l->is_answered = true;
	l->state = LOGIN_CHALLENGED;
	return 1;
}

int login_finish(struct login *l, const struct wire_message *message,
		 const struct login_turn *t)
{
	uint8_t session_key[OPAQUE_SESSION_KEY_SIZE];
	struct registry *r = l->desk->registry;
	int err = opaque_server_finish(&l->pending, message->login_finish.ke3, session_key);

	sodium_memzero(session_key, sizeof session_key);
	if (err < 0 || l->is_foreign || l->is_outdated)
		return refuse(l, message->type, t->reply);
	l->proof = LOGIN_BY_PASSWORD;
	l->state = LOGIN_TELLING;
	r->account(r, t->ticket, &l->name, false);
	return 0;
}

/* --- by recovery code --- */

int login_recover(struct login *l, const struct wire_message *message,
		  const struct login_turn *t)
{
	const struct wire_recover *m = &message->recover;
	struct registry *r = l->desk->registry;

	begin(l);
	if (login_charge(l, charged, CHARGED, &m->name, &m->work, message->type, t))
		return 1;
	l->is_foreign = false;
	memcpy(l->recover, m->proof, sizeof l->recover);
	l->state = LOGIN_RECOVERING;
	r->find(r, t->ticket, &l->name);
	return 0;
}

int login_recovery_found(struct login *l, const struct registry_answer *a,
			 const struct login_turn *t)
{
	struct registry *r = l->desk->registry;
	int err;

	if (a->err < 0)
		return fail(l, WIRE_RECOVER, t->reply);
	l->is_answered = true;
	err = proof_recover_verify(l->recover, &a->recovery, l->handshake_hash, &l->name);
	if (err < 0 || !a->is_found || !a->has_recovery)
		return refuse(l, WIRE_RECOVER, t->reply);
	l->proof = LOGIN_BY_RECOVERY;
	l->state = LOGIN_TELLING;
	r->account(r, t->ticket, &l->name, true);
	return 0;
}

/* --- what is told to either --- */

int login_told(struct login *l, const struct registry_answer *a, const struct login_turn *t)
{
	enum wire_type about = l->proof == LOGIN_BY_RECOVERY ? WIRE_RECOVER : WIRE_LOGIN_FINISH;
	struct wire_login_done *done = &t->reply->login_done;

	login_refund(l);
	l->state = LOGIN_BEGINS;
	if (a->err < 0)
		return login_refuse_answer(t->reply, about, a->err);
	if (a->is_suspended)
		return login_refuse(t->reply, about, ERR_SUSPENDED);
	if (l->is_outdated)
		return login_is_over(l, about, t->reply);
	t->reply->type = WIRE_LOGIN_DONE;
	done->has_identity = a->has_identity;
	done->devices = a->devices;
	done->wrap = a->blob;
	done->has_recovery = a->has_recovery;
	done->vault_version = a->vault_version;
	done->failed = a->failed + failures_take(l->desk->failures, &l->name);
	l->state = LOGIN_PROVED;
	return 1;
}

/* --- by a code of the operator --- */

int login_reset(struct login *l, const struct wire_message *message, const struct login_turn *t)
{
	static const enum limit by_prefix[] = { LIMIT_LOGIN_PREFIX };
	static const struct name nobody = { "" };
	struct bytes code = message->reset.code;
	struct registry *r = l->desk->registry;

	begin(l);
	if (code.size > sizeof l->code)
		return login_refuse(t->reply, message->type, ERR_LIMIT);
	if (login_charge(l, by_prefix, 1, &nobody, NULL, message->type, t))
		return 1;
	memcpy(l->code, code.data, code.size);
	l->code_size = code.size;
	l->state = LOGIN_RESETTING;
	r->reset(r, t->ticket, bytes_of(l->code, l->code_size), t->wall);
	return 0;
}

int login_reset_found(struct login *l, const struct registry_answer *a,
		      const struct login_turn *t)
{
	l->state = LOGIN_BEGINS;
	if (a->err < 0)
		return login_refuse_answer(t->reply, WIRE_RESET, a->err);
	login_refund(l);
	if (a->is_suspended)
		return login_refuse(t->reply, WIRE_RESET, ERR_SUSPENDED);
	l->name = a->name;
	l->proof = LOGIN_BY_RESET;
	t->reply->type = WIRE_RESET_DONE;
	t->reply->reset_done.name = a->name;
	l->state = LOGIN_PROVED;
	return 1;
}
