#include "peer/api/call.h"

#include <stdio.h>

const char *call_text(const struct call *call, const char *key)
{
	return json_text(call->params, key);
}

const char *call_about(struct call *call, const char *key)
{
	const char *name = call_text(call, key);

	snprintf(call->subject, sizeof call->subject, "%s", name);
	return name;
}
