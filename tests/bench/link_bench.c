/* Figures of the link between two processes over loopback sockets, each beside what
 * bounds it: a plain datagram's round trip, libsodium's sealing. */
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/packet.h"
#include "shared/udp.h"
#include "tests/awaited.h"
#include "tests/passing.h"

enum {
	ROUND_TRIPS = 20000,
	MESSAGE = 100,
	BULK = 1 << 30,
	BULK_ROUNDS = 3,
	BULK_MESSAGES_MAX = 100000,
	DIALLERS = 32,
	HANDSHAKE_SECONDS = 3,
};

static uv_loop_t loop;

struct node {
	struct endpoint *e;
	struct udp *udp;
	struct address address;
	struct device device;
	struct link *link;
	struct buf token;
	size_t received;
	bool is_server;
	/* client */
	int64_t stream;
	size_t to_write;
	bool is_bulk_done;
	uint64_t *times;
	unsigned round_trips, round_trips_max;
	mono_ns sent_at;
	unsigned ups;
	mono_ns until;
	const struct address *server;
	const struct device_public *server_device;
};

static double seconds(mono_ns t)
{
	return (double)t / (double)SECOND;
}

static void echo(struct node *n, struct link *l, int64_t stream)
{
	bool is_end;
	struct bytes view = link_peek(l, stream, &is_end);

	n->received += view.size;
	if (stream == LINK_CONTROL)
		link_write(l, stream, view, false);
	link_consume(l, stream, view.size);
	if (stream != LINK_CONTROL && is_end)
		link_write(l, stream, BYTES("x"), true);
}

static void dial(struct node *n, mono_ns now)
{
	struct link_target t = { .pattern = LINK_IK,
				 .device = *n->server_device,
				 .address_count = 1,
				 .knock = knock_of_directory(n->server_device),
				 .token = buf_view(&n->token) };

	t.addresses[0] = *n->server;
	endpoint_dial(n->e, &t, now);
}

static void send_ping(struct node *n, mono_ns now)
{
	static const uint8_t message[MESSAGE];

	n->sent_at = now;
	link_write(n->link, LINK_CONTROL, BYTES(message), false);
}

static void got_answer(struct node *n, struct link *l, int64_t stream)
{
	bool is_end;
	struct bytes view = link_peek(l, stream, &is_end);
	mono_ns now = clock_now();

	n->received += view.size;
	link_consume(l, stream, view.size);
	if (stream != LINK_CONTROL) {
		n->is_bulk_done |= is_end;
		return;
	}
	if (n->received < MESSAGE || !n->times)
		return;
	n->received -= MESSAGE;
	n->times[n->round_trips++] = now - n->sent_at;
	if (n->round_trips < n->round_trips_max)
		send_ping(n, now);
}

static void write_bulk(struct node *n)
{
	static const uint8_t zeros[65536];

	while (n->to_write > 0) {
		size_t part = n->to_write < sizeof zeros ? n->to_write : sizeof zeros;

		if (link_write(n->link, n->stream, bytes_of(zeros, part), part == n->to_write) <
		    0)
			return;
		n->to_write -= part;
	}
}

static mono_ns step(void *user, mono_ns now)
{
	struct node *n = user;
	struct link_event event;

	while (endpoint_next(n->e, &event)) {
		switch (event.kind) {
		case LINK_UP:
			n->link = event.link;
			n->ups++;
			break;
		case LINK_READABLE:
			(n->is_server ? echo : got_answer)(n, event.link, event.stream);
			break;
		case LINK_TOKEN:
			buf_clear(&n->token);
			buf_append(&n->token, event.data);
			if (now < n->until) { /* counting handshakes: the next, please */
				link_close(n->link, 0, now);
				dial(n, now);
			}
			break;
		default:
			break;
		}
	}
	if (n->link && n->to_write)
		write_bulk(n);
	return NEVER;
}

static void node_make(struct node *n, enum endpoint_policy policy)
{
	struct endpoint_config config = { .policy = policy,
					  .idle_timeout = 30 * SECOND,
					  .keep_alive = NEVER };
	struct address any = { .family = 4, .ip = { 127, 0, 0, 1 } };

	*n = (struct node){ 0 };
	device_make(&n->device);
	config.device = n->device;
	config.knock = knock_of_directory(&n->device.public);
	n->e = endpoint_new(&config, clock_now());
	if (udp_new(&n->udp, &loop, n->e, step, n) < 0 ||
	    udp_listen(n->udp, &any, &n->address) < 0)
		abort();
}

struct server_facts {
	struct address address;
	struct device_public device;
};

