/* The directory's own key, in a file of its data folder: the Noise static key that links pin.
 * Made once, never written over. What passwords hang on is the key-holder's and lies apart
 * (directory/secrets.h).
 *
 *   DATA/keys: "palique-directory-keys 2\n" | Noise secret (32) | BLAKE2b-256 of all before
 *   version 1:                         ... | Noise secret (32) | OPRF seed (64) |
 *                                            AKE secret (32) | BLAKE2b-256 */
#ifndef PALIQUE_DIRECTORY_KEYSTORE_H
#define PALIQUE_DIRECTORY_KEYSTORE_H

#include "shared/keys.h"

struct keystore {
	struct device noise;
};

/* Makes a fresh key in DATA/keys (mode 0600), durably. ERR_EXISTS: there is one. */
int keystore_make(const char *data, char *reason, size_t reason_size);

/* This one, likewise: a copy. */
int keystore_write(const char *folder, const struct keystore *keys, char *reason,
		   size_t reason_size);

/* In locked memory that is left out of core dumps; keystore_close() wipes it. Either version.
 * ERR_NOT_FOUND, ERR_REFUSED: mode or owner, ERR_CORRUPT: size or checksum,
 * ERR_VERSION: made by a newer program, ERR_IO. */
int keystore_open(struct keystore **keys, const char *data, char *reason, size_t reason_size);
void keystore_close(struct keystore *keys);

/* Where DATA/keys is of version 1, the key-holder's part goes to `folder` (secrets_write())
 * and out of DATA/keys; else nothing happens. May be interrupted and called again. Whoever
 * opens secrets calls it before. ERR_EXISTS: other secrets are in `folder`. */
int keystore_split(const char *data, const char *folder, char *reason, size_t reason_size);

#endif
