#include "peer/becoming.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/entry.h"
#include "shared/error.h"
#include "shared/proof.h"
#include "shared/text.h"

enum stage {
	STAGE_AWAY,     /* no line yet */
	STAGE_ASKED,    /* the first message is said, or to be said */
	STAGE_WORKING,  /* it is to be said again with work */
	STAGE_PROVED,   /* waits for LOGIN_DONE */
	STAGE_FETCHING, /* the vault, in parts */
	STAGE_SETTING,  /* PASSWORD_START said */
	STAGE_SET,      /* PASSWORD_FINISH said */
	STAGE_KEYS,     /* the owner makes keys durable */
	STAGE_LAST,     /* the last message */
};

struct becoming {
	enum stage stage;
	enum becoming_kind kind;
	bool has_key, is_pinned, begin_anew, is_said;
	enum wire_type say; /* the next message; 0: none */
	struct name name;
	struct directory_place place;
	struct device_public directory_key;
	char code[URI_CODE_MAX + 1];
	uint64_t ticket;
	enum ksf weakest;
	uint8_t handshake_hash[64];
	const char *detail;
	struct entry proof, setting;

	struct work puzzle;
	struct wire_work work;
	uint64_t work_job;
	unsigned works, agains;

	struct recovery_keys recovery;
	struct device_list devices;
	uint32_t failed;
	uint64_t least_version; /* the vault is at least this one */
	bool has_home_key, has_vault_key, has_vault, is_kept;
	bool had_identity;        /* the account, as this home knows or was shown before */
	struct device_list known; /* of this home; version 0: none */
	struct identity_public home_identity; /* with home_key */
	struct symmetric_key home_key, vault_key;
	struct buf sealed;
	struct wire_vault_part head; /* of the first part; without the part */
	struct vault vault;
	struct device_list shorter; /* version 0: none */
	struct wire_message last;
};

/* --- beginning and end --- */

static int take_passwords(struct becoming *b, const struct becoming_wish *wish)
{
	int err = 0;

	if (wish->kind == BECOMING_LOGIN || wish->kind == BECOMING_PASSWD)
		err = entry_init(&b->proof, false, wish->password, wish->weakest);
	else
		err = entry_init(&b->setting, true, wish->password, wish->weakest);
	if (err == 0 && wish->kind == BECOMING_PASSWD)
		err = entry_init(&b->setting, true, wish->new_password, wish->weakest);
	return err;
}

int becoming_new(struct becoming **out, const struct becoming_wish *wish)
{
	struct becoming *b = sodium_malloc(sizeof *b);
	int err;

	if (!b)
		abort();
	memset(b, 0, sizeof *b);
	b->kind = wish->kind;
	b->name = wish->name;
	b->place = wish->place;
	b->ticket = wish->ticket;
	b->weakest = wish->weakest;
	b->begin_anew = wish->begin_anew;
	buf_init(&b->sealed, VAULT_SIZE_MAX);
	if (wish->directory_key) {
		b->directory_key = *wish->directory_key;
		b->has_key = true;
	}
	if (wish->code)
		snprintf(b->code, sizeof b->code, "%s", wish->code);
	if (wish->recovery)
		recovery_keys(&b->recovery, wish->recovery, &wish->name);
	if (wish->identity && wish->vault_key) {
		b->home_identity = *wish->identity;
		b->home_key = *wish->vault_key;
		b->has_home_key = true;
	}
	b->had_identity = wish->identity != NULL;
	if (wish->known)
		b->known = *wish->known;
	if (wish->devices)
		b->shorter = *wish->devices;
	err = take_passwords(b, wish);
	if (err < 0) {
		becoming_free(b);
		return err;
	}
	*out = b;
	return 0;
}

void becoming_free(struct becoming *b)
{
	if (!b)
		return;
	buf_clear(&b->sealed);
	vault_clear(&b->vault);
	sodium_free(b); /* wipes */
}

/* --- what the owner asks --- */

enum becoming_kind becoming_kind(const struct becoming *b)
{
	return b->kind;
}

const struct name *becoming_name(const struct becoming *b)
{
	return &b->name;
}

