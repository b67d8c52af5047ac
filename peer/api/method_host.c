#include "peer/api/method_host.h"

#include <stdio.h>

#include "shared/error.h"
#include "shared/text.h"

int method_host(struct call *call)
{
	const struct api_config *shell = call->shell;
	const char *listen = call_text(call, "listen");
	struct address address;
	int err;

	if (!shell->host)
		return ERR_STATE;
	if (listen && address_parse(&address, listen, DIRECTORY_PORT) < 0) {
		snprintf(call->reason, sizeof call->reason, _("\"%.64s\" is not ADDRESS:PORT"),
			 listen);
		return ERR_FORMAT;
	}
	err = shell->host(shell->user, listen ? &address : NULL, call->reason,
			  sizeof call->reason);
	return err < 0 ? err : shell->host_status(shell->user, call->result);
}

int method_host_status(struct call *call)
{
	const struct api_config *shell = call->shell;

	return shell->host_status ? shell->host_status(shell->user, call->result) : ERR_STATE;
}

int method_invite(struct call *call)
{
	const struct api_config *shell = call->shell;

	if (!shell->host_invite)
		return ERR_STATE;
	return shell->host_invite(shell->user, call->params, call->result, call->reason,
				  sizeof call->reason);
}

int method_stop(struct call *call)
{
	const struct api_config *shell = call->shell;

	if (!shell->stop)
		return ERR_STATE;
	shell->stop(shell->user);
	return 0;
}
