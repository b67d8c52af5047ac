/* What a QUIC datagram shows from outside, before any key: our own version number in
 * long headers, and whose connection id it names. */
#ifndef PALIQUE_SHARED_QUIC_WIRE_H
#define PALIQUE_SHARED_QUIC_WIRE_H

#include "shared/bytes.h"

enum {
	QUIC_VERSION_OURS = 0x70616c01, /* "pal", 1: on the wire in every long header */
	QUIC_CID_SIZE = 8,              /* of the connection ids we give out */
	QUIC_STRAY_BELOW = 64,          /* first byte below: not QUIC (RFC 9443) */
};

/* The library speaks version 1 only, so the number is exchanged in every coalesced
 * packet: ours for 1 going out, 1 for ours coming in. What is authenticated is 1 at
 * both ends. Incoming: ERR_FORMAT for another version (0, Version Negotiation, too)
 * or lengths that do not fit. */
int quic_wire_in(uint8_t *datagram, size_t size);
void quic_wire_out(uint8_t *datagram, size_t size);

/* The destination connection id: an empty view if there is none. */
struct bytes quic_wire_dcid(const uint8_t *datagram, size_t size);
bool quic_wire_is_long(const uint8_t *datagram, size_t size);

#endif
