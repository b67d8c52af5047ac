/* The vault: what makes an account, sealed so that only its owner can open it, and kept by the
 * directory. A random key seals the contents; that key is wrapped twice, by what only the
 * right password gives (OPAQUE's export key) and by the recovery code. So a new password
 * wraps anew and seals nothing anew, and devices that hold the key go on.
 *
 * Contents are padded to steps of 4 KiB: their size says little. docs/protocol.md, Vault. */
#ifndef PALIQUE_SHARED_VAULT_H
#define PALIQUE_SHARED_VAULT_H

#include "shared/consent.h"
#include "shared/device_list.h"
#include "shared/name.h"
#include "shared/opaque.h"

enum {
	VAULT_STEP = 4096,                              /* bytes: padded to a multiple */
	VAULT_SIZE_MAX = 1 << 18,                       /* sealed; our choice */
	VAULT_OVERHEAD = 24 + 16,                       /* nonce and tag */
	VAULT_FIRST_SIZE = VAULT_STEP + VAULT_OVERHEAD, /* without contacts */
	VAULT_CONTACTS_MAX = 3000,      /* contacts, blocked and forgotten ones together */
	VAULT_WRAP_SIZE = 24 + 32 + 16, /* under the password */
	VAULT_RECOVERY_SIZE = 32 + SEAL_OVERHEAD, /* under the recovery code */
	VAULT_SIGNATURE_SIZE = 64,
};
#define VAULT_STAMP_AHEAD (1ull << 45) /* see vault_doubt_stamps() */

/* A contact as all devices of the account shall have it. Of two versions the one with the
 * higher stamp holds; of two with the same stamp the one whose encoding sorts last. */
enum vault_state {
	VAULT_ASKED,  /* listed */
	VAULT_MUTUAL, /* listed, and they were seen to list us */
	VAULT_BLOCKED,
	VAULT_GONE, /* removed here: so that another device does not bring it back */
};
struct vault_contact {
	struct name name;
	enum vault_state state;
	bool has_identity, is_verified;
	struct identity_public identity;
	enum consent consent; /* whether it may have our addresses; never HIDDEN */
	bool is_hidden;       /* we are invisible to them */
	uint64_t stamp; /* raised by each change: wall clock in ms, or one more than before */
};

/* From whom requests are heard. */
enum request_policy { REQUESTS_ANYONE, REQUESTS_LINK, REQUESTS_NONE };

struct vault {
	struct identity identity; /* as secret as secrets get: vault_clear() wipes it */
	/* The one that is about to take its place, kept here before anybody hears of it: the list
	 * of devices tells which of both is the account's. */
	bool has_next;
	struct identity next;
	unsigned past_count;
	struct past_identity past[DEVICE_LIST_PAST_MAX];
	bool has_recovery;
	struct device_public recovery; /* the code's X25519 key: see recovery.h */
	enum request_policy requests;
	bool is_invisible; /* to all */
	uint64_t settings_stamp;
	unsigned count;
	struct vault_contact *contacts; /* owned */
};

void vault_clear(struct vault *v); /* wipes and frees what it owns */

/* Encodes, pads, seals under `key` (XChaCha20-Poly1305, random nonce; bound to name and
 * version). ERR_LIMIT: larger than VAULT_SIZE_MAX. */
int vault_seal(const struct vault *v, const struct symmetric_key *key, const struct name *name,
	       uint64_t version, struct buf *out);
/* ERR_AUTH: another key, name or version, or forged; ERR_FORMAT, ERR_LIMIT, ERR_VERSION: what
 * was sealed is not a vault of ours. Nothing is in `v` then. */
int vault_open(struct vault *v, struct bytes sealed, const struct symmetric_key *key,
	       const struct name *name, uint64_t version);

/* Stamps more than VAULT_STAMP_AHEAD ms (some 1,100 years) above `now` were made by no clock and no
 * count, but by a device that was stolen, for whatever it says to hold for ever: they become 0,
 * the oldest. For who takes something over from a vault that another device wrote. */
void vault_doubt_stamps(struct vault *v, wall_ms now);

/* The identity's word for a version: Ed25519 over "palique-vault-v1" | name | version |
 * BLAKE2b-256 of the sealed bytes. The directory checks it too (ERR_AUTH). */
void vault_sign(uint8_t out[VAULT_SIGNATURE_SIZE], const struct identity *by,
		const struct name *name, uint64_t version, struct bytes sealed);
int vault_verify(const uint8_t signature[VAULT_SIGNATURE_SIZE],
		 const struct identity_public *by, const struct name *name, uint64_t version,
		 struct bytes sealed);

/* The vault's key under a password: the wrapping key is HKDF-Expand(export_key,
 * "palique-vault-v1", 32); bound to the name. ERR_AUTH. */
void vault_wrap(uint8_t out[VAULT_WRAP_SIZE], const struct symmetric_key *key,
		const uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE], const struct name *name);
int vault_unwrap(struct symmetric_key *key, const uint8_t wrapped[VAULT_WRAP_SIZE],
		 const uint8_t export_key[OPAQUE_EXPORT_KEY_SIZE], const struct name *name);

#endif
