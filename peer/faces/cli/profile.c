/* How I am seen: profile, hide, unhide, status away. */
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/error.h"
#include "shared/text.h"

static const struct availability_row {
	const char *name, *words;
} availabilities[] = {
	{ "available", N_("available") },
	{ "away", N_("away") },
	{ "busy", N_("busy") },
};

const char *cmd_availability_words(const struct json *o)
{
	for (size_t i = 0; i < sizeof availabilities / sizeof *availabilities; i++)
		if (cmd_is(o, "availability", availabilities[i].name))
			return _(availabilities[i].words);
	return _("available");
}

/* Of us (`is_own`) or of a contact. */
static void print_profile(const struct json *p, const char *name, bool is_own)
{
	const char *title = json_text(p, "title"), *status = json_text(p, "status");

	out_line("%s%s%s%s", out_safe(name), title && *title ? " (" : "",
		 title && *title ? out_safe(title) : "", title && *title ? ")" : "");
	out_line("  %s%s%s",
		 is_own && json_bool(p, "invisible", false) ? _("invisible to all")
							    : cmd_availability_words(p),
		 status && *status ? ": " : "", status && *status ? out_safe(status) : "");
	if (json_bool(p, "hasPicture", false))
		out_line("  %s", _("with a picture"));
	if (json_bool(p, "bot", false))
		out_line("  %s", _("a program speaks here, and nobody reads"));
	if (!is_own && json_bool(p, "hidden", false))
		out_line(_("  does not see that you are there (palique unhide %s)"),
			 out_safe(name));
}

static int show_own(struct cli *c, const struct json *profile)
{
	struct json *status = NULL;
	const struct json *account;
	const char *name = NULL;
	int code = cli_call(c, "status", NULL, &status);

	account = code == EXIT_DONE ? json_get(status, "account") : NULL;
	if (account)
		name = json_text(account, "name");
	if (code == EXIT_DONE && !name)
		code = cmd_needs_account(c);
	if (code == EXIT_DONE && name) {
		print_profile(profile, name, true);
		out_json(json_keep((struct json *)profile));
	}
	json_free(status);
	return code;
}

static int show_contact(struct cli *c, const char *name)
{
	struct json *result = NULL;
	const struct json *contact;
	int code = cli_call(c, "getContact", json_set_text(json_object(), "name", name),
			    &result);

	if (code == EXIT_DONE) {
		contact = json_get(result, "contact");
		print_profile(contact, json_text(contact, "name"), false);
		out_json(json_keep((struct json *)contact));
	}
	json_free(result);
	return code;
}

int cmd_profile(struct cli *c)
{
	const char *title = c->o.value[OPT_NAME], *status = c->o.value[OPT_STATUS],
		   *picture = c->o.value[OPT_PICTURE], *bot = c->o.value[OPT_BOT];
	struct json *params = json_object(), *result = NULL;
	bool is_change = title || status || picture || bot;
	int code;

	if (c->o.argument_count) {
		json_free(params);
		return is_change ? cli_usage(_("only your own profile can be changed"),
					     "palique help profile")
				 : show_contact(c, c->o.arguments[0]);
	}
	if (bot && strcmp(bot, "yes") != 0 && strcmp(bot, "no") != 0) {
		json_free(params);
		return cli_usage(_("--bot is yes or no"), "palique help profile");
	}
	if (bot)
		json_set_bool(params, "bot", !strcmp(bot, "yes"));
	if (title)
		json_set_text(params, "title", title);
	if (status)
		json_set_text(params, "status", status);
	if (picture) {
		char *path = *picture ? cli_absolute(picture) : memory_text("");
		json_set_text(params, "picture", path);
		free(path);
	}
	code = cli_call(c, is_change ? "setProfile" : "getProfile", params, &result);
	if (code == EXIT_DONE && is_change)
		out_done("%s", _("Contacts see from now on:"));
	if (code == EXIT_DONE)
		code = show_own(c, json_get(result, "profile"));
	json_free(result);
	return code;
}

/* `status away` and the like. */
int cmd_availability(struct cli *c)
{
	const char *wanted = c->o.arguments[0];
	bool is_invisible = !strcmp(wanted, "invisible");
	struct json *params = json_set_bool(json_object(), "invisible", is_invisible),
		    *result = NULL;
	bool is_known = is_invisible;
	int code;

	for (size_t i = 0; i < sizeof availabilities / sizeof *availabilities; i++)
		if (!strcmp(wanted, availabilities[i].name)) {
			is_known = true;
			json_set_text(params, "availability", wanted);
		}
	if (!is_known) {
		json_free(params);
		return cli_usage(_("one is available, away, busy or invisible"),
				 "palique help status");
	}
	code = cli_call(c, "setProfile", params, &result);
	if (code == EXIT_DONE && is_invisible)
		out_done("%s",
			 _("You are invisible: nobody sees that you are there, and nobody is "
			   "connected with you. (palique status available ends it.)"));
	else if (code == EXIT_DONE)
		out_done(_("Contacts see you as: %s."),
			 cmd_availability_words(json_get(result, "profile")));
	if (code == EXIT_DONE)
		out_json(json_keep((struct json *)json_get(result, "profile")));
	json_free(result);
	return code;
}

static int hide(struct cli *c, bool is_hidden)
{
	struct json *params = json_set_text(json_object(), "name", c->o.arguments[0]);
	struct json *result = NULL;
	const char *name;
	int code;

	json_set_bool(params, "hidden", is_hidden);
	code = cli_call(c, "hideFrom", params, &result);
	if (code == EXIT_DONE) {
		name = out_safe(json_text(json_get(result, "contact"), "name"));
		if (is_hidden)
			out_done(_("%s does not see that you are there. (palique unhide %s "
				   "undoes it.)"),
				 name, name);
		else
			out_done(_("%s sees again when you are there."), name);
		out_json(json_keep(result));
	}
	json_free(result);
	return code;
}

int cmd_hide(struct cli *c)
{
	return hide(c, true);
}

int cmd_unhide(struct cli *c)
{
	return hide(c, false);
}
