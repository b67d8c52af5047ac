/* Shell: what this machine is connected to, told again when that changes: interfaces, addresses and
 * routes by the kernel's own word (peer/netlink.h), sleep by its clocks. */
#ifndef PALIQUE_PEER_NETWATCH_H
#define PALIQUE_PEER_NETWATCH_H

#include <uv.h>

#include "peer/config.h"
#include "peer/network.h"

struct netwatch;

/* A change is seldom alone: it is told when so long has passed since the first. */
enum { NETWATCH_GATHER_MS = 50 };

/* On the loop; never from inside of another call. */
typedef void netwatch_changed(void *user, const struct network *network);

/* `bound`: what our socket is bound to. */
struct netwatch *netwatch_new(uv_loop_t *loop, const struct address *bound,
			      enum config_metered metered, netwatch_changed *changed,
			      void *user);
/* As it is now; until the next call. */
const struct network *netwatch_network(const struct netwatch *w);
/* The file was read again. */
void netwatch_set_metered(struct netwatch *w, enum config_metered metered);
/* NULL is harmless; freed when libuv is done. */
void netwatch_close(struct netwatch *w);

#endif
