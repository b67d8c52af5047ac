#include "directory/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "directory/admin.h"
#include "directory/sockets.h"
#include "shared/error.h"
#include "shared/lines.h"
#include "shared/text.h"
#include "shared/udp.h"

struct serve {
	char *data;
	struct server *server;
	struct udp *udp;
	struct lines_server *admin;
	int lock; /* a locked file, or -1 */
	uint32_t restart_seconds;
	struct holder *holder; /* borrowed; NULL: in this process */
	struct sockets sockets;
	mono_ns looked_at; /* when the machine's addresses were read */
};

/* A machine's addresses may change without anybody telling us. */
#define LOOK_AGAIN (60 * SECOND)

static void look_around(struct serve *s, mono_ns now)
{
	struct sight list[SIGHTS_MAX];

	s->looked_at = now;
	server_set_sights(s->server, list, sockets_sights(&s->sockets, list));
}

static mono_ns on_step(void *user, mono_ns now)
{
	struct serve *s = user;

	if (now >= s->looked_at + LOOK_AGAIN)
		look_around(s, now);
	return server_step(s->server, now, clock_wall());
}

/* --- the admin socket --- */

static void on_line(void *user, struct lines *from, struct bytes line)
{
	struct serve *s = user;
	struct json *request = NULL, *answer;
	char *text;

	json_parse(&request, line);
	text_use(json_text(request, "language")); /* who asks is told in their own */
	answer = serve_admin(s, request);
	text_use(NULL);
	text = json_print(answer);
	lines_send(from, bytes_text(text));
	free(text);
	json_free(answer);
	json_free(request);
}

static void on_gone(void *user, struct lines *who)
{
	(void)user;
	(void)who;
}

static const struct lines_calls admin_calls = { .on_line = on_line, .on_gone = on_gone };

/* --- start --- */

static int lock_folder(struct serve *s, char *reason, size_t reason_size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/lock", s->data);
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock < 0) {
		snprintf(reason, reason_size, _("%s cannot be opened: %s."), path,
			 strerror(errno));
		return ERR_IO;
	}
	if (flock(s->lock, LOCK_EX | LOCK_NB) < 0) {
		snprintf(reason, reason_size,
			 _("Another process serves %s. Ask it: palique-directory status --data "
			   "%s"),
			 s->data, s->data);
		return ERR_LOCKED;
	}
	return 0;
}

static int listen_for_admin(struct serve *s, uv_loop_t *loop, char *reason, size_t reason_size)
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof path, "%s/admin.sock", s->data);
	err = lines_listen(&s->admin, loop, path, &admin_calls, s);
	if (err < 0)
		snprintf(reason, reason_size, _("Cannot listen on %s: %s."), path,
			 error_text(err));
	return err;
}

/* Frees what no handle of libuv refers to; the rest goes with serve_stop(). */
static void release(struct serve *s)
{
	if (s->lock >= 0)
		close(s->lock);
	server_close(s->server);
	free(s->data);
	free(s);
}

int serve_start(struct serve **out, uv_loop_t *loop, const char *data,
		const struct config *config, struct holder *holder, char *reason,
		size_t reason_size)
{
	struct server_config sc = config_for_server(config, data);
	struct serve *s = memory_new(sizeof *s);
	int err;

	sc.holder = holder;
	*out = NULL;
	s->lock = -1;
	s->data = memory_text(data);
	s->restart_seconds = config->restart_seconds;
	s->holder = holder;
	/* the server first: it knows best what to say of a folder without a directory */
	err = server_open(&s->server, &sc, clock_now(), clock_wall(), reason, reason_size);
	if (!err)
		err = lock_folder(s, reason, reason_size);
	if (!err) {
		err = udp_new(&s->udp, loop, server_endpoint(s->server), on_step, s);
		if (err < 0)
			snprintf(reason, reason_size, _("The network cannot be used: %s."),
				 error_text(err));
	}
	if (err < 0) {
		release(s);
		return err;
	}
	err = sockets_open(&s->sockets, s->udp, config, reason, reason_size);
	look_around(s, clock_now());
	if (!err)
		err = listen_for_admin(s, loop, reason, reason_size);
	if (err < 0) {
		serve_stop(s);
		return err;
	}
	*out = s;
	return 0;
}

void serve_stop(struct serve *s)
{
	if (s->admin)
		lines_server_close(s->admin);
	server_goodbye(s->server, s->restart_seconds, clock_now());
	udp_close(s->udp); /* sends the goodbyes; uses the endpoint no more afterwards */
	release(s);
}

void serve_reload(struct serve *s, const struct config *config)
{
	struct server_config sc = config_for_server(config, s->data);

	sc.holder = s->holder;
	s->restart_seconds = config->restart_seconds;
	server_configure(s->server, &sc);
	udp_wake(s->udp);
}

void serve_wake(struct serve *s)
{
	udp_wake(s->udp);
}

struct server *serve_server(struct serve *s)
{
	return s->server;
}

struct json *serve_admin(struct serve *s, const struct json *request)
{
	struct json *answer;

	server_step(s->server, clock_now(),
		    clock_wall()); /* it may not have looked at a clock for long */
	answer = admin_server(s->server, request);
	udp_wake(s->udp); /* what it changed shall be told */
	return answer;
}

unsigned serve_addresses(const struct serve *s, struct address *out, unsigned max)
{
	unsigned count = s->sockets.main_count < max ? s->sockets.main_count : max;

	for (unsigned i = 0; i < count; i++)
		out[i] = s->sockets.opened[i].bound;
	return count;
}
