/* An account made by the operator: both sides of an OPAQUE registration in one place. It has
 * no identity and no vault until somebody logs in with the password. */
#ifndef PALIQUE_DIRECTORY_ENLIST_H
#define PALIQUE_DIRECTORY_ENLIST_H

#include "directory/holder.h"
#include "directory/registry.h"

/* Blocks while the password is stretched (about a second) and the key-holder answers.
 * ERR_EXISTS; ERR_OFFLINE: the key-holder is away; ERR_AUTH: the accounts were made with another
 * key-holder's secrets. */
int enlist(struct registry *registry, struct holder *holder, const struct name *name,
	   struct bytes password, wall_ms now);

#endif
