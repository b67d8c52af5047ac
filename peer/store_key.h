/* The key of a home's store: FOLDER/store.key, plain or locked under a passphrase; and whether
 * there was a store, so that one that went missing is not silently begun anew.
 *
 *   plain:   64 hexadecimal digits and a newline
 *   locked:  "palique-key\n" | version 1 | KSF id 1 (shared/ksf.h) | salt 16 |
 *            nonce 24 | the key, sealed (48): XChaCha20-Poly1305 under Argon2id(passphrase, salt);
 *            what stands before the nonce is its AD
 *
 * The file is replaced whole, so that a crash leaves the one or the other. Who holds the home's
 * lock may call these, or who holds its start lock: then no engine begins meanwhile. All that take a
 * passphrase block for the second that Argon2id takes. On failure `reason` gets a sentence that
 * says what to do. */
#ifndef PALIQUE_PEER_STORE_KEY_H
#define PALIQUE_PEER_STORE_KEY_H

#include "peer/home.h"
#include "shared/keys.h"
#include "shared/ksf.h"

enum store_key_kind { STORE_KEY_NONE, STORE_KEY_PLAIN, STORE_KEY_LOCKED };

/* ERR_IO, ERR_REFUSED (others may read it), ERR_CORRUPT, ERR_VERSION. */
int store_key_look(const struct home *home, enum store_key_kind *kind, char *reason,
		   size_t reason_size);

/* The key, made on first use. `passphrase` without data: none at hand. The caller wipes `key`.
 * ERR_LOCKED: it is locked and there is no passphrase; ERR_AUTH: it is another one;
 * ERR_NOT_FOUND: there is a store but no key, or there was a store and it is gone; otherwise as
 * above. Nothing is ever overwritten. */
int store_key_open(const struct home *home, struct bytes passphrase, struct symmetric_key *key,
		   char *reason, size_t reason_size);

/* Locks a plain key. ERR_STATE: it is locked already; ERR_NOT_FOUND: there is none yet. What
 * was on the disk before is overwritten, which flash memory may not do. */
int store_key_lock(const struct home *home, struct bytes passphrase, enum ksf ksf, char *reason,
		   size_t reason_size);
/* Another passphrase; ERR_AUTH: the old one is wrong; ERR_STATE: it is not locked. */
int store_key_change(const struct home *home, struct bytes old_passphrase,
		     struct bytes new_passphrase, enum ksf ksf, char *reason,
		     size_t reason_size);
/* The lock goes for good. As above. */
int store_key_free(const struct home *home, struct bytes passphrase, char *reason,
		   size_t reason_size);

/* A plain key file of any name in the home, replaced whole. */
int store_key_write(const struct home *home, const char *name, const struct symmetric_key *key);

/* What a file says, which may be anything. ERR_CORRUPT: no key; ERR_VERSION: of a newer program;
 * ERR_LOCKED, ERR_AUTH as above; ERR_FULL: no memory for Argon2id. */
int store_key_parse(struct bytes file, struct bytes passphrase, struct symmetric_key *key,
		    enum store_key_kind *kind);

/* From now on a missing store is a loss, not a beginning. */
int store_key_store_is_made(const struct home *home);
/* The loss is accepted: an empty store may be made. What is left of the old one stays under
 * other names, and so does the key. ERR_EXISTS: there is a store. */
int store_key_begin_anew(const struct home *home, char *reason, size_t reason_size);

#endif
