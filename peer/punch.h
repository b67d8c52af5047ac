/* One attempt to find paths to one device: which small datagram goes to which address and
 * when. No socket and no clock. docs/protocol.md, Finding a path; docs/architecture.md, walk 3.
 *
 * At once to every candidate (at most 16), again after 20, 60, 140 and 300 ms, and then no more: a
 * handful to an address that has not answered. Where the other side does the same at this
 * moment, IPv4 candidates beyond a NAT get one with a low TTL first, which opens our own NAT
 * and dies before theirs, and the others once theirs must be open. Every authentic probe
 * is answered to where it came from, and that becomes a candidate. When that finds no answer within a
 * round trip (at most PUNCH_PATIENCE), hard NATs are met by prediction and spraying (shared/nat.h),
 * within PUNCH_ limits. */
#ifndef PALIQUE_PEER_PUNCH_H
#define PALIQUE_PEER_PUNCH_H

#include "peer/event.h"
#include "peer/network.h"
#include "shared/clock.h"
#include "shared/endpoint.h"
#include "shared/nat.h"
#include "shared/probe.h"

enum {
	PUNCH_LOW_TTL = 5,   /* HyperDHT, frp: past the NATs at home, before theirs */
	PUNCH_SOCKETS = 512, /* extra ones toward an easy NAT from a hard one */
	/* Probes sprayed that may arrive, in any one second, whoever asks. A router that bans
	 * scanners at 200 in a second does not take us for one, whether it counts by the second or by
	 * a bucket, and with PUNCH_BUDGET on top. Within that they go as fast as PUNCH_PACE: 185 at
	 * once find one of 512 sockets in three of four cases. */
	PUNCH_RATE = 185,
	PUNCH_PACE = 2000, /* in a second */
	/* Probes of one spray that may arrive; and as many with a low TTL, that open our own NAT only
	 * and that nobody else sees. */
	PUNCH_SPRAYED_MAX = 2048,
	/* Of these between a block and a random one: a quarter of what a common router remembers, for half a
	 * minute. */
	PUNCH_OPENED_MAX = 16384,
	/* Datagrams to an IP that has not answered, spraying aside; to a private one: for each
	 * device. */
	PUNCH_BUDGET = 10,
	PUNCH_DAILY = 100, /* in a day, however often our own network is another one */
	PUNCH_HEARD = 128, /* nonces that are remembered, so that none is answered twice */
};
/* ... and one more each time that this has passed and an eighth of all the time since the first: who was
 * away for a while, and is back, is found before an eighth of that while has passed again. That makes 75
 * on the first day and seven on the second, no matter who asks and how often. What has a low TTL is
 * counted by itself, and so are replies. Who has answered once in a day is no stranger. */
#define PUNCH_TRICKLE  (15 * SECOND)
#define PUNCH_DAY      (24 * 3600 * SECOND)
#define PUNCH_PATIENCE (200 * MILLISECOND) /* then the hard cases */
#define PUNCH_LENGTH   (10 * SECOND)
#define PUNCH_COMPARE  (2 * SECOND) /* after the first path others are still compared */
/* After a spray that found nothing, for this device, and for its network whoever asks; each time
 * twice as long, up to PUNCH_DAY. */
#define PUNCH_REST (600 * SECOND)

/* Of two paths that answer the one to use: by kind, but v6 must not be more than a tenth slower
 * than what is used. */
bool path_is_better(enum path_kind a, mono_ns a_round_trip, enum path_kind b,
		    mono_ns b_round_trip);

/* What all attempts of an engine share: how much has gone to whom, who sprays, who rests, which
 * nonces were answered. Zeroed; inside of punch. */
struct punch_limits {
	struct punch_spent *spent; /* a table with a bound */
	unsigned count;
	const struct punch *sprayer;
	mono_ns sprayed_at[PUNCH_RATE]; /* a ring */
	mono_ns paced_until;
	unsigned sprayed;
	struct probe_nonce heard[PUNCH_HEARD]; /* a ring */
	unsigned heard_count;
	uint8_t nonce_key[16];
	bool has_nonce_key;
};
/* Forgets it all; while no attempt lives. */
void punch_limits_clear(struct punch_limits *l);
/* Our network is another one: what did not get through from the old one may be tried again, within
 * PUNCH_DAILY. */
void punch_limits_renew(struct punch_limits *l, mono_ns now);

struct punch_goal {
	struct probe_keys keys;
	struct nat ours, theirs;
	struct candidates candidates; /* theirs, from their signed record */
	struct address seen;          /* by whom introduced us; family 0 */
	struct address our_public;    /* as the directory sees us; family 0 */
	const struct network *network;
	mono_ns our_round_trip, their_round_trip; /* to who introduced us; 0: not known */
	bool is_introduced;                       /* the other side does this now, too */
	/* Not yet, but somebody has been asked to: what lies behind their NAT is left alone until
	 * punch_introduced(), and little is spent on the rest. */
	bool is_awaited;
	bool is_first; /* of both the one whose device key is the smaller: who walks and who waits */
	bool may_spray;
};

struct punch;
/* Begins; the first datagrams are in the endpoint when it returns. */
struct punch *punch_new(struct endpoint *e, struct punch_limits *limits,
			const struct punch_goal *goal, mono_ns now);
/* Its sockets are released, but for those that a link has come to use. */
void punch_free(struct punch *p);
/* One more address (a newer record, an introduction, a LAN announcement): probed at once. */
void punch_add(struct punch *p, const struct address *a, enum candidate_kind kind, mono_ns now);
/* We were introduced after all: `goal` as it would be for punch_new() now. What has answered
 * already stays. */
void punch_introduced(struct punch *p, const struct punch_goal *goal, mono_ns now);
/* Their record is a newer one, or our own NAT is another one than we knew: addresses and classes are
 * taken from `goal`, and hard NATs met as it says; whether we are introduced, and how far who does that
 * is, stays. */
void punch_renewed(struct punch *p, const struct punch_goal *goal, mono_ns now);
/* An authentic probe or answer of the device came by `path`. */
void punch_hear(struct punch *p, const struct path *path, const struct probe *probe,
		mono_ns now);

/* Where the handshake may go, in order, each once; again with is_proved when it has answered; and
 * again, a few times, when it goes on answering after the handshake should have come through. */
struct punch_offer {
	struct path path;
	enum path_kind kind;
	bool is_proved;
	mono_ns round_trip; /* is_proved */
};
bool punch_next(struct punch *p, struct punch_offer *offer);
/* False: it is over, PUNCH_LENGTH has passed (or PUNCH_COMPARE since the first answer). */
bool punch_step(struct punch *p, mono_ns now);
mono_ns punch_deadline(const struct punch *p);
/* What was tried, for people and logs. */
struct punch_report {
	unsigned sent, sprayed, sockets, heard;
	bool is_spraying, is_resting;
};
struct punch_report punch_report(const struct punch *p);

/* An answer to a probe of a device that we are not looking for at the moment: at most
 * as many to one IP as probes. */
void punch_answer(struct endpoint *e, struct punch_limits *limits, const struct path *path,
		  const struct probe *probe, const struct probe_keys *keys, mono_ns now);

#endif
