/* IP address and port as a value: parse, print, compare, classify. */
#ifndef PALIQUE_SHARED_ADDRESS_H
#define PALIQUE_SHARED_ADDRESS_H

#include "shared/bytes.h"

/* v4 addresses are kept as v4 (family 4), never as v4-mapped v6. */
struct address {
	uint8_t family; /* 4, 6, or 0 for none */
	uint16_t port;  /* host byte order */
	uint8_t ip[16]; /* network byte order; the first 4 for v4, rest zero */
	uint32_t scope; /* interface index for link-local v6, else 0; never on the wire */
};

enum { ADDRESS_TEXT_SIZE = 64 }; /* "[ipv6%scope]:port", NUL included */
enum { ADDRESS_WIRE_MAX = 18 };

/* "1.2.3.4:5", "[::1]:5"; without a port `default_port` is used (0: a port is
 * required). Numbers only: host names are resolved by a shell. ERR_FORMAT. */
int address_parse(struct address *a, const char *text, uint16_t default_port);
void address_print(const struct address *a, char out[ADDRESS_TEXT_SIZE]);
bool address_equal(const struct address *a, const struct address *b); /* ip and port */
bool address_same_ip(const struct address *a, const struct address *b);

bool address_is_loopback(const struct address *a);
bool address_is_link_local(const struct address *a); /* 169.254/16, fe80::/10 */
bool address_is_private(const struct address *a);    /* RFC 1918, RFC 6598, fc00::/7 */
/* None of the three: of the internet, as far as the address itself tells. */
bool address_is_global(const struct address *a);
bool address_is_multicast(const struct address *a);
/* Not zero, multicast or broadcast; port not 0. */
bool address_is_unicast(const struct address *a);

/* The first /24 of v4 or /48 of v6: what limits count by. */
struct address address_prefix(const struct address *a);

/* 4 or 16 bytes of IP, then the port big-endian: 6 or 18 bytes. */
int address_encode(const struct address *a, struct buf *out);
int address_decode(struct address *a, struct bytes b);

/* To and from struct sockaddr_storage (given as memory of at least 128 bytes): v4 is
 * written as v4-mapped v6 when `mapped`. Returns the size used. */
size_t address_to_sockaddr(const struct address *a, bool mapped, void *sockaddr);
int address_from_sockaddr(struct address *a, const void *sockaddr);

#endif
