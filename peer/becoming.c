#include "peer/becoming.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/proof.h"

enum stage {
	STAGE_DIALLING,
	STAGE_ASKED,      /* START is said */
	STAGE_STRETCHING, /* a job, given or to be given */
	STAGE_READY,      /* the last message waits for its keys to be durable */
	STAGE_SENT,
};

struct becoming {
	enum stage stage;
	bool is_new, has_key, is_pinned;
	uint64_t job; /* 0: not given yet */
	struct name name;
	struct directory_place place;
	struct device_public directory_key;
	char code[URI_CODE_MAX + 1];
	uint64_t ticket;
	enum ksf ksf, weakest;
	uint8_t handshake_hash[64];
	uint8_t oprf_output[OPAQUE_OPRF_SIZE];
	uint8_t password[OPAQUE_PASSWORD_MAX];
	size_t password_size;
	struct opaque_client opaque;
	struct wire_message last;
};

int becoming_new(struct becoming **out, const struct becoming_wish *wish)
{
	struct becoming *b;

	if (wish->password.size == 0)
		return ERR_FORMAT;
	if (wish->password.size > OPAQUE_PASSWORD_MAX)
		return ERR_LIMIT;
	b = sodium_malloc(sizeof *b);
	if (!b)
		abort();
	memset(b, 0, sizeof *b);
	b->is_new = wish->is_new;
	b->name = wish->name;
	b->place = wish->place;
	if (wish->directory_key) {
		b->directory_key = *wish->directory_key;
		b->has_key = true;
	}
	if (wish->code)
		snprintf(b->code, sizeof b->code, "%s", wish->code);
	b->ticket = wish->ticket;
	b->weakest = wish->weakest;
	memcpy(b->password, wish->password.data, wish->password.size);
	b->password_size = wish->password.size;
	*out = b;
	return 0;
}

void becoming_free(struct becoming *b)
{
	if (!b)
		return;
	sodium_free(b); /* wipes */
}

bool becoming_is_new(const struct becoming *b)
{
	return b->is_new;
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

bool becoming_has_code(const struct becoming *b)
{
	return b->code[0] != '\0';
}

uint64_t becoming_ticket(const struct becoming *b)
{
	return b->ticket;
}

int becoming_start(struct becoming *b, const uint8_t handshake_hash[64], struct wire_message *m)
{
	struct opaque_client_random random;
	struct bytes view = bytes_of(b->password, b->password_size);
	int err = ERR_STATE;

	if (b->stage != STAGE_DIALLING)
		return err;
	memcpy(b->handshake_hash, handshake_hash, sizeof b->handshake_hash);
	opaque_client_random(&random);
	memset(m, 0, sizeof *m);
	if (b->is_new) {
		m->type = WIRE_REGISTER_START;
		m->register_start.name = b->name;
		m->register_start.invite = bytes_text(b->code);
		err = opaque_register_start(&b->opaque, view, &random,
					    m->register_start.request);
	} else {
		m->type = WIRE_LOGIN_START;
		m->login_start.name = b->name;
		err = opaque_login_start(&b->opaque, view, &random, m->login_start.ke1);
	}
	if (err == 0)
		b->stage = STAGE_ASKED;
	sodium_memzero(b->password, sizeof b->password);
	sodium_memzero(&random, sizeof random);
	return err;
}

int becoming_challenged(struct becoming *b, const struct wire_message *m)
{
	bool is_ours = m->type == (b->is_new ? WIRE_REGISTER_CHALLENGE : WIRE_LOGIN_CHALLENGE);
	uint64_t ksf;
	int err;

	if (b->stage != STAGE_ASKED || !is_ours)
		return ERR_STATE;
	ksf = b->is_new ? m->register_challenge.ksf : m->login_challenge.ksf;
	if (!ksf_is_known(ksf) || ksf < (uint64_t)b->weakest)
		return ERR_FORMAT;
	b->ksf = (enum ksf)ksf;
	err = b->is_new ? opaque_register_evaluate(&b->opaque, m->register_challenge.response,
						   b->oprf_output)
			: opaque_login_evaluate(&b->opaque, m->login_challenge.ke2,
						b->oprf_output);
	if (err < 0)
		return err;
	b->stage = STAGE_STRETCHING;
	return 0;
}

bool becoming_next_job(struct becoming *b, uint64_t number, struct job *job)
{
	if (b->stage != STAGE_STRETCHING || b->job)
		return false;
	memset(job, 0, sizeof *job);
	job->kind = JOB_STRETCH;
	job->ticket = b->job = number;
	job->ksf = b->ksf;
	memcpy(job->stretch, b->oprf_output, sizeof job->stretch);
	return true;
}

bool becoming_wants(const struct becoming *b, const struct job *answer)
{
	return b->stage == STAGE_STRETCHING && b->job && answer->ticket == b->job &&
	       answer->kind == JOB_STRETCH;
}

static int finish_new(struct becoming *b, const uint8_t stretched[64],
		      const struct identity *identity, const struct certificate *certificate)
{
	struct wire_register_finish *f = &b->last.register_finish;
	uint8_t record[OPAQUE_RECORD_SIZE];
	uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE];
	int err;

	b->last.type = WIRE_REGISTER_FINISH;
	err = opaque_register_finish(&b->opaque, stretched, (struct opaque_names){ 0 }, record,
				     export_key);
	if (err == 0) {
		memcpy(f->record, record, sizeof record);
		f->certificate = *certificate;
		proof_register(f->proof_of_possession, identity, b->handshake_hash, &b->name);
	}
	sodium_memzero(record, sizeof record);
	sodium_memzero(export_key, sizeof export_key);
	return err;
}

static int finish_login(struct becoming *b, const uint8_t stretched[64],
			const struct certificate *certificate)
{
	struct wire_login_finish *f = &b->last.login_finish;
	uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE], session_key[OPAQUE_SESSION_KEY_SIZE];
	uint8_t context[PROOF_CONTEXT_SIZE];
	int err;

	b->last.type = WIRE_LOGIN_FINISH;
	proof_context(context, b->ksf, b->handshake_hash);
	err = opaque_login_finish(&b->opaque, stretched, (struct opaque_names){ 0 },
				  BYTES(context), f->ke3, session_key, export_key);
	if (err == 0) {
		f->certificate = *certificate;
		proof_enrol(f->mac, session_key, &certificate->device, b->handshake_hash);
	}
	sodium_memzero(export_key, sizeof export_key);
	sodium_memzero(session_key, sizeof session_key);
	return err;
}

int becoming_finish(struct becoming *b, const struct job *answer,
		    const struct identity *identity, const struct certificate *certificate)
{
	int err = answer->err;

	if (err == 0)
		err = b->is_new ? finish_new(b, answer->stretch, identity, certificate)
				: finish_login(b, answer->stretch, certificate);
	opaque_client_wipe(&b->opaque);
	sodium_memzero(b->oprf_output, sizeof b->oprf_output);
	if (err == 0)
		b->stage = STAGE_READY;
	return err;
}

bool becoming_take_last(struct becoming *b, struct wire_message *m)
{
	if (b->stage != STAGE_READY)
		return false;
	*m = b->last;
	sodium_memzero(&b->last, sizeof b->last);
	b->stage = STAGE_SENT;
	return true;
}

bool becoming_is_sent(const struct becoming *b)
{
	return b->stage == STAGE_SENT;
}
