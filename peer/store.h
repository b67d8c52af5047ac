/* The encrypted database of one home: schema, migrations and the one transaction of a
 * step. Rooms write through store_write() and store_run(); nobody looks at the result of
 * a single write: the first failure is kept and the commit tells it. */
#ifndef PALIQUE_PEER_STORE_H
#define PALIQUE_PEER_STORE_H

#include "shared/db.h"

struct store;

/* message.flags. A row whose body is no more has the kind SAY_GONE and the hash of what it was as its
 * body (shared/wire.h). `place` is the id and above 0; of what came in with granted history it is 0 or
 * below, falls with every one that comes, and is nobody else's in this store. */
enum entry_flag {
	ENTRY_FORWARDED = 1,
	ENTRY_RETRACTED = 2, /* TEXT, FILE: taken back; then it is gone, too */
	ENTRY_GONE = 4,      /* its text is no more, or not to be shown any more */
	ENTRY_SILENT = 8,    /* a line of no timeline, whatever its kind: forgotten here by the
			      * person, or GONE in place of an entry about another one */
	ENTRY_DOOMED = 16, /* SILENT; its body is to go soon, and is in the index until then */
};
/* In SQL: the row `m` of message is a line of a timeline. */
#define ENTRY_IS_SHOWN(m)                                                                      \
	"(" m ".kind NOT BETWEEN 2 AND 4 AND " m ".kind <> 6 AND (" m ".flags & 8) = 0)"

/* `path` NULL: in memory; `key` NULL: plain. On ERR_AUTH, ERR_CORRUPT, ERR_LOCKED, ERR_VERSION,
 * ERR_IO the file is left as it was and `reason` gets a sentence. */
int store_open(struct store **s, const char *path, const struct symmetric_key *key,
	       bool durable, char *reason, size_t reason_size);
void store_close(struct store *s); /* what was not committed is lost */

struct db *store_db(struct store *s); /* for queries */

/* A transaction is open from now on; begins one if there is none. A failure is kept. */
void store_write(struct store *s);
bool store_is_writing(const struct store *s);

/* Runs `statement` inside the transaction; rows changed, or the error that was kept.
 * ERR_EXISTS is returned but not kept: a constraint is the caller's to understand. */
int store_run(struct store *s, struct statement *statement);
/* Keeps a failure met elsewhere, as by a query. */
void store_failed(struct store *s, int err);

/* Ends the transaction: 0 when everything since it began is in the store (or nothing was
 * written), else the first failure since the last commit, be it of a query alone (what was done was
 * decided without its answer), and everything is rolled back. */
int store_commit(struct store *s);

#endif
