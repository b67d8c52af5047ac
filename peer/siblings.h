/* The other devices of our own account: known from our device list, let in as a contact's are,
 * reached whenever they are online, and given all that is said here and heard of what we
 * said. What they say in our name is stored as ours. */
#ifndef PALIQUE_PEER_SIBLINGS_H
#define PALIQUE_PEER_SIBLINGS_H

#include "peer/rooms.h"
#include "shared/wire.h"

struct siblings;
struct siblings *siblings_new(struct rooms *rooms);
void siblings_free(struct siblings *s);

/* What the directory tells under our own name. */
void siblings_presence(struct rooms *r, const struct wire_presence *presence);
void siblings_introduced(struct rooms *r, const struct wire_introduction *introduction);

/* In a step, before and after what devices said was read: we are who the account says, with the devices it
 * has; lists heard over links, of contacts too, are handed on. EVENT_DEVICES when others of ours
 * come or go. */
void siblings_step(struct rooms *r);

/* Whether another device of ours is online, as last heard. */
bool siblings_is_online(const struct rooms *r, const struct device_public *device);

#endif
