/* Reading what was said: by place for people, in order of events for faces that resume. What stands
 * in no timeline (edits, reactions, wishes, what was forgotten here) is passed over. */
#ifndef PALIQUE_PEER_HISTORY_H
#define PALIQUE_PEER_HISTORY_H

#include "peer/person.h"
#include "peer/rooms.h"

/* Up to `limit` messages of the person that stand before the one with id `before` (0: from the newest),
 * newest first. ERR_NOT_FOUND: `before` is none of theirs. Each call costs what it shows, however
 * long the conversation is. */
int history_newest(struct rooms *r, const struct person *p, uint64_t before, unsigned limit,
		   engine_each_message *each, void *user);
/* The same forward, oldest first, behind the one with id `after` (0: from the oldest). */
int history_after(struct rooms *r, const struct person *p, uint64_t after, unsigned limit,
		  engine_each_message *each, void *user);
/* ERR_NOT_FOUND: none, or in no timeline. */
int history_one(struct rooms *r, uint64_t id, engine_each_message *each, void *user);
/* Where a message stands; ERR_NOT_FOUND. `p` NULL: with anybody. */
int history_place(struct rooms *r, const struct person *p, uint64_t id, int64_t *place);
/* Every event above `since`, messages among them, in order; granted history is none. */
int history_since(struct rooms *r, uint64_t since, engine_each_event *each, void *user);

#endif
