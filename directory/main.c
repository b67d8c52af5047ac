/* palique-directory: what must be set before anything else happens, then the command line. */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "directory/commands.h"
#include "directory/desk.h"
#include "shared/text.h"

int main(int argc, char **argv)
{
	/* keys must not reach a core file or a debugger of the same user */
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	signal(SIGPIPE, SIG_IGN);
	text_init();
	if (sodium_init() < 0) {
		fprintf(stderr, "palique-directory: libsodium cannot start\n");
		return EXIT_FAILED;
	}
	return commands_run(argc, argv);
}
