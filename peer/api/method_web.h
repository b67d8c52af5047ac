/* Methods about the face in a browser. The rows are in methods.c. */
#ifndef PALIQUE_PEER_API_METHOD_WEB_H
#define PALIQUE_PEER_API_METHOD_WEB_H

#include "peer/api/call.h"

int method_open_web(struct call *call);
int method_close_web(struct call *call);

#endif
