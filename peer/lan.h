/* Finding contacts on the same network without anybody's help. An announcement goes to a
 * multicast group from each address of ours (239.255.71.72 for IPv4, ff02::7172 for link-local
 * IPv6; port LAN_PORT), from our main socket; its path.local is that address, path.remote.scope
 * the interface (IPv4: 0, the source says it):
 *
 *   announcement  0x20 | nonce (16) | count (1) | tokens (8 each, shuffled)
 *   reply         0x21 | token (8) | nonce (24) | sealed: the nonce that is answered (16) | record
 *
 * A token is made from the pair key, the announcement's nonce and the source address and port: it
 * names us to one contact and tells everybody else nothing, and is worth nothing sent on from
 * elsewhere. With others that mean nothing they are 16, 32, 64 or 128. Who finds itself named
 * replies to the source with its own signed record, sealed under the pair key
 * (XChaCha20-Poly1305); a reply (answered nonce: its own first 16 bytes) is answered by one of
 * ours, and both dial. Only contacts with CONSENT_DIRECT and our own devices are named and
 * answered, each nonce once. At the start and after each change of the network at 0, 250 and 1000
 * ms, then each LAN_EVERY. docs/protocol.md has the keys. */
#ifndef PALIQUE_PEER_LAN_H
#define PALIQUE_PEER_LAN_H

#include "peer/rooms.h"

enum {
	LAN_PORT = 7271,           /* 7272 and 7273 may be a directory's on the same machine */
	LAN_TOKENS_MAX = 128,      /* in one announcement; more contacts: more of them */
	LAN_HEARD_A_SECOND = 20,   /* announcements looked at; the others are passed over */
	LAN_REPLIES_A_SECOND = 64, /* ... replies */
};
#define LAN_EVERY (60 * SECOND)

/* What the shell has to hear for us (shared/udp.h); what is heard goes to lan_stray(). */
enum { LAN_GROUPS = 2 };
extern const struct address lan_groups[LAN_GROUPS];

struct lan;
struct lan *lan_new(struct rooms *rooms);
void lan_free(struct lan *l);
void lan_set_enabled(struct lan *l, bool is_enabled);
/* True when the datagram was of this kind. */
bool lan_stray(struct lan *l, const struct path *path, struct bytes data);
mono_ns lan_step(struct lan *l);
unsigned lan_heard(const struct lan *l); /* contacts found so since the start */

#endif
