/* What a palique: link leads to: open. The link comes from anywhere, a web page included: what it says is
 * checked whole, written anew before anything is done with it, and nothing happens without a person's yes. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "peer/faces/cli/prompt.h"
#include "shared/error.h"
#include "shared/text.h"
#include "shared/uri.h"

static const char scheme[] = "palique:";

static int read_link(const char *text, struct uri *uri, char link[URI_MAX + 1])
{
	if (strnlen(text, URI_MAX + 1) > URI_MAX ||
	    strncasecmp(text, scheme, sizeof scheme - 1) != 0)
		return ERR_FORMAT;
	return uri_parse(uri, text) < 0 || uri_print(uri, link) < 0 ? ERR_FORMAT : 0;
}

/* EXIT_DONE: the person says yes. */
static int ask(struct cli *c, const char *question)
{
	bool is_yes;

	if (prompt_yes(&is_yes, &c->o, question) < 0)
		return cli_usage(_("a person is to say yes to a link, and there is nobody to "
				   "ask"),
				 "palique help open");
	if (is_yes)
		return EXIT_DONE;
	out_say("%s", _("Nothing was done."));
	return EXIT_FAILED;
}

static int join(struct cli *c, const struct uri *uri)
{
	char question[256], place[URI_HOST_MAX + 9];
	int code;

	place_print(&uri->place, place);
	snprintf(question, sizeof question, _("Join the directory %s?"), place);
	code = ask(c, question);
	return code == EXIT_DONE ? cmd_join(c) : code;
}

static int add(struct cli *c, const struct uri *uri)
{
	char question[256], place[URI_HOST_MAX + 9];
	int code = cmd_needs_account(c);

	place_print(&uri->place, place);
	snprintf(question, sizeof question, _("Ask %s of %s to be your contact?"),
		 uri->name.text, place);
	if (code == EXIT_DONE)
		code = ask(c, question);
	return code == EXIT_DONE ? cmd_add(c) : code;
}

/* A new password wants somebody who types it. */
static int tell_reset(const char *link)
{
	out_say("%s", _("This link sets a new password. To use it, type:"));
	out_line("  palique reset '%s'", link);
	return EXIT_DONE;
}

int cmd_open(struct cli *c)
{
	bool is_here = c->o.value[OPT_PLAIN] || !cmd_has_screen() ||
		       (isatty(STDIN_FILENO) && isatty(STDERR_FILENO));
	char link[URI_MAX + 1];
	struct json *params;
	struct uri uri;

	if (c->o.argument_count == 0)
		return cmd_page(c, NULL);
	if (read_link(c->o.arguments[0], &uri, link) < 0)
		return cli_usage(_("this is not a palique: link"), "palique help open");
	c->o.arguments[0] = link;
	if (is_here && uri.kind == URI_RESET)
		return tell_reset(link);
	if (is_here)
		return uri.kind == URI_CONTACT ? add(c, &uri) : join(c, &uri);
	params = json_set_text(json_object(), "link", link);
	return cmd_page(c, params);
}
