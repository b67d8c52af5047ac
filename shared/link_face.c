/* The side of a link that its owner sees (declared in shared/endpoint.h). */
#include <assert.h>

#include "shared/error.h"
#include "shared/link.h"

void link_set_user(struct link *l, void *user)
{
	l->user = user;
}

void *link_user(const struct link *l)
{
	return l->user;
}

bool link_is_up(const struct link *l)
{
	return l->state == LINK_IS_UP;
}

bool link_is_initiator(const struct link *l)
{
	return l->is_initiator;
}

enum link_pattern link_pattern(const struct link *l)
{
	return l->pattern;
}

const struct device_public *link_device(const struct link *l)
{
	return l->has_device ? &l->device : NULL;
}

const struct certificate *link_certificate(const struct link *l)
{
	return l->certificate;
}

const uint8_t *link_handshake_hash(const struct link *l)
{
	return l->hash;
}

struct path link_path(const struct link *l)
{
	return l->path;
}

mono_ns link_last_heard(const struct link *l)
{
	return l->heard_at;
}

mono_ns link_unanswered_since(const struct link *l)
{
	return l->unanswered_since;
}

int link_open(struct link *l, int64_t *stream)
{
	struct stream *s;

	if (l->state != LINK_IS_UP)
		return ERR_STATE;
	if (ngtcp2_conn_open_bidi_stream(l->conn, stream, NULL) != 0)
		return ERR_BUSY;
	s = stream_add(&l->streams, *stream);
	s->is_known = s->is_announced = s->is_seen = true;
	ngtcp2_conn_set_stream_user_data(l->conn, *stream, s);
	return 0;
}

int link_write(struct link *l, int64_t stream, struct bytes data, bool is_last)
{
	struct stream *s;

	if (l->state != LINK_IS_UP)
		return ERR_STATE;
	s = stream_find(&l->streams, stream);
	if (!s && stream == LINK_CONTROL)
		s = stream_add(&l->streams, stream); /* sent when the initiator has opened it */
	if (!s)
		return ERR_NOT_FOUND;
	if (s->has_last || s->is_over || s->is_abandoned)
		return ERR_STATE;
	if (data.size > link_queue_room(l, s)) {
		s->was_full = true;
		return ERR_FULL;
	}
	stream_queue(s, data);
	s->has_last = is_last;
	link_wake(l);
	return 0;
}

size_t link_room(const struct link *l, int64_t stream)
{
	const struct stream *s = stream_find(&l->streams, stream);

	if (!s)
		return stream == LINK_CONTROL ? STREAM_QUEUE_MAX : 0;
	return s->has_last || s->is_over || s->is_abandoned ? 0 : link_queue_room(l, s);
}

struct bytes link_peek(struct link *l, int64_t stream, bool *is_end)
{
	struct stream *s = stream_find(&l->streams, stream);
	struct bytes view;

	*is_end = false;
	if (!s) {
		*is_end = stream != LINK_CONTROL; /* the control stream may be yet to come */
		return bytes_of(NULL, 0);
	}
	if (s->is_abandoned)
		return bytes_of(NULL, 0);
	view = stream_view(s);
	*is_end = s->is_ended;
	s->is_end_shown = s->is_ended;
	if (s->is_ended && view.size == 0) {
		s->is_end_seen = true;
		link_release_if_done(l, s);
		return bytes_of(NULL, 0);
	}
	return view;
}

void link_consume(struct link *l, int64_t stream, size_t count)
{
	struct stream *s = stream_find(&l->streams, stream);

	if (!s || s->is_abandoned) {
		assert(count == 0);
		return;
	}
	stream_consumed(s, count);
	if (!s->is_over)
		ngtcp2_conn_extend_max_stream_offset(l->conn, stream, count);
	link_credit(l, count);
	if (s->is_end_shown && s->in_size == 0)
		s->is_end_seen = true;
	link_release_if_done(l, s);
	if (l->state == LINK_IS_UP)
		link_wake(l);
}

void link_yield(struct link *l)
{
	l->is_yielding = true;
}

void link_ping(struct link *l)
{
	if (l->state != LINK_IS_UP)
		return;
	l->wants_ping = true;
	link_wake(l);
}
