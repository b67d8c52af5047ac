/* HOME/spool: files made to be sent, and for that alone (a face's standard input). Each is named by
 * SPOOL_DIGITS hex digits. The engine removes what has arrived or was cancelled; what was never sent is
 * swept from here. */
#ifndef PALIQUE_PEER_SPOOL_H
#define PALIQUE_PEER_SPOOL_H

#include <stdbool.h>

#include "peer/home.h"

struct engine;

enum {
	SPOOL_DIGITS = 32,
	SPOOL_STALE_S = 86400, /* not written to for so long and not sent: its face is gone */
};

bool spool_is_name(const char *name);
/* HOME/spool, or (`name` not NULL) HOME/spool/NAME. ERR_LIMIT. */
int spool_path(const struct home *home, const char *name, char path[HOME_PATH_MAX]);
/* Removes what was not written to for `seconds` (0: all, as when no face can be at it) and is wanted by
 * no transfer. Nothing else that lies there. */
void spool_sweep(const struct home *home, struct engine *engine, unsigned seconds);

#endif
