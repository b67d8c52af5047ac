#include "peer/daemon.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "peer/api/api.h"
#include "peer/browser.h"
#include "peer/config.h"
#include "peer/desktop.h"
#include "peer/exporter.h"
#include "peer/history_export.h"
#include "peer/filing.h"
#include "peer/home.h"
#include "peer/host.h"
#include "peer/image.h"
#include "peer/import.h"
#include "peer/lan.h"
#include "peer/listening.h"
#include "peer/netwatch.h"
#include "peer/spool.h"
#include "peer/store_key.h"
#include "peer/upnp_child.h"
#include "shared/error.h"
#include "shared/lines.h"
#include "shared/log.h"
#include "shared/text.h"
#include "shared/udp.h"
#include "shared/udp_socket.h"
#include "shared/worker.h"

enum {
	LOCK_WAIT_S = 10, /* for an engine that is just leaving */
	PRESSED_MS = 10,  /* how soon to look whether a slow face has read on */
	EXIT_FAILED = 1,
	EXIT_LOCKED = 3,
	PASSPHRASE_MAX = 1024, /* bytes */
};

/* In guarded memory. The key stays: an export needs it, and a locked home has it nowhere else. */
struct secrets {
	struct symmetric_key key;
	size_t size;
	uint8_t passphrase[PASSPHRASE_MAX + 1];
};

struct daemon {
	uv_loop_t loop;
	uv_timer_t pressed_timer;
	uv_signal_t signals[3];
	struct home home;
	struct peer_config config;
	struct secrets *secrets;
	struct engine *engine;
	struct exporter *exporter;
	struct history_export *history_export;
	struct udp *udp;
	struct api *api;
	struct lines_server *server, *bot_server;
	struct host *host;
	struct netwatch *watch;
	struct desktop *desktop;
	struct browser *screen; /* where a browser can be begun; NULL: none */
	struct address bound;
	int lock;
	bool wants_stop, is_stopping;
	bool is_deaf;       /* told that the LAN cannot be heard */
	bool is_not_needed; /* another one is there */
	const char *hint;   /* what to type when it does not start; "": the reason says it */
	const struct daemon_web *browser; /* NULL: no such face */
	struct web *web;                  /* NULL until somebody wants it */
	struct face *faces;
};

/* A client of the API: on the socket, or a page of a face in this process. */
struct face {
	struct face *next, **back; /* among all of them */
	struct daemon *daemon;
	struct lines *lines; /* NULL: a page */
	struct web_page *page;
	struct api_client *client;
};

/* --- the network --- */

/* Without it the LAN's contacts are found by the directory all the same. */
static void hear_lan(struct daemon *d, const struct network *n)
{
	int err = udp_join(d->udp, lan_groups, LAN_GROUPS, n->links,
			   d->config.has_lan ? n->link_count : 0);

	if (err == 0 || d->is_deaf)
		return;
	d->is_deaf = true;
	log_event(LOG_WARNING, "lan-not-heard", "error", log_error(err), NULL);
}

static void on_network(void *user, const struct network *n)
{
	struct daemon *d = user;

	if (d->is_stopping)
		return;
	hear_lan(d, n);
	engine_set_network(d->engine, n);
	api_set_addresses(d->api, n->addresses, n->address_count, n->port);
	if (d->host)
		host_set_addresses(d->host, n->addresses, n->address_count);
	udp_wake(d->udp);
}

static void set_reach(struct daemon *d)
{
	const struct engine_reach_settings settings = { .maps_ports = d->config.maps_ports,
							.has_lan = d->config.has_lan };

	engine_set_reach(d->engine, &settings);
}

static void watch_network(struct daemon *d)
{
	set_reach(d);
	d->watch = netwatch_new(&d->loop, &d->bound, d->config.metered, on_network, d);
	on_network(d, netwatch_network(d->watch));
}

/* --- the engine's turn --- */

static void on_job_done(void *user, const struct job *answer)
{
	struct daemon *d = user;

	engine_job_done(d->engine, answer);
	if (!d->is_stopping)
		udp_wake(d->udp);
}

