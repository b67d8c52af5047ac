/* A router with a NAT and a filter, as a value: without a clock and without a socket. A datagram
 * from inside goes through nat_box_out(), one from outside through nat_box_in(), at a time that
 * the caller has. The kinds are those of the laboratory. What a network around it has to do itself:
 * a datagram with a low TTL passes its sender's box and dies before any other; what goes from inside to
 * the box's own outer address goes out and in again, if it `hairpins`. */
#ifndef PALIQUE_TESTS_NAT_BOX_H
#define PALIQUE_TESTS_NAT_BOX_H

#include "shared/address.h"
#include "shared/clock.h"
#include "tests/world/dice.h"

enum nat_box_kind {
	BOX_PUBLIC, /* no router, no filter */
	BOX_FW,     /* no NAT, but only answers come in */
	BOX_FC,     /* full cone: one outer port for all, open to all */
	BOX_ARC,    /* ... open to addresses that were written to */
	BOX_PRC,    /* ... open to addresses and ports that were written to */
	BOX_LINUX,  /* as PRC, and the outer port is the inner one where that is free */
	BOX_SYMEIF, /* another port for each destination, open to all */
	BOX_SYMADM, /* another port for each address written to */
	BOX_SYMSEQ, /* another port for each destination: the next one */
	BOX_SYMBLK, /* ... any of a block of 512 */
	BOX_SYM,    /* ... any at all */
	BOX_KINDS,
};
extern const char *const nat_box_names[BOX_KINDS];

struct nat_box_flow {
	struct address inside, remote;
	uint16_t port; /* outside */
	mono_ns used_at;
	bool is_answered;
};

/* Who knocks where nobody has called them. */
struct nat_box_stray {
	struct address from;
	uint16_t port;
	mono_ns at;
};

enum { NAT_BOX_STRAYS = 256, NAT_BOX_SOURCES = 8 };

struct nat_box {
	/* Set by the caller after nat_box_init(). */
	bool is_leaky; /* LINUX: a stray makes state, which takes its port from who calls back */
	bool hairpins;
	bool drops_udp;
	unsigned quota; /* flows at a time; 0: any number */
	unsigned
		scan_limit; /* strays of one IP in a second, and that IP is banned for a minute; 0: any */

	enum nat_box_kind kind;
	struct address outside; /* port 0; PUBLIC and FW: none */
	struct dice dice;
	struct nat_box_flow *flows;
	unsigned count, capacity;
	mono_ns forget_at; /* before that no flow is too old */
	uint16_t next_port, block;
	struct nat_box_stray strays[NAT_BOX_STRAYS]; /* the last */
	uint64_t stray_count;
	struct nat_box_source {
		struct address ip;
		double tokens;
		mono_ns at, banned_until;
	} sources[NAT_BOX_SOURCES];
	uint64_t bans;
};

void nat_box_init(struct nat_box *b, enum nat_box_kind kind, const struct address *outside,
		  uint64_t seed);
void nat_box_clear(struct nat_box *b);
/* It forgets everything and begins elsewhere; `outside` NULL: at the same address. */
void nat_box_rebind(struct nat_box *b, const struct address *outside);

/* From inside: false, it is dropped; else as whom it goes on. */
bool nat_box_out(struct nat_box *b, const struct address *inside, const struct address *to,
		 mono_ns now, struct address *as);
/* From outside, to an address of the box (or of a machine behind one that is no NAT): false, it is
 * dropped; else which socket inside gets it. */
bool nat_box_in(struct nat_box *b, const struct address *from, const struct address *to,
		mono_ns now, struct address *inside);

#endif
