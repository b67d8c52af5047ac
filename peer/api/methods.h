/* The methods of the local API: a table, one row each, and what a row says of its parameters. */
#ifndef PALIQUE_PEER_API_METHODS_H
#define PALIQUE_PEER_API_METHODS_H

#include "peer/api/call.h"

enum param_kind { PARAM_TEXT, PARAM_SECRET, PARAM_ID, PARAM_INT, PARAM_BOOL, PARAM_LIST };
struct param {
	const char *name;
	enum param_kind kind;
	bool is_required;
	/* PARAM_INT: value; PARAM_TEXT: max bytes, 0 stands for 1024; PARAM_LIST, of texts: at most `min` of them, of
	 * `max` bytes each. */
	int64_t min, max;
};

enum { METHOD_PARAMS_MAX = 8 };
struct method {
	const char *name;
	const char *about; /* English, for `methods` */
	struct param params[METHOD_PARAMS_MAX];
	int (*run)(struct call *call);
	/* For a method that answers later: fills the result from the engine's answer; may be NULL. */
	int (*finish)(struct call *call, const struct event *answer);
	/* Where the detail of an engine's failure is no sentence: says it; or NULL. */
	void (*fail)(struct call *call, const struct event *answer);
};
const struct method *method_find(const char *name);
const struct method *method_at(unsigned index); /* NULL: no more */

#endif
