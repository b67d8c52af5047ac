#include "shared/deadline_heap.h"

#include <stdlib.h>

#include "shared/bytes.h"

void deadline_heap_clear(struct deadline_heap *h)
{
	for (size_t i = 0; i < h->count; i++)
		h->list[i]->place = 0;
	free(h->list);
	*h = (struct deadline_heap){ 0 };
}

static void put(struct deadline_heap *h, size_t i, struct deadline *d)
{
	h->list[i] = d;
	d->place = i + 1;
}

static size_t rise(struct deadline_heap *h, size_t i)
{
	struct deadline *d = h->list[i];

	while (i > 0 && h->list[(i - 1) / 2]->at > d->at) {
		put(h, i, h->list[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(h, i, d);
	return i;
}

static void sink(struct deadline_heap *h, size_t i)
{
	struct deadline *d = h->list[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= h->count)
			break;
		if (child + 1 < h->count && h->list[child + 1]->at < h->list[child]->at)
			child++;
		if (h->list[child]->at >= d->at)
			break;
		put(h, i, h->list[child]);
		i = child;
	}
	put(h, i, d);
}

static void leave(struct deadline_heap *h, struct deadline *d)
{
	size_t i = d->place - 1;
	struct deadline *last = h->list[--h->count];

	d->place = 0;
	if (last == d)
		return;
	put(h, i, last);
	sink(h, rise(h, i));
}

void deadline_heap_set(struct deadline_heap *h, struct deadline *d, mono_ns at)
{
	d->at = at;
	if (at == NEVER) {
		if (d->place)
			leave(h, d);
		return;
	}
	if (!d->place) {
		if (h->count == h->capacity) {
			h->capacity = h->capacity ? h->capacity * 2 : 16;
			h->list = memory_grow(h->list, h->capacity, sizeof *h->list);
		}
		put(h, h->count++, d);
	}
	sink(h, rise(h, d->place - 1));
}

struct deadline *deadline_heap_first(const struct deadline_heap *h)
{
	return h->count ? h->list[0] : NULL;
}
