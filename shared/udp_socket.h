/* One bound UDP socket, with what QUIC wants of the kernel; and why there is none. */
#ifndef PALIQUE_SHARED_UDP_SOCKET_H
#define PALIQUE_SHARED_UDP_SOCKET_H

#include "shared/address.h"

struct udp_socket {
	int fd;              /* not blocking; the caller's to close */
	bool is_v6, is_dual; /* dual: v4 too */
	struct address bound;
};

/* A v6 wildcard also takes v4; where the kernel has no v6 it falls back to v4. ERR_EXISTS: the
 * port is in use; ERR_NOT_FOUND: not an address of this machine; ERR_REFUSED: not allowed, as
 * for ports below 1024; ERR_IO: errno says. */
int udp_socket_open(struct udp_socket *s, const struct address *at);
/* For hearing a multicast group (its address and port) beside other programs that do. */
int udp_socket_open_group(struct udp_socket *s, const struct address *group);
/* On the interface of this index; ERR_IO: not there, or not able to, or joined already. */
int udp_socket_join(int fd, const struct address *group, uint32_t link);
void udp_socket_leave(int fd, const struct address *group, uint32_t link);
/* Whether it could: 0, or the error that it would give. */
int udp_socket_try(const struct address *at);
/* Why it could not, in words for people. */
const char *udp_socket_trouble(int err);

#endif
