/* Methods about whom I know: contacts, requests, keys. The rows are in methods.c. */
#ifndef PALIQUE_PEER_API_METHOD_CONTACTS_H
#define PALIQUE_PEER_API_METHOD_CONTACTS_H

#include "peer/api/call.h"

int method_add(struct call *call);
int method_accept(struct call *call);
int method_block(struct call *call);
int method_remove(struct call *call);
int method_contact(struct call *call);
int method_contacts(struct call *call);
int method_safety(struct call *call);
int method_verify(struct call *call);
int method_unverify(struct call *call);

#endif
