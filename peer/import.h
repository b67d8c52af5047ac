/* An account that comes into this home out of an archive (peer/archive.h): checked whole
 * before anything is put in place, and put in place so that a crash leaves the home as it was
 * or the account whole. Blocks. */
#ifndef PALIQUE_PEER_IMPORT_H
#define PALIQUE_PEER_IMPORT_H

#include "peer/home.h"
#include "shared/bytes.h"

/* Takes the home's lock meanwhile. ERR_LOCKED: an engine runs here; ERR_EXISTS: the home has an
 * account, or a history, or a store that cannot be looked into; else as archive_read() and
 * store_open(). On failure `reason` gets a sentence, and nothing has changed. */
int import_account(const struct home *home, const char *file, struct bytes passphrase,
		   char *reason, size_t reason_size);

/* Before the store is opened, under the home's lock: finishes what a crash interrupted if the
 * account was whole by then, and removes what was left otherwise. */
int import_settle(const struct home *home, char *reason, size_t reason_size);

#endif
