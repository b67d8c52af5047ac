/* The process that talks UPnP IGD with the router (UPnP Device Architecture 1.1;
 * WANIPConnection:1 and 2): finds it, maps or removes one port, says how that went in a line
 * (peer/upnp_line.h), and ends. It has a share of memory and of time of its own, opens nothing
 * but sockets, and goes nowhere but to the router or its network: neither a forged announcement
 * nor a description that points elsewhere makes it knock at other doors. */
#ifndef PALIQUE_PEER_UPNP_H
#define PALIQUE_PEER_UPNP_H

#include <stdbool.h>

/* Whether these are the arguments by which upnp_child.h begins it. */
bool upnp_is_called(int argc, char *const *argv);
/* What main() returns then. */
int upnp_main(int argc, char *const *argv);

#endif
