/* `palique` alone: the terminal's face. Who has no account here yet is asked in lines how to begin. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "peer/faces/cli/prompt.h"
#include "peer/faces/tui/tui.h"
#include "shared/error.h"
#include "shared/text.h"

enum { WORD_MAX = 2048 };

static void say_first_steps(void)
{
	out_line("%s",
		 _("Palique: chat from machine to machine. There is no account here yet."));
	out_line("  1  %s", _("I have an invitation, or a directory's link"));
	out_line("  2  %s", _("I host the directory here, and invite others"));
	out_line("  3  %s", _("I have an account, and log in on this machine"));
	out_line("  4  %s", _("all of this in the browser"));
}

/* Runs a command as if `word` had been typed behind it. */
static int run(struct cli *c, enum command command, int (*run_command)(struct cli *c),
	       const char *word)
{
	int code;

	c->o.command = command;
	c->o.argument_count = word ? 1 : 0;
	c->o.arguments[0] = word;
	code = run_command(c);
	c->o.command = COMMAND_COUNT;
	c->o.argument_count = 0;
	return code;
}

/* Asks how to begin, and does it. Exit code; has said why. */
static int take_first_steps(struct cli *c)
{
	static const struct {
		const char *question; /* NULL: nothing else is to be known */
		enum command command;
		int (*run)(struct cli *c);
	} ways[] = {
		{ N_("the link"), CMD_JOIN, cmd_join },
		{ NULL, CMD_HOST, cmd_host },
		{ N_("your name, as NAME@DIRECTORY"), CMD_LOGIN, cmd_login },
		{ NULL, CMD_WEB, cmd_web },
	};
	char word[WORD_MAX];
	unsigned way;

	say_first_steps();
	if (prompt_line(word, sizeof word, &c->o, _("1, 2, 3 or 4"), "") < 0)
		return EXIT_DONE;
	way = (unsigned)strtoul(word, NULL, 10) - 1;
	if (way >= sizeof ways / sizeof *ways) {
		out_line("%s", _("palique --help tells the rest."));
		return EXIT_FAILED;
	}
	if (!ways[way].question)
		return run(c, ways[way].command, ways[way].run, NULL);
	if (prompt_line(word, sizeof word, &c->o, _(ways[way].question), "") < 0 || !*word)
		return EXIT_FAILED;
	return run(c, ways[way].command, ways[way].run, word);
}

static int has_account(struct cli *c, bool *has)
{
	struct json *status = NULL;
	int code = cli_call(c, "status", NULL, &status);

	*has = code == EXIT_DONE && cmd_status_has_account(status);
	json_free(status);
	return code;
}

int cmd_terminal(struct cli *c)
{
	struct tui_config config = { .see = c->programs->see, .has_colors = out_has_colors() };
	struct client_place place;
	const char *term = getenv("TERM");
	bool has, is_new = false;
	int code = has_account(c, &has);

	if (code == EXIT_DONE && !has) {
		is_new = true;
		code = take_first_steps(c);
		if (code == EXIT_DONE)
			code = has_account(c, &has);
	}
	if (code != EXIT_DONE || !has)
		return code;
	if (!term || !*term || !strcmp(term, "dumb"))
		return cmd_plain(c);
	if (is_new) { /* what was said, as the code of an invitation, is read first */
		char line[8];

		prompt_line(line, sizeof line, &c->o, _("Enter opens the conversations"), "");
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
