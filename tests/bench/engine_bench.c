/* Real programs over loopback: what two faces see of the engines between them. Prints each
 * figure with its unit and the figure to reach. The programs are in $PALIQUE_BIN. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared/bytes.h"
#include "shared/json.h"

enum {
	PATIENCE_S = 60,
	WARM = 200,
	ROUNDS = 3000,
	SUSTAINED = 60000,
	WINDOW = 2000,
	IDLE_S = 15,
	CONTACTS = 10
};

static char folder[64];
static const char *programs;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void __attribute__((noreturn, format(printf, 1, 2))) give_up(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* --- programs --- */

static pid_t children[CONTACTS + 8];
static unsigned child_count;

static void end_child(pid_t pid)
{
	for (unsigned i = 0; i < child_count; i++) {
		if (children[i] != pid)
			continue;
		kill(pid, SIGTERM);
		waitpid(pid, NULL, 0);
		children[i] = children[--child_count];
		return;
	}
}

static void end_all(void)
{
	char command[128];

	while (child_count)
		end_child(children[0]);
	if (folder[0]) {
		snprintf(command, sizeof command, "rm -rf '%s'", folder);
		if (system(command) != 0)
			fprintf(stderr, "%s stays behind\n", folder);
	}
}

/* A program of ours with its words on standard error in FOLDER/log. */
static pid_t start(const char *program, const char *const *args)
{
	char path[256], log[128];
	pid_t pid = fork();
	int fd;

	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	if (pid > 0) {
		children[child_count++] = pid;
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof path, "%s/%s", programs, program);
	snprintf(log, sizeof log, "%s/log", folder);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	execv(path, (char *const *)args);
	_exit(127);
}

/* What a command of ours prints on its first line. */
static void ask(char *out, size_t size, const char *format, ...)
{
	char command[512];
	va_list args;
	FILE *pipe;

	va_start(args, format);
	vsnprintf(command, sizeof command, format, args);
	va_end(args);
	pipe = popen(command, "r");
	if (!pipe || !fgets(out, (int)size, pipe))
		give_up("nothing came from: %s", command);
	while (fgetc(pipe) != EOF)
		;
	pclose(pipe);
	out[strcspn(out, "\n")] = 0;
}

/* --- a face: one connection to the local API --- */

struct face {
	int fd;
	struct buf in;
	int64_t id;
};

static void home_of(unsigned peer, char out[96])
{
	snprintf(out, 96, "%s/p%u", folder, peer);
}

static void face_connect(struct face *f, unsigned peer)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	double until = now_s() + PATIENCE_S;
	char home[96];

	home_of(peer, home);
	snprintf(at.sun_path, sizeof at.sun_path, "%s/engine.sock", home);
	memset(f, 0, sizeof *f);
	f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	while (connect(f->fd, (struct sockaddr *)&at, sizeof at) < 0) {
		if (now_s() > until)
			give_up("no engine at %s", at.sun_path);
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	}
}

static void face_close(struct face *f)
{
	close(f->fd);
	buf_clear(&f->in);
}

/* The next line as JSON; the caller frees it. */
static struct json *face_next(struct face *f)
{
	for (;;) {
		uint8_t *end = f->in.size ? memchr(f->in.data, '\n', f->in.size) : NULL;
		struct json *line = NULL;
		ssize_t got;

		if (end) {
			size_t size = (size_t)(end - f->in.data);

			if (json_parse(&line, bytes_of(f->in.data, size)) < 0)
				give_up("not JSON: %.*s", (int)size, f->in.data);
			buf_drop_front(&f->in, size + 1);
			return line;
		}
		got = read(f->fd, buf_room(&f->in, 65536), 65536);
		if (got <= 0)
			give_up("an engine hung up");
		buf_grew(&f->in, (size_t)got);
	}
}

