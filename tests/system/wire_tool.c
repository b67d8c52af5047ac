/* A bump in the wire, for kernels without netem:
 *   wire_tool A B MS JITTER PERCENT   what arrives on interface A leaves B after MS milliseconds
 *                                     (and up to JITTER more, then out of order), and the reverse;
 *                                     so many percent of IP packets never do
 * Both are ends of cables that nobody else listens on. It says "ready", and ends by a signal. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	FRAME_MAX = 70000, /* a frame that the card would cut into packets is one frame here */
	QUEUE_MAX = 65536, /* frames under way; what comes then is lost, as in a router */
	AT_ONCE = 64,
	MILLION = 1000000,
};

struct frame {
	int64_t due; /* nanoseconds of the monotonic clock */
	uint64_t number;
	int out;
	size_t size;
	uint8_t *data; /* a virtio_net_hdr first: checksums and cutting stay the card's work */
};

/* A heap, the frame that is due first on top. */
static struct frame queue[QUEUE_MAX];
static size_t queued;
static uint64_t frames;

static bool before(const struct frame *a, const struct frame *b)
{
	return a->due != b->due ? a->due < b->due : a->number < b->number;
}

static void push(struct frame frame)
{
	size_t at = queued++;

	for (; at > 0 && before(&frame, &queue[(at - 1) / 2]); at = (at - 1) / 2)
		queue[at] = queue[(at - 1) / 2];
	queue[at] = frame;
}

static struct frame pop(void)
{
	struct frame first = queue[0], last = queue[--queued];
	size_t at = 0;

	for (size_t child; (child = 2 * at + 1) < queued; at = child) {
		if (child + 1 < queued && before(&queue[child + 1], &queue[child]))
			child++;
		if (!before(&queue[child], &last))
			break;
		queue[at] = queue[child];
	}
	queue[at] = last;
	return first;
}

static int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int open_interface(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0), yes = 1, room = 8 << 20;

	if (fd < 0 || at.sll_ifindex == 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof yes) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	return bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ? -1 : fd;
}

static bool is_ip(const uint8_t *data, size_t size)
{
	const uint8_t *type = data + sizeof(struct virtio_net_hdr) + 12;

	return size >= sizeof(struct virtio_net_hdr) + 14 &&
	       ((type[0] == 0x08 && type[1] == 0x00) || (type[0] == 0x86 && type[1] == 0xdd));
}

struct wire {
	int64_t delay, jitter; /* nanoseconds */
	uint32_t lost_per_million;
};

static void take(const struct wire *wire, int in, int out)
{
	static uint8_t data[FRAME_MAX];

	for (int i = 0; i < AT_ONCE; i++) {
		ssize_t got = recv(in, data, sizeof data, 0);
		struct frame frame = { .due = clock_now() + wire->delay,
				       .number = frames++,
				       .out = out,
				       .size = got > 0 ? (size_t)got : 0 };

		if (got <= 0)
			return;
		if (queued == QUEUE_MAX ||
		    (is_ip(data, frame.size) &&
		     randombytes_uniform(MILLION) < wire->lost_per_million))
			continue;
		if (wire->jitter > 0) /* in microseconds: a uint32_t is over an hour */
			frame.due += 1000LL *
				     randombytes_uniform((uint32_t)(wire->jitter / 1000) + 1);
		frame.data = malloc(frame.size);
		if (!frame.data)
			abort();
		memcpy(frame.data, data, frame.size);
		push(frame);
	}
}

int main(int argc, char **argv)
{
	struct wire wire;
	int fds[2];

	if (argc != 6) {
		fprintf(stderr, "usage: wire_tool A B MS JITTER PERCENT\n");
		return 2;
	}
	wire.delay = (int64_t)(strtod(argv[3], NULL) * MILLION);
	wire.jitter = (int64_t)(strtod(argv[4], NULL) * MILLION);
	wire.lost_per_million = (uint32_t)(strtod(argv[5], NULL) * MILLION / 100);
	for (int i = 0; i < 2; i++) {
		fds[i] = open_interface(argv[1 + i]);
		if (fds[i] < 0) {
			fprintf(stderr, "wire_tool: %s: %s\n", argv[1 + i], strerror(errno));
			return 1;
		}
	}
	if (sodium_init() < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd polled[2] = { { .fd = fds[0], .events = POLLIN },
					    { .fd = fds[1], .events = POLLIN } };
		struct timespec wait = { 0 };

		while (queued > 0 && queue[0].due <= clock_now()) {
			struct frame frame = pop();

			/* A full interface drops; so does a real one. */
			(void)!send(frame.out, frame.data, frame.size, 0);
			free(frame.data);
		}
		if (queued > 0) {
			int64_t left = queue[0].due - clock_now();

			if (left < 0)
				left = 0;
			wait.tv_sec = left / 1000000000LL;
			wait.tv_nsec = left % 1000000000LL;
		}
		if (ppoll(polled, 2, queued > 0 ? &wait : NULL, NULL) < 0 && errno != EINTR)
			return 1;
		for (int i = 0; i < 2; i++)
			if (polled[i].revents)
				take(&wire, fds[i], fds[1 - i]);
	}
}
