/* For fish: a line for each thing that can be offered, and when it is. */
#include <string.h>

#include "peer/faces/cli/completion.h"
#include "peer/faces/cli/options_table.h"
#include "shared/text.h"

static void fish_text(FILE *out, const char *text)
{
	fputs(" -d '", out);
	completion_text(out, text, "\\'", "\\");
	fputc('\'', out);
}

/* What is offered for -a; files are the shell's own matter. */
static void fish_words(FILE *out, const char *words)
{
	static const struct {
		const char *word, *call;
	} calls[] = {
		{ "@contact", "(__palique_contacts)" },
		{ "@command", "$__palique_commands" },
		{ "@folder", "(__fish_complete_directories)" },
		{ "@file", "" },
	};
	size_t size;

	fputs(strstr(words, "@file") ? " -F -a '" : " -a '", out);
	for (; *words; words += size + strspn(words + size, " ")) {
		const char *call = NULL;
		size = strcspn(words, " ");
		for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
			if (strlen(calls[i].word) == size &&
			    !strncmp(calls[i].word, words, size))
				call = calls[i].call;
		fprintf(out, "%.*s%s", call ? (int)strlen(call) : (int)size,
			call ? call : words, words[size] ? " " : "");
	}
	fputc('\'', out);
}

static void fish_option(FILE *out, enum command command, unsigned i)
{
	const struct option_row *row = &option_rows[i];

	fputs("complete -c palique", out);
	if (command < COMMAND_COUNT)
		fprintf(out, " -n '__palique_in %s'", command_rows[command].name);
	if (row->letter)
		fprintf(out, " -s %c", row->letter);
	fprintf(out, " -l %s", row->name + 2);
	if (row->value)
		fputs(row->words && strstr(row->words, "@file") ? " -r" : " -x", out);
	if (row->value && row->words)
		fish_words(out, row->words);
	fish_text(out, _(options_about(command, (enum option)i)));
	fputc('\n', out);
}

static const char fish_head[] =
	"function __palique_typed -d 'the command and its arguments before the word to "
	"complete'\n"
	"    set -l typed\n"
	"    set -l skip\n"
	"    set -l tokens (commandline -opc)\n"
	"    set -e tokens[1]\n"
	"    for token in $tokens\n"
	"        if test -n \"$skip\"\n"
	"            set skip\n"
	"            continue\n"
	"        end\n"
	"        switch $token\n"
	"            case '--*=*'\n"
	"            case '-*'\n"
	"                if contains -- $token $__palique_takes; or contains -- "
	"\"$typed[1]$token\" "
	"$__palique_letters\n"
	"                    set skip 1\n"
	"                end\n"
	"            case '*'\n"
	"                set -a typed $token\n"
	"        end\n"
	"    end\n"
	"    if set -q typed[1]\n"
	"        printf '%s\\n' $typed\n"
	"    end\n"
	"end\n\n"
	"function __palique_in -d 'COMMAND: it is that one'\n"
	"    set -l typed (__palique_typed)\n"
	"    test \"$typed[1]\" = $argv[1]\n"
	"end\n\n"
	"function __palique_at -d 'COMMAND N: its Nth argument is to be completed'\n"
	"    set -l typed (__palique_typed)\n"
	"    test (count $typed) -eq $argv[2]; and test \"$typed[1]\" = $argv[1]\n"
	"end\n\n"
	"function __palique_begins -d 'no command was typed yet'\n"
	"    set -l typed (__palique_typed)\n"
	"    not set -q typed[1]\n"
	"end\n\n"
	"function __palique_contacts -d 'whom the engine knows, if it runs'\n"
	"    set -l tokens (commandline -opc)\n"
	"    set -l program (string replace -r '^~/' \"$HOME/\" -- $tokens[1])\n"
	"    set -l home\n"
	"    if set -l at (contains -i -- --home $tokens)\n"
	"        set home --home (string replace -r '^~/' \"$HOME/\" -- $tokens[(math $at + "
	"1)])\n"
	"    else\n"
	"        set home (string match -r -- '^--home=.*' $tokens)\n"
	"    end\n"
	"    type -q $program; and $program $home completion contacts 2>/dev/null\n"
	"end\n\n"
	"complete -c palique -f\n";

static void fish_letter(FILE *out, const char *command, const struct option_row *row)
{
	fprintf(out, " %s-%c", command, row->letter);
}

static void fish_lists(FILE *out)
{
	fputs("# Completes palique in fish. Made by: palique completion fish\n"
	      "set -g __palique_commands ",
	      out);
	completion_commands(out);
	fputs("\nset -g __palique_takes", out);
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (option_rows[i].value && option_rows[i].about)
			fprintf(out, " %s", option_rows[i].name);
	fputs("\nset -g __palique_letters", out);
	completion_letters(out, fish_letter);
	fputs("\n\n", out);
}

void completion_fish(FILE *out)
{
	fish_lists(out);
	fputs(fish_head, out);
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (OPTIONS_GLOBAL & OPTION_BIT(i))
			fish_option(out, COMMAND_COUNT, i);
	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		fprintf(out, "complete -c palique -n __palique_begins -a %s",
			command_rows[i].name);
		fish_text(out, _(command_rows[i].about));
		fputc('\n', out);
	}
	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		for (unsigned o = 0; o < OPTION_COUNT; o++)
			if ((command_rows[i].options & OPTION_BIT(o)) && option_rows[o].about)
				fish_option(out, (enum command)i, o);
		for (unsigned at = 0; at < COMMAND_WORDS; at++) {
			if (!command_rows[i].words[at])
				continue;
			fprintf(out, "complete -c palique -n '__palique_at %s %u'",
				command_rows[i].name, at + 1);
			fish_words(out, command_rows[i].words[at]);
			fputc('\n', out);
		}
	}
}
