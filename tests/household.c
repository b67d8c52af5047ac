#include "tests/household.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/passing.h"

static const char *folder;
static const char *programs;

double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void give_up(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* --- programs --- */

static pid_t children[HOUSEHOLD_PEERS + 8];
static unsigned child_count;

void household_end(pid_t pid)
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
	while (child_count)
		household_end(children[0]);
}

pid_t household_run(const char *path, const char *const *args)
{
	char log[128];
	pid_t pid = passing_fork();
	int fd;

	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	if (pid > 0) {
		children[child_count++] = pid;
		return pid;
	}
	snprintf(log, sizeof log, "%s/log", folder);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	execv(path, (char *const *)args);
	_exit(127);
}

static pid_t run_ours(const char *program, const char *const *args)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", programs, program);
	return household_run(path, args);
}

void household_ask(char *out, size_t size, const char *format, ...)
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

static void home_of(unsigned peer, char out[96])
{
	snprintf(out, 96, "%s/p%u", folder, peer);
}

void face_connect(struct face *f, unsigned peer)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	double until = now_s() + HOUSEHOLD_PATIENCE_S;
	char home[96];

	home_of(peer, home);
	snprintf(at.sun_path, sizeof at.sun_path, "%s/engine.sock", home);
	memset(f, 0, sizeof *f);
	f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(f->fd, SOL_SOCKET, SO_RCVTIMEO,
		   &(struct timeval){ .tv_sec = HOUSEHOLD_PATIENCE_S }, sizeof(struct timeval));
	while (connect(f->fd, (struct sockaddr *)&at, sizeof at) < 0) {
		if (now_s() > until)
			give_up("no engine at %s", at.sun_path);
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	}
}

void face_close(struct face *f)
{
	close(f->fd);
	buf_clear(&f->in);
	buf_clear(&f->out);
}

/* What was asked leaves at the latest when an answer is waited for. */
static void face_flush(struct face *f)
{
	for (size_t done = 0; done < f->out.size;) {
		ssize_t part = write(f->fd, f->out.data + done, f->out.size - done);

		if (part <= 0)
			give_up("an engine does not listen");
		done += (size_t)part;
	}
	f->out.size = 0;
}

static void face_read(struct face *f)
{
	ssize_t got;

	face_flush(f);
	buf_drop_front(&f->in, f->taken);
	f->taken = 0;
	got = read(f->fd, buf_room(&f->in, 65536), 65536);
	if (got <= 0)
		give_up("an engine hung up, or said nothing for %d s; what it was asked last: "
			"%s",
			HOUSEHOLD_PATIENCE_S, f->asked ? f->asked : "nothing");
	buf_grew(&f->in, (size_t)got);
}

struct bytes face_line(struct face *f)
{
	for (;;) {
		struct bytes rest = bytes_of(f->in.data, f->in.size);
		const uint8_t *line, *end = NULL;

		if (rest.size > f->taken) {
			line = rest.data + f->taken;
			end = memchr(line, '\n', rest.size - f->taken);
		}
		if (end) {
			f->taken += (size_t)(end - line) + 1;
			return bytes_of(line, (size_t)(end - line));
		}
		face_read(f);
	}
}

struct json *face_next(struct face *f)
{
	struct bytes line = face_line(f);
	struct json *json = NULL;

	if (json_parse(&json, line) < 0)
		give_up("not JSON: %.*s", (int)line.size, line.data);
	return json;
}

void face_put_line(struct face *f, struct bytes line)
{
	buf_append(&f->out, line);
	buf_append_byte(&f->out, '\n');
}

void face_say(struct face *f, const char *method, struct json *take_params)
{
	struct json *call = json_set_text(json_object(), "jsonrpc", "2.0");

	json_set_int(call, "id", ++f->id);
	f->asked = method;
	json_set_text(call, "method", method);
	json_set(call, "params", take_params ? take_params : json_object());
	json_print_to(call, &f->out);
	buf_append_byte(&f->out, '\n');
	json_free(call);
	face_flush(f);
}

