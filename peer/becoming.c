#include "peer/becoming_inside.h"

#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

static const enum wire_type firsts[] = {
	[BECOMING_NEW] = WIRE_REGISTER_START, [BECOMING_LOGIN] = WIRE_LOGIN_START,
	[BECOMING_RECOVER] = WIRE_RECOVER,    [BECOMING_RESET] = WIRE_RESET,
	[BECOMING_PASSWD] = WIRE_LOGIN_START,
};

int becoming_up(struct becoming *b, const uint8_t handshake_hash[64])
{
	int err = 0;

	if (b->stage != STAGE_AWAY)
		return ERR_STATE;
	memcpy(b->handshake_hash, handshake_hash, sizeof b->handshake_hash);
	if (b->kind == BECOMING_NEW)
		err = entry_start(&b->setting);
	else if (b->kind == BECOMING_LOGIN || b->kind == BECOMING_PASSWD)
		err = entry_start(&b->proof);
	if (err < 0)
		return err;
	return becoming_go(b, STAGE_ASKED, firsts[b->kind]);
}

/* --- what the directory answers --- */

static const char *refusal_text(const struct becoming *b, enum wire_type about, int err)
{
	static const struct {
		enum wire_type about; /* 0: any */
		int err;
		const char *text;
	} texts[] = {
		{ WIRE_REGISTER_START, ERR_EXISTS, N_("that name is taken") },
		{ WIRE_REGISTER_FINISH, ERR_EXISTS, N_("that name is taken") },
		{ WIRE_REGISTER_START, ERR_REFUSED,
		  N_("this directory takes new accounts by invitation only, or none at all") },
		{ WIRE_REGISTER_START, ERR_EXPIRED,
		  N_("the invitation has expired or was used") },
		{ WIRE_REGISTER_FINISH, ERR_EXPIRED,
		  N_("the invitation has expired or was used") },
		{ WIRE_RECOVER, ERR_AUTH,
		  N_("no account of that name has this recovery code") },
		{ WIRE_RESET, ERR_EXPIRED, N_("the link has expired or was used") },
		{ WIRE_RESET, ERR_NOT_FOUND,
		  N_("the link is not valid here: mistyped, expired or used") },
		{ WIRE_RESET, ERR_AUTH,
		  N_("the link is not valid here: mistyped, expired or used") },
		{ WIRE_LOGIN_FINISH, ERR_AUTH, N_("name or password is wrong") },
		{ WIRE_ENROL, ERR_FULL,
		  N_("the account has as many devices as it may: revoke one on another "
		     "device, or set the password anew and log out everywhere") },
		{ WIRE_PASSWORD_FINISH, ERR_STATE,
		  N_("the devices changed at the same moment: the password is the old one; "
		     "try again") },
		{ 0, ERR_BUSY, N_("too many attempts: try again later") },
		{ 0, ERR_SUSPENDED, N_("the directory's operator has suspended this account") },
		{ 0, ERR_OFFLINE,
		  N_("the directory cannot check passwords at the moment: try again later") },
	};

	if (b->code[0] && about == WIRE_REGISTER_START && err == ERR_REFUSED)
		return N_("the invitation is not valid here: mistyped, for another name, or "
			  "the directory takes no new accounts");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if ((texts[i].about == about || texts[i].about == 0) && texts[i].err == err)
			return texts[i].text;
	}
	return error_text(err);
}

static int on_refusal(struct becoming *b, const struct wire_message *m)
{
	const struct wire_refusal *r = &m->refusal;
	int err = r->error < 0 ? r->error : ERR_REFUSED;

	if (b->stage == STAGE_ASKED && err == ERR_BUSY && r->work.bits > 0 &&
	    r->work.bits <= WORK_BITS_MAX && b->works++ < BECOMING_WORKS) {
		b->puzzle = r->work;
		b->work_job = 0;
		return becoming_go(b, STAGE_WORKING, 0);
	}
	/* The account is not any more as it was shown: another device came in, or changed its key. */
	if (r->about == WIRE_ENROL && b->stage == STAGE_LAST &&
	    (err == ERR_STATE || (err == ERR_AUTH && b->has_vault)))
		return becoming_begin_again(b);
	return becoming_fail(b, err, refusal_text(b, r->about, err));
}

