/* Methods about keeping an account: a copy of it in one sealed file, and what was said for other
 * programs. The rows are in methods.c. */
#ifndef PALIQUE_PEER_API_METHOD_KEEP_H
#define PALIQUE_PEER_API_METHOD_KEEP_H

#include "peer/api/call.h"

int method_export(struct call *call);
int method_finish_export(struct call *call, const struct event *answer);
int method_export_status(struct call *call);
int method_export_history(struct call *call);
int method_finish_export_history(struct call *call, const struct event *answer);
int method_export_history_status(struct call *call);

#endif
