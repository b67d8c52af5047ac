/* One program that runs for a message: what goes in, what it prints, and its end. */
#ifndef PALIQUE_PEER_FACES_CLI_EXEC_RUN_H
#define PALIQUE_PEER_FACES_CLI_EXEC_RUN_H

#include <poll.h>
#include <sys/types.h>

#include "peer/faces/cli/cli.h"
#include "shared/clock.h"

enum { EXEC_OUTPUT_MAX = 64000 }; /* bytes that are read; a message holds fewer */

struct exec_run {
	pid_t child;
	int in, out; /* -1: closed */
	char *input; /* a line of JSON */
	size_t size, fed;
	struct buf output;
	mono_ns until;
};

/* The program of --exec, for a `receive`. ERR_NOT_FOUND, ERR_REFUSED (it may not be run),
 * ERR_IO: it cannot be begun, and there is nothing to clear. */
int exec_run_begin(struct exec_run *r, const struct cli *c, const struct json *receive,
		   mono_ns patience);
/* What to wait for: its output and its input; and how long at most, in ms. */
void exec_run_watch(const struct exec_run *r, struct pollfd fds[2]);
int exec_run_wait(const struct exec_run *r, mono_ns now);

enum exec_end { EXEC_GOES_ON, EXEC_ENDED, EXEC_LATE };
/* Behind the wait. EXEC_ENDED: `code` is its exit code, `output` what can be said of what it printed; EXEC_LATE: it was
 * ended. */
enum exec_end exec_run_step(struct exec_run *r, const struct pollfd fds[2], int *code);
/* With all that it has begun. */
void exec_run_kill(struct exec_run *r);
void exec_run_clear(struct exec_run *r);

#endif
