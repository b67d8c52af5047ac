/* By which addresses we can be reached, and what NAT is before us: our interfaces' addresses, the
 * one by which the directory sees us, those that routers have mapped for us. */
#ifndef PALIQUE_PEER_CANDIDATES_H
#define PALIQUE_PEER_CANDIDATES_H

#include "peer/network.h"
#include "shared/candidate.h"
#include "shared/nat.h"

struct own_candidates;

struct own_candidates *own_candidates_new(void);
void own_candidates_free(struct own_candidates *c);

void own_candidates_set_network(struct own_candidates *c, const struct network *network);
/* One of each family is kept: the line may be of v6, and v4 seen beside it. NULL: nothing is
 * known. */
void own_candidates_set_observed(struct own_candidates *c, const struct address *observed);
void own_candidates_set_nat(struct own_candidates *c, const struct nat *nat);
/* What routers have mapped to our port; those whose outer address is not the one by which the
 * directory sees us (a carrier's NAT is behind the router, or it lies) are kept and not
 * published. */
void own_candidates_set_mapped(struct own_candidates *c, const struct address *list,
			       unsigned count);

/* What to publish. Loopback addresses only when the directory sees us by loopback: then
 * contacts may be on this machine too, else they would find a stranger there. */
const struct candidates *own_candidates(const struct own_candidates *c);
const struct network *own_candidates_network(const struct own_candidates *c);
const struct nat *own_candidates_nat(const struct own_candidates *c);
/* v4 before v6; family 0: none. */
const struct address *own_candidates_observed(const struct own_candidates *c);
/* Raised whenever one of the above changed. */
uint64_t own_candidates_version(const struct own_candidates *c);

#endif
