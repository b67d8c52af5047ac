/* What the process that talks UPnP (peer/upnp.h) is told, as its arguments, and what it says: one
 * line. It has read whatever somebody on the LAN sent, so its word is taken like a stranger's. */
#ifndef PALIQUE_PEER_UPNP_LINE_H
#define PALIQUE_PEER_UPNP_LINE_H

#include "shared/job.h"

/* Hidden: the first argument by which our program becomes that process. */
#define UPNP_COMMAND "upnp-for-the-engine"

enum { UPNP_ARGUMENTS = 9, UPNP_ARGUMENT_SIZE = JOB_URL_MAX + 1, UPNP_LINE_MAX = 512 };

/* From a JOB_UPNP to argv and back. ERR_FORMAT. */
void upnp_question_print(const struct job *job, char out[UPNP_ARGUMENTS][UPNP_ARGUMENT_SIZE]);
int upnp_question_parse(struct job *job, int argc, char *const *argv);

/* The answer: err, code, life, the outer address, router and url. `out` gets a line with its end
 * and a NUL. */
void upnp_line_print(const struct job *job, char out[UPNP_LINE_MAX]);
/* The line without its end. ERR_FORMAT, and `job` is as it was. */
int upnp_line_parse(struct job *job, struct bytes line);

/* Of v4, without a port. */
void upnp_print_ip(const struct address *a, char *out, size_t size);
/* "http://1.2.3.4:5/...": whose address it is at. ERR_FORMAT: anything else, a name for example. */
int upnp_url_at(const char *url, struct address *at);
/* Whether who lives there may speak for the router: it is itself, or of its network (a /24). */
bool upnp_is_near(const struct address *gateway, const struct address *at);

#endif