static void face_say(struct face *f, const char *method, struct json *take_params)
{
	struct json *call = json_set_text(json_object(), "jsonrpc", "2.0");
	char *line;
	size_t size;

	json_set_int(call, "id", ++f->id);
	json_set_text(call, "method", method);
	json_set(call, "params", take_params ? take_params : json_object());
	line = json_print(call);
	size = strlen(line);
	line[size] = '\n'; /* in the place of the NUL */
	for (size_t done = 0; done < size + 1;) {
		ssize_t part = write(f->fd, line + done, size + 1 - done);

		if (part <= 0)
			give_up("an engine does not listen");
		done += (size_t)part;
	}
	free(line);
	json_free(call);
}

/* Calls and waits for the answer; notifications in between are passed over. */
static struct json *face_call(struct face *f, const char *method, struct json *take_params)
{
	face_say(f, method, take_params);
	for (;;) {
		struct json *line = face_next(f);

		if (json_int(line, "id", -1) != f->id) {
			json_free(line);
			continue;
		}
		if (!json_get(line, "result")) {
			char *text = json_print(line);

			give_up("%s: %s", method, text);
		}
		return line;
	}
}

static void face_do(struct face *f, const char *method, struct json *take_params)
{
	json_free(face_call(f, method, take_params));
}

static bool is_notification(const struct json *line, const char *method)
{
	const char *is = json_text(line, "method");

	return is && strcmp(is, method) == 0;
}

/* --- the household: a directory and some peers --- */

static pid_t peer_start(unsigned peer)
{
	char home[96];

	home_of(peer, home);
	return start("palique", (const char *const[]){ "palique", "daemon", "--foreground",
						       "--home", home, NULL });
}

static void peer_configure(unsigned peer, bool durable)
{
	char path[128], home[96];
	FILE *file;

	home_of(peer, home);
	mkdir(home, 0700);
	snprintf(path, sizeof path, "%s/peer.conf", home);
	file = fopen(path, "w");
	fprintf(file, "listen = 127.0.0.1:0\ndurable = %s\nlog = error\n",
		durable ? "yes" : "no");
	fclose(file);
}

static unsigned free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) < 0)
		give_up("no port: %s", strerror(errno));
	close(fd);
	return ntohs(at.sin_port);
}

static void name_of(unsigned peer, char out[16])
{
	snprintf(out, 16, "peer-%u", peer);
}

static void join(struct face *f, unsigned peer, const char *link)
{
	struct json *params = json_set_text(json_object(), "link", link);
	char name[16];

	name_of(peer, name);
	json_set_text(params, "name", name);
	json_set_text(params, "password", "a long password");
	face_do(f, "join", params);
}

static void add(struct face *f, unsigned whom)
{
	char name[16];

	name_of(whom, name);
	face_do(f, "addContact", json_set_text(json_object(), "contact", name));
}

static bool is_fact(struct face *f, unsigned whom, const char *fact)
{
	char name[16];
	struct json *answer;
	bool is;

	name_of(whom, name);
	answer = face_call(f, "getContact", json_set_text(json_object(), "name", name));
	is = json_bool(json_get(json_get(answer, "result"), "contact"), fact, false);
	json_free(answer);
	return is;
}

