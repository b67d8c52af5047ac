/* A network as bad as wanted: datagrams are lost, late, doubled, damaged and out of order,
 * machines are cut off from one another and change their addresses. All by dice. */
#ifndef PALIQUE_TESTS_WORLD_NETWORK_H
#define PALIQUE_TESTS_WORLD_NETWORK_H

#include "shared/address.h"
#include "shared/clock.h"

enum { NETWORK_MACHINES_MAX = 9 };

struct network;

struct weather {
	unsigned loss, duplicate, damage; /* of a thousand datagrams */
	mono_ns delay, jitter;            /* one way; jitter also changes the order */
};

struct network_counts {
	uint64_t datagrams, bytes; /* sent into the network */
	uint64_t lost, duplicated, damaged, cut, nowhere;
	uint64_t bytes_of[NETWORK_MACHINES_MAX]; /* to and from each machine */
	uint8_t hash[32]; /* over every datagram, its way and its moment */
};

struct arrival {
	unsigned from, to;     /* machines */
	struct address sender; /* as the receiver sees it */
	uint8_t *data;         /* until the next network_next(); may be changed */
	size_t size;
};

struct network *network_new(uint64_t seed);
void network_free(struct network *n);

/* Where datagrams to `at` go from now on; what is under way to the old address is lost. */
void network_place(struct network *n, unsigned machine, const struct address *at);
void network_set_weather(struct network *n, const struct weather *weather);
/* Between two machines nothing passes while they are cut. */
void network_cut(struct network *n, unsigned a, unsigned b, bool is_cut);
void network_mend(struct network *n);

void network_send(struct network *n, unsigned from, const struct address *to,
		  const uint8_t *data, size_t size, mono_ns now);
mono_ns network_deadline(const struct network *n);
bool network_next(struct network *n, mono_ns now, struct arrival *a);
struct network_counts network_counts(const struct network *n);

#endif
