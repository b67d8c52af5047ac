/* Methods about becoming somebody and staying it: status, join, login, passwords. The rows are
 * in methods.c. */
#ifndef PALIQUE_PEER_API_METHOD_ACCOUNT_H
#define PALIQUE_PEER_API_METHOD_ACCOUNT_H

#include "peer/api/call.h"

int method_status(struct call *call);
int method_link(struct call *call);
int method_join(struct call *call);
int method_login(struct call *call);
int method_recover(struct call *call);
int method_reset(struct call *call);
int method_passwd(struct call *call);
int method_delete(struct call *call);
int method_renew(struct call *call);
/* The account as it is now; of what ended it, and of what leaves nobody logged in, the name. */
int method_finish_account(struct call *call, const struct event *answer);
int method_finish_name(struct call *call, const struct event *answer);

#endif