static void on_pressed_timer(uv_timer_t *timer)
{
	struct daemon *d = timer->data;

	udp_wake(d->udp);
}

static mono_ns on_step(void *user, mono_ns now)
{
	struct daemon *d = user;
	mono_ns deadline = engine_step(d->engine, now, clock_wall());
	struct job job;

	while (engine_next_job(d->engine, &job))
		worker_run(&d->loop, &job, on_job_done, d);
	sodium_memzero(&job, sizeof job);
	if (d->api && api_step(d->api) && !d->is_stopping)
		udp_wake(d->udp);
	if (d->api && api_is_pressed(d->api) && !d->is_stopping)
		uv_timer_start(&d->pressed_timer, on_pressed_timer, PRESSED_MS, 0);
	if (d->wants_stop)
		uv_stop(&d->loop);
	return deadline;
}

/* --- faces --- */

static struct face *face_new(struct daemon *d, struct lines *lines, struct web_page *page,
			     bool is_bot)
{
	struct face *face = memory_new(sizeof *face);

	*face = (struct face){ .daemon = d, .lines = lines, .page = page };
	face->client = (is_bot ? api_connect_guest : api_connect)(d->api, face);
	if (!face->client) {
		log_event(LOG_WARNING, "too-many-faces", NULL);
		free(face);
		return NULL;
	}
	face->next = d->faces;
	face->back = &d->faces;
	if (face->next)
		face->next->back = &face->next;
	d->faces = face;
	return face;
}

static void face_free(struct face *face)
{
	if (!face)
		return;
	api_disconnect(face->client);
	*face->back = face->next;
	if (face->next)
		face->next->back = face->back;
	free(face);
}

static void on_connect(void *user, struct lines *who)
{
	struct face *face = face_new(user, who, NULL, false);

	if (!face)
		lines_close(who);
	else
		lines_set_user(who, face);
}

static void on_connect_bot(void *user, struct lines *who)
{
	struct face *face = face_new(user, who, NULL, true);

	if (!face)
		lines_close(who);
	else
		lines_set_user(who, face);
}

static void on_end(void *connection)
{
	struct face *face = connection;

	/* A page has no token of a bot. */
	if (face->lines)
		lines_close(face->lines);
	face_free(face);
}

static void on_line(void *user, struct lines *from, struct bytes line)
{
	struct face *face = lines_user(from);

	(void)user;
	if (face)
		api_line(face->client, line);
}

static void on_gone(void *user, struct lines *who)
{
	(void)user;
	face_free(lines_user(who));
}

static int on_send(void *connection, struct bytes line)
{
	struct face *face = connection;

	return face->lines ? lines_send(face->lines, line)
			   : face->daemon->browser->send(face->page, line);
}

static size_t on_backlog(void *connection)
{
	struct face *face = connection;

	return face->lines ? lines_backlog(face->lines)
			   : face->daemon->browser->backlog(face->page);
}

static void on_wake(void *user)
{
	struct daemon *d = user;

	if (!d->is_stopping)
		udp_wake(d->udp);
}

/* --- the face in a browser --- */

static void *on_page(void *user, struct web_page *page)
{
	return face_new(user, NULL, page, false);
}

static void on_page_line(void *user, void *client, struct bytes line)
{
	struct face *face = client;

	(void)user;
	api_line(face->client, line);
}

static void on_page_gone(void *user, void *client)
{
	(void)user;
	face_free(client);
}

static int on_spool(void *user, const char *name, char *out, size_t size)
{
	struct daemon *d = user;
	char path[HOME_PATH_MAX];
	int err = spool_is_name(name) ? spool_path(&d->home, name, path) : ERR_NOT_FOUND;

	if (err == 0 && snprintf(out, size, "%s", path) >= (int)size)
		err = ERR_LIMIT;
	return err;
}

static int on_open_web(void *user, uint16_t port, char *url, uint16_t *listens, char *reason,
		       size_t reason_size)
{
	static const struct daemon_web_calls calls = { .connect = on_page,
						       .line = on_page_line,
						       .disconnect = on_page_gone,
						       .spool = on_spool };
	struct daemon *d = user;

	if (!d->browser || d->is_stopping)
		return ERR_STATE;
	if (!d->web)
		d->web = d->browser->make(&d->loop, &calls, d);
	return d->browser->open(d->web, port, url, listens, reason, reason_size);
}

