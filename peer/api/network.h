/* What is known of the network, as faces see it: which NAT is before us, what routers opened,
 * whether anything gets out at all; and the path to a contact. */
#ifndef PALIQUE_PEER_API_NETWORK_H
#define PALIQUE_PEER_API_NETWORK_H

#include "peer/api/call.h"

enum { NETWORK_RELAY_RATE = 256 << 10 }; /* bytes in a second, where nobody says: our choice */

/* "lan", "punched" and so on; NULL: PATH_NONE. */
const char *network_path_kind(enum path_kind kind);
const char *network_consent(enum consent consent);
/* ERR_FORMAT: none of the three. */
int network_consent_parse(enum consent *consent, const char *text);

/* Nothing at all comes back from the directory that is asked, and it is not on this machine. */
bool network_is_blocked(const struct engine_reach *reach, const struct engine_account *account);
/* No address but the loopback's and those of one cable alone: nothing can be reached at all. */
bool network_is_alone(const struct network *network);
/* An IPv4 address beyond this machine is ours. */
bool network_has_ipv4(const struct network *network);
/* An IPv6 address of the internet is ours. */
bool network_has_ipv6(const struct network *network);

struct json *network_view(const struct engine_reach *reach,
			  const struct engine_account *account);
/* Whether and how much we relay for others. */
struct json *network_relay(const struct engine_reach *reach);

/* The sentences for an account that is not online because of it: English, marked. */
extern const char network_blocked_trouble[], network_alone_trouble[];

#endif
