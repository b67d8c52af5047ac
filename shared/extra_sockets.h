/* Which of the sockets beside the shell's own are in use: numbers only, the shell opens and
 * closes what is behind them. */
#ifndef PALIQUE_SHARED_EXTRA_SOCKETS_H
#define PALIQUE_SHARED_EXTRA_SOCKETS_H

#include "shared/path.h"

/* Zeroed: all are free. */
struct extra_sockets {
	uint8_t state[PATH_EXTRA_MAX];
	unsigned turn;   /* where the search for a free one begins: numbers rest for a while */
	unsigned let_go; /* not needed by who asked, and not closed yet */
};

/* A free number, from PATH_EXTRA; 0: none. */
uint16_t extra_sockets_take(struct extra_sockets *x);
/* Who asked for it needs it no longer; others than those in use are passed over. */
void extra_sockets_release(struct extra_sockets *x, uint16_t socket);

/* One to be closed, free from now on: let go of, and not marked in `is_used` (by what is
 * left of the number when PATH_EXTRA is taken off). False: none. */
bool extra_sockets_next(struct extra_sockets *x, const bool is_used[PATH_EXTRA_MAX],
			uint16_t *socket);

#endif
