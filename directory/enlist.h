/* An account made by the operator: both sides of an OPAQUE registration in one place. It has
 * no identity until somebody logs in with the password. */
#ifndef PALIQUE_DIRECTORY_ENLIST_H
#define PALIQUE_DIRECTORY_ENLIST_H

#include "directory/keystore.h"
#include "directory/registry.h"

/* Blocks while the password is stretched (about a second). ERR_EXISTS. */
int enlist(struct registry *registry, const struct keystore *keys, const struct name *name,
	   struct bytes password, wall_ms now);

#endif
