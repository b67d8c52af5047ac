/* Shell: where other devices reach this engine: its UDP port. By which addresses of this machine is
 * netwatch's to say. */
#ifndef PALIQUE_PEER_LISTENING_H
#define PALIQUE_PEER_LISTENING_H

#include "peer/config.h"
#include "peer/home.h"
#include "shared/udp.h"

/* Listens as peer.conf says; without a port there, on the one of the last time if it is free, else
 * on any, which is remembered in the home. `bound`: what it came to. Errors of udp_listen();
 * `reason` gets a sentence. */
int listening_begin(struct udp *udp, const struct home *home, const struct peer_config *config,
		    struct address *bound, char *reason, size_t reason_size);

#endif
