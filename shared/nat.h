/* What a NAT does to the IPv4 packets of one socket, as a value: how it chooses external ports
 * (RFC 4787 section 4.1), whom it lets in (section 5), and where its next ports may be. */
#ifndef PALIQUE_SHARED_NAT_H
#define PALIQUE_SHARED_NAT_H

#include "shared/address.h"

enum nat_mapping {
	NAT_UNKNOWN = 0, /* not probed yet, or nothing answered */
	NAT_NONE = 1,    /* the address is our own */
	NAT_EASY = 2,    /* endpoint-independent: one external port for all */
	/* Another one for each destination: */
	NAT_SEQUENTIAL = 3, /* one or a few above the last */
	NAT_BLOCK = 4,      /* out of a block of ports (carriers: RFC 7422) */
	NAT_RANDOM = 5,     /* anywhere */
};
enum nat_filtering { NAT_FILTER_UNKNOWN = 0, NAT_OPEN = 1, NAT_FILTERED = 2 };

enum {
	NAT_STEP_MAX = 4,      /* a sequential NAT's ports rise by so much at most */
	NAT_SPREAD_MAX = 1024, /* ports within this: a block */
	NAT_SAMPLES_MAX = 4,
	NAT_WINDOW = 64, /* ports guessed at a time before a sequential NAT's last */
	NAT_WINDOW_MAX = 512,
};

struct nat {
	enum nat_mapping mapping;
	enum nat_filtering filtering;
	/* BLOCK: the ports it uses, both included; SEQUENTIAL: low is the last one seen, high its
	 * step; else 0. */
	uint16_t low, high;
};

/* From what several destinations saw of one socket, in the order they were asked (their count, 2
 * to NAT_SAMPLES_MAX; with fewer: UNKNOWN). `ours`: the socket's own address, with which NONE is
 * recognised; its family may be 0. BLOCK's range is the aligned power of two, 512 at least, that holds
 * all samples. Filtering is left UNKNOWN. */
struct nat nat_classify(const struct address *samples, unsigned count,
			const struct address *ours);
/* EASY, NONE: one address serves for all who call. */
bool nat_is_easy(const struct nat *nat);

/* SEQUENTIAL: the port that it gives after `ahead` more flows, as far as is known; never one below
 * 1024. */
uint16_t nat_port_after(const struct nat *nat, unsigned ahead);

/* Guesses for the next external port, best first and without end. SEQUENTIAL: windows of
 * NAT_WINDOW above the last, growing up to NAT_WINDOW_MAX; BLOCK: all of it in random order, again
 * and again; else 1024 to 65535 in random order without a repeat in a round. Randomness is
 * libsodium's; a permutation is made without a table. Zeroed and begun by nat_guess_begin(). */
struct nat_guess {
	struct nat nat;
	uint32_t at, round;
	uint8_t key[16];
};
void nat_guess_begin(struct nat_guess *g, const struct nat *nat);
uint16_t nat_guess_next(struct nat_guess *g);

#endif
