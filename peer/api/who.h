/* Who I am, as faces see it and others would write it. */
#ifndef PALIQUE_PEER_API_WHO_H
#define PALIQUE_PEER_API_WHO_H

#include "peer/api/call.h"

/* The account with a place that others can use: a directory in this process may have been joined
 * over loopback or an address of yesterday, which say nothing to them. */
void who_account(const struct call *call, struct engine_account *account);
struct json *who_view(const struct engine_account *account);
/* The link by which others add this account; "": none. */
void who_link(const struct engine_account *account, char out[URI_MAX + 1]);
/* ERR_STATE, with what to do, where this home has no account. */
int who_needs_account(struct call *call);
/* That, and ERR_REFUSED where the directory does not let this device in: nothing that needs it
 * can be done before it is logged in again. */
int who_needs_directory(struct call *call);
bool who_same_place(const struct directory_place *a, const struct directory_place *b);

#endif
