#include "directory/login.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/proof.h"

enum step {
	STEP_START,        /* either may begin */
	STEP_MAY_REGISTER, /* the registry is asked */
	STEP_REGISTER_CHALLENGED,
	STEP_CREATING, /* the registry is asked */
	STEP_FINDING,  /* the registry is asked */
	STEP_LOGIN_CHALLENGED,
	STEP_ENROLLING, /* the registry is asked */
};

struct login {
	enum step step;
	uint8_t handshake_hash[64];
	struct address from;
	struct name name;
	uint8_t invite[WIRE_INVITE_MAX];
	size_t invite_size;
	bool needs_invite;
	union {
		uint8_t request[OPAQUE_REQUEST_SIZE];
		uint8_t ke1[OPAQUE_KE1_SIZE];
		struct opaque_pending pending;
	};
	bool has_identity;
	struct identity_public identity;
};

struct login *login_new(const uint8_t *handshake_hash, const struct address *from)
{
	struct login *l = sodium_malloc(sizeof *l); /* holds session keys */

	if (!l)
		abort();
	memset(l, 0, sizeof *l);
	memcpy(l->handshake_hash, handshake_hash, sizeof l->handshake_hash);
	l->from = *from;
	return l;
}

void login_free(struct login *l)
{
	sodium_free(l);
}

static struct bytes name_bytes(const struct login *l)
{
	return bytes_text(l->name.text);
}

static struct bytes invite_of(const struct login *l)
{
	return bytes_of(l->invite, l->invite_size);
}

/* --- what the guest says --- */

static int register_start(struct login *l, const struct login_desk *desk,
			  const struct wire_register_start *m, uint64_t ticket, mono_ns now,
			  wall_ms wall, uint32_t *retry_after)
{
	int err;

	if (desk->registration == REGISTRATION_CLOSED)
		return ERR_REFUSED;
	if (m->invite.size > sizeof l->invite)
		return ERR_LIMIT;
	err = limits_take(desk->limits, LIMIT_REGISTER, &l->from, NULL, now, retry_after);
	if (err < 0)
		return err;
	l->name = m->name;
	l->invite_size = m->invite.size;
	if (m->invite.size)
		memcpy(l->invite, m->invite.data, m->invite.size);
	l->needs_invite = desk->registration == REGISTRATION_INVITE;
	memcpy(l->request, m->request, sizeof l->request);
	l->step = STEP_MAY_REGISTER;
	desk->registry->may_register(desk->registry, ticket, &l->name, l->needs_invite,
				     invite_of(l), wall);
	return 0;
}

static int register_finish(struct login *l, const struct login_desk *desk,
			   const struct wire_register_finish *m, uint64_t ticket, wall_ms wall)
{
	struct registry_new account = {
		.name = l->name,
		.has_identity = true,
		.certificate = m->certificate,
		.needs_invite = l->needs_invite,
		.invite = invite_of(l),
	};

	l->step = STEP_START;
	if (certificate_verify(&m->certificate) < 0 ||
	    !certificate_holds(&m->certificate, wall))
		return ERR_AUTH;
	if (proof_register_verify(m->proof_of_possession, &m->certificate.identity,
				  l->handshake_hash, &l->name) < 0)
		return ERR_AUTH;
	if (opaque_server_check_record(m->record) < 0)
		return ERR_AUTH;
	memcpy(account.record, m->record, sizeof account.record);
	l->step = STEP_CREATING;
	desk->registry->create(desk->registry, ticket, &account, wall);
	return 0;
}

/* The client learns from KE2 whether its guess is right (RFC 9807 section 9.2), so it is the
 * answer that is charged; a login that succeeds gets it back. */
static const enum limit charged[] = { LIMIT_LOGIN_PREFIX, LIMIT_LOGIN, LIMIT_LOGIN_NAME };
enum { CHARGED = sizeof charged / sizeof charged[0] };

static void refund(struct login *l, const struct login_desk *desk, unsigned count)
{
	while (count-- > 0)
		limits_give_back(desk->limits, charged[count], &l->from, &l->name);
}

static int login_start(struct login *l, const struct login_desk *desk,
		       const struct wire_login_start *m, uint64_t ticket, mono_ns now,
		       uint32_t *retry_after)
{
	l->name = m->name;
	for (unsigned i = 0; i < CHARGED; i++) {
		int err = limits_take(desk->limits, charged[i], &l->from, &l->name, now,
				      retry_after);

		if (err < 0) {
			refund(l, desk, i);
			return err;
		}
	}
	memcpy(l->ke1, m->ke1, sizeof l->ke1);
	l->step = STEP_FINDING;
	desk->registry->find(desk->registry, ticket, &l->name);
	return 0;
}

