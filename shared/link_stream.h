/* The streams of one link: what is written and not yet acknowledged, in pieces that
 * never move because the library points into them; what arrived and is not yet read. */
#ifndef PALIQUE_SHARED_LINK_STREAM_H
#define PALIQUE_SHARED_LINK_STREAM_H

#include "shared/bytes.h"
#include "shared/quic_compat.h"

enum {
	/* bytes written and not acknowledged; more where more is on the way (shared/link_credit.h) */
	STREAM_QUEUE_MAX = 1 << 20,
	STREAM_WINDOW_FIRST = 256 << 10, /* what the other side may send unread, at first */
	STREAM_WINDOW_MAX = 24 << 20,    /* and when the reader keeps up */
	STREAM_VECTORS = 4,
};

struct stream_piece {
	struct stream_piece *next;
	size_t size, capacity, acknowledged;
	uint8_t data[];
};

struct stream {
	struct stream *next;
	int64_t id;
	/* out */
	struct stream_piece *first, *last; /* not acknowledged */
	struct stream_piece *unsent;       /* where sending goes on; NULL: all is sent */
	size_t unsent_at;
	size_t queued;     /* bytes in the pieces not acknowledged */
	bool is_known;     /* to the library: may be sent on */
	bool is_announced; /* something, if only nothing, has been sent */
	bool is_blocked;   /* by the other side's window */
	bool has_last, is_last_sent;
	bool was_full;
	/* in */
	uint8_t *in;
	size_t in_first, in_size, in_capacity;
	bool is_ended, is_end_shown, is_end_seen;
	bool is_told; /* LINK_READABLE is waiting to be taken */
	bool is_over; /* gone from the library */
	bool is_theirs;
	bool is_seen;      /* by our owner */
	bool is_abandoned; /* by either side: nothing of it is anybody's any more */
	bool is_cut_told;  /* LINK_ABANDONED is waiting to be taken */
};

struct link_streams {
	struct stream *list;
	struct stream *turn; /* who sends next among equals */
};

struct stream *stream_find(const struct link_streams *all, int64_t id);
struct stream *stream_add(struct link_streams *all, int64_t id);
void stream_remove(struct link_streams *all, struct stream *s);
void streams_clear(struct link_streams *all);

/* A copy is queued; the caller has checked link_queue_room(). */
void stream_queue(struct stream *s, struct bytes data);
/* The next bytes to send, at most STREAM_VECTORS parts; *is_last: the end goes with them. */
size_t stream_unsent(const struct stream *s, ngtcp2_vec *parts, bool *is_last);
void stream_sent(struct stream *s, size_t count);
void stream_acknowledged(struct stream *s, size_t count);
/* Drops what is queued: the stream is over. */
void stream_drop_queue(struct stream *s);
/* Drops what was not sent yet; the rest may have to be sent again. */
void stream_drop_unsent(struct stream *s);
/* Drops what was not read yet: how many bytes. */
size_t stream_drop_unread(struct stream *s);

/* The next stream to send on: the control stream first, the others in turn; or NULL. */
struct stream *streams_next_sender(struct link_streams *all, bool may_bulk);

void stream_arrived(struct stream *s, struct bytes data);
struct bytes stream_view(const struct stream *s);
void stream_consumed(struct stream *s, size_t count);

#endif
