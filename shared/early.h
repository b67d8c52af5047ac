/* What is to be said to a device in our answer to its handshake. */
#ifndef PALIQUE_SHARED_EARLY_H
#define PALIQUE_SHARED_EARLY_H

#include "shared/bytes.h"
#include "shared/keys.h"

/* Zeroed: nothing to anybody. */
struct early {
	struct early_words *first;
};

void early_clear(struct early *e);
/* Copied, in place of what was there; empty: nothing. */
void early_set(struct early *e, const struct device_public *device, struct bytes words);
/* A view until the next call; empty: nothing. */
struct bytes early_of(const struct early *e, const struct device_public *device);

#endif
