/* The key-holder's secrets as three files of text, any two of which give them back: each has
 * a share of a key (shared/shares.h) and, the same in all, the secrets sealed under that key. One
 * file alone says nothing.
 *
 *   palique-keyholder-share 1
 *   # what to do with it
 *   number N
 *   share BASE64URL
 *   sealed BASE64URL      XChaCha20-Poly1305: nonce (24) | seed (64), AKE secret (32) | tag (16)
 */
#ifndef PALIQUE_DIRECTORY_SHARE_FILE_H
#define PALIQUE_DIRECTORY_SHARE_FILE_H

#include "shared/opaque.h"
#include "shared/shares.h"

enum { SHARE_SEALED_SIZE = 24 + 64 + 32 + 16, SHARE_FILE_MAX = 4096 };

struct share_file {
	struct share share;
	uint8_t sealed[SHARE_SEALED_SIZE];
};

void share_files_split(struct share_file files[SHARES_COUNT],
		       const struct opaque_server *secrets);
/* ERR_STATE: the two are of different splits; ERR_FORMAT: twice the same, or no shares;
 * ERR_AUTH: they do not open what they hold. Nothing is in `secrets` then. */
int share_files_join(struct opaque_server *secrets, const struct share_file *a,
		     const struct share_file *b);

void share_file_print(struct buf *out, const struct share_file *f);
/* Lines may end as on any system, and have spaces around. ERR_FORMAT, ERR_LIMIT: larger than
 * SHARE_FILE_MAX, ERR_VERSION. */
int share_file_parse(struct share_file *f, struct bytes text);

#endif
