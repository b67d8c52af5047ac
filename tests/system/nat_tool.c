/* What the laboratory's NATs do, asked as RFC 5780 does, for tests/system/lab_check.sh:
 *   nat_tool answer ADDRESS...      a directory's stand-in, at two ports of each address; "ready"
 *   nat_tool class ONE OTHER        mapping and filtering before us, and how ports are chosen
 *   nat_tool open ONE               whether an answer comes in from where nothing was sent to
 *   nat_tool ask ONE PORT COUNT MS  from that port, each given so long: how many came back, the
 *                                   median time, the address that was seen last
 *   nat_tool map ROUTER PORT ONE    a port of ours by NAT-PMP; does a stranger's datagram pass?
 *   nat_tool hear OURS MS           answers one multicast datagram; "ready"
 *   nat_tool call OURS MS           sends one; says whether somebody answered */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	PORT_ONE = 3478,
	PORT_OTHER = 3479,
	NATPMP_PORT = 5351,
	MULTICAST_PORT = 7778,
	ADDRESSES_MAX = 8,
	TRIES = 3,
	WAIT_MS = 400,
	SOCKETS = 8,  /* whose mappings tell how ports are chosen */
	SEQUENCE = 4, /* a step of at most so much is a sequence; as shared/nat.h has it */
	BLOCK = 1024,
	ANSWERS_MAX = 100000,
};
#define GROUP "239.7.7.7"

enum wants { WANTS_PLAIN, WANTS_OTHER_ADDRESS, WANTS_OTHER_PORT, WANTS_POKE };

/* Question and answer, between these programs on one machine. */
struct datagram {
	uint32_t mark, number;
	enum wants wants;
	struct sockaddr_storage address; /* question: whom to poke; answer: who was seen */
};
enum { QUESTION = 0x6e617451, ANSWER = 0x6e617441 };

static int fail(const char *what)
{
	fprintf(stderr, "nat_tool: %s: %s\n", what, strerror(errno));
	exit(1);
}

static socklen_t size_of(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					: sizeof(struct sockaddr_in);
}

static struct sockaddr_storage address_of(const char *text, uint16_t port)
{
	struct sockaddr_storage a = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;

	errno = EINVAL;
	if (strchr(text, ':')) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
			fail(text);
	} else {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		if (inet_pton(AF_INET, text, &v4->sin_addr) != 1)
			fail(text);
	}
	return a;
}

static uint16_t port_of(const struct sockaddr_storage *a)
{
	return ntohs(((const struct sockaddr_in *)a)->sin_port); /* at the same place in both */
}

static bool same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	return memcmp(a, b, size_of(a)) == 0;
}

static int udp(const struct sockaddr_storage *at)
{
	int fd = socket(at->ss_family, SOCK_DGRAM, 0), yes = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
	    bind(fd, (const struct sockaddr *)at, size_of(at)) < 0)
		fail("socket");
	return fd;
}

static int any_socket(const char *like, uint16_t port)
{
	struct sockaddr_storage at = address_of(strchr(like, ':') ? "::" : "0.0.0.0", port);

	return udp(&at);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static bool wait_for(int fd, int64_t until)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	int64_t left = until - now_us();

	return poll(&polled, 1, left > 0 ? (int)((left + 999) / 1000) : 0) == 1;
}

/* --- the stand-in --- */

