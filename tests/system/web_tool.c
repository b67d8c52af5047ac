/* A browser that behaves badly, for tests/system/web.sh. PORT is of 127.0.0.1.
 *   web_tool raw PORT                      sends standard input; prints what comes until the other side closes, or
 *                                          is silent for a second
 *   web_tool socket PORT COOKIE KEY COUNT  a WebSocket: sends each line of standard input, prints COUNT messages
 *   web_tool garbage PORT COOKIE KEY WHAT  sends WHAT (rows below) on one; prints what became of it: closed, pong, or
 *                                          the message that came
 *   web_tool many PORT COUNT CLOSED        so many connections, each with half a request; waits until so many of
 *                                          them are closed, prints how many, holds the others until standard input ends
 *   web_tool deaf PORT COOKIE KEY          a page that subscribes and reads nothing more until standard input ends
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	SILENCE_MS = 1000,
	PAUSE_MS = 20,
	PATIENCE_MS = 60000,
	MESSAGE_MAX = 16 << 20,
	MANY_MAX = 1000
};

static void die(const char *what)
{
	fprintf(stderr, "web_tool: %s\n", what);
	exit(1);
}

static int dial(const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)atoi(port)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		die("no connection");
	return fd;
}

static bool put(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size) {
		ssize_t n = send(fd, at, size, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

static bool is_readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

static bool get(int fd, void *data, size_t size)
{
	char *at = data;

	while (size) {
		ssize_t n = is_readable(fd, PATIENCE_MS) ? recv(fd, at, size, 0) : -1;

		if (n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

static char *all_input(size_t *size)
{
	static char text[MESSAGE_MAX];

	*size = fread(text, 1, sizeof text, stdin);
	return text;
}

static int raw(char **arguments)
{
	int fd = dial(arguments[0]);
	char piece[65536];
	ssize_t n;
	size_t size;
	char *text = all_input(&size);

	put(fd, text, size);
	while (is_readable(fd, SILENCE_MS) && (n = recv(fd, piece, sizeof piece, 0)) > 0)
		fwrite(piece, 1, (size_t)n, stdout);
	return 0;
}

/* --- WebSockets (RFC 6455) --- */

static int open_socket(char **arguments)
{
	int fd = dial(arguments[0]);
	char text[2048];
	size_t size = 0;

	snprintf(text, sizeof text,
		 "GET /socket HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nOrigin: http://127.0.0.1:%s\r\n"
		 "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: palique-%s=%s\r\n"
		 "Sec-WebSocket-Protocol: palique, palique.%s\r\n\r\n",
		 arguments[0], arguments[0], arguments[0], arguments[1], arguments[2]);
	put(fd, text, strlen(text));
	while (size < sizeof text - 1 && get(fd, text + size, 1)) {
		text[++size] = 0;
		if (strstr(text, "\r\n\r\n"))
			break;
	}
	if (strncmp(text, "HTTP/1.1 101", 12) != 0) {
		text[strcspn(text, "\r\n")] = 0;
		printf("%s\n", text);
		exit(1);
	}
	return fd;
}

/* A frame with these two first bits of header, a mask of nothing but zeros or (`mask`) of others. */
static bool frame(int fd, uint8_t first, bool is_masked, uint64_t said, const char *data,
		  size_t size)
{
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	uint8_t head[14] = { first };
	size_t used = 2;
	bool is_sent;
	char *hidden;

	head[1] = (uint8_t)(said < 126 ? said : said < 65536 ? 126 : 127);
	for (int i = said < 126 ? -1 : said < 65536 ? 1 : 7; i >= 0; i--)
		head[used++] = (uint8_t)(said >> (8 * i));
	if (is_masked) {
		head[1] |= 0x80;
		memcpy(head + used, mask, 4);
		used += 4;
	}
	hidden = malloc(size + 1);
	if (!hidden)
		die("no memory");
	for (size_t i = 0; i < size; i++)
		hidden[i] = (char)(data[i] ^ (is_masked ? mask[i % 4] : 0));
	is_sent = put(fd, head, used) && put(fd, hidden, size);
	free(hidden);
	return is_sent;
}

static bool say(int fd, const char *text, size_t size)
{
	return frame(fd, 0x81, true, size, text, size);
}

/* The next frame's first byte, or -1; its contents end with a NUL. */
static int next_frame(int fd, char **data, size_t *size)
{
	static char text[MESSAGE_MAX + 1];
	uint8_t head[2], more[8] = { 0 };
	uint64_t length;

	if (!get(fd, head, 2))
		return -1;
	length = head[1] & 0x7f;
	if (length >= 126) {
		size_t bytes = length == 126 ? 2 : 8;

		if (!get(fd, more, bytes))
			return -1;
		length = 0;
		for (size_t i = 0; i < bytes; i++)
			length = length << 8 | more[i];
	}
	if (length > MESSAGE_MAX || !get(fd, text, (size_t)length))
		return -1;
	text[length] = 0;
	*data = text;
	*size = (size_t)length;
	return head[0];
}

