/* The directory's own secrets, in one file of its data folder: the Noise static key, the
 * OPRF seed and the key of the login's key exchange (AKE). Losing it locks everybody out.
 * The file is made once, never written over, and refused where others could read it.
 *
 *   "palique-directory-keys 1\n" | Noise secret (32) | OPRF seed (64) | AKE secret (32)
 *   | BLAKE2b-256 of all before */
#ifndef PALIQUE_DIRECTORY_KEYSTORE_H
#define PALIQUE_DIRECTORY_KEYSTORE_H

#include "shared/keys.h"
#include "shared/opaque.h"

struct keystore {
	struct device noise;
	struct opaque_server opaque;
};

/* Makes fresh secrets in DATA/keys (mode 0600), durably. ERR_EXISTS: there are some. */
int keystore_make(const char *data, char *reason, size_t reason_size);

/* In locked memory that is left out of core dumps; keystore_close() wipes it.
 * ERR_NOT_FOUND, ERR_REFUSED: mode or owner, ERR_CORRUPT: size or checksum,
 * ERR_VERSION: made by a newer program, ERR_IO. */
int keystore_open(struct keystore **keys, const char *data, char *reason, size_t reason_size);
void keystore_close(struct keystore *keys);

#endif
