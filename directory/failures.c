#include "directory/failures.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Places for a name beside the one its hash points to: where all are taken, the fewest
 * failures give way. */
enum { WAYS = 8 };

struct failures {
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct registry_failures entries[FAILURES_NAMES]; /* count 0: empty */
	unsigned count;
	mono_ns flushed;
};

struct failures *failures_new(const uint8_t key[16])
{
	struct failures *f = memory_new(sizeof *f);

	memcpy(f->key, key, sizeof f->key);
	return f;
}

void failures_free(struct failures *f)
{
	free(f);
}

static struct registry_failures *row_of(struct failures *f, const struct name *name)
{
	uint64_t hash;

	crypto_shorthash((uint8_t *)&hash, (const uint8_t *)name->text, strlen(name->text),
			 f->key);
	return f->entries + hash % (FAILURES_NAMES / WAYS) * WAYS;
}

static struct registry_failures *find(struct failures *f, const struct name *name)
{
	struct registry_failures *e = row_of(f, name);

	for (unsigned i = 0; i < WAYS; i++)
		if (e[i].count && strcmp(e[i].name.text, name->text) == 0)
			return &e[i];
	return NULL;
}

void failures_add(struct failures *f, const struct name *name)
{
	struct registry_failures *e = find(f, name), *row = row_of(f, name);

	if (!e) {
		e = row;
		for (unsigned i = 1; i < WAYS && e->count; i++)
			if (row[i].count < e->count)
				e = &row[i];
		f->count += !e->count;
		*e = (struct registry_failures){ .name = *name };
	}
	if (e->count < UINT32_MAX)
		e->count++;
}

uint32_t failures_take(struct failures *f, const struct name *name)
{
	struct registry_failures *e = find(f, name);
	uint32_t count = e ? e->count : 0;

	if (e) {
		e->count = 0;
		f->count--;
	}
	return count;
}

mono_ns failures_deadline(const struct failures *f)
{
	bool is_crowded = f->count > FAILURES_NAMES / 2;

	if (!f->count)
		return NEVER;
	return f->flushed + (is_crowded ? 1 : FAILURES_SECONDS) * SECOND;
}

void failures_flush(struct failures *f, struct registry *registry, mono_ns now)
{
	struct registry_failures *list;
	unsigned count = 0;

	f->flushed = now;
	if (!f->count)
		return;
	list = memory_array(f->count, sizeof *list);
	for (unsigned i = 0; i < FAILURES_NAMES; i++)
		if (f->entries[i].count)
			list[count++] = f->entries[i];
	if (registry->add_failures(registry, list, count) == 0) {
		memset(f->entries, 0, sizeof f->entries);
		f->count = 0;
	}
	free(list);
}
