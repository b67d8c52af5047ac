/* Real programs over loopback: what two faces see of the engines between them. Prints each
 * figure with its unit and the figure to reach. The programs are in $PALIQUE_BIN. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/household.h"

enum {
	WARM = 200,
	ROUNDS = 3000,
	SUSTAINED = 60000,
	WINDOW = 2000,
	IDLE_S = 15,
	CONTACTS = 10
};

/* --- figures --- */

static void wait_message(struct face *f)
{
	for (;;) {
		struct json *line = face_next(f);
		bool is = face_is_told(line, "receive");

		json_free(line);
		if (is)
			return;
	}
}

static void measure_latency(const char *what, const char *goal)
{
	static double rounds[ROUNDS];
	struct face a, b;

	face_connect(&a, 1);
	face_connect(&b, 2);
	face_wait_for(&a, 2, "online");
	face_do(&b, "subscribe", NULL);
	for (int i = -WARM; i < ROUNDS; i++) {
		double began = now_s();

		face_say(&a, "send", household_message(2, (unsigned)(i + WARM)));
		wait_message(&b);
		if (i >= 0)
			rounds[i] = now_s() - began;
	}
	household_tell(what, rounds, ROUNDS, goal);
	face_close(&a);
	face_close(&b);
}

/* Until the author is told that the last one is in the reader's store. */
static void measure_sustained(const char *what)
{
	struct face a, b;
	uint64_t last = 0, delivered = 0;
	unsigned said = 0, answered = 0;
	double began;

	face_connect(&a, 1);
	face_connect(&b, 2);
	face_wait_for(&a, 2, "online");
	face_do(&a, "subscribe", NULL);
	began = now_s();
	while (answered < SUSTAINED || delivered < last) {
		struct json *line;

		while (said < SUSTAINED && said - answered < WINDOW)
			face_put(&a, "send", household_message(2, said++));
		line = face_next(&a);
		if (json_get(line, "result")) {
			answered++;
			json_id(json_get(line, "result"), "id", &last);
		} else if (face_is_told(line, "delivery")) {
			json_id(json_get(line, "params"), "upTo", &delivered);
		} else if (json_get(line, "error")) {
			give_up("a message was refused");
		}
		json_free(line);
	}
	printf("%-52s %12.0f messages/s          %s\n", what, SUSTAINED / (now_s() - began),
	       "goal: 50000");
	face_close(&a);
	face_close(&b);
}

static void *udp_echo(void *user)
{
	int fd = *(int *)user;
	uint8_t data[256];
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	ssize_t got;

	while ((got = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&from, &size)) > 1)
		sendto(fd, data, (size_t)got, 0, (struct sockaddr *)&from, size);
	return NULL;
}

static void measure_udp(void)
{
	static double rounds[ROUNDS];
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof at;
	uint8_t data[100] = { 0 };
	int echo = socket(AF_INET, SOCK_DGRAM, 0), fd = socket(AF_INET, SOCK_DGRAM, 0);
	pthread_t thread;

	if (bind(echo, (struct sockaddr *)&at, sizeof at) < 0 ||
	    getsockname(echo, (struct sockaddr *)&at, &size) < 0 ||
	    connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
		give_up("UDP: %s", strerror(errno));
	pthread_create(&thread, NULL, udp_echo, &echo);
	for (int i = -WARM; i < ROUNDS; i++) {
		double began = now_s();

		if (send(fd, data, sizeof data, 0) < 0 || recv(fd, data, sizeof data, 0) < 0)
			give_up("UDP: %s", strerror(errno));
		if (i >= 0)
			rounds[i] = now_s() - began;
	}
	if (send(fd, data, 1, 0) == 1)
		pthread_join(thread, NULL);
	household_tell("100 bytes by plain UDP, there and back", rounds, ROUNDS, "(beside it)");
	close(fd);
	close(echo);
}

static void measure_start(const char *what, pid_t *peer)
{
	enum { TIMES = 11 };
	double rounds[TIMES];

	for (unsigned i = 0; i < TIMES; i++) {
		struct face f;
		double began;

		household_end(*peer);
		nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
		began = now_s();
		*peer = household_start(2);
		face_connect(&f, 2);
		while (!face_sees(&f, 1, "online"))
			if (now_s() - began > HOUSEHOLD_PATIENCE_S)
				give_up("nobody comes online");
		rounds[i] = now_s() - began;
		face_close(&f);
	}
	household_tell(what, rounds, TIMES, "goal: 5 ms");
}

static double cpu_s(pid_t pid)
{
	char path[64];
	double ns = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%lf", &ns) != 1)
		give_up("no %s", path);
	fclose(file);
	return ns / 1e9;
}

static long resident_kb(pid_t pid)
{
	char path[64], line[128];
	long kb = 0;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb;
}

static void measure_idle(pid_t peer, const char *link)
{
	struct face me, other;
	double before;

	face_connect(&me, 1);
	for (unsigned i = 3; i < CONTACTS + 2; i++) {
		household_configure(i, false);
		household_start(i);
		face_connect(&other, i);
		face_join(&other, i, link);
		face_add(&other, 1);
		face_add(&me, i);
		face_wait_for(&me, i, "online");
		face_close(&other);
	}
	face_close(&me);
	household_end(peer); /* begun anew: what it needs, not what a flood left behind */
	peer = household_start(1);
	face_connect(&me, 1);
	for (unsigned i = 2; i < CONTACTS + 2; i++)
		face_wait_for(&me, i, "online");
	face_close(&me);
	nanosleep(&(struct timespec){ .tv_sec = 2 }, NULL);
	before = cpu_s(peer);
	nanosleep(&(struct timespec){ .tv_sec = IDLE_S }, NULL);
	printf("%-52s %12.3f %% of one processor   %s\n",
	       "idle peer with 10 contacts online: CPU", (cpu_s(peer) - before) / IDLE_S * 100,
	       "goal: under 0.2 %");
	printf("%-52s %12.1f MB resident          %s\n",
	       "idle peer with 10 contacts online: memory", (double)resident_kb(peer) / 1024,
	       "goal: under 12 MB");
}

int main(void)
{
	char link[256];
	pid_t first, second;
	struct face a, b;

	household_begin(link);
	for (unsigned i = 1; i <= 2; i++)
		household_configure(i, true);
	first = household_start(1);
	second = household_start(2);
	face_connect(&a, 1);
	face_connect(&b, 2);
	face_join(&a, 1, link);
	face_join(&b, 2, link);
	face_add(&a, 2);
	face_add(&b, 1);
	face_wait_for(&a, 2, "online");
	face_close(&a);
	face_close(&b);

	puts("engine_bench: two engines, a directory, faces at their local APIs, loopback");
	measure_udp();
	measure_start("start of the program to contact shown online", &second);
	measure_latency("100-byte message, API to API, both stores durable", "goal: p50 1 ms");
	measure_sustained("sustained, acknowledged, both stores durable");
	household_end(first);
	household_end(second);
	for (unsigned i = 1; i <= 2; i++)
		household_configure(i, false);
	first = household_start(1);
	second = household_start(2);
	measure_latency("100-byte message, API to API, without durability",
			"goal: p50 0.25 ms");
	measure_sustained("sustained, acknowledged, without durability");
	measure_start("the same with a history of 120,000 messages", &second);
	measure_idle(first, link);
	return 0;
}
