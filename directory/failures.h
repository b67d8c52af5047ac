/* Logins that were answered and came to nothing, by the name they were aimed at, until they are
 * written down for the account's owner. Counted for every name alike; whose accounts
 * there are is the registry's business. Bounded: a table that fills is due sooner. */
#ifndef PALIQUE_DIRECTORY_FAILURES_H
#define PALIQUE_DIRECTORY_FAILURES_H

#include "directory/registry.h"

enum { FAILURES_NAMES = 1024, FAILURES_SECONDS = 60 };

struct failures;
struct failures *failures_new(const uint8_t key[16]); /* for hashing: outsiders choose names */
void failures_free(struct failures *f);

void failures_add(struct failures *f, const struct name *name);
/* How many of this name are not written down yet: they are forgotten here. */
uint32_t failures_take(struct failures *f, const struct name *name);
/* When they are to be written down; NEVER: there are none. */
mono_ns failures_deadline(const struct failures *f);
/* Writes them down. Where the store fails they are kept for another try. */
void failures_flush(struct failures *f, struct registry *registry, mono_ns now);

#endif
