/* The inside of port_map, for the files that make it up and nobody else: port_map.c (the ways to a
 * router and what they come to), port_map_ask.c (one of them, by datagram). */
#ifndef PALIQUE_PEER_PORT_MAP_INSIDE_H
#define PALIQUE_PEER_PORT_MAP_INSIDE_H

#include "peer/pcp.h"
#include "peer/port_map.h"

/* Asked again after this, doubled each time; RFC 6886 section 3.1 (RFC 6887 section 8.1.1 would
 * wait 3 s, for networks that a LAN is not). */
#define PORT_ASK_FIRST (250 * MILLISECOND)
enum { PORT_ASK_TRIES = 6 }; /* nobody is there: 16 s */
/* Renewed at half of its life, not more often than this (RFC 6887 section 11.2.1), and so
 * often at least that a router that forgot is noticed. */
#define PORT_ASK_SOONEST (4 * SECOND)
#define PORT_ASK_LATEST  (900 * SECOND)
#define PORT_LIFE_MAX    86400 /* seconds: no router is believed to remember longer */

/* One mapping by PCP or NAT-PMP: what we ask a router for, and what it said. */
struct port_ask {
	bool is_pcp;
	uint8_t family;
	const uint8_t *key; /* 32 bytes, the owner's: nonces are made from it */
	enum port_map_state state;
	struct address gateway, toward; /* the latter with our port; family 0: OFF */
	struct address outer;           /* HELD; before that what we would like, or family 0 */
	struct pcp_nonce nonce;
	bool is_waiting; /* for an answer */
	unsigned tries;
	mono_ns due;  /* the next question */
	mono_ns ends; /* HELD: the mapping */
	bool has_epoch;
	uint32_t epoch;
	mono_ns epoch_at;
	/* NAT-PMP answers in two parts. */
	bool has_ip, has_port;
	uint8_t ip[4];
	uint16_t port;
	uint32_t life;
	int error;
	bool has_forgotten; /* the router, as its clock tells: taken by the owner */
	bool was_told;      /* the log, of what makes no sense */
};

/* Asks there from now on; family 0: not at all. `is_anew`: even if it is the same place. */
void port_ask_begin(struct port_ask *a, const struct address *gateway,
		    const struct address *toward, bool is_anew, mono_ns now);
/* Sends what is due; the next moment for it. */
mono_ns port_ask_step(struct port_ask *a, struct endpoint *e, mono_ns now);
/* Something came from the gateway's port; decoded, and about this way. */
void port_ask_hear(struct port_ask *a, const struct pcp_answer *answer, mono_ns now);
/* It was no answer at all. */
void port_ask_tell_nonsense(struct port_ask *a, const char *why);
/* Away with what there is, or may be, and no more asked. */
void port_ask_end(struct port_ask *a, struct endpoint *e);

#endif
