#include "peer/daemon_inside.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/error.h"
#include "shared/log.h"
#include "shared/text.h"
#include "shared/worker.h"

enum {
	LOCK_WAIT_S = 10, /* for an engine that is just leaving */
	EXIT_FAILED = 1,
	EXIT_LOCKED = 3,
};

/* --- the beginning --- */

static void shut_the_windows(void)
{
	struct rlimit none = { 0, 0 };

	umask(077);
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		log_event(LOG_WARNING, "memory-may-be-dumped", NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file too large is an error like a full disk */
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct daemon *d = handle->data;
	char path[HOME_PATH_MAX], reason[512];
	struct peer_config fresh;

	if (number != SIGHUP) {
		log_event(LOG_NOTICE, "stopping", NULL);
		daemon_stop(d);
	} else if (home_path(&d->home, "peer.conf", path) == 0 &&
		   peer_config_read(&fresh, path, reason, sizeof reason) == 0) {
		daemon_take_config(d, &fresh);
	} else {
		log_event(LOG_ERROR, "config-refused", "reason", reason, NULL);
	}
}

/* False: there is no memory for it, or no descriptor. */
static bool start_loop(struct daemon *d)
{
	static const int numbers[DAEMON_SIGNALS] = { SIGTERM, SIGINT, SIGHUP };

	if (uv_loop_init(&d->loop) < 0)
		return false;
	uv_timer_init(&d->loop, &d->pressed_timer);
	d->pressed_timer.data = d;
	for (unsigned i = 0; i < DAEMON_SIGNALS; i++) {
		if (uv_signal_init(&d->loop, &d->signals[i]) < 0)
			return false;
		d->signals[i].data = d;
		uv_signal_start(&d->signals[i], on_signal, numbers[i]);
	}
	return true;
}

/* The home's configuration, and the lock on it. */
static int enter_home(struct daemon *d, const struct daemon_options *options, char *reason,
		      size_t reason_size)
{
	char path[HOME_PATH_MAX];
	int err = home_path(&d->home, "peer.conf", path);

	if (err == 0)
		err = peer_config_read(&d->config, path, reason, reason_size);
	if (err < 0)
		return err;
	if (options->is_verbose)
		d->config.log = LOG_DEBUG;
	if (options->is_quiet)
		d->config.log = LOG_ERROR;
	log_init(d->config.log, false);
	d->lock = home_lock(&d->home, options->ready_fd >= 0 ? LOCK_WAIT_S : 0);
	if (d->lock >= 0)
		return 0;
	d->is_not_needed = d->lock == ERR_EXISTS;
	snprintf(reason, reason_size, _("another engine runs in %s"), d->home.folder);
	return d->is_not_needed ? ERR_LOCKED : d->lock;
}

static int begin(struct daemon *d, const struct daemon_options *options, char *reason,
		 size_t reason_size)
{
	int err = enter_home(d, options, reason, reason_size);

	if (err == 0)
		err = daemon_open_engine(d, options, reason, reason_size);
	if (err < 0)
		return err;
	daemon_open_api(d);
	err = daemon_open_udp(d, reason, reason_size);
	if (err == 0)
		err = daemon_listen(d, reason, reason_size);
	if (err < 0)
		return err;
	daemon_open_desktop(d);
	daemon_watch_network(d);
	/* Before our own line to it: the account of this home may live there. */
	if (host_exists(&d->home) && daemon_host(d, NULL, reason, reason_size) < 0)
		log_event(LOG_ERROR, "directory-not-hosted", "reason", reason, NULL);
	udp_wake(d->udp);
	return 0;
}

/* One line, for the program that began us and waits. */
static void say_ready(int fd, int err, const char *reason, const char *hint)
{
	char line[1024];
	int size;

	if (fd < 0)
		return;
	if (err == 0)
		size = snprintf(line, sizeof line, "ready\n");
	else
		size = snprintf(line, sizeof line, "%s %s%s%s\n", error_name(err), reason,
				*hint ? "\t" : "", hint);
	if (size > (int)sizeof line)
		size = sizeof line;
	if (write(fd, line, (size_t)size) < 0)
		log_event(LOG_DEBUG, "nobody-waits", NULL);
	close(fd);
}

/* To whoever waits for it: that program, or a person, who reads no log. */
static void say_how_it_began(const struct daemon *d, const struct daemon_options *options,
			     int err, const char *reason)
{
	say_ready(options->ready_fd, d->is_not_needed ? 0 : err, reason, d->hint);
	if (err == 0) {
		log_event(LOG_NOTICE, "started", "port", log_int(d->bound.port), NULL);
	} else if (options->ready_fd < 0) {
		fprintf(stderr, "palique: %s\n", reason);
		if (*d->hint)
			fprintf(stderr, "  %s %s\n", _("try:"), d->hint);
	} else if (!d->is_not_needed) {
		log_event(LOG_ERROR, "not-started", "error", log_error(err), "reason", reason,
			  NULL);
	}
}

/* --- the end --- */

static void close_handles(struct daemon *d)
{
	d->is_stopping = true;
	worker_stop();
	exporter_close(d->exporter);
	history_export_close(d->history_export);
	if (d->engine)
		daemon_say_goodbye(d);
	if (d->udp)
		udp_close(d->udp);
	if (d->host)
		host_close(d->host);
	if (d->server)
		lines_server_close(d->server);
	if (d->bot_server)
		lines_server_close(d->bot_server);
	daemon_close_web(d);
	desktop_close(d->desktop);
	d->desktop = NULL;
	browser_close(d->browser);
	netwatch_close(d->watch);
	uv_close((uv_handle_t *)&d->pressed_timer, NULL);
	for (unsigned i = 0; i < DAEMON_SIGNALS; i++)
		uv_close((uv_handle_t *)&d->signals[i], NULL);
}

/* When the loop has ended. */
static void daemon_free(struct daemon *d)
{
	if (d->web)
		d->web_face->free(d->web);
	daemon_free_faces(d); /* of lines that were closed with the socket */
	api_free(d->api);
	exporter_free(d->exporter);
	history_export_free(d->history_export);
	engine_close(d->engine);
	sodium_free(d->secrets); /* wipes */
	if (d->lock >= 0)
		close(d->lock); /* last: who waits for it may open the store */
	free(d);
}

/* Where nothing of it could begin, not even the loop. */
static int give_up(struct daemon *d, const struct daemon_options *options, int err,
		   const char *reason)
{
	say_ready(options->ready_fd, err, reason, "");
	fprintf(stderr, "palique: %s\n", reason);
	daemon_free(d);
	return EXIT_FAILED;
}

int daemon_run(const struct daemon_options *options)
{
	struct daemon *d = memory_new(sizeof *d);
	char reason[1024] = "";
	int err;

	d->lock = -1;
	d->hint = "";
	d->web_face = options->web;
	shut_the_windows();
	d->secrets = sodium_malloc(sizeof *d->secrets);
	if (!d->secrets)
		abort();
	memset(d->secrets, 0, sizeof *d->secrets);
	err = home_find(&d->home, options->home, reason, sizeof reason);
	if (err == 0 && !start_loop(d)) {
		err = ERR_IO;
		snprintf(reason, sizeof reason, "%s", _("The event loop cannot start."));
	}
	if (err < 0)
		return give_up(d, options, err, reason);
	err = begin(d, options, reason, sizeof reason);
	if (err < 0 && !reason[0])
		snprintf(reason, sizeof reason, "%s", error_text(err));
	say_how_it_began(d, options, err, reason);
	if (err == 0)
		uv_run(&d->loop, UV_RUN_DEFAULT);
	close_handles(d);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	uv_loop_close(&d->loop);
	daemon_free(d);
	return err == 0 ? 0 : err == ERR_LOCKED ? EXIT_LOCKED : EXIT_FAILED;
}