static int answer(int count, char **addresses)
{
	struct pollfd fds[2 * ADDRESSES_MAX];
	int families[2 * ADDRESSES_MAX];

	if (count > ADDRESSES_MAX)
		return 2;
	for (int i = 0; i < 2 * count; i++) {
		struct sockaddr_storage at = address_of(addresses[i / 2],
							i % 2 ? PORT_OTHER : PORT_ONE);

		fds[i] = (struct pollfd){ .fd = udp(&at), .events = POLLIN };
		families[i] = at.ss_family;
	}
	puts("ready");
	fflush(stdout);
	while (poll(fds, (nfds_t)(2 * count), -1) > 0) {
		for (int i = 0; i < 2 * count; i++) {
			struct sockaddr_storage from = { 0 }, to;
			socklen_t size = sizeof from;
			struct datagram d;
			int out = i;

			if (!fds[i].revents ||
			    recvfrom(fds[i].fd, &d, sizeof d, 0, (void *)&from, &size) !=
				    (ssize_t)sizeof d)
				continue;
			if (d.mark != QUESTION)
				continue;
			to = d.wants == WANTS_POKE ? d.address : from;
			if (d.wants == WANTS_OTHER_PORT)
				out = i ^ 1;
			if (d.wants == WANTS_OTHER_ADDRESS)
				for (out = i % 2; out < 2 * count; out += 2)
					if (out != i && families[out] == families[i])
						break;
			if (out >= 2 * count)
				continue;
			d.mark = ANSWER;
			d.address = from;
			(void)!sendto(fds[out].fd, &d, sizeof d, 0, (void *)&to, size_of(&to));
		}
	}
	return 1;
}

/* --- who asks --- */

