#include "peer/api/method_keep.h"

#include <stdio.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

int method_export(struct call *call)
{
	const struct api_config *shell = call->shell;
	const char *file = call_text(call, "path"), *passphrase = call_text(call, "passphrase");
	struct engine_account account;
	int err;

	if (!shell->export_account)
		return ERR_STATE;
	engine_account(call->engine, &account);
	if (account.state == ACCOUNT_NONE || account.state == ACCOUNT_JOINING) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("there is no account here yet to export"));
		snprintf(call->hint, sizeof call->hint, "palique status");
		return ERR_STATE;
	}
	if (!*passphrase) {
		snprintf(call->reason, sizeof call->reason, "%s", _("the passphrase is empty"));
		return ERR_FORMAT;
	}
	err = shell->export_account(shell->user, file, bytes_text(passphrase),
				    json_bool(call->params, "replace", false), call->ticket,
				    call->reason, sizeof call->reason);
	return err < 0 ? err : API_LATER;
}

int method_finish_export(struct call *call, const struct event *answer)
{
	(void)answer;
	json_set_bool(call->result, "exported", true);
	return 0;
}

int method_export_status(struct call *call)
{
	const struct api_config *shell = call->shell;

	if (!shell->export_status)
		return ERR_STATE;
	shell->export_status(shell->user, call->result);
	return 0;
}

int method_export_history(struct call *call)
{
	const struct api_config *shell = call->shell;
	const char *path = call_text(call, "path"), *format = call_text(call, "format");
	const char *name = call_text(call, "conversation");
	bool is_page = strcmp(format, "html") == 0;
	int err;

	if (!shell->export_history)
		return ERR_STATE;
	if (!is_page && strcmp(format, "jsonl") != 0) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("an export is \"jsonl\" or \"html\""));
		return ERR_FORMAT;
	}
	if (name)
		call_about(call, "conversation");
	err = shell->export_history(shell->user, path, is_page, name, call->ticket,
				    call->reason, sizeof call->reason);
	if (err == ERR_NOT_FOUND && call->reason[0]) /* and not the person */
		snprintf(call->hint, sizeof call->hint, "%s",
			 _("palique export NAME PATH --format html, with a folder that is "
			   "there"));
	return err < 0 ? err : API_LATER;
}

int method_finish_export_history(struct call *call, const struct event *answer)
{
	(void)answer;
	return method_export_history_status(call);
}

int method_export_history_status(struct call *call)
{
	const struct api_config *shell = call->shell;

	if (!shell->export_history_status)
		return ERR_STATE;
	shell->export_history_status(shell->user, call->result);
	return 0;
}
