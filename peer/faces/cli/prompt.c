#include "peer/faces/cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/recovery.h"
#include "shared/text.h"
#include "shared/words.h"

enum {
	PASSWORD_WORDS = 5
}; /* of 2048: 55 bits, behind Argon2id and the directory's key-holder */
enum { TRIES = 3 };

static struct {
	volatile int fd; /* of the terminal while its echo is off, else 0 */
	struct termios before;
} quiet;

static volatile int asking; /* the terminal on which a question stands, else 0 */

/* Puts the terminal back if a prompt has changed it; safe in a signal handler. */
static void restore(void)
{
	if (quiet.fd > 0)
		tcsetattr(quiet.fd, TCSANOW, &quiet.before);
	quiet.fd = 0;
}

void prompt_interrupted(void)
{
	restore();
	if (asking > 0 && write(asking, "\n", 1) < 0)
		return; /* the terminal went away */
}

void secret_wipe(struct secret *s)
{
	sodium_memzero(s, sizeof *s);
}

/* Up to a newline, byte by byte: what stands behind it in a pipe is not ours to take. */
static int read_line(int fd, char *out, size_t size)
{
	size_t used = 0;

	for (;;) {
		char c;
		ssize_t got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ERR_IO;
		if (got == 0 && used == 0)
			return ERR_CLOSED;
		if (got == 0 || c == '\n')
			break;
		if (used + 1 >= size)
			return ERR_LIMIT;
		out[used++] = c;
	}
	if (used && out[used - 1] == '\r')
		used--;
	out[used] = '\0';
	return 0;
}

static int open_terminal(const struct options *o)
{
	int fd;

	if (o->value[OPT_NO_INPUT])
		return ERR_STATE;
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? ERR_STATE : fd;
}

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		return; /* the terminal went away; reading will say so */
}

/* What follows an interrupted question begins on a line of its own. */
static int read_answer(int fd, char *out, size_t size)
{
	int err;

	asking = fd;
	err = read_line(fd, out, size);
	asking = 0;
	return err;
}

static int ask_silently(int fd, const char *question, struct secret *s)
{
	struct termios silent;
	int err;

	say(fd, question);
	say(fd, ": ");
	if (tcgetattr(fd, &quiet.before) == 0) {
		silent = quiet.before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		quiet.fd = fd;
		tcsetattr(fd, TCSAFLUSH, &silent);
	}
	err = read_answer(fd, s->text, SECRET_MAX + 1);
	restore();
	say(fd, "\n");
	return err;
}

/* What is said of the two kinds of secrets. */
static const struct kind {
	enum option fd;
	const char *no_number, *nobody, *too_long, *differ, *empty, *unread;
} a_password = {
	OPT_PASSWORD_FD,
	N_("--password-fd needs the number of a file descriptor"),
	N_("a password is needed and there is nobody to ask: give --password-fd N"),
	N_("a password has at most %d bytes"),
	N_("the two passwords differ"),
	N_("the password is empty"),
	N_("the password could not be read"),
}, a_passphrase = {
	OPT_PASSPHRASE_FD,
	N_("--passphrase-fd needs the number of a file descriptor"),
	N_("a passphrase is needed and there is nobody to ask: give --passphrase-fd N"),
	N_("a passphrase has at most %d bytes"),
	N_("the two passphrases differ"),
	N_("the passphrase is empty"),
	N_("the passphrase could not be read"),
};

/* Who types nothing gets a password of words: no two people's are alike, and it can be read out and written
 * down. It is shown this once. */
static void make_password(int fd, struct secret *s)
{
	const char(*list)[WORDS_MAX + 1] = !strcmp(text_language(), "es") ? words_spanish
									  : words_english;
	size_t used = 0;

	for (unsigned i = 0; i < PASSWORD_WORDS; i++)
		used += (size_t)snprintf(s->text + used, sizeof s->text - used, "%s%s",
					 i ? " " : "", list[randombytes_uniform(WORDS_COUNT)]);
	say(fd, _("Your password, to be written down:"));
	say(fd, "\n\n    ");
	say(fd, s->text);
	say(fd, "\n\n");
}

static int from_terminal(struct secret *s, const struct options *o, const struct kind *kind,
			 const char *question, bool is_new)
{
	bool is_made = is_new && kind == &a_password; /* where it is empty */
	struct secret again;
	char full[256];
	int fd = open_terminal(o), err;

	if (fd < 0)
		return fd;
	memset(&again, 0, sizeof again);
	if (is_made) {
		snprintf(full, sizeof full, "%s %s", question, _("[one is made for you]"));
		question = full;
	}
	err = ask_silently(fd, question, s);
	if (err == 0 && is_made && !s->text[0]) {
		make_password(fd, s);
		is_new = false;
	}
	for (unsigned i = 1; err == 0 && is_new && s->text[0]; i++) {
		err = ask_silently(fd, _("once more"), &again);
		if (err < 0 || !strcmp(s->text, again.text))
			break;
		err = ERR_FORMAT;
		if (i == TRIES)
			break;
		say(fd, _(kind->differ));
		say(fd, "\n");
		err = ask_silently(fd, question, s);
	}
	secret_wipe(&again);
	close(fd);
	return err;
}

