/* What goes away with a bench, however the bench ends: a folder, and processes beside it. */
#ifndef PALIQUE_TESTS_PASSING_H
#define PALIQUE_TESTS_PASSING_H

#include <sys/types.h>

/* One folder, made in `where`; NULL: in $TMPDIR where that is short enough for the path of a socket in
 * it, else in /tmp. It is removed with all that is in it at exit, after what atexit() was told later
 * than this; and a signal to end is an exit from now on. Its path, valid until then. */
const char *passing_folder(const char *where);
/* As fork(); the child is killed when its parent ends. */
pid_t passing_fork(void);

#endif
