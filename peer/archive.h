/* One sealed file that holds an account whole, to be kept or carried to another machine.
 * docs/archive.md has the format for people; here it is for readers of the code:
 *
 *   magic 8 | version 1 | KSF id 1 (shared/ksf.h) | salt 16 | header 24 of the secretstream
 *   then sealed messages (libsodium's secretstream: XChaCha20-Poly1305), each 17 bytes longer
 *   than what is in it, under Argon2id(passphrase, salt):
 *     head 512:  when it was made (8, ms), count (1), for each file: length of its name (1),
 *                name, size (8); zeros. Numbers big-endian. What stands before it is its AD
 *     the contents of the files, one behind the other, in chunks of 65536; the last one is
 *     shorter or not, has the tag FINAL, and nothing stands behind it
 *
 * In version 1 the files are store.key (32 bytes) and store.db, which is sealed under it, page by
 * page. Everything here blocks. */
#ifndef PALIQUE_PEER_ARCHIVE_H
#define PALIQUE_PEER_ARCHIVE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "shared/clock.h"
#include "shared/keys.h"
#include "shared/ksf.h"

enum {
	ARCHIVE_VERSION = 1,
	ARCHIVE_START = 8 + 1 + 1 + 16 + 24,
	ARCHIVE_HEAD = 512,
	ARCHIVE_CHUNK = 65536,
	ARCHIVE_TAG = 17,
	ARCHIVE_PASSPHRASE_MAX = 1024,
};
#define ARCHIVE_STORE_MAX ((uint64_t)1 << 42)

struct archive_order {
	const char *file; /* to be written; FILE.new beside it until it is whole, mode 0600 */
	bool replace;     /* otherwise a file of that name stays: ERR_EXISTS */
	struct bytes passphrase;
	enum ksf ksf;
	const struct symmetric_key *store_key;
	const char *store; /* a database that nobody writes */
	wall_ms made_at;
	_Atomic uint64_t *done;          /* bytes of the store so far; may be NULL */
	const _Atomic bool *is_given_up; /* looked at for each chunk; may be NULL */
};

/* ERR_EXISTS, ERR_NOT_FOUND (no such folder), ERR_FULL, ERR_IO, ERR_CLOSED (given up): nothing is
 * left behind. */
int archive_write(const struct archive_order *order);

/* Makes the file `store` (0600; there must be none) of what the archive holds, on disk, and fills
 * `store_key`, which the caller wipes. On failure neither: ERR_NOT_FOUND, ERR_FORMAT (not ours),
 * ERR_VERSION (a newer one), ERR_AUTH (the passphrase, or damage at the beginning), ERR_CORRUPT
 * (damaged, forged or cut short), ERR_FULL, ERR_IO. */
int archive_read(const char *file, struct bytes passphrase, const char *store,
		 struct symmetric_key *store_key);

/* What went wrong and what to do, in a sentence; English, marked for translation. */
const char *archive_why_not_written(int err);
const char *archive_why_not_read(int err);

/* The parts of both, which differ in cost: a key takes a second, the rest nothing. */
struct archive_start {
	uint8_t bytes[ARCHIVE_START];
};
int archive_start_read(int in, struct archive_start *start);
int archive_key(const struct archive_start *start, struct bytes passphrase,
		struct symmetric_key *key);
int archive_seal(int out, const struct archive_order *order, int store);
int archive_open(int in, const struct archive_start *start, const struct symmetric_key *key,
		 int store, struct symmetric_key *store_key);

#endif
