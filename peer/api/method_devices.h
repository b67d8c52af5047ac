/* Methods about what an account has besides its password: its devices and the recovery code. The rows are
 * in methods.c. */
#ifndef PALIQUE_PEER_API_METHOD_DEVICES_H
#define PALIQUE_PEER_API_METHOD_DEVICES_H

#include "peer/api/call.h"

int method_devices(struct call *call);
int method_name_device(struct call *call);
int method_revoke_device(struct call *call);
int method_finish_devices(struct call *call, const struct event *answer);
int method_recovery(struct call *call);
int method_finish_recovery(struct call *call, const struct event *answer);
int method_no_recovery(struct call *call);

#endif
