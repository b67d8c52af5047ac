#include "directory/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/error.h"

enum { ANSWER_MAX = 16 << 20, SECONDS_MAX = 10 };

static int connect_to(const char *data)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = SECONDS_MAX };
	int fd, length;

	length = snprintf(to.sun_path, sizeof to.sun_path, "%s/admin.sock", data);
	if (length < 0 || length >= (int)sizeof to.sun_path)
		return ERR_LIMIT;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_IO;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
		int err = errno == ENOENT || errno == ECONNREFUSED ? ERR_OFFLINE : ERR_IO;

		close(fd);
		return err;
	}
	return fd;
}

static int send_line(int fd, const struct json *question)
{
	char *text = json_print(question);
	size_t size = strlen(text), done = 0;
	int err = 0;

	text[size++] = '\n'; /* in the place of the NUL: sent by size */
	while (done < size) {
		ssize_t n = send(fd, text + done, size - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = ERR_IO;
			break;
		}
		done += (size_t)n;
	}
	free(text);
	return err;
}

static int read_line(int fd, struct buf *line)
{
	while (!line->size || line->data[line->size - 1] != '\n') {
		uint8_t *room = buf_room(line, 4096);
		ssize_t n;

		if (!room)
			return ERR_LIMIT;
		n = read(fd, room, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? ERR_TIMEOUT : ERR_IO;
		if (n == 0)
			return ERR_CLOSED;
		buf_grew(line, (size_t)n);
	}
	line->size--;
	return 0;
}

int ask_running(struct json **answer, const char *data, const struct json *question)
{
	struct buf line = { .limit = ANSWER_MAX };
	int fd = connect_to(data), err;

	*answer = NULL;
	if (fd < 0)
		return fd;
	err = send_line(fd, question);
	if (!err)
		err = read_line(fd, &line);
	if (!err)
		err = json_parse(answer, buf_view(&line));
	close(fd);
	buf_clear(&line);
	return err;
}
