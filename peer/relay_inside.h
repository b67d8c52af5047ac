/* Inside of relay, from the bottom up: relay_legs.c has what both parts need, relay_end.c is one of
 * the two ends that talk, relay_carrier.c is who carries for two others, relay.c hands them what
 * devices say. */
#ifndef PALIQUE_PEER_RELAY_INSIDE_H
#define PALIQUE_PEER_RELAY_INSIDE_H

#include "peer/address_book.h"
#include "peer/reach.h"
#include "peer/relay.h"
#include "peer/way.h"

enum {
	RELAY_ATTEMPTS = 32, /* people at a time for whom a relay is looked for, or is used */
	RELAY_TRIED = 32,    /* relays that are asked for one of them, RELAY_ASKED at a time */
	RELAY_OF_ONE = 6,    /* circuits that one contact may have us carry */
	RELAY_OFFERS_OF_ONE = 8,   /* tunnels that one relay may bring to us */
	RELAY_OPENS_A_MINUTE = 30, /* of one contact, that are looked at */
};
#define RELAY_ANSWER  (3 * SECOND) /* a relay that has not answered by then is not waited for */
#define RELAY_SETTLED (5 * SECOND) /* a direct path for so long: the tunnel is not needed */
#define RELAY_LOOK    (30 * SECOND) /* how often it is seen to what carries nothing */

/* A way at a certain time: which link of it. */
struct relay_leg {
	uintptr_t way;
	uint64_t link_number;
	uint32_t circuit;
};

/* We, one of the ends: one relay that was asked, or uses us as the other end. */
struct relay_ask {
	struct relay_leg leg; /* way 0: none */
	mono_ns until;        /* for its answer */
};
struct relay_attempt {
	uintptr_t target; /* the way that is to be reached; 0: this place is free */
	struct relay_ask asked[RELAY_ASKED];
	unsigned tried_count; /* links of relays that were asked so far */
	uint64_t tried[RELAY_TRIED];
	uint32_t tunnel;              /* 0: none yet */
	bool is_sought;               /* reach has asked for it */
	bool is_calling;              /* others, to be asked then */
	uint64_t futile[RELAY_ASKED]; /* links whose offers led to nothing: a ring */
	unsigned futile_count;
	bool is_ours;                  /* we have asked for it, and dial */
	bool was_used;                 /* a link was in it */
	struct relay_leg leg;          /* of the tunnel */
	mono_ns direct_since, used_at; /* NEVER: not so; when something last needed it */
};

/* We carry: from who asked to who was offered. */
struct relay_circuit {
	struct relay_leg from, to; /* from.way 0: this place is free; to.link_number 0: that one
	                            * is called first, and then offered */
	bool is_joined;
	mono_ns until, used_at; /* until: for the link, and the answer to the offer */
	uint64_t bytes;
};

struct relay_opens { /* how many a contact has said of late */
	uintptr_t way;
	unsigned count;
	mono_ns since;
};

struct relay {
	struct rooms *rooms;
	uint32_t rate; /* 0: we do not relay */
	uint32_t next_circuit;
	mono_ns look_at;
	struct relay_attempt attempts[RELAY_ATTEMPTS];
	struct relay_circuit circuits[RELAY_CIRCUITS];
	struct relay_opens opens[RELAY_CIRCUITS];
	uint64_t carried; /* by circuits that have ended */
};

/* --- relay_legs.c --- */

/* NULL: it is no more. */
struct way *relay_way_numbered(const struct relay *r, uintptr_t number);
/* The way, if the link that the leg is of is still up; else NULL. */
struct way *relay_leg_way(const struct relay *r, const struct relay_leg *leg);
bool relay_leg_is(const struct relay_leg *leg, const struct way *w, uint32_t circuit);
/* A number that is new on the way's link, by our parity. */
uint32_t relay_new_circuit(struct relay *r, const struct way *w);
/* Whether the number is one that the other side of the link may give. */
bool relay_is_theirs(const struct way *w, uint32_t circuit);
/* The person of the way may be talked to, and is linked without a relay. */
bool relay_is_fit(const struct way *w);
void relay_target(uint8_t out[16], const uint8_t nonce[16], const struct person *p,
		  const struct device_public *device);
void relay_say_answer(struct relay *r, struct way *to, uint32_t circuit, int error);
void relay_say_close(struct relay *r, const struct relay_leg *leg);

/* --- relay_end.c --- */

int relay_end_offer(struct relay *r, struct way *from, const struct wire_relay_offer *m);
/* True when the circuit was one of ours. */
bool relay_end_answer(struct relay *r, struct way *from, const struct wire_relay_answer *m);
bool relay_end_close(struct relay *r, struct way *from, uint32_t circuit);
mono_ns relay_end_step(struct relay *r);

/* --- relay_carrier.c --- */

int relay_carrier_open(struct relay *r, struct way *from, const struct wire_relay_open *m);
bool relay_carrier_answer(struct relay *r, struct way *from, const struct wire_relay_answer *m);
bool relay_carrier_close(struct relay *r, struct way *from, uint32_t circuit);
void relay_carrier_stop(struct relay *r); /* switched off: all end */
mono_ns relay_carrier_step(struct relay *r);

#endif
