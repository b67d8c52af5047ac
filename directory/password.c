#include "directory/password.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/text.h"

static struct password *password_new(void)
{
	struct password *p = sodium_malloc(sizeof *p);

	if (!p)
		abort();
	memset(p, 0, sizeof *p);
	return p;
}

void password_free(struct password *p)
{
	sodium_free(p);
}

/* Byte by byte, so that nothing behind the line is taken and nothing is buffered. */
static int read_line(struct password *p, int fd)
{
	for (;;) {
		ssize_t n = read(fd, p->text + p->size, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		if (n == 0 || p->text[p->size] == '\n')
			break;
		if (++p->size > OPAQUE_PASSWORD_MAX)
			return ERR_LIMIT;
	}
	return p->size ? 0 : ERR_LIMIT;
}

static int ask(struct password *p, int tty, const char *prompt)
{
	struct termios before, silent;
	int err;

	if (tcgetattr(tty, &before) < 0)
		return ERR_STATE;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	dprintf(tty, "%s", prompt);
	tcsetattr(tty, TCSAFLUSH, &silent);
	err = read_line(p, tty);
	tcsetattr(tty, TCSAFLUSH, &before);
	dprintf(tty, "\n");
	return err;
}

static int ask_twice(struct password *p)
{
	struct password *again = password_new();
	int err = ERR_STATE, tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (tty < 0)
		goto out;
	err = ask(p, tty, _("Password: "));
	if (err < 0)
		goto out;
	err = ask(again, tty, _("The same again: "));
	if (err < 0)
		goto out;
	if (p->size != again->size || sodium_memcmp(p->text, again->text, p->size) != 0)
		err = ERR_AUTH;
out:
	if (tty >= 0)
		close(tty);
	password_free(again);
	return err;
}

int password_read(struct password **out, int fd)
{
	struct password *p = password_new();
	int err = fd >= 0 ? read_line(p, fd) : ask_twice(p);

	*out = p;
	if (err < 0) {
		password_free(p);
		*out = NULL;
	}
	return err;
}
