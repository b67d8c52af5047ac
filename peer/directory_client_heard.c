#include "peer/directory_client_inside.h"

#include <sodium.h>

#include "peer/account.h"
#include "peer/candidates.h"
#include "shared/error.h"
#include "shared/text.h"

#define SETTLED       (10 * SECOND)        /* the directory has repeated who is online */
#define HEARD_RATE    ((int64_t)512 << 10) /* bytes in each second */
#define HEARD_MESSAGE 1024                 /* that a message counts beyond its own bytes */

/* --- one message --- */

/* Beside 0 and errors: rooms above want to hear it. */
enum { FOR_OTHERS = 1 };

static int on_other(struct directory_client *d, const struct wire_message *m)
{
	(void)d;
	(void)m;
	return FOR_OTHERS;
}

static int on_presence(struct directory_client *d, const struct wire_message *m)
{
	struct account *a = d->rooms->account;

	if (name_equal(&m->presence.name, account_name(a)))
		account_told_devices(a, &m->presence.devices);
	return FOR_OTHERS;
}

static int on_welcome(struct directory_client *d, const struct wire_message *m)
{
	struct account *a = d->rooms->account;

	if (d->state != STATE_UP || !name_equal(&m->welcome.name, account_name(a)))
		return ERR_STATE;
	directory_client_enter(d, STATE_ONLINE, NEVER);
	d->failures = 0;
	d->away_at = NEVER;
	d->settled_at = d->rooms->now + SETTLED;
	own_candidates_set_observed(d->rooms->candidates, &m->welcome.observed);
	account_welcomed(a, &m->welcome);
	account_set_clock(a, m->welcome.now - d->rooms->wall);
	account_set_online(a, &m->welcome.observed, link_handshake_hash(d->link));
	return FOR_OTHERS;
}

/* We have moved, or a router before us has another mind. */
static int on_observed(struct directory_client *d, const struct wire_message *m)
{
	own_candidates_set_observed(d->rooms->candidates, &m->observed.observed);
	account_set_observed(d->rooms->account, &m->observed.observed);
	return FOR_OTHERS;
}

/* Once online, an answer to what we asked; before, to who we are. */
static int on_refusal(struct directory_client *d, const struct wire_message *m)
{
	int err;

	if (m->refusal.error == ERR_SUSPENDED)
		return ERR_SUSPENDED;
	if (d->state == STATE_ONLINE) {
		err = account_message(d->rooms->account, m);
		return err < 0 ? err : FOR_OTHERS;
	}
	if (m->refusal.error == ERR_BUSY) {
		d->wait_ms = m->refusal.retry_after < 3600 ? m->refusal.retry_after * 1000
							   : 3600000;
		return ERR_BUSY;
	}
	return ERR_REFUSED;
}

static int on_check(struct directory_client *d, const struct wire_message *m)
{
	struct wire_message answer = { .type = WIRE_CHECK_ANSWER };

	answer.check_answer.nonce = m->check.nonce;
	return line_send(&d->line, &answer);
}

static int on_account(struct directory_client *d, const struct wire_message *m)
{
	return account_message(d->rooms->account, m);
}

static int on_leaving(struct directory_client *d, const struct wire_message *m)
{
	uint32_t seconds = m->leaving.retry_after < 3600 ? m->leaving.retry_after : 3600;

	d->wait_ms = seconds * 1000 + randombytes_uniform(seconds * 500 + 1);
	return 0;
}

