#include "peer/entry.h"

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "shared/proof.h"

int entry_init(struct entry *e, bool is_setting, struct bytes password, enum ksf weakest)
{
	if (password.size == 0)
		return ERR_FORMAT;
	if (password.size > OPAQUE_PASSWORD_MAX)
		return ERR_LIMIT;
	sodium_memzero(e, sizeof *e);
	e->is_setting = is_setting;
	e->weakest = weakest;
	memcpy(e->password, password.data, password.size);
	e->size = password.size;
	return 0;
}

int entry_start(struct entry *e)
{
	struct opaque_client_random random;
	struct bytes view = bytes_of(e->password, e->size);
	int err;

	opaque_client_wipe(&e->opaque);
	opaque_client_random(&random);
	if (e->is_setting)
		err = opaque_register_start(&e->opaque, view, &random, e->first);
	else
		err = opaque_login_start(&e->opaque, view, &random, e->first);
	sodium_memzero(&random, sizeof random);
	e->job = 0;
	if (err == 0)
		e->step = ENTRY_ASKED;
	return err;
}

int entry_challenged(struct entry *e, uint64_t ksf, const uint8_t *answer)
{
	int err;

	if (e->step != ENTRY_ASKED)
		return ERR_STATE;
	if (!ksf_is_known(ksf) || ksf < (uint64_t)e->weakest)
		return ERR_FORMAT;
	if (e->is_setting)
		err = opaque_register_evaluate(&e->opaque, answer, e->oprf_output);
	else
		err = opaque_login_evaluate(&e->opaque, answer, e->oprf_output);
	if (err < 0)
		return err;
	e->ksf = (enum ksf)ksf;
	e->step = ENTRY_STRETCHING;
	return 0;
}

bool entry_next_job(struct entry *e, uint64_t number, struct job *job)
{
	if (e->step != ENTRY_STRETCHING || e->job)
		return false;
	memset(job, 0, sizeof *job);
	job->kind = JOB_STRETCH;
	job->ticket = e->job = number;
	job->ksf = e->ksf;
	memcpy(job->stretch, e->oprf_output, sizeof job->stretch);
	return true;
}

bool entry_wants(const struct entry *e, const struct job *answer)
{
	return e->step == ENTRY_STRETCHING && e->job && answer->ticket == e->job &&
	       answer->kind == JOB_STRETCH;
}

int entry_finish(struct entry *e, const struct job *answer, const uint8_t handshake_hash[64])
{
	uint8_t session_key[OPAQUE_SESSION_KEY_SIZE], context[PROOF_CONTEXT_SIZE];
	const struct opaque_names names = { 0 };
	int err = answer->err;

	if (err == 0 && e->is_setting) {
		err = opaque_register_finish(&e->opaque, answer->stretch, names, e->last,
					     e->export_key);
	} else if (err == 0) {
		proof_context(context, e->ksf, handshake_hash);
		err = opaque_login_finish(&e->opaque, answer->stretch, names, BYTES(context),
					  e->last, session_key, e->export_key);
	}
	sodium_memzero(session_key, sizeof session_key);
	sodium_memzero(e->oprf_output, sizeof e->oprf_output);
	opaque_client_wipe(&e->opaque);
	if (err == 0)
		e->step = ENTRY_DONE;
	return err;
}
