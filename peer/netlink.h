/* Asking the Linux kernel what this machine is connected to (rtnetlink): interfaces, addresses,
 * default routes. Calls of the kernel only, nothing waits for a network. */
#ifndef PALIQUE_PEER_NETLINK_H
#define PALIQUE_PEER_NETLINK_H

#include "peer/network.h"

/* A descriptor that becomes readable whenever something of that changes; not blocking, the caller's
 * to close. ERR_IO: this kernel tells nothing. */
int netlink_watch(void);
/* Reads away what has been told; what it was is looked up anew. */
void netlink_drain(int fd);

/* Fills all but `wakes`, as far as a socket bound to `bound` can be reached: everything for a
 * wildcard, else that address alone. `is_metered`: the default route of the lowest metric leaves by
 * a modem, as its interface's name or type tells. ERR_IO: the kernel does not answer. */
int netlink_look(struct network *n, const struct address *bound);

#endif
