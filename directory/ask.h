/* One question to a running directory, over its admin socket: the client of admin.h. */
#ifndef PALIQUE_DIRECTORY_ASK_H
#define PALIQUE_DIRECTORY_ASK_H

#include "shared/json.h"

/* Blocks for up to ten seconds. ERR_OFFLINE: no directory runs on this data folder,
 * ERR_TIMEOUT, ERR_IO, ERR_FORMAT. `answer` is the caller's to free. */
int ask_running(struct json **answer, const char *data, const struct json *question);

#endif
