/* Whether a running directory has what it needs, asked anew now and then: for readiness
 * checks, for the log when it changes, with what to do about it. */
#ifndef PALIQUE_DIRECTORY_FITNESS_H
#define PALIQUE_DIRECTORY_FITNESS_H

#include "directory/holder.h"
#include "directory/registry.h"

enum fitness_part {
	FITNESS_ACCOUNTS,  /* the account store can be read */
	FITNESS_DISK,      /* the data folder can be written to */
	FITNESS_KEYHOLDER, /* who has the secrets of passwords is there */
	FITNESS_SOCKET,    /* at least one address is listened on */
	FITNESS_PARTS
};
enum { FITNESS_SECONDS = 5 }; /* how often it is asked: our choice */

struct fitness {
	int err[FITNESS_PARTS]; /* 0: all is well there */
	uint64_t disk_free;     /* bytes, for who may not use the reserve */
};

/* Asks all: reads a row, writes 4 KiB into a file of its own and removes it. `holder` NULL: in
 * this process. */
void fitness_check(struct fitness *f, const char *data, struct registry *registry,
		   const struct holder *holder, unsigned sockets);
bool fitness_is_ready(const struct fitness *f);
/* One line of the log for each part that differs: what, why, what to do; or that it is back. */
void fitness_log(const struct fitness *before, const struct fitness *now);

/* "accounts", "disk", "keyholder", "socket". */
const char *fitness_name(enum fitness_part part);

#endif
