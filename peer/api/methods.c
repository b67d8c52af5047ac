#include "peer/api/methods.h"

#include <string.h>

#include "peer/api/doctor.h"
#include "peer/api/method_account.h"
#include "peer/api/method_contacts.h"
#include "peer/api/method_devices.h"
#include "peer/api/method_host.h"
#include "peer/api/method_keep.h"
#include "peer/api/method_reach.h"
#include "peer/api/method_talk.h"
#include "shared/text.h"
#include "shared/version.h"

static int run_version(struct call *call)
{
	json_set_text(call->result, "name", "palique");
	json_set_text(call->result, "version", PALIQUE_VERSION);
	json_set_int(call->result, "api", API_VERSION);
	return 0;
}

static int run_language(struct call *call)
{
	call->language = call_text(call, "language");
	return 0;
}

static int run_methods(struct call *call)
{
	static const char *const kinds[] = {
		[PARAM_TEXT] = "text", [PARAM_SECRET] = "text", [PARAM_ID] = "id",
		[PARAM_INT] = "int",   [PARAM_BOOL] = "bool",
	};
	struct json *list = json_array();
	const struct method *m;

	for (unsigned i = 0; (m = method_at(i)) != NULL; i++) {
		struct json *row = json_set_text(json_object(), "name", m->name);
		struct json *params = json_array();
		for (unsigned k = 0; k < METHOD_PARAMS_MAX && m->params[k].name; k++) {
			struct json *p = json_set_text(json_object(), "name",
						       m->params[k].name);
			json_set_text(p, "type", kinds[m->params[k].kind]);
			json_set_bool(p, "required", m->params[k].is_required);
			json_add(params, p);
		}
		json_set_text(row, "about", m->about);
		json_set(row, "parameters", params);
		json_add(list, row);
	}
	json_set(call->result, "methods", list);
	return 0;
}

/* --- the table --- */

/* One row each, so that the table can be read as one. */
/* clang-format off */
#define TEXT(key, limit)    { key, PARAM_TEXT, true, 0, limit }
#define MAYBE_TEXT(key, limit) { key, PARAM_TEXT, false, 0, limit }
#define SECRET(key)         { key, PARAM_SECRET, true, 0, OPAQUE_PASSWORD_MAX }
#define WORDS(key)          { key, PARAM_SECRET, true, 0, RECOVERY_TYPED_MAX }
#define BOOL(key)           { key, PARAM_BOOL, true, 0, 0 }
#define MAYBE_BOOL(key)     { key, PARAM_BOOL, false, 0, 0 }
#define ID(key)             { key, PARAM_ID, true, 0, 0 }
#define MAYBE_ID(key)       { key, PARAM_ID, false, 0, 0 }
#define MAYBE_INT(key, min, max) { key, PARAM_INT, false, min, max }
enum { SHORT = 64, LINK = 256, LONG = 1 << 20, GREETING = WIRE_GREETING_MAX * 4, YEAR_S = 366 * 86400 };