static void on_close_web(void *user)
{
	struct daemon *d = user;

	if (d->web)
		d->browser->close(d->web);
}

/* --- the desktop --- */

static void on_happened(void *user, const struct event *event)
{
	struct daemon *d = user;
	const char *who = event->kind == EVENT_HEARD ? event->message.contact.text
						     : event->name.text;
	struct attention_rules rules;
	struct contact contact;
	struct profile profile;

	if (!d->desktop || !attention_wants(event))
		return;
	engine_profile(d->engine, &profile);
	rules.notifications = engine_notifications(d->engine);
	rules.is_busy = profile.availability == BUSY;
	rules.is_looked_at = api_is_looked_at(d->api, who);
	rules.is_decided = engine_contact(d->engine, who, &contact) < 0 ||
			   (contact.state != CONTACT_REQUESTS && !contact.is_key_changed);
	desktop_hear(d->desktop, event, &rules);
}

/* In the browser: the conversation that it was about. */
static void on_clicked(void *user, const char *name)
{
	struct daemon *d = user;
	char url[API_URL_MAX] = "", reason[256];
	uint16_t port;
	size_t used;
	int err;

	err = on_open_web(d, 0, url, &port, reason, sizeof reason);
	used = strlen(url);
	if (err == 0 && snprintf(url + used, sizeof url - used, "&chat=%s", name) >=
				(int)(sizeof url - used))
		err = ERR_LIMIT;
	if (err == 0)
		err = browser_open(d->screen, url);
	if (err < 0)
		log_event(LOG_WARNING, "not-opened", "error", log_error(err), NULL);
	sodium_memzero(url, sizeof url);
}

static void open_desktop(struct daemon *d)
{
	struct desktop_config config = { .loop = &d->loop, .user = d };

	d->screen = browser_new(&d->loop);
	config.clicked = d->screen && d->browser ? on_clicked : NULL;
	d->desktop = desktop_new(&config);
}

static void on_seen(void *user, const char *name)
{
	struct daemon *d = user;

	if (d->desktop)
		desktop_seen(d->desktop, name);
}

/* --- the directory in this process --- */

static int on_host(void *user, const struct address *listen, char *reason, size_t reason_size)
{
	struct daemon *d = user;
	int err;

	if (d->host) {
		struct address now = host_address(d->host);

		if (!listen || address_equal(listen, &now))
			return 0;
		/* It moves; but not into nowhere. */
		err = udp_socket_try(listen);
		if (err < 0) {
			snprintf(reason, reason_size, "%s", udp_socket_trouble(err));
			return ERR_EXISTS;
		}
		host_close(d->host);
		d->host = NULL;
	}
	err = host_new(&d->host, &d->loop, &d->home, listen, reason, reason_size);
	if (d->host) {
		struct address near = host_near(d->host);
		const struct network *n = netwatch_network(d->watch);

		host_set_addresses(d->host, n->addresses, n->address_count);
		engine_directory_here(d->engine, host_key(d->host), &near);
	}
	return err;
}

static int on_host_status(void *user, struct json *result)
{
	struct daemon *d = user;

	if (!d->host)
		return ERR_STATE;
	host_status(d->host, result);
	return 0;
}

static int on_host_invite(void *user, const struct json *params, struct json *result,
			  char *reason, size_t reason_size)
{
	struct daemon *d = user;

	if (!d->host) {
		snprintf(reason, reason_size, "%s", _("this engine hosts no directory"));
		return ERR_STATE;
	}
	return host_invite(d->host, params, result, reason, reason_size);
}

/* --- an account to be kept --- */

static void on_exported(void *user, uint64_t ticket, int err, const char *detail)
{
	struct daemon *d = user;

	if (d->is_stopping)
		return;
	api_answer(d->api, ticket, err, detail);
	udp_wake(d->udp);
}

