/* A face's line to the engine: starts the engine where it is absent, calls, takes
 * notifications. Blocking; for programs that have nothing else to do meanwhile. */
#ifndef PALIQUE_PEER_FACES_CLIENT_H
#define PALIQUE_PEER_FACES_CLIENT_H

#include "shared/json.h"

struct client;

enum { CLIENT_FOREVER = -1 };

struct client_place {
	const char *home; /* folder, given to an engine that is started */
	const char *socket;
	/* Of a locked home, for an engine that is started; NULL: none. */
	const char *passphrase;
	bool begin_anew; /* an engine that is started makes an empty store in place of a
				 * lost one */
};

/* Why a call failed, in the engine's words. */
struct client_error {
	int err; /* shared/error.h */
	char message[512];
	char hint[256]; /* the next command to type, or "" */
};

/* Begins an engine where none answers, if `may_start`. ERR_OFFLINE: none runs; ERR_LOCKED,
 * or why it did not start: `error` says it. */
int client_open(struct client **client, const struct client_place *place, bool may_start,
		struct client_error *error);
void client_close(struct client *client);
/* Whether client_open() had to begin the engine: then it is still finding its contacts. */
bool client_has_started_engine(const struct client *client);

/* For poll(). Look at client_has_more() first: what was read already does not show there. */
int client_fd(const struct client *client);
bool client_has_more(const struct client *client);

/* Calls and waits; notifications that come meanwhile are kept for client_next(). `params` may
 * be NULL. ERR_TIMEOUT, ERR_CLOSED or the engine's error; then `result` is NULL. */
int client_call(struct client *client, const char *method, struct json *take_params,
		int timeout_ms, struct json **result, struct client_error *error);

/* Sends a request whose answer comes by client_next(). Returns its id, above 0, or an error. */
int client_post(struct client *client, const char *method, struct json *take_params);

/* Sends a request that is not answered. */
int client_tell(struct client *client, const char *method, struct json *take_params);

/* The next notification, or answer to client_post(): the whole object, the caller's to free.
 * ERR_TIMEOUT, ERR_CLOSED, ERR_FORMAT. A timeout of 0 takes only what is there. */
int client_next(struct client *client, int timeout_ms, struct json **object);

/* What an answer from client_next() says: 0 and `result` (borrowed), or its error. */
int client_outcome(const struct json *answer, const struct json **result,
		   struct client_error *error);

/* A line as it is, without newline, to the engine; and from it (valid until the next call). */
int client_write_line(struct client *client, struct bytes line);
int client_read_line(struct client *client, int timeout_ms, struct bytes *line);

#endif
