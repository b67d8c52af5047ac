/* `palique host`: a directory in the engine's own process and loop, for a household or a
 * team on a LAN. Its data lie in HOME/directory. This is the only room of the peer that
 * knows the directory's headers. */
#ifndef PALIQUE_PEER_HOST_H
#define PALIQUE_PEER_HOST_H

#include <uv.h>

#include "peer/home.h"
#include "shared/address.h"
#include "shared/json.h"

struct host;

/* Whether this home has a directory already. */
bool host_exists(const struct home *home);

/* Makes the directory where there is none and serves it at `listen`; NULL: where it listened
 * the last time, else the default port on all addresses. On failure `reason` gets a sentence:
 * ERR_EXISTS or ERR_IO: the port is taken, and whatever server_open() gives. */
int host_new(struct host **host, uv_loop_t *loop, const struct home *home,
	     const struct address *listen, char *reason, size_t reason_size);
/* Tells its clients that it will be back, and closes; `host` is freed when libuv is done. */
void host_close(struct host *host);

/* By which address others reach it: the best of ours is put into its links. */
void host_set_addresses(struct host *host, const struct address *list, unsigned count);

/* Where it listens, where this machine itself finds it, and the key it is known by. */
struct address host_address(const struct host *host);
struct address host_near(const struct host *host);
const struct device_public *host_key(const struct host *host);

/* Adds place, key, link, listen address, accounts and counters to `result`. */
void host_status(struct host *host, struct json *result);

/* `params` may hold count and expires (seconds); adds link, code, count, expires. */
int host_invite(struct host *host, const struct json *params, struct json *result, char *reason,
		size_t reason_size);

#endif
