/* The machines of this account: devices. And the account itself: its end, another identity. */
#include <string.h>
#include <time.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "peer/faces/cli/prompt.h"
#include "shared/certificate.h"
#include "shared/error.h"
#include "shared/text.h"

enum { ID_SHOWN = 8 };

static const char *name_of(const struct json *device)
{
	const char *name = json_text(device, "name");

	return name && *name ? out_safe(name) : _("(no name)");
}

static void print_device(const struct json *d)
{
	const char *id = json_text(d, "id"), *name = name_of(d);
	bool is_this = json_bool(d, "current", false),
	     is_online = json_bool(d, "online", false);
	const char *words = is_online ? _("online") : _("offline");

	/* TRANSLATORS: name, id, online or offline, ", this one" or nothing, a time */
	out_line(_("%-*s %.*s  %s%s; here since %s"), text_pad(name, 24), name, ID_SHOWN,
		 id ? id : "?", out_color(is_online ? COLOR_GOOD : COLOR_NONE, words),
		 is_this ? _(", this one") : "", out_time(json_int(d, "since", 0)));
}

static int list(struct cli *c)
{
	struct json *result = NULL;
	const struct json *devices;
	int code = cli_call(c, "listDevices", NULL, &result);

	if (code != EXIT_DONE)
		return code;
	devices = json_get(result, "devices");
	for (size_t i = 0; i < json_count(devices); i++) {
		print_device(json_at(devices, i));
		out_json(json_keep((struct json *)json_at(devices, i)));
	}
	if (json_count(devices) == 0 && cmd_has_account(c))
		cmd_standing(c);
	else if (json_count(devices) == 0)
		out_say("%s", _("There is no account here yet. Try: palique join LINK, or "
				"palique login "
				"NAME@DIRECTORY"));
	json_free(result);
	return EXIT_DONE;
}

/* By its whole name; else by the beginning of its id. */
static bool is_meant(const struct json *device, const char *typed, bool by_name)
{
	const char *name = json_text(device, "name"), *id = json_text(device, "id");

	if (by_name)
		return name && !strcmp(name, typed);
	return id && *typed && !strncmp(id, typed, strlen(typed));
}

static int ambiguous(const char *typed, const struct json *devices, bool by_name)
{
	char trouble[512], these[256] = "";

	for (size_t i = 0; i < json_count(devices); i++) {
		size_t used = strlen(these);
		const char *id = json_text(json_at(devices, i), "id");
		if (is_meant(json_at(devices, i), typed, by_name) && used + 16 < sizeof these)
			snprintf(these + used, sizeof these - used, "%s%.*s", used ? ", " : "",
				 ID_SHOWN, id ? id : "?");
	}
	snprintf(trouble, sizeof trouble,
		 _("more than one device goes by \"%.64s\": %s. Say which by its id"), typed,
		 these);
	return cli_usage(trouble, "palique devices");
}

/* `device` is the caller's to free. Exit code; has said why. */
static int find_device(struct cli *c, const char *typed, struct json **device)
{
	struct json *result = NULL;
	const struct json *devices;
	char trouble[256];
	unsigned found = 0;
	int code = cli_call(c, "listDevices", NULL, &result);

	*device = NULL;
	devices = code == EXIT_DONE ? json_get(result, "devices") : NULL;
	for (int by_name = 1; code == EXIT_DONE && by_name >= 0 && found == 0; by_name--) {
		for (size_t i = 0; i < json_count(devices); i++) {
			if (!is_meant(json_at(devices, i), typed, by_name) || found++)
				continue;
			*device = json_keep((struct json *)json_at(devices, i));
		}
		if (found > 1)
			code = ambiguous(typed, devices, by_name);
	}
	if (code == EXIT_DONE && found == 0) {
		snprintf(trouble, sizeof trouble, _("no device goes by \"%.64s\""), typed);
		code = cli_failed(ERR_NOT_FOUND, trouble, "palique devices");
	}
	if (code != EXIT_DONE) {
		json_free(*device);
		*device = NULL;
	}
	json_free(result);
	return code;
}

