/* What this machine is connected to, as the shell sees it (peer/netwatch.h): a value. */
#ifndef PALIQUE_PEER_NETWORK_H
#define PALIQUE_PEER_NETWORK_H

#include "shared/address.h"

enum { NETWORK_ADDRESSES_MAX = 64, NETWORK_LINKS_MAX = 16 };

struct network {
	uint16_t port; /* of our socket */
	/* Of interfaces that are up, the loopback's too; port and, for link-local ones, scope
	 * set. */
	unsigned address_count;
	struct address addresses[NETWORK_ADDRESSES_MAX];
	/* Interfaces that carry multicast, the loopback not: their indices. */
	unsigned link_count;
	uint32_t links[NETWORK_LINKS_MAX];
	/* The next hop of the default route and our address toward it; family 0: none. Port 0. */
	struct address gateway4, toward4, gateway6, toward6;
	bool is_metered; /* each byte may cost: no spraying, no needless words */
	uint32_t wakes; /* how often the machine was seen to have slept: another number, and all
	                    that was timed or mapped before is in doubt */
};

bool network_equal(const struct network *a, const struct network *b);
/* Whether the address is one of ours (ports not compared). */
bool network_has(const struct network *n, const struct address *a);

#endif
