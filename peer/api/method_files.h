/* Methods about files: sent, fetched, looked at. The rows are in methods.c. */
#ifndef PALIQUE_PEER_API_METHOD_FILES_H
#define PALIQUE_PEER_API_METHOD_FILES_H

#include "peer/api/call.h"

int method_new_spool(struct call *call);
int method_send_file(struct call *call);
void method_fail_send_file(struct call *call, const struct event *answer);
int method_accept_file(struct call *call);
int method_pause_file(struct call *call);
int method_cancel_file(struct call *call);
int method_transfers(struct call *call);
int method_thumbnail(struct call *call);

#endif
