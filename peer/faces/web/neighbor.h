/* Whose the other end of a connection over loopback is. A port of 127.0.0.1 is open to every user of the
 * machine; the kernel knows of each end which user has opened it. So nobody else's first byte is read. */
#ifndef PALIQUE_PEER_FACES_WEB_NEIGHBOR_H
#define PALIQUE_PEER_FACES_WEB_NEIGHBOR_H

#include <stdbool.h>

/* Whether the other end of the accepted socket `fd` (IPv4) belongs to a process of this user. False also where
 * the kernel does not say: the end is closed already, say. */
bool neighbor_is_ours(int fd);

#endif
