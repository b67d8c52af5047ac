#include "peer/api/call.h"

#include <stdio.h>

bool call_has_room(struct call *call, size_t *size, const struct json *added)
{
	*size += json_size(added);
	if (*size < API_LIST_MAX)
		return true;
	json_set_bool(call->result, "more", true);
	return false;
}

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
