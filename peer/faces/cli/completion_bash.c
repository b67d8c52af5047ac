/* For bash: a table as a `case`, and a function that walks the line. */
#include "peer/faces/cli/completion.h"
#include "peer/faces/cli/options_table.h"

/* "--file -f", of which one is missing where it has no letter. */
static void put_names(FILE *out, const struct option_row *row)
{
	fputs(row->name, out);
	if (row->letter)
		fprintf(out, " -%c", row->letter);
}

static void bash_options(FILE *out, uint64_t which)
{
	const char *between = "";

	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if (!(which & OPTION_BIT(i)) || !option_rows[i].about)
			continue;
		fputs(between, out);
		put_names(out, &option_rows[i]);
		between = " ";
	}
}

static void bash_commands(FILE *out)
{
	fputs("_palique_command() # COMMAND: what it takes\n{\n\tcase $1 in\n", out);
	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		const struct command_row *row = &command_rows[i];
		fprintf(out, "\t%s) options='", row->name);
		bash_options(out, row->options);
		fputs("' words=(", out);
		for (unsigned at = 0; at < COMMAND_WORDS; at++)
			fprintf(out, "%s'%s'", at ? " " : "",
				row->words[at] ? row->words[at] : "");
		fputs(") ;;\n", out);
	}
	fputs("\tesac\n}\n\n", out);
}

static void bash_letter(FILE *out, const char *command, const struct option_row *row)
{
	fprintf(out, "\t\t%s-%c) offered='%s' ;;\n", command, row->letter,
		row->words ? row->words : "");
}

static void bash_values(FILE *out)
{
	fputs("_palique_value() # COMMAND OPTION: what its value may be; fails where it has "
	      "none\n"
	      "{\n\tcase $2 in\n",
	      out);
	for (unsigned i = 0; i < OPTION_COUNT; i++)
		if (option_rows[i].value && option_rows[i].about)
			fprintf(out, "\t%s) offered='%s' ;;\n", option_rows[i].name,
				option_rows[i].words ? option_rows[i].words : "");
	fputs("\t*) case $1$2 in\n", out);
	completion_letters(out, bash_letter);
	fputs("\t\t*) return 1 ;;\n\t\tesac ;;\n\tesac\n}\n\n", out);
}

static const char bash_rest[] =
	"_palique_offer() # PROGRAM WORD: what begins as WORD among $offered\n"
	"{\n"
	"\tlocal what\n"
	"\tfor what in $offered; do\n"
	"\t\tcase $what in\n"
	"\t\t@contact) what=$(\"$1\" \"${home[@]}\" completion contacts 2>/dev/null) ;;\n"
	"\t\t@command) what=$_palique_commands ;;\n"
	"\t\t@file) compopt -o default 2>/dev/null; continue ;;\n"
	"\t\t@folder) compopt -o dirnames 2>/dev/null; continue ;;\n"
	"\t\tesac\n"
	"\t\tCOMPREPLY+=($(compgen -W \"$what\" -- \"$2\"))\n"
	"\tdone\n"
	"}\n\n"
	"_palique()\n"
	"{\n"
	"\tlocal IFS=$' \\t\\n' word=${COMP_WORDS[COMP_CWORD]} command= option= offered= "
	"options= at=0 i w\n"
	"\tlocal is_over=\n"
	"\tlocal -a words=() home=()\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tw=${COMP_WORDS[i]}\n"
	"\t\tif [[ $w == = ]]; then\n"
	"\t\t\tcontinue\n"
	"\t\telif [[ $option ]]; then\n"
	"\t\t\t[[ $option == --home ]] && home=(--home \"${w/#\\~\\//$HOME/}\")\n"
	"\t\t\toption=\n"
	"\t\telif [[ ! $is_over && $w == -- ]]; then\n"
	"\t\t\tis_over=1\n"
	"\t\telif [[ ! $is_over && $w == -?* ]]; then\n"
	"\t\t\t_palique_value \"$command\" \"$w\" && option=$w\n"
	"\t\telif [[ ! $command ]]; then\n"
	"\t\t\tcommand=$w\n"
	"\t\telse\n"
	"\t\t\t((at++))\n"
	"\t\tfi\n"
	"\tdone\n"
	"\t[[ $word == = ]] && word=\n"
	"\t_palique_command \"$command\"\n"
	"\tif [[ $option ]]; then\n"
	"\t\t_palique_value \"$command\" \"$option\"\n"
	"\telif [[ ! $is_over && $word == -* ]]; then\n"
	"\t\toffered=\"$options $_palique_everywhere\"\n"
	"\telif [[ ! $command ]]; then\n"
	"\t\toffered=@command\n"
	"\telse\n"
	"\t\toffered=${words[at]-}\n"
	"\tfi\n"
	"\t_palique_offer \"$1\" \"$word\"\n"
	"}\n"
	"complete -F _palique palique\n";

void completion_bash(FILE *out)
{
	fputs("# Completes palique in bash. Made by: palique completion "
	      "bash\n_palique_commands='",
	      out);
	completion_commands(out);
	fputs("'\n_palique_everywhere='", out);
	bash_options(out, OPTIONS_GLOBAL);
	fputs("'\n\n", out);
	bash_commands(out);
	bash_values(out);
	fputs(bash_rest, out);
}
