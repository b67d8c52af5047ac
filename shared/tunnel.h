/* The tunnels of an endpoint, and the circuits that it relays: what comes over a link marked with
 * a circuit, and where it goes. Two halves of a datagram are put together here, one
 * datagram a circuit at a time. */
#ifndef PALIQUE_SHARED_TUNNEL_H
#define PALIQUE_SHARED_TUNNEL_H

#include "shared/bytes.h"
#include "shared/clock.h"
#include "shared/endpoint.h"
#include "shared/link_datagram.h"

enum { RELAY_BURST_MIN = 32 << 10 }; /* bytes that may go at once, or a quarter second's */

/* Zeroed: none. */
struct tunnels {
	struct tunnel *own[ENDPOINT_TUNNELS_MAX];
	struct relayed *relayed[ENDPOINT_TUNNELS_MAX];
	uint32_t last; /* number given */
};

void tunnels_clear(struct tunnels *t);
/* The link goes: its tunnels and circuits end. */
void tunnels_forget(struct tunnels *t, const struct link *l);

/* As the functions of the same names in shared/endpoint.h. */
uint32_t tunnels_open(struct tunnels *t, struct link *via, uint32_t circuit);
void tunnels_close(struct tunnels *t, uint32_t number);
int tunnels_join(struct tunnels *t, struct link *a, uint32_t circuit_a, struct link *b,
		 uint32_t circuit_b, uint32_t rate, mono_ns now);
void tunnels_part(struct tunnels *t, const struct link *a, uint32_t circuit_a);
uint64_t tunnels_carried(const struct tunnels *t, const struct link *a, uint32_t circuit_a);

/* Nothing if there is no such tunnel any more, or its link is in one itself. */
void tunnels_send(struct tunnels *t, uint32_t number, struct bytes datagram);
/* What came over `via`: relayed, dropped, or for a tunnel of ours. Then its number and the
 * whole datagram (at most LINK_CARRIED_MAX bytes, to be changed in place, until the next
 * call); else 0. */
uint32_t tunnels_receive(struct tunnels *t, struct link *via, struct carried *c,
			 uint8_t **datagram, size_t *size, mono_ns now);

#endif
