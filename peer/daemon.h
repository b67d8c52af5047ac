/* Shell: what stands around the engine. The loop, the UDP socket, worker jobs, the socket of
 * the local API, this machine's addresses, signals, the lock of the home. */
#ifndef PALIQUE_PEER_DAEMON_H
#define PALIQUE_PEER_DAEMON_H

#include <stdbool.h>
#include <uv.h>

#include "shared/bytes.h"

/* A face that lives in this process, as main.c gives it: the engine does not know that faces exist, only that
 * something may want to be a client of its API for each of its pages. */
struct web;
struct web_page;
/* What it is given: as web.h of that face says. */
struct daemon_web_calls {
	void *(*connect)(void *user, struct web_page *page);
	void (*line)(void *user, void *client, struct bytes line);
	void (*disconnect)(void *user, void *client);
	int (*spool)(void *user, const char *name, char *path, size_t size);
};
struct daemon_web {
	struct web *(*make)(uv_loop_t *loop, const struct daemon_web_calls *calls, void *user);
	int (*open)(struct web *web, uint16_t port, char *url, uint16_t *listens, char *reason,
		    size_t reason_size);
	void (*close)(struct web *web);
	void (*free)(struct web *web);
	int (*send)(struct web_page *page, struct bytes line);
	size_t (*backlog)(const struct web_page *page);
};

struct daemon_options {
	const char *home;  /* --home, or NULL */
	int ready_fd;      /* gets one line when faces may come, or when it fails; -1: none */
	int passphrase_fd; /* of a locked home: a line; -1: none. Closed when it was read */
	bool begin_anew;   /* with an empty store, where the old one is lost */
	bool is_verbose, is_quiet;
	const struct daemon_web *web; /* NULL: none */
};

/* Runs until it is told to stop. Returns an exit code: 0, 1, or 3 (home is locked, in use or
 * under a passphrase).
 *
 * The line on `ready_fd` is "ready", also where another engine was beginning in this home and is
 * there now; or an error's name (shared/error.h), a space and a sentence for people; where it is
 * known what to type, a tab and that. */
int daemon_run(const struct daemon_options *options);

#endif
