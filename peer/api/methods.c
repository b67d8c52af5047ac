#include "peer/api/methods.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/api/doctor.h"
#include "peer/api/notify.h"
#include "peer/api/who.h"
#include "shared/error.h"
#include "shared/text.h"
#include "shared/version.h"

static const char *param(const struct call *call, const char *name)
{
	return json_text(call->params, name);
}

/* Whom it is about stands in `name` or `conversation`: kept for the hint of an error. */
static const char *about(struct call *call, const char *key)
{
	const char *name = param(call, key);

	snprintf(call->subject, sizeof call->subject, "%s", name);
	return name;
}

static int run_version(struct call *call)
{
	json_set_text(call->result, "name", "palique");
	json_set_text(call->result, "version", PALIQUE_VERSION);
	json_set_int(call->result, "api", API_VERSION);
	return 0;
}

static int run_language(struct call *call)
{
	call->language = param(call, "language");
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

/* --- who I am --- */

static bool same_place(const struct directory_place *a, const struct directory_place *b)
{
	return a->port == b->port && !strcmp(a->host, b->host);
}

static int run_status(struct call *call)
{
	const struct api_config *shell = call->shell;
	struct engine *e = call->engine;
	struct engine_account account;
	struct contact contact;
	struct json *addresses = json_array(), *host = json_object();
	char text[URI_HOST_MAX + ADDRESS_TEXT_SIZE];
	uint64_t contacts = 0, online = 0, unread = 0, queued = 0;

	who_account(call, &account);
	json_set_text(call->result, "version", PALIQUE_VERSION);
	json_set_int(call->result, "pid", getpid());
	json_set_int(call->result, "started", shell->started);
	if (shell->home)
		json_set_text(call->result, "home", shell->home->folder);
	json_set(call->result, "account", who_view(&account));
	for (unsigned i = 0; engine_contact_at(e, i, &contact) == 0; i++) {
		contacts++;
		online += contact.is_online;
		unread += contact.unread;
		queued += contact.queued;
	}
	json_set_int(call->result, "contacts", (int64_t)contacts);
	json_set_int(call->result, "online", (int64_t)online);
	json_set_int(call->result, "unread", (int64_t)unread);
	json_set_int(call->result, "queued", (int64_t)queued);
	for (unsigned i = 0; i < call->machine->address_count; i++) {
		address_print(&call->machine->addresses[i], text);
		json_add_text(addresses, text);
	}
	json_set_int(call->result, "port", call->machine->port);
	json_set(call->result, "addresses", addresses);
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

/* What join and login answer once the directory has. */
static int finish_account(struct call *call, const struct event *answer)
{
	struct engine_account account;

	(void)answer;
	who_account(call, &account);
	json_set(call->result, "account", who_view(&account));
	return 0;
}

static int run_join(struct call *call)
{
	struct uri uri;
	int err = uri_parse(&uri, param(call, "link"));

	about(call, "name");
	if (err == 0 && uri.kind == URI_CONTACT)
		err = ERR_FORMAT;
	if (err < 0) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("this is not the link of a directory or an invitation to one"));
		return err;
	}
	err = engine_join(call->engine, &uri, param(call, "name"),
			  bytes_text(param(call, "password")), call->ticket);
	if (err == ERR_EXISTS) {
		snprintf(call->reason, sizeof call->reason, "%s",
			 _("this home has an account already"));
		snprintf(call->hint, sizeof call->hint, "palique status");
	}
	return err < 0 ? err : API_LATER;
}

static int run_login(struct call *call)
{
	struct engine_account account;
	struct directory_place place;
	struct uri uri;
	const char *directory = param(call, "directory");
	bool has_key = false;
	int err = uri_parse(&uri, directory);

	about(call, "name");
	if (err == 0 && uri.kind == URI_DIRECTORY) {
		place = uri.place;
		has_key = uri.has_directory_key;
	} else {
		err = place_parse(&place, directory);
	}
	if (err < 0)
		return err;
	who_account(call, &account);
	if (same_place(&place, &account.place)) {
		engine_account(call->engine, &account);
		place = account.place;
	}
	err = engine_login(call->engine, param(call, "name"), &place,
			   has_key ? &uri.directory_key : NULL,
			   bytes_text(param(call, "password")), call->ticket);
	return err < 0 ? err : API_LATER;
}

static int run_link(struct call *call)
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

/* --- a directory in this process --- */

