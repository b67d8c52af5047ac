/* Our own program begun anew, for what reads strangers' bytes by parsers that are not ours: how it is
 * begun and ended from a thread of the worker, and what it gives up before it reads. */
#ifndef PALIQUE_PEER_CHILD_H
#define PALIQUE_PEER_CHILD_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { CHILD_LOOK_MS = 100 }; /* how often who waits for it looks whether we are leaving */

/* Begins it with these words (NULL at the end), in a process group of its own. It reads `in` (-1:
 * nothing), says its word to `out`, has nowhere to complain. Both stay the caller's. ERR_IO. */
int child_begin(pid_t *pid, char *const *argv, int in, int out);
/* Kills it if it has not ended, and waits for it. True: the kernel has ended it for using too
 * much of the processor. */
bool child_end(pid_t pid);

/* In it: so much of a resource, and `beyond` until it is killed. Ends the process where that
 * cannot be had. */
void child_limit(int resource, rlim_t most, rlim_t beyond);
/* The same of memory, in bytes besides what is mapped already: a sanitizer's shadow is no memory. */
void child_limit_memory(rlim_t bytes);

#endif
