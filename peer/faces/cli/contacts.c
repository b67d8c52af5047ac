/* Whom I know: add, accept, block, unblock, remove, requests, ls. */
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/error.h"
#include "shared/text.h"
#include "shared/uri.h"

enum { CALL_MS = 60 * 1000 };

static bool is(const struct json *o, const char *key, const char *value)
{
	const char *text = json_text(o, key);

	return text && !strcmp(text, value);
}

static bool is_vouched_for(const struct json *contact)
{
	const struct json *change = json_get(contact, "keyChange");

	return change && json_bool(change, "signed", false);
}

/* How somebody who is online is reached, or why not. */
static const char *way_words(const struct json *contact)
{
	const char *way = cmd_way(contact);

	if (*way)
		return way;
	if (is(contact, "consent", "never"))
		return _(" (no connection: palique consent)");
	if (json_bool(contact, "looking", false))
		return _(" (looking for a path)");
	return is(contact, "consent", "relay") ? _(" (only through a relay)") : "";
}

static const char *online_words(const struct json *contact)
{
	if (cmd_is(contact, "availability", "away"))
		return _("away");
	return cmd_is(contact, "availability", "busy") ? _("busy") : _("online");
}

/* How a contact stands, in words; `out_` rings hold the result's parts, the caller's buffer
 * the whole. */
static void state_words(const struct json *contact, char *words, size_t size)
{
	const char *name = json_text(contact, "name"),
		   *greeting = json_text(contact, "greeting");
	int64_t seen = json_int(contact, "lastSeen", 0);

	int64_t held = json_int(contact, "held", 0);

	if (json_bool(contact, "keyChanged", false) && is_vouched_for(contact))
		snprintf(words, size,
			 _("new key, which the old one vouches for; you had verified the old "
			   "one "
			   "(palique accept %s)"),
			 name);
	else if (json_bool(contact, "keyChanged", false))
		snprintf(words, size, _("key changed (palique accept %s, once you know why)"),
			 name);
	else if (held > 0)
		snprintf(words, size,
			 ngettext("new key; %lld message written before waits (palique accept "
				  "%s)",
				  "new key; %lld messages written before wait (palique accept "
				  "%s)",
				  (unsigned long)held),
			 (long long)held, name);
	else if (is(contact, "state", "blocked"))
		snprintf(words, size, "%s", _("blocked"));
	else if (is(contact, "state", "asked"))
		snprintf(words, size, "%s", _("asked (waiting for them)"));
	else if (is(contact, "state", "requests") && greeting)
		snprintf(words, size, _("asks you: \"%s\" (palique accept %s)"),
			 out_safe(greeting), name);
	else if (is(contact, "state", "requests"))
		snprintf(words, size, _("asks you (palique accept %s)"), name);
	else if (json_bool(contact, "online", false) || json_bool(contact, "connected", false))
		snprintf(words, size, "%s%s", online_words(contact), way_words(contact));
	else if (seen > 0)
		snprintf(words, size, _("offline since %s"), out_time(seen));
	else
		snprintf(words, size, "%s", _("offline"));
}

static int change(struct cli *c, const char *method, struct json *take_params,
		  struct json **contact)
{
	struct json *result = NULL;
	int code = cli_call(c, method, take_params, &result);

	*contact = NULL;
	if (code == EXIT_DONE && json_get(result, "contact"))
		*contact = json_keep((struct json *)json_get(result, "contact"));
	out_json(result ? result : json_null());
	return code;
}

static struct json *name_params(const struct cli *c)
{
	return json_set_text(json_object(), "name", c->o.arguments[0]);
}

/* A greeting is sealed with the key that a contact link has; without one it is said as the first message, which
 * waits until they accept. */
static bool has_key(const char *typed)
{
	struct uri uri;

	return uri_parse(&uri, typed) == 0 && uri.kind == URI_CONTACT && uri.has_identity;
}

static int say_first(struct cli *c, const char *name, const char *words)
{
	struct json *params = json_set_text(json_object(), "conversation", name);
	struct json *result = NULL;
	int code;

	json_set_text(params, "text", words);
	code = cli_call(c, "send", params, &result);
	json_free(result);
	if (code == EXIT_DONE)
		out_say("%s", _("  What you wrote is sent when they accept."));
	return code;
}