static int on_challenge(struct becoming *b, const struct wire_message *m)
{
	bool is_login = b->kind == BECOMING_LOGIN || b->kind == BECOMING_PASSWD;
	int err = ERR_STATE;

	if (b->stage == STAGE_SETTING && m->type == WIRE_PASSWORD_CHALLENGE)
		err = entry_challenged(&b->setting, m->password_challenge.ksf,
				       m->password_challenge.response);
	else if (b->stage == STAGE_ASKED && is_login && m->type == WIRE_LOGIN_CHALLENGE)
		err = entry_challenged(&b->proof, m->login_challenge.ksf,
				       m->login_challenge.ke2);
	else if (b->stage == STAGE_ASKED && b->kind == BECOMING_NEW &&
		 m->type == WIRE_REGISTER_CHALLENGE)
		err = entry_challenged(&b->setting, m->register_challenge.ksf,
				       m->register_challenge.response);
	return err;
}

static int on_reset_done(struct becoming *b, const struct wire_message *m)
{
	if (b->stage != STAGE_ASKED || b->kind != BECOMING_RESET)
		return ERR_STATE;
	b->name = m->reset_done.name;
	return becoming_begin_setting(b);
}

static int on_password_done(struct becoming *b, const struct wire_message *m)
{
	(void)m;
	if (b->stage != STAGE_SET)
		return ERR_STATE;
	if (b->kind == BECOMING_RESET || b->kind == BECOMING_PASSWD)
		return BECOMING_OVER;
	if (b->kind == BECOMING_RECOVER) {
		int err = entry_init(&b->proof, false,
				     bytes_of(b->setting.password, b->setting.size),
				     b->weakest);

		if (err < 0)
			return err;
		recovery_keys_wipe(&b->recovery);
		b->kind = BECOMING_LOGIN; /* should it have to begin once more */
	}
	return becoming_want_keys(b);
}

static int on_last(struct becoming *b, const struct wire_message *m)
{
	bool is_ours = m->type ==
		       (b->kind == BECOMING_NEW ? WIRE_REGISTER_DONE : WIRE_ENROL_DONE);

	return is_ours && becoming_is_sent(b) ? BECOMING_OVER : ERR_STATE;
}

int becoming_hear(struct becoming *b, const struct wire_message *m)
{
	static const struct {
		enum wire_type type;
		int (*hear)(struct becoming *b, const struct wire_message *m);
	} rows[] = {
		{ WIRE_REFUSAL, on_refusal },
		{ WIRE_REGISTER_CHALLENGE, on_challenge },
		{ WIRE_LOGIN_CHALLENGE, on_challenge },
		{ WIRE_PASSWORD_CHALLENGE, on_challenge },
		{ WIRE_LOGIN_DONE, becoming_on_login_done },
		{ WIRE_VAULT_PART, becoming_on_vault_part },
		{ WIRE_RESET_DONE, on_reset_done },
		{ WIRE_PASSWORD_DONE, on_password_done },
		{ WIRE_REGISTER_DONE, on_last },
		{ WIRE_ENROL_DONE, on_last },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].type == m->type)
			return rows[i].hear(b, m);
	}
	return ERR_STATE;
}

/* --- what takes time --- */

static struct entry *stretching(struct becoming *b)
{
	return b->setting.step == ENTRY_STRETCHING ? &b->setting : &b->proof;
}

bool becoming_next_job(struct becoming *b, uint64_t number, struct job *job)
{
	if (b->stage != STAGE_WORKING)
		return entry_next_job(stretching(b), number, job);
	if (b->work_job)
		return false;
	memset(job, 0, sizeof *job);
	job->kind = JOB_WORK;
	job->ticket = b->work_job = number;
	job->work = b->puzzle;
	return true;
}

bool becoming_wants(const struct becoming *b, const struct job *answer)
{
	if (answer->kind == JOB_WORK)
		return b->stage == STAGE_WORKING && b->work_job &&
		       answer->ticket == b->work_job;
	return entry_wants(&b->setting, answer) || entry_wants(&b->proof, answer);
}

int becoming_answered(struct becoming *b, const struct job *answer)
{
	struct entry *e = stretching(b);
	int err;

	if (answer->kind == JOB_WORK) {
		if (answer->err < 0)
			return answer->err;
		b->work = (struct wire_work){ .is_done = true, .nonce = answer->nonce };
		return becoming_go(b, STAGE_ASKED, firsts[b->kind]);
	}
	err = entry_finish(e, answer, b->handshake_hash);
	if (err == ERR_AUTH)
		b->detail = b->kind == BECOMING_PASSWD ? N_("the old password is wrong")
						       : N_("name or password is wrong");
	if (err < 0)
		return err;
	if (e == &b->proof)
		return becoming_go(b, STAGE_PROVED, WIRE_LOGIN_FINISH);
	if (b->kind == BECOMING_NEW)
		return becoming_want_keys(b);
	return becoming_go(b, STAGE_SET, WIRE_PASSWORD_FINISH);
}
