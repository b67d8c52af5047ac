/* Where the other side of a link is, and how much may be sent there. The library is told
 * of one path that never changes; a link follows the newest authentic packet by itself,
 * since either side can be the one that moves (docs/protocol.md, Roaming). */
#ifndef PALIQUE_SHARED_LINK_PATH_H
#define PALIQUE_SHARED_LINK_PATH_H

#include "shared/clock.h"
#include "shared/path.h"

struct link;

enum {
	LINK_DATAGRAM_SAFE = 1200, /* fits every path QUIC may use (RFC 9000 section 14) */
	LINK_AMPLIFICATION = 3,    /* RFC 9000 section 8.1: toward an unproved address */
	LINK_CHALLENGE_SIZE = 8,
	LINK_PROOF_SIZE = 1 + LINK_CHALLENGE_SIZE, /* a challenge or its answer */
	LINK_PROOF_FRAME_MAX = 64,                 /* DATAGRAM frames that everybody takes */
};
#define LINK_LEFT_HELD          (SECOND) /* late packets of the path that we left, at least */
#define LINK_CHALLENGE_WAIT     (250 * MILLISECOND) /* before it is said again; doubles */
#define LINK_CHALLENGE_WAIT_MAX (5 * SECOND)
#define LINK_SIZE_PENALTY       (60 * SECOND) /* small datagrams after a black hole, at first */
#define LINK_SIZE_PENALTY_MAX   (3600 * SECOND)

/* How an address is proved: random bytes go there in a DATAGRAM frame (RFC 9221), and come
 * back. An acknowledgement would not do: packet numbers can be guessed. */
struct link_proof {
	bool is_wanted; /* a challenge is out, or due */
	bool is_due;    /* it is to be sent now */
	bool is_moved;  /* the address is another one than before */
	uint8_t challenge[LINK_CHALLENGE_SIZE];
	mono_ns at, wait; /* when it is said again */
	bool is_answer_due;
	uint8_t answer[LINK_CHALLENGE_SIZE]; /* what the other side wants to see */
};

/* link_move() and link_unsettle() (shared/endpoint.h) are here, too.
 *
 * A datagram of `size` bytes that came by `path` had an authentic packet in it. Until an
 * address that it moves to is proved (l->has_proved then), it gets three times what came
 * from it. */
void link_follow(struct link *l, const struct path *path, size_t size, mono_ns now);

/* The handshake is done: what of the other side's address has to be proved yet. */
void link_path_up(struct link *l, mono_ns now);
/* A DATAGRAM frame came: a challenge or an answer. Below 0: neither, nothing happened. */
int link_proof_receive(struct link *l, struct bytes data);
/* What is to be said in one now; 0: nothing. */
size_t link_proof_next(const struct link *l, uint8_t out[LINK_PROOF_SIZE]);
void link_proof_sent(struct link *l, const uint8_t out[LINK_PROOF_SIZE]);
/* Time passes; link_proof_at() is when it must at the latest, or NEVER. */
void link_proof_tick(struct link *l, mono_ns now);
mono_ns link_proof_at(const struct link *l);

/* Large datagrams seem to vanish: small ones for a time that doubles. */
void link_stay_small(struct link *l, mono_ns now);
/* How large the next datagram may be. */
size_t link_size_allowed(const struct link *l, mono_ns now);

#endif
