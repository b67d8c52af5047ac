#include "directory/keyholder_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "directory/keyholder.h"
#include "directory/notify.h"
#include "directory/sandbox.h"
#include "directory/secrets.h"
#include "shared/error.h"
#include "shared/log.h"
#include "shared/text.h"

enum { ANSWERS = 64 };         /* waiting to be written, for each line: then no more is read */
enum { REFUSED_SECONDS = 60 }; /* between two words in the log about who is refused */

struct line {
	int fd; /* -1: free */
	size_t in_size, out_size;
	uint8_t in[HOLDING_QUESTION_SIZE];
	uint8_t out[ANSWERS * HOLDING_ANSWER_SIZE];
};

struct process {
	const struct keyholder_process *config;
	struct opaque_server *secrets;
	struct keyholder *core;
	int listener, signals; /* -1: none */
	mono_ns quiet_until;   /* who is refused is not written down before */
	struct line lines[KEYHOLDER_LINES_MAX];
};

/* --- lines --- */

static void line_close(struct line *l)
{
	close(l->fd);
	sodium_memzero(l, sizeof *l);
	l->fd = -1;
}

static bool line_has_room(const struct line *l)
{
	return l->out_size + HOLDING_ANSWER_SIZE <= sizeof l->out;
}

/* False: it is over. */
static bool line_read(struct process *p, struct line *l)
{
	while (line_has_room(l)) {
		ssize_t got = read(l->fd, l->in + l->in_size, sizeof l->in - l->in_size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN;
		if (got == 0)
			return false;
		l->in_size += (size_t)got;
		if (l->in_size < sizeof l->in)
			continue;
		l->in_size = 0;
		if (keyholder_answer(p->core, l->in, l->out + l->out_size, clock_now()) < 0) {
			log_event(LOG_WARNING, "not-a-question", NULL);
			return false;
		}
		l->out_size += HOLDING_ANSWER_SIZE;
	}
	return true;
}

static bool line_write(struct line *l)
{
	while (l->out_size) {
		ssize_t put = write(l->fd, l->out, l->out_size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno == EAGAIN;
		l->out_size -= (size_t)put;
		memmove(l->out, l->out + put, l->out_size);
		sodium_memzero(l->out + l->out_size, (size_t)put);
	}
	return true;
}

static struct line *free_line(struct process *p)
{
	for (int i = 0; i < KEYHOLDER_LINES_MAX; i++)
		if (p->lines[i].fd < 0)
			return &p->lines[i];
	return NULL;
}

/* Anybody on this machine may knock as often as they like: that fills no disk. */
static void tell_refused(struct process *p, uid_t user)
{
	if (clock_now() < p->quiet_until)
		return;
	p->quiet_until = clock_now() + REFUSED_SECONDS * SECOND;
	log_event(LOG_WARNING, "refused", "user", log_int(user), NULL);
}

static bool is_allowed(struct process *p, int fd)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	for (unsigned i = 0; i < p->config->allowed_count; i++)
		if (p->config->allowed[i] == peer.uid)
			return true;
	tell_refused(p, peer.uid);
	return false;
}

static void accept_one(struct process *p)
{
	int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct line *l = free_line(p);

	if (fd < 0)
		return;
	if (!l || !is_allowed(p, fd)) {
		close(fd);
		return;
	}
	l->fd = fd;
}

/* --- the loop --- */

/* False: it shall end. */
static bool serve_once(struct process *p)
{
	struct pollfd polled[2 + KEYHOLDER_LINES_MAX] = {
		{ .fd = p->signals, .events = POLLIN },
		{ .fd = free_line(p) ? p->listener : -1, .events = POLLIN },
	};

	for (int i = 0; i < KEYHOLDER_LINES_MAX; i++) {
		struct line *l = &p->lines[i];

		polled[2 + i].fd = l->fd;
		polled[2 + i].events = (line_has_room(l) ? POLLIN : 0) |
				       (l->out_size ? POLLOUT : 0);
	}
	if (poll(polled, 2 + KEYHOLDER_LINES_MAX, -1) < 0)
		return errno == EINTR;
	if (polled[0].revents)
		return false;
	if (polled[1].revents)
		accept_one(p);
	for (int i = 0; i < KEYHOLDER_LINES_MAX; i++) {
		struct line *l = &p->lines[i];

		/* what was accepted a moment ago was not polled */
		if (l->fd < 0 || l->fd != polled[2 + i].fd || !polled[2 + i].revents)
			continue;
		if (line_read(p, l) && line_write(l))
			continue;
		line_close(l);
		if (p->config->line >= 0)
			return false;
	}
	return true;
}

/* --- start --- */

/* A dead socket is replaced; what is no socket, or is answered on, stays. */
static int claim(const struct sockaddr_un *address, char *reason, size_t reason_size)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;
	int err = 0;

	if (fd < 0) {
		snprintf(reason, reason_size, _("Cannot listen on %s: %s."), address->sun_path,
			 strerror(errno));
		return ERR_IO;
	}
	if (lstat(address->sun_path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode)) {
			err = ERR_EXISTS;
			snprintf(reason, reason_size,
				 _("%s is there already and is no socket. Move it away."),
				 address->sun_path);
		} else if (connect(fd, (const struct sockaddr *)address, sizeof *address) ==
			   0) {
			err = ERR_LOCKED;
			snprintf(reason, reason_size, _("Another key-holder listens on %s."),
				 address->sun_path);
		} else {
			unlink(address->sun_path);
		}
	}
	close(fd);
	return err;
}

