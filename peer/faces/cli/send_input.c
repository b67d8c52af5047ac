/* What is said by standard input: as a text, or as a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer/faces/cli/cli.h"
#include "peer/faces/cli/output.h"
#include "shared/error.h"
#include "shared/text.h"
#include "shared/wire.h"

enum { COPY_SIZE = 64 << 10 };

/* The whole of standard input, without the newline that ends it. */
static int read_input(char **text)
{
	struct buf in;
	int err = 0;

	buf_init(&in, WIRE_TEXT_MAX + 4096);
	for (;;) {
		uint8_t *room = buf_room(&in, 1024);
		ssize_t got = room ? read(STDIN_FILENO, room, 1024) : -1;
		if (got < 0 && room && errno == EINTR)
			continue;
		if (got < 0)
			err = room ? ERR_IO : ERR_LIMIT;
		if (got <= 0)
			break;
		buf_grew(&in, (size_t)got);
	}
	if (err == 0 && !bytes_is_utf8(buf_view(&in)))
		err = ERR_FORMAT;
	if (err < 0) {
		buf_clear(&in);
		return err;
	}
	if (in.size && in.data[in.size - 1] == '\n')
		in.size--;
	*text = memory_new(in.size + 1);
	if (in.size)
		memcpy(*text, in.data, in.size);
	buf_clear(&in);
	return 0;
}

static int no_text(int err)
{
	char trouble[128];

	if (err == ERR_FORMAT)
		return cli_usage(_("the message is not UTF-8 text"), "iconv -t UTF-8");
	if (err != ERR_LIMIT)
		return cli_failed(err, error_text(err), "");
	snprintf(trouble, sizeof trouble,
		 _("a message holds at most %d bytes; this one has more"), WIRE_TEXT_MAX);
	return cli_failed(err, trouble, "split -C 16384 FILE");
}

int cmd_text(const struct cli *c, char **text)
{
	int err = 0;

	if (c->o.argument_count == 2 && !strcmp(c->o.arguments[1], "-"))
		err = read_input(text);
	else
		*text = cli_rest(c, 1);
	if (err == 0 && !bytes_is_utf8(bytes_text(*text))) {
		free(*text);
		*text = NULL;
		err = ERR_FORMAT;
	}
	return err < 0 ? no_text(err) : EXIT_DONE;
}

/* All of standard input into the file that the engine has made for it. */
static int copy_input(const char *path)
{
	uint8_t *piece = memory_new(COPY_SIZE);
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC), err = fd < 0 ? ERR_IO : 0;

	while (err == 0) {
		ssize_t got = read(STDIN_FILENO, piece, COPY_SIZE), put = 0;
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			err = got < 0 ? ERR_IO : 0;
			break;
		}
		for (ssize_t at = 0; err == 0 && at < got; at += put) {
			put = write(fd, piece + at, (size_t)(got - at));
			if (put < 0)
				err = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
		}
	}
	if (fd >= 0 && close(fd) < 0 && err == 0)
		err = ERR_IO;
	free(piece);
	return err;
}

/* Standard input has no place from which it could be read once more. */
int cmd_spool_input(struct cli *c, struct json **spool)
{
	const char *path;
	int code = cli_call(c, "newSpool", NULL, spool), err;

	if (code != EXIT_DONE)
		return code;
	path = json_text(*spool, "path");
	cli_when_interrupted(NULL, path);
	err = copy_input(path ? path : "");
	cli_when_interrupted(NULL, NULL);
	if (err == 0)
		return EXIT_DONE;
	if (path)
		unlink(path);
	return cli_failed(err,
			  err == ERR_FULL ? _("the disk is full: nothing was sent")
					  : _("standard input cannot be read to its end"),
			  err == ERR_FULL ? "df -h" : "");
}
