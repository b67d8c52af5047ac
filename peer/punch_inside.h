/* What the files of punch share: punch.c is one attempt, punch_ways.c the addresses it tries,
 * punch_spray.c the hard NATs, punch_limits.c what all attempts share. */
#ifndef PALIQUE_PEER_PUNCH_INSIDE_H
#define PALIQUE_PEER_PUNCH_INSIDE_H

#include "peer/punch.h"

enum {
	PUNCH_WAYS = 32,
	PUNCH_TRIES = 5, /* probes to an address, the low ones aside */
	PUNCH_OFFERS_UNPROVED = LINK_OFFERS_MAX,
	PUNCH_OFFERS_AGAIN = 4, /* of one proved way */
	PUNCH_LISTED = 128,     /* ports a sequential NAT tries in a block */
};

/* One address of theirs, seen from one socket of ours. */
struct punch_way {
	struct path path;
	enum path_kind kind;
	bool is_behind; /* a NAT or filter of theirs has to be opened from inside first */
	bool is_far;    /* a private address that is hardly in a network of ours */
	bool is_proved;
	mono_ns next;   /* its next probe; NEVER: none */
	mono_ns began;  /* the first that may arrive; NEVER: not yet */
	unsigned lows;  /* sent with a low TTL */
	unsigned tries; /* sent with the full one since `began` */
	mono_ns round_trip;
	bool is_offered, is_offer_due; /* unproved */
	bool is_proved_offer_due;
	unsigned proved_offers;
	mono_ns proved_offered_at;
};

/* Which hard case it is, from our side. */
enum punch_method {
	METHOD_NONE,
	METHOD_GUESS,   /* we easy: their next ports, from the main socket */
	METHOD_SOCKETS, /* they easy: many sockets to their one address */
	METHOD_WALK,    /* both sequential, we first: the main socket along their next ports */
	METHOD_AIM,     /* ... we second: many sockets to one of their next ports */
	METHOD_LIST,    /* we sequential, they block: the main socket to a list of ports */
	METHOD_PAIRS, /* we block, or random and they block: sockets, each to any of their ports */
};

struct punch_spray {
	enum punch_method method;
	/* Their IP; SOCKETS: with the port. Family 0: none that is signed. */
	struct address target;
	struct nat_guess guess;   /* GUESS, LIST, PAIRS toward a random one */
	mono_ns open_at, full_at; /* the next with a low TTL, the next that may arrive; NEVER */
	mono_ns round_at;         /* WALK, AIM: the next window */
	unsigned round;
	unsigned list_count;       /* pairs there are to be opened; GUESS: none */
	uint32_t pairs;            /* PAIRS: which is the next */
	unsigned opened, repeated; /* how many went out low, and in full */
	uint16_t list[PUNCH_LISTED];
	uint16_t sockets[PUNCH_SOCKETS];
	unsigned socket_count;
	bool has_begun, is_over, is_resting;
	bool is_second; /* another one had begun before a class changed */
};

struct punch {
	struct endpoint *endpoint;
	struct punch_limits *limits;
	struct punch_goal goal; /* without `network`, which is the caller's */
	uint64_t who;           /* stands for the device in the limits */
	bool has_public_peer;   /* both behind the same public address */
	struct address locals[NETWORK_ADDRESSES_MAX];
	unsigned local_count;
	bool is_metered;
	mono_ns now; /* as told last */
	mono_ns began, hold_until, ends_at;
	mono_ns heard_at; /* the last; NEVER: nothing yet */
	bool has_proof;
	unsigned unproved_offers, unproved_lan_offers;
	struct punch_way ways[PUNCH_WAYS];
	unsigned way_count;
	struct punch_spray spray;
	unsigned sent, sprayed, heard;
};

/* --- punch_limits.c --- */

/* What is counted by itself: what dies on the way is not told to who lives at its end; and replies to
 * what the device itself sent from there are, or who called in vain while it was away would not
 * answer it when it comes. */
enum punch_purse { PURSE_PROBES, PURSE_LOWS, PURSE_REPLIES, PURSES };
/* Whether one more datagram may go there that is not part of a spray; counted when it may. */
bool punch_may_send(struct punch_limits *l, const struct address *to, uint64_t who,
		    enum punch_purse purse, mono_ns now);
/* Somebody there has echoed our nonce. */
void punch_has_answered(struct punch_limits *l, const struct address *from, uint64_t who,
			mono_ns now);
/* Sprays. Whether one may begin: nobody else is at it, and neither device nor IP rests. */
enum punch_leave { SPRAY_MAY, SPRAY_MUST_WAIT, SPRAY_MUST_REST };
enum punch_leave punch_may_spray(struct punch_limits *l, const struct punch *p,
				 const struct address *to, mono_ns now);
void punch_spray_rests(struct punch_limits *l, const struct address *to, uint64_t who,
		       mono_ns now);
/* When the next probe that may arrive may leave; and it has left. */
mono_ns punch_spray_due(const struct punch_limits *l);
void punch_spray_left(struct punch_limits *l, mono_ns now);

/* Whether we sent it by this path to this device, not before `since`. */
bool punch_nonce_check(struct punch_limits *l, const struct probe_nonce *nonce, uint64_t who,
		       const struct path *path, mono_ns since, mono_ns now, bool *is_answer,
		       mono_ns *age);
/* True the first time. */
bool punch_nonce_is_new(struct punch_limits *l, const struct probe_nonce *nonce);
uint64_t punch_who(const struct probe_keys *keys);
/* Writes and sends; the caller has asked the limits. `echo` NULL: a probe. */
void punch_write(struct endpoint *e, struct punch_limits *l, const struct path *path,
		 const struct probe_nonce *echo, const struct probe_keys *keys, uint8_t ttl,
		 mono_ns now);

/* --- punch_ways.c --- */

/* NULL: it is of no use, or they are too many. `kind` 0: they were heard from there. */
struct punch_way *punch_way_add(struct punch *p, const struct path *path, int kind);
/* How often it may be tried: an IP with several ports has to share. */
unsigned punch_way_tries(const struct punch *p, const struct punch_way *w);
/* Whether it is worth the large first datagram of a handshake before it has answered. */
bool punch_way_is_worth(const struct punch *p, const struct punch_way *w, bool is_heard);

/* --- punch_spray.c --- */

/* `meet_at`: when both know what the other one's NAT is, and theirs is open. */
void punch_spray_plan(struct punch *p, mono_ns meet_at, mono_ns now);
/* A class is another one: what was planned by the one before is over. */
void punch_spray_again(struct punch *p, mono_ns meet_at, mono_ns now);
void punch_spray_step(struct punch *p, mono_ns now);
mono_ns punch_spray_deadline(const struct punch *p);
void punch_spray_stop(struct punch *p, mono_ns now);

#endif
