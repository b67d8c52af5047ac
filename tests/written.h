/* A conversation written straight into a store, row by row, for tests of what reads it. */
#ifndef PALIQUE_TESTS_WRITTEN_H
#define PALIQUE_TESTS_WRITTEN_H

#include "peer/person.h"
#include "peer/store.h"

struct written {
	struct store *store;
	int64_t contact;
	uint64_t id;      /* of the last one */
	int64_t chain[2]; /* theirs, ours */
	uint64_t next[2];
	wall_ms arrived_at; /* of the next one */
	int64_t granted;    /* the last place that was given so */
};

/* In a transaction of the store, which the caller commits, as all of these. Authors: 32 bytes 't' and 'o'. */
void written_begin(struct written *w, struct store *store, int64_t contact, uint64_t first_id);
uint64_t written_entry(struct written *w, bool is_ours, enum say_kind kind, struct bytes body);
uint64_t written_text(struct written *w, bool is_ours, const char *text);
/* As history that came in later. */
uint64_t written_granted(struct written *w, bool is_ours, const char *text);
/* "name" "caption" "alt" and 1000 bytes, id by the message's. */
uint64_t written_file(struct written *w, bool is_ours, const char *name, const char *caption,
		      const char *alt);
/* "UPDATE message SET <column> = <value> WHERE id = <id>" and the like. */
void __attribute__((format(printf, 2, 3))) written_sql(struct written *w, const char *sql, ...);

#endif