struct json *face_call(struct face *f, const char *method, struct json *take_params)
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

void face_do(struct face *f, const char *method, struct json *take_params)
{
	json_free(face_call(f, method, take_params));
}

bool face_is_told(const struct json *line, const char *method)
{
	const char *is = json_text(line, "method");

	return is && strcmp(is, method) == 0;
}

/* --- the household: a directory and some peers --- */

pid_t household_start(unsigned peer)
{
	char home[96];

	home_of(peer, home);
	return run_ours("palique", (const char *const[]){ "palique", "daemon", "--foreground",
							  "--home", home, NULL });
}

void household_configure(unsigned peer, bool durable)
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

unsigned household_free_port(int type)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, type, 0);

	if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) < 0)
		give_up("no port: %s", strerror(errno));
	close(fd);
	return ntohs(at.sin_port);
}

void household_name(unsigned peer, char out[16])
{
	snprintf(out, 16, "peer-%u", peer);
}

void face_join(struct face *f, unsigned peer, const char *link)
{
	struct json *params = json_set_text(json_object(), "link", link);
	char name[16];

	household_name(peer, name);
	json_set_text(params, "name", name);
	json_set_text(params, "password", "a long password");
	face_do(f, "join", params);
}

void face_add(struct face *f, unsigned whom)
{
	char name[16];

	household_name(whom, name);
	face_do(f, "addContact", json_set_text(json_object(), "contact", name));
}

bool face_sees(struct face *f, unsigned whom, const char *fact)
{
	char name[16];
	struct json *answer;
	bool is;

	household_name(whom, name);
	answer = face_call(f, "getContact", json_set_text(json_object(), "name", name));
	is = json_bool(json_get(json_get(answer, "result"), "contact"), fact, false);
	json_free(answer);
	return is;
}

void face_wait_for(struct face *f, unsigned whom, const char *fact)
{
	double until = now_s() + HOUSEHOLD_PATIENCE_S;

	while (!face_sees(f, whom, fact)) {
		if (now_s() > until)
			give_up("peer-%u does not become \"%s\"", whom, fact);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

struct json *household_message(unsigned to, unsigned number)
{
	char name[16], text[101];
	int length = snprintf(text, sizeof text, "message %u ", number);

	memset(text + length, '.', sizeof text - 1 - (size_t)length);
	text[100] = 0;
	household_name(to, name);
	return json_set_text(json_set_text(json_object(), "conversation", name), "text", text);
}

/* The server begins meanwhile: it is asked until it answers. */
static void invite(char link[256], const char *data)
{
	double until = now_s() + HOUSEHOLD_PATIENCE_S;

	for (;;) {
		household_ask(link, 256,
			      "%s/palique-directory invite --count 100 --data %s 2>&1",
			      programs, data);
		if (strncmp(link, "palique:", 8) == 0)
			return;
		if (now_s() > until)
			give_up("no invitation: %s", link);
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
}

void household_begin(char link[256])
{
	char data[96], listen[32];

	programs = getenv("PALIQUE_BIN");
	if (!programs)
		programs = "build/bin";
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	folder = passing_folder(NULL);
	atexit(end_all);
	snprintf(data, sizeof data, "%s/directory", folder);
	snprintf(listen, sizeof listen, "127.0.0.1:%u", household_free_port(SOCK_DGRAM));
	household_ask(link, 256, "%s/palique-directory init --data %s %s 2>&1", programs, data,
		      listen);
	run_ours("palique-directory",
		 (const char *const[]){ "palique-directory", "serve", "--data", data,
					"--listen", listen, NULL });
	invite(link, data);
}

const char *household_folder(void)
{
	return folder;
}

/* --- figures --- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

void household_tell(const char *what, double *rounds, unsigned count, const char *goal)
{
	qsort(rounds, count, sizeof *rounds, by_size);
	printf("%-52s p50 %7.3f ms  p99 %7.3f ms   %s\n", what, rounds[count / 2] * 1e3,
	       rounds[count * 99 / 100] * 1e3, goal);
}
