/* Through a contact of both where there is no direct path. As one of the two ends: asks contacts
 * who have agreed to relay (their record says so), those with the best connection first, up to
 * three at a time; the tunnel that comes of it is given to reach, whose own attempts go on behind
 * it. As the relay, where our person has switched that on: joins two of our contacts,
 * RELAY_CIRCUITS at a time, each up to a rate; nothing is looked at. */
#ifndef PALIQUE_PEER_RELAY_H
#define PALIQUE_PEER_RELAY_H

#include "peer/rooms.h"
#include "shared/wire.h"

struct way;
struct relay;

enum {
	RELAY_CIRCUITS = 32,
	RELAY_ASKED = 3,
	RELAY_RATE_MIN = 16 << 10, /* bytes in a second: less carries no conversation */
};
#define RELAY_AGAIN (30 * SECOND)
#define RELAY_IDLE  (360 * SECOND) /* a circuit that carries nothing ends */

struct relay *relay_new(struct rooms *rooms);
void relay_free(struct relay *r);
/* Whether we relay, and how much in a second for each two; kept in the store. ERR_LIMIT: below
 * RELAY_RATE_MIN. */
int relay_set(struct relay *r, bool is_on, uint32_t rate);
bool relay_is_on(const struct relay *r, uint32_t *rate);
/* RELAY_* of a device. Below 0: it broke the protocol. */
int relay_hear(struct relay *r, struct way *from, const struct wire_message *m);
mono_ns relay_step(struct relay *r);

struct relay_report {
	unsigned circuits; /* that we carry for others */
	uint64_t bytes;
};
struct relay_report relay_report(const struct relay *r);
/* Who carries the tunnel, for the view; NULL: none of ours. */
const struct name *relay_of_tunnel(const struct relay *r, uint32_t tunnel);

#endif
