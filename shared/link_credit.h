/* How much of a link's streams may wait: at the reader, unread (the link's window, RFC 9000 section
 * 4.1), and at the writer, not acknowledged.
 *
 * The window is ours to widen, not the library's: that says anew what it is only when half of
 * it has been read, so that control messages alone would get no new room beside bulk streams
 * that nobody reads. Told to the library it is LINK_WINDOW_SAID, of which the half is less than
 * what bulk streams leave free; the rest we add. */
#ifndef PALIQUE_SHARED_LINK_CREDIT_H
#define PALIQUE_SHARED_LINK_CREDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/clock.h"

struct link;
struct stream;

enum {
	LINK_WINDOW_SAID = 256 << 10,
	/* Bulk streams leave so much of the other side's window to the control stream: half of
	 * LINK_WINDOW_SAID, and a datagram or two. */
	LINK_WINDOW_RESERVE = 160 << 10,
	LINK_WINDOW_FIRST = 1 << 20,   /* between peers */
	LINK_WINDOW_SMALL = 512 << 10, /* elsewhere, and it stays so */
	LINK_WINDOW_MAX = 24 << 20,    /* 1 Gb/s over 100 ms, twice */
	LINK_QUEUE_MAX = 24 << 20,     /* what all bulk streams of a link hold to be sent */
};

struct link_credit {
	uint64_t window; /* bytes unread that the other side may have sent */
	uint64_t read;   /* since `since` */
	mono_ns since;
};

/* The link is up. */
void link_credit_up(struct link *l);
/* So many bytes are read or dropped: as many may come, and more where the reader keeps pace
 * with the path. */
void link_credit(struct link *l, size_t count);

/* Bulk streams may send now. */
bool link_credit_is_enough(const struct link *l);

/* How much more of a stream may be queued: twice what is on the way, as the path shows, and
 * at least STREAM_QUEUE_MAX; of all bulk streams LINK_QUEUE_MAX. */
size_t link_queue_room(const struct link *l, const struct stream *s);
/* It was full, and a quarter of it is free again. */
bool link_queue_has_room_again(const struct link *l, const struct stream *s);

#endif
