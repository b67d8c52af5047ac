/* The local API: JSON-RPC 2.0, one object per line (docs/local-api.md). Knows who is
 * connected and who subscribed; a call that the engine answers later is found again by its
 * ticket. Without a socket of its own: lines go in by api_line() and come out by the `send`
 * it was given.
 *
 * Nothing is answered before it is durable: answers wait for the engine_step() behind the
 * call and leave with api_step(). */
#ifndef PALIQUE_PEER_API_H
#define PALIQUE_PEER_API_H

#include "peer/config.h"
#include "peer/engine.h"
#include "peer/home.h"
#include "shared/json.h"

struct api;
struct api_client; /* one face */

enum {
	API_CLIENTS_MAX = 64,
	API_PENDING_MAX = 16384,    /* calls of one face that wait for the engine */
	API_REPLAY_SLICE = 256,     /* events told again to one face in one step */
	API_BACKLOG_HIGH = 1 << 20, /* bytes; above, telling again waits */
	API_MESSAGES_MAX = 1000,    /* messages in one answer of getMessages */
	API_ADDRESSES_MAX = 32,
	API_VERSION = 1, /* counts what would break a face */
};

struct api_config {
	struct engine *engine;
	const struct home *home;          /* NULL: none (tests) */
	const struct peer_config *config; /* NULL: none */
	wall_ms started;
	void *user; /* for the functions below, each of which may be NULL */
	/* To whom `connection` (api_connect) stands for; a failure means that it is gone or
	 * will be, and nothing more is sent there. */
	int (*send)(void *connection, struct bytes line);
	/* Bytes that `connection` has not read yet: much is told again only while they are few. */
	size_t (*backlog)(void *connection);
	void (*wake)(void *user); /* the engine has something to do */
	void (*stop)(void *user); /* somebody asked the engine to end */
	/* A directory in this process: begin (or find) one, listening at `listen` (NULL: where it
	 * listened before). On failure `reason` gets a sentence. */
	int (*host)(void *user, const struct address *listen, char *reason, size_t reason_size);
	/* Adds what is known of it to `result`; ERR_STATE: no directory here. */
	int (*host_status)(void *user, struct json *result);
	int (*host_invite)(void *user, const struct json *params, struct json *result,
			   char *reason, size_t reason_size);
};

struct api *api_new(const struct api_config *config);
void api_free(struct api *api);

/* What the shell knows of the machine; for status and doctor. */
void api_set_addresses(struct api *api, const struct address *list, unsigned count,
		       uint16_t port);

/* NULL: too many faces. `connection` is passed to `send`. */
struct api_client *api_connect(struct api *api, void *connection);
void api_disconnect(struct api_client *client);

/* One line from a face, without its newline: hostile until proved otherwise. */
void api_line(struct api_client *client, struct bytes line);

/* After engine_step(): sends the answers that waited for it, takes the engine's events and
 * tells them, and continues what is told again. True: there is more to tell again; call soon. */
bool api_step(struct api *api);
/* Whether something is told again to a face that must read first: call api_step() in a while. */
bool api_is_pressed(const struct api *api);

/* --- for the other files of this folder --- */

enum { API_LATER = 1 }; /* a method's answer comes by ticket */

struct call {
	struct api *api;
	struct api_client *client;
	const struct json *params; /* an object, checked against the method's row; never NULL */
	struct json *result;       /* an object to fill in */
	uint64_t ticket;           /* what to give to the engine when API_LATER is returned */
	char subject[URI_MAX + 1]; /* whom or what it was about, for the hint of an error */
	char reason[512];          /* instead of method_explain()'s, when not empty */
	char hint[128];            /* instead of method_explain()'s, when not empty */
};

enum param_kind { PARAM_TEXT, PARAM_SECRET, PARAM_ID, PARAM_INT, PARAM_BOOL };
struct param {
	const char *name;
	enum param_kind kind;
	bool is_required;
	int64_t min, max; /* PARAM_INT: value; PARAM_TEXT: max bytes, 0 stands for 1024 */
};

enum { METHOD_PARAMS_MAX = 4 };
struct method {
	const char *name;
	const char *about; /* English, for `methods` */
	struct param params[METHOD_PARAMS_MAX];
	int (*run)(struct call *call);
	/* For a method that answers later: fills the result from the engine's answer; may be NULL. */
	int (*finish)(struct call *call, const struct event *answer);
};
const struct method *method_find(const char *name);
const struct method *method_at(unsigned index); /* NULL: no more */

/* What to tell people when `method` fails with `err` over `subject`, and the next command to
 * type; "" for none. */
void method_explain(const struct method *method, int err, const char *subject, char *message,
		    size_t message_size, char *next, size_t next_size);

struct engine *api_engine(const struct api *api);
const struct api_config *api_shell(const struct api *api);
unsigned api_addresses(const struct api *api, const struct address **list, uint16_t *port);
/* `since`: 0 begins with the next event. ERR_LIMIT: an event that has not happened. */
int api_subscribe(struct api_client *client, bool has_since, uint64_t since);
void api_unsubscribe(struct api_client *client);

/* notify.c: the event as a notification's method and params; NULL: not for faces. */
const char *notify_event(struct engine *e, const struct event *event, struct json *params);
struct json *notify_contact(const struct contact *contact);
struct json *notify_message(const struct message *m);
const char *notify_account_state(enum account_state state);

/* who.c: the account as others would write it: a directory in this process may have been joined
 * over loopback or an address of yesterday, which say nothing to them. */
void api_account(const struct call *call, struct engine_account *account);
struct json *account_view(const struct engine_account *account);
/* The link by which others add this account; "": none. */
void account_link(const struct engine_account *account, char out[URI_MAX + 1]);

/* doctor.c */
int doctor_run(struct call *call);

/* The language in which this face is answered from now on; "": the engine's own. */
void api_speak(struct api_client *client, const char *language);

#endif
