/* Shell: the whole life of `palique-directory serve` as a process: a loop, signals, what the
 * service manager and monitoring want to know, the end. */
#ifndef PALIQUE_DIRECTORY_SERVICE_H
#define PALIQUE_DIRECTORY_SERVICE_H

#include "directory/config.h"

struct service_place {
	const char *data, *config_path;
	/* Where the configuration names no key-holder: the folder of its secrets (NULL:
	 * DATA/keyholder), and whom it becomes where we are root (NULL: stays). */
	const char *secrets, *keyholder_user;
};

/* Until TERM or INT end it. HUP reads the configuration again and keeps the old where it is
 * wrong. The key-holder is the configured one, which may come later, or a child process, which
 * must come. On failure to begin `reason` gets a sentence; errors of serve_start() and
 * health_start(); ERR_CLOSED: the child ended. */
int service_run(const struct service_place *place, const struct config *config, char *reason,
		size_t reason_size);

#endif
