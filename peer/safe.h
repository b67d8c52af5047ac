/* Keeps the vault here and the one at the directory the same: puts a new version when something
 * that belongs into it changed here, takes in what another device of ours put there. A version
 * counts when our identity signed it and it is above the highest seen; what is newer of each
 * contact and setting holds. docs/protocol.md, Vault. */
#ifndef PALIQUE_PEER_SAFE_H
#define PALIQUE_PEER_SAFE_H

#include "peer/rooms.h"
#include "shared/wire.h"

struct safe;

#define SAFE_PAUSE (1 * SECOND)  /* between two versions: changes come in company */
#define SAFE_RETRY (60 * SECOND) /* after a refusal */

struct safe *safe_new(struct rooms *rooms);
void safe_free(struct safe *s);

/* VAULT_PART, VAULT_NOW, and REFUSAL of what we said; others are passed over. */
void safe_hear(struct safe *s, const struct wire_message *m);
/* A new session began: the account was told which version is kept there. */
void safe_welcomed(struct safe *s);
/* What another device of ours put is on its way here. */
bool safe_is_fetching(const struct safe *s);
/* Does what is due; returns when it wants to be called again. */
mono_ns safe_step(struct safe *s);
/* After the commit: says what is to be said. */
void safe_release(struct safe *s);
/* It failed: what was about to be put may hold what was not kept. */
void safe_undo(struct safe *s);

#endif
