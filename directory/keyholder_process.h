/* The key-holder as a process of its own: the secrets in locked memory, one or several lines on
 * which it is asked, and nothing else. It has no event library and opens nothing once it
 * serves: the fewer calls of the kernel it needs, the fewer are left to whoever breaks in. */
#ifndef PALIQUE_DIRECTORY_KEYHOLDER_PROCESS_H
#define PALIQUE_DIRECTORY_KEYHOLDER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { KEYHOLDER_ALLOWED_MAX = 8, KEYHOLDER_LINES_MAX = 8 };

struct keyholder_process {
	const char *folder; /* of the secrets */
	/* Speaks on this descriptor only, and ends with it: how `serve` starts it. -1: it
	 * listens on `socket`, a path, and hears root, its own user and those of `allowed`. */
	int line;
	const char *socket;
	uid_t allowed[KEYHOLDER_ALLOWED_MAX];
	unsigned allowed_count;
	const char *user;    /* to become where we are root; NULL: stay */
	bool is_unprotected; /* gives up nothing: tests that share a process */
};

/* Blocks until SIGTERM or SIGINT, or until `line` ends; then the process ends with 0
 * (sandbox_exit()), or where it `is_unprotected` this returns 0. Errors of secrets_open() and
 * sandbox_enter(); ERR_LOCKED: another one listens there; ERR_EXISTS: what is there is no
 * socket; ERR_LIMIT: the path is too long; ERR_IO. `reason` gets a sentence. */
int keyholder_process_run(const struct keyholder_process *config, char *reason,
			  size_t reason_size);

#endif
