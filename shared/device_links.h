/* Which links lead to each device, and which of two stays: each side must choose the
 * same one without asking. */
#ifndef PALIQUE_SHARED_DEVICE_LINKS_H
#define PALIQUE_SHARED_DEVICE_LINKS_H

#include "shared/cid_map.h"
#include "shared/clock.h"
#include "shared/keys.h"

struct link;

struct device_links {
	struct cid_map *first; /* of each device's links; they are chained by l->same_next */
	struct device_public ours;
};

void device_links_init(struct device_links *d, const struct device_public *ours);
void device_links_clear(struct device_links *d);

/* The first link to `device`, or NULL; l->same_next leads on. */
struct link *device_links_of(const struct device_links *d, const struct device_public *device);
void device_links_add(struct device_links *d, struct link *l);
void device_links_remove(struct device_links *d, struct link *l); /* harmless if not there */

/* Two dial each other: the smaller device key stays initiator. Our own attempt that
 * goes before an inbound one from `device`, or NULL. Also for a moment after it came up:
 * until it is confirmed, the other side may not know of it. */
struct link *device_links_tie_holder(const struct device_links *d,
				     const struct device_public *device, mono_ns now);

/* A link that is up and goes before `l`, which has just come up, or NULL. Of two whose
 * handshakes overlapped it is the one that the smaller key began; otherwise the newer
 * wins, because the other side has started anew. */
struct link *device_links_better(const struct device_links *d, const struct link *l);

#endif
