/* What all links of an endpoint share: its settings, the connection ids in use, the events to
 * be taken, and who has something to send. Below all other rooms of a link. */
#ifndef PALIQUE_SHARED_LINK_HOME_H
#define PALIQUE_SHARED_LINK_HOME_H

#include "shared/cid_map.h"
#include "shared/door.h"
#include "shared/endpoint.h"
#include "shared/link_datagram.h"
#include "shared/link_event.h"
#include "shared/quic_compat.h"

struct link_home {
	const struct endpoint_config *config;
	struct cid_map *cids;
	struct event_queue events;
	struct carried_queue carried;        /* came over the link that received last */
	struct link *sending, *sending_last; /* have something to send, perhaps */
	struct door *door;
	mono_ns now;
	/* An inbound first message is authentic: may it go on? Called inside the
	 * library, so it changes nothing of the link's. Negative: silence. */
	int (*judge)(void *owner, struct link *l);
	void *owner;
};

/* The connection id map, for both ends of a link's life. */
void link_map_cid(struct link *l, const uint8_t *cid, size_t size);
void link_unmap_cid(struct link *l, const uint8_t *cid, size_t size);
/* A random id that is not in use. */
void link_cid_new(const struct link_home *home, ngtcp2_cid *cid, size_t size);

/* There may be something to send; there is nothing. */
void link_wake(struct link *l);
void link_sleep(struct link *l);

#endif
