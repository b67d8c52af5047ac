/* Forwarding addresses: with the directory gone, whom we know is found through a third whom both
 * know. We leave our record with each contact that we have a link to (our own other devices,
 * too), sealed for those of our other contacts who may have our address; the third keeps it, in
 * the store, and says it to who asks with the right token, at once and when it changes. It cannot
 * read it. For whom it is it learns only when that one asks; how many they are is covered by
 * others that nobody can open. It adds where it sees the device itself, which behind a NAT does
 * not know that. Who is asked for and asks as well is told of the asker at the same moment, so
 * that both look for paths at once.
 *
 * Asked is when the directory is not there for FORWARDING_ALONE and somebody is not found: a
 * contact with CONSENT_DIRECT, or an own device, without a link. */
#ifndef PALIQUE_PEER_FORWARDING_H
#define PALIQUE_PEER_FORWARDING_H

#include "peer/rooms.h"
#include "shared/wire.h"

struct way;
struct forwarding;

enum { FORWARDING_KEPT_MAX = 1000 };   /* devices whose address we keep; the oldest gives way */
#define FORWARDING_EVERY (30 * SECOND) /* left anew at most so often on a link */

struct forwarding *forwarding_new(struct rooms *rooms);
void forwarding_free(struct forwarding *f);
void forwarding_reload(struct forwarding *f); /* after a rollback */
/* RECORD, FORWARDING, WHERE, THERE of a device. Below 0: it broke the protocol. */
int forwarding_hear(struct forwarding *f, struct way *from, const struct wire_message *m);
mono_ns forwarding_step(struct forwarding *f);

#endif
