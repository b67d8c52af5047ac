/* Methods about what people show of themselves, and to whom. The rows are in methods.c. */
#ifndef PALIQUE_PEER_API_METHOD_PROFILE_H
#define PALIQUE_PEER_API_METHOD_PROFILE_H

#include "peer/api/call.h"

int method_profile(struct call *call);
int method_set_profile(struct call *call);
int method_finish_profile(struct call *call, const struct event *answer);
int method_picture(struct call *call);
int method_hide_from(struct call *call);

#endif