/* The device as it is now, or was, where it is gone. */
static void tell_device(const struct json *result, const struct json *device)
{
	const struct json *devices = json_get(result, "devices"), *now = device;

	for (size_t i = 0; i < json_count(devices); i++)
		if (is_meant(json_at(devices, i), json_text(device, "id"), false))
			now = json_at(devices, i);
	out_json(json_set(json_object(), "device", json_keep((struct json *)now)));
}

static int name_device(struct cli *c, const char *typed, const char *name)
{
	struct json *device = NULL, *result = NULL, *params;
	char trouble[128];
	int code;

	if (!*name || strlen(name) > CERTIFICATE_LABEL_MAX) {
		snprintf(trouble, sizeof trouble,
			 _("the name of a device has 1 to %d letters; accented ones count "
			   "twice"),
			 CERTIFICATE_LABEL_MAX);
		return cli_usage(trouble, _("palique devices name DEVICE NEW-NAME"));
	}
	code = find_device(c, typed, &device);
	if (code != EXIT_DONE)
		return code;
	params = json_set_text(json_object(), "device", json_text(device, "id"));
	json_set_text(params, "name", name);
	code = cli_call(c, "nameDevice", params, &result);
	if (code == EXIT_DONE) {
		out_done(_("The device is called \"%s\" from now on."), out_safe(name));
		tell_device(result, device);
	}
	json_free(result);
	json_free(device);
	return code;
}

static int revoke(struct cli *c, const char *typed)
{
	struct json *device = NULL, *result = NULL, *params;
	char question[256];
	int code = find_device(c, typed, &device);

	if (code != EXIT_DONE)
		return code;
	snprintf(question, sizeof question,
		 _("\"%.64s\" (%.*s) will be cut off, and has to log in anew. Revoke it?"),
		 name_of(device), ID_SHOWN, json_text(device, "id"));
	/* What the engine refuses in any case is not asked for first. */
	if (!json_bool(device, "current", false))
		code = cli_sure(c, question);
	if (code == EXIT_DONE) {
		params = json_set_text(json_object(), "device", json_text(device, "id"));
		code = cli_call(c, "revokeDevice", params, &result);
	}
	if (code == EXIT_DONE) {
		out_done(_("\"%s\" is revoked: the directory has cut it off, and contacts "
			   "refuse "
			   "it."),
			 name_of(device));
		out_say("%s",
			_("  If it was stolen it may have made a recovery code of its own: "
			  "palique "
			  "passwd, then palique recovery, then palique account renew."));
		tell_device(result, device);
	}
	json_free(result);
	json_free(device);
	return code;
}

/* --- what was said before it came in --- */

static int grant(struct cli *c, const char *typed)
{
	struct json *device = NULL, *result = NULL, *params;
	bool is_undone = c->o.value[OPT_UNDO] != NULL;
	long days;
	int code;

	if (options_number(&c->o, OPT_DAYS, 1, 36500, 0, &days) < 0 ||
	    (days && c->o.value[OPT_ALL]))
		return cli_usage(_("either --days and a number of days, or --all"),
				 "palique help devices");
	code = find_device(c, typed, &device);
	if (code != EXIT_DONE)
		return code;
	params = json_set_text(json_object(), "device", json_text(device, "id"));
	json_set_bool(params, "on", !is_undone);
	if (days)
		json_set_int(params, "since",
			     ((int64_t)time(NULL) - (int64_t)days * 86400) * 1000);
	code = cli_call(c, "grantHistory", params, &result);
	if (code == EXIT_DONE && is_undone)
		out_done(_("\"%s\" gets no more of what was said before; what it has stays."),
			 name_of(device));
	else if (code == EXIT_DONE)
		out_done(_("\"%s\" gets what was said, straight from here, whenever both are "
			   "online."),
			 name_of(device));
	if (code == EXIT_DONE)
		out_json(json_set(json_object(), "device", json_keep(device)));
	json_free(result);
	json_free(device);
	return code;
}

