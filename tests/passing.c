#include "tests/passing.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static char folder[512];
static const int ends[] = { SIGHUP, SIGINT, SIGTERM };

static void remove_folder(void)
{
	char command[sizeof folder + 16];

	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	if (system(command) != 0)
		fprintf(stderr, "%s stays behind\n", folder);
}

/* What is left behind may be gigabytes: that is worth more than the rules of signal handlers. Once:
 * a terminal says it to the whole group, and who waits for this process says it again. */
static void on_end(int number)
{
	for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++)
		signal(ends[i], SIG_IGN);
	exit(128 + number);
}

const char *passing_folder(const char *where)
{
	struct sigaction end = { .sa_handler = on_end };
	const char *usual = getenv("TMPDIR");

	if (!where)
		where = usual && strlen(usual) < 40 ? usual : "/tmp";
	if ((size_t)snprintf(folder, sizeof folder, "%s/palique-bench-XXXXXX", where) >=
		    sizeof folder ||
	    !mkdtemp(folder)) {
		fprintf(stderr, "no folder in %s: %s\n", where, strerror(errno));
		exit(1);
	}
	atexit(remove_folder);
	for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
		sigaddset(&end.sa_mask, ends[i]);
		sigaction(ends[i], &end, NULL);
	}
	return folder;
}

pid_t passing_fork(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++)
		signal(ends[i],
		       SIG_DFL); /* what it inherited removes the folder of its parent */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	return 0;
}
