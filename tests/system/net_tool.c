/* What a shell cannot do with sockets, for the tests of the real programs:
 *   net_tool garbage ADDRESS PORT COUNT   sends malformed datagrams; prints bytes answered
 *   net_tool ask-key ADDRESS PORT         asks for a directory's key; prints bytes answered
 *   net_tool lines SOCKET                 standard input to a Unix socket, answers out
 *   net_tool http PORT PATH               asks this machine by HTTP; prints the answer whole
 *   net_tool lock FILE START COUNT        holds a lock on these bytes until its input ends
 *   net_tool notify SOCKET COUNT          prints so many messages to a service manager, one a
 *                                         line, then ends
 *   net_tool knows PID IP                 how often a process has this address in its memory */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { DATAGRAM_MAX = 9000, QUIET_MS = 1000, SHAPES = 7, KEY_QUESTION = 1200, CHUNK = 1 << 20 };

static int fail(const char *what)
{
	fprintf(stderr, "net_tool: %s: %s\n", what, strerror(errno));
	return 1;
}

/* Random bytes in the shapes that get furthest: QUIC's long and short headers, our own
 * datagrams outside QUIC, empty and over-long ones. */
static size_t make_garbage(uint8_t *out, unsigned number)
{
	static const uint8_t versions[][4] = {
		{ 'p', 'a', 'l', 1 }, { 0, 0, 0, 0 }, { 0xff, 0, 0, 29 }, { 0, 0, 0, 1 }
	};
	size_t size = randombytes_uniform(1500);

	randombytes_buf(out, DATAGRAM_MAX);
	switch (number % SHAPES) {
	case 0: /* an Initial of some version, as long as one must be */
		out[0] = 0xc0 | randombytes_uniform(16);
		memcpy(out + 1, versions[randombytes_uniform(4)], 4);
		out[5] = randombytes_uniform(24);
		return 1200 + randombytes_uniform(253);
	case 5: /* one of ours in all but the proof of the knock */
		out[0] = 0xc0 | randombytes_uniform(16);
		memcpy(out + 1, versions[0], 4);
		out[5] = 16;
		out[22] = 8;
		out[31] = 33;
		out[32] = 1 + randombytes_uniform(2);
		out[65] = 0x44; /* length, of two bytes: what is left */
		out[66] = (1200 - 67) & 255;
		return 1200;
	case 1: /* a short header */
		out[0] = 0x40 | randombytes_uniform(64);
		return size;
	case 2: /* outside QUIC, with our own first bytes */
		out[0] = randombytes_uniform(4);
		memcpy(out + 1, "palq-key", 8);
		return size;
	case 3:
		return randombytes_uniform(8);
	case 4:
		return DATAGRAM_MAX;
	default:
		return size;
	}
}

/* A well-formed question: a directory answers it, a peer must not. */
static size_t make_question(uint8_t *out, unsigned number)
{
	(void)number;
	memset(out, 0, KEY_QUESTION);
	out[0] = 1;
	memcpy(out + 1, "palq-key", 8);
	randombytes_buf(out + 9, 16);
	return KEY_QUESTION;
}

static int bombard(const char *address, const char *port, unsigned count,
		   size_t (*make)(uint8_t *out, unsigned number))
{
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(port)) };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	bool is_v6 = strchr(address, ':') != NULL;
	uint8_t data[DATAGRAM_MAX];
	size_t answered = 0, sent = 0;
	struct pollfd poll_fd = { .events = POLLIN };
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || inet_pton(is_v6 ? AF_INET6 : AF_INET, address,
				is_v6 ? (void *)&to6.sin6_addr : (void *)&to4.sin_addr) != 1)
		return fail(address);
	poll_fd.fd = fd;
	for (unsigned i = 0; i < count; i++) {
		size_t size = make(data, i);

		if (sendto(fd, data, size, 0, is_v6 ? (void *)&to6 : (void *)&to4,
			   is_v6 ? sizeof to6 : sizeof to4) >= 0)
			sent++;
		if (i % 64 == 0)
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		while (poll(&poll_fd, 1, i + 1 == count ? QUIET_MS : 0) == 1) {
			ssize_t got = recv(fd, data, sizeof data, 0);

			if (got > 0)
				answered += (size_t)got;
			else
				break;
		}
	}
	printf("sent %zu datagrams, answered %zu bytes\n", sent, answered);
	return 0;
}