static double cpu_of(int who)
{
	struct rusage r;

	getrusage(who, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void on_control(uv_poll_t *poll, int status, int events)
{
	double cpu = cpu_of(RUSAGE_SELF);
	int fd = *(int *)poll->data;
	char byte;

	(void)status;
	(void)events;
	if (read(fd, &byte, 1) <= 0)
		_exit(0);
	if (write(fd, &cpu, sizeof cpu) != sizeof cpu)
		_exit(1);
}

/* The other process: answers everything until the pair of sockets closes; a byte asks
 * for its processor time. */
static void serve(int control)
{
	static struct node server;
	struct server_facts facts;
	uv_poll_t poll;

	uv_loop_init(&loop);
	node_make(&server, ENDPOINT_ANYONE);
	server.is_server = true;
	facts.address = server.address;
	facts.device = server.device.public;
	if (write(control, &facts, sizeof facts) != sizeof facts)
		_exit(1);
	uv_poll_init(&loop, &poll, control);
	poll.data = &control;
	uv_poll_start(&poll, UV_READABLE, on_control);
	uv_run(&loop, UV_RUN_DEFAULT);
}

static double cpu_of_server(int control)
{
	double cpu = 0;

	if (write(control, "?", 1) != 1 || read(control, &cpu, sizeof cpu) != sizeof cpu)
		abort();
	return cpu;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void print_times(const char *what, uint64_t *times, unsigned count)
{
	qsort(times, count, sizeof *times, compare);
	printf("%-44s p50 %6.1f us, p99 %6.1f us\n", what, (double)times[count / 2] / 1e3,
	       (double)times[(size_t)count * 99 / 100] / 1e3);
}

static void wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	poll(&p, 1, -1);
}

static void plain_round_trips(uint64_t *times)
{
	uint8_t message[MESSAGE] = { 0 };
	int fds[2];
	pid_t child;

	struct sockaddr_storage raw[2];
	socklen_t size[2];

	for (int i = 0; i < 2; i++) {
		struct address a = { .family = 4, .ip = { 127, 0, 0, 1 } };

		fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		size[i] = address_to_sockaddr(&a, false, &raw[i]);
		if (bind(fds[i], (struct sockaddr *)&raw[i], size[i]) < 0 ||
		    getsockname(fds[i], (struct sockaddr *)&raw[i], &size[i]) < 0)
			abort();
	}
	child = passing_fork();
	if (child == 0) {
		for (;;) {
			wait_readable(fds[1]);
			if (recv(fds[1], message, sizeof message, 0) != sizeof message)
				_exit(0);
			sendto(fds[1], message, sizeof message, 0, (struct sockaddr *)&raw[0],
			       size[0]);
		}
	}
	for (unsigned i = 0; i < ROUND_TRIPS; i++) {
		mono_ns began = clock_now();

		sendto(fds[0], message, sizeof message, 0, (struct sockaddr *)&raw[1], size[1]);
		wait_readable(fds[0]);
		if (recv(fds[0], message, sizeof message, 0) != sizeof message)
			abort();
		times[i] = clock_now() - began;
	}
	sendto(fds[0], message, 1, 0, (struct sockaddr *)&raw[1], size[1]);
	waitpid(child, NULL, 0);
	close(fds[0]);
	close(fds[1]);
}

static void link_round_trips(struct node *n, uint64_t *times)
{
	n->times = times;
	n->round_trips = 0;
	n->round_trips_max = ROUND_TRIPS;
	n->received = 0;
	send_ping(n, clock_now());
	udp_wake(n->udp);
	awaited("messages there and back on the link");
	while (n->round_trips < ROUND_TRIPS)
		uv_run(&loop, UV_RUN_ONCE);
	awaited_came();
	n->times = NULL;
}

static double sealing_rate(size_t size)
{
	static uint8_t data[65536];
	uint8_t key[32] = { 1 }, nonce[12] = { 2 };
	mono_ns began = clock_now();
	uint64_t sealed = 0;

	while (clock_now() - began < SECOND)
		for (int i = 0; i < 256; i++, sealed += size)
			packet_seal(data, key, nonce, bytes_of(data, size), BYTES(nonce));
	return (double)sealed / 1e6 / seconds(clock_now() - began);
}

static int compare_rates(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* One stream of BULK bytes; messages go there and back beside it where `times` are wanted. */
static double bulk(struct node *n, uint64_t *times)
{
	mono_ns began = clock_now();

	n->is_bulk_done = false;
	n->received = 0;
	n->round_trips = 0;
	n->round_trips_max = BULK_MESSAGES_MAX;
	n->times = times;
	if (link_open(n->link, &n->stream) < 0)
		abort();
	n->to_write = BULK;
	if (times)
		send_ping(n, began);
	udp_wake(n->udp);
	awaited("the end of a stream of 1 GiB");
	while (!n->is_bulk_done)
		uv_run(&loop, UV_RUN_ONCE);
	awaited_came();
	n->times = NULL;
	return (double)BULK / 1e6 / seconds(clock_now() - began);
}

static void bulks(struct node *n, int control)
{
	static uint64_t times[BULK_MESSAGES_MAX];
	double rates[BULK_ROUNDS], sealing[BULK_ROUNDS], ours, theirs;

	ours = cpu_of(RUSAGE_SELF);
	theirs = cpu_of_server(control);
	for (unsigned i = 0; i < BULK_ROUNDS; i++)
		rates[i] = bulk(n, NULL);
	ours = cpu_of(RUSAGE_SELF) - ours;
	theirs = cpu_of_server(control) - theirs;
	for (unsigned i = 0; i < BULK_ROUNDS; i++)
		sealing[i] = sealing_rate(31900);
	qsort(rates, BULK_ROUNDS, sizeof *rates, compare_rates);
	qsort(sealing, BULK_ROUNDS, sizeof *sealing, compare_rates);
	printf("%-44s %6.0f MB/s (of %u: %.0f to %.0f), %.0f %% of sealing\n",
	       "bulk, one stream of 1 GiB, 32 kB datagrams", rates[BULK_ROUNDS / 2],
	       BULK_ROUNDS, rates[0], rates[BULK_ROUNDS - 1],
	       100 * rates[BULK_ROUNDS / 2] / sealing[BULK_ROUNDS / 2]);
	printf("%-44s %6.0f MB/s at 32 kB, %.0f MB/s at 1.4 kB\n",
	       "  libsodium sealing, one core", sealing[BULK_ROUNDS / 2], sealing_rate(1400));
	printf("%-44s %6.2f s a GB sending, %.2f s receiving\n", "  processor",
	       ours / BULK_ROUNDS / (BULK / 1e9), theirs / BULK_ROUNDS / (BULK / 1e9));
	rates[0] = bulk(n, times);
	printf("%-44s %6.0f MB/s\n", "bulk, and messages beside it", rates[0]);
	print_times("  100 B there and back meanwhile", times, n->round_trips);
}

static void handshakes(int control, const struct server_facts *facts)
{
	static struct node diallers[DIALLERS];
	mono_ns began = clock_now(), took;
	double cpu = cpu_of_server(control);
	unsigned ups = 0;

	for (unsigned i = 0; i < DIALLERS; i++) {
		struct node *n = &diallers[i];

		node_make(n, ENDPOINT_ADMITTED);
		n->server = &facts->address;
		n->server_device = &facts->device;
		n->until = began + HANDSHAKE_SECONDS * SECOND;
		dial(n, began);
		udp_wake(n->udp);
	}
	while (clock_now() < began + HANDSHAKE_SECONDS * SECOND)
		uv_run(&loop, UV_RUN_ONCE);
	took = clock_now() - began;
	cpu = cpu_of_server(control) - cpu;
	for (unsigned i = 0; i < DIALLERS; i++)
		ups += diallers[i].ups;
	printf("%-44s %6.0f /s, %.0f us of the server's processor each (%.0f /s a core)\n",
	       "handshakes, IK, address token", ups / seconds(took), cpu / ups * 1e6,
	       ups / cpu);
}

int main(void)
{
	static struct node client;
	static uint64_t times[ROUND_TRIPS];
	struct server_facts facts;
	int control[2];
	pid_t child;

	if (sodium_init() < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, control) < 0)
		return 1;
	child = passing_fork();
	if (child == 0) {
		close(control[0]);
		serve(control[1]);
		_exit(0);
	}
	close(control[1]);
	if (read(control[0], &facts, sizeof facts) != sizeof facts)
		return 1;
	awaited("messages there and back by plain UDP");
	plain_round_trips(times);
	awaited_came();
	print_times("plain UDP, 100 B there and back", times, ROUND_TRIPS);
	uv_loop_init(&loop);
	node_make(&client, ENDPOINT_ADMITTED);
	client.server = &facts.address;
	client.server_device = &facts.device;
	dial(&client, clock_now());
	udp_wake(client.udp);
	awaited("the link");
	while (!client.link)
		uv_run(&loop, UV_RUN_ONCE);
	awaited_came();
	link_round_trips(&client, times);
	print_times("link, 100 B there and back", times, ROUND_TRIPS);
	bulks(&client, control[0]);
	handshakes(control[0], &facts);
	close(control[0]);
	waitpid(child, NULL, 0);
	return 0;
}
