/* Who is due first: a binary heap of deadlines that live inside what they belong to. */
#ifndef PALIQUE_SHARED_DEADLINE_HEAP_H
#define PALIQUE_SHARED_DEADLINE_HEAP_H

#include <stddef.h>

#include "shared/clock.h"

/* Zeroed: not in a heap. */
struct deadline {
	mono_ns at;
	size_t place; /* in the heap, from 1; 0: not there */
	void *owner;
};

/* Zeroed: empty. */
struct deadline_heap {
	struct deadline **list;
	size_t count, capacity;
};

void deadline_heap_clear(struct deadline_heap *h);

/* Adds, moves, or with NEVER removes. `d` stays where it is in memory until removed. */
void deadline_heap_set(struct deadline_heap *h, struct deadline *d, mono_ns at);

/* The earliest, or NULL. */
struct deadline *deadline_heap_first(const struct deadline_heap *h);

#endif
