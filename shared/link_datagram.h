/* What goes in DATAGRAM frames of a link beside the proofs of an address (link_path.h): early
 * words, and datagrams of others that it carries, each marked with its circuit. One that does
 * not fit the path goes in two parts. Lost without harm: what is carried repeats itself.
 *
 *   early words  0x03 | words
 *   whole        0x04 | circuit (4) | datagram
 *   first part   0x05 | circuit (4) | id (2) | its first half
 *   second part  0x06 | circuit (4) | id (2) | the rest */
#ifndef PALIQUE_SHARED_LINK_DATAGRAM_H
#define PALIQUE_SHARED_LINK_DATAGRAM_H

#include "shared/bytes.h"

enum {
	LINK_CARRIED_MAX = 1200,        /* bytes of a datagram that is carried */
	LINK_DATAGRAM_FRAME_MAX = 1280, /* DATAGRAM frames that peers take */
	LINK_DATAGRAMS_QUEUED = 128,    /* to be sent by one link; more push out the oldest */
};

struct link;

struct link_datagrams {
	struct outgoing *first, *last;
	unsigned count;
	uint16_t next_id;
	bool is_turn; /* before the streams: they alternate */
	struct buf early;
	bool has_early; /* they were said, or heard: not again */
};

/* One that came, or a part of it; in order, until the endpoint takes it. */
enum carried_part { CARRIED_WHOLE, CARRIED_FIRST, CARRIED_SECOND };
struct carried {
	struct carried *next;
	uint32_t circuit;
	enum carried_part part;
	uint16_t id;
	size_t size;
	uint8_t data[];
};
/* Zeroed: empty. */
struct carried_queue {
	struct carried *first, *last;
};
/* The oldest, for the caller to free; NULL: none. */
struct carried *carried_take(struct carried_queue *q);
void carried_clear(struct carried_queue *q);

void link_datagrams_clear(struct link *l);

/* A copy of at most LINK_CARRIED_MAX bytes is queued to be sent. Dropped where the other side
 * takes no such thing. */
void link_carry(struct link *l, uint32_t circuit, struct bytes datagram);
/* A responder's words for its answer, copied. */
void link_set_early(struct link *l, struct bytes words);

/* The frame to be sent next in a datagram of at most `room` bytes: its size; 0: none, or it
 * does not fit. link_datagram_sent() with it if it went. */
size_t link_datagram_next(const struct link *l, uint8_t out[LINK_DATAGRAM_FRAME_MAX],
			  size_t room);
void link_datagram_sent(struct link *l, const uint8_t *frame);

/* A frame came: into the queue of what is carried, or told as LINK_WORDS. Below 0: it
 * breaks the protocol. */
int link_datagram_receive(struct link *l, struct bytes frame);

#endif
