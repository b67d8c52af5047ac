/* Methods about programs that speak for the account, and by them. The rows are in methods.c. */
#ifndef PALIQUE_PEER_API_METHOD_BOTS_H
#define PALIQUE_PEER_API_METHOD_BOTS_H

#include "peer/api/call.h"

int method_create_bot(struct call *call);
int method_change_bot(struct call *call);
int method_bots(struct call *call);
int method_remove_bot(struct call *call);
int method_authenticate(struct call *call);
int method_ack_events(struct call *call);
int method_set_commands(struct call *call);
int method_proposals(struct call *call);
int method_approve(struct call *call);
int method_reject(struct call *call);

/* A parameter that is a list of lines, as one text of them (shared/menu.h). ERR_FORMAT: one has an end of line in it. */
int bots_lines(const struct call *call, const char *key, struct buf *lines);

#endif
