/* The local API: JSON-RPC 2.0, one object per line (docs/local-api.md). Knows who is
 * connected and who subscribed; a call that the engine answers later is found again by its
 * ticket. Without a socket of its own: lines go in by api_line() and come out by the `send`
 * it was given.
 *
 * Nothing is answered before it is durable: answers wait for the engine_step() behind the
 * call and leave with api_step(). */
#ifndef PALIQUE_PEER_API_H
#define PALIQUE_PEER_API_H

#include "peer/api/call.h"

struct api;
struct api_client; /* one face */

enum {
	API_CLIENTS_MAX = 64,
	API_GUESTS_MAX = 64,   /* more, on the socket for bots; ... */
	API_STRANGERS_MAX = 8, /* ... of them without a token yet: then the oldest goes */
	API_BOT_FACES = 8,     /* of one bot */
	API_HELD_MAX = 256,    /* of all these, with those that are about to go */
	/* Calls of a bot in a second that are refused: then its connection goes; ... */
	API_REFUSED_MAX = 1000,
	API_STRANGE_MAX = 16,       /* ... and so many lines of who has shown no token */
	API_PENDING_MAX = 16384,    /* calls of one face that wait for the engine */
	API_REPLAY_SLICE = 256,     /* events told again to one face in one step; ... */
	API_BOT_SLICES = 5,         /* ... to a bot so many of BOT_SLICE */
	API_BACKLOG_HIGH = 1 << 20, /* bytes; above, telling again waits */
};

struct api *api_new(const struct api_config *config);
void api_free(struct api *api);

/* What the shell knows of the machine; for status and doctor. */
void api_set_addresses(struct api *api, const struct address *list, unsigned count,
		       uint16_t port);

/* NULL: too many faces. `connection` is passed to `send`. */
struct api_client *api_connect(struct api *api, void *connection);
/* The same for a connection that may do nothing before it has shown a bot's token. */
struct api_client *api_connect_guest(struct api *api, void *connection);
void api_disconnect(struct api_client *client);

/* One line from a face, without its newline: hostile until proved otherwise. */
void api_line(struct api_client *client, struct bytes line);

/* What the shell did for a call that it was to answer later (`detail`: English, marked for
 * translation, or ""). */
void api_answer(struct api *api, uint64_t ticket, int err, const char *detail);

/* Whether a face shows the conversation with `name` now, or tells a person of what comes by itself. */
bool api_is_looked_at(const struct api *api, const char *name);

/* After engine_step(): sends the answers that waited for it, takes the engine's events and
 * tells them, and continues what is told again. True: there is more to tell again; call soon. */
bool api_step(struct api *api);
/* Whether something is told again to a face that must read first, or waits for its moment: call api_step() in a
 * while. */
bool api_is_pressed(const struct api *api);

#endif
