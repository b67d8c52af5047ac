#include "tests/world/network.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/dice.h"

struct flight {
	mono_ns at;
	uint64_t order; /* of two at the same moment the earlier sent one comes first */
	unsigned from;
	bool is_inside;  /* it never leaves the LAN */
	unsigned member; /* of a group: who of all machines is the next that may get it */
	struct address sender, receiver;
	uint8_t *data;
	size_t size;
};

struct internet {
	struct dice dice;
	struct weather weather;
	struct place {
		struct address sockets[NETWORK_SOCKETS_MAX];
		struct nat_box *box;
		unsigned lan;
	} places[NETWORK_MACHINES_MAX];
	bool cut[NETWORK_MACHINES_MAX][NETWORK_MACHINES_MAX];
	struct flight *heap; /* the next to arrive at the front */
	size_t count, capacity;
	uint64_t order;
	uint8_t *arrived;
	struct network_counts counts;
	crypto_generichash_state hash;
};

struct internet *network_new(uint64_t seed)
{
	struct internet *n = memory_new(sizeof *n);

	dice_init(&n->dice, seed, 1);
	n->weather.delay = 5 * MILLISECOND;
	crypto_generichash_init(&n->hash, NULL, 0, sizeof n->counts.hash);
	return n;
}

void network_free(struct internet *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->count; i++)
		free(n->heap[i].data);
	free(n->heap);
	free(n->arrived);
	free(n);
}

void network_place(struct internet *n, unsigned machine, unsigned socket,
		   const struct address *at)
{
	n->places[machine].sockets[socket] = *at;
}

void network_put_behind(struct internet *n, unsigned machine, struct nat_box *box, unsigned lan)
{
	n->places[machine].box = box;
	n->places[machine].lan = lan;
}

void network_set_weather(struct internet *n, const struct weather *weather)
{
	n->weather = *weather;
}

void network_cut(struct internet *n, unsigned a, unsigned b, bool is_cut)
{
	n->cut[a][b] = n->cut[b][a] = is_cut;
}

void network_mend(struct internet *n)
{
	memset(n->cut, 0, sizeof n->cut);
}

static bool is_before(const struct flight *a, const struct flight *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct internet *n, struct flight flight)
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

static struct flight pop(struct internet *n)
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

/* --- which way a datagram goes --- */

static struct address home_of(const struct place *p, uint16_t socket)
{
	struct address a = p->sockets[socket < NETWORK_SOCKETS_MAX ? socket : 0];

	if (socket >= PATH_EXTRA)
		a.port = (uint16_t)(NETWORK_EXTRA_PORT + socket);
	return a;
}

/* Which of the machine's sockets has the address. */
static bool has_socket(const struct place *p, const struct address *a, uint16_t *socket)
{
	for (uint16_t i = 0; i < NETWORK_SOCKETS_MAX; i++) {
		*socket = i;
		if (p->sockets[i].family && address_equal(&p->sockets[i], a))
			return true;
	}
	*socket = (uint16_t)(a->port - NETWORK_EXTRA_PORT);
	return address_same_ip(&p->sockets[0], a) && *socket >= PATH_EXTRA &&
	       *socket < PATH_EXTRA + PATH_EXTRA_MAX;
}

static bool are_neighbours(const struct internet *n, unsigned a, unsigned b)
{
	return a != b && n->places[a].lan && n->places[a].lan == n->places[b].lan;
}

/* A neighbour whose own address it is. */
static bool is_for_neighbour(const struct internet *n, unsigned from, const struct address *to)
{
	for (unsigned i = 0; i < NETWORK_MACHINES_MAX; i++) {
		uint16_t socket;

		if (are_neighbours(n, from, i) && has_socket(&n->places[i], to, &socket))
			return true;
	}
	return false;
}

static void launch(struct internet *n, struct flight flight, const uint8_t *data, mono_ns now)
{
	flight.order = n->order++;
	flight.at = now + n->weather.delay + dice_below(&n->dice, n->weather.jitter + 1);
	flight.data = memory_new(flight.size);
	memcpy(flight.data, data, flight.size);
	if (dice_chance(&n->dice, n->weather.damage) && flight.size) {
		for (unsigned bits = dice_between(&n->dice, 1, 4); bits > 0; bits--)
			flight.data[dice_below(&n->dice, flight.size)] ^= 1 << dice_below(
										  &n->dice, 8);
		n->counts.damaged++;
	}
	push(n, flight);
}

/* Out of the sender's router, if it has one: false: it gets no further. */
static bool leave(struct internet *n, struct flight *f, uint8_t ttl, mono_ns now)
{
	struct nat_box *box = n->places[f->from].box;
	struct address inside = f->sender;

	if (address_is_multicast(&f->receiver) || is_for_neighbour(n, f->from, &f->receiver)) {
		f->is_inside = true;
		return true;
	}
	if (box && (!nat_box_out(box, &inside, &f->receiver, now, &f->sender) ||
		    (!box->hairpins && address_same_ip(&f->receiver, &box->outside)))) {
		n->counts.stopped++;
		return false;
	}
	n->counts.low += ttl > 0;
	return ttl == 0;
}