const struct directory_place *becoming_place(const struct becoming *b)
{
	return &b->place;
}

const struct device_public *becoming_directory_key(const struct becoming *b)
{
	return b->has_key ? &b->directory_key : NULL;
}

void becoming_pin(struct becoming *b, const struct device_public *key)
{
	b->directory_key = *key;
	b->has_key = b->is_pinned = true;
}

bool becoming_is_pinned(const struct becoming *b)
{
	return b->is_pinned;
}

uint64_t becoming_ticket(const struct becoming *b)
{
	return b->ticket;
}

const char *becoming_detail(const struct becoming *b)
{
	return b->detail;
}

bool becoming_is_working(const struct becoming *b)
{
	return b->stage == STAGE_WORKING;
}

const struct device_list *becoming_devices(const struct becoming *b)
{
	return &b->devices;
}

const struct vault *becoming_vault(const struct becoming *b)
{
	return b->has_vault ? &b->vault : NULL;
}

const struct symmetric_key *becoming_vault_key(const struct becoming *b)
{
	return b->has_vault_key ? &b->vault_key : NULL;
}

uint64_t becoming_vault_version(const struct becoming *b)
{
	return b->head.version;
}

bool becoming_is_kept(const struct becoming *b)
{
	return b->is_kept;
}

uint32_t becoming_failed(const struct becoming *b)
{
	return b->failed;
}

bool becoming_is_sent(const struct becoming *b)
{
	return b->stage == STAGE_LAST && b->is_said;
}

bool becoming_is_ready(const struct becoming *b)
{
	return b->stage == STAGE_LAST && !b->is_said;
}

bool becoming_is_setting(const struct becoming *b)
{
	return b->stage == STAGE_SET;
}

/* --- the steps --- */

static int fail(struct becoming *b, int err, const char *detail)
{
	b->detail = detail;
	return err;
}

static int go(struct becoming *b, enum stage stage, enum wire_type say)
{
	b->stage = stage;
	b->say = say;
	return BECOMING_ON;
}

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
	return go(b, STAGE_ASKED, firsts[b->kind]);
}

/* A new password, or the same one under which nothing is wrapped yet. */
static int begin_setting(struct becoming *b)
{
	int err = entry_start(&b->setting);

	return err < 0 ? err : go(b, STAGE_SETTING, WIRE_PASSWORD_START);
}

static int want_keys(struct becoming *b)
{
	go(b, STAGE_KEYS, 0);
	return BECOMING_WANTS_KEYS;
}

/* Once more from the start, with the password that counts now. */
static int again(struct becoming *b)
{
	if (b->agains++ == BECOMING_AGAINS)
		return fail(b, ERR_BUSY, N_("the account keeps changing: try again later"));
	b->sealed.size = 0;
	vault_clear(&b->vault);
	b->has_vault = b->has_vault_key = b->is_kept = b->is_said = false;
	memset(&b->head, 0, sizeof b->head);
	sodium_memzero(&b->work, sizeof b->work);
	go(b, STAGE_AWAY, 0);
	return BECOMING_AGAIN;
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
		return go(b, STAGE_WORKING, 0);
	}
	/* The account is not any more as it was shown: another device came in, or changed its key. */
	if (r->about == WIRE_ENROL && b->stage == STAGE_LAST &&
	    (err == ERR_STATE || (err == ERR_AUTH && b->has_vault)))
		return again(b);
	return fail(b, err, refusal_text(b, r->about, err));
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

