/* What opens an account, and what does when that is lost: recover, reset, passwd. */
#include <sodium.h>
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "peer/faces/cli/prompt.h"
#include "shared/error.h"
#include "shared/recovery.h"
#include "shared/text.h"
#include "shared/uri.h"

enum { TRIES = 3 };

/* What is wrong with the words can be said before a password is chosen for nothing. */
static int check_words(const struct secret *typed, char *trouble, size_t size)
{
	struct recovery_code code;
	unsigned bad = 0;
	int err = recovery_parse(&code, bytes_text(typed->text), &bad);

	sodium_memzero(&code, sizeof code);
	if (err == ERR_AUTH)
		snprintf(trouble, size, "%s",
			 _("all are words of the list, but together they are no recovery code: "
			   "one "
			   "of them is wrong, or two have changed places"));
	else if (err < 0 && bad)
		snprintf(trouble, size, _("word %u is none that a recovery code can have"),
			 bad);
	else if (err < 0)
		snprintf(trouble, size, _("a recovery code has %d words"), RECOVERY_WORDS);
	return err;
}

/* Who types them may try again. Exit code; has said why. */
static int ask_for_words(struct cli *c, struct secret *words)
{
	bool is_typed = !c->o.value[OPT_WORDS_FD] && !c->o.value[OPT_JSON];
	char trouble[256];

	for (unsigned i = 1;; i++) {
		if (prompt_words(words, &c->o, trouble, sizeof trouble) < 0)
			break;
		if (check_words(words, trouble, sizeof trouble) == 0)
			return EXIT_DONE;
		secret_wipe(words);
		if (!is_typed || i == TRIES)
			break;
		out_say("%s", trouble);
	}
	return cli_usage(trouble, "palique help recover");
}

static int ask_for_recovery(struct cli *c, struct json *params)
{
	struct secret secret;
	int code = ask_for_words(c, &secret);

	if (code == EXIT_DONE) {
		json_set_text(params, "words", secret.text);
		secret_wipe(&secret);
		code = cli_password(c, &secret, _("choose a new password"), true);
	}
	if (code == EXIT_DONE)
		json_set_text(params, "newPassword", secret.text);
	secret_wipe(&secret);
	return code;
}

int cmd_recover(struct cli *c)
{
	struct json *params = json_object(), *result = NULL;
	bool was_empty;
	int code = cmd_where(c, params);

	if (code == EXIT_DONE)
		code = ask_for_recovery(c, params);
	if (code == EXIT_DONE)
		code = cli_engine(c);
	if (code != EXIT_DONE) {
		json_free(params);
		return code;
	}
	was_empty = !cmd_has_account(c);
	out_say("%s", _("asking the directory; stretching the password takes a second..."));
	code = cli_call_slowly(c, "recover", params, &result);
	if (code != EXIT_DONE)
		return code;
	out_done("%s", _("The new password is set."));
	return cmd_logged_in(c, result, was_empty);
}

int cmd_reset(struct cli *c)
{
	const char *link = c->o.arguments[0], *name;
	struct json *params, *result = NULL;
	char place[URI_HOST_MAX + 9];
	struct secret secret;
	struct uri uri;
	int code;

	if (uri_parse(&uri, link) < 0 || uri.kind != URI_RESET)
		return cli_usage(_("this is not a link to set a password anew"),
				 "palique reset 'palique:HOST/r/CODE?k=KEY'");
	code = cli_password(c, &secret, _("choose a new password"), true);
	if (code != EXIT_DONE)
		return code;
	params = json_set_text(json_object(), "link", link);
	json_set_text(params, "newPassword", secret.text);
	secret_wipe(&secret);
	out_say("%s", _("asking the directory; stretching the password takes a second..."));
	code = cli_call(c, "resetPassword", params, &result);
	if (code == EXIT_DONE) {
		name = json_text(result, "name");
		place_print(&uri.place, place);
		out_done(_("The password of %s is set."), name ? out_safe(name) : "?");
		out_say(_("  A device that is still logged in takes it over by: palique login "
			  "%s@%s\n"
			  "  On a new machine contacts and identity stay sealed with the old "
			  "password: the recovery code opens them (palique recover %s@%s)."),
			name ? out_safe(name) : "?", place, name ? out_safe(name) : "?", place);
		out_json(json_keep(result));
	}
	json_free(result);
	return code;
}

int cmd_passwd(struct cli *c)
{
	bool is_everywhere = c->o.value[OPT_EVERYWHERE] != NULL;
	struct json *params = json_object(), *result = NULL;
	struct secret secret;
	int code = cmd_needs_account(c);

	if (code == EXIT_DONE)
		code = cli_password(c, &secret, _("the password until now"), false);
	if (code == EXIT_DONE) {
		json_set_text(params, "oldPassword", secret.text);
		secret_wipe(&secret);
		code = cli_password(c, &secret, _("choose a new password"), true);
	}
	if (code != EXIT_DONE) {
		json_free(params);
		return code;
	}
	json_set_text(params, "newPassword", secret.text);
	secret_wipe(&secret);
	if (is_everywhere)
		json_set_bool(params, "everywhere", true);
	out_say("%s", _("asking the directory; stretching the passwords takes a second..."));
	code = cli_call(c, "changePassword", params, &result);
	if (code == EXIT_DONE) {
		out_done("%s",
			 is_everywhere
				 ? _("The password is changed; all other devices are logged "
				     "out.")
				 : _("The password is changed; your devices stay logged in."));
		out_json(json_keep(result));
	}
	json_free(result);
	return code;
}