static int socket_lines(char **arguments)
{
	int fd = open_socket(arguments), first;
	long count = atol(arguments[3]);
	char line[65536], *data;
	size_t size;

	while (fgets(line, sizeof line, stdin))
		say(fd, line, strcspn(line, "\n"));
	while (count > 0) {
		first = next_frame(fd, &data, &size);
		if (first < 0 || (first & 0xf) == 8)
			die("closed");
		fwrite(data, 1, size, stdout);
		if (first & 0x80) {
			putchar('\n');
			count--;
		}
	}
	return 0;
}

static const char version[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}";

static void bad_unmasked(int fd)
{
	frame(fd, 0x81, false, strlen(version), version, strlen(version));
}

static void bad_reserved_bits(int fd)
{
	frame(fd, 0xf1, true, strlen(version), version, strlen(version));
}

static void bad_opcode(int fd)
{
	frame(fd, 0x83, true, strlen(version), version, strlen(version));
}

static void bad_binary(int fd)
{
	frame(fd, 0x82, true, strlen(version), version, strlen(version));
}

static void bad_utf8(int fd)
{
	frame(fd, 0x81, true, 4, "\xff\xfe\xc0\x80", 4);
}

static void bad_length(int fd)
{
	frame(fd, 0x81, true, UINT64_C(1) << 62, version, strlen(version));
}

static void bad_oversize(int fd)
{
	static char much[2 << 20];

	memset(much, 'a', sizeof much);
	frame(fd, 0x81, true, sizeof much, much, sizeof much);
}

/* Never the last piece of a message. */
static void bad_endless(int fd)
{
	static char much[65536];
	bool is_first = true;

	memset(much, 'a', sizeof much);
	for (int i = 0;
	     i < 64 && frame(fd, is_first ? 1 : 0, true, sizeof much, much, sizeof much); i++)
		is_first = false;
}

static void bad_control(int fd)
{
	static char much[200];

	frame(fd, 0x89, true, sizeof much, much, sizeof much);
}

static void good_fragments(int fd)
{
	size_t half = strlen(version) / 2;

	frame(fd, 0x01, true, half, version, half);
	frame(fd, 0x89, true, 2, "hi", 2);
	frame(fd, 0x80, true, strlen(version) - half, version + half, strlen(version) - half);
}

static void good_close(int fd)
{
	frame(fd, 0x88, true, 2, "\x03\xe8", 2);
}

static int garbage(char **arguments)
{
	static const struct {
		const char *name;
		void (*send)(int fd);
	} rows[] = {
		{ "unmasked", bad_unmasked }, { "reserved", bad_reserved_bits },
		{ "opcode", bad_opcode },     { "binary", bad_binary },
		{ "utf8", bad_utf8 },         { "length", bad_length },
		{ "oversize", bad_oversize }, { "endless", bad_endless },
		{ "control", bad_control },   { "fragments", good_fragments },
		{ "close", good_close },
	};
	int fd = open_socket(arguments), first;
	char *data;
	size_t size;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(rows[i].name, arguments[3]))
			rows[i].send(fd);
	do {
		first = next_frame(fd, &data, &size);
		if (first >= 0 && (first & 0xf) == 10)
			printf("pong ");
		else if (first >= 0 && (first & 0xf) < 3)
			printf("%s\n", data);
	} while (first >= 0 && (first & 0xf) == 10);
	if (first < 0 || (first & 0xf) == 8)
		printf("closed\n");
	return 0;
}

static void wait_for_the_end(void)
{
	while (getchar() != EOF)
		continue;
}

static int many(char **arguments)
{
	static int fds[MANY_MAX];
	int count = atoi(arguments[1]), wanted = atoi(arguments[2]), closed = 0;
	char byte;

	for (int i = 0; i < count && i < MANY_MAX; i++) {
		fds[i] = dial(arguments[0]);
		put(fds[i], "GET / HTTP/1.1\r\nHost: 127", 25);
	}
	for (int left = PATIENCE_MS / PAUSE_MS; closed < wanted && left > 0; left--) {
		poll(NULL, 0, PAUSE_MS);
		for (int i = 0; i < count && i < MANY_MAX; i++) {
			if (fds[i] < 0 || !is_readable(fds[i], 0) ||
			    recv(fds[i], &byte, 1, 0) > 0)
				continue;
			close(fds[i]);
			fds[i] = -1;
			closed++;
		}
	}
	printf("%d\n", closed);
	fflush(stdout);
	wait_for_the_end();
	return 0;
}

static int deaf(char **arguments)
{
	static const char subscribe[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"}";
	int fd = open_socket(arguments);
	char *data;
	size_t size;

	say(fd, subscribe, strlen(subscribe));
	if (next_frame(fd, &data, &size) < 0)
		die("closed");
	printf("deaf\n");
	fflush(stdout);
	wait_for_the_end();
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int arguments;
		int (*run)(char **arguments);
	} rows[] = {
		{ "raw", 1, raw },   { "socket", 4, socket_lines }, { "garbage", 4, garbage },
		{ "many", 3, many }, { "deaf", 3, deaf },
	};

	for (size_t i = 0; argc > 1 && i < sizeof rows / sizeof *rows; i++)
		if (!strcmp(rows[i].name, argv[1]) && argc == rows[i].arguments + 2)
			return rows[i].run(argv + 2);
	die("see the top of web_tool.c");
	return 1;
}