static int run_host(struct call *call)
{
	const struct api_config *shell = call->shell;
	const char *listen = param(call, "listen");
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

static int run_host_status(struct call *call)
{
	const struct api_config *shell = call->shell;

	return shell->host_status ? shell->host_status(shell->user, call->result) : ERR_STATE;
}

static int run_invite(struct call *call)
{
	const struct api_config *shell = call->shell;

	if (!shell->host_invite)
		return ERR_STATE;
	return shell->host_invite(shell->user, call->params, call->result, call->reason,
				  sizeof call->reason);
}

/* --- whom I know --- */

/* One directory can go by several addresses, at home, on the net: only two different names
 * are surely two directories. The key in the link says who is meant in any case. */
static bool are_surely_apart(const struct directory_place *a, const struct directory_place *b)
{
	struct address ignored;
	char text[URI_HOST_MAX + 3];
	const struct directory_place *const both[] = { a, b };

	for (unsigned i = 0; i < 2; i++) {
		snprintf(text, sizeof text, strchr(both[i]->host, ':') ? "[%s]" : "%s",
			 both[i]->host);
		if (address_parse(&ignored, text, both[i]->port) == 0)
			return false;
	}
	return !same_place(a, b);
}

static int answer_contact(struct call *call, const char *name)
{
	struct contact contact;
	int err = engine_contact(call->engine, name, &contact);

	if (err == 0)
		json_set(call->result, "contact", notify_contact(&contact));
	return err;
}

/* A contact link; or NAME@DIRECTORY as people write it, which holds no key. */
static int parse_whom(struct uri *uri, const char *whom)
{
	const char *at = strchr(whom, '@');
	int err = uri_parse(uri, whom);

	if (err == 0 || !at)
		return err;
	memset(uri, 0, sizeof *uri);
	uri->kind = URI_CONTACT;
	err = name_parse(&uri->name, bytes_of(whom, (size_t)(at - whom)));
	return err < 0 ? ERR_FORMAT : place_parse(&uri->place, at + 1);
}

static int run_add(struct call *call)
{
	struct engine *e = call->engine;
	const char *whom = param(call, "contact"), *greeting = param(call, "greeting");
	const struct identity_public *identity = NULL;
	struct engine_account account;
	struct contact contact;
	struct name name;
	struct uri uri;
	int err;

	who_account(call, &account);
	err = name_parse(&name, bytes_text(whom));
	if (err < 0) {
		err = parse_whom(&uri, whom);
		if (err == 0 && uri.kind != URI_CONTACT)
			err = ERR_FORMAT;
		if (err < 0) {
			snprintf(call->reason, sizeof call->reason, "%s",
				 _("this is neither a name nor the link of a contact"));
			return err;
		}
		if (account.name.text[0] && are_surely_apart(&uri.place, &account.place)) {
			char theirs[URI_HOST_MAX + 9], ours[URI_HOST_MAX + 9];
			place_print(&uri.place, theirs);
			place_print(&account.place, ours);
			snprintf(call->reason, sizeof call->reason,
				 _("%s is at the directory %s, but this account is at %s"),
				 uri.name.text, theirs, ours);
			return ERR_REFUSED;
		}
		name = uri.name;
		identity = uri.has_identity ? &uri.identity : NULL;
	}
	snprintf(call->subject, sizeof call->subject, "%s", name.text);
	if (name_equal(&name, &account.name)) {
		snprintf(call->reason, sizeof call->reason, "%s", _("this is your own name"));
		snprintf(call->hint, sizeof call->hint, "palique link");
		return ERR_REFUSED;
	}
	err = engine_add(e, name.text, identity, greeting ? greeting : "");
	if (err == ERR_REFUSED && identity)
		snprintf(call->reason, sizeof call->reason,
			 _("the key in the link of %s is that of another contact"), name.text);
	if (err == ERR_STATE && greeting && *greeting && !identity && account.name.text[0]) {
		snprintf(call->reason, sizeof call->reason,
			 _("a greeting can only be sealed with %s's contact link in hand"),
			 name.text);
		snprintf(call->hint, sizeof call->hint, "palique add %s", name.text);
	}
	if (err == ERR_EXISTS && engine_contact(e, name.text, &contact) == 0 &&
	    contact.state == CONTACT_ASKED)
		snprintf(call->reason, sizeof call->reason,
			 _("%s was asked already and has not accepted yet"), name.text);
	return err < 0 ? err : answer_contact(call, name.text);
}

static int change_contact(struct call *call, int (*change)(struct engine *e, const char *name))
{
	struct name name;
	int err = name_parse(&name, bytes_text(about(call, "name")));

	if (err < 0)
		return err;
	err = change(call->engine, name.text);
	return err < 0 ? err : answer_contact(call, name.text);
}

/* Whether the changed key is still the one that the person was shown, if they say which:
 * a directory that lies may show another one each moment. */
static bool is_key_shown(struct call *call)
{
	const char *shown = param(call, "newIdentity");
	char now[BYTES_BASE64_SIZE(32)];
	struct contact contact;

	if (!shown || engine_contact(call->engine, about(call, "name"), &contact) < 0)
		return true;
	bytes_to_base64(BYTES(contact.new_identity.bytes), now);
	return contact.is_key_changed && strcmp(shown, now) == 0;
}

static int run_accept(struct call *call)
{
	struct contact contact;
	int err;

	if (!is_key_shown(call))
		return ERR_KEY_CHANGED;
	err = change_contact(call, engine_accept);
	if (err != ERR_STATE || engine_contact(call->engine, call->subject, &contact) < 0)
		return err;
	if (contact.state == CONTACT_ASKED)
		snprintf(call->reason, sizeof call->reason,
			 _("%s has not accepted yet: it is their turn"), contact.name.text);
	else if (contact.state == CONTACT_BLOCKED)
		snprintf(call->reason, sizeof call->reason, _("%s is blocked"),
			 contact.name.text);
	else
		snprintf(call->reason, sizeof call->reason, _("%s is a contact already"),
			 contact.name.text);
	snprintf(call->hint, sizeof call->hint,
		 contact.state == CONTACT_BLOCKED ? "palique remove %s" : "palique ls",
		 contact.name.text);
	return err;
}

static int run_block(struct call *call)
{
	return change_contact(call, engine_block);
}

static int run_remove(struct call *call)
{
	struct name name = { 0 };
	int err = name_parse(&name, bytes_text(about(call, "name")));

	if (err == 0)
		err = engine_remove(call->engine, name.text);
	json_set_text(call->result, "name", name.text);
	return err;
}

static int run_contact(struct call *call)
{
	struct name name;
	int err = name_parse(&name, bytes_text(about(call, "name")));

	return err < 0 ? err : answer_contact(call, name.text);
}

static int run_contacts(struct call *call)
{
	struct json *list = json_array();
	struct contact contact;

	for (unsigned i = 0; engine_contact_at(call->engine, i, &contact) == 0; i++)
		json_add(list, notify_contact(&contact));
	json_set(call->result, "contacts", list);
	return 0;
}

/* --- what was said --- */

static bool put_message(void *user, const struct message *m)
{
	*(struct json **)user = notify_message(m);
	return false;
}

static int finish_send(struct call *call, const struct event *answer)
{
	json_set_id(call->result, "id", answer->message_id);
	json_set_int(call->result, "timestamp", answer->message.sent_at);
	/* It leaves for the contact only after the commit that this answer waited for. */
	json_set_text(call->result, "state", "queued");
	return 0;
}

static int run_send(struct call *call)
{
	const char *text = param(call, "text");
	uint64_t reply_to = 0;
	struct name name;
	int err = name_parse(&name, bytes_text(about(call, "conversation")));

	if (err < 0)
		return err;
	if (json_has(call->params, "replyTo"))
		json_id(call->params, "replyTo", &reply_to);
	err = engine_send(call->engine, name.text, bytes_text(text), reply_to, call->ticket);
	if (err == ERR_LIMIT)
		snprintf(call->reason, sizeof call->reason,
			 _("a message holds at most %d bytes; this one has %zu"), WIRE_TEXT_MAX,
			 strlen(text));
	if (err == ERR_FORMAT)
		snprintf(call->reason, sizeof call->reason, "%s", _("the message is empty"));
	return err < 0 ? err : API_LATER;
}

struct page {
	struct json *newest_first[API_MESSAGES_MAX];
	unsigned count;
};

static bool add_message(void *user, const struct message *m)
{
	struct page *page = user;

	page->newest_first[page->count++] = notify_message(m);
	return page->count < API_MESSAGES_MAX;
}

static int run_messages(struct call *call)
{
	int64_t limit = json_int(call->params, "limit", 50);
	struct page *page = memory_new(sizeof *page);
	struct json *list = json_array();
	uint64_t before = 0;
	struct name name;
	int err = name_parse(&name, bytes_text(about(call, "conversation")));

	if (json_has(call->params, "before"))
		json_id(call->params, "before", &before);
	if (err == 0)
		err = engine_history(call->engine, name.text, before, (unsigned)limit,
				     add_message, page);
	while (page->count > 0)
		json_add(list, page->newest_first[--page->count]);
	json_set(call->result, "messages", list);
	free(page);
	return err;
}

static int run_message(struct call *call)
{
	struct json *message = NULL;
	uint64_t id;
	int err = json_id(call->params, "id", &id);

	if (err == 0)
		err = engine_message(call->engine, id, put_message, &message);
	if (err < 0 || !message)
		return err < 0 ? err : ERR_NOT_FOUND;
	json_set(call->result, "message", message);
	return 0;
}

static int run_mark_read(struct call *call)
{
	struct name name;
	uint64_t up_to = 0;
	int err = name_parse(&name, bytes_text(about(call, "conversation")));

	if (err == 0)
		err = json_id(call->params, "upTo", &up_to);
	return err < 0 ? err : engine_mark_read(call->engine, name.text, up_to);
}

/* --- events --- */

static int run_subscribe(struct call *call)
{
	uint64_t last = engine_last_event(call->engine);

	call->has_since = json_has(call->params, "since");
	if (call->has_since)
		json_id(call->params, "since", &call->since);
	if (call->since > last)
		return ERR_LIMIT;
	json_set_id(call->result, "lastEventId", last);
	call->wish = WISH_SUBSCRIBE;
	return 0;
}

static int run_unsubscribe(struct call *call)
{
	call->wish = WISH_UNSUBSCRIBE;
	return 0;
}

static int run_stop(struct call *call)
{
	const struct api_config *shell = call->shell;

	if (!shell->stop)
		return ERR_STATE;
	shell->stop(shell->user);
	return 0;
}

/* --- the table --- */

/* One row each, so that the table can be read as one. */
/* clang-format off */
#define TEXT(key, limit)    { key, PARAM_TEXT, true, 0, limit }
#define MAYBE_TEXT(key, limit) { key, PARAM_TEXT, false, 0, limit }
#define SECRET(key)         { key, PARAM_SECRET, true, 0, OPAQUE_PASSWORD_MAX }
#define ID(key)             { key, PARAM_ID, true, 0, 0 }
#define MAYBE_ID(key)       { key, PARAM_ID, false, 0, 0 }
#define MAYBE_INT(key, min, max) { key, PARAM_INT, false, min, max }
enum { SHORT = 64, LINK = 256, LONG = 1 << 20, GREETING = WIRE_GREETING_MAX * 4, YEAR_S = 366 * 86400 };

static const struct method methods[] = {
	{ "version", "what is running here", { { 0 } }, run_version, NULL },
	{ "setLanguage", "the language of answers on this connection", { TEXT("language", TEXT_LANGUAGE_MAX) }, run_language, NULL },
	{ "methods", "this table", { { 0 } }, run_methods, NULL },
	{ "status", "account, contacts, addresses and the directory hosted here", { { 0 } }, run_status, NULL },
	{ "doctor", "checks of everything, in plain words", { { 0 } }, doctor_run, NULL },
	{ "join", "a new account at a directory", { TEXT("link", LINK), TEXT("name", SHORT), SECRET("password") }, run_join, finish_account },
	{ "login", "password login of this home's account", { TEXT("name", SHORT), TEXT("directory", LINK), SECRET("password") }, run_login, finish_account },
	{ "getLink", "the link by which others add me", { { 0 } }, run_link, NULL },
	{ "host", "run a directory in this process", { MAYBE_TEXT("listen", SHORT) }, run_host, NULL },
	{ "hostStatus", "the directory hosted here", { { 0 } }, run_host_status, NULL },
	{ "createInvite", "an invitation to the directory hosted here", { MAYBE_INT("count", 1, 1000), MAYBE_INT("expires", 60, YEAR_S) }, run_invite, NULL },
	{ "addContact", "ask a person, by name or contact link", { TEXT("contact", LINK), MAYBE_TEXT("greeting", GREETING) }, run_add, NULL },
	{ "acceptContact", "say yes to a request, or to a changed key", { TEXT("name", SHORT), MAYBE_TEXT("newIdentity", SHORT) }, run_accept, NULL },
	{ "blockContact", "never hear of this name again", { TEXT("name", SHORT) }, run_block, NULL },
	{ "removeContact", "forget a contact; history stays", { TEXT("name", SHORT) }, run_remove, NULL },
	{ "getContact", "one contact", { TEXT("name", SHORT) }, run_contact, NULL },
	{ "listContacts", "all contacts and requests", { { 0 } }, run_contacts, NULL },
	{ "send", "say something; answered when it is durable here", { TEXT("conversation", SHORT), TEXT("text", LONG), MAYBE_ID("replyTo") }, run_send, finish_send },
	{ "getMessages", "history, oldest first", { TEXT("conversation", SHORT), MAYBE_INT("limit", 1, API_MESSAGES_MAX), MAYBE_ID("before") }, run_messages, NULL },
	{ "getMessage", "one message", { ID("id") }, run_message, NULL },
	{ "markRead", "all messages up to and with this one were seen", { TEXT("conversation", SHORT), ID("upTo") }, run_mark_read, NULL },
	{ "subscribe", "tell events, from now on or from behind `since`", { MAYBE_ID("since") }, run_subscribe, NULL },
	{ "unsubscribe", "tell no more events", { { 0 } }, run_unsubscribe, NULL },
	{ "stop", "end the engine", { { 0 } }, run_stop, NULL },
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
