#include "shared/link_credit.h"

#include "shared/link.h"

static void widen(struct link *l, uint64_t window)
{
	ngtcp2_conn_extend_max_offset(l->conn, window - l->credit.window);
	l->credit.window = window;
}

void link_credit_up(struct link *l)
{
	l->credit = (struct link_credit){ .window = LINK_WINDOW_SAID, .since = l->home->now };
	/* A directory hears messages only, of very many. */
	widen(l, l->home->config->policy == ENDPOINT_ADMITTED ? LINK_WINDOW_FIRST
							      : LINK_WINDOW_SMALL);
}

void link_credit(struct link *l, size_t count)
{
	struct link_credit *c = &l->credit;
	mono_ns now = l->home->now;

	if (count == 0)
		return;
	ngtcp2_conn_extend_max_offset(l->conn, count);
	c->read += count;
	if (c->read < c->window / 2)
		return;
	if (l->home->config->policy == ENDPOINT_ADMITTED && c->window < LINK_WINDOW_MAX &&
	    now - c->since < 2 * link_round_trip(l))
		widen(l, 2 * c->window < LINK_WINDOW_MAX ? 2 * c->window : LINK_WINDOW_MAX);
	c->read = 0;
	c->since = now;
}

bool link_credit_is_enough(const struct link *l)
{
	return ngtcp2_conn_get_max_data_left(l->conn) >= LINK_WINDOW_RESERVE;
}

static size_t queue_limit(const struct link *l, const struct stream *s)
{
	ngtcp2_conn_stat stat;
	uint64_t limit;

	if (s->id == LINK_CONTROL)
		return STREAM_QUEUE_MAX;
	ngtcp2_conn_get_conn_stat(l->conn, &stat);
	limit = 2 * stat.cwnd;
	if (limit < STREAM_QUEUE_MAX)
		return STREAM_QUEUE_MAX;
	return limit < LINK_QUEUE_MAX ? limit : LINK_QUEUE_MAX;
}

size_t link_queue_room(const struct link *l, const struct stream *s)
{
	size_t limit = queue_limit(l, s), room = s->queued < limit ? limit - s->queued : 0;
	size_t others = 0;

	if (s->id == LINK_CONTROL)
		return room;
	for (const struct stream *o = l->streams.list; o; o = o->next)
		if (o->id != LINK_CONTROL)
			others += o->queued;
	limit = others < LINK_QUEUE_MAX ? LINK_QUEUE_MAX - others : 0;
	return room < limit ? room : limit;
}

bool link_queue_has_room_again(const struct link *l, const struct stream *s)
{
	return link_queue_room(l, s) >= queue_limit(l, s) / 4;
}
