#include "shared/tunnel.h"

#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/link.h"

/* A link and the mark on it; and what is there of a datagram in two halves. */
struct circuit {
	struct link *link;
	uint32_t mark;
	enum carried_part has; /* CARRIED_WHOLE: none */
	uint16_t id;
	size_t first_size, second_size;
	uint8_t data[2 * LINK_CARRIED_MAX]; /* the first half, and with a gap the second */
};

struct tunnel {
	uint32_t number;
	struct circuit circuit;
};

struct relayed {
	struct circuit ends[2];
	uint32_t rate;
	uint64_t left; /* bytes that may go now */
	mono_ns filled_at;
	uint64_t carried;
};

/* --- a circuit --- */

static bool is_at(const struct circuit *c, const struct link *l, uint32_t mark)
{
	return c->link == l && c->mark == mark;
}

static bool is_usable(const struct link *l)
{
	return l->state == LINK_IS_UP && l->certificate && l->path.tunnel == 0;
}

/* One part came. The whole datagram, if the other was there: a view. */
static bool put_together(struct circuit *c, struct carried *part, uint8_t **data, size_t *size)
{
	bool is_first = part->part == CARRIED_FIRST;

	if (part->part == CARRIED_WHOLE) {
		*data = part->data;
		*size = part->size;
		return true;
	}
	if (c->has != CARRIED_WHOLE && c->id != part->id)
		c->has = CARRIED_WHOLE; /* of another one, whose rest is lost */
	memcpy(c->data + (is_first ? 0 : LINK_CARRIED_MAX), part->data, part->size);
	*(is_first ? &c->first_size : &c->second_size) = part->size;
	if (c->has == CARRIED_WHOLE || c->has == part->part) {
		c->has = part->part;
		c->id = part->id;
		return false;
	}
	c->has = CARRIED_WHOLE;
	if (c->first_size + c->second_size > LINK_CARRIED_MAX)
		return false;
	memmove(c->data + c->first_size, c->data + LINK_CARRIED_MAX, c->second_size);
	*data = c->data;
	*size = c->first_size + c->second_size;
	return true;
}

/* --- finding --- */

static struct tunnel **own_at(struct tunnels *t, const struct link *l, uint32_t mark)
{
	for (unsigned i = 0; i < ENDPOINT_TUNNELS_MAX; i++)
		if (t->own[i] && is_at(&t->own[i]->circuit, l, mark))
			return &t->own[i];
	return NULL;
}

static struct tunnel **own_number(struct tunnels *t, uint32_t number)
{
	for (unsigned i = 0; i < ENDPOINT_TUNNELS_MAX; i++)
		if (t->own[i] && t->own[i]->number == number)
			return &t->own[i];
	return NULL;
}

static unsigned relayed_at(const struct tunnels *t, const struct link *l, uint32_t mark,
			   unsigned *end)
{
	unsigned i;

	for (i = 0; i < ENDPOINT_TUNNELS_MAX; i++)
		for (*end = 0; t->relayed[i] && *end < 2; ++*end)
			if (is_at(&t->relayed[i]->ends[*end], l, mark))
				return i;
	return i;
}

static bool is_taken(struct tunnels *t, const struct link *l, uint32_t mark)
{
	unsigned end;

	return own_at(t, l, mark) || relayed_at(t, l, mark, &end) < ENDPOINT_TUNNELS_MAX;
}

/* --- life --- */

static void drop_own(struct tunnel **t)
{
	free(*t);
	*t = NULL;
}

static void drop_relayed(struct relayed **r)
{
	free(*r);
	*r = NULL;
}

void tunnels_clear(struct tunnels *t)
{
	for (unsigned i = 0; i < ENDPOINT_TUNNELS_MAX; i++) {
		drop_own(&t->own[i]);
		drop_relayed(&t->relayed[i]);
	}
}

void tunnels_forget(struct tunnels *t, const struct link *l)
{
	for (unsigned i = 0; i < ENDPOINT_TUNNELS_MAX; i++) {
		struct relayed *r = t->relayed[i];

		if (t->own[i] && t->own[i]->circuit.link == l)
			drop_own(&t->own[i]);
		if (r && (r->ends[0].link == l || r->ends[1].link == l))
			drop_relayed(&t->relayed[i]);
	}
}

