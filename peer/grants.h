/* History for a newer device of our own account: an older one lets it have what was said since a
 * time, and the newer one fetches that over the link of the two, newest first, as entries of chains. What
 * disappears after a while is not given on. */
#ifndef PALIQUE_PEER_GRANTS_H
#define PALIQUE_PEER_GRANTS_H

#include "peer/rooms.h"
#include "shared/wire.h"

struct grants;
struct way;

struct grants *grants_new(struct rooms *rooms);
void grants_free(struct grants *g); /* NULL is harmless */
/* Follows the store again, after a rollback. */
void grants_reload(struct grants *g);

/* The device, another one of ours, may have what arrived here since then; or not any more. In the
 * transaction of the step. */
void grants_give(struct grants *g, const struct device_public *device, wall_ms since,
		 bool is_given);

/* GRANT, HISTORY_GET or HISTORY. Below 0: it breaks the protocol. */
int grants_hear(struct grants *g, struct way *from, const struct wire_message *m);

/* Tells devices what they may have and answers them, as far as their lines have room. When it wants to be
 * called again. */
mono_ns grants_step(struct grants *g);

#endif
