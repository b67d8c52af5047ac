/* A way to be reached: an address, how it was found and how much it is worth. */
#ifndef PALIQUE_SHARED_CANDIDATE_H
#define PALIQUE_SHARED_CANDIDATE_H

#include "shared/address.h"

/* RFC 8445 section 5.1.1 */
enum candidate_kind {
	CANDIDATE_HOST = 1,
	CANDIDATE_REFLEXIVE = 2, /* as the directory saw it */
	CANDIDATE_MAPPED = 3,    /* by UPnP, NAT-PMP or PCP */
	CANDIDATE_RELAY = 4,
};

enum { CANDIDATES_MAX = 16 }; /* in one presence record */

struct candidate {
	enum candidate_kind kind;
	struct address address;
};

struct candidates {
	unsigned count;
	struct candidate list[CANDIDATES_MAX];
};

/* RFC 8445 section 5.1.2.1: type preference, then local preference (v6 before v4, LAN first). */
uint32_t candidate_priority(const struct candidate *c);

/* Adds unless the address is there already, not unicast, or the list is full (then
 * the least worthy one gives way). Keeps the list sorted by falling priority. A scope is
 * dropped: it says nothing to another machine. */
void candidates_add(struct candidates *all, enum candidate_kind kind, const struct address *a);

#endif
