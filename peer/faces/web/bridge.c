#include "peer/faces/web/bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/json.h"
#include "shared/text.h"

enum { CODE_PARSE = -32700, CODE_REQUEST = -32600, CODE_METHOD = -32601, CODE_PARAMS = -32602 };
enum { CODE_REFUSED = -32000 + ERR_REFUSED, CODE_NOT_FOUND = -32000 + ERR_NOT_FOUND };

/* Methods and the parameters a page may give, with a space between; NULL: not this method. One that is
 * written as "picture=spool" is a path for other faces, and the name of a spool for a page. */
/* clang-format off */
static const struct {
	const char *method, *params;
} rows[] = {
	{ "version", "" },
	{ "setLanguage", "language" },
	{ "methods", "" },
	{ "status", "" },
	{ "doctor", "" },
	{ "join", "link name password" },
	{ "login", "name directory password beginAnew" },
	{ "recover", "name directory words newPassword" },
	{ "resetPassword", "link newPassword" },
	{ "changePassword", "oldPassword newPassword everywhere" },
	{ "deleteAccount", "name" },
	{ "renewIdentity", "" },
	{ "createRecoveryCode", "" },
	{ "removeRecoveryCode", "" },
	{ "listDevices", "" },
	{ "nameDevice", "device name" },
	{ "revokeDevice", "device" },
	{ "getLink", "" },
	{ "host", "listen" },
	{ "hostStatus", "" },
	{ "createInvite", "count expires" },
	{ "addContact", "contact greeting" },
	{ "acceptContact", "name newIdentity" },
	{ "blockContact", "name" },
	{ "removeContact", "name" },
	{ "getContact", "name" },
	{ "listContacts", "" },
	{ "getSafety", "name" },
	{ "verifyContact", "name safety" },
	{ "unverifyContact", "name" },
	{ "getProfile", "" },
	{ "setProfile", "availability invisible title status picture=spool bot" },
	{ "getPicture", "name" },
	{ "hideFrom", "name hidden" },
	{ "getSettings", "name" },
	{ "setSettings", "acceptUpTo readMarks keepDays notifications" },
	{ "setReadMarks", "name on" },
	{ "setKeep", "conversation days" },
	{ "setRequests", "from" },
	{ "setConsent", "name consent" },
	{ "setRelay", "on rate" },
	{ "send", "conversation text replyTo buttons" },
	{ "forward", "id conversation" },
	{ "editMessage", "id text" },
	{ "deleteMessage", "id here" },
	{ "sendReaction", "id reactions" },
	{ "sendTyping", "conversation typing" },
	{ "setTimer", "conversation seconds" },
	{ "sendFile", "conversation spool name type alt caption replyTo" },
	{ "newSpool", "" },
	{ "acceptFile", "id" },
	{ "pauseFile", "id" },
	{ "cancelFile", "id" },
	{ "listTransfers", "conversation all limit" },
	{ "getThumbnail", "id" },
	{ "getMessages", "conversation limit before after" },
	{ "getMessage", "id" },
	{ "searchMessages", "query conversation before limit" },
	{ "forgetConversation", "conversation" },
	{ "grantHistory", "device since on" },
	{ "markRead", "conversation upTo" },
	{ "looking", "conversation notifies" },
	{ "subscribe", "since" },
	{ "unsubscribe", "" },
	{ "exportStatus", "" },
	{ "exportHistoryStatus", "" },
	{ "listBots", "" },
	{ "removeBot", "name" },
	{ "listProposals", "" },
	{ "approveProposal", "id text" },
	{ "rejectProposal", "id" },
	/* paths of this machine */
	{ "exportAccount", NULL },
	{ "exportHistory", NULL },
	/* who may end the engine has a terminal */
	{ "stop", NULL },
	/* ways in, which would outlive the page's session */
	{ "openWeb", NULL },
	{ "closeWeb", NULL },
	{ "createBot", NULL },
	{ "changeBot", NULL },
	/* not what a page is */
	{ "authenticate", NULL },
	{ "ackEvents", NULL },
	{ "setCommands", NULL },
};
/* clang-format on */
enum { ROWS = sizeof rows / sizeof *rows };

static int row_of(const char *method)
{
	for (int i = 0; i < ROWS; i++)
		if (!strcmp(rows[i].method, method))
			return i;
	return -1;
}

bool bridge_knows(const char *method)
{
	return row_of(method) >= 0;
}

