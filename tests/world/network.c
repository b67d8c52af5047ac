#include "tests/world/network.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/dice.h"

struct flight {
	mono_ns at;
	uint64_t order; /* of two at the same moment the earlier sent one comes first */
	unsigned from;
	struct address sender, receiver;
	uint8_t *data;
	size_t size;
};

struct network {
	struct dice dice;
	struct weather weather;
	struct address place[NETWORK_MACHINES_MAX];
	bool cut[NETWORK_MACHINES_MAX][NETWORK_MACHINES_MAX];
	struct flight *heap; /* the next to arrive at the front */
	size_t count, capacity;
	uint64_t order;
	uint8_t *arrived;
	struct network_counts counts;
	crypto_generichash_state hash;
};

struct network *network_new(uint64_t seed)
{
	struct network *n = memory_new(sizeof *n);

	dice_init(&n->dice, seed, 1);
	n->weather.delay = 5 * MILLISECOND;
	crypto_generichash_init(&n->hash, NULL, 0, sizeof n->counts.hash);
	return n;
}

void network_free(struct network *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->count; i++)
		free(n->heap[i].data);
	free(n->heap);
	free(n->arrived);
	free(n);
}

void network_place(struct network *n, unsigned machine, const struct address *at)
{
	n->place[machine] = *at;
}

void network_set_weather(struct network *n, const struct weather *weather)
{
	n->weather = *weather;
}

void network_cut(struct network *n, unsigned a, unsigned b, bool is_cut)
{
	n->cut[a][b] = n->cut[b][a] = is_cut;
}

void network_mend(struct network *n)
{
	memset(n->cut, 0, sizeof n->cut);
}

static bool is_before(const struct flight *a, const struct flight *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct network *n, struct flight flight)
{
	size_t at = n->count++;

	if (n->count > n->capacity) {
		n->capacity = n->capacity ? n->capacity * 2 : 256;
		n->heap = memory_grow(n->heap, n->capacity, sizeof *n->heap);
	}
	for (; at > 0 && is_before(&flight, &n->heap[(at - 1) / 2]); at = (at - 1) / 2)
		n->heap[at] = n->heap[(at - 1) / 2];
	n->heap[at] = flight;
}

static struct flight pop(struct network *n)
{
	struct flight first = n->heap[0], last = n->heap[--n->count];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= n->count)
			break;
		if (child + 1 < n->count && is_before(&n->heap[child + 1], &n->heap[child]))
			child++;
		if (!is_before(&n->heap[child], &last))
			break;
		n->heap[at] = n->heap[child];
		at = child;
	}
	n->heap[at] = last;
	return first;
}

static void launch(struct network *n, unsigned from, const struct address *to,
		   const uint8_t *data, size_t size, mono_ns now)
{
	struct flight flight = { .from = from,
				 .order = n->order++,
				 .sender = n->place[from],
				 .receiver = *to,
				 .size = size };

	flight.at = now + n->weather.delay + dice_below(&n->dice, n->weather.jitter + 1);
	flight.data = memory_new(size);
	memcpy(flight.data, data, size);
	if (dice_chance(&n->dice, n->weather.damage) && size) {
		for (unsigned bits = dice_between(&n->dice, 1, 4); bits > 0; bits--)
			flight.data[dice_below(&n->dice, size)] ^= 1 << dice_below(&n->dice, 8);
		n->counts.damaged++;
	}
	push(n, flight);
}

void network_send(struct network *n, unsigned from, const struct address *to,
		  const uint8_t *data, size_t size, mono_ns now)
{
	uint64_t label[2] = { now, from };

	n->counts.datagrams++;
	n->counts.bytes += size;
	n->counts.bytes_of[from] += size;
	crypto_generichash_update(&n->hash, (const uint8_t *)label, sizeof label);
	crypto_generichash_update(&n->hash, data, size);
	if (dice_chance(&n->dice, n->weather.loss)) {
		n->counts.lost++;
		return;
	}
	launch(n, from, to, data, size, now);
	if (dice_chance(&n->dice, n->weather.duplicate)) {
		n->counts.duplicated++;
		launch(n, from, to, data, size, now);
	}
}

mono_ns network_deadline(const struct network *n)
{
	return n->count ? n->heap[0].at : NEVER;
}

bool network_next(struct network *n, mono_ns now, struct arrival *a)
{
	while (n->count && n->heap[0].at <= now) {
		struct flight flight = pop(n);
		unsigned to = 0;

		free(n->arrived);
		n->arrived = flight.data;
		while (to < NETWORK_MACHINES_MAX &&
		       !address_equal(&n->place[to], &flight.receiver))
			to++;
		if (to == NETWORK_MACHINES_MAX) {
			n->counts.nowhere++;
			continue;
		}
		if (n->cut[flight.from][to]) {
			n->counts.cut++;
			continue;
		}
		n->counts.bytes_of[to] += flight.size;
		*a = (struct arrival){ .from = flight.from,
				       .to = to,
				       .sender = flight.sender,
				       .data = flight.data,
				       .size = flight.size };
		return true;
	}
	return false;
}

struct network_counts network_counts(const struct network *n)
{
	struct network_counts counts = n->counts;
	crypto_generichash_state hash = n->hash;

	crypto_generichash_final(&hash, counts.hash, sizeof counts.hash);
	return counts;
}