static void wait_for(struct face *f, unsigned whom, const char *fact)
{
	double until = now_s() + PATIENCE_S;

	while (!is_fact(f, whom, fact)) {
		if (now_s() > until)
			give_up("peer-%u does not become \"%s\"", whom, fact);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

static struct json *message(unsigned to, unsigned number)
{
	char name[16], text[101];
	int length = snprintf(text, sizeof text, "message %u ", number);

	memset(text + length, '.', sizeof text - 1 - (size_t)length);
	text[100] = 0;
	name_of(to, name);
	return json_set_text(json_set_text(json_object(), "conversation", name), "text", text);
}

/* --- figures --- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void tell(const char *what, double *rounds, unsigned count, const char *goal)
{
	qsort(rounds, count, sizeof *rounds, by_size);
	printf("%-52s p50 %7.3f ms  p99 %7.3f ms   %s\n", what, rounds[count / 2] * 1e3,
	       rounds[count * 99 / 100] * 1e3, goal);
}

static void wait_message(struct face *f)
{
	for (;;) {
		struct json *line = face_next(f);
		bool is = is_notification(line, "receive");

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
	wait_for(&a, 2, "online");
	face_do(&b, "subscribe", NULL);
	for (int i = -WARM; i < ROUNDS; i++) {
		double began = now_s();

		face_say(&a, "send", message(2, (unsigned)(i + WARM)));
		wait_message(&b);
		if (i >= 0)
			rounds[i] = now_s() - began;
	}
	tell(what, rounds, ROUNDS, goal);
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
	wait_for(&a, 2, "online");
	face_do(&a, "subscribe", NULL);
	began = now_s();
	while (answered < SUSTAINED || delivered < last) {
		struct json *line;

		while (said < SUSTAINED && said - answered < WINDOW)
			face_say(&a, "send", message(2, said++));
		line = face_next(&a);
		if (json_get(line, "result")) {
			answered++;
			json_id(json_get(line, "result"), "id", &last);
		} else if (is_notification(line, "delivery")) {
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
	tell("100 bytes by plain UDP, there and back", rounds, ROUNDS, "(beside it)");
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

		end_child(*peer);
		nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
		began = now_s();
		*peer = peer_start(2);
		face_connect(&f, 2);
		while (!is_fact(&f, 1, "online"))
			if (now_s() - began > PATIENCE_S)
				give_up("nobody comes online");
		rounds[i] = now_s() - began;
		face_close(&f);
	}
	tell(what, rounds, TIMES, "goal: 5 ms");
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
		peer_configure(i, false);
		peer_start(i);
		face_connect(&other, i);
		join(&other, i, link);
		add(&other, 1);
		add(&me, i);
		wait_for(&me, i, "online");
		face_close(&other);
	}
	face_close(&me);
	end_child(peer); /* begun anew: what it needs, not what a flood left behind */
	peer = peer_start(1);
	face_connect(&me, 1);
	for (unsigned i = 2; i < CONTACTS + 2; i++)
		wait_for(&me, i, "online");
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
	char data[96], listen[32], link[256];
	pid_t first, second;
	struct face a, b;

	programs = getenv("PALIQUE_BIN");
	if (!programs)
		programs = "build/bin";
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(folder, sizeof folder, "/tmp/palique-bench-XXXXXX");
	if (!mkdtemp(folder))
		give_up("no folder: %s", strerror(errno));
	atexit(end_all);
	snprintf(data, sizeof data, "%s/directory", folder);
	snprintf(listen, sizeof listen, "127.0.0.1:%u", free_port());
	ask(link, sizeof link, "%s/palique-directory init --data %s %s 2>&1", programs, data,
	    listen);
	start("palique-directory",
	      (const char *const[]){ "palique-directory", "serve", "--data", data, "--listen",
				     listen, NULL });
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	ask(link, sizeof link, "%s/palique-directory invite --count 100 --data %s", programs,
	    data);

	for (unsigned i = 1; i <= 2; i++)
		peer_configure(i, true);
	first = peer_start(1);
	second = peer_start(2);
	face_connect(&a, 1);
	face_connect(&b, 2);
	join(&a, 1, link);
	join(&b, 2, link);
	add(&a, 2);
	add(&b, 1);
	wait_for(&a, 2, "online");
	face_close(&a);
	face_close(&b);

	puts("engine_bench: two engines, a directory, faces at their local APIs, loopback");
	measure_udp();
	measure_start("start of the program to contact shown online", &second);
	measure_latency("100-byte message, API to API, both stores durable", "goal: p50 1 ms");
	measure_sustained("sustained, acknowledged, both stores durable");
	end_child(first);
	end_child(second);
	for (unsigned i = 1; i <= 2; i++)
		peer_configure(i, false);
	first = peer_start(1);
	second = peer_start(2);
	measure_latency("100-byte message, API to API, without durability",
			"goal: p50 0.25 ms");
	measure_sustained("sustained, acknowledged, without durability");
	measure_start("the same with a history of 120,000 messages", &second);
	measure_idle(first, link);
	return 0;
}
