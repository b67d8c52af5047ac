/* A few endpoints and the network between them, in memory, on simulated time: what the
 * tests of links stand on. */
#ifndef PALIQUE_TESTS_LINK_NET_H
#define PALIQUE_TESTS_LINK_NET_H

#include "shared/endpoint.h"

enum { NET_NODES_MAX = 300, NET_KINDS = STRAY + 1, NET_EXTRA_PORT = 20000 };

struct net;
struct net_packet {
	struct net_packet *next;
	mono_ns at;
	uint64_t order;
	struct address from, to;
	size_t size;
	uint8_t data[];
};

struct net_node {
	struct endpoint *e;
	struct endpoint_config config;
	struct identity identity;
	struct address address; /* where it sends from and is found */
	/* An extra socket has the same IP and a port of its own: NET_EXTRA_PORT and up. */
	bool is_open[PATH_EXTRA_MAX];
	unsigned open_count, closed_count;
	bool is_dead; /* its packets vanish, it is never called */
	/* what has been told */
	unsigned told[NET_KINDS];
	unsigned first_told; /* the kind told first since set to NET_KINDS */
	struct link *link;   /* the last that came up and is not down */
	int down_error;
	uint64_t down_code;
	struct buf token, words;
	struct path stray_path; /* of the last STRAY */
	bool is_deaf;           /* takes no events */
	bool is_reading;        /* consumes what arrives */
	struct buf inbox;       /* what was read from any stream */
	bool has_end;
	int64_t abandoned_stream; /* the last that was, and why */
	uint64_t abandoned_code;
	uint64_t sent, sent_bytes; /* datagrams that left it */
	uint64_t received;
};

struct net {
	mono_ns now, delay, jitter;
	unsigned loss;       /* of 1000 */
	uint8_t hops;        /* from node to node: less time to live does not arrive */
	unsigned duplicates; /* of 1000 */
	uint64_t random, order;
	struct net_packet *packets;
	struct net_node nodes[NET_NODES_MAX];
	unsigned count;
	/* Sees every datagram before it leaves; false drops it. May change it and send more. */
	bool (*tap)(struct net *net, unsigned from, struct datagram *d, uint8_t *data);
	void *user;
};

void net_init(struct net *net);
void net_clear(struct net *net);

/* Number n gets 10.0.0.(n+1):1000 and a fresh device, identity, certificate and knock. */
unsigned net_add(struct net *net, enum endpoint_policy policy);
/* Every one of the first `count` admits every other. */
void net_befriend(struct net *net, unsigned count);
/* The process behind a node starts anew, keys kept. */
void net_restart(struct net *net, unsigned n);
struct link_target net_target(const struct net *net, unsigned to);
struct link *net_dial(struct net *net, unsigned from, unsigned to);

/* A datagram as if from anywhere. */
void net_inject(struct net *net, const struct address *from, const struct address *to,
		struct bytes data, mono_ns after);

/* Runs until nothing happens before `until` any more; time is then `until`. */
void net_run(struct net *net, mono_ns duration);
/* Until `condition` or the duration has passed: whether it holds. */
bool net_run_until(struct net *net, bool (*condition)(struct net *net), mono_ns duration);
/* What is due now: sends, events; without waiting. */
void net_flush(struct net *net);

void net_write(struct net *net, unsigned n, int64_t stream, const char *text);
bool net_inbox_is(const struct net *net, unsigned n, const char *text);

#endif
