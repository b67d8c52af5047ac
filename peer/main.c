/* palique: one program. Joins the faces to the engine's shell, which they do not know. */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>

#include "peer/daemon.h"
#include "peer/faces/cli/cli.h"
#include "peer/home.h"
#include "shared/error.h"
#include "shared/text.h"

static int find_home(const char *option, char *folder, size_t folder_size, char *socket,
		     size_t socket_size, char *reason, size_t reason_size)
{
	struct home home;
	int err = home_find(&home, option, reason, reason_size);

	if (err < 0)
		return err;
	if (snprintf(folder, folder_size, "%s", home.folder) >= (int)folder_size ||
	    snprintf(socket, socket_size, "%s", home.socket) >= (int)socket_size)
		return ERR_LIMIT;
	return 0;
}

static int run_daemon(const char *home, int ready_fd, bool is_verbose, bool is_quiet)
{
	struct daemon_options options = {
		.home = home,
		.ready_fd = ready_fd,
		.is_verbose = is_verbose,
		.is_quiet = is_quiet,
	};

	return daemon_run(&options);
}

int main(int argc, char **argv)
{
	static const struct cli_programs programs = { find_home, run_daemon };

	text_init();
	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0) {
		fprintf(stderr, "palique: %s\n", _("the cryptographic library cannot start"));
		return EXIT_FAILED;
	}
	return cli_run(argc, argv, &programs);
}
