/* Shell: jobs run in libuv's thread pool; answers come back on the loop. */
#ifndef PALIQUE_SHARED_WORKER_H
#define PALIQUE_SHARED_WORKER_H

#include <uv.h>

#include "shared/job.h"

enum {
	WORKER_BEHIND = 5
}; /* the loop's thread goes before the jobs': so much in nice values */

typedef void worker_done(void *user, const struct job *answer);

/* Copies the job; `done` is called on the loop with the answer filled in. */
void worker_run(uv_loop_t *loop, const struct job *job, worker_done *done, void *user);

/* How a kind of job is done that is not shared/'s own; said before any is run. One that nobody
 * knows is answered with ERR_NOT_FOUND. */
void worker_learn(enum job_kind kind, int (*run)(struct job *job));

/* The program ends: JOB_WORK, under way or to come, is given up with ERR_CLOSED. */
void worker_stop(void);
bool worker_has_stopped(void); /* in any thread */

/* Blocking, in the calling thread: what the worker does. */
void job_run(struct job *job);

#endif
