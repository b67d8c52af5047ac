/* Inside of the daemon: daemon.c is its life, from the lock of the home to the last handle; daemon_engine.c the
 * engine's turn, and the network that it is told of; daemon_faces.c who is connected, by the sockets and from a
 * browser; daemon_desktop.c notifications; daemon_api.c what faces ask that is not for the engine to answer. */
#ifndef PALIQUE_PEER_DAEMON_INSIDE_H
#define PALIQUE_PEER_DAEMON_INSIDE_H

#include "peer/api/api.h"
#include "peer/browser.h"
#include "peer/config.h"
#include "peer/daemon.h"
#include "peer/desktop.h"
#include "peer/exporter.h"
#include "peer/history_export.h"
#include "peer/home.h"
#include "peer/host.h"
#include "peer/netwatch.h"
#include "shared/lines.h"
#include "shared/udp.h"

enum { DAEMON_SIGNALS = 3 };

/* In guarded memory. The key stays: an export needs it, and a locked home has it nowhere else. */
struct secrets {
	struct symmetric_key key;
	size_t size; /* bytes of the passphrase, while it is read */
	uint8_t passphrase[1024 + 1];
};

struct daemon {
	uv_loop_t loop;
	uv_timer_t pressed_timer;
	uv_signal_t signals[DAEMON_SIGNALS];
	struct home home;
	struct peer_config config;
	struct secrets *secrets;
	struct engine *engine;
	struct exporter *exporter;
	struct history_export *history_export;
	struct udp *udp;
	struct api *api;
	struct lines_server *server, *bot_server;
	struct host *host;
	struct netwatch *watch;
	struct desktop *desktop;
	struct browser *browser; /* where a browser can be begun; NULL: none */
	struct address bound;
	int lock;
	bool wants_stop, is_stopping;
	bool is_deaf;       /* told that the LAN cannot be heard */
	bool is_not_needed; /* another one is there */
	const char *hint;   /* what to type when it does not start; "": the reason says it */
	const struct daemon_web *web_face; /* NULL: no such face */
	struct web *web;                   /* NULL until somebody wants it */
	struct face *faces;
};

/* Opens the store, with a passphrase from `passphrase_fd` (-1: none), which is closed, and begins the engine in it.
 * Blocks for the second that a passphrase takes. `d->hint` says what to type where it fails and that helps. */
int daemon_open_engine(struct daemon *d, const struct daemon_options *options, char *reason,
		       size_t reason_size);
/* The engine's socket, its turns on the loop, and which UDP port it listens on. */
int daemon_open_udp(struct daemon *d, char *reason, size_t reason_size);
/* Watches this machine's network for it. */
void daemon_watch_network(struct daemon *d);
/* What of a configuration can change while it runs. */
void daemon_take_config(struct daemon *d, const struct peer_config *fresh);
/* The engine says what it has to say before it goes; what it then still wants done, the worker does. */
void daemon_say_goodbye(struct daemon *d);

/* A client of the API: on a socket, or a page of a face in this process. */
struct face;
/* The sockets: people's, and that of programs with a token. */
int daemon_listen(struct daemon *d, char *reason, size_t reason_size);
/* What the API is given of them: as call.h says, with a struct face or a struct daemon. */
int daemon_face_send(void *face, struct bytes line);
size_t daemon_face_backlog(void *face);
void daemon_face_end(void *face);
int daemon_open_web(void *daemon, uint16_t port, char *url, uint16_t *listens, char *reason,
		    size_t reason_size);
void daemon_close_web(void *daemon);
/* Who is left when the loop has ended. */
void daemon_free_faces(struct daemon *d);

void daemon_open_desktop(struct daemon *d);
/* Calls of the API, with a struct daemon. */
void daemon_happened(void *daemon, const struct event *event);
void daemon_seen(void *daemon, const char *name);

void daemon_open_api(struct daemon *d);
/* The directory in this process, begun or moved to `listen`; NULL: where it was. */
int daemon_host(void *daemon, const struct address *listen, char *reason, size_t reason_size);
/* The loop ends in the next step: the answer to `stop` leaves with it. */
void daemon_stop(void *daemon);

#endif
