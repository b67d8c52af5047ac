/* The page-encrypting VFS beneath db: every page of a database and of its write-ahead
 * log leaves the process sealed with XChaCha20-Poly1305 and is refused when it comes
 * back changed, moved or under another key. Only db uses it.
 *
 *   page (4096) = sealed 4056 | nonce 24 | tag 16      the last 40 are SQLite's "reserved"
 *   nonce       = 16 random | 8 SipHash of them        tells a wrong key from damage
 *   AD          = kind | page number                   in the database
 *                 kind | frame header's first 16 bytes in the log (page, commit size, salts)
 *
 * The checksum in a frame's header is a function of the plain page, so it is enciphered
 * too. What is in clear: sizes, which page was written when, and SQLite's log header.
 * What it cannot see: a whole older file put back in place, or a log cut off at its end. */
#ifndef PALIQUE_SHARED_DB_SEAL_H
#define PALIQUE_SHARED_DB_SEAL_H

#include "shared/page.h"

/* The name of the VFS, registered by the first call. A database is opened through it with
 * the URI parameter seal=TICKET. Rollback journals do not exist for it: a database must be
 * created with PAGE_RESERVED bytes reserved (SQLITE_FCNTL_RESERVE_BYTES, before the first
 * write) and the journal in memory, and live in WAL mode, with temp_store=MEMORY. */
const char *db_seal_vfs(void);

/* Lends a copy of `key` to all files opened under the returned ticket (never 0), until
 * it is given back; then the copy is wiped. */
uint64_t db_seal_lend(const struct symmetric_key *key);
void db_seal_return(uint64_t ticket);

/* What is to be said of the files at `path` and `path`-wal before SQLite sees them. */
enum db_seal_state {
	DB_SEAL_OK, /* also with a first page torn in a checkpoint, if the log holds it */
	DB_SEAL_OTHER_KEY,
	DB_SEAL_DAMAGED,    /* the right key, but the first page does not open */
	DB_SEAL_LOG_BROKEN, /* damage within the log: commits would be lost, see below */
	DB_SEAL_UNREADABLE, /* errno tells */
};

/* SQLite takes the first bad frame for the log's end and drops what follows in silence. A
 * power cut leaves the end of at most one transaction at or behind a bad frame if each
 * commit was synced: where there are more, and `is_durable` says so, it is damage. While
 * another process writes, the answer about the log means nothing. */
enum db_seal_state db_seal_probe(const char *path, uint64_t ticket, bool is_durable);

#endif
