/* Methods about what was said before: pages of it, what a search finds, who else may have it. */
#ifndef PALIQUE_PEER_API_METHOD_HISTORY_H
#define PALIQUE_PEER_API_METHOD_HISTORY_H

#include "peer/api/call.h"

int method_messages(struct call *call);
int method_message(struct call *call);
int method_search(struct call *call);
int method_grant_history(struct call *call);

#endif
