/* Shell: the whole life of `palique-directory serve` as a process: a loop, signals, what the
 * service manager and monitoring want to know, the end. */
#ifndef PALIQUE_DIRECTORY_SERVICE_H
#define PALIQUE_DIRECTORY_SERVICE_H

#include "directory/config.h"

/* Until TERM or INT end it. HUP reads `config_path` again and keeps the old where it is wrong. On
 * failure to begin `reason` gets a sentence; errors of serve_start() and health_start(). */
int service_run(const char *data, const char *config_path, const struct config *config,
		char *reason, size_t reason_size);

#endif
