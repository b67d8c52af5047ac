/* The control stream of one link: whole messages in, messages out; what the link has no
 * room for yet waits here. */
#ifndef PALIQUE_PEER_LINE_H
#define PALIQUE_PEER_LINE_H

#include "shared/endpoint.h"
#include "shared/wire.h"

enum {
	/* Waiting to be written: more means the other side does not read. */
	LINE_OUT_MAX = 1 << 20,
	/* Bytes taken in one step: a flood cannot starve the others. */
	LINE_TAKE_MAX = 256 << 10,
};

/* Zeroed: no line. */
struct line {
	struct link *link;
	enum wire_side from; /* what the other side may say */
	bool is_readable;    /* also when more is left than one step may take */
	size_t taken; /* bytes of this step's messages; given back to the link at its end */
	size_t ahead; /* ... of those that line_ahead() has shown */
	struct buf out, scratch;
};

/* The link is up (and has opened its control stream). */
void line_begin(struct line *l, struct link *link, enum wire_side from);
void line_clear(struct line *l); /* does not touch the link */

/* Encodes and keeps; written by line_flush(). ERR_FULL: LINE_OUT_MAX. */
int line_send(struct line *l, const struct wire_message *m);
/* True when something was handed to the link. */
bool line_flush(struct line *l);
/* Bytes the link would take now beyond what waits here. */
size_t line_room(const struct line *l);

/* 1: the next whole message that has arrived; what it points at stays until the next call.
 * 0: that was all for this step. ERR_FORMAT or ERR_LIMIT: a broken stream; ERR_CLOSED: the
 * other side has ended it. Between two calls nothing may touch the link: what is answered goes
 * through line_send(). */
int line_next(struct line *l, struct wire_message *m);
/* Ends reading for this step before that was all: the rest waits, in the end at the other side. */
void line_rest(struct line *l);
/* While it rests: 1: the next message that has come behind; each once, and again in its turn. 0: that was all, or the
 * next one is broken. */
int line_ahead(struct line *l, struct wire_message *m);

#endif
