/* Methods about keeping an account: a copy of it in one sealed file. The rows are in methods.c. */
#ifndef PALIQUE_PEER_API_METHOD_KEEP_H
#define PALIQUE_PEER_API_METHOD_KEEP_H

#include "peer/api/call.h"

int method_export(struct call *call);
int method_finish_export(struct call *call, const struct event *answer);
int method_export_status(struct call *call);

#endif
