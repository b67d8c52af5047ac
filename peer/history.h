/* Reading what was said: newest first for people, in order of events for faces that resume. */
#ifndef PALIQUE_PEER_HISTORY_H
#define PALIQUE_PEER_HISTORY_H

#include "peer/person.h"
#include "peer/rooms.h"

/* Up to `limit` messages of the person with id below `before` (0: from the newest). */
int history_newest(struct rooms *r, const struct person *p, uint64_t before, unsigned limit,
		   engine_each_message *each, void *user);
int history_one(struct rooms *r, uint64_t id, engine_each_message *each, void *user);
/* Every event above `since`, messages among them, in order. */
int history_since(struct rooms *r, uint64_t since, engine_each_event *each, void *user);

#endif