static int login_finish(struct login *l, const struct login_desk *desk,
			const struct wire_login_finish *m, uint64_t ticket, wall_ms wall)
{
	uint8_t session_key[OPAQUE_SESSION_KEY_SIZE], mac[PROOF_SIZE];
	const struct certificate *c = &m->certificate;
	int err;

	l->step = STEP_START;
	err = opaque_server_finish(&l->pending, m->ke3, session_key);
	if (err < 0)
		goto out;
	err = ERR_AUTH;
	proof_enrol(mac, session_key, &c->device, l->handshake_hash);
	if (sodium_memcmp(mac, m->mac, sizeof mac) != 0)
		goto out;
	if (certificate_verify(c) < 0 || !certificate_holds(c, wall))
		goto out;
	if (l->has_identity && !identity_public_equal(&l->identity, &c->identity))
		goto out;
	l->step = STEP_ENROLLING;
	desk->registry->enrol(desk->registry, ticket, &l->name, c, wall);
	err = 0;
out:
	sodium_memzero(session_key, sizeof session_key);
	sodium_memzero(mac, sizeof mac);
	return err < 0 ? ERR_AUTH : 0;
}

int login_message(struct login *l, const struct login_desk *desk, const struct wire_message *m,
		  uint64_t ticket, mono_ns now, wall_ms wall, uint32_t *retry_after)
{
	*retry_after = 0;
	if (m->type == WIRE_REGISTER_START && l->step == STEP_START)
		return register_start(l, desk, &m->register_start, ticket, now, wall,
				      retry_after);
	if (m->type == WIRE_REGISTER_FINISH && l->step == STEP_REGISTER_CHALLENGED)
		return register_finish(l, desk, &m->register_finish, ticket, wall);
	if (m->type == WIRE_LOGIN_START && l->step == STEP_START)
		return login_start(l, desk, &m->login_start, ticket, now, retry_after);
	if (m->type == WIRE_LOGIN_FINISH && l->step == STEP_LOGIN_CHALLENGED)
		return login_finish(l, desk, &m->login_finish, ticket, wall);
	return ERR_STATE;
}

/* --- what the registry answers --- */

static int challenge_registration(struct login *l, const struct login_desk *desk,
				  const struct registry_answer *a, struct wire_message *reply)
{
	int err;

	l->step = STEP_START;
	if (a->err < 0)
		return a->err;
	err = opaque_server_register(desk->opaque, name_bytes(l), l->request,
				     reply->register_challenge.response);
	if (err < 0)
		return err;
	reply->type = WIRE_REGISTER_CHALLENGE;
	reply->register_challenge.ksf = desk->ksf;
	l->step = STEP_REGISTER_CHALLENGED;
	return 0;
}

static int challenge_login(struct login *l, const struct login_desk *desk,
			   const struct registry_answer *a, struct wire_message *reply)
{
	struct opaque_server_random random;
	struct opaque_names names = { { 0 }, { 0 } };
	uint8_t context[PROOF_CONTEXT_SIZE], ke1[OPAQUE_KE1_SIZE];
	int err;

	l->step = STEP_START;
	if (a->err < 0)
		return ERR_BUSY; /* the store failed: says nothing about the name */
	l->has_identity = a->has_identity;
	l->identity = a->identity;
	proof_context(context, desk->ksf, l->handshake_hash);
	opaque_server_random(&random);
	memcpy(ke1, l->ke1, sizeof ke1); /* shares its place with what is pending */
	err = opaque_server_respond(desk->opaque, name_bytes(l), a->record, names,
				    BYTES(context), &random, ke1, reply->login_challenge.ke2,
				    &l->pending);
	sodium_memzero(&random, sizeof random);
	if (err < 0)
		return ERR_AUTH;
	reply->type = WIRE_LOGIN_CHALLENGE;
	reply->login_challenge.ksf = desk->ksf;
	l->step = STEP_LOGIN_CHALLENGED;
	return 0;
}

static int end_registration(struct login *l, const struct registry_answer *a,
			    struct wire_message *reply)
{
	l->step = STEP_START;
	reply->type = WIRE_REGISTER_DONE;
	return a->err;
}

static int end_login(struct login *l, const struct login_desk *desk,
		     const struct registry_answer *a, struct wire_message *reply)
{
	l->step = STEP_START;
	if (a->err < 0)
		return a->err == ERR_AUTH ? ERR_AUTH : ERR_BUSY;
	refund(l, desk, CHARGED);
	reply->type = WIRE_LOGIN_DONE;
	return 0;
}

int login_answer(struct login *l, const struct login_desk *desk,
		 const struct registry_answer *answer, struct wire_message *reply,
		 enum wire_type *about)
{
	memset(reply, 0, sizeof *reply);
	switch (l->step) {
	case STEP_MAY_REGISTER:
		*about = WIRE_REGISTER_START;
		return challenge_registration(l, desk, answer, reply);
	case STEP_CREATING:
		*about = WIRE_REGISTER_FINISH;
		return end_registration(l, answer, reply);
	case STEP_FINDING:
		*about = WIRE_LOGIN_START;
		return challenge_login(l, desk, answer, reply);
	case STEP_ENROLLING:
		*about = WIRE_LOGIN_FINISH;
		return end_login(l, desk, answer, reply);
	default:
		assert(!"nothing was asked");
	}
	return ERR_STATE;
}
