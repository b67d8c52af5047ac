/* Two contacts that want to talk are given each other's devices at the same moment, so that
 * both can dial at once. Who is not a contact, not online or not there is answered with
 * nothing, and so cannot be told apart. */
#ifndef PALIQUE_DIRECTORY_INTRODUCE_H
#define PALIQUE_DIRECTORY_INTRODUCE_H

#include "directory/names.h"
#include "directory/presence.h"
#include "directory/watchers.h"

/* One INTRODUCTION for one device: `message` is for the session that `to` belongs to. */
typedef void introduce_tell(void *user, struct record *to, const struct wire_message *message);

/* `asker` wants to talk to `name`. Returns whether anybody was introduced. */
bool introduce(const struct names *names, const struct presence *presence,
	       const struct watchers *watchers, name_id account, struct record *asker,
	       const struct name *name, introduce_tell *tell, void *user);

#endif
