/* Programs that answer messages: recv --exec. One is begun for each message, without a shell, so that nobody's words are
 * part of a command; the message is its standard input, what it prints the answer. Within a conversation messages are
 * handled one after the other, several conversations at a time. A message is marked as read once it was handled, so
 * that what was not comes again at the next start. */
#ifndef PALIQUE_PEER_FACES_CLI_EXEC_H
#define PALIQUE_PEER_FACES_CLI_EXEC_H

#include "peer/faces/cli/cli.h"

enum {
	EXEC_SECONDS = 60, /* then it is ended, and nothing is answered: --exec-timeout */
	EXEC_SECONDS_MAX = 7 * 86400,
	EXEC_JOBS = 4, /* conversations at a time: --jobs */
	EXEC_JOBS_MAX = 32,
};

struct exec;

/* As the options say; `x` is NULL where there is no --exec. Exit code; has said why. */
int exec_new(struct exec **x, struct cli *c);
/* What runs is ended. NULL is harmless. */
void exec_free(struct exec *x);

/* Behind what waits of that conversation already. */
void exec_add(struct exec *x, const char *conversation, uint64_t id);
bool exec_is_idle(const struct exec *x);
/* Begins what may be begun, and waits until one of them has come further or there is something to read at `fd` (-1:
 * nothing is). False: the engine has gone, or the program cannot be begun (it was said why): exec_code(). */
bool exec_step(struct exec *x, int fd);
int exec_code(const struct exec *x);

#endif