/* The password is right, and nothing is wrapped under it. */
static int on_sealed(struct becoming *b)
{
	bool is_ours = b->has_home_key &&
		       identity_public_equal(&b->home_identity, &b->devices.identity);
	int err;

	if (b->kind != BECOMING_LOGIN)
		return ERR_FORMAT;
	if (b->begin_anew)
		return want_keys(b);
	if (!is_ours)
		return fail(
			b, ERR_KEY_CHANGED,
			N_("the vault is sealed with an older password: use the recovery code "
			   "(palique recover) or another device (palique passwd); or "
			   "begin anew (palique login --begin-anew): contacts will be told"));
	/* This home holds the vault's key: it is wrapped under the password anew. */
	b->vault_key = b->home_key;
	b->has_vault_key = b->is_kept = true;
	err = entry_init(&b->setting, true, bytes_of(b->proof.password, b->proof.size),
			 b->weakest);
	return err < 0 ? err : begin_setting(b);
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
		return fail(b, ERR_KEY_CHANGED,
			    N_("the directory has lost the account's key, or it lies: ask the "
			       "operator; or begin anew (palique login --begin-anew): contacts "
			       "will be told"));
	return want_keys(b);
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

static int on_login_done(struct becoming *b, const struct wire_message *m)
{
	const struct wire_login_done *d = &m->login_done;

	if (b->kind == BECOMING_RECOVER && b->stage == STAGE_ASKED)
		b->stage = STAGE_PROVED;
	if (b->stage != STAGE_PROVED)
		return ERR_STATE;
	b->failed = d->failed;
	if (b->kind == BECOMING_PASSWD)
		return begin_setting(b);
	b->devices = d->devices;
	if (!d->has_identity)
		return on_nobody(b);
	if (device_list_verify(&b->devices) < 0 || !device_list_follows(b->devices.version, 0))
		return fail(b, ERR_AUTH,
			    N_("the directory shows a device list that is not signed by its "
			       "identity"));
	if (!b->begin_anew && was_given_up(b))
		return fail(b, ERR_KEY_CHANGED,
			    N_("the directory shows a key that this account has given up: it "
			       "was put back from an old copy, or it lies; ask the operator. "
			       "To go back to that key: palique login --begin-anew"));
	b->had_identity = true;
	if (d->wrap.size == 0)
		return on_sealed(b);
	if (unwrap(b, d->wrap) < 0)
		return fail(b, ERR_AUTH,
			    N_("the password is right, but what the directory keeps of the "
			       "vault is not what was put there: ask its operator"));
	b->has_vault_key = true;
	b->least_version = d->vault_version;
	return go(b, STAGE_FETCHING, WIRE_VAULT_GET);
}

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
		return fail(b, ERR_AUTH,
			    N_("the vault that the directory shows is not the account's: ask "
			       "its operator"));
	return b->kind == BECOMING_RECOVER ? begin_setting(b) : want_keys(b);
}

static int on_vault_part(struct becoming *b, const struct wire_message *m)
{
	const struct wire_vault_part *p = &m->vault_part;

	if (b->stage != STAGE_FETCHING || p->total > VAULT_SIZE_MAX)
		return ERR_STATE;
	if (b->sealed.size > 0 &&
	    (p->version != b->head.version || p->total != b->head.total)) {
		/* Put anew in between. */
		if (b->agains++ == BECOMING_AGAINS)
			return fail(b, ERR_BUSY,
				    N_("the account keeps changing: try again later"));
		b->sealed.size = 0;
		return go(b, STAGE_FETCHING, WIRE_VAULT_GET);
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
	return b->sealed.size < p->total ? go(b, STAGE_FETCHING, WIRE_VAULT_GET)
					 : open_vault(b);
}

static int on_reset_done(struct becoming *b, const struct wire_message *m)
{
	if (b->stage != STAGE_ASKED || b->kind != BECOMING_RESET)
		return ERR_STATE;
	b->name = m->reset_done.name;
	return begin_setting(b);
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
	return want_keys(b);
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
		{ WIRE_LOGIN_DONE, on_login_done },
		{ WIRE_VAULT_PART, on_vault_part },
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
		return go(b, STAGE_ASKED, firsts[b->kind]);
	}
	err = entry_finish(e, answer, b->handshake_hash);
	if (err == ERR_AUTH)
		b->detail = b->kind == BECOMING_PASSWD ? N_("the old password is wrong")
						       : N_("name or password is wrong");
	if (err < 0)
		return err;
	if (e == &b->proof)
		return go(b, STAGE_PROVED, WIRE_LOGIN_FINISH);
	if (b->kind == BECOMING_NEW)
		return want_keys(b);
	return go(b, STAGE_SET, WIRE_PASSWORD_FINISH);
}

/* --- what is said --- */

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
	err = go(b, STAGE_LAST, is_new ? WIRE_REGISTER_FINISH : WIRE_ENROL);
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
