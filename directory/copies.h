/* A directory as a folder of copies, and back: the accounts, its key, its configuration. Never
 * what the key-holder has: copies of both in one place would let whoever finds it guess
 * passwords. A copy is made while the directory runs; it is brought back only whole, and only
 * to where there is none. */
#ifndef PALIQUE_DIRECTORY_COPIES_H
#define PALIQUE_DIRECTORY_COPIES_H

#include <limits.h>

#include "directory/holder.h"

struct copies_report {
	char folder[PATH_MAX]; /* where it is now */
	uint64_t accounts;
	bool has_config;
};

/* Makes `folder` (0700), which must not be there, or be empty. On failure nothing is left in
 * it and `reason` gets a sentence with what to do: ERR_EXISTS, ERR_NOT_FOUND: no directory in
 * `data`, ERR_FULL, ERR_CORRUPT, ERR_IO. */
int copies_backup(struct copies_report *report, const char *data, const char *folder,
		  char *reason, size_t reason_size);

/* Looks at everything first, on a copy: the key's checksum, the accounts' integrity and schema,
 * and that they were made with `holder` (NULL: cannot be asked yet). Then, unless
 * `is_rehearsal`, brings it to `data`, where nothing may be but a key-holder's folder and a
 * directory.conf, which stays. Likewise: ERR_EXISTS: there is a directory; ERR_NOT_FOUND: no backup;
 * ERR_CORRUPT, ERR_VERSION: made by a newer program, ERR_AUTH: another key-holder. */
int copies_restore(struct copies_report *report, const char *data, const char *folder,
		   struct holder *holder, bool is_rehearsal, char *reason, size_t reason_size);

#endif
