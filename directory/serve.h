/* Shell: a directory on a libuv loop, with its UDP sockets and the socket that its
 * administration commands ask. `palique-directory serve` (directory/service.h) and the peer's
 * `host` use it. */
#ifndef PALIQUE_DIRECTORY_SERVE_H
#define PALIQUE_DIRECTORY_SERVE_H

#include <uv.h>

#include "directory/config.h"
#include "directory/server.h"

struct serve;

/* Opens DATA, listens, answers; `config` is copied (config_init() for the defaults). The
 * folder must exist (server_init()). `holder` is borrowed; NULL: the secrets of passwords lie in
 * DATA. ERR_LOCKED: another process serves this folder;
 * ERR_EXISTS: an address cannot be listened on.
 * On failure `reason` gets a sentence. */
int serve_start(struct serve **s, uv_loop_t *loop, const char *data,
		const struct config *config, struct holder *holder, char *reason,
		size_t reason_size);
/* Tells all clients when to come back, sends that and closes; freed when libuv has closed the
 * handles. */
void serve_stop(struct serve *s);
/* What can change while running does; addresses to listen on need a new start. */
void serve_reload(struct serve *s, const struct config *config);

/* Something waits that did not come over the network: an answer of the key-holder. */
void serve_wake(struct serve *s);

struct server *serve_server(struct serve *s);
/* A question as in admin.h; the caller's to free. */
struct json *serve_admin(struct serve *s, const struct json *request);
/* What it listens on for clients, as bound; how many. */
unsigned serve_addresses(const struct serve *s, struct address *out, unsigned max);

#endif
