#include "shared/worker.h"

#include <netdb.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "shared/error.h"

/* A job on its way through a thread. */
struct errand {
	uv_work_t request;
	struct job job;
	worker_done *done;
	void *user;
};

static int resolve_error(int code)
{
	switch (code) {
	case EAI_MEMORY:
		abort();
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		return ERR_NOT_FOUND;
	default: /* no name server answers, or not now */
		return ERR_OFFLINE;
	}
}

static bool is_known(const struct job *job, const struct address *a)
{
	for (unsigned i = 0; i < job->address_count; i++)
		if (address_equal(&job->addresses[i], a))
			return true;
	return false;
}

/* "localhost" is this machine, whatever a hosts file or a name server says (RFC 6761
 * section 6.3). */
static int resolve_localhost(struct job *job)
{
	address_parse(&job->addresses[0], "::1", job->port);
	address_parse(&job->addresses[1], "127.0.0.1", job->port);
	job->address_count = 2;
	return 0;
}

/* In the order of RFC 6724, as the C library sorts them. */
static int resolve(struct job *job)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_DGRAM,
				  .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	char port[8];
	int code;

	job->address_count = 0;
	if (!job->host[0] || !memchr(job->host, 0, sizeof job->host))
		return ERR_FORMAT;
	if (strcmp(job->host, "localhost") == 0)
		return resolve_localhost(job);
	snprintf(port, sizeof port, "%u", job->port);
	code = getaddrinfo(job->host, port, &hints, &list);
	if (code != 0)
		return resolve_error(code);
	for (struct addrinfo *at = list; at && job->address_count < JOB_ADDRESSES_MAX;
	     at = at->ai_next) {
		struct address a;

		if (address_from_sockaddr(&a, at->ai_addr) == 0 && !is_known(job, &a))
			job->addresses[job->address_count++] = a;
	}
	freeaddrinfo(list);
	return job->address_count ? 0 : ERR_NOT_FOUND;
}

static int stretch(struct job *job)
{
	uint8_t out[sizeof job->stretch] = { 0 };
	int err = ksf_stretch(job->ksf, job->stretch, out);

	memcpy(job->stretch, out, sizeof out); /* on failure nothing of the input goes back */
	sodium_memzero(out, sizeof out);
	return err;
}

static atomic_bool has_stopped; /* read in the threads */

void worker_stop(void)
{
	atomic_store(&has_stopped, true);
}

bool worker_has_stopped(void)
{
	return atomic_load(&has_stopped);
}

static bool is_cancelled(void *user)
{
	(void)user;
	return worker_has_stopped();
}

static int work(struct job *job)
{
	return work_solve(&job->work, &job->nonce, is_cancelled, NULL);
}

static int no_idea(struct job *job)
{
	(void)job;
	return ERR_NOT_FOUND;
}

static int (*kinds[])(struct job *job) = {
	[JOB_STRETCH] = stretch, [JOB_RESOLVE] = resolve, [JOB_WORK] = work,
	[JOB_UPNP] = no_idea,    [JOB_FILING] = no_idea,  [JOB_IMAGE] = no_idea,
};

void worker_learn(enum job_kind kind, int (*run)(struct job *job))
{
	kinds[kind] = run;
}

void job_run(struct job *job)
{
	job->err = kinds[job->kind](job);
}

/* Jobs are long; what the loop has to do is short, and somebody waits for it. On Linux it is the calling
 * thread alone that gets another priority; a system that refuses goes on as before. */
static void give_way(void)
{
	static _Thread_local bool has_given_way;

	if (has_given_way)
		return;
	has_given_way = true;
	setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + WORKER_BEHIND);
}

static void on_work(uv_work_t *request)
{
	struct errand *errand = request->data;

	give_way();
	job_run(&errand->job);
}

static void on_worked(uv_work_t *request, int status)
{
	struct errand *errand = request->data;

	if (status != 0) /* cancelled before it began */
		errand->job.err = ERR_CLOSED;
	errand->done(errand->user, &errand->job);
	sodium_memzero(&errand->job, sizeof errand->job);
	free(errand);
}

void worker_run(uv_loop_t *loop, const struct job *job, worker_done *done, void *user)
{
	struct errand *errand = memory_new(sizeof *errand);

	errand->request.data = errand;
	errand->job = *job;
	errand->done = done;
	errand->user = user;
	if (uv_queue_work(loop, &errand->request, on_work, on_worked) != 0)
		abort(); /* only a missing callback can make it fail */
}
