/* Methods about how I am reached, and who is reached through me. The rows are in methods.c. */
#ifndef PALIQUE_PEER_API_METHOD_REACH_H
#define PALIQUE_PEER_API_METHOD_REACH_H

#include "peer/api/call.h"

int method_set_consent(struct call *call);
int method_set_relay(struct call *call);

#endif
