#include "peer/api/methods.h"

#include <string.h>

#include "peer/api/doctor.h"
#include "peer/api/method_account.h"
#include "peer/api/method_bots.h"
#include "peer/api/method_contacts.h"
#include "peer/api/method_devices.h"
#include "peer/api/method_files.h"
#include "peer/api/method_history.h"
#include "peer/api/method_host.h"
#include "peer/api/method_keep.h"
#include "peer/api/method_messages.h"
#include "peer/api/method_profile.h"
#include "peer/api/method_reach.h"
#include "peer/api/method_settings.h"
#include "peer/api/method_talk.h"
#include "peer/api/method_web.h"
#include "shared/menu.h"
#include "shared/offer.h"
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
		[PARAM_INT] = "int",   [PARAM_BOOL] = "bool",   [PARAM_LIST] = "list",
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
#define LIST(key, count, limit) { key, PARAM_LIST, true, count, limit }
#define MAYBE_LIST(key, count, limit) { key, PARAM_LIST, false, count, limit }
#define MAYBE_INT(key, min, max) { key, PARAM_INT, false, min, max }
#define INT(key, min, max)  { key, PARAM_INT, true, min, max }
#define TIME_MAX            INT64_C(253402300799999) /* the last of the year 9999, in ms */
enum { SHORT = 64, LINK = 256, PATH = 4096, REACTIONS = 512, QUERY = 1024, DAYS_MAX = 36500, LONG = 1 << 20, BOT_LIFE_MAX = 10 * 366 * 86400, GREETING = WIRE_GREETING_MAX * 4, YEAR_S = 366 * 86400 };

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
	{ "getProfile", "what I show of myself", { { 0 } }, method_profile, NULL },
	{ "setProfile", "show something else; what is left out stays", { MAYBE_TEXT("availability", SHORT), MAYBE_BOOL("invisible"), MAYBE_TEXT("title", LONG), MAYBE_TEXT("status", LONG), MAYBE_TEXT("picture", PATH), MAYBE_BOOL("bot") }, method_set_profile, method_finish_profile },
	{ "getPicture", "the picture of a contact, or mine", { MAYBE_TEXT("name", SHORT) }, method_picture, NULL },
	{ "hideFrom", "whether a contact sees that I am there", { TEXT("name", SHORT), MAYBE_BOOL("hidden") }, method_hide_from, NULL },
	{ "getSettings", "what is set, on all devices and on this one; or for one contact", { MAYBE_TEXT("name", SHORT) }, method_settings, NULL },
	{ "setSettings", "set something on this device; what is left out stays", { MAYBE_INT("acceptUpTo", 0, (int64_t)OFFER_SIZE_MAX), MAYBE_TEXT("downloads", PATH - 1), MAYBE_BOOL("readMarks"), MAYBE_INT("keepDays", 0, DAYS_MAX), MAYBE_TEXT("notifications", SHORT) }, method_set_settings, NULL },
	{ "setReadMarks", "whether a contact gets read marks; without `on` as everybody", { TEXT("name", SHORT), MAYBE_BOOL("on") }, method_set_read_marks, NULL },
	{ "setKeep", "how long messages with one person are kept", { TEXT("conversation", SHORT), MAYBE_INT("days", -1, DAYS_MAX) }, method_set_keep, NULL },
	{ "setRequests", "from whom requests are heard", { TEXT("from", SHORT) }, method_set_requests, NULL },
	{ "setConsent", "whether a contact may have our addresses", { TEXT("name", SHORT), TEXT("consent", SHORT) }, method_set_consent, NULL },
	{ "setRelay", "carry what contacts of ours say to each other", { BOOL("on"), MAYBE_INT("rate", RELAY_RATE_MIN, UINT32_MAX) }, method_set_relay, NULL },
	{ "send", "say something; answered when it is durable here", { TEXT("conversation", LINK), TEXT("text", LONG), MAYBE_ID("replyTo"), MAYBE_LIST("buttons", MENU_BUTTONS_MAX, MENU_BUTTON_MAX), MAYBE_TEXT("bot", SHORT) }, method_send, method_finish_send },
	{ "forward", "say to somebody what a message says", { ID("id"), TEXT("conversation", LINK) }, method_forward, method_finish_send, method_fail_send_file },
	{ "editMessage", "another text for a message of ours", { ID("id"), TEXT("text", LONG) }, method_edit, method_finish_message },
	{ "deleteMessage", "take a message of ours back; or forget one here alone", { ID("id"), MAYBE_BOOL("here") }, method_delete_message, method_finish_message },
	{ "sendReaction", "all our reactions to a message from now on", { ID("id"), TEXT("reactions", REACTIONS) }, method_react, method_finish_message },
	{ "sendTyping", "we type, or do not any more", { TEXT("conversation", SHORT), MAYBE_BOOL("typing") }, method_typing, NULL },
	{ "setTimer", "our wish after how long messages disappear", { TEXT("conversation", SHORT), INT("seconds", 0, WIRE_LIFE_MAX) }, method_set_timer, method_finish_contact },
	{ "newSpool", "an empty file to write into and to send", { { 0 } }, method_new_spool, NULL },
	{ "sendFile", "offer a file or a folder; answered when that is durable here", { TEXT("conversation", LINK), MAYBE_TEXT("path", PATH - 1), MAYBE_TEXT("spool", SHORT), MAYBE_TEXT("name", LONG), MAYBE_TEXT("type", LINK), MAYBE_TEXT("alt", LONG), MAYBE_TEXT("caption", LONG), MAYBE_ID("replyTo") }, method_send_file, method_finish_send, method_fail_send_file },
	{ "acceptFile", "fetch a file, or go on with it", { ID("id"), MAYBE_TEXT("folder", PATH - 1) }, method_accept_file, NULL },
	{ "pauseFile", "let a transfer rest", { ID("id") }, method_pause_file, NULL },
	{ "cancelFile", "end a transfer; what came so far goes", { ID("id") }, method_cancel_file, NULL },
	{ "listTransfers", "files on their way, newest first", { MAYBE_TEXT("conversation", SHORT), MAYBE_BOOL("all"), MAYBE_INT("limit", 1, API_MESSAGES_MAX) }, method_transfers, NULL },
	{ "getThumbnail", "the small image that came with a message", { ID("id") }, method_thumbnail, NULL },
	{ "getMessages", "history, oldest first", { TEXT("conversation", SHORT), MAYBE_INT("limit", 1, API_MESSAGES_MAX), MAYBE_ID("before"), MAYBE_ID("after") }, method_messages, NULL },
	{ "getMessage", "one message", { ID("id") }, method_message, NULL },
	{ "searchMessages", "messages with all of these words, newest first", { TEXT("query", QUERY), MAYBE_TEXT("conversation", SHORT), MAYBE_ID("before"), MAYBE_INT("limit", 1, API_MESSAGES_MAX) }, method_search, NULL },
	{ "forgetConversation", "delete all with one person, here alone", { TEXT("conversation", SHORT) }, method_forget_conversation, NULL },
	{ "grantHistory", "let another own device have what was said", { TEXT("device", SHORT), MAYBE_INT("since", 0, TIME_MAX), MAYBE_BOOL("on") }, method_grant_history, NULL },
	{ "markRead", "all messages up to and with this one were seen", { TEXT("conversation", SHORT), ID("upTo") }, method_mark_read, NULL },
	{ "looking", "which conversation this face shows now; none without it", { MAYBE_TEXT("conversation", SHORT), MAYBE_BOOL("notifies") }, method_looking, NULL },
	{ "subscribe", "tell events, from now on or from behind `since`; of a bot, from behind what it has dealt with", { MAYBE_ID("since"), MAYBE_BOOL("resume") }, method_subscribe, NULL },
	{ "unsubscribe", "tell no more events", { { 0 } }, method_unsubscribe, NULL },
	{ "createBot", "a token for a program, with its limits", { TEXT("name", SHORT), LIST("conversations", BOT_NAMES_MAX, SHORT), TEXT("may", SHORT), MAYBE_INT("rate", 1, BOT_RATE_MAX), MAYBE_INT("expires", 1, BOT_LIFE_MAX) }, method_create_bot, NULL },
	{ "changeBot", "other limits for a program, or another token; what is left out stays", { TEXT("name", SHORT), MAYBE_LIST("conversations", BOT_NAMES_MAX, SHORT), MAYBE_TEXT("may", SHORT), MAYBE_INT("rate", 1, BOT_RATE_MAX), MAYBE_INT("expires", 0, BOT_LIFE_MAX), MAYBE_BOOL("newToken") }, method_change_bot, NULL },
	{ "listBots", "programs that have a token", { { 0 } }, method_bots, NULL },
	{ "removeBot", "its token is void, and its connections end", { TEXT("name", SHORT) }, method_remove_bot, NULL },
	{ "authenticate", "this connection is that of a bot from now on", { SECRET("token") }, method_authenticate, NULL },
	{ "ackEvents", "a bot has dealt with all events up to this one", { ID("eventId") }, method_ack_events, NULL },
	{ "setCommands", "the commands that a bot knows: a name, a space, what it is for", { LIST("commands", MENU_COMMANDS_MAX, MENU_COMMAND_SIZE) }, method_set_commands, NULL },
	{ "listProposals", "what bots want to say, for a person to decide", { { 0 } }, method_proposals, NULL },
	{ "approveProposal", "say it, as it is or with another text", { ID("id"), MAYBE_TEXT("text", LONG) }, method_approve, method_finish_send },
	{ "rejectProposal", "it is not said", { ID("id") }, method_reject, NULL },
	{ "exportAccount", "the account and its history into one sealed file; answered when it is whole", { TEXT("path", 4096), SECRET("passphrase"), MAYBE_BOOL("replace") }, method_export, method_finish_export },
	{ "exportStatus", "how far that is", { { 0 } }, method_export_status, NULL },
	{ "exportHistory", "what was said with one or all contacts, as JSON lines or as a page, for other programs; answered when it is whole", { TEXT("path", 4096), TEXT("format", 16), MAYBE_TEXT("conversation", SHORT) }, method_export_history, method_finish_export_history },
	{ "exportHistoryStatus", "how far that is", { { 0 } }, method_export_history_status, NULL },
	{ "openWeb", "a URL that opens the face in a browser, once", { MAYBE_INT("port", 0, 65535), MAYBE_TEXT("link", LINK) }, method_open_web, NULL },
	{ "closeWeb", "end the face in browsers, and all its sessions", { { 0 } }, method_close_web, NULL },
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
