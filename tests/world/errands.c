#include "tests/world/errands.h"

#include <sodium.h>
#include <string.h>

#include "peer/files.h"
#include "peer/filing.h"
#include "shared/error.h"

void errands_forget(struct errands *e)
{
	for (unsigned i = 0; i < ERRANDS_MAX; i++) {
		if (e->list[i].due != NEVER)
			files_job_drop(&e->list[i].job);
		e->list[i].due = NEVER;
	}
}

bool errands_take(struct errands *e, struct engine *engine, mono_ns now, struct dice *dice)
{
	struct job job;

	while (engine_next_job(engine, &job)) {
		unsigned i = 0;

		while (i < ERRANDS_MAX && e->list[i].due != NEVER)
			i++;
		if (i == ERRANDS_MAX)
			return false;
		e->list[i].job = job;
		e->list[i].due = now + dice_between(dice, 1, 400) * MILLISECOND;
	}
	return true;
}

static void resolve(struct job *job, const struct address *directory)
{
	struct address literal;

	job->address_count = 1;
	if (strcmp(job->host, "directory.world") == 0) {
		job->addresses[0] = *directory;
		job->addresses[0].port = job->port;
	} else if (address_parse(&literal, job->host, job->port) == 0) {
		job->addresses[0] = literal;
	} else {
		job->address_count = 0;
		job->err = ERR_NOT_FOUND;
	}
}

static void answer(struct job *job, const struct address *directory)
{
	uint8_t out[64];

	job->err = 0;
	switch (job->kind) {
	case JOB_STRETCH: /* another function of the same, and no time lost */
		crypto_generichash(out, sizeof out, job->stretch, sizeof job->stretch, NULL, 0);
		memcpy(job->stretch, out, sizeof out);
		break;
	case JOB_WORK:
		job->err = work_solve(&job->work, &job->nonce, NULL, NULL);
		break;
	case JOB_RESOLVE:
		resolve(job, directory);
		break;
	case JOB_UPNP:  /* no router here speaks it */
	case JOB_IMAGE: /* nor are there programs that look at images */
		job->err = ERR_NOT_FOUND;
		break;
	case JOB_FILING: /* on the machine's own disk */
		job->err = filing_run(job);
		break;
	}
}

mono_ns errands_deadline(const struct errands *e)
{
	mono_ns first = NEVER;

	for (unsigned i = 0; i < ERRANDS_MAX; i++)
		first = mono_earlier(first, e->list[i].due);
	return first;
}

void errands_run(struct errands *e, struct engine *engine, mono_ns now,
		 const struct address *directory)
{
	for (unsigned i = 0; i < ERRANDS_MAX; i++) {
		if (e->list[i].due > now)
			continue;
		e->list[i].due = NEVER;
		answer(&e->list[i].job, directory);
		engine_job_done(engine, &e->list[i].job);
	}
}
