/* Shell: what stands around the engine. The loop, the UDP socket, worker jobs, the socket of
 * the local API, this machine's addresses, signals, the lock of the home. */
#ifndef PALIQUE_PEER_DAEMON_H
#define PALIQUE_PEER_DAEMON_H

#include <stdbool.h>

struct daemon_options {
	const char *home;  /* --home, or NULL */
	int ready_fd;      /* gets one line when faces may come, or when it fails; -1: none */
	int passphrase_fd; /* of a locked home: a line; -1: none. Closed when it was read */
	bool begin_anew;   /* with an empty store, where the old one is lost */
	bool is_verbose, is_quiet;
};

/* Runs until it is told to stop. Returns an exit code: 0, 1, or 3 (home is locked, in use or
 * under a passphrase).
 *
 * The line on `ready_fd` is "ready", also where another engine was beginning in this home and is
 * there now; or an error's name (shared/error.h), a space and a sentence for people; where it is
 * known what to type, a tab and that. */
int daemon_run(const struct daemon_options *options);

#endif
