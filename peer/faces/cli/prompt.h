/* Asking a person at the terminal: a line, or a password without echo. */
#ifndef PALIQUE_PEER_FACES_CLI_PROMPT_H
#define PALIQUE_PEER_FACES_CLI_PROMPT_H

#include "peer/faces/cli/options.h"

enum { SECRET_MAX = 1024 }; /* bytes of a password */

struct secret {
	char text[SECRET_MAX + 2]; /* NUL-terminated; wiped by secret_wipe() */
};
void secret_wipe(struct secret *s);

/* From --password-fd N (up to its first newline), or from /dev/tty; `is_new` asks twice, and again
 * where the two differ. Never
 * empty. ERR_STATE: --no-input, or no terminal; ERR_LIMIT; ERR_FORMAT: the two differ;
 * `trouble` gets a sentence. */
int prompt_password(struct secret *s, const struct options *o, const char *question,
		    bool is_new, char *trouble, size_t size);

/* The same for what seals a file or this machine's store; from --passphrase-fd N. */
int prompt_passphrase(struct secret *s, const struct options *o, const char *question,
		      bool is_new, char *trouble, size_t size);

/* The words of a recovery code, on one line or several: from --words-fd N, or from /dev/tty,
 * where they are seen. As above. */
int prompt_words(struct secret *s, const struct options *o, char *trouble, size_t size);

/* Whether the person says yes; anything else is no. ERR_STATE as above. */
int prompt_yes(bool *is_yes, const struct options *o, const char *question);

/* A line from /dev/tty; an empty one stands for `usual`. ERR_STATE as above. */
int prompt_line(char *out, size_t out_size, const struct options *o, const char *question,
		const char *usual);

/* Puts the terminal back if a prompt has changed it; and what comes next on a line of its own, where a
 * question stands. Safe in a signal handler. */
void prompt_interrupted(void);

#endif