static const struct {
	enum wire_type type;
	int (*hear)(struct directory_client *d, const struct wire_message *m);
	bool needs_welcome;
} rows[] = {
	{ WIRE_WELCOME, on_welcome, false },
	{ WIRE_REFUSAL, on_refusal, false },
	{ WIRE_OBSERVED, on_observed, true },
	{ WIRE_CHECK, on_check, true },
	{ WIRE_PRESENCE, on_presence, true },
	{ WIRE_INTRODUCTION, on_other, true },
	{ WIRE_ASKED, on_other, true },
	{ WIRE_VAULT_PART, on_other, true },
	{ WIRE_VAULT_NOW, on_other, true },
	{ WIRE_LEAVING, on_leaving, false },
	{ WIRE_LOGIN_CHALLENGE, on_account, true },
	{ WIRE_LOGIN_DONE, on_account, true },
	{ WIRE_PASSWORD_CHALLENGE, on_account, true },
	{ WIRE_PASSWORD_DONE, on_account, true },
	{ WIRE_DEVICES_DONE, on_account, true },
	{ WIRE_RECOVERY_DONE, on_account, true },
	{ WIRE_DELETE_DONE, on_account, true },
};

static int on_message(struct directory_client *d, const struct wire_message *m)
{
	if (d->is_guest)
		return account_message(d->rooms->account, m);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].type == m->type &&
		    (d->state == STATE_ONLINE || !rows[i].needs_welcome))
			return rows[i].hear(d, m);
	}
	return ERR_STATE;
}

/* --- all that has come --- */

int directory_client_last_words(struct directory_client *d)
{
	struct wire_message m;
	int err = 0;

	while (!err && d->line.link && line_next(&d->line, &m) == 1) {
		if (m.type == WIRE_LEAVING)
			on_leaving(d, &m);
		else if (m.type == WIRE_REFUSAL && m.refusal.error == ERR_SUSPENDED)
			err = ERR_SUSPENDED;
		else if (m.type == WIRE_REFUSAL && d->state != STATE_ONLINE)
			err = on_refusal(d, &m);
	}
	return err;
}

static void on_broken(struct directory_client *d, int err)
{
	if (err == ERR_REFUSED && !d->is_guest) {
		directory_client_hang_up(d, LINK_CODE_BYE);
		account_unknown(d->rooms->account);
	} else if (err == ERR_SUSPENDED && !d->is_guest) {
		directory_client_wait_out_suspension(d);
		directory_client_drop(d, err, LINK_CODE_BYE, SUSPENDED_TROUBLE);
	} else if (err == ERR_BUSY || err == ERR_CLOSED) {
		directory_client_drop(d, err, LINK_CODE_BYE, N_("the directory is busy"));
	} else {
		directory_client_drop(d, ERR_FORMAT, LINK_CODE_PROTOCOL,
				      N_("the directory says what this program does not "
					 "understand; one of the two needs an update"));
	}
}

/* Whether it has said more than can be heard: what follows waits in the link, which then takes
 * no more. */
static bool is_flooding(struct directory_client *d)
{
	mono_ns passed = d->rooms->now - d->patient_at;

	if (passed >= HEARD_PAUSE) {
		d->patient_at = d->rooms->now;
		d->patience += passed > 100 * SECOND
				       ? HEARD_BURST
				       : (int64_t)(passed / MILLISECOND) * HEARD_RATE / 1000;
		if (d->patience > HEARD_BURST)
			d->patience = HEARD_BURST;
	}
	return d->patience < 0;
}

bool directory_client_next(struct directory_client *d, struct wire_message *m)
{
	size_t taken;
	int err = 0;

	if (!d->line.link || !d->line.is_readable || (d->line.taken == 0 && is_flooding(d)))
		return false;
	while (!directory_client_is_restarting(d) &&
	       (taken = d->line.taken, err = line_next(&d->line, m)) == 1) {
		d->patience -= (int64_t)(d->line.taken - taken) + HEARD_MESSAGE;
		err = on_message(d, m);
		if (err == FOR_OTHERS)
			return true;
		if (err < 0)
			break;
	}
	if (directory_client_is_restarting(d))
		return false;
	if (err < 0)
		on_broken(d, err);
	else if (d->line.is_readable)
		d->rooms->has_more = true;
	return false;
}

bool directory_client_take_settled(struct directory_client *d)
{
	if (d->rooms->now < d->settled_at)
		return false;
	d->settled_at = NEVER;
	return d->state == STATE_ONLINE;
}
