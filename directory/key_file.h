/* A file of secret keys: made once, never written over, refused where others could read it,
 * and known to be whole by its checksum.
 *
 *   "LABEL VERSION\n" | secrets | BLAKE2b-256 of all before */
#ifndef PALIQUE_DIRECTORY_KEY_FILE_H
#define PALIQUE_DIRECTORY_KEY_FILE_H

#include "shared/bytes.h"

enum { KEY_FILE_VERSIONS_MAX = 4, KEY_FILE_SECRETS_MAX = 256 };

/* What is in such a file, version by version from 1; the last is the one written. */
struct key_kind {
	const char *label;
	unsigned versions;
	size_t sizes[KEY_FILE_VERSIONS_MAX]; /* of the secrets, in bytes */
};

/* Writes `secrets` (as many as the newest version has) durably to FOLDER/NAME, mode 0600; by
 * root for whom the folder belongs to. ERR_EXISTS: there is one, and it stays, unless
 * `is_replacing`. ERR_FULL, ERR_IO, ERR_LIMIT; `reason` gets a sentence. */
int key_file_write(const char *folder, const char *name, const struct key_kind *kind,
		   const uint8_t *secrets, bool is_replacing, char *reason, size_t reason_size);

/* `secrets` has room for KEY_FILE_SECRETS_MAX and should be locked memory. ERR_NOT_FOUND,
 * ERR_REFUSED: mode or owner, ERR_CORRUPT: size or checksum, ERR_VERSION: made by a newer
 * program, ERR_IO. */
int key_file_read(uint8_t *secrets, unsigned *version, const char *folder, const char *name,
		  const struct key_kind *kind, char *reason, size_t reason_size);

#endif
