/* Finding contacts on the same network without anybody's help. An announcement goes to a multicast
 * group of each interface (239.255.71.72 and ff02::7172, port LAN_PORT), from our main socket:
 *
 *   announcement  0x20 | nonce (16) | count (1) | tokens (8 each, shuffled)
 *   reply         0x21 | token (8) | nonce of XChaCha20-Poly1305 (24) | sealed record
 *
 * A token is made from the pair key, the announcement's nonce and the source address and port: it
 * names us to one contact and tells everybody else nothing, and is worth nothing sent on from
 * elsewhere. Who finds itself named replies to the source with its own signed record, sealed
 * under the pair key; a reply is answered by one of ours, and both dial. Only contacts with
 * CONSENT_DIRECT are named and answered. At the start and after each change of the network at 0, 250 and 1000 ms,
 * then each LAN_EVERY. */
#ifndef PALIQUE_PEER_LAN_H
#define PALIQUE_PEER_LAN_H

#include "peer/rooms.h"

enum {
	LAN_PORT = 7273,
	LAN_TOKENS_MAX = 128,    /* in one announcement; more contacts: more of them */
	LAN_HEARD_A_SECOND = 20, /* announcements looked at; the others are passed over */
};
#define LAN_EVERY (60 * SECOND)

struct lan;
struct lan *lan_new(struct rooms *rooms);
void lan_free(struct lan *l);
void lan_set_enabled(struct lan *l, bool is_enabled);
/* True when the datagram was of this kind. */
bool lan_stray(struct lan *l, const struct path *path, struct bytes data);
mono_ns lan_step(struct lan *l);
unsigned lan_heard(const struct lan *l); /* contacts found so since the start */

#endif
