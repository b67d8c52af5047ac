/* What only the key-holder has, in one file of a folder of its own: the OPRF seed and the key
 * of the login's key exchange (AKE). Apart from the accounts, for who has both can guess
 * passwords; losing it locks everybody out for good.
 *
 *   FOLDER/secrets: "palique-keyholder 1\n" | OPRF seed (64) | AKE secret (32)
 *   | BLAKE2b-256 of all before */
#ifndef PALIQUE_DIRECTORY_SECRETS_H
#define PALIQUE_DIRECTORY_SECRETS_H

#include <limits.h>

#include "shared/opaque.h"

/* The folder where none is named: DATA/keyholder. */
void secrets_folder(char folder[PATH_MAX], const char *data);

/* Fresh ones, durably; the folder (0700) is made if it is not there. ERR_EXISTS: there are
 * some. */
int secrets_make(const char *folder, char *reason, size_t reason_size);
/* These, which came from elsewhere: an older file, shares. Likewise. */
int secrets_write(const char *folder, const struct opaque_server *secrets, char *reason,
		  size_t reason_size);

/* In locked memory that is left out of core dumps; secrets_close() wipes it. ERR_NOT_FOUND,
 * ERR_REFUSED: mode or owner, ERR_CORRUPT, ERR_VERSION, ERR_IO. */
int secrets_open(struct opaque_server **secrets, const char *folder, char *reason,
		 size_t reason_size);
void secrets_close(struct opaque_server *secrets);

#endif
