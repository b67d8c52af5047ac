/* JOB_UPNP, by a child: our own program begun anew (peer/upnp.h), since what it reads of the LAN
 * passes through a parser of XML that is not ours. Whatever becomes of it there, here arrives
 * one line, or none. */
#ifndef PALIQUE_PEER_UPNP_CHILD_H
#define PALIQUE_PEER_UPNP_CHILD_H

#include "shared/job.h"

enum {
	UPNP_DEADLINE_MS = 8000,         /* then it is killed */
	UPNP_REMOVAL_DEADLINE_MS = 2000, /* when we leave nobody waits for a router longer */
};

/* Blocks, in a thread of the worker. 0, or: ERR_NOT_FOUND: no router that can do this;
 * ERR_REFUSED: it will not (`code`); ERR_TIMEOUT; ERR_FORMAT: the child said something else, or
 * died; ERR_CLOSED: we are leaving; ERR_IO: it could not be started. */
int upnp_child_run(struct job *job);

#endif
