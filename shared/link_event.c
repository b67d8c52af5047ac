#include "shared/link_event.h"

#include <stdlib.h>
#include <string.h>

static struct queued_event *at(struct event_queue *q, size_t i)
{
	return &q->ring[(q->first + i) % q->capacity];
}

void event_queue_clear(struct event_queue *q)
{
	for (size_t i = 0; i < q->count; i++)
		free(at(q, i)->owned);
	free(q->ring);
	free(q->given);
	*q = (struct event_queue){ 0 };
}

static void grow(struct event_queue *q)
{
	size_t capacity = q->capacity ? q->capacity * 2 : 16;
	struct queued_event *ring = memory_array(capacity, sizeof *ring);

	for (size_t i = 0; i < q->count; i++)
		ring[i] = *at(q, i);
	free(q->ring);
	q->ring = ring;
	q->capacity = capacity;
	q->first = 0;
}

void event_queue_add(struct event_queue *q, const struct link_event *event)
{
	struct queued_event *item;

	if (event->kind == STRAY && q->strays >= STRAYS_MAX)
		return;
	if (q->count == q->capacity)
		grow(q);
	item = at(q, q->count++);
	item->event = *event;
	item->owned = NULL;
	if (event->data.size) {
		item->owned = memory_new(event->data.size);
		memcpy(item->owned, event->data.data, event->data.size);
		item->event.data.data = item->owned;
	}
	q->strays += event->kind == STRAY;
}

bool event_queue_take(struct event_queue *q, struct link_event *event)
{
	struct queued_event *item;

	free(q->given);
	q->given = NULL;
	if (q->count == 0)
		return false;
	item = at(q, 0);
	*event = item->event;
	q->given = item->owned;
	q->strays -= event->kind == STRAY;
	q->first = (q->first + 1) % q->capacity;
	q->count--;
	return true;
}

void event_queue_forget(struct event_queue *q, const struct link *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < q->count; i++) {
		struct queued_event item = *at(q, i);

		if (item.event.link == l)
			free(item.owned);
		else
			*at(q, kept++) = item;
	}
	q->count = kept;
}
