/* What the next packet of a link says: a proof, a datagram, a stream's bytes, or a ping. */
#ifndef PALIQUE_SHARED_LINK_WRITE_H
#define PALIQUE_SHARED_LINK_WRITE_H

#include "shared/clock.h"
#include "shared/quic_compat.h"

struct link;

/* Writes a datagram of at most `size` bytes: its size; 0: nothing now; negative: the library's
 * error. */
ngtcp2_ssize link_write_next(struct link *l, uint8_t *room, size_t size, mono_ns now);

#endif
