/* Events and what we know of others as the JSON that faces see. */
#ifndef PALIQUE_PEER_API_NOTIFY_H
#define PALIQUE_PEER_API_NOTIFY_H

#include "peer/engine.h"
#include "shared/json.h"

/* The event as a notification's method and params; NULL: not for faces. */
const char *notify_event(struct engine *e, const struct event *event, struct json *params);
/* Both wishes when messages disappear, and what holds. */
struct json *notify_timer(const struct contact *c);
struct json *notify_contact(struct engine *e, const struct contact *contact);
/* Only who and by what path, for the status. */
struct json *notify_path(const struct contact *contact);
struct json *notify_devices(const struct engine *e); /* ours, in the order of the list */
const char *notify_account_state(enum account_state state);

#endif
