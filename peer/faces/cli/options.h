/* What was typed: read by one table of options and one of commands (options_table.h), from which --help, usage
 * errors and shell completion are made, too. */
#ifndef PALIQUE_PEER_FACES_CLI_OPTIONS_H
#define PALIQUE_PEER_FACES_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option {
	OPT_HOME,
	OPT_JSON,
	OPT_NO_INPUT,
	OPT_QUIET,
	OPT_VERBOSE,
	OPT_COLOR,
	OPT_HELP,
	OPT_VERSION,
	OPT_NAME,
	OPT_PASSWORD_FD,
	OPT_LISTEN,
	OPT_COUNT,
	OPT_EXPIRES,
	OPT_WAIT,
	OPT_TIMEOUT,
	OPT_FOLLOW,
	OPT_SINCE,
	OPT_LIMIT,
	OPT_BEFORE,
	OPT_BEGIN_ANEW,
	OPT_EVERYWHERE,
	OPT_WORDS_FD,
	OPT_PASSPHRASE_FD,
	OPT_CHANGE,
	OPT_REMOVE,
	OPT_YES,
	OPT_FORCE,
	OPT_UNDO,
	OPT_RATE,
	OPT_FILE,
	OPT_CAPTION,
	OPT_ALT,
	OPT_REPLY_TO,
	OPT_HERE,
	OPT_TO,
	OPT_ALL,
	OPT_WITH,
	OPT_AFTER,
	OPT_STATUS,
	OPT_PICTURE,
	OPT_DAYS,
	OPT_FORMAT,
	OPT_NO_OPEN,
	OPT_PORT,
	OPT_MAY,
	OPT_SHOW,
	OPT_EXEC,
	OPT_EXEC_TIMEOUT,
	OPT_JOBS,
	OPT_NEW_TOKEN,
	OPT_BOT,
	OPT_PLAIN,
	OPT_FOREGROUND,
	OPT_READY_FD,
	OPTION_COUNT,
};

enum command {
	CMD_JOIN,
	CMD_LOGIN,
	CMD_RECOVER,
	CMD_RESET,
	CMD_PASSWD,
	CMD_RECOVERY,
	CMD_DEVICES,
	CMD_ACCOUNT,
	CMD_BACKUP,
	CMD_RESTORE,
	CMD_EXPORT,
	CMD_IMPORT,
	CMD_LOCK,
	CMD_UNLOCK,
	CMD_HOST,
	CMD_INVITE,
	CMD_LINK,
	CMD_ADD,
	CMD_ACCEPT,
	CMD_BLOCK,
	CMD_UNBLOCK,
	CMD_REMOVE,
	CMD_REQUESTS,
	CMD_CONSENT,
	CMD_RELAY,
	CMD_SAFETY,
	CMD_VERIFY,
	CMD_LS,
	CMD_SEND,
	CMD_REPLY,
	CMD_EDIT,
	CMD_REACT,
	CMD_DELETE,
	CMD_FORWARD,
	CMD_RECV,
	CMD_READ,
	CMD_CHAT,
	CMD_HISTORY,
	CMD_SEARCH,
	CMD_SHOW,
	CMD_FILES,
	CMD_TIMER,
	CMD_FORGET,
	CMD_PROFILE,
	CMD_HIDE,
	CMD_UNHIDE,
	CMD_SETTINGS,
	CMD_STATUS,
	CMD_DOCTOR,
	CMD_WEB,
	CMD_OPEN,
	CMD_BOT,
	CMD_RPC,
	CMD_STOP,
	CMD_DAEMON,
	CMD_COMPLETION,
	CMD_HELP,
	COMMAND_COUNT,
};

enum { ARGUMENTS_MAX = 4096 };

struct options {
	enum command command;            /* COMMAND_COUNT: none was typed */
	const char *value[OPTION_COUNT]; /* "" for one without a value; NULL: not given */
	int argument_count;
	const char *arguments[ARGUMENTS_MAX];
};

/* Reads the whole command line. Options may stand anywhere; "--" ends them. On a usage
 * error `trouble` gets a sentence and `next` the command to type: ERR_FORMAT. */
int options_parse(struct options *o, int argc, char **argv, char *trouble, size_t size,
		  char *next, size_t next_size);

/* A whole number in its range; `missing` when the option was not given. ERR_FORMAT. */
int options_number(const struct options *o, enum option which, long min, long max, long missing,
		   long *out);
/* "90", "90s", "5m", "12h", "7d": seconds. */
int options_duration(const struct options *o, enum option which, long missing, long *out);

/* "65536", "64k", "2M", "1G": bytes, k being 1024. */
int options_bytes(const struct options *o, enum option which, int64_t missing, int64_t *out);

/* The same of a word that is no option's value. */
int options_parse_bytes(const char *text, int64_t *out);
int options_parse_duration(const char *text, long *out); /* also weeks, as "2w" */

const char *options_command_name(enum command command);
/* Every command; or one: its arguments, its options, examples. COMMAND_COUNT: all of them. */
void options_help(FILE *out, enum command command);

#endif