static int on_export(void *user, const char *file, struct bytes passphrase, bool replace,
		     uint64_t ticket, char *reason, size_t reason_size)
{
	struct daemon *d = user;

	return exporter_begin(d->exporter, file, passphrase, replace, clock_wall(), ticket,
			      reason, reason_size);
}

static void on_export_status(void *user, struct json *result)
{
	struct daemon *d = user;

	exporter_status(d->exporter, result);
}

static int on_export_history(void *user, const char *path, bool is_page, const char *name,
			     uint64_t ticket, char *reason, size_t reason_size)
{
	struct daemon *d = user;

	return history_export_begin(d->history_export, path,
				    is_page ? TRANSCRIPT_HTML : TRANSCRIPT_JSONL, name,
				    clock_wall(), ticket, reason, reason_size);
}

static void on_export_history_status(void *user, struct json *result)
{
	struct daemon *d = user;

	history_export_status(d->history_export, result);
}

/* --- the end --- */

static void on_last_job_done(void *user, const struct job *answer)
{
	(void)user;
	if (answer->err < 0)
		log_event(LOG_INFO, "port-stays-mapped", "error", log_error(answer->err), NULL);
}

/* What a datagram cannot take back the worker does, while the rest is closed: the loop ends when
 * that is done, or given up. */
static void say_goodbye(struct daemon *d)
{
	struct job job;

	engine_goodbye(d->engine, clock_now());
	if (engine_last_job(d->engine, &job))
		worker_run(&d->loop, &job, on_last_job_done, NULL);
}

static void close_handles(struct daemon *d)
{
	d->is_stopping = true;
	worker_stop();
	exporter_close(d->exporter);
	history_export_close(d->history_export);
	if (d->engine)
		say_goodbye(d);
	if (d->udp)
		udp_close(d->udp);
	if (d->host)
		host_close(d->host);
	if (d->server)
		lines_server_close(d->server);
	if (d->bot_server)
		lines_server_close(d->bot_server);
	on_close_web(d);
	desktop_close(d->desktop);
	d->desktop = NULL;
	browser_close(d->screen);
	netwatch_close(d->watch);
	uv_close((uv_handle_t *)&d->pressed_timer, NULL);
	for (unsigned i = 0; i < 3; i++)
		uv_close((uv_handle_t *)&d->signals[i], NULL);
}

/* The loop ends in the next step: the answer to `stop` leaves with it. */
static void on_stop(void *user)
{
	struct daemon *d = user;

	d->wants_stop = true;
	if (!d->is_stopping)
		udp_wake(d->udp);
}

/* What can change while it runs. */
static void take_config(struct daemon *d, const struct peer_config *fresh)
{
	log_init(fresh->log, false);
	d->config.maps_ports = fresh->maps_ports;
	d->config.has_lan = fresh->has_lan;
	d->config.metered = fresh->metered;
	if (!d->watch)
		return;
	set_reach(d);
	netwatch_set_metered(d->watch, fresh->metered);
	on_network(d, netwatch_network(d->watch));
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct daemon *d = handle->data;

	if (number == SIGHUP) {
		char path[HOME_PATH_MAX], reason[512];
		struct peer_config fresh;
		if (home_path(&d->home, "peer.conf", path) == 0 &&
		    peer_config_read(&fresh, path, reason, sizeof reason) == 0)
			take_config(d, &fresh);
		else
			log_event(LOG_ERROR, "config-refused", "reason", reason, NULL);
		return;
	}
	log_event(LOG_NOTICE, "stopping", NULL);
	on_stop(d);
}

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

