/* Between which two addresses a datagram travels. */
#ifndef PALIQUE_SHARED_PATH_H
#define PALIQUE_SHARED_PATH_H

#include "shared/address.h"

struct path {
	uint8_t socket;       /* which of the shell's sockets, from 0 */
	struct address local; /* the address it came to; family 0: the system chooses */
	struct address remote;
};

bool path_equal(const struct path *a, const struct path *b);

#endif
