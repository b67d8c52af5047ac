/* Telling the service manager how it goes (sd_notify(3)); nobody there is no error. */
#ifndef PALIQUE_DIRECTORY_NOTIFY_H
#define PALIQUE_DIRECTORY_NOTIFY_H

#include "shared/clock.h"

/* "READY=1" and the like: one datagram to $NOTIFY_SOCKET. */
void notify_send(const char *state);
/* RELOADING=1 with the moment, as sd_notify(3) wants it. READY=1 follows when it is done. */
void notify_reloading(mono_ns now);
/* How often WATCHDOG=1 is to be sent: half of what was asked for; NEVER: not at all. */
mono_ns notify_watchdog(void);

#endif
