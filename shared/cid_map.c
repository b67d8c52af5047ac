#include "shared/cid_map.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 }; /* a power of two */

struct slot {
	void *value; /* NULL: empty */
	uint8_t size;
	uint8_t key[CID_MAP_KEY_MAX];
};

struct cid_map {
	struct slot *slots;
	size_t capacity, count;
	uint8_t secret[crypto_shorthash_KEYBYTES];
};

struct cid_map *cid_map_new(void)
{
	struct cid_map *m = memory_new(sizeof *m);

	m->capacity = FIRST_CAPACITY;
	m->slots = memory_array(m->capacity, sizeof *m->slots);
	randombytes_buf(m->secret, sizeof m->secret);
	return m;
}

void cid_map_free(struct cid_map *m)
{
	if (!m)
		return;
	free(m->slots);
	sodium_memzero(m->secret, sizeof m->secret);
	free(m);
}

static size_t home_of(const struct cid_map *m, const uint8_t *key, size_t size)
{
	uint64_t hash;

	crypto_shorthash((uint8_t *)&hash, key, size, m->secret);
	return hash & (m->capacity - 1);
}

/* The slot that holds `key`, or the empty one where it would go. */
static size_t find(const struct cid_map *m, struct bytes key)
{
	size_t i = home_of(m, key.data, key.size);

	while (m->slots[i].value && !(m->slots[i].size == key.size &&
				      memcmp(m->slots[i].key, key.data, key.size) == 0))
		i = (i + 1) & (m->capacity - 1);
	return i;
}

static bool is_key(struct bytes key)
{
	return key.size > 0 && key.size <= CID_MAP_KEY_MAX;
}

void *cid_map_get(const struct cid_map *m, struct bytes key)
{
	return is_key(key) ? m->slots[find(m, key)].value : NULL;
}

static void grow(struct cid_map *m)
{
	struct slot *old = m->slots;
	size_t old_capacity = m->capacity;

	m->capacity *= 2;
	m->slots = memory_array(m->capacity, sizeof *m->slots);
	for (size_t i = 0; i < old_capacity; i++)
		if (old[i].value)
			m->slots[find(m, bytes_of(old[i].key, old[i].size))] = old[i];
	free(old);
}

void cid_map_put(struct cid_map *m, struct bytes key, void *value)
{
	struct slot *slot;

	assert(is_key(key) && value);
	if ((m->count + 1) * 4 > m->capacity * 3)
		grow(m);
	slot = &m->slots[find(m, key)];
	if (!slot->value) {
		slot->size = key.size;
		memcpy(slot->key, key.data, key.size);
		m->count++;
	}
	slot->value = value;
}

void cid_map_remove(struct cid_map *m, struct bytes key, const void *value)
{
	size_t mask = m->capacity - 1, hole;

	if (!is_key(key))
		return;
	hole = find(m, key);
	if (!m->slots[hole].value || m->slots[hole].value != value)
		return;
	m->slots[hole].value = NULL;
	m->count--;
	/* What was pushed behind the hole by it moves up, so that no search stops early. */
	for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
		size_t home = home_of(m, m->slots[i].key, m->slots[i].size);

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			m->slots[hole] = m->slots[i];
			m->slots[i].value = NULL;
			hole = i;
		}
	}
}

size_t cid_map_count(const struct cid_map *m)
{
	return m->count;
}