static int lines(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct pollfd fds[2] = { { .fd = 0, .events = POLLIN }, { .events = POLLIN } };
	char data[65536];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
		return fail(path);
	fds[1].fd = fd;
	/* After the end of the input, until nothing comes any more. */
	while (poll(fds, 2, fds[0].fd < 0 ? QUIET_MS : -1) > 0) {
		ssize_t got;

		if (fds[0].revents) {
			got = read(0, data, sizeof data);
			if (got <= 0)
				fds[0].fd = -1;
			for (ssize_t done = 0, part; done < got; done += part)
				if ((part = send(fd, data + done, got - done, MSG_NOSIGNAL)) <
				    0)
					break;
		}
		if (fds[1].revents) {
			got = read(fd, data, sizeof data);
			if (got <= 0)
				break;
			fwrite(data, 1, got, stdout);
		}
	}
	return 0;
}

static int http(const char *port, const char *path)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(atoi(port)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { .tv_sec = 10 };
	char data[65536];
	ssize_t got;
	int fd = socket(AF_INET, SOCK_STREAM, 0), size;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		return fail(port);
	size = snprintf(data, sizeof data, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	if (send(fd, data, (size_t)size, MSG_NOSIGNAL) != size)
		return fail(path);
	while ((got = recv(fd, data, sizeof data, 0)) > 0)
		fwrite(data, 1, (size_t)got, stdout);
	return got < 0 ? fail(path) : 0;
}

static int notify(const char *path, unsigned count)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char data[4096];
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0)
		return fail(path);
	while (count--) {
		ssize_t got = recv(fd, data, sizeof data, 0);

		if (got < 0)
			return fail(path);
		for (ssize_t i = 0; i < got; i++)
			if (data[i] == '\n')
				data[i] = ' ';
		printf("%.*s\n", (int)got, data);
		fflush(stdout);
	}
	return 0;
}

static int lock(const char *path, const char *start, const char *count)
{
	struct flock range = { .l_type = F_WRLCK,
			       .l_whence = SEEK_SET,
			       .l_start = strtoll(start, NULL, 0),
			       .l_len = strtoll(count, NULL, 0) };
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char byte;

	if (fd < 0 || fcntl(fd, F_SETLK, &range) < 0)
		return fail(path);
	puts("locked");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}

static unsigned count_in(const uint8_t *data, size_t size, const void *what, size_t what_size)
{
	unsigned count = 0;
	const uint8_t *at = data;

	while ((at = memmem(at, size - (size_t)(at - data), what, what_size)) != NULL) {
		count++;
		at++;
	}
	return count;
}

/* As text, and as shared/address.h keeps it: 16 bytes, those of v4 followed by zeros. */
static int knows(const char *pid, const char *text)
{
	static uint8_t data[CHUNK + 64];
	char path[64], line[512], rights[5];
	uint8_t ip[16] = { 0 };
	unsigned long from, to;
	unsigned found = 0;
	FILE *maps;
	int memory;

	if (inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, ip) != 1)
		return fail(text);
	snprintf(path, sizeof path, "/proc/%s/maps", pid);
	maps = fopen(path, "re");
	snprintf(path, sizeof path, "/proc/%s/mem", pid);
	memory = open(path, O_RDONLY | O_CLOEXEC);
	if (!maps || memory < 0)
		return fail(path);
	while (fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3 || rights[1] != 'w')
			continue;
		for (; from < to; from += CHUNK) {
			size_t wanted = to - from < sizeof data ? to - from : sizeof data;
			ssize_t got = pread(memory, data, wanted, (off_t)from);

			if (got <= 0)
				continue;
			found += count_in(data, (size_t)got, ip, sizeof ip);
			found += count_in(data, (size_t)got, text, strlen(text));
		}
	}
	fclose(maps);
	close(memory);
	printf("%u\n", found);
	return 0;
}

int main(int argc, char **argv)
{
	if (sodium_init() < 0)
		return 1;
	if (argc == 5 && strcmp(argv[1], "garbage") == 0)
		return bombard(argv[2], argv[3], strtoul(argv[4], NULL, 10), make_garbage);
	if (argc == 4 && strcmp(argv[1], "ask-key") == 0)
		return bombard(argv[2], argv[3], 1, make_question);
	if (argc == 3 && strcmp(argv[1], "lines") == 0)
		return lines(argv[2]);
	if (argc == 4 && strcmp(argv[1], "http") == 0)
		return http(argv[2], argv[3]);
	if (argc == 5 && strcmp(argv[1], "lock") == 0)
		return lock(argv[2], argv[3], argv[4]);
	if (argc == 4 && strcmp(argv[1], "notify") == 0)
		return notify(argv[2], strtoul(argv[3], NULL, 10));
	if (argc == 4 && strcmp(argv[1], "knows") == 0)
		return knows(argv[2], argv[3]);
	fprintf(stderr, "usage: net_tool garbage ADDRESS PORT COUNT | ask-key ADDRESS PORT | "
			"lines SOCKET | http PORT PATH | lock FILE START COUNT | "
			"notify SOCKET COUNT | knows PID IP\n");
	return 2;
}
