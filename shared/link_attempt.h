/* An attempt whose ways are offered one by one (link_offer() in shared/endpoint.h): when its
 * handshake is said again, without waiting for the library's timer. */
#ifndef PALIQUE_SHARED_LINK_ATTEMPT_H
#define PALIQUE_SHARED_LINK_ATTEMPT_H

#include "shared/clock.h"
#include "shared/path.h"

struct link;

/* Another address of a list; where ways are offered it is one that they knocked at. */
void link_add_path(struct link *l, const struct path *path);

void link_attempt_tick(struct link *l, mono_ns now);
mono_ns link_attempt_at(const struct link *l);

#endif
