#include "shared/loose.h"

#include <stdlib.h>
#include <string.h>

struct loose_datagram {
	struct loose_datagram *next;
	struct path path;
	uint8_t ttl;
	size_t size;
	uint8_t data[];
};

void loose_add(struct loose *q, const struct path *path, struct bytes data, uint8_t ttl)
{
	struct loose_datagram *d;

	if (q->count >= LOOSE_MAX)
		return;
	d = memory_new(sizeof *d + data.size);
	d->path = *path;
	d->ttl = ttl;
	d->size = data.size;
	memcpy(d->data, data.data, data.size);
	if (q->last)
		q->last->next = d;
	else
		q->first = d;
	q->last = d;
	q->count++;
}

size_t loose_take(struct loose *q, uint8_t *room, struct path *path, uint8_t *ttl)
{
	struct loose_datagram *d = q->first;
	size_t size;

	if (!d)
		return 0;
	size = d->size;
	memcpy(room, d->data, size);
	*path = d->path;
	*ttl = d->ttl;
	q->first = d->next;
	if (!q->first)
		q->last = NULL;
	q->count--;
	free(d);
	return size;
}

void loose_clear(struct loose *q)
{
	while (q->first) {
		struct loose_datagram *next = q->first->next;

		free(q->first);
		q->first = next;
	}
	*q = (struct loose){ 0 };
}
