#include "peer/api/method_account.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer/api/network.h"
#include "peer/api/notify.h"
#include "peer/api/spoken.h"
#include "peer/api/who.h"
#include "shared/error.h"
#include "shared/text.h"
#include "shared/version.h"

static void set_devices(struct call *call)
{
	const struct device_list *list = engine_devices(call->engine);
	unsigned online = 0;

	for (unsigned i = 0; i < list->count; i++)
		online += engine_device_is_online(call->engine, &list->devices[i].device);
	json_set_int(call->result, "devices", list->count);
	json_set_int(call->result, "onlineDevices", online);
}

int method_status(struct call *call)
{
	const struct api_config *shell = call->shell;
	struct engine *e = call->engine;
	struct engine_account account;
	struct engine_reach reach;
	struct profile profile;
	struct contact contact;
	struct json *addresses, *paths, *host;
	char text[URI_HOST_MAX + ADDRESS_TEXT_SIZE];
	uint64_t contacts = 0, online = 0, unread = 0, queued = 0, held = 0;

	if (!engine_is_readable(e))
		return ERR_IO;
	addresses = json_array();
	paths = json_array();
	host = json_object();
	who_account(call, &account);
	json_set_text(call->result, "version", PALIQUE_VERSION);
	json_set_int(call->result, "pid", getpid());
	json_set_int(call->result, "started", shell->started);
	if (shell->home)
		json_set_text(call->result, "home", shell->home->folder);
	json_set(call->result, "account", who_view(&account));
	engine_profile(e, &profile);
	json_set(call->result, "profile", spoken_profile(&profile));
	for (unsigned i = 0; engine_contact_at(e, i, &contact) == 0; i++) {
		contacts++;
		online += contact.is_online || contact.is_linked;
		unread += contact.unread;
		queued += contact.queued;
		held += contact.held;
		if (contact.state == CONTACT_MUTUAL && (contact.is_online || contact.is_linked))
			json_add(paths, notify_path(&contact));
	}
	json_set_int(call->result, "contacts", (int64_t)contacts);
	json_set_int(call->result, "online", (int64_t)online);
	json_set_int(call->result, "unread", (int64_t)unread);
	json_set_int(call->result, "queued", (int64_t)queued);
	json_set_int(call->result, "held", (int64_t)held);
	set_devices(call);
	for (unsigned i = 0; i < call->machine->address_count; i++) {
		address_print(&call->machine->addresses[i], text);
		json_add_text(addresses, text);
	}
	json_set_int(call->result, "port", call->machine->port);
	json_set(call->result, "addresses", addresses);
	engine_reach(e, &reach);
	json_set(call->result, "paths", paths);
	json_set(call->result, "network", network_view(&reach, &account));
	json_set_id(call->result, "lastEventId", engine_last_event(e));
	if (shell->config && shell->config->has_directory) {
		place_print(&shell->config->directory, text);
		json_set_text(call->result, "defaultDirectory", text);
	}
	if (shell->host_status && shell->host_status(shell->user, host) == 0)
		json_set(call->result, "host", json_keep(host));
	json_free(host);
	return 0;
}

int method_finish_account(struct call *call, const struct event *answer)
{
	struct engine_account account;

	(void)answer;
	who_account(call, &account);
	json_set(call->result, "account", who_view(&account));
	return 0;
}

int method_finish_name(struct call *call, const struct event *answer)
{
	json_set_text(call->result, "name", answer->detail[0] ? answer->detail : call->subject);
	return 0;
}

int method_join(struct call *call)
{
	struct uri uri;
	int err = uri_parse(&uri, call_text(call, "link"));

	call_about(call, "name");
	if (err == 0 && uri.kind == URI_RESET)
		snprintf(call->hint, sizeof call->hint, "%s", _("palique reset LINK"));
	if (err == 0 && uri.kind != URI_DIRECTORY && uri.kind != URI_INVITATION)
		err = ERR_FORMAT;
	if (err < 0) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("this is not the link of a directory or an invitation to one"));
		return err;
	}
	err = engine_join(call->engine, &uri, call_text(call, "name"),
			  bytes_text(call_text(call, "password")), call->ticket);
	if (err == ERR_EXISTS) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("this home has an account already"));
		snprintf(call->hint, sizeof call->hint, "palique status");
	}
	return err < 0 ? err : API_LATER;
}

/* Where and with which key, from the parameters `name` and `directory`: HOST, HOST:PORT or a
 * link. For the hint of an error it is NAME@DIRECTORY. */
