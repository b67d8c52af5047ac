#include "shared/link_datagram.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/link.h"

enum {
	SAY_EARLY = 3,
	SAY_WHOLE = 4,
	SAY_FIRST = 5,
	SAY_SECOND = 6,
	WHOLE_HEAD = 1 + 4,
	PART_HEAD = 1 + 4 + 2,
	/* Short header, id of at most 20 bytes, packet number, tag; the frame's type and length. */
	AROUND = 1 + 20 + 4 + 16 + 1 + 2,
};

struct outgoing {
	struct outgoing *next;
	uint32_t circuit;
	uint16_t id;
	bool is_half_sent;
	size_t size;
	uint8_t data[];
};

static void put_u32(uint8_t *p, uint32_t x)
{
	for (int i = 0; i < 4; i++)
		p[i] = x >> (24 - 8 * i);
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* --- what came --- */

struct carried *carried_take(struct carried_queue *q)
{
	struct carried *c = q->first;

	if (!c)
		return NULL;
	q->first = c->next;
	if (!q->first)
		q->last = NULL;
	return c;
}

void carried_clear(struct carried_queue *q)
{
	struct carried *c;

	while ((c = carried_take(q)))
		free(c);
}

static void arrived(struct link *l, enum carried_part part, struct bytes frame, size_t head)
{
	struct carried_queue *q = &l->home->carried;
	size_t size = frame.size - head;
	struct carried *c = memory_new(sizeof *c + size);

	c->part = part;
	c->circuit = get_u32(frame.data + 1);
	if (part != CARRIED_WHOLE)
		c->id = (uint16_t)(frame.data[5] << 8 | frame.data[6]);
	c->size = size;
	memcpy(c->data, frame.data + head, size);
	if (q->last)
		q->last->next = c;
	else
		q->first = c;
	q->last = c;
}

static int receive_early(struct link *l, struct bytes words)
{
	if (!l->is_initiator || l->datagrams.has_early || words.size == 0 ||
	    words.size > ENDPOINT_EARLY_MAX)
		return ERR_FORMAT;
	l->datagrams.has_early = true;
	event_queue_add(&l->home->events,
			&(struct link_event){ .kind = LINK_WORDS, .link = l, .data = words });
	return 0;
}

int link_datagram_receive(struct link *l, struct bytes frame)
{
	enum carried_part part;
	size_t head;

	/* Between peers only: a directory neither says nor carries anything so. */
	if (!l->certificate || l->home->config->policy != ENDPOINT_ADMITTED || frame.size == 0)
		return ERR_FORMAT;
	if (frame.data[0] == SAY_EARLY)
		return receive_early(l, bytes_of(frame.data + 1, frame.size - 1));
	if (frame.data[0] < SAY_WHOLE || frame.data[0] > SAY_SECOND)
		return ERR_FORMAT;
	part = (enum carried_part)(CARRIED_WHOLE + frame.data[0] - SAY_WHOLE);
	head = part == CARRIED_WHOLE ? WHOLE_HEAD : PART_HEAD;
	if (frame.size <= head || frame.size - head > LINK_CARRIED_MAX)
		return ERR_FORMAT;
	arrived(l, part, frame, head);
	return 0;
}

/* --- what goes --- */

static struct outgoing *take_first(struct link_datagrams *d)
{
	struct outgoing *o = d->first;

	d->first = o->next;
	if (!d->first)
		d->last = NULL;
	d->count--;
	return o;
}

void link_datagrams_clear(struct link *l)
{
	struct link_datagrams *d = &l->datagrams;

	while (d->first)
		free(take_first(d));
	buf_clear(&d->early);
}

/* Whether the other side takes frames of ours. */
static bool takes(const struct link *l)
{
	const ngtcp2_transport_params *theirs = ngtcp2_conn_get_remote_transport_params(
		l->conn);

	return theirs && theirs->max_datagram_frame_size >= LINK_DATAGRAM_FRAME_MAX;
}

void link_carry(struct link *l, uint32_t circuit, struct bytes datagram)
{
	struct link_datagrams *d = &l->datagrams;
	struct outgoing *o;

	if (l->state != LINK_IS_UP || datagram.size == 0 || datagram.size > LINK_CARRIED_MAX ||
	    !takes(l))
		return;
	if (d->count == LINK_DATAGRAMS_QUEUED)
		free(take_first(d));
	o = memory_new(sizeof *o + datagram.size);
	o->circuit = circuit;
	o->id = d->next_id++;
	o->size = datagram.size;
	memcpy(o->data, datagram.data, datagram.size);
	if (d->last)
		d->last->next = o;
	else
		d->first = o;
	d->last = o;
	d->count++;
	link_wake(l);
}

void link_set_early(struct link *l, struct bytes words)
{
	buf_clear(&l->datagrams.early);
	if (words.size > 0 && words.size <= ENDPOINT_EARLY_MAX)
		buf_append(&l->datagrams.early, words);
}

static size_t early_next(const struct link *l, uint8_t out[LINK_DATAGRAM_FRAME_MAX],
			 size_t room)
{
	struct bytes words = buf_view(&l->datagrams.early);

	if (l->datagrams.has_early || words.size == 0 || !takes(l) ||
	    words.size + 1 + AROUND > room)
		return 0;
	out[0] = SAY_EARLY;
	memcpy(out + 1, words.data, words.size);
	return 1 + words.size;
}

static size_t part_next(const struct outgoing *o, uint8_t out[LINK_DATAGRAM_FRAME_MAX],
			size_t room)
{
	size_t half = (o->size + 1) / 2, from = o->is_half_sent ? half : 0;
	size_t size = o->is_half_sent ? o->size - half : half;

	if (PART_HEAD + size + AROUND > room || size == 0)
		return 0;
	out[0] = o->is_half_sent ? SAY_SECOND : SAY_FIRST;
	put_u32(out + 1, o->circuit);
	out[5] = o->id >> 8;
	out[6] = o->id & 255;
	memcpy(out + PART_HEAD, o->data + from, size);
	return PART_HEAD + size;
}

size_t link_datagram_next(const struct link *l, uint8_t out[LINK_DATAGRAM_FRAME_MAX],
			  size_t room)
{
	const struct outgoing *o = l->datagrams.first;
	size_t early = early_next(l, out, room);

	if (early || l->state == LINK_SHAKING || !o)
		return early;
	if (o->is_half_sent || WHOLE_HEAD + o->size + AROUND > room)
		return part_next(o, out, room);
	out[0] = SAY_WHOLE;
	put_u32(out + 1, o->circuit);
	memcpy(out + WHOLE_HEAD, o->data, o->size);
	return WHOLE_HEAD + o->size;
}

void link_datagram_sent(struct link *l, const uint8_t *frame)
{
	struct link_datagrams *d = &l->datagrams;

	if (frame[0] == SAY_EARLY)
		d->has_early = true;
	else if (frame[0] == SAY_FIRST)
		d->first->is_half_sent = true;
	else
		free(take_first(d));
}