static const struct method methods[] = {
	{ "version", "what is running here", { { 0 } }, run_version, NULL },
	{ "setLanguage", "the language of answers on this connection", { TEXT("language", TEXT_LANGUAGE_MAX) }, run_language, NULL },
	{ "methods", "this table", { { 0 } }, run_methods, NULL },
	{ "status", "account, contacts, addresses and the directory hosted here", { { 0 } }, method_status, NULL },
	{ "doctor", "checks of everything, in plain words", { { 0 } }, doctor_run, NULL },
	{ "join", "a new account at a directory", { TEXT("link", LINK), TEXT("name", SHORT), SECRET("password") }, method_join, method_finish_account },
	{ "login", "password login; brings the account to a new machine", { TEXT("name", SHORT), TEXT("directory", LINK), SECRET("password"), MAYBE_BOOL("beginAnew") }, method_login, method_finish_account },
	{ "recover", "login with the recovery code and a new password", { TEXT("name", SHORT), TEXT("directory", LINK), WORDS("words"), SECRET("newPassword") }, method_recover, method_finish_account },
	{ "resetPassword", "a new password by the operator's one-time link", { TEXT("link", LINK), SECRET("newPassword") }, method_reset, method_finish_name },
	{ "changePassword", "a new password; other devices stay, or go", { SECRET("oldPassword"), SECRET("newPassword"), MAYBE_BOOL("everywhere") }, method_passwd, method_finish_account },
	{ "deleteAccount", "end the account, at the directory and here", { TEXT("name", SHORT) }, method_delete, method_finish_name },
	{ "renewIdentity", "another identity, vouched for by this one", { { 0 } }, method_renew, method_finish_account },
	{ "createRecoveryCode", "a fresh recovery code; an older one is void", { { 0 } }, method_recovery, method_finish_recovery },
	{ "removeRecoveryCode", "no recovery code from now on", { { 0 } }, method_no_recovery, NULL },
	{ "listDevices", "the devices of this account", { { 0 } }, method_devices, NULL },
	{ "nameDevice", "what a device is called", { TEXT("device", SHORT), TEXT("name", SHORT) }, method_name_device, method_finish_devices },
	{ "revokeDevice", "a device belongs to this account no more", { TEXT("device", SHORT) }, method_revoke_device, method_finish_devices },
	{ "getLink", "the link by which others add me", { { 0 } }, method_link, NULL },
	{ "host", "run a directory in this process", { MAYBE_TEXT("listen", SHORT) }, method_host, NULL },
	{ "hostStatus", "the directory hosted here", { { 0 } }, method_host_status, NULL },
	{ "createInvite", "an invitation to the directory hosted here", { MAYBE_INT("count", 1, 1000), MAYBE_INT("expires", 60, YEAR_S) }, method_invite, NULL },
	{ "addContact", "ask a person, by name or contact link", { TEXT("contact", LINK), MAYBE_TEXT("greeting", GREETING) }, method_add, NULL },
	{ "acceptContact", "say yes to a request, or to a changed key", { TEXT("name", SHORT), MAYBE_TEXT("newIdentity", SHORT) }, method_accept, NULL },
	{ "blockContact", "never hear of this name again", { TEXT("name", SHORT) }, method_block, NULL },
	{ "removeContact", "forget a contact or a block; history stays", { TEXT("name", SHORT) }, method_remove, NULL },
	{ "getContact", "one contact", { TEXT("name", SHORT) }, method_contact, NULL },
	{ "listContacts", "all contacts and requests", { { 0 } }, method_contacts, NULL },
	{ "getSafety", "the safety number with a contact", { TEXT("name", SHORT) }, method_safety, NULL },
	{ "verifyContact", "the safety numbers were compared and are the same", { TEXT("name", SHORT), MAYBE_TEXT("safety", LINK) }, method_verify, NULL },
	{ "unverifyContact", "take that back", { TEXT("name", SHORT) }, method_unverify, NULL },
	{ "getSettings", "the settings that all devices share", { { 0 } }, method_settings, NULL },
	{ "setRequests", "from whom requests are heard", { TEXT("from", SHORT) }, method_set_requests, NULL },
	{ "setConsent", "whether a contact may have our addresses", { TEXT("name", SHORT), TEXT("consent", SHORT) }, method_set_consent, NULL },
	{ "setRelay", "carry what contacts of ours say to each other", { BOOL("on"), MAYBE_INT("rate", RELAY_RATE_MIN, UINT32_MAX) }, method_set_relay, NULL },
	{ "send", "say something; answered when it is durable here", { TEXT("conversation", SHORT), TEXT("text", LONG), MAYBE_ID("replyTo") }, method_send, method_finish_send },
	{ "getMessages", "history, oldest first", { TEXT("conversation", SHORT), MAYBE_INT("limit", 1, API_MESSAGES_MAX), MAYBE_ID("before") }, method_messages, NULL },
	{ "getMessage", "one message", { ID("id") }, method_message, NULL },
	{ "markRead", "all messages up to and with this one were seen", { TEXT("conversation", SHORT), ID("upTo") }, method_mark_read, NULL },
	{ "subscribe", "tell events, from now on or from behind `since`", { MAYBE_ID("since") }, method_subscribe, NULL },
	{ "unsubscribe", "tell no more events", { { 0 } }, method_unsubscribe, NULL },
	{ "exportAccount", "the account and its history into one sealed file; answered when it is whole", { TEXT("path", 4096), SECRET("passphrase"), MAYBE_BOOL("replace") }, method_export, method_finish_export },
	{ "exportStatus", "how far that is", { { 0 } }, method_export_status, NULL },
	{ "stop", "end the engine", { { 0 } }, method_stop, NULL },
};
/* clang-format on */

enum { METHOD_COUNT = sizeof methods / sizeof *methods };

const struct method *method_at(unsigned index)
{
	return index < METHOD_COUNT ? &methods[index] : NULL;
}

const struct method *method_find(const char *name)
{
	for (unsigned i = 0; i < METHOD_COUNT; i++)
		if (!strcmp(methods[i].name, name))
			return &methods[i];
	return NULL;
}
