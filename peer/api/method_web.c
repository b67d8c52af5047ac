#include "peer/api/method_web.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "shared/error.h"

/* What the page is to show at once, behind the token. */
static int add_link(char *url, size_t size, const char *link)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	size_t used = strlen(url);

	used += (size_t)snprintf(url + used, size - used, "&link=");
	for (; *link; link++) {
		if (used + 4 > size)
			return ERR_LIMIT;
		used += (size_t)snprintf(url + used, size - used,
					 strchr(plain, *link) ? "%c" : "%%%02X",
					 (unsigned char)*link);
	}
	return 0;
}

int method_open_web(struct call *call)
{
	const struct api_config *shell = call->shell;
	const char *link = call_text(call, "link");
	char url[API_URL_MAX] = "";
	uint16_t listens = 0;
	int err;

	if (!shell->open_web)
		return ERR_STATE;
	err = shell->open_web(shell->user, (uint16_t)json_int(call->params, "port", 0), url,
			      &listens, call->reason, sizeof call->reason);
	if (err == 0 && link)
		err = add_link(url, sizeof url, link);
	if (err < 0)
		return err;
	json_set_text(call->result, "url", url);
	json_set_int(call->result, "port", listens);
	call->secret = "url";
	sodium_memzero(url, sizeof url);
	return 0;
}

int method_close_web(struct call *call)
{
	const struct api_config *shell = call->shell;

	if (!shell->close_web)
		return ERR_STATE;
	shell->close_web(shell->user);
	return 0;
}