/* A line, or all up to the end. */
static int read_passphrase(struct secrets *s, int fd)
{
	for (;;) {
		ssize_t got = read(fd, s->passphrase + s->size, sizeof s->passphrase - s->size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ERR_IO;
		s->size += (size_t)got;
		uint8_t *end = memchr(s->passphrase, '\n', s->size);
		if (end)
			s->size = (size_t)(end - s->passphrase);
		if (end || got == 0)
			return 0;
		if (s->size == sizeof s->passphrase)
			return ERR_LIMIT;
	}
}

/* Blocks for the second that a passphrase takes; nobody waits yet but who started us. */
static int open_key(struct daemon *d, int passphrase_fd, char *reason, size_t reason_size)
{
	struct secrets *s = d->secrets;
	int err = 0;

	if (passphrase_fd >= 0) {
		err = read_passphrase(s, passphrase_fd);
		close(passphrase_fd);
	}
	if (err < 0)
		snprintf(reason, reason_size, "%s", _("the passphrase could not be read"));
	else
		err = store_key_open(&d->home,
				     passphrase_fd >= 0 ? bytes_of(s->passphrase, s->size)
							: bytes_of(NULL, 0),
				     &s->key, reason, reason_size);
	if (err == ERR_LOCKED || err == ERR_AUTH)
		d->hint = "palique unlock";
	sodium_memzero(s->passphrase, sizeof s->passphrase);
	s->size = 0;
	return err;
}

static int open_engine(struct daemon *d, int passphrase_fd, bool begin_anew, char *reason,
		       size_t reason_size)
{
	char store[HOME_PATH_MAX], downloads[HOME_PATH_MAX];
	struct engine_config config = { .store = store,
					.downloads = downloads,
					.key = &d->secrets->key,
					.durable = d->config.durable,
					.device_label = d->config.device,
					.ksf = KSF_ARGON2ID_256M };
	int err = home_path(&d->home, "store.db", store);

	if (err == 0)
		err = home_downloads(&d->home, downloads);
	if (err == 0)
		err = import_settle(&d->home, reason, reason_size);
	if (err == 0 && begin_anew)
		err = store_key_begin_anew(&d->home, reason, reason_size);
	if (err < 0 && begin_anew)
		d->hint = "palique status";
	if (err == 0)
		err = open_key(d, passphrase_fd, reason, reason_size);
	if (err == 0)
		err = engine_open(&d->engine, &config, clock_now(), clock_wall(), reason,
				  reason_size);
	if (err == 0)
		spool_sweep(&d->home, d->engine, 0);
	if (err == 0 && store_key_store_is_made(&d->home) < 0)
		log_event(LOG_WARNING, "store-not-remembered", NULL);
	return err;
}

static void open_exporter(struct daemon *d)
{
	const struct exporter_config config = { .loop = &d->loop,
						.engine = d->engine,
						.home = &d->home,
						.key = &d->secrets->key,
						.ksf = KSF_ARGON2ID_256M,
						.user = d,
						.done = on_exported };
	const struct history_export_config history = {
		.loop = &d->loop, .engine = d->engine, .user = d, .done = on_exported
	};

	d->exporter = exporter_new(&config);
	d->history_export = history_export_new(&history);
}

static int open_api(struct daemon *d, char *reason, size_t reason_size)
{
	static const struct lines_calls calls = { .on_line = on_line,
						  .on_gone = on_gone,
						  .on_connect = on_connect };
	static const struct lines_calls bot_calls = { .on_line = on_line,
						      .on_gone = on_gone,
						      .on_connect = on_connect_bot };
	char path[HOME_PATH_MAX];
	struct api_config config = {
		.engine = d->engine,
		.home = &d->home,
		.config = &d->config,
		.started = clock_wall(),
		.user = d,
		.send = on_send,
		.backlog = on_backlog,
		.wake = on_wake,
		.stop = on_stop,
		.host = on_host,
		.host_status = on_host_status,
		.host_invite = on_host_invite,
		.export_account = on_export,
		.export_status = on_export_status,
		.export_history = on_export_history,
		.export_history_status = on_export_history_status,
		.open_web = on_open_web,
		.close_web = on_close_web,
		.happened = on_happened,
		.seen = on_seen,
		.end = on_end,
	};
	int err;

	d->api = api_new(&config);
	err = lines_listen(&d->server, &d->loop, d->home.socket, &calls, d);
	if (err < 0)
		snprintf(reason, reason_size, _("cannot open the socket %s: %s"),
			 d->home.socket, error_text(err));
	/* Without it programs have no way in, and people have. */
	if (err == 0 && (home_path(&d->home, "bot.sock", path) < 0 ||
			 lines_listen(&d->bot_server, &d->loop, path, &bot_calls, d) < 0))
		log_event(LOG_WARNING, "no-socket-for-bots", NULL);
	return err;
}

/* False: there is no memory for it, or no descriptor. */
static bool start_loop(struct daemon *d)
{
	static const int numbers[3] = { SIGTERM, SIGINT, SIGHUP };

	if (uv_loop_init(&d->loop) < 0)
		return false;
	uv_timer_init(&d->loop, &d->pressed_timer);
	d->pressed_timer.data = d;
	for (unsigned i = 0; i < 3; i++) {
		if (uv_signal_init(&d->loop, &d->signals[i]) < 0)
			return false;
		d->signals[i].data = d;
		uv_signal_start(&d->signals[i], on_signal, numbers[i]);
	}
	return true;
}

static int begin(struct daemon *d, const struct daemon_options *options, char *reason,
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
	d->is_not_needed = d->lock == ERR_EXISTS;
	if (d->lock < 0) {
		snprintf(reason, reason_size, _("another engine runs in %s"), d->home.folder);
		return d->is_not_needed ? ERR_LOCKED : d->lock;
	}
	err = open_engine(d, options->passphrase_fd, options->begin_anew, reason, reason_size);
	if (err < 0)
		return err;
	open_exporter(d);
	err = udp_new(&d->udp, &d->loop, engine_endpoint(d->engine), on_step, d);
	if (err < 0)
		return err;
	err = listening_begin(d->udp, &d->home, &d->config, &d->bound, reason, reason_size);
	if (err == 0)
		err = open_api(d, reason, reason_size);
	if (err < 0)
		return err;
	worker_learn(JOB_UPNP, upnp_child_run);
	worker_learn(JOB_IMAGE, image_run);
	worker_learn(JOB_FILING, filing_run);
	open_desktop(d);
	watch_network(d);
	/* Before our own line to it: the account of this home may live there. */
	if (host_exists(&d->home) && on_host(d, NULL, reason, reason_size) < 0)
		log_event(LOG_ERROR, "directory-not-hosted", "reason", reason, NULL);
	udp_wake(d->udp);
	return 0;
}

int daemon_run(const struct daemon_options *options)
{
	struct daemon *d = memory_new(sizeof *d);
	char reason[1024] = "";
	int err;

	d->lock = -1;
	d->hint = "";
	d->browser = options->web;
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
	if (err < 0) {
		say_ready(options->ready_fd, err, reason, "");
		fprintf(stderr, "palique: %s\n", reason);
		sodium_free(d->secrets);
		free(d);
		return EXIT_FAILED;
	}
	err = begin(d, options, reason, sizeof reason);
	if (err < 0 && !reason[0])
		snprintf(reason, sizeof reason, "%s", error_text(err));
	say_ready(options->ready_fd, d->is_not_needed ? 0 : err, reason, d->hint);
	if (err < 0 && options->ready_fd < 0) {
		/* a person waits, no log is read */
		fprintf(stderr, "palique: %s\n", reason);
		if (*d->hint)
			fprintf(stderr, "  %s %s\n", _("try:"), d->hint);
	} else if (err < 0 && !d->is_not_needed) {
		log_event(LOG_ERROR, "not-started", "error", log_error(err), "reason", reason,
			  NULL);
	} else if (err == 0) {
		log_event(LOG_NOTICE, "started", "port", log_int(d->bound.port), NULL);
		uv_run(&d->loop, UV_RUN_DEFAULT);
	}
	close_handles(d);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	if (d->web)
		d->browser->free(d->web);
	uv_loop_close(&d->loop);
	while (d->faces) /* of lines that were closed with the socket */
		face_free(d->faces);
	api_free(d->api);
	exporter_free(d->exporter);
	history_export_free(d->history_export);
	engine_close(d->engine);
	sodium_free(d->secrets); /* wipes */
	if (d->lock >= 0)
		close(d->lock); /* last: who waits for it may open the store */
	free(d);
	return err == 0 ? 0 : err == ERR_LOCKED ? EXIT_LOCKED : EXIT_FAILED;
}