/* Whether `key` is among the words of a row, and whether it is a spool there. */
static bool has_param(const char *params, const char *key, bool *is_spool)
{
	size_t size = strlen(key);

	while (*params) {
		size_t word = strcspn(params, " "), name = strcspn(params, " =");

		if (name == size && !strncmp(params, key, size)) {
			*is_spool = name < word;
			return true;
		}
		params += word + strspn(params + word, " ");
	}
	return false;
}

bool bridge_allows(const char *method, const char *param)
{
	int row = row_of(method);
	bool is_spool;

	return row >= 0 && rows[row].params &&
	       (!param || has_param(rows[row].params, param, &is_spool));
}

/* --- refusals --- */

/* NULL: a notification, which is never answered. */
static char *refusal(const struct json *request, int code, const char *kind,
		     const char *message)
{
	const struct json *id = request ? json_get(request, "id") : NULL;
	struct json *error = json_object(), *data = json_object(), *answer = json_object();
	char *line = NULL;

	json_set_text(data, "kind", kind);
	json_set_text(data, "hint", "");
	json_set_int(error, "code", code);
	json_set_text(error, "message", message);
	json_set(error, "data", data);
	json_set_text(answer, "jsonrpc", "2.0");
	json_set(answer, "id", id ? json_keep((struct json *)id) : json_null());
	json_set(answer, "error", error);
	if (id || code == CODE_PARSE || code == CODE_REQUEST)
		line = json_print(answer);
	json_free(answer);
	return line;
}

static int refuse(char **line, const struct json *request, const char *word)
{
	char message[256];

	snprintf(message, sizeof message, _("a page may not do that: %.64s"), word);
	*line = refusal(request, CODE_REFUSED, "refused", message);
	return ERR_REFUSED;
}

/* --- one request --- */

/* Puts paths in place of spools: a copy of the parameters, or NULL when nothing is to be changed. */
static int check_params(const struct json *request, const char *allowed,
			const struct bridge_calls *calls, struct json **changed, char **line)
{
	const struct json *params = json_get(request, "params"), *value;
	struct json *copy = json_object();
	bool has_changed = false;
	const char *key;
	void *it = NULL;
	int err = 0;

	while (params && err == 0 && (key = json_each(params, &it, &value)) != NULL) {
		const char *text = json_text(params, key);
		char path[BRIDGE_PATH_MAX];
		bool is_spool;

		if (!has_param(allowed, key, &is_spool)) {
			err = refuse(line, request, key);
		} else if (is_spool && text && *text) {
			err = calls->spool(calls->user, text, path);
			if (err < 0)
				*line = refusal(request, CODE_NOT_FOUND, "not-found",
						_("there is no such spool"));
			else
				json_set_text(copy, key, path);
			has_changed = true;
		} else {
			json_set(copy, key, json_keep((struct json *)value));
		}
	}
	if (err == 0 && has_changed) {
		*changed = copy;
		return 0;
	}
	json_free(copy);
	return err;
}

static char *request_with(const struct json *request, struct json *take_params)
{
	struct json *copy = json_object();
	const struct json *value;
	const char *key;
	void *it = NULL;
	char *line;

	while ((key = json_each(request, &it, &value)) != NULL)
		if (strcmp(key, "params") != 0)
			json_set(copy, key, json_keep((struct json *)value));
	json_set(copy, "params", take_params);
	line = json_print(copy);
	json_free(copy);
	return line;
}

int bridge_take(struct bytes message, const struct bridge_calls *calls, char **line)
{
	struct json *request = NULL, *changed = NULL;
	const struct json *params;
	const char *method;
	int row, err = ERR_LIMIT;

	*line = NULL;
	if (message.size <= BRIDGE_MESSAGE_MAX)
		err = json_parse(&request, message);
	if (err < 0) {
		*line = refusal(NULL, CODE_PARSE, "request", _("this is not JSON"));
		return err;
	}
	method = json_is_object(request) ? json_text(request, "method") : NULL;
	params = method ? json_get(request, "params") : NULL;
	row = method ? row_of(method) : -1;
	err = ERR_FORMAT;
	if (!method || (params && !json_is_object(params)))
		*line = refusal(json_is_object(request) ? request : NULL, CODE_REQUEST,
				"request", _("this is not a request"));
	else if (row < 0)
		*line = refusal(request, CODE_METHOD, "request", _("there is no such method"));
	else if (!rows[row].params)
		err = refuse(line, request, method);
	else
		err = check_params(request, rows[row].params, calls, &changed, line);
	/* Printed anew: one line whatever it was, and nothing that was not understood here. */
	if (err == 0)
		*line = changed ? request_with(request, changed) : json_print(request);
	json_free(request);
	return err;
}
