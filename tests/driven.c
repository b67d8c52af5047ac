#include "tests/driven.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared/json.h"

uint64_t driven_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void driven_init(struct driven *d)
{
	memset(d, 0, sizeof *d);
	d->fd = -1;
}

void driven_spoil(struct driven *d, const char *preload, const char *faults_path)
{
	int fd = open(faults_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *map;

	if (fd < 0 || ftruncate(fd, sizeof *d->faults) < 0)
		abort();
	map = mmap(NULL, sizeof *d->faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		abort();
	close(fd);
	d->faults = map;
	snprintf(d->preload, sizeof d->preload, "%s", preload);
	snprintf(d->faults_path, sizeof d->faults_path, "%s", faults_path);
}

static void disconnect(struct driven *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	d->in_size = d->out_size = 0;
}

void driven_free(struct driven *d)
{
	driven_kill(d);
	if (d->faults)
		munmap(d->faults, sizeof *d->faults);
	free(d->in);
	free(d->out);
	driven_init(d);
}

/* --- the process --- */

static void become(const struct driven *d)
{
	int log = open(d->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int null = open("/dev/null", O_RDONLY);

	dup2(null, 0);
	dup2(log, 1);
	dup2(log, 2);
	if (d->faults) {
		d->faults->allocating_pid = getpid();
		setenv("PALIQUE_FAULTS", d->faults_path, 1);
		setenv("LD_PRELOAD", d->preload, 1);
	}
	execv(d->command[0], (char *const *)d->command);
	_exit(127);
}

void driven_begin(struct driven *d)
{
	if (d->pid)
		return;
	d->pid = fork();
	if (d->pid < 0)
		abort();
	if (d->pid == 0)
		become(d);
}

void driven_kill(struct driven *d)
{
	disconnect(d);
	if (!d->pid)
		return;
	kill(d->pid, SIGKILL);
	waitpid(d->pid, &d->status, 0);
	d->pid = 0;
}

bool driven_has_ended(struct driven *d)
{
	if (!d->pid || waitpid(d->pid, &d->status, WNOHANG) != d->pid)
		return false;
	disconnect(d);
	d->pid = 0;
	return true;
}

/* --- its API --- */

bool driven_connect(struct driven *d)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (d->fd >= 0)
		return true;
	if (!d->pid || !d->socket[0])
		return false;
	memcpy(to.sun_path, d->socket, sizeof to.sun_path);
	d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->fd >= 0 && connect(d->fd, (struct sockaddr *)&to, sizeof to) < 0) {
		close(d->fd);
		d->fd = -1;
	}
	return d->fd >= 0;
}

static void make_room(char **at, size_t *room, size_t wanted)
{
	if (wanted <= *room)
		return;
	*room = wanted * 2;
	*at = realloc(*at, *room);
	if (!*at)
		abort();
}

void driven_say(struct driven *d, const char *line)
{
	size_t size = strlen(line);

	make_room(&d->out, &d->out_room, d->out_size + size + 1);
	memcpy(d->out + d->out_size, line, size);
	d->out[d->out_size + size] = '\n';
	d->out_size += size + 1;
}

bool driven_pump(struct driven *d)
{
	ssize_t got;

	if (d->fd < 0)
		return false;
	if (d->out_size > 0) {
		got = send(d->fd, d->out, d->out_size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (got < 0 && errno != EAGAIN) {
			disconnect(d);
			return false;
		}
		if (got > 0) {
			memmove(d->out, d->out + got, d->out_size - (size_t)got);
			d->out_size -= (size_t)got;
		}
	}
	for (;;) {
		make_room(&d->in, &d->in_room, d->in_size + 65536);
		got = recv(d->fd, d->in + d->in_size, 65536, MSG_DONTWAIT);
		if (got <= 0)
			break;
		d->in_size += (size_t)got;
	}
	if (got == 0 || errno != EAGAIN) {
		disconnect(d);
		return false;
	}
	return true;
}

struct json *driven_hear(struct driven *d)
{
	struct json *json = NULL;
	char *end;

	while (!json && d->in_size > 0 && (end = memchr(d->in, '\n', d->in_size)) != NULL) {
		size_t size = (size_t)(end - d->in) + 1;

		d->garbled += json_parse(&json, bytes_of((const uint8_t *)d->in, size - 1)) < 0;
		memmove(d->in, d->in + size, d->in_size - size);
		d->in_size -= size;
	}
	return json;
}

struct json *driven_ask(struct driven *d, const char *method, const char *params, unsigned ms)
{
	uint64_t until = driven_now() + ms;
	char line[512];

	if (!driven_connect(d))
		return NULL;
	snprintf(line, sizeof line,
		 "{\"jsonrpc\":\"2.0\",\"id\":\"ask\",\"method\":\"%s\",\"params\":%s}", method,
		 params);
	driven_say(d, line);
	while (driven_now() < until) {
		struct pollfd wait = { .fd = d->fd, .events = POLLIN };
		struct json *json;

		if (!driven_pump(d))
			return NULL;
		while ((json = driven_hear(d)) != NULL) {
			const char *id = json_text(json, "id");

			if (id && strcmp(id, "ask") == 0)
				return json;
			json_free(json);
		}
		poll(&wait, 1, 20);
	}
	return NULL;
}
