/* What a page may ask of the local API: a table of methods and parameters, and what is not in it is
 * refused. A page does what a person does in a face; it names no path of this machine, ends no engine and
 * makes no way in for others. Pure: JSON in, JSON out. */
#ifndef PALIQUE_PEER_FACES_WEB_BRIDGE_H
#define PALIQUE_PEER_FACES_WEB_BRIDGE_H

#include <stdbool.h>

#include "shared/bytes.h"

enum { BRIDGE_MESSAGE_MAX = 1 << 20, BRIDGE_PATH_MAX = 4096 };

struct bridge_calls {
	void *user;
	/* The path of a spool, which may be none of ours. ERR_NOT_FOUND. */
	int (*spool)(void *user, const char *name, char path[BRIDGE_PATH_MAX]);
};

/* A message of a page, hostile. 0: `line` is what the API is given; below 0: it is refused, and `line` is what
 * the page is answered, or NULL for nothing. The caller's to free. */
int bridge_take(struct bytes message, const struct bridge_calls *calls, char **line);

/* Whether the table says anything of this method (yes or no); whether a page may call it, and (not NULL) with this
 * parameter. */
bool bridge_knows(const char *method);
bool bridge_allows(const char *method, const char *param);

#endif