static int listen_on(struct process *p, char *reason, size_t reason_size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t size = strlen(p->config->socket);
	int err;

	if (size >= sizeof address.sun_path) {
		snprintf(reason, reason_size,
			 _("%s is too long for a socket: %zu letters at most."),
			 p->config->socket, sizeof address.sun_path - 1);
		return ERR_LIMIT;
	}
	memcpy(address.sun_path, p->config->socket, size);
	err = claim(&address, reason, reason_size);
	if (err < 0)
		return err;
	p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Anybody may knock; who is heard is decided by the user at the other end. */
	if (p->listener < 0 ||
	    bind(p->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
	    chmod(address.sun_path, 0666) < 0 || listen(p->listener, 16) < 0) {
		snprintf(reason, reason_size, _("Cannot listen on %s: %s."), p->config->socket,
			 strerror(errno));
		return ERR_IO;
	}
	log_event(LOG_NOTICE, "listening", "socket", p->config->socket, NULL);
	notify_send("READY=1");
	return 0;
}

static int take_line(struct process *p, char *reason, size_t reason_size)
{
	int fd = p->config->line, flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		snprintf(reason, reason_size, _("Nobody is at descriptor %d: %s."), fd,
			 strerror(errno));
		return ERR_IO;
	}
	p->lines[0].fd = fd;
	return 0;
}

static int catch_signals(struct process *p, char *reason, size_t reason_size)
{
	sigset_t ending;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	p->signals = signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals >= 0)
		return 0;
	snprintf(reason, reason_size, _("Signals cannot be caught: %s."), strerror(errno));
	return ERR_IO;
}

static int give_up(const struct process *p, char *reason, size_t reason_size)
{
	int keep[] = { p->signals, p->config->line >= 0 ? p->config->line : p->listener };
	struct sandbox s = {
		.user = p->config->user,
		.keep = keep,
		.keep_count = 2,
		.may_accept = p->listener >= 0,
	};

	if (p->config->is_unprotected)
		return 0;
	tzset(); /* or the first line of the log would open a file */
	return sandbox_enter(&s, reason, reason_size);
}

static int begin(struct process *p, char *reason, size_t reason_size)
{
	struct keyholder_limits limits = keyholder_limits_default();
	int err = secrets_open(&p->secrets, p->config->folder, reason, reason_size);

	if (err < 0)
		return err;
	p->core = keyholder_new(p->secrets, &limits);
	err = catch_signals(p, reason, reason_size);
	if (err < 0)
		return err;
	return p->config->line >= 0 ? take_line(p, reason, reason_size)
				    : listen_on(p, reason, reason_size);
}

static void end(struct process *p)
{
	for (int i = 0; i < KEYHOLDER_LINES_MAX; i++)
		if (p->lines[i].fd >= 0)
			line_close(&p->lines[i]);
	if (p->listener >= 0)
		close(p->listener); /* its name stays: unlink() is one call more to allow */
	if (p->signals >= 0)
		close(p->signals);
	keyholder_free(p->core);
	if (p->secrets)
		secrets_close(p->secrets);
}

int keyholder_process_run(const struct keyholder_process *config, char *reason,
			  size_t reason_size)
{
	struct process p = { .config = config, .listener = -1, .signals = -1 };
	int err;

	for (int i = 0; i < KEYHOLDER_LINES_MAX; i++)
		p.lines[i].fd = -1;
	err = begin(&p, reason, reason_size);
	if (!err)
		err = give_up(&p, reason, reason_size);
	if (!err)
		while (serve_once(&p))
			;
	end(&p);
	if (!err && !config->is_unprotected)
		sandbox_exit(0);
	return err;
}
