/* The inside of commands.c, for the files that make it up: what each row of its table runs, by
 * theme. Each returns the program's exit code (directory/desk.h). */
#ifndef PALIQUE_DIRECTORY_COMMANDS_INSIDE_H
#define PALIQUE_DIRECTORY_COMMANDS_INSIDE_H

#include "directory/options.h"

typedef int command_run(const struct options *o);

/* commands_serve.c: a directory is made, runs, is looked at */
command_run command_init, command_serve, command_status, command_check_config;
/* commands_users.c: links, invitations, accounts */
command_run command_link, command_invite, command_user;
/* commands_keyholder.c: the key-holder, its secrets and their shares */
command_run command_keyholder;
/* commands_copies.c: a directory is copied and brought back */
command_run command_backup, command_restore;

#endif