static int prompt_secret(struct secret *s, const struct options *o, const struct kind *kind,
			 const char *question, bool is_new, char *trouble, size_t size)
{
	long fd;
	int err;

	memset(s, 0, sizeof *s);
	if (options_number(o, kind->fd, 0, 1 << 20, -1, &fd) < 0) {
		snprintf(trouble, size, "%s", _(kind->no_number));
		return ERR_FORMAT;
	}
	err = fd >= 0 ? read_line((int)fd, s->text, SECRET_MAX + 1)
		      : from_terminal(s, o, kind, question, is_new);
	if (err == 0 && !s->text[0])
		err = ERR_CLOSED;
	if (err == ERR_STATE)
		snprintf(trouble, size, "%s", _(kind->nobody));
	else if (err == ERR_LIMIT)
		snprintf(trouble, size, _(kind->too_long), SECRET_MAX);
	else if (err == ERR_FORMAT)
		snprintf(trouble, size, "%s", _(kind->differ));
	else if (err == ERR_CLOSED)
		snprintf(trouble, size, "%s", _(kind->empty));
	else if (err < 0)
		snprintf(trouble, size, "%s", _(kind->unread));
	if (err < 0)
		secret_wipe(s);
	return err;
}

int prompt_password(struct secret *s, const struct options *o, const char *question,
		    bool is_new, char *trouble, size_t size)
{
	return prompt_secret(s, o, &a_password, question, is_new, trouble, size);
}

int prompt_passphrase(struct secret *s, const struct options *o, const char *question,
		      bool is_new, char *trouble, size_t size)
{
	return prompt_secret(s, o, &a_passphrase, question, is_new, trouble, size);
}

/* How many words stand in `text`; what may stand between them is what recovery_parse() takes. */
static unsigned count_words(const char *text)
{
	static const char between[] = " \t,-.";
	unsigned count = 0;

	for (text += strspn(text, between); *text; text += strspn(text, between)) {
		text += strcspn(text, between);
		count++;
	}
	return count;
}

/* Lines until there are words enough; an empty one, or the end, ends them before. */
static int read_words(int fd, struct secret *s, bool is_asked)
{
	size_t used = 0;
	int err = 0;

	while (err == 0 && count_words(s->text) < RECOVERY_WORDS) {
		if (is_asked)
			say(fd, "> ");
		err = (is_asked ? read_answer : read_line)(fd, s->text + used,
							   SECRET_MAX + 1 - used);
		if (err < 0 || !s->text[used])
			break;
		used += strlen(s->text + used);
		if (used + 1 >= SECRET_MAX)
			err = ERR_LIMIT;
		else
			s->text[used++] = ' ', s->text[used] = '\0';
	}
	return err == ERR_CLOSED && used ? 0 : err;
}

int prompt_words(struct secret *s, const struct options *o, char *trouble, size_t size)
{
	int terminal = -1, err;
	long fd;

	memset(s, 0, sizeof *s);
	if (options_number(o, OPT_WORDS_FD, 0, 1 << 20, -1, &fd) < 0) {
		snprintf(trouble, size, "%s",
			 _("--words-fd needs the number of a file descriptor"));
		return ERR_FORMAT;
	}
	if (fd >= 0) {
		err = read_words((int)fd, s, false);
	} else {
		terminal = err = open_terminal(o);
		if (terminal >= 0) {
			say(terminal, _("the twelve words, on one line or several"));
			say(terminal, "\n");
			err = read_words(terminal, s, true);
			close(terminal);
		}
	}
	if (err == 0 && !s->text[0])
		err = ERR_CLOSED;
	if (err == ERR_STATE)
		snprintf(trouble, size, "%s",
			 _("the recovery code is needed and there is nobody to ask: give "
			   "--words-fd N"));
	else if (err < 0)
		snprintf(trouble, size, "%s", _("the recovery code could not be read"));
	if (err < 0)
		secret_wipe(s);
	return err;
}

int prompt_yes(bool *is_yes, const struct options *o, const char *question)
{
	char line[256], full[512];
	int err;

	*is_yes = false;
	/* TRANSLATORS: the letters for yes and no */
	snprintf(full, sizeof full, "%s [%s]", question, _("y/N"));
	err = prompt_line(line, sizeof line, o, full, "");
	if (err == ERR_CLOSED)
		return 0; /* the end of input is no yes */
	if (err == 0)
		*is_yes = line[0] && (strchr("yY", line[0]) || strchr(_("yY"), line[0]));
	return err;
}

int prompt_line(char *out, size_t out_size, const struct options *o, const char *question,
		const char *usual)
{
	int fd = open_terminal(o), err;

	if (fd < 0)
		return fd;
	say(fd, question);
	if (*usual) {
		say(fd, " [");
		say(fd, usual);
		say(fd, "]");
	}
	say(fd, ": ");
	err = read_answer(fd, out, out_size);
	close(fd);
	if (err == 0 && !*out)
		snprintf(out, out_size, "%s", usual);
	return err;
}