int cmd_add(struct cli *c)
{
	struct json *params = json_set_text(json_object(), "contact", c->o.arguments[0]);
	struct json *contact = NULL;
	char *greeting = cli_rest(c, 1);
	bool is_sealed = has_key(c->o.arguments[0]);
	int code;

	if (*greeting && is_sealed)
		json_set_text(params, "greeting", greeting);
	code = change(c, "addContact", params, &contact);
	if (code == EXIT_DONE && contact) {
		const char *name = json_text(contact, "name");
		if (is(contact, "state", "mutual"))
			out_done(_("%s is your contact."), name);
		else
			out_done(_("%s is asked, and hears of it once online. Whether they "
				   "accept, "
				   "shows: palique ls"),
				 name);
	}
	if (code == EXIT_DONE && contact && *greeting && !is_sealed)
		code = say_first(c, json_text(contact, "name"), greeting);
	free(greeting);
	json_free(contact);
	return code;
}

/* What is about to be believed is shown, so that two people can compare it. */
static void show_new_key(const struct json *contact)
{
	const char *fresh = json_text(contact, "newFingerprint"),
		   *old = json_text(contact, "fingerprint");

	if (!json_bool(contact, "keyChanged", false) || !fresh)
		return;
	out_say(_("  key until now: %s"), old ? old : "?");
	out_say(_("  key from now on: %s"), fresh);
}

/* NULL where there is none: that is told by who asks for more than a look. */
static const struct json *known_contact(struct cli *c, struct json **result)
{
	struct client_error error;

	if (client_call(c->client, "getContact", name_params(c), CALL_MS, result, &error) < 0)
		return NULL;
	return json_get(*result, "contact");
}

/* What saying yes has set free. */
static void tell_accepted(const char *name, bool had_changed, int64_t held)
{
	if (held > 0)
		out_done(
			ngettext("The new key of %s is accepted; the %lld message that waited "
				 "is "
				 "sent now.",
				 "The new key of %s is accepted; the %lld messages that waited "
				 "are sent now.",
				 (unsigned long)held),
			name, (long long)held);
	else if (had_changed)
		out_done(_("The new key of %s is accepted; what was queued goes on."), name);
	else
		out_done(_("%s is your contact."), name);
}

/* A number is a file's, unless somebody is called so. */
static bool is_file(struct cli *c)
{
	struct json *before = NULL;
	bool is_known = known_contact(c, &before) != NULL;

	json_free(before);
	return !is_known && cmd_id(c->o.arguments[0]);
}

int cmd_accept(struct cli *c)
{
	struct json *before = NULL, *contact = NULL;
	int code = cli_engine(c);
	char id[24];

	if (code == EXIT_DONE && is_file(c)) {
		snprintf(id, sizeof id, "%s", cmd_id(c->o.arguments[0]));
		return cmd_fetch(c, id);
	}
	if (code == EXIT_DONE && (c->o.value[OPT_TO] || c->o.value[OPT_WAIT]))
		return cli_usage(_("--to and --wait go with the number of a message that has a "
				   "file"),
				 "palique help files");
	if (code == EXIT_DONE) {
		const struct json *known = known_contact(c, &before);
		const char *shown = known ? json_text(known, "newIdentity") : NULL;
		struct json *params = name_params(c);
		bool had_changed = known && json_bool(known, "keyChanged", false);
		if (known)
			show_new_key(known);
		if (shown)
			json_set_text(params, "newIdentity", shown);
		code = change(c, "acceptContact", params, &contact);
		if (code == EXIT_DONE && contact)
			tell_accepted(json_text(contact, "name"), had_changed,
				      known ? json_int(known, "held", 0) : 0);
	}
	json_free(before);
	json_free(contact);
	return code;
}

int cmd_block(struct cli *c)
{
	struct json *contact = NULL;
	int code = change(c, "blockContact", name_params(c), &contact);

	if (code == EXIT_DONE)
		out_done(_("%s is blocked, and cannot tell. (palique unblock %s undoes it.)"),
			 out_safe(c->o.arguments[0]), out_safe(c->o.arguments[0]));
	json_free(contact);
	return code;
}

