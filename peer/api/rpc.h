/* JSON-RPC 2.0: one line to a request that fits its method's row; results, failures and
 * notifications to objects. */
#ifndef PALIQUE_PEER_API_RPC_H
#define PALIQUE_PEER_API_RPC_H

#include "peer/api/methods.h"

struct rpc_request {
	struct json *object, *no_params; /* owned; the others point into them */
	const struct json *id;           /* NULL: a notification */
	const struct json *params;
	const struct method *method;
	int code; /* why it is refused */
	char reason[256];
};

/* Below 0: refused whole. `line` is hostile until then. To be cleared in any case. */
int rpc_parse(struct rpc_request *r, struct bytes line);
/* Wipes the passwords in it, too. */
void rpc_clear(struct rpc_request *r);

/* What a refused request is answered; NULL: a notification, which never is (section 4.1). */
struct json *rpc_refusal(const struct rpc_request *r);
/* The call's result, or its failure `err` in words. */
struct json *rpc_answer(const struct json *id, const struct method *method,
			const struct call *call, int err);
struct json *rpc_notification(const char *method, struct json *take_params);

#endif
