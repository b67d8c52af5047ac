/* What is said to a router about ports, as bytes: the Port Control Protocol's MAP (RFC 6887), and
 * NAT-PMP (RFC 6886), which is its version 0. Pure; UDP only. */
#ifndef PALIQUE_PEER_PCP_H
#define PALIQUE_PEER_PCP_H

#include "shared/address.h"

enum {
	PCP_PORT = 5351,         /* of the router; RFC 6887 section 19, RFC 6886 section 3.1 */
	PCP_DATAGRAM_MAX = 1100, /* RFC 6887 section 7 */
	PCP_MAP_SIZE = 60,       /* a question, without options */
	NATPMP_ADDRESS_SIZE = 2,
	NATPMP_MAP_SIZE = 12,
};

/* By which a router knows again who made a mapping. RFC 6887 section 11.1 */
struct pcp_nonce {
	uint8_t bytes[12];
};

struct pcp_question {
	struct pcp_nonce nonce;
	struct address client; /* ours toward the router; its port is that to be mapped */
	struct address outer;  /* what we would like, or had; family 0: whatever there is */
	uint32_t life;         /* seconds; 0: away with it */
};
void pcp_map_encode(uint8_t out[PCP_MAP_SIZE], const struct pcp_question *q);

/* The address by which the router is seen. */
void natpmp_address_encode(uint8_t out[NATPMP_ADDRESS_SIZE]);
/* `outer_port` 0: whatever there is. Life 0: away with it. */
void natpmp_map_encode(uint8_t out[NATPMP_MAP_SIZE], uint16_t port, uint16_t outer_port,
		       uint32_t life);

enum pcp_kind {
	PCP_MAP, /* all but `version` is set; outer.family 0 where the result is not 0 */
	PCP_OTHER_VERSION, /* it speaks `version`, not what it was asked in */
	NATPMP_ADDRESS,    /* result, epoch, outer without a port */
	NATPMP_MAP,        /* result, epoch, life, port, outer.port (family 0) */
};
struct pcp_answer {
	enum pcp_kind kind;
	uint8_t version;
	uint16_t result; /* 0: done. RFC 6887 section 7.4, RFC 6886 section 3.5 */
	uint32_t life;   /* seconds; with another result: how long that will be so */
	uint32_t epoch;  /* seconds since the router last forgot all */
	struct pcp_nonce nonce;
	uint16_t port; /* ours */
	struct address outer;
};
/* ERR_FORMAT: not an answer about UDP, or a mapping to what nobody could send to. */
int pcp_decode(struct pcp_answer *a, struct bytes datagram);

/* Whether a router that said `before` and now says `epoch`, `elapsed` seconds of ours later, still
 * has what it had. RFC 6887 section 8.5 */
bool pcp_epoch_goes_on(uint32_t before, uint32_t epoch, uint64_t elapsed);

#endif
