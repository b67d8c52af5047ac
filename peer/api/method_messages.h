/* Methods that change what was said, or say more about it. The rows are in methods.c. */
#ifndef PALIQUE_PEER_API_METHOD_MESSAGES_H
#define PALIQUE_PEER_API_METHOD_MESSAGES_H

#include "peer/api/call.h"

int method_forward(struct call *call);
int method_edit(struct call *call);
int method_delete_message(struct call *call);
int method_react(struct call *call);
int method_typing(struct call *call);
int method_set_timer(struct call *call);
int method_forget_conversation(struct call *call);
/* The message as it is now: of edit and react. */
int method_finish_message(struct call *call, const struct event *answer);
/* The contact as it is now: of setTimer. */
int method_finish_contact(struct call *call, const struct event *answer);

#endif
