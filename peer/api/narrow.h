/* A connection that a token has narrowed: what it may ask, and what it is shown of an answer or an event. */
#ifndef PALIQUE_PEER_API_NARROW_H
#define PALIQUE_PEER_API_NARROW_H

#include "peer/api/call.h"
#include "peer/api/rights.h"

/* Before the method runs: 0, or why not, with `call->reason` in words. `now`: for its rate. */
int narrow_check(struct call *call, const struct bot *bot, const char *method, mono_ns now);
/* The result without what is none of its business. */
struct json *narrow_result(struct json *take_result, const struct bot *bot, const char *method);
/* The same of an event's params (right_hears() has said yes). */
void narrow_event(struct json *params);

#endif
