/* The counters of a server, as JSON and as Prometheus's text. No names, no addresses. */
#ifndef PALIQUE_DIRECTORY_METRICS_H
#define PALIQUE_DIRECTORY_METRICS_H

#include "directory/fitness.h"
#include "directory/server.h"
#include "shared/json.h"

/* One object: scalars by name, "messages_in" and "messages_out" by message name (only those
 * seen), "traffic" as counted by the endpoint. */
struct json *metrics_json(const struct server_status *status);

/* The text exposition format 0.0.4: each family with HELP and TYPE, names beginning with
 * palique_directory_. */
void metrics_text(struct buf *out, const struct server_status *status,
		  const struct fitness *fitness);

#endif
