/* Everybody of whom anything is known, in order of names: in memory, each a row of the store.
 * What is known of them is for contacts.c to decide. */
#ifndef PALIQUE_PEER_PERSONS_H
#define PALIQUE_PEER_PERSONS_H

#include "peer/person.h"

struct store;
struct persons;

struct persons *persons_new(struct store *store);
/* What other rooms hung on each person has gone before. */
void persons_free(struct persons *all);

/* Reads all rows, over what memory says; who has none gets id 0 and stays until the sweep. */
int persons_load(struct persons *all);
void persons_sweep(struct persons *all);

/* One more, of whom nothing is known yet and nothing is stored. */
struct person *persons_add(struct persons *all, const struct name *name);
/* Writes the row, in the transaction. */
void persons_save(struct persons *all, struct person *p);
/* A person's text: a copy, or NULL for none. */
void person_set_text(char **where, const char *text);

/* Our own account, whose other devices are reached as a contact's are: not one of those
 * below, and without a row of its own. Closed until it has an identity. */
struct person *persons_self(const struct persons *all);

/* In order of names, removed ones too; NULL at the end. */
struct person *persons_at(const struct persons *all, unsigned index);
struct person *persons_find(const struct persons *all, const struct name *name); /* or NULL */
/* Who may be talked to now under this identity, ourselves too, or NULL. */
struct person *persons_of_identity(const struct persons *all,
				   const struct identity_public *identity);

#endif
