/* Methods about what is set: who may ask, files, read marks, how long messages are kept. */
#ifndef PALIQUE_PEER_API_METHOD_SETTINGS_H
#define PALIQUE_PEER_API_METHOD_SETTINGS_H

#include "peer/api/call.h"

int method_settings(struct call *call);
int method_set_settings(struct call *call);
int method_set_requests(struct call *call);
int method_set_read_marks(struct call *call);
int method_set_keep(struct call *call);

#endif
