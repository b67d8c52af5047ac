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

/* Of all its threads. */
static double cpu_s(pid_t pid)
{
	clockid_t clock;
	struct timespec t;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
		give_up("no clock of process %d", (int)pid);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* `send`, of a text of 100 bytes. */
static void put_text(struct face *f, const char *name, unsigned number)
{
	char text[101], line[256];
	int length = snprintf(text, sizeof text, "message %u ", number);

	memset(text + length, '.', sizeof text - 1 - (size_t)length);
	text[100] = 0;
	length = snprintf(line, sizeof line,
			  "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"send\","
			  "\"params\":{\"conversation\":\"%s\",\"text\":\"%s\"}}",
			  number + 1, name, text);
	face_put_line(f, bytes_of(line, (size_t)length));
}

static bool has(struct bytes line, const char *what)
{
	return memmem(line.data, line.size, what, strlen(what)) != NULL;
}

static uint64_t id_in(struct bytes line, const char *of, const char *key)
{
	struct json *json = NULL;
	uint64_t id = 0;

	if (json_parse(&json, line) < 0 || json_id(json_get(json, of), key, &id) < 0)
		give_up("no %s in %.*s", key, (int)line.size, line.data);
	json_free(json);
	return id;
}

/* Until the author is told that the last one is in the reader's store. One request for each message, WINDOW of
 * them not answered yet; this program takes as little of the
 * processors as it can, so it looks only into those lines that it needs. */
static void measure_sustained(const char *what, pid_t author, pid_t reader)
{
	const pid_t pids[] = { author, reader, getpid() };
	struct face a;
	uint64_t last = 0, delivered = 0;
	unsigned said = 0, answered = 0;
	char name[16];
	double began, took, cpu[3];

	household_name(2, name);
	face_connect(&a, 1);
	face_wait_for(&a, 2, "online");
	face_do(&a, "subscribe", NULL);
	for (unsigned i = 0; i < 3; i++)
		cpu[i] = cpu_s(pids[i]);
	began = now_s();
	while (answered < SUSTAINED || delivered < last) {
		struct bytes line;

		while (said < SUSTAINED && said - answered < WINDOW)
			put_text(&a, name, said++);
		line = face_line(&a);
		if (has(line, "\"result\":")) {
			if (++answered == SUSTAINED)
				last = id_in(line, "result", "id");
		} else if (has(line, "\"method\":\"delivery\"")) {
			delivered = id_in(line, "params", "upTo");
		} else if (has(line, "\"error\":")) {
			give_up("refused: %.*s", (int)line.size, line.data);
		}
	}
	took = now_s() - began;
	printf("%-52s %12.0f messages/s          %s\n", what, SUSTAINED / took, "goal: 50000");
	for (unsigned i = 0; i < 3; i++)
		cpu[i] = (cpu_s(pids[i]) - cpu[i]) / SUSTAINED * 1e6;
	printf("  a message's CPU: %.1f us in its author's engine, %.1f in its reader's, %.1f"
	       " in this program\n",
	       cpu[0], cpu[1], cpu[2]);
	face_close(&a);
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
	measure_sustained("sustained, acknowledged, both stores durable", first, second);
	household_end(first);
	household_end(second);
	for (unsigned i = 1; i <= 2; i++)
		household_configure(i, false);
	first = household_start(1);
	second = household_start(2);
	measure_latency("100-byte message, API to API, without durability",
			"goal: p50 0.25 ms");
	measure_sustained("sustained, acknowledged, without durability", first, second);
	measure_start("the same with a history of 120,000 messages", &second);
	measure_idle(first, link);
	return 0;
}
