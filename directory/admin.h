/* What administration asks, one row for each command: {"command": "invite", ...}. The answer
 * is an object; a failure is {"error": "not-found", "message": "a sentence"}. The same rows
 * serve the admin socket of a running server and the command line beside it. */
#ifndef PALIQUE_DIRECTORY_ADMIN_H
#define PALIQUE_DIRECTORY_ADMIN_H

#include "directory/registry.h"
#include "directory/server.h"
#include "shared/json.h"

enum {
	ADMIN_INVITE_DAYS = 7,  /* an invitation's life unless said otherwise */
	ADMIN_RESET_HOURS = 24, /* ... and a one-time code's for a password */
};
/* Seconds: what either may live. */
enum { ADMIN_LIFE_MIN = 60, ADMIN_LIFE_MAX = 10 * 365 * 86400 };

struct admin_desk {
	struct registry *registry;
	const struct device_public *key;
	struct directory_place place; /* put into links; host empty: none is known */
	struct server *server;        /* NULL: not running here */
	wall_ms now;
};

/*   status                            counters (running server only)
 *   link                              {"link"}
 *   invite [name] [count] [expires]   {"link", "code", "expires", "count", "name"}; link is
 *                                     null where no public name is known; count 1 to 10000,
 *                                     expires in seconds from now
 *   invites                           {"invites": [{"handle", "kind": "invitation" or
 *                                     "passwd-reset", "name" or null, "uses", "expires"}]}
 *   revoke handle                     {"revoked": handle}
 *   users                             {"users": [{"name", "has_identity", "is_banned",
 *                                     "has_recovery", "devices", "created"}]}
 *   remove name                       {"removed": name, "dropped"}: account and sessions
 *   ban name                          {"banned": name, "dropped": sessions ended}
 *   unban name                        {"unbanned": name}
 *   kick name                         {"kicked": name, "dropped"}; they come back (running
 *                                     server only)
 *   reset name [expires]              {"link", "code", "expires", "name"}: a one-time code to
 *                                     set the password anew
 *
 * `place` in any of them stands for the public name where none is configured; `language` is
 * the one in which a refusal speaks. */
struct json *admin_answer(const struct admin_desk *desk, const struct json *request);
/* The same of a running server. */
struct json *admin_server(struct server *s, const struct json *request);

#endif
