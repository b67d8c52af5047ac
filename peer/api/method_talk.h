/* Methods about saying something and being told what happens. The rows are in methods.c. */
#ifndef PALIQUE_PEER_API_METHOD_TALK_H
#define PALIQUE_PEER_API_METHOD_TALK_H

#include "peer/api/call.h"

int method_send(struct call *call);
int method_finish_send(struct call *call, const struct event *answer);
int method_mark_read(struct call *call);
int method_looking(struct call *call);
int method_subscribe(struct call *call);
int method_unsubscribe(struct call *call);

#endif
