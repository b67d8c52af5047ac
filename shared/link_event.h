/* What happened to the links of an endpoint, in order, until its owner takes it. */
#ifndef PALIQUE_SHARED_LINK_EVENT_H
#define PALIQUE_SHARED_LINK_EVENT_H

#include "shared/endpoint.h"

enum { STRAYS_MAX = 1024 }; /* datagrams outside QUIC waiting; more are dropped */

struct queued_event {
	struct link_event event;
	uint8_t *owned; /* what event.data points at, or NULL */
};

/* Zeroed: empty. */
struct event_queue {
	struct queued_event *ring;
	size_t first, count, capacity;
	size_t strays;
	uint8_t *given; /* memory of the event last taken */
};

void event_queue_clear(struct event_queue *q);

/* `event` is copied, its data too. */
void event_queue_add(struct event_queue *q, const struct link_event *event);
bool event_queue_take(struct event_queue *q, struct link_event *event);

/* The link is going: nothing more is told of it. */
void event_queue_forget(struct event_queue *q, const struct link *l);

#endif
