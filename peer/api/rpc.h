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

/* Each appends one line without its end to `out`. What a refused request is answered; false: a notification,
 * which never is (section 4.1). */
bool rpc_refusal(struct buf *out, const struct rpc_request *r);
/* The call's result, or its failure `err` in words. */
void rpc_answer(struct buf *out, const struct json *id, const struct method *method,
		const struct call *call, int err);
void rpc_notification(struct buf *out, const char *method, const struct json *params);

#endif