struct entrance {
	struct directory_place place;
	bool has_key;
	struct device_public key;
};
static int parse_entrance(struct call *call, struct entrance *at)
{
	const char *directory = call_text(call, "directory"), *name = call_text(call, "name");
	char place[URI_HOST_MAX + 9];
	struct engine_account account;
	struct uri uri;
	int err = uri_parse(&uri, directory);

	memset(at, 0, sizeof *at);
	snprintf(call->subject, sizeof call->subject, "%s", name);
	if (err == 0 && uri.kind == URI_DIRECTORY) {
		at->place = uri.place;
		at->has_key = uri.has_directory_key;
		at->key = uri.directory_key;
	} else {
		err = place_parse(&at->place, directory);
	}
	if (err < 0) {
		snprintf(call->reason, sizeof call->reason, _("\"%.64s\" is no directory"),
			 directory);
		return err;
	}
	place_print(&at->place, place);
	snprintf(call->subject, sizeof call->subject, "%.40s@%s", name, place);
	who_account(call, &account);
	if (who_same_place(&at->place, &account.place)) {
		engine_account(call->engine, &account);
		at->place = account.place;
	}
	return 0;
}

int method_login(struct call *call)
{
	struct entrance at;
	int err = parse_entrance(call, &at);

	if (err < 0)
		return err;
	err = engine_login(call->engine, call_text(call, "name"), &at.place,
			   at.has_key ? &at.key : NULL, bytes_text(call_text(call, "password")),
			   json_bool(call->params, "beginAnew", false), call->ticket);
	return err < 0 ? err : API_LATER;
}

/* --- passwords --- */

static int check_new_password(struct call *call)
{
	if (*call_text(call, "newPassword"))
		return 0;
	snprintf(call->reason, sizeof call->reason, "%s", _("the password is empty"));
	return ERR_FORMAT;
}

/* What is wrong with the words can be said at once and here: the code never leaves us. */
static int parse_words(struct call *call, struct recovery_code *code)
{
	unsigned bad = 0;
	int err = recovery_parse(code, bytes_text(call_text(call, "words")), &bad);

	if (err == ERR_AUTH)
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("all are words of the list, but together they are no recovery code: "
			   "one "
			   "of them is wrong, or two have changed places"));
	else if (err < 0 && bad)
		snprintf(call->reason, sizeof call->reason,
			 _("word %u is none that a recovery code can have"), bad);
	else if (err < 0)
		snprintf(call->reason, sizeof call->reason, _("a recovery code has %d words"),
			 RECOVERY_WORDS);
	return err < 0 ? ERR_FORMAT : 0;
}

int method_recover(struct call *call)
{
	struct recovery_code code;
	struct entrance at;
	int err = parse_entrance(call, &at);

	memset(&code, 0, sizeof code);
	if (err == 0)
		err = check_new_password(call);
	if (err == 0)
		err = parse_words(call, &code);
	if (err == 0)
		err = engine_recover(call->engine, call_text(call, "name"), &at.place,
				     at.has_key ? &at.key : NULL, &code,
				     bytes_text(call_text(call, "newPassword")), call->ticket);
	sodium_memzero(&code, sizeof code);
	return err < 0 ? err : API_LATER;
}

int method_reset(struct call *call)
{
	struct uri uri;
	int err = uri_parse(&uri, call_text(call, "link"));

	if (err < 0 || uri.kind != URI_RESET) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("this is not a link to set a password anew"));
		err = ERR_FORMAT;
	}
	if (err == 0)
		err = check_new_password(call);
	if (err == 0)
		err = engine_reset(call->engine, &uri,
				   bytes_text(call_text(call, "newPassword")), call->ticket);
	return err < 0 ? err : API_LATER;
}

int method_passwd(struct call *call)
{
	int err = who_needs_directory(call);

	if (err == 0)
		err = check_new_password(call);
	if (err == 0)
		err = engine_passwd(call->engine, bytes_text(call_text(call, "oldPassword")),
				    bytes_text(call_text(call, "newPassword")),
				    json_bool(call->params, "everywhere", false), call->ticket);
	return err < 0 ? err : API_LATER;
}

/* --- its end, and another identity --- */

/* Said once more by the person: the end of an account is nothing to slip into. */
static int check_own_name(struct call *call)
{
	struct engine_account account;

	engine_account(call->engine, &account);
	if (!strcmp(call_about(call, "name"), account.name.text))
		return 0;
	snprintf(call->reason, sizeof call->reason, _("this is not the account of %.40s"),
		 call->subject);
	snprintf(call->hint, sizeof call->hint, "palique status");
	return ERR_REFUSED;
}

int method_delete(struct call *call)
{
	int err = who_needs_directory(call);

	if (err == 0)
		err = check_own_name(call);
	if (err == 0)
		err = engine_delete(call->engine, call->ticket);
	return err < 0 ? err : API_LATER;
}

int method_renew(struct call *call)
{
	int err = who_needs_directory(call);

	if (err == 0)
		err = engine_rekey(call->engine, call->ticket);
	return err < 0 ? err : API_LATER;
}

int method_link(struct call *call)
{
	struct engine_account account;
	char link[URI_MAX + 1];

	who_account(call, &account);
	if (account.state == ACCOUNT_NONE || account.state == ACCOUNT_JOINING)
		return ERR_STATE;
	who_link(&account, link);
	json_set_text(call->result, "name", account.name.text);
	json_set_text(call->result, "link", link);
	return 0;
}
