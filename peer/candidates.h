/* By which addresses we can be reached: our interfaces', given by the shell, and the one by
 * which the directory sees us. */
#ifndef PALIQUE_PEER_CANDIDATES_H
#define PALIQUE_PEER_CANDIDATES_H

#include "shared/candidate.h"

struct own_candidates;

struct own_candidates *own_candidates_new(void);
void own_candidates_free(struct own_candidates *c);

/* Both return true when what would be published changed. `observed` NULL: not known. */
bool own_candidates_set_host(struct own_candidates *c, const struct address *list,
			     unsigned count, uint16_t port);
bool own_candidates_set_observed(struct own_candidates *c, const struct address *observed);

/* What to publish. Loopback addresses only when the directory sees us by loopback: then
 * contacts may be on this machine too, else they would find a stranger there. */
const struct candidates *own_candidates(const struct own_candidates *c);

#endif
