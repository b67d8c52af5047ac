/* Becoming somebody: join, login. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "peer/faces/cli/prompt.h"
#include "shared/error.h"
#include "shared/name.h"
#include "shared/text.h"
#include "shared/uri.h"

enum {
	STATUS_MS = 10 * 1000,
	VAULT_PAUSE_MS = 50,
	VAULT_LOOKS = 200, /* ten seconds; what comes later comes by itself */
};

#define NAME_RULE                                                                              \
	N_("\"%.64s\" cannot be a name: 2 to 32 of a-z, 0-9, \".\", \"_\" and \"-\", "         \
	   "beginning "                                                                        \
	   "with a letter or digit")

bool cmd_status_has_account(const struct json *status)
{
	const struct json *account = json_get(status, "account");
	const char *state = account ? json_text(account, "state") : NULL;

	return state && strcmp(state, "none") != 0;
}

int cmd_choose_name(struct cli *c, struct name *name)
{
	const char *given = c->o.value[OPT_NAME], *user = getenv("USER");
	const char *hint = c->o.command == CMD_HOST ? _("palique host --name NAME")
						    : _("palique join LINK --name NAME");
	char line[256];
	struct name usual;

	if (!given) {
		if (!user || name_parse(&usual, bytes_text(user)) < 0)
			usual.text[0] = '\0';
		if (prompt_line(line, sizeof line, &c->o, _("your name at the directory"),
				usual.text) < 0)
			return cli_usage(_("a name is needed and there is nobody to ask"),
					 hint);
		given = line;
	}
	if (name_parse(name, bytes_text(given)) < 0) {
		char trouble[512];
		snprintf(trouble, sizeof trouble, _(NAME_RULE), given);
		return cli_usage(trouble, hint);
	}
	return EXIT_DONE;
}

/* Who has the operator's own link can compare it with what was believed. */
static void print_trust(const struct json *account)
{
	const char *key = json_text(account, "directoryKey"),
		   *directory = json_text(account, "directory");

	out_say("%s",
		_("  No key was given, so the directory's was believed at first sight. To "
		  "be sure, compare with its operator:"));
	out_line("  palique:%s?k=%s", directory ? directory : "", key ? key : "");
}

void cmd_print_account(const struct json *account, const char *word, const char *next)
{
	const char *name = json_text(account, "name"),
		   *directory = json_text(account, "directory");
	const char *link = json_text(account, "link");

	out_done(word, name ? name : "", directory ? directory : "");
	if (json_bool(account, "directoryPinnedOnTrust", false))
		print_trust(account);
	if (link && *link) {
		out_line(_("  Your contact link: %s"), link);
		if (next)
			out_qr(link, next);
	}
}

int cmd_join_with(struct cli *c, const char *link, const struct name *name,
		  struct json **account)
{
	struct secret secret;
	struct json *params, *result = NULL;
	int code = cli_password(c, &secret, _("choose a password"), true);

	*account = NULL;
	if (code != EXIT_DONE)
		return code;
	params = json_set_text(json_object(), "link", link);
	json_set_text(params, "name", name->text);
	json_set_text(params, "password", secret.text);
	secret_wipe(&secret);
	out_say("%s", _("asking the directory; stretching the password takes a second..."));
	code = cli_call_slowly(c, "join", params, &result);
	if (code == EXIT_DONE && json_get(result, "account"))
		*account = json_keep((struct json *)json_get(result, "account"));
	json_free(result);
	return code;
}

static int refuse_second_account(const struct json *status)
{
	const struct json *account = json_get(status, "account");
	const char *name = json_text(account, "name"),
		   *directory = json_text(account, "directory");
	char trouble[256];

	snprintf(trouble, sizeof trouble, _("this home has an account already: %s@%s"),
		 name ? name : "?", directory ? directory : "?");
	return cli_failed(ERR_EXISTS, trouble, _("palique --home OTHER-FOLDER join LINK"));
}

