/* The counters of a server and their form as JSON. No names, no addresses. */
#ifndef PALIQUE_DIRECTORY_METRICS_H
#define PALIQUE_DIRECTORY_METRICS_H

#include "directory/server.h"
#include "shared/json.h"

/* One object: scalars by name, "messages_in" and "messages_out" by message name (only those
 * seen), "traffic" as counted by the endpoint. */
struct json *metrics_json(const struct server_status *status);

#endif