int cmd_devices(struct cli *c)
{
	const char *const *words = c->o.arguments;
	int count = c->o.argument_count;

	if (count == 0)
		return list(c);
	if (!strcmp(words[0], "name") && count == 3)
		return name_device(c, words[1], words[2]);
	if (!strcmp(words[0], "revoke") && count == 2)
		return revoke(c, words[1]);
	if (!strcmp(words[0], "grant") && count == 2)
		return grant(c, words[1]);
	return cli_usage(_("devices lists them; else: devices name DEVICE NEW-NAME, devices "
			   "revoke DEVICE, or devices grant DEVICE"),
			 "palique help devices");
}

/* --- the account --- */

static int own_name(struct cli *c, char *name, size_t size)
{
	struct json *status = NULL;
	const struct json *account;
	const char *text;
	int code = cli_call(c, "status", NULL, &status);

	account = code == EXIT_DONE ? json_get(status, "account") : NULL;
	text = account ? json_text(account, "name") : NULL;
	if (code == EXIT_DONE && !text)
		code = cli_failed(ERR_STATE, _("there is no account here yet"),
				  _("palique join LINK, or palique login NAME@DIRECTORY"));
	else if (code == EXIT_DONE)
		snprintf(name, size, "%s", text);
	json_free(status);
	return code;
}

/* The name, typed whole: a yes is typed too easily for something without a way back. */
static int ask_for_name(struct cli *c, const char *name)
{
	char question[256], line[128];

	if (c->o.value[OPT_YES])
		return EXIT_DONE;
	out_say(_("The account %s will be gone for good, at the directory and on all devices; "
		  "contacts are told. What was said stays on this machine."),
		name);
	snprintf(question, sizeof question, _("To end it, type its name (%s)"), name);
	if (prompt_line(line, sizeof line, &c->o, question, "") < 0)
		return cli_usage(_("this wants a yes and there is nobody to ask: give --yes"),
				 "palique help account");
	if (!strcmp(line, name))
		return EXIT_DONE;
	out_say("%s", _("Nothing was done."));
	return EXIT_FAILED;
}

static int delete_account(struct cli *c)
{
	struct json *result = NULL;
	char name[64];
	int code = own_name(c, name, sizeof name);

	if (code == EXIT_DONE)
		code = ask_for_name(c, name);
	if (code == EXIT_DONE)
		code = cli_call(c, "deleteAccount", json_set_text(json_object(), "name", name),
				&result);
	if (code == EXIT_DONE) {
		out_done(_("The account %s is gone; its keys are wiped here."), name);
		out_json(json_set_text(json_object(), "deleted", name));
	}
	json_free(result);
	return code;
}

static int renew(struct cli *c)
{
	struct json *result = NULL;
	int code = cmd_needs_account(c);

	if (code == EXIT_DONE)
		code = cli_sure(c,
				_("A new identity: all other devices have to log in anew, and "
				  "contacts are told of the new key. Do it?"));

	if (code == EXIT_DONE)
		code = cli_call(c, "renewIdentity", NULL, &result);
	if (code == EXIT_DONE) {
		const struct json *account = json_get(result, "account");
		const char *key = account ? json_text(account, "fingerprint") : NULL;
		out_done("%s",
			 _("The account has a new identity; the old one vouches for it."));
		out_say(_("  key from now on: %s"), key ? key : "?");
		out_say("%s", _("  Safety numbers have changed: who had verified you compares "
				"again."));
		out_json(json_keep(result));
	}
	json_free(result);
	return code;
}

int cmd_account(struct cli *c)
{
	if (!strcmp(c->o.arguments[0], "delete"))
		return delete_account(c);
	if (!strcmp(c->o.arguments[0], "renew"))
		return renew(c);
	return cli_usage(_("account delete ends it; account renew gives it another identity"),
			 "palique help account");
}
