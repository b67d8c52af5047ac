/* What the operator types: `palique-directory COMMAND ...`, one row for each command.
 * Data goes to stdout, talk to stderr. */
#ifndef PALIQUE_DIRECTORY_COMMANDS_H
#define PALIQUE_DIRECTORY_COMMANDS_H

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_RUNNING = 3, /* or locked by another process */
	EXIT_NOT_FOUND = 4,
	EXIT_REFUSED = 5,
};

/* The whole program; returns its exit code. */
int commands_run(int argc, char **argv);

#endif