/* Asks once, waits, and again. False: no answer. */
static bool ask(int fd, const struct sockaddr_storage *whom, enum wants wants, int tries,
		int wait, struct sockaddr_storage *seen)
{
	static uint32_t number;

	while (tries-- > 0) {
		struct datagram d = { .mark = QUESTION, .number = ++number, .wants = wants };
		int64_t until = now_us() + wait * 1000LL;

		if (sendto(fd, &d, sizeof d, 0, (const void *)whom, size_of(whom)) < 0 &&
		    errno != ECONNREFUSED)
			return false;
		while (wait_for(fd, until))
			if (recv(fd, &d, sizeof d, 0) == sizeof d && d.mark == ANSWER &&
			    d.number == number) {
				*seen = d.address;
				return true;
			}
	}
	return false;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static const char *ports_of(const struct sockaddr_storage *whom, const char *like)
{
	int64_t ports[SOCKETS];
	bool is_sequence = true;

	for (int i = 0; i < SOCKETS; i++) {
		struct sockaddr_storage seen;

		if (!ask(any_socket(like, 0), whom, WANTS_PLAIN, TRIES, WAIT_MS, &seen))
			return "unknown";
		ports[i] = port_of(&seen);
		if (i > 0 && (ports[i] <= ports[i - 1] || ports[i] > ports[i - 1] + SEQUENCE))
			is_sequence = false;
	}
	qsort(ports, SOCKETS, sizeof *ports, by_number);
	return is_sequence                             ? "sequential"
	       : ports[SOCKETS - 1] - ports[0] < BLOCK ? "block"
						       : "random";
}

/* Two sockets that send to each other's outer addresses. */
static bool is_hairpin(const struct sockaddr_storage *whom, const char *like)
{
	struct sockaddr_storage outer[2];
	bool heard[2] = { false };
	int fds[2] = { any_socket(like, 0), any_socket(like, 0) };

	for (int i = 0; i < 2; i++)
		if (!ask(fds[i], whom, WANTS_PLAIN, TRIES, WAIT_MS, &outer[i]))
			return false;
	for (int round = 0; round < 2 * TRIES; round++)
		for (int i = 0; i < 2; i++) {
			char byte;

			(void)!sendto(fds[i], "h", 1, 0, (void *)&outer[1 - i],
				      size_of(&outer[1 - i]));
			if (wait_for(fds[1 - i], now_us() + 20000) &&
			    recv(fds[1 - i], &byte, 1, 0) == 1)
				heard[1 - i] = true;
		}
	return heard[0] && heard[1];
}

static struct sockaddr_storage our_address(int fd, const struct sockaddr_storage *toward)
{
	struct sockaddr_storage ours = { 0 };
	socklen_t size = sizeof ours;
	int other = socket(toward->ss_family, SOCK_DGRAM, 0);
	uint16_t port;

	if (getsockname(fd, (void *)&ours, &size) < 0)
		fail("getsockname");
	port = ((struct sockaddr_in *)&ours)->sin_port;
	size = sizeof ours;
	if (connect(other, (const void *)toward, size_of(toward)) == 0 &&
	    getsockname(other, (void *)&ours, &size) == 0)
		((struct sockaddr_in *)&ours)->sin_port = port;
	close(other);
	return ours;
}

static int class(const char *one, const char *other)
{
	struct sockaddr_storage servers[4], seen[4], ours, ignored;
	const char *mapping, *filtering, *ports;
	int fd = any_socket(one, 0), fresh = any_socket(one, 0);

	for (int i = 0; i < 4; i++)
		servers[i] = address_of(i < 2 ? one : other, i % 2 ? PORT_OTHER : PORT_ONE);
	for (int i = 0; i < 4; i++)
		if (!ask(fd, &servers[i], WANTS_PLAIN, i == 0 ? TRIES : 2 * TRIES, WAIT_MS,
			 &seen[i])) {
			puts("blocked");
			return 0;
		}
	ours = our_address(fd, &servers[0]);
	if (same(&seen[0], &ours))
		mapping = "none";
	else if (same(&seen[0], &seen[1]) && same(&seen[0], &seen[2]) &&
		 same(&seen[0], &seen[3]))
		mapping = "endpoint-independent";
	else if (same(&seen[0], &seen[1]) && same(&seen[2], &seen[3]))
		mapping = "address-dependent";
	else
		mapping = "port-dependent";
	if (!ask(fresh, &servers[0], WANTS_PLAIN, TRIES, WAIT_MS, &ignored))
		filtering = "unknown";
	else if (ask(fresh, &servers[0], WANTS_OTHER_ADDRESS, 2, WAIT_MS, &ignored))
		filtering = "none";
	else if (ask(fresh, &servers[0], WANTS_OTHER_PORT, 2, WAIT_MS, &ignored))
		filtering = "address";
	else
		filtering = "port";
	if (mapping[0] == 'n' || mapping[0] == 'e')
		ports = port_of(&seen[0]) == port_of(&ours) ? "kept" : "changed";
	else
		ports = ports_of(&servers[0], one);
	printf("mapping %s, filtering by %s, ports %s, hairpin %s\n", mapping, filtering, ports,
	       is_hairpin(&servers[0], one) ? "yes" : "no");
	return 0;
}

static int is_open(const char *one)
{
	struct sockaddr_storage server = address_of(one, PORT_ONE), ignored;
	int fd = any_socket(one, 0);

	if (!ask(fd, &server, WANTS_PLAIN, TRIES, WAIT_MS, &ignored))
		puts("blocked");
	else
		puts(ask(fd, &server, WANTS_OTHER_ADDRESS, 2, WAIT_MS, &ignored) ? "open"
										 : "filtered");
	return 0;
}

static int ask_often(const char *one, uint16_t port, unsigned count, int wait)
{
	static int64_t times[ANSWERS_MAX];
	struct sockaddr_storage server = address_of(one, PORT_ONE), seen = server;
	char text[INET6_ADDRSTRLEN];
	unsigned answered = 0;
	int fd = any_socket(one, port);

	for (unsigned i = 0; i < count && i < ANSWERS_MAX; i++) {
		int64_t begun = now_us();

		if (ask(fd, &server, WANTS_PLAIN, 1, wait, &seen))
			times[answered++] = now_us() - begun;
	}
	if (answered == 0) {
		puts("answered 0");
		return 0;
	}
	qsort(times, answered, sizeof *times, by_number);
	inet_ntop(seen.ss_family,
		  seen.ss_family == AF_INET6
			  ? (void *)&((struct sockaddr_in6 *)&seen)->sin6_addr
			  : (void *)&((struct sockaddr_in *)&seen)->sin_addr,
		  text, sizeof text);
	printf("answered %u median %lld us seen %s %u\n", answered,
	       (long long)times[answered / 2], text, port_of(&seen));
	return 0;
}

/* RFC 6886 section 3: the outer address, then a mapping of the same port for ten minutes. */
static int map(const char *router, uint16_t port, const char *one)
{
	struct sockaddr_storage at = address_of(router, NATPMP_PORT),
				server = address_of(one, PORT_ONE), outer;
	uint8_t want[12] = { 0,
			     1,
			     0,
			     0,
			     (uint8_t)(port >> 8),
			     (uint8_t)port,
			     (uint8_t)(port >> 8),
			     (uint8_t)port,
			     0,
			     0,
			     2,
			     0x58 },
		got[16], outer_ip[12];
	int fd = any_socket(router, 0), poked = any_socket(router, port);

	if (sendto(fd, "\0", 2, 0, (void *)&at, size_of(&at)) != 2 ||
	    !wait_for(fd, now_us() + 500000) || recv(fd, outer_ip, 12, 0) != 12) {
		puts("silent");
		return 0;
	}
	if (sendto(fd, want, 12, 0, (void *)&at, size_of(&at)) != 12 ||
	    !wait_for(fd, now_us() + 500000) || recv(fd, got, 16, 0) != 16) {
		puts("refused");
		return 0;
	}
	if (got[2] || got[3]) {
		printf("refused %u\n", got[2] * 256 + got[3]);
		return 0;
	}
	outer = address_of("0.0.0.0", (uint16_t)(got[10] << 8 | got[11]));
	memcpy(&((struct sockaddr_in *)&outer)->sin_addr, outer_ip + 8, 4);
	for (int i = 0; i < TRIES; i++) {
		struct datagram d = { .mark = QUESTION, .wants = WANTS_POKE, .address = outer };

		(void)!sendto(fd, &d, sizeof d, 0, (void *)&server, size_of(&server));
		if (wait_for(poked, now_us() + WAIT_MS * 1000LL)) {
			puts("reachable");
			return 0;
		}
	}
	puts("not reachable");
	return 0;
}

static int multicast(const char *ours, int wait, bool is_hearer)
{
	struct sockaddr_storage at = address_of("0.0.0.0", is_hearer ? MULTICAST_PORT : 0),
				group = address_of(GROUP, MULTICAST_PORT), from;
	socklen_t size = sizeof from;
	struct ip_mreq join;
	int fd = udp(&at);
	char byte;

	inet_pton(AF_INET, ours, &join.imr_interface);
	inet_pton(AF_INET, GROUP, &join.imr_multiaddr);
	if (is_hearer) {
		if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join) < 0)
			fail("multicast");
		puts("ready");
		fflush(stdout);
		if (wait_for(fd, now_us() + wait * 1000LL) &&
		    recvfrom(fd, &byte, 1, 0, (void *)&from, &size) == 1)
			(void)!sendto(fd, "y", 1, 0, (void *)&from, size);
		return 0;
	}
	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &join.imr_interface,
		       sizeof join.imr_interface) < 0)
		fail("multicast");
	(void)!sendto(fd, "x", 1, 0, (void *)&group, size_of(&group));
	puts(wait_for(fd, now_us() + wait * 1000LL) ? "heard" : "silence");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && strcmp(argv[1], "answer") == 0)
		return answer(argc - 2, argv + 2);
	if (argc == 4 && strcmp(argv[1], "class") == 0)
		return class(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "open") == 0)
		return is_open(argv[2]);
	if (argc == 6 && strcmp(argv[1], "ask") == 0)
		return ask_often(argv[2], (uint16_t)atoi(argv[3]), (unsigned)atoi(argv[4]),
				 atoi(argv[5]));
	if (argc == 5 && strcmp(argv[1], "map") == 0)
		return map(argv[2], (uint16_t)atoi(argv[3]), argv[4]);
	if (argc == 4 && (strcmp(argv[1], "hear") == 0 || strcmp(argv[1], "call") == 0))
		return multicast(argv[2], atoi(argv[3]), argv[1][0] == 'h');
	fprintf(stderr,
		"usage: nat_tool answer ADDRESS... | class ONE OTHER | open ONE | "
		"ask ONE PORT COUNT MS | map ROUTER PORT ONE | hear OURS MS | call OURS MS\n");
	return 2;
}
