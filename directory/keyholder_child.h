/* The key-holder as a child of `serve`, where no other is configured: this very program begun
 * anew with one end of a pair of sockets, again each time it is dialled. */
#ifndef PALIQUE_DIRECTORY_KEYHOLDER_CHILD_H
#define PALIQUE_DIRECTORY_KEYHOLDER_CHILD_H

#include "directory/holder_socket.h"

/* `folder` of the secrets; `user` to become where we are root, or NULL. Both are copied.
 * What runs: /proc/self/exe keyholder serve --secrets FOLDER --line 3, with --json where its
 * log is to be so. */
struct holder_dialer keyholder_child(const char *folder, const char *user, bool is_json);

#endif
