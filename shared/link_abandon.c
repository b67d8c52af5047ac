#include "shared/link_abandon.h"

#include <assert.h>

#include "shared/link.h"

void link_release_if_done(struct link *l, struct stream *s)
{
	bool is_read = s->is_abandoned || (s->in_size == 0 && (!s->is_ended || s->is_end_seen));

	if (!s->is_over || s->is_cut_told || !is_read)
		return;
	if (s->is_theirs)
		ngtcp2_conn_extend_max_streams_bidi(l->conn, 1);
	/* Should the library know it after all, it must not find us. */
	(void)ngtcp2_conn_set_stream_user_data(l->conn, s->id, NULL);
	stream_remove(&l->streams, s);
}

/* What is dropped unread makes room for others as what is read does. */
static void cut(struct link *l, struct stream *s)
{
	s->is_abandoned = true;
	link_credit(l, stream_drop_unread(s));
	stream_drop_unsent(s);
}

void link_abandoned(struct link *l, struct stream *s, uint64_t code)
{
	if (s->is_abandoned)
		return;
	cut(l, s);
	if (!s->is_seen)
		return;
	s->is_cut_told = true;
	event_queue_add(&l->home->events, &(struct link_event){ .kind = LINK_ABANDONED,
								.link = l,
								.stream = s->id,
								.code = code });
}

void link_abandon(struct link *l, int64_t stream, uint64_t code)
{
	struct stream *s = stream_find(&l->streams, stream);

	assert(stream != LINK_CONTROL);
	if (!s || l->state != LINK_IS_UP)
		return;
	if (!s->is_abandoned) {
		cut(l, s);
		if (!s->is_over)
			quic_cut_stream(l->conn, stream, code);
	}
	s->is_cut_told = false;
	link_release_if_done(l, s);
	link_wake(l);
}