void network_send(struct internet *n, unsigned from, const struct path *path, uint8_t ttl,
		  const uint8_t *data, size_t size, mono_ns now)
{
	uint64_t label[2] = { now, from };
	struct flight flight = { .from = from,
				 .sender = home_of(&n->places[from], path->socket),
				 .receiver = path->remote,
				 .size = size };

	n->counts.datagrams++;
	n->counts.bytes += size;
	n->counts.bytes_of[from] += size;
	n->counts.extra += path->socket >= PATH_EXTRA;
	crypto_generichash_update(&n->hash, (const uint8_t *)label, sizeof label);
	crypto_generichash_update(&n->hash, data, size);
	if (!leave(n, &flight, ttl, now))
		return;
	if (dice_chance(&n->dice, n->weather.loss)) {
		n->counts.lost++;
		return;
	}
	launch(n, flight, data, now);
	if (dice_chance(&n->dice, n->weather.duplicate)) {
		n->counts.duplicated++;
		launch(n, flight, data, now);
	}
}

/* The machine that has the address: on the sender's LAN, behind `box`, or anywhere. */
static bool find_machine(const struct internet *n, const struct flight *f,
			 const struct nat_box *box, const struct address *a, unsigned *to,
			 uint16_t *socket)
{
	for (*to = 0; *to < NETWORK_MACHINES_MAX; ++*to) {
		const struct place *p = &n->places[*to];

		if (f->is_inside ? are_neighbours(n, f->from, *to) : !box || p->box == box)
			if (has_socket(p, a, socket))
				return true;
	}
	return false;
}

static struct nat_box *router_at(const struct internet *n, const struct address *a)
{
	for (unsigned i = 0; i < NETWORK_MACHINES_MAX; i++) {
		struct nat_box *box = n->places[i].box;

		if (box && box->outside.family && address_same_ip(&box->outside, a))
			return box;
	}
	return NULL;
}

/* From outside, through a router: of an address of its own, or before a machine that has one of the
 * world's. What is addressed to the inside of a LAN from elsewhere arrives nowhere. */
static bool comes_in(struct internet *n, const struct flight *f, unsigned *to, mono_ns now,
		     struct path *path)
{
	struct nat_box *box = router_at(n, &f->receiver);
	struct address home = f->receiver;

	if (box) {
		if (!nat_box_in(box, &f->sender, &f->receiver, now, &home) ||
		    !find_machine(n, f, box, &home, to, &path->socket))
			return false;
	} else {
		if (!find_machine(n, f, NULL, &home, to, &path->socket))
			return false;
		box = n->places[*to].box;
		if (box && (box->outside.family ||
			    !nat_box_in(box, &f->sender, &f->receiver, now, &home)))
			return false;
	}
	path->local = home;
	return true;
}

/* The next of a group's members on the LAN; the others get it with the next calls. */
static bool reaches_member(struct internet *n, struct flight *f, unsigned *to,
			   struct path *path)
{
	struct flight rest;

	while (f->member < NETWORK_MACHINES_MAX && !are_neighbours(n, f->from, f->member))
		f->member++;
	if (f->member == NETWORK_MACHINES_MAX)
		return false;
	*to = f->member++;
	path->local = f->receiver;
	rest = *f;
	rest.data = memory_new(f->size);
	memcpy(rest.data, f->data, f->size);
	push(n, rest);
	return true;
}

static bool reaches(struct internet *n, struct flight *f, unsigned *to, mono_ns now,
		    struct path *path)
{
	*path = (struct path){ .remote = f->sender };
	if (address_is_multicast(&f->receiver))
		return reaches_member(n, f, to, path);
	if (!f->is_inside)
		return comes_in(n, f, to, now, path);
	path->local = f->receiver;
	return find_machine(n, f, NULL, &f->receiver, to, &path->socket);
}

mono_ns network_deadline(const struct internet *n)
{
	return n->count ? n->heap[0].at : NEVER;
}

bool network_next(struct internet *n, mono_ns now, struct arrival *a)
{
	while (n->count && n->heap[0].at <= now) {
		struct flight flight = pop(n);
		bool is_first = flight.member == 0;

		free(n->arrived);
		n->arrived = flight.data;
		if (!reaches(n, &flight, &a->to, now, &a->path)) {
			n->counts.nowhere += is_first;
			continue;
		}
		if (n->cut[flight.from][a->to]) {
			n->counts.cut++;
			continue;
		}
		n->counts.bytes_of[a->to] += flight.size;
		a->from = flight.from;
		a->data = flight.data;
		a->size = flight.size;
		return true;
	}
	return false;
}

struct network_counts network_counts(const struct internet *n)
{
	struct network_counts counts = n->counts;
	crypto_generichash_state hash = n->hash;

	crypto_generichash_final(&hash, counts.hash, sizeof counts.hash);
	return counts;
}
