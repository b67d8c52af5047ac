#include "directory/commands.h"

#include <stdio.h>
#include <string.h>

#include "directory/commands_inside.h"
#include "directory/desk.h"
#include "directory/options.h"
#include "shared/error.h"
#include "shared/nearest.h"
#include "shared/text.h"
#include "shared/version.h"

static command_run run_help;

static const struct command {
	const char *name, *words, *help;
	int words_min, words_max;
	unsigned options;
	command_run *run;
} commands[] = {
	{ "init", N_("[HOST[:PORT]]"), N_("make keys and an empty account store"), 0, 1, 0,
	  command_init },
	{ "serve", "", N_("run the directory"), 0, 0,
	  OPTION_LISTEN | OPTION_SECRETS | OPTION_KEYHOLDER_USER, command_serve },
	{ "link", "", N_("print the directory's link"), 0, 0, 0, command_link },
	{ "invite", N_("[NAME] | list | revoke HANDLE"),
	  N_("print an invitation; look after them"), 0, 2, OPTION_COUNT | OPTION_EXPIRES,
	  command_invite },
	{ "user", N_("list | add|remove|ban|unban|kick|passwd-reset NAME"),
	  N_("look after accounts"), 1, 2, OPTION_PASSWORD_FD | OPTION_EXPIRES | OPTION_SECRETS,
	  command_user },
	{ "status", "", N_("counters of the running directory"), 0, 0, 0, command_status },
	{ "keyholder", N_("serve | move | split FILE FILE FILE | join FILE FILE"),
	  N_("whoever has the secrets behind passwords"), 1, 4,
	  OPTION_SECRETS | OPTION_SOCKET | OPTION_ALLOW_USER | OPTION_KEYHOLDER_USER |
		  OPTION_LINE,
	  command_keyholder },
	{ "backup", N_("FOLDER"),
	  N_("copy accounts, key and configuration, also of a running one"), 1, 1, 0,
	  command_backup },
	{ "restore", N_("FOLDER"), N_("bring a backup back into an empty data folder"), 1, 1,
	  OPTION_DRY_RUN | OPTION_SECRETS, command_restore },
	{ "check-config", N_("[FILE]"), N_("look for mistakes in directory.conf"), 0, 1, 0,
	  command_check_config },
	{ "help", N_("[COMMAND]"), N_("this help"), 0, 1, 0, run_help },
};
enum {
	COMMANDS = sizeof commands / sizeof commands[0],
	LEFT = 30, /* columns of a command and its words in the list of all */
};

static const struct command *find_command(const char *name)
{
	for (int i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static const char *words_of(const struct command *c)
{
	return c->words[0] ? _(c->words) : ""; /* "" in a catalogue is its header */
}

static int help_on(const struct command *c)
{
	printf(_("Usage: palique-directory %s %s\n"), c->name, words_of(c));
	printf("  %s\n\n", _(c->help));
	options_help(c->options);
	return EXIT_OK;
}

static int help_on_all(FILE *to)
{
	fprintf(to, _("Usage: palique-directory COMMAND [OPTION]...\n"
		      "The server of Palique: who is who and who is where.\n\n"));
	for (int i = 0; i < COMMANDS; i++) {
		char left[128];
		int width;

		snprintf(left, sizeof left, "%s %s", commands[i].name, words_of(&commands[i]));
		width = text_pad(left, LEFT);
		/* What is too long has its line to itself. */
		if ((int)strlen(left) > width)
			fprintf(to, "  %s\n  %*s %s\n", left, LEFT, "", _(commands[i].help));
		else
			fprintf(to, "  %-*s %s\n", width, left, _(commands[i].help));
	}
	fprintf(to,
		_("\nEach takes --data DIR, --json and --help. See palique-directory(8).\n"));
	return EXIT_OK;
}

static int run_help(const struct options *o)
{
	const struct command *c = o->word_count ? find_command(o->words[0]) : NULL;

	if (!c && o->word_count)
		return desk_fail_usage(
			o, ERR_FORMAT,
			_("There is no such command. Try: palique-directory help"));
	return c ? help_on(c) : help_on_all(stdout);
}

int commands_run(int argc, char **argv)
{
	const struct command *c;
	char reason[512] = "";
	struct options o;

	if (argc < 2) {
		help_on_all(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("palique-directory " PALIQUE_VERSION);
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--help") == 0)
		return help_on_all(stdout);
	c = find_command(argv[1]);
	if (!c) {
		struct nearest meant;

		nearest_begin(&meant, argv[1]);
		for (int i = 0; i < COMMANDS; i++)
			nearest_offer(&meant, commands[i].name);
		fprintf(stderr,
			_("palique-directory: there is no command \"%s\". "
			  "Try: palique-directory %s\n"),
			argv[1], meant.word ? meant.word : "help");
		return EXIT_USAGE;
	}
	int err = options_read(&o, argc - 1, argv + 1, c->options, reason, sizeof reason);
	if (!err && !(o.given & (OPTION_HELP | OPTION_VERSION))) {
		err = ERR_FORMAT;
		if (o.word_count < c->words_min)
			snprintf(reason, sizeof reason, _("%s needs: %s."), c->name,
				 words_of(c));
		else if (o.word_count > c->words_max)
			snprintf(reason, sizeof reason, _("One word too many: %s."),
				 o.words[c->words_max]);
		else
			err = 0;
	}
	if (err) {
		fprintf(stderr, _("palique-directory: %s See: palique-directory help %s\n"),
			reason, c->name);
		return EXIT_USAGE;
	}
	if (o.given & OPTION_HELP)
		return help_on(c);
	if (o.given & OPTION_VERSION) {
		puts("palique-directory " PALIQUE_VERSION);
		return EXIT_OK;
	}
	return c->run(&o);
}
