/* Shell: the UDP sockets, the timer and the loop around one endpoint. Batched receive
 * and send (recvmmsg, sendmmsg), segmentation offload where the kernel has it. A path's socket
 * from PATH_EXTRA on is opened when something first leaves from it (v4, a port of its own), and
 * closed when the endpoint releases it. A datagram to a multicast group leaves by the interface
 * whose index is path.remote.scope (0: the system chooses), for one hop, this machine included. */
#ifndef PALIQUE_SHARED_UDP_H
#define PALIQUE_SHARED_UDP_H

#include <uv.h>

#include "shared/endpoint.h"

struct udp;

enum { UDP_GROUPS_MAX = 4, UDP_LINKS_MAX = 32 };

/* `step(user)` is called after datagrams came in or the deadline passed, with the
 * endpoint's core already fed: the owner takes events, does what is due and returns the
 * moment it next wants to be called (its own deadline; the endpoint's is added here). */
typedef mono_ns udp_step(void *user, mono_ns now);

int udp_new(struct udp **udp, uv_loop_t *loop, struct endpoint *e, udp_step *step, void *user);

/* One more socket; path.socket counts them in this order. A v6 wildcard also takes v4 (dual
 * stack); where the kernel has no v6 a wildcard falls back to v4. Port 0: the system chooses.
 * `bound` gets what was bound. Errors as of udp_socket_open(); ERR_LIMIT: there are enough. */
int udp_listen(struct udp *udp, const struct address *at, struct address *bound);

/* Hears the multicast groups (addresses with ports; several programs may) on the interfaces of
 * these indices. Said again, other interfaces count and the same are joined anew: call it when
 * the network has changed. What is heard comes as if to the first socket, without a local
 * address. Errors of udp_socket_open() when a group cannot be heard at all; the others are. */
int udp_join(struct udp *udp, const struct address *groups, unsigned group_count,
	     const uint32_t *links, unsigned link_count);

/* Something happened elsewhere: call step, send, rearm, soon (coalesced in this loop turn). */
void udp_wake(struct udp *udp);
/* Sends what is due at once and closes the handles; freed when libuv has closed them. */
void udp_close(struct udp *udp);

#endif