int cmd_join(struct cli *c)
{
	const char *link = c->o.arguments[0];
	struct json *status = NULL, *account = NULL;
	struct name name;
	struct uri uri;
	int code;

	/* What can be said at once is said before anybody is asked for anything. */
	if (uri_parse(&uri, link) < 0 || uri.kind == URI_CONTACT)
		return cli_usage(
			_("this is not the link of a directory or an invitation to one"),
			_("palique join 'palique:HOST/i/CODE?k=KEY'"));
	code = cli_call(c, "status", NULL, &status);
	if (code == EXIT_DONE && cmd_status_has_account(status))
		code = refuse_second_account(status);
	if (code == EXIT_DONE)
		code = cmd_choose_name(c, &name);
	if (code == EXIT_DONE)
		code = cmd_join_with(c, link, &name, &account);
	if (code == EXIT_DONE && account) {
		cmd_print_account(account, _("You are %s@%s."),
				  _("Next: palique add NAME, where NAME is somebody you know "
				    "there."));
		out_json(json_set(json_object(), "account", json_keep(account)));
	}
	json_free(account);
	json_free(status);
	return code;
}

static bool is_refused(const struct json *account)
{
	const char *state = json_text(account, "state");

	return state && !strcmp(state, "refused");
}

static int refuse_entry(const struct json *account)
{
	const char *name = json_text(account, "name"),
		   *directory = json_text(account, "directory"),
		   *trouble = json_text(account, "trouble");
	char hint[512];

	snprintf(hint, sizeof hint, "palique login %s@%s", name ? name : "?",
		 directory ? directory : "?");
	return cli_failed(ERR_REFUSED,
			  trouble && *trouble ? trouble
					      : _("the directory does not let this device in"),
			  hint);
}

int cmd_needs_account(struct cli *c)
{
	struct json *status = NULL;
	int code = cli_call(c, "status", NULL, &status);

	if (code == EXIT_DONE && !cmd_status_has_account(status))
		code = cli_failed(ERR_STATE, _("there is no account here yet"),
				  _("palique join LINK, or palique login NAME@DIRECTORY"));
	else if (code == EXIT_DONE && is_refused(json_get(status, "account")))
		code = refuse_entry(json_get(status, "account"));
	json_free(status);
	return code;
}

/* What can be said at once is said before anybody is asked for a password: it cannot be a name,
 * or this home is somebody else's. */
static int check_who(struct cli *c, const char *typed, const char *name)
{
	const char *ours, *pattern = c->o.command == CMD_RECOVER
					     ? _("palique --home OTHER-FOLDER recover %s")
					     : _("palique --home OTHER-FOLDER login %s");
	char trouble[256], hint[256];
	struct json *status = NULL;
	struct name parsed;
	int code;

	if (name_parse(&parsed, bytes_text(name)) < 0) {
		snprintf(trouble, sizeof trouble, _(NAME_RULE), name);
		return cli_usage(trouble, c->o.command == CMD_RECOVER
						  ? _("palique recover NAME@DIRECTORY")
						  : _("palique login NAME@DIRECTORY"));
	}
	code = cli_call(c, "status", NULL, &status);
	ours = code == EXIT_DONE && cmd_status_has_account(status)
		       ? json_text(json_get(status, "account"), "name")
		       : NULL;
	if (ours && strcmp(ours, parsed.text) != 0) {
		snprintf(trouble, sizeof trouble, _("this home holds another account than %s"),
			 typed);
		snprintf(hint, sizeof hint, pattern, typed);
		code = cli_failed(ERR_REFUSED, trouble, hint);
	}
	json_free(status);
	return code;
}

int cmd_where(struct cli *c, struct json *params)
{
	const char *typed = c->o.arguments[0], *at = strchr(typed, '@'), *place = NULL;
	const struct json *account;
	char name[64];
	struct json *status = NULL;
	int code = EXIT_DONE;

	snprintf(name, sizeof name, "%.*s", at ? (int)(at - typed) : (int)strlen(typed), typed);
	code = check_who(c, typed, name);
	if (code != EXIT_DONE)
		return code;
	json_set_text(params, "name", name);
	if (at && at[1]) {
		json_set_text(params, "directory", at + 1);
		return EXIT_DONE;
	}
	code = cli_call(c, "status", NULL, &status);
	if (code != EXIT_DONE)
		return code;
	account = json_get(status, "account");
	if (account)
		place = json_text(account, "directory");
	if (!place)
		place = json_text(status, "defaultDirectory");
	if (place)
		json_set_text(params, "directory", place);
	else
		code = cli_usage(_("at which directory?"),
				 c->o.command == CMD_RECOVER
					 ? _("palique recover NAME@DIRECTORY")
					 : _("palique login NAME@DIRECTORY"));
	json_free(status);
	return code;
}

bool cmd_has_account(struct cli *c)
{
	struct client_error error;
	struct json *status = NULL;
	bool has = false;

	if (cli_engine(c) == EXIT_DONE &&
	    client_call(c->client, "status", NULL, STATUS_MS, &status, &error) == 0)
		has = cmd_status_has_account(status);
	json_free(status);
	return has;
}

