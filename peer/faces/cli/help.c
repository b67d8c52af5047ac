/* What --help says, from the tables. */
#include <string.h>

#include "peer/faces/cli/chat.h"
#include "peer/faces/cli/options_table.h"
#include "shared/text.h"

enum { LEFT = 28 }; /* columns before what a thing is for */

static void print_option(FILE *out, enum command command, unsigned i)
{
	const struct option_row *row = &option_rows[i];
	const char *about = options_about(command, (enum option)i);
	char left[96];

	if (!about)
		return;
	snprintf(left, sizeof left, "%s%s%s", row->name, row->letter ? ", -" : "",
		 (char[]){ row->letter, '\0' });
	if (row->value)
		snprintf(left + strlen(left), sizeof left - strlen(left), " %s",
			 options_said(row->value));
	fprintf(out, "  %-*s %s\n", text_pad(left, LEFT), left, _(about));
}

static void print_options(FILE *out, enum command command, uint64_t which)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (which & OPTION_BIT(i))
			print_option(out, command, i);
}

static void print_examples(FILE *out, const char *lines)
{
	fprintf(out, "\n%s\n", _("For example:"));
	while (*lines) {
		size_t size = strcspn(lines, "\n");
		fprintf(out, "  palique %.*s\n", (int)size, lines);
		lines += size + (lines[size] == '\n');
	}
}

static void print_command(FILE *out, enum command command)
{
	const struct command_row *row = &command_rows[command];

	fprintf(out, "palique %s%s%s\n  %s\n", row->name, *row->arguments ? " " : "",
		options_said(row->arguments), _(row->about));
	if (row->more)
		fprintf(out, "\n%s\n", _(row->more));
	if (row->options) {
		fprintf(out, "\n");
		print_options(out, command, row->options);
	}
	if (command == CMD_CHAT) {
		fprintf(out, "\n%s\n",
			_("On a terminal a line that begins with a slash is a command:"));
		chat_help(out);
	}
	if (row->examples)
		print_examples(out, options_said(row->examples));
	fprintf(out, "\n%s\n", _("Everywhere:"));
	print_options(out, COMMAND_COUNT, OPTIONS_GLOBAL);
}

void options_help(FILE *out, enum command command)
{
	if (command < COMMAND_COUNT) {
		print_command(out, command);
		return;
	}
	fprintf(out, "%s\n\n", _("palique: talk directly, encrypted, from machine to machine"));
	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		char left[64];
		snprintf(left, sizeof left, "%s %s", command_rows[i].name,
			 options_said(command_rows[i].arguments));
		fprintf(out, "  %-*s %s\n", text_pad(left, LEFT), left,
			_(command_rows[i].about));
	}
	fprintf(out, "\n%s\n", _("palique COMMAND --help tells what it takes, with examples."));
	fprintf(out, "\n%s\n", _("Everywhere:"));
	print_options(out, COMMAND_COUNT, OPTIONS_GLOBAL);
	fprintf(out, "\n%s\n",
		_("Exit codes: 0 done, 1 failed, 2 usage, 3 no engine or home locked, 4 not "
		  "found, "
		  "5 refused,\n6 still queued (send --wait delivered), 7 timeout, 130 "
		  "interrupted."));
}
