/* What can be typed, as tables: options.c reads a command line by them, help.c and completion.c
 * tell of them. A text is in the reader's language by options_said(). */
#ifndef PALIQUE_PEER_FACES_CLI_OPTIONS_TABLE_H
#define PALIQUE_PEER_FACES_CLI_OPTIONS_TABLE_H

#include "peer/faces/cli/options.h"

#define OPTION_BIT(option) (UINT64_C(1) << (option))

/* What every command takes. */
#define OPTIONS_GLOBAL                                                                         \
	(OPTION_BIT(OPT_HOME) | OPTION_BIT(OPT_JSON) | OPTION_BIT(OPT_NO_INPUT) |              \
	 OPTION_BIT(OPT_QUIET) | OPTION_BIT(OPT_VERBOSE) | OPTION_BIT(OPT_COLOR) |             \
	 OPTION_BIT(OPT_HELP) | OPTION_BIT(OPT_VERSION))

/* What a shell offers where a word is wanted: words with a space between, "@contact", "@file",
 * "@folder" or "@command" among them; NULL: nothing. */
typedef const char *offered;

struct option_row {
	const char *name;
	char letter;
	const char *value; /* what stands for its value in --help; NULL: takes none */
	const char *about; /* NULL: not shown */
	offered words;     /* as its value */
};

enum { COMMAND_WORDS = 3, COMMAND_NOTES = 4 };

struct command_row {
	const char *name;
	const char *arguments;
	const char *about;
	uint64_t options;     /* besides those of every command */
	int min, max;         /* arguments; -1: any number, "the rest of the line" */
	const char *more;     /* in its --help: what the words mean; NULL: nothing to explain */
	const char *examples; /* lines without "palique" */
	offered words[COMMAND_WORDS]; /* as its arguments */
	/* What an option says here, where it is another thing than in other commands. */
	struct {
		enum option option;
		const char *about;
	} notes[COMMAND_NOTES];
};

extern const struct option_row option_rows[OPTION_COUNT];
extern const struct command_row command_rows[COMMAND_COUNT];

/* "" stands for nothing, and would be the catalogue's header. */
const char *options_said(const char *text);
/* What an option is for in this command (COMMAND_COUNT: in none); NULL: not shown. */
const char *options_about(enum command command, enum option option);

#endif
