/* Bytes in pieces through a real socket: the lines handed out are those that were sent.
 * The first byte says how large the pieces are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uv_loop_t loop;
static struct bytes expected;
static unsigned gone;

static void on_line(void *user, struct lines *from, struct bytes line)
{
	(void)user;
	(void)from;
	if (expected.size <= line.size || memcmp(expected.data, line.data, line.size) != 0 ||
	    expected.data[line.size] != '\n')
		abort();
	expected = bytes_of(expected.data + line.size + 1, expected.size - line.size - 1);
}

static void on_gone(void *user, struct lines *who)
{
	(void)user;
	(void)who;
	gone++;
}

static struct sockaddr_un address = { .sun_family = AF_UNIX };

static void remove_socket(void)
{
	unlink(address.sun_path);
}

static int dial(void)
{
	static struct lines_server *server;
	static const struct lines_calls calls = { on_line, on_gone, NULL };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (!server) {
		snprintf(address.sun_path, sizeof address.sun_path, "/tmp/palique-fuzz-%d",
			 (int)getpid());
		uv_loop_init(&loop);
		atexit(remove_socket);
		if (lines_listen(&server, &loop, address.sun_path, &calls, NULL) < 0)
			abort();
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = size ? data[0] * 3u + 1 : 1, sent;
	int fd = dial();

	expected = bytes_of(data, size);
	gone = 0;
	for (size_t at = 0; at < size; at += sent) {
		sent = size - at < piece ? size - at : piece;
		if (send(fd, data + at, sent, 0) != (ssize_t)sent)
			abort();
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	shutdown(fd, SHUT_WR);
	while (!gone)
		uv_run(&loop, UV_RUN_ONCE);
	if (expected.size && memchr(expected.data, '\n', expected.size))
		abort(); /* a line was lost */
	close(fd);
	return 0;
}
