/* `palique` alone: the terminal's face, where there is a terminal and an account; else what to type
 * first. */
#include <unistd.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "peer/faces/tui/tui.h"
#include "shared/error.h"
#include "shared/text.h"

/* The first steps, for who has no account here yet. */
static void say_first_steps(void)
{
	out_line("%s",
		 _("Palique: chat from machine to machine. There is no account here yet."));
	out_line("  palique web           %s",
		 _("begin in the browser: host or join, name and password"));
	out_line("  palique join LINK     %s", _("with an invitation, or a directory's link"));
	out_line("  palique host          %s",
		 _("be the directory yourself, and invite others"));
	out_line("  palique login NAME@DIRECTORY  %s", _("bring your account to this machine"));
	out_line("%s", _("palique --help tells the rest."));
}

int cmd_terminal(struct cli *c)
{
	struct tui_config config = { .see = c->programs->see, .has_colors = out_has_colors() };
	struct client_place place;
	struct json *status = NULL;
	int code = cli_call(c, "status", NULL, &status);
	bool has_account;

	if (code != EXIT_DONE)
		return code;
	has_account = cmd_status_has_account(status);
	json_free(status);
	if (!has_account) {
		say_first_steps();
		return EXIT_DONE;
	}
	place = (struct client_place){ .home = c->home, .socket = c->socket };
	config.place = &place;
	config.client = c->client;
	c->client = NULL;
	if (tui_run(&config) == 0)
		return EXIT_DONE;
	return cli_failed(ERR_STATE, _("this terminal cannot show it"),
			  _("palique --plain, or palique web"));
}
