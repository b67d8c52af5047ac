/* For zsh: arguments of _arguments. */
#include "peer/faces/cli/completion.h"
#include "peer/faces/cli/options_table.h"
#include "shared/text.h"

static void zsh_text(FILE *out, const char *text)
{
	completion_text(out, text, "'\\''", "\\[]:");
}

/* An option as _arguments takes it. */
static void zsh_option(FILE *out, enum command command, unsigned i)
{
	const struct option_row *row = &option_rows[i];

	if (row->letter)
		fprintf(out, "'(-%c %s)'{-%c,%s}'[", row->letter, row->name, row->letter,
			row->name);
	else
		fprintf(out, "'%s[", row->name);
	zsh_text(out, _(options_about(command, (enum option)i)));
	fputc(']', out);
	if (row->value) {
		fputc(':', out);
		zsh_text(out, options_said(row->value));
		fprintf(out, ": %s%s", row->words ? "_palique_offer " : "",
			row->words ? row->words : "");
	}
	fputc('\'', out);
}

static void zsh_options(FILE *out, enum command command, uint64_t which, const char *before)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if (!(which & OPTION_BIT(i)) || !option_rows[i].about)
			continue;
		fputs(before, out);
		zsh_option(out, command, i);
	}
}

static void zsh_arguments(FILE *out, const struct command_row *row)
{
	static const char before[] = " \\\n\t\t\t";
	int at = 0;

	for (; at < COMMAND_WORDS && (at < row->max || row->max < 0); at++) {
		fprintf(out, "%s'%d:", before, at + 1);
		zsh_text(out, options_said(row->arguments));
		fprintf(out, ": %s%s'", row->words[at] ? "_palique_offer " : "",
			row->words[at] ? row->words[at] : "");
	}
	if (at == COMMAND_WORDS) {
		fprintf(out, "%s'*:", before);
		zsh_text(out, options_said(row->arguments));
		fputs(": '", out);
	}
}

static const char zsh_head[] =
	"#compdef palique\n"
	"# Completes palique in zsh. Made by: palique completion zsh\n\n"
	"_palique_contacts()\n"
	"{\n"
	"\tlocal -a names home\n"
	"\thome=($_palique_home)\n"
	"\t(( $+opt_args[--home] )) && home=(--home ${~${(Q)opt_args[--home]}})\n"
	"\tnames=(${(f)\"$(${~${(Q)_palique_program}} $home completion contacts "
	"2>/dev/null)\"})\n"
	"\tcompadd -a names\n"
	"}\n\n"
	"_palique_offer()\n"
	"{\n"
	"\tlocal what ret=1\n"
	"\tlocal -a plain\n"
	"\tfor what; do\n"
	"\t\tcase $what in\n"
	"\t\t@contact) _palique_contacts && ret=0 ;;\n"
	"\t\t@command) _palique_commands && ret=0 ;;\n"
	"\t\t@file) _files && ret=0 ;;\n"
	"\t\t@folder) _files -/ && ret=0 ;;\n"
	"\t\t*) plain+=($what) ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\t(( $#plain )) && compadd -a plain && ret=0\n"
	"\treturn ret\n"
	"}\n\n";

static const char zsh_begin[] =
	"\n\t)\n"
	"\t_palique_program=$words[1]\n"
	"\t_arguments -C -S $everywhere '1: :_palique_commands' '*:: :->rest' && ret=0\n"
	"\t[[ $state == rest ]] || return ret\n"
	"\t(( $+opt_args[--home] )) && _palique_home=(--home ${~${(Q)opt_args[--home]}})\n"
	"\tcase $line[1] in\n";

static const char zsh_end[] = "\tesac\n"
			      "\treturn ret\n"
			      "}\n\n"
			      "if [[ $funcstack[1] == _palique ]]; then\n"
			      "\t_palique \"$@\"\n"
			      "else\n"
			      "\tcompdef _palique palique\n"
			      "fi\n";

void completion_zsh(FILE *out)
{
	fputs(zsh_head, out);
	fputs("_palique_commands()\n{\n\tlocal -a list=(", out);
	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		fprintf(out, "\n\t\t'%s:", command_rows[i].name);
		completion_text(out, _(command_rows[i].about), "'\\''", "\\:");
		fputc('\'', out);
	}
	fputs("\n\t)\n\t_describe command list\n}\n\n_palique()\n{\n"
	      "\tlocal state line _palique_program ret=1\n"
	      "\tlocal -a everywhere _palique_home\n"
	      "\ttypeset -A opt_args\n"
	      "\teverywhere=(",
	      out);
	zsh_options(out, COMMAND_COUNT, OPTIONS_GLOBAL, "\n\t\t");
	fputs(zsh_begin, out);
	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		fprintf(out, "\t%s)\n\t\t_arguments -S $everywhere", command_rows[i].name);
		zsh_options(out, (enum command)i, command_rows[i].options, " \\\n\t\t\t");
		zsh_arguments(out, &command_rows[i]);
		fputs(" && ret=0\n\t\t;;\n", out);
	}
	fputs(zsh_end, out);
}
