/* What the operator typed: a command, its options and its words. One table of options; each
 * command says which of them it takes. */
#ifndef PALIQUE_DIRECTORY_OPTIONS_H
#define PALIQUE_DIRECTORY_OPTIONS_H

#include "directory/config.h"

enum option_bit {
	OPTION_DATA = 1 << 0,
	OPTION_JSON = 1 << 1,
	OPTION_LISTEN = 1 << 2,
	OPTION_COUNT = 1 << 3,
	OPTION_EXPIRES = 1 << 4,
	OPTION_PASSWORD_FD = 1 << 5,
	OPTION_HELP = 1 << 6,
	OPTION_VERSION = 1 << 7,
	OPTION_SECRETS = 1 << 8,
	OPTION_SOCKET = 1 << 9,
	OPTION_ALLOW_USER = 1 << 10,
	OPTION_KEYHOLDER_USER = 1 << 11,
	OPTION_LINE = 1 << 12,
	OPTION_DRY_RUN = 1 << 13,
	OPTIONS_ALWAYS = OPTION_DATA | OPTION_JSON | OPTION_HELP | OPTION_VERSION,
};

enum { OPTIONS_ALLOW_MAX = 8 };

struct options {
	unsigned given;  /* bits of enum option_bit */
	char data[3072]; /* the folder: given, or the default */
	unsigned listen_count;
	struct address listen[CONFIG_LISTEN_MAX];
	unsigned count;
	int64_t expires;                               /* seconds */
	int password_fd;                               /* -1: ask */
	const char *secrets, *socket, *keyholder_user; /* NULL: not given */
	unsigned allow_count;
	const char *allow[OPTIONS_ALLOW_MAX];
	int line; /* -1: none */
	int word_count;
	char **words;
};

/* Reads argv[1..] (argv[0] is the command). `taken`: bits the command takes besides
 * OPTIONS_ALWAYS. ERR_FORMAT and a sentence in `reason`. */
int options_read(struct options *o, int argc, char **argv, unsigned taken, char *reason,
		 size_t reason_size);

/* One line of help for each option in `taken` and OPTIONS_ALWAYS, on stdout. */
void options_help(unsigned taken);

#endif
