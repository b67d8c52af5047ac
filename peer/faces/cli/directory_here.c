/* A directory in our own engine, and what is given to others: host, invite, link. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "peer/faces/cli/prompt.h"
#include "shared/error.h"
#include "shared/name.h"
#include "shared/text.h"

static int invite(struct cli *c, struct json **result)
{
	struct json *params = json_object();
	long count, expires;

	*result = NULL;
	if (options_number(&c->o, OPT_COUNT, 1, 1000, 1, &count) < 0) {
		json_free(params);
		return cli_usage(_("--count is a number from 1 to 1000"),
				 "palique help invite");
	}
	if (options_duration(&c->o, OPT_EXPIRES, 7 * 86400, &expires) < 0 || expires < 60 ||
	    expires > 366L * 86400) {
		json_free(params);
		return cli_usage(_("--expires is a time from 1m to 366d, as in 90m, 12h or 7d"),
				 "palique help invite");
	}
	json_set_int(params, "count", count);
	json_set_int(params, "expires", expires);
	return cli_call(c, "createInvite", params, result);
}

/* An invitation to 127.0.0.1 leads nobody here from another machine: `words`, and that. */
static const char *with_warning(const struct json *host, const char *words)
{
	static char all[1024];

	if (!json_bool(host, "isLocal", false))
		return words;
	snprintf(all, sizeof all, "%s%s%s", words, *words ? "\n" : "",
		 _("The invitation works on this machine only: the directory has no address on "
		   "a network now. Once it has one, type: palique invite"));
	return all;
}

static void print_invite(const struct json *result, const char *next)
{
	const char *link = json_text(result, "link");

	if (!link)
		return;
	out_say("%s", _("For one who is to join, to be typed there:"));
	out_line("palique join '%s'", link);
	out_qr(link, next);
}

int cmd_invite(struct cli *c)
{
	struct json *result = NULL;
	int code = invite(c, &result);

	if (code == EXIT_DONE) {
		/* The link alone is data: LINK=$(palique invite) must work. */
		out_line("%s", json_text(result, "link") ? json_text(result, "link") : "");
		out_qr(json_text(result, "link") ? json_text(result, "link") : "",
		       with_warning(result, _("✔ Whoever types \"palique join LINK\" with it "
					      "becomes a user here.")));
		out_json(json_keep(result));
	}
	json_free(result);
	return code;
}

/* The account of who hosts, made over an invitation like any other's. */
static int host_join(struct cli *c, struct json **account)
{
	struct json *own = NULL;
	struct name name;
	int code = cmd_choose_name(c, &name);

	if (code == EXIT_DONE)
		code = invite(c, &own);
	if (code == EXIT_DONE)
		code = cmd_join_with(c, json_text(own, "link"), &name, account);
	json_free(own);
	return code;
}

int cmd_host(struct cli *c)
{
	const char *listen = c->o.value[OPT_LISTEN];
	struct json *params = json_object(), *host = NULL, *status = NULL, *account = NULL,
		    *link = NULL;
	/* Without anybody to ask, a directory without an account of one's own is what is meant. */
	bool wants_account = !c->o.value[OPT_NO_INPUT] || c->o.value[OPT_PASSWORD_FD];
	char next[128] = "";
	int code;

	if (listen)
		json_set_text(params, "listen", listen);
	code = cli_call(c, "host", params, &host);
	if (code == EXIT_DONE)
		code = cli_call(c, "status", NULL, &status);
	if (code == EXIT_DONE && wants_account && !cmd_status_has_account(status))
		code = host_join(c, &account);
	if (code == EXIT_DONE && !account && json_get(status, "account") &&
	    cmd_status_has_account(status))
		account = json_keep((struct json *)json_get(status, "account"));
	if (code == EXIT_DONE)
		code = invite(c, &link);
	if (code == EXIT_DONE) {
		out_done(_("The directory runs at %s, as long as this engine does."),
			 json_text(host, "place") ? json_text(host, "place") : "?");
		if (account)
			cmd_print_account(account, _("You are %s@%s."), NULL);
		if (account)
			snprintf(next, sizeof next, _("Then they type: palique add %s"),
				 json_text(account, "name"));
		print_invite(link, with_warning(host, next));
		struct json *all = json_set(json_object(), "host", json_keep(host));
		if (account)
			json_set(all, "account", json_keep(account));
		out_json(json_set(all, "invite", json_keep(link)));
	}
	json_free(link);
	json_free(account);
	json_free(status);
	json_free(host);
	return code;
}

int cmd_link(struct cli *c)
{
	struct json *result = NULL;
	int code = cli_call(c, "getLink", NULL, &result);

	if (code == EXIT_DONE) {
		const char *link = json_text(result, "link");
		out_line("%s", link ? link : "");
		out_qr(link ? link : "",
		       _("✔ Whoever types \"palique add LINK\" with it asks to be your "
			 "contact."));
		out_json(json_keep(result));
	}
	json_free(result);
	return code;
}