/* What this machine is called, and that it can be called otherwise. */
static void suggest_name(struct cli *c)
{
	struct json *result = NULL;
	const struct json *list;
	unsigned others = 0;

	if (cli_call(c, "listDevices", NULL, &result) != EXIT_DONE)
		return;
	list = json_get(result, "devices");
	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *d = json_at(list, i);
		const char *name = json_text(d, "name"), *id = json_text(d, "id");
		if (!json_bool(d, "current", false)) {
			others++;
			continue;
		}
		out_say(_("  This device is called \"%s\". Another name: palique devices name "
			  "%.8s NEW-NAME"),
			name ? out_safe(name) : "", id ? id : "");
	}
	if (others)
		out_say(ngettext("  %u other device belongs to the account (palique devices).",
				 "  %u other devices belong to the account (palique devices).",
				 others),
			others);
	json_free(result);
}

static void tell_contacts(int64_t count)
{
	if (count)
		out_say(ngettext("  %lld contact came back. What was said before is on your "
				 "other devices only.",
				 "  %lld contacts came back. What was said before is on your "
				 "other devices only.",
				 (unsigned long)count),
			(long long)count);
	else
		out_say("%s",
			_("  There were no contacts to bring back. Next: palique add NAME"));
}

static bool is_behind(const struct json *status)
{
	const struct json *account = json_get(status, "account");
	const char *state = account ? json_text(account, "state") : NULL;

	return state && (!strcmp(state, "connecting") || !strcmp(state, "joining") ||
			 json_bool(account, "vaultBehind", false));
}

/* The vault's contents come right behind the answer: what is told waits for them. */
static int wait_for_vault(struct cli *c, struct json **status)
{
	int code = cli_call(c, "status", NULL, status);

	if (code == EXIT_DONE && is_behind(*status))
		out_say("%s", _("  fetching the contacts..."));
	for (unsigned i = 0; code == EXIT_DONE && is_behind(*status) && i < VAULT_LOOKS; i++) {
		(void)poll(NULL, 0, VAULT_PAUSE_MS);
		json_free(*status);
		code = cli_call(c, "status", NULL, status);
	}
	return code;
}

/* Who was listed; a request that came meanwhile was not brought back. */
static int64_t count_contacts(struct cli *c)
{
	struct json *result = NULL;
	const struct json *list;
	int64_t count = 0;

	if (cli_call(c, "listContacts", NULL, &result) != EXIT_DONE)
		return 0;
	list = json_get(result, "contacts");
	for (size_t i = 0; i < json_count(list); i++) {
		const char *state = json_text(json_at(list, i), "state");
		count += state && (!strcmp(state, "mutual") || !strcmp(state, "asked"));
	}
	json_free(result);
	return count;
}

int cmd_logged_in(struct cli *c, struct json *take_result, bool was_empty)
{
	struct json *status = NULL;
	int code = wait_for_vault(c, &status);

	if (code == EXIT_DONE && json_get(take_result, "account")) {
		int64_t contacts = count_contacts(c);
		cmd_print_account(json_get(take_result, "account"), _("Logged in as %s@%s."),
				  false);
		if (was_empty) {
			tell_contacts(contacts);
			suggest_name(c);
		}
		json_set_int(take_result, "contacts", contacts);
		json_set_int(take_result, "devices", json_int(status, "devices", 0));
		out_json(json_keep(take_result));
	}
	json_free(status);
	json_free(take_result);
	return code;
}

int cmd_login(struct cli *c)
{
	struct json *params = json_object(), *result = NULL;
	struct secret secret;
	bool was_empty;
	int code = cmd_where(c, params);

	if (code == EXIT_DONE)
		code = cli_password(c, &secret, _("password"), false);
	if (code != EXIT_DONE) {
		json_free(params);
		return code;
	}
	json_set_text(params, "password", secret.text);
	secret_wipe(&secret);
	if (c->o.value[OPT_BEGIN_ANEW])
		json_set_bool(params, "beginAnew", true);
	code = cli_engine(c);
	if (code != EXIT_DONE) {
		json_free(params);
		return code;
	}
	was_empty = !cmd_has_account(c);
	out_say("%s", _("asking the directory; stretching the password takes a second..."));
	code = cli_call_slowly(c, "login", params, &result);
	return code == EXIT_DONE ? cmd_logged_in(c, result, was_empty) : code;
}
