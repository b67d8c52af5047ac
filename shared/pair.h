/* The secret that two identities share without ever having spoken: Diffie-Hellman of both
 * (X25519 from Ed25519, libsodium). What is derived from it can be made and checked by the two
 * and by nobody else, the directory included: probes, announcements on a LAN, forwarding
 * addresses. */
#ifndef PALIQUE_SHARED_PAIR_H
#define PALIQUE_SHARED_PAIR_H

#include "shared/keys.h"

/* The same from both sides: BLAKE2b-256 over "palique-pair-v1" | the shared point | both
 * identities, the smaller first. ERR_AUTH: `theirs` is no good key; `out` is zeroed then. */
int pair_key_make(struct symmetric_key *out, const struct identity *ours,
		  const struct identity_public *theirs);

/* A key for one purpose and one direction between two devices: keyed BLAKE2b under the pair
 * key over `label` | `from` | `to`. */
void pair_key_between(struct symmetric_key *out, const struct symmetric_key *pair,
		      const char *label, const struct device_public *from,
		      const struct device_public *to);

#endif
