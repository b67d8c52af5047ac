/* The ways that lead to a directory, as the shell opened them, and which of them answers a
 * question of sight (shared/sight.h); which of them a client is told of. */
#ifndef PALIQUE_DIRECTORY_SIGHTS_H
#define PALIQUE_DIRECTORY_SIGHTS_H

#include "shared/path.h"
#include "shared/sight.h"
#include "shared/wire.h"

enum { SIGHTS_MAX = 192 };

enum sight_kind {
	SIGHT_MAIN,    /* where clients connect */
	SIGHT_FURTHER, /* another port, so that one address is enough to tell NATs apart */
	SIGHT_HIDDEN,  /* a port that nobody is told of: only sends */
};
struct sight {
	enum sight_kind kind;
	uint16_t socket; /* as in path.socket; counts where it is hidden only */
	/* The operator named it; else it is what the machine has, behind a wildcard. */
	bool is_named;
	struct address at; /* unicast; of this machine where it is hidden */
};

/* In the server's storage; zeroed: none. */
struct sights {
	unsigned count;
	struct sight list[SIGHTS_MAX];
};
void sights_set(struct sights *all, const struct sight *list, unsigned count);

/* What a client on `path` is told: at most WIRE_SIGHTS_MAX, those of IPv4 first (its NATs are
 * what is to be told apart), of each the one it came to before others, the main port before the
 * further one. Of one family all lead equally far: into the world, or, for a client that came to
 * a private (link-local, loopback) address from such an address, only there. */
unsigned sights_for(const struct sights *all, const struct path *path,
		    struct address out[WIRE_SIGHTS_MAX]);

/* From where and to where the answer goes; false: it gets none. The remote IP is always that of
 * `path`. What asks for another source gets one from a hidden port, on another address of ours that
 * leads as far where there is one. A hidden port is not answered at. */
bool sights_answer(const struct sights *all, const struct path *path,
		   const struct sight_question *q, struct path *back);

#endif
