/* Between which two addresses a datagram travels, or through which tunnel. */
#ifndef PALIQUE_SHARED_PATH_H
#define PALIQUE_SHARED_PATH_H

#include "shared/address.h"

enum {
	/* Sockets from here on: opened by the shell when first sent from (IPv4, a port of its own
	 * each), closed when released. */
	PATH_EXTRA = 256,
	PATH_EXTRA_MAX = 576, /* of them at a time */
};

struct path {
	uint16_t socket; /* which of the shell's sockets, from 0 */
	uint32_t tunnel; /* not 0: through this tunnel of the endpoint, and no address counts */
	struct address local; /* the address it came to; family 0: the system chooses */
	struct address remote;
};

bool path_equal(const struct path *a, const struct path *b);
/* The same place of the other side, from wherever of ours. */
bool path_same_remote(const struct path *a, const struct path *b);
/* ... from the same socket of ours: what a NAT tells from others. */
bool path_same_flow(const struct path *a, const struct path *b);

#endif
