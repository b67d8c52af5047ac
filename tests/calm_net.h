/* A perfect network on a simulated clock: endpoints with an address each, datagrams that
 * arrive at once and in order. For tests of a few rooms; the world has the bad weather. */
#ifndef PALIQUE_TESTS_CALM_NET_H
#define PALIQUE_TESTS_CALM_NET_H

#include "shared/endpoint.h"

enum { CALM_NET_NODES_MAX = 8 };

typedef mono_ns calm_net_step(void *user, mono_ns now, wall_ms wall);

struct calm_net_node {
	struct endpoint *endpoint; /* NULL: down, what is sent there is lost */
	struct address address;
	calm_net_step *step;
	void *user;
	mono_ns deadline;
	uint64_t received;
};

struct calm_net {
	struct calm_net_node nodes[CALM_NET_NODES_MAX];
	unsigned count;
	mono_ns now;
	wall_ms wall;
	bool (*is_cut)(void *user, const struct calm_net_node *from,
		       const struct calm_net_node *to);
	void *cut_user;
};
/* An `is_cut`: nothing arrives anywhere. */
bool calm_net_everything(void *user, const struct calm_net_node *from,
			 const struct calm_net_node *to);

void calm_net_init(struct calm_net *net);
/* 10.0.0.<n>:7000; returns the node's index. */
unsigned calm_net_add(struct calm_net *net, struct endpoint *e, calm_net_step *step,
		      void *user);

/* Lets time pass until `done(user)` or for `length`; true when done. */
bool calm_net_run(struct calm_net *net, mono_ns length, bool (*done)(void *user), void *user);

#endif
