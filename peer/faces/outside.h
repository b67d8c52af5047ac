/* A command of palique, begun by a face on the very terminal that it stands on. What asks for a password, or prints
 * words for paper, is so the command line's own: no secret passes through a face, what it keeps or its history. */
#ifndef PALIQUE_PEER_FACES_OUTSIDE_H
#define PALIQUE_PEER_FACES_OUTSIDE_H

#include <stdbool.h>

#include "peer/faces/client.h"

/* Whether there is such a command, and it comes to an end by itself. */
bool outside_can(const char *name);

/* Runs `line` as if it had been typed behind "palique", and waits until it has ended: words with a space between,
 * in "" or '' with spaces in them; ~/ is the person's folder. No shell is asked. Its exit code; ERR_FORMAT: a quote
 * has no end, or there are too many words; ERR_IO: it cannot be begun. */
int outside_run(const struct client_place *place, const char *line);

#endif
