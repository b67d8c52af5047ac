/* Methods about this process: the directory in it, and its end. The rows are in methods.c. */
#ifndef PALIQUE_PEER_API_METHOD_HOST_H
#define PALIQUE_PEER_API_METHOD_HOST_H

#include "peer/api/call.h"

int method_host(struct call *call);
int method_host_status(struct call *call);
int method_invite(struct call *call);
int method_stop(struct call *call);

#endif
