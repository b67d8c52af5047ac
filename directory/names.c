#include "directory/names.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	struct name name;
	uint32_t holders; /* 0: free */
	uint32_t next;    /* in its chain, or in the list of free slots */
};

struct names {
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct slot *slots;
	uint32_t used, capacity; /* slots ever used, slots there are */
	uint32_t free;           /* first free slot */
	uint32_t *heads;         /* chains: a power of two of them */
	uint32_t chains;
	size_t count;
};

enum { CHAINS_FIRST = 64 };

static uint32_t *empty_heads(uint32_t count)
{
	uint32_t *heads = memory_array(count, sizeof *heads);

	for (uint32_t i = 0; i < count; i++)
		heads[i] = NAMES_NONE;
	return heads;
}

struct names *names_new(const uint8_t key[16])
{
	struct names *n = memory_new(sizeof *n);

	memcpy(n->key, key, sizeof n->key);
	n->free = NAMES_NONE;
	n->chains = CHAINS_FIRST;
	n->heads = empty_heads(n->chains);
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	free(n->slots);
	free(n->heads);
	free(n);
}

static uint32_t chain_of(const struct names *n, const struct name *name)
{
	uint64_t hash;

	crypto_shorthash((uint8_t *)&hash, (const uint8_t *)name->text, strlen(name->text),
			 n->key);
	return hash & (n->chains - 1);
}

static void grow_chains(struct names *n)
{
	free(n->heads);
	n->chains *= 2;
	n->heads = empty_heads(n->chains);
	for (uint32_t i = 0; i < n->used; i++) {
		uint32_t *head;

		if (!n->slots[i].holders)
			continue;
		head = &n->heads[chain_of(n, &n->slots[i].name)];
		n->slots[i].next = *head;
		*head = i;
	}
}

name_id names_find(const struct names *n, const struct name *name)
{
	uint32_t i = n->heads[chain_of(n, name)];

	while (i != NAMES_NONE && !name_equal(&n->slots[i].name, name))
		i = n->slots[i].next;
	return i;
}

static uint32_t take_slot(struct names *n)
{
	uint32_t i = n->free;

	if (i != NAMES_NONE) {
		n->free = n->slots[i].next;
		return i;
	}
	if (n->used == n->capacity) {
		n->capacity = n->capacity ? n->capacity + n->capacity / 2 : 64;
		n->slots = memory_grow(n->slots, n->capacity, sizeof *n->slots);
	}
	return n->used++;
}

name_id names_hold(struct names *n, const struct name *name)
{
	uint32_t i = names_find(n, name);
	uint32_t *head;

	if (i != NAMES_NONE) {
		n->slots[i].holders++;
		return i;
	}
	if (n->count >= n->chains)
		grow_chains(n);
	i = take_slot(n);
	head = &n->heads[chain_of(n, name)];
	n->slots[i] = (struct slot){ .name = *name, .holders = 1, .next = *head };
	*head = i;
	n->count++;
	return i;
}

void names_hold_again(struct names *n, name_id id)
{
	assert(id < n->used && n->slots[id].holders);
	n->slots[id].holders++;
}

void names_release(struct names *n, name_id id)
{
	uint32_t *at;

	assert(id < n->used && n->slots[id].holders);
	if (--n->slots[id].holders)
		return;
	at = &n->heads[chain_of(n, &n->slots[id].name)];
	while (*at != id)
		at = &n->slots[*at].next;
	*at = n->slots[id].next;
	memset(&n->slots[id].name, 0, sizeof n->slots[id].name);
	n->slots[id].next = n->free;
	n->free = id;
	n->count--;
}

const struct name *names_of(const struct names *n, name_id id)
{
	assert(id < n->used && n->slots[id].holders);
	return &n->slots[id].name;
}

size_t names_count(const struct names *n)
{
	return n->count;
}