int cmd_unblock(struct cli *c)
{
	const char *name = out_safe(c->o.arguments[0]);
	struct json *before = NULL, *contact = NULL;
	const struct json *known;
	char trouble[256];
	int code = cli_engine(c);

	if (code != EXIT_DONE)
		return code;
	known = known_contact(c, &before);
	if (!known || !is(known, "state", "blocked")) {
		snprintf(trouble, sizeof trouble, _("%.64s is not blocked"), name);
		code = cli_failed(known ? ERR_STATE : ERR_NOT_FOUND, trouble, "palique ls");
	} else {
		code = change(c, "removeContact", name_params(c), &contact);
	}
	if (code == EXIT_DONE)
		out_done(_("%s is not blocked any more. (palique add %s asks them.)"), name,
			 name);
	json_free(before);
	json_free(contact);
	return code;
}

int cmd_remove(struct cli *c)
{
	struct json *contact = NULL;
	int code = change(c, "removeContact", name_params(c), &contact);

	if (code == EXIT_DONE)
		out_done(_("%s is no contact any more; the history stays."),
			 out_safe(c->o.arguments[0]));
	json_free(contact);
	return code;
}

int cmd_requests(struct cli *c)
{
	static const struct {
		const char *from, *words;
	} rows[] = {
		{ "anyone", N_("Anyone at the directory may ask to be your contact.") },
		{ "link", N_("Only who has your contact link may ask (palique link).") },
		{ "none", N_("Nobody may ask; you add people yourself (palique add).") },
	};
	const char *wanted = c->o.argument_count ? c->o.arguments[0] : NULL;
	struct json *result = NULL;
	int code = wanted ? cli_call(c, "setRequests",
				     json_set_text(json_object(), "from", wanted), &result)
			  : cli_call(c, "getSettings", NULL, &result);

	for (size_t i = 0; code == EXIT_DONE && i < sizeof rows / sizeof *rows; i++) {
		if (!is(result, "requests", rows[i].from))
			continue;
		if (wanted)
			out_done("%s", _(rows[i].words));
		else
			out_line("%s", _(rows[i].words));
	}
	if (code == EXIT_DONE)
		out_json(json_keep(result));
	json_free(result);
	return code;
}

static void print_contact(const struct json *contact)
{
	char words[1024], counts[256] = "";
	int64_t unread = json_int(contact, "unread", 0),
		queued = json_int(contact, "queued", 0);
	const char *name = json_text(contact, "name"), *line = json_text(contact, "status");
	bool is_online = json_bool(contact, "online", false),
	     is_typing = json_bool(contact, "typing", false);

	state_words(contact, words, sizeof words);
	if (unread)
		snprintf(counts, sizeof counts,
			 ngettext("  %lld unread", "  %lld unread", (unsigned long)unread),
			 (long long)unread);
	if (json_bool(contact, "verified", false))
		snprintf(counts + strlen(counts), sizeof counts - strlen(counts), "  %s",
			 _("verified"));
	if (is_typing)
		snprintf(counts + strlen(counts), sizeof counts - strlen(counts), "  %s",
			 _("typing"));
	if (queued)
		snprintf(counts + strlen(counts), sizeof counts - strlen(counts),
			 ngettext("  %lld queued", "  %lld queued", (unsigned long)queued),
			 (long long)queued);
	if (json_bool(contact, "hidden", false))
		snprintf(counts + strlen(counts), sizeof counts - strlen(counts), "  %s",
			 _("does not see you"));
	out_line("%-16s %s%s%s%s", name ? name : "?",
		 out_color(is_online ? COLOR_GOOD : COLOR_NONE, words), counts,
		 line ? "  " : "", line ? out_safe(line) : "");
}

int cmd_ls(struct cli *c)
{
	struct json *result = NULL;
	const struct json *list;
	int code = cli_call(c, "listContacts", NULL, &result);

	if (code != EXIT_DONE)
		return code;
	list = json_get(result, "contacts");
	for (size_t i = 0; i < json_count(list); i++) {
		print_contact(json_at(list, i));
		out_json(json_keep((struct json *)json_at(list, i)));
	}
	if (json_count(list) == 0 && !cmd_has_account(c))
		out_say("%s", _("There is no account here yet. Try: palique join LINK, or "
				"palique login "
				"NAME@DIRECTORY"));
	else if (json_count(list) == 0)
		out_say("%s", _("Nobody yet. Try: palique add NAME, or give your own link "
				"away: palique link"));
	cmd_standing(c);
	json_free(result);
	return EXIT_DONE;
}
