/* The inside of a server, for the files that make it up and nobody else; from the bottom up:
 * server_tell.c (saying something to a session, ending it), server_clients.c (what clients say
 * and are told), server_links.c (what links bring), server.c (its life). */
#ifndef PALIQUE_DIRECTORY_SERVER_INSIDE_H
#define PALIQUE_DIRECTORY_SERVER_INSIDE_H

#include "directory/checks.h"
#include "directory/keystore.h"
#include "directory/registry.h"
#include "directory/server.h"
#include "directory/sessions.h"
#include "directory/watchers.h"

struct server {
	struct keystore *keys;
	struct endpoint *endpoint;
	struct login_desk desk; /* registry, limits, mode */
	struct names *names;
	struct presence *presence;
	struct watchers *watchers;
	struct sessions *sessions;
	struct checks checks;
	struct directory_place place;
	uint32_t online_max, guests_max, contacts_max;
	struct server_status counts;
	mono_ns started, now;
	wall_ms wall;
	struct buf in, out; /* one message each, used again and again */
};

enum { SERVER_RETRY_SECONDS = 5 }; /* told when the store fails */

/* --- server_tell.c --- */

/* What is said to a session; ERR_FULL: it reads too slowly, nothing was taken. */
int server_tell(struct server *s, struct session *to, const struct wire_message *m);
/* The same in two steps, for one message to many: encoded once, into s->out. */
void server_frame(struct server *s, const struct wire_message *m);
int server_tell_frame(struct server *s, struct session *to, enum wire_type type);
void server_refuse(struct server *s, struct session *to, enum wire_type about, int err,
		   uint32_t retry_after);
/* Takes `cost` off what a session may say; false: it has said too much. */
bool server_charge(struct server *s, struct session *who, uint32_t cost);
/* Ends a session whose link is gone: its record dies with it, and contacts hear of it at the
 * end of this step. */
void server_end(struct server *s, struct session *who);
/* Ends session and link. */
void server_put_out(struct server *s, struct session *who, enum link_code code);

/* --- server_clients.c --- */

/* What is done with each message of a client: 0, or an error that ends the link. */
typedef int server_handler(struct server *s, struct session *who, const struct wire_message *m);
server_handler server_on_publish, server_on_list, server_on_list_add, server_on_list_remove,
	server_on_introduce, server_on_suspect, server_on_check_answer;
/* Presence and requests that are due, to all who can take them. */
void server_tell_due(struct server *s);

/* --- server_links.c --- */

/* All that the endpoint and the registry have to tell. */
void server_take_events(struct server *s);

#endif
