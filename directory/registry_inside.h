/* The inside of the SQLite store, for the files that make it up and nobody else; from the
 * bottom up: registry_answers.c (how a question ends), registry_invites.c (codes),
 * registry_rows.c (what an account consists of), registry_accounts.c (the questions about
 * accounts), registry_sqlite.c (the file and the row). */
#ifndef PALIQUE_DIRECTORY_REGISTRY_INSIDE_H
#define PALIQUE_DIRECTORY_REGISTRY_INSIDE_H

#include "directory/registry.h"
#include "shared/db.h"

struct registry_waiting {
	struct registry_answer answer; /* its blob: in `blob` */
	struct buf blob;
};

enum { REGISTRY_FAKES = 1024 };

struct registry_sqlite {
	struct registry row;
	struct db *db;
	enum ksf ksf;
	/* What unknown names are answered with: read once, it never changes. */
	uint8_t fake_record[OPAQUE_RECORD_SIZE];
	/* Checking a signature takes a little more or less time from key to key, so a single
	 * fake one would be known by it: a name has one of these for good. */
	struct identity_public fake_recovery[REGISTRY_FAKES];
	bool has_fake[REGISTRY_FAKES];
	uint8_t fake_key[32];
	struct registry_waiting *answers; /* a ring */
	size_t first, count, room;
	struct buf blob; /* of the answer that was taken last */
};

static inline struct registry_sqlite *registry_self(struct registry *r)
{
	return (struct registry_sqlite *)r;
}

/* --- registry_answers.c --- */

/* Ends a transaction: commits, or takes all back. `err` or the commit's. */
int registry_finish(struct registry_sqlite *r, int err);
/* Into the queue; the blob is copied. */
void registry_answers(struct registry_sqlite *r, const struct registry_answer *a);
bool registry_next(struct registry *row, struct registry_answer *out);
/* Those that nobody took. */
void registry_answers_clear(struct registry_sqlite *r);

/* --- registry_invites.c: inside of a transaction, but for the last four --- */

enum registry_code { REGISTRY_CODE_INVITATION, REGISTRY_CODE_RESET };

/* ERR_REFUSED: none such or not for `name`, ERR_EXPIRED. `name` may be NULL: `whose` gets the
 * name it is for (may be NULL). */
int registry_check_code(struct registry_sqlite *r, enum registry_code kind, struct bytes code,
			const struct name *name, struct name *whose, wall_ms now);
int registry_use_code(struct registry_sqlite *r, struct bytes code);
/* No code shall set the password of whoever has this name next. */
int registry_drop_resets(struct registry_sqlite *r, const struct name *name);
int registry_invite(struct registry *row, const char *code, const struct name *only,
		    unsigned uses, wall_ms expires, wall_ms now);
int registry_invite_reset(struct registry *row, const char *code, const struct name *name,
			  wall_ms expires, wall_ms now);
int registry_invites(struct registry *row,
		     bool (*each)(void *user, const struct registry_invite *i), void *user);
int registry_revoke_invite(struct registry *row, const char *handle);

/* --- registry_rows.c: all but the first two inside of a transaction --- */

/* What changes are judged by. */
struct registry_account {
	int64_t id;
	bool has_identity, has_wrap;
	struct identity_public identity;
	uint64_t version, vault_version; /* 0: none */
};

/* Runs it to the end: 0 or an error. */
int registry_run(struct statement *s);
/* ERR_AUTH: there is none of that name. */
int registry_load(struct registry_sqlite *r, const struct name *name,
		  struct registry_account *a);
/* The next list. Every device in it is enrolled, or is `newcomer` (may be NULL). ERR_STATE:
 * not the next version; ERR_AUTH. */
int registry_put_list(struct registry_sqlite *r, const struct registry_account *a,
		      const struct device_list *l, const struct device_public *newcomer);
/* The same where nobody comes in: by the same identity, or one it has vouched for. */
int registry_put_own_list(struct registry_sqlite *r, const struct registry_account *a,
			  const struct device_list *l);
int registry_store_vault(struct registry_sqlite *r, int64_t account, uint64_t version,
			 const uint8_t signature[VAULT_SIGNATURE_SIZE], struct bytes sealed);
int registry_store_first_vault(struct registry_sqlite *r, int64_t account,
			       const struct wire_first_vault *v);
int registry_store_wrap(struct registry_sqlite *r, int64_t account, const uint8_t *wrap);
int registry_store_recovery(struct registry_sqlite *r, int64_t account,
			    const struct identity_public *prove, const uint8_t *wrap);
/* No code (any more): a random key stands there, so that all are checked alike. */
int registry_store_no_recovery(struct registry_sqlite *r, int64_t account);

/* --- registry_accounts.c: the functions of the row that are about accounts --- */

void registry_accounts_fill(struct registry *row);

#endif