uint32_t tunnels_open(struct tunnels *t, struct link *via, uint32_t circuit)
{
	unsigned i = 0;

	if (!is_usable(via) || is_taken(t, via, circuit))
		return 0;
	while (i < ENDPOINT_TUNNELS_MAX && t->own[i])
		i++;
	if (i == ENDPOINT_TUNNELS_MAX)
		return 0;
	do
		t->last++;
	while (t->last == 0 || own_number(t, t->last));
	t->own[i] = memory_new(sizeof *t->own[i]);
	t->own[i]->number = t->last;
	t->own[i]->circuit.link = via;
	t->own[i]->circuit.mark = circuit;
	return t->last;
}

void tunnels_close(struct tunnels *t, uint32_t number)
{
	struct tunnel **own = own_number(t, number);

	if (own)
		drop_own(own);
}

int tunnels_join(struct tunnels *t, struct link *a, uint32_t circuit_a, struct link *b,
		 uint32_t circuit_b, uint32_t rate, mono_ns now)
{
	struct relayed *r;
	unsigned i = 0;

	if (!is_usable(a) || !is_usable(b))
		return ERR_STATE;
	if (is_taken(t, a, circuit_a) || is_taken(t, b, circuit_b) ||
	    (a == b && circuit_a == circuit_b))
		return ERR_EXISTS;
	while (i < ENDPOINT_TUNNELS_MAX && t->relayed[i])
		i++;
	if (i == ENDPOINT_TUNNELS_MAX)
		return ERR_LIMIT;
	r = t->relayed[i] = memory_new(sizeof *r);
	r->ends[0].link = a;
	r->ends[0].mark = circuit_a;
	r->ends[1].link = b;
	r->ends[1].mark = circuit_b;
	r->rate = rate;
	r->filled_at = now;
	r->left = RELAY_BURST_MIN;
	return 0;
}

void tunnels_part(struct tunnels *t, const struct link *a, uint32_t circuit_a)
{
	unsigned end, i = relayed_at(t, a, circuit_a, &end);

	if (i < ENDPOINT_TUNNELS_MAX)
		drop_relayed(&t->relayed[i]);
}

uint64_t tunnels_carried(const struct tunnels *t, const struct link *a, uint32_t circuit_a)
{
	unsigned end, i = relayed_at(t, a, circuit_a, &end);

	return i < ENDPOINT_TUNNELS_MAX ? t->relayed[i]->carried : 0;
}

/* --- datagrams --- */

void tunnels_send(struct tunnels *t, uint32_t number, struct bytes datagram)
{
	struct tunnel **own = own_number(t, number);

	if (own && is_usable((*own)->circuit.link))
		link_carry((*own)->circuit.link, (*own)->circuit.mark, datagram);
}

/* Whether `size` bytes more may go now: a bucket that fills at `rate`. */
static bool may_go(struct relayed *r, size_t size, mono_ns now)
{
	uint64_t most = r->rate / 4 > RELAY_BURST_MIN ? r->rate / 4 : RELAY_BURST_MIN;
	mono_ns passed = now > r->filled_at ? now - r->filled_at : 0;

	if (passed > SECOND)
		passed = SECOND; /* more than fills it, and no overflow */
	/* What is too little for a byte waits for the next time. */
	if (passed * r->rate / SECOND > 0) {
		r->left += passed * r->rate / SECOND;
		r->filled_at = now;
	}
	if (r->left > most)
		r->left = most;
	if (r->left < size)
		return false;
	r->left -= size;
	return true;
}

static void forward(struct relayed *r, unsigned from, struct bytes datagram, mono_ns now)
{
	const struct circuit *to = &r->ends[!from];

	if (!is_usable(to->link) || !may_go(r, datagram.size, now))
		return;
	r->carried += datagram.size;
	link_carry(to->link, to->mark, datagram);
}

uint32_t tunnels_receive(struct tunnels *t, struct link *via, struct carried *c,
			 uint8_t **datagram, size_t *size, mono_ns now)
{
	struct tunnel **own;
	unsigned end, i;

	if (!is_usable(via))
		return 0;
	own = own_at(t, via, c->circuit);
	if (own)
		return put_together(&(*own)->circuit, c, datagram, size) ? (*own)->number : 0;
	i = relayed_at(t, via, c->circuit, &end);
	if (i < ENDPOINT_TUNNELS_MAX &&
	    put_together(&t->relayed[i]->ends[end], c, datagram, size))
		forward(t->relayed[i], end, bytes_of(*datagram, *size), now);
	return 0;
}
