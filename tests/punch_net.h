/* Two machines that look for each other, each behind a box, and the directory that introduces them:
 * real attempts (peer/punch.h) over simulated routers, loss and time. The endpoint is a pretended
 * one: the test that uses this defines the three functions of it that an attempt calls, by those
 * below (tests/punch_story.h), and links no other. */
#ifndef PALIQUE_TESTS_PUNCH_NET_H
#define PALIQUE_TESTS_PUNCH_NET_H

#include "peer/punch.h"
#include "tests/nat_box.h"

struct punch_net;
struct flying;

/* One side. */
struct endpoint {
	struct punch_net *net;
	unsigned number;
	struct nat_box *box;   /* its own, or the other's when both live behind that */
	struct address home;   /* of its main socket; the extra ones have ports of their own */
	mono_ns to_core;       /* from its box to the middle of the world, one way */
	mono_ns to_box;        /* from itself to its box */
	mono_ns introduced_at; /* after the directory spoke */
	struct punch_goal goal;
	struct network network;
	struct punch_limits limits;
	struct punch *punch;
	struct punch_report report; /* of the last step */
	bool in_use[PATH_EXTRA_MAX];
	unsigned sockets_at_once;
	bool is_over;
	/* The handshake, as far as it matters here. */
	bool is_dialler, is_linked;
	mono_ns linked_at;
	struct punch_offer linked;
	unsigned unproved_offers, proved_offers;
	mono_ns first_offer_at;
};

enum { PUNCH_NET_STRANGERS = 64 };

struct punch_net {
	struct endpoint sides[2];
	struct nat_box boxes[2];
	struct dice dice;
	unsigned loss; /* of 1000, at each of the two access links */
	mono_ns now;
	struct flying *flying;
	uint64_t order;
	/* What went to addresses that are nobody's. */
	struct {
		struct address ip;
		unsigned count;
	} strangers[PUNCH_NET_STRANGERS];
	unsigned stranger_count;
	unsigned initials, low_ones, probes;
	/* Sees every datagram as it leaves; false: it is lost. */
	bool (*tap)(struct punch_net *net, unsigned from, const struct path *path,
		    struct bytes data, uint8_t ttl);
	void *user;
};

/* Boxes of these kinds at 203.0.113.1 and 198.51.100.1, machines at 192.168.1.2 and .2.2 (or at the
 * outer address where there is no NAT), 20 ms to the middle of the world from each. */
void punch_net_init(struct punch_net *net, enum nat_box_kind a, enum nat_box_kind b,
		    uint64_t seed);
void punch_net_clear(struct punch_net *net);
/* endpoint_send_stray(), endpoint_extra_socket() and endpoint_release_socket(). */
void punch_net_send(struct endpoint *e, const struct path *path, struct bytes data,
		    uint8_t ttl);
uint16_t punch_net_socket(struct endpoint *e);
void punch_net_release(struct endpoint *e, uint16_t socket);
/* Each asks four sockets of the directory how they see it, one after the other; the goals are filled
 * by what they have learned. */
void punch_net_classify(struct punch_net *net);
/* The directory speaks now; until both have a proof or one has a link that it dialled, or for
 * `length`. True: linked. */
bool punch_net_run(struct punch_net *net, mono_ns length);
/* Both forget their attempts, but not what these have spent, and the directory speaks anew. */
void punch_net_again(struct punch_net *net);
/* A datagram as if `from` had sent it to the outer address `to`. */
void punch_net_inject(struct punch_net *net, const struct address *from,
		      const struct address *to, struct bytes data);
unsigned punch_net_went_to(const struct punch_net *net, const char *ip);

#endif
