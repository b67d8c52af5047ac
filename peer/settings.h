/* What is set on this machine: a name and a value each, in the store. */
#ifndef PALIQUE_PEER_SETTINGS_H
#define PALIQUE_PEER_SETTINGS_H

#include "peer/store.h"
#include "peer/view.h"

int64_t settings_number(struct store *store, const char *name, int64_t otherwise);
/* In the transaction of the step. */
void settings_set_number(struct store *store, const char *name, int64_t value);

/* The one that is asked for often. */
enum notifications settings_notifications(struct store *store);
/* All of them at once. */
void settings_read(struct store *store, struct engine_settings *out);
void settings_write(struct store *store, const struct engine_settings *settings);

#endif
