#include "directory/login.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "directory/login_inside.h"
#include "shared/error.h"

struct login *login_new(const struct login_desk *desk, const uint8_t *handshake_hash,
			const struct address *from, const struct name *only)
{
	struct login *l = sodium_malloc(sizeof *l); /* holds session keys */

	if (!l)
		abort();
	memset(l, 0, sizeof *l);
	l->desk = desk;
	memcpy(l->handshake_hash, handshake_hash, sizeof l->handshake_hash);
	l->from = *from;
	if (only)
		l->only = *only;
	return l;
}

void login_free(struct login *l)
{
	if (!l)
		return;
	login_failed(l);
	sodium_free(l);
}

const struct name *login_name(const struct login *l)
{
	return &l->name;
}

const struct device_list *login_devices(const struct login *l)
{
	return l->is_changed ? &l->devices : NULL;
}

void login_outdate(struct login *l, const struct name *name, enum login_news news)
{
	bool is_by_code = l->proof == LOGIN_BY_RECOVERY;

	if (!name_equal(&l->name, name))
		return;
	switch (news) {
	case LOGIN_NEW_PASSWORD: /* also who is in the middle of showing the one before */
		l->is_outdated |= !is_by_code && l->proof != LOGIN_BY_RESET;
		break;
	case LOGIN_NEW_CODE:
		l->is_outdated |= is_by_code;
		break;
	case LOGIN_NO_ENTRY:
		l->is_outdated = true;
		break;
	}
}

/* When each message may come: from a guest that begins, when the state fits, or after a proof.
 * Whoever begins anew while he is somebody is nobody again. */
static const struct row {
	enum wire_type type;
	enum login_state state;
	bool or_proved;
	login_handler *handle;
} rows[] = {
	{ WIRE_REGISTER_START, LOGIN_BEGINS, true, login_register_start },
	{ WIRE_REGISTER_FINISH, LOGIN_REGISTER_CHALLENGED, false, login_register_finish },
	{ WIRE_LOGIN_START, LOGIN_BEGINS, true, login_start },
	/* The password was wrong, which the client alone sees: it tries another on its line. */
	{ WIRE_LOGIN_START, LOGIN_CHALLENGED, false, login_start },
	{ WIRE_LOGIN_FINISH, LOGIN_CHALLENGED, false, login_finish },
	{ WIRE_RECOVER, LOGIN_BEGINS, true, login_recover },
	{ WIRE_RESET, LOGIN_BEGINS, true, login_reset },
	{ WIRE_PASSWORD_START, LOGIN_PROVED, false, login_password_start },
	{ WIRE_PASSWORD_FINISH, LOGIN_PASSWORD_CHALLENGED, false, login_password_finish },
	{ WIRE_VAULT_GET, LOGIN_PROVED, false, login_vault_get },
	{ WIRE_ENROL, LOGIN_PROVED, false, login_enrol },
};

static bool is_for_owner(const struct row *row)
{
	return row->state == LOGIN_PROVED || row->state == LOGIN_PASSWORD_CHALLENGED;
}

int login_message(struct login *l, const struct wire_message *m, uint64_t ticket, mono_ns now,
		  wall_ms wall, struct wire_message *reply)
{
	const struct login_turn t = { ticket, now, wall, reply };

	reply->type = 0;
	l->is_changed = false;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];

		if (row->type != m->type)
			continue;
		if (l->state == row->state || (row->or_proved && l->state == LOGIN_PROVED)) {
			memset(reply, 0, sizeof *reply);
			if (l->is_outdated && is_for_owner(row))
				return login_is_over(l, m->type, reply);
			return row->handle(l, m, &t);
		}
	}
	return ERR_STATE;
}

int login_registry_answer(struct login *l, const struct registry_answer *a, uint64_t ticket,
			  struct wire_message *reply)
{
	static login_answered *const answered[] = {
		[LOGIN_MAY_REGISTER] = login_may_register,
		[LOGIN_CREATING] = login_created,
		[LOGIN_FINDING] = login_found,
		[LOGIN_RECOVERING] = login_recovery_found,
		[LOGIN_TELLING] = login_told,
		[LOGIN_RESETTING] = login_reset_found,
		[LOGIN_CHANGING] = login_password_changed,
		[LOGIN_READING] = login_vault_read,
		[LOGIN_ENROLLING] = login_enrolled,
	};
	const struct login_turn t = { .ticket = ticket, .reply = reply };

	assert(l->state < sizeof answered / sizeof answered[0] && answered[l->state]);
	memset(reply, 0, sizeof *reply);
	return answered[l->state](l, a, &t);
}

int login_holder_answer(struct login *l, const struct holder_answer *a,
			struct wire_message *reply)
{
	memset(reply, 0, sizeof *reply);
	switch (l->state) {
	case LOGIN_REGISTER_HELD:
		return login_register_held(l, a, reply);
	case LOGIN_HELD:
		return login_challenge(l, a, reply);
	case LOGIN_PASSWORD_HELD:
		return login_password_held(l, a, reply);
	default:
		assert(!"the key-holder was not asked");
	}
	return ERR_STATE;
}
