/* Shell: what monitoring asks, by HTTP on a loopback address: GET (or HEAD) /livez, /readyz and
 * /metrics. The only room that knows microhttpd.h. It runs on the loop of its owner: nothing
 * blocks, and there are few connections, small and short-lived. */
#ifndef PALIQUE_DIRECTORY_HEALTH_H
#define PALIQUE_DIRECTORY_HEALTH_H

#include <uv.h>

#include "shared/address.h"

enum {
	HEALTH_CONNECTIONS_MAX = 16, /* at a time: more wait to be accepted */
	HEALTH_SECONDS_MAX = 5,      /* of silence on one */
	HEALTH_MEMORY_MAX = 8192,    /* bytes of a request with its headers */
};

struct health;
struct health_calls {
	/* Whether people can be served; a line of text for each part goes to `out`. */
	bool (*is_ready)(void *user, struct buf *out);
	/* The text that /metrics answers (directory/metrics.h). */
	void (*metrics)(void *user, struct buf *out);
};

/* ERR_REFUSED: not a loopback address; ERR_EXISTS: cannot be listened on; ERR_IO. `reason` gets a
 * sentence. `calls` is borrowed; `bound` gets what was bound (port 0: the system chooses). */
int health_start(struct health **h, uv_loop_t *loop, const struct address *at,
		 const struct health_calls *calls, void *user, struct address *bound,
		 char *reason, size_t reason_size);
/* Closes at once; freed when libuv has closed the handles. NULL is harmless. */
void health_stop(struct health *h);

#endif
