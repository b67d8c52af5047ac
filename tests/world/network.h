/* A network as bad as wanted: datagrams are lost, late, doubled, damaged and out of order, machines
 * are cut off from one another, change their addresses and live behind routers of every kind, some
 * of them together. All by dice. */
#ifndef PALIQUE_TESTS_WORLD_NETWORK_H
#define PALIQUE_TESTS_WORLD_NETWORK_H

#include "shared/address.h"
#include "shared/clock.h"
#include "shared/path.h"
#include "tests/nat_box.h"

enum {
	NETWORK_MACHINES_MAX = 9,
	NETWORK_SOCKETS_MAX = 6,    /* of a machine, beside the extra ones (shared/path.h) */
	NETWORK_EXTRA_PORT = 20000, /* an extra socket's port is this and its number */
};

struct internet;

struct weather {
	unsigned loss, duplicate, damage; /* of a thousand datagrams */
	mono_ns delay, jitter;            /* one way; jitter also changes the order */
};

struct network_counts {
	uint64_t datagrams, bytes; /* sent into the network */
	uint64_t lost, duplicated, damaged, cut, nowhere;
	uint64_t low, stopped;                   /* died of their low TTL; at a router */
	uint64_t extra;                          /* sent from extra sockets */
	uint64_t bytes_of[NETWORK_MACHINES_MAX]; /* to and from each machine */
	uint8_t hash[32]; /* over every datagram, its way and its moment */
};

struct arrival {
	unsigned from, to; /* machines */
	struct path path;  /* as the receiver sees it */
	uint8_t *data;     /* until the next network_next(); may be changed */
	size_t size;
};

struct internet *network_new(uint64_t seed);
void network_free(struct internet *n);

/* Where one of the machine's sockets is from now on (family 0: closed); what is under way to the old
 * address is lost. Extra sockets have the IP of socket 0. */
void network_place(struct internet *n, unsigned machine, unsigned socket,
		   const struct address *at);
/* Behind this router; NULL: behind none. Those with one number of a LAN (not 0) reach each other
 * there by their own addresses, and by multicast. */
void network_put_behind(struct internet *n, unsigned machine, struct nat_box *box,
			unsigned lan);
void network_set_weather(struct internet *n, const struct weather *weather);
/* Between two machines nothing passes while they are cut. */
void network_cut(struct internet *n, unsigned a, unsigned b, bool is_cut);
void network_mend(struct internet *n);

void network_send(struct internet *n, unsigned from, const struct path *path, uint8_t ttl,
		  const uint8_t *data, size_t size, mono_ns now);
mono_ns network_deadline(const struct internet *n);
bool network_next(struct internet *n, mono_ns now, struct arrival *a);
struct network_counts network_counts(const struct internet *n);

#endif
