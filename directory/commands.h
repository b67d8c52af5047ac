/* What the operator types: `palique-directory COMMAND ...`, one row for each command.
 * Data goes to stdout, talk to stderr. */
#ifndef PALIQUE_DIRECTORY_COMMANDS_H
#define PALIQUE_DIRECTORY_COMMANDS_H

/* The whole program; returns its exit code. */
int commands_run(int argc, char **argv);

#endif
