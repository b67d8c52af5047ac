/* What a process gives up before it speaks with anybody: other descriptors, a privileged user
 * and its capabilities, the network, new privileges, and every call of the kernel it does not
 * need. Linux only. The only room that knows seccomp.h. */
#ifndef PALIQUE_DIRECTORY_SANDBOX_H
#define PALIQUE_DIRECTORY_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

struct sandbox {
	const char *user; /* to become, where we are root; NULL: stay */
	int *keep;        /* descriptors that stay open besides 0, 1, 2 */
	unsigned keep_count;
	bool may_accept; /* connections, on one of them */
};

/* For good. Afterwards no file is opened, no socket made, nothing executed: who tries is ended
 * by the kernel. Where a network of its own or the filter is not to be had (a kernel without
 * it) that is told in the log and is no failure; ERR_NOT_FOUND: no such user; ERR_IO. */
int sandbox_enter(const struct sandbox *s, char *reason, size_t reason_size);

/* The end of a process that has entered: at once, with what stdio still holds written. What
 * libraries do at exit, as the leak check of a sanitizer, needs calls that are gone. */
_Noreturn void sandbox_exit(int status);

#endif
