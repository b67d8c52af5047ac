#include "shared/early.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct early_words {
	struct early_words *next;
	struct device_public device;
	size_t size;
	uint8_t words[];
};

static void words_free(struct early_words *w)
{
	sodium_memzero(w->words, w->size);
	free(w);
}

void early_clear(struct early *e)
{
	while (e->first) {
		struct early_words *next = e->first->next;

		words_free(e->first);
		e->first = next;
	}
}

static void forget(struct early *e, const struct device_public *device)
{
	for (struct early_words **at = &e->first; *at; at = &(*at)->next) {
		struct early_words *w = *at;

		if (!device_public_equal(&w->device, device))
			continue;
		*at = w->next;
		words_free(w);
		return;
	}
}

void early_set(struct early *e, const struct device_public *device, struct bytes words)
{
	struct early_words *w;

	forget(e, device);
	if (words.size == 0)
		return;
	w = memory_new(sizeof *w + words.size);
	w->device = *device;
	w->size = words.size;
	memcpy(w->words, words.data, words.size);
	w->next = e->first;
	e->first = w;
}

struct bytes early_of(const struct early *e, const struct device_public *device)
{
	for (const struct early_words *w = e->first; w; w = w->next)
		if (device_public_equal(&w->device, device))
			return bytes_of(w->words, w->size);
	return bytes_of(NULL, 0);
}
