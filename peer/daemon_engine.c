#include "peer/daemon_inside.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer/filing.h"
#include "peer/image.h"
#include "peer/import.h"
#include "peer/lan.h"
#include "peer/listening.h"
#include "peer/spool.h"
#include "peer/store_key.h"
#include "peer/upnp_child.h"
#include "shared/error.h"
#include "shared/log.h"
#include "shared/text.h"
#include "shared/worker.h"

enum { PRESSED_MS = 10 }; /* how soon to look whether a slow face has read on */

/* --- its store --- */

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

int daemon_open_engine(struct daemon *d, const struct daemon_options *options, char *reason,
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
	if (err == 0 && options->begin_anew)
		err = store_key_begin_anew(&d->home, reason, reason_size);
	if (err < 0 && options->begin_anew)
		d->hint = "palique status";
	if (err == 0)
		err = open_key(d, options->passphrase_fd, reason, reason_size);
	if (err == 0)
		err = engine_open(&d->engine, &config, clock_now(), clock_wall(), reason,
				  reason_size);
	if (err == 0)
		spool_sweep(&d->home, d->engine, 0);
	if (err == 0 && store_key_store_is_made(&d->home) < 0)
		log_event(LOG_WARNING, "store-not-remembered", NULL);
	return err;
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

int daemon_open_udp(struct daemon *d, char *reason, size_t reason_size)
{
	int err = udp_new(&d->udp, &d->loop, engine_endpoint(d->engine), on_step, d);

	if (err < 0)
		return err;
	worker_learn(JOB_UPNP, upnp_child_run);
	worker_learn(JOB_IMAGE, image_run);
	worker_learn(JOB_FILING, filing_run);
	return listening_begin(d->udp, &d->home, &d->config, &d->bound, reason, reason_size);
}

static void on_last_job_done(void *user, const struct job *answer)
{
	(void)user;
	if (answer->err < 0)
		log_event(LOG_INFO, "port-stays-mapped", "error", log_error(answer->err), NULL);
}

/* What a datagram cannot take back the worker does, while the rest is closed: the loop ends when
 * that is done, or given up. */
void daemon_say_goodbye(struct daemon *d)
{
	struct job job;

	engine_goodbye(d->engine, clock_now());
	if (engine_last_job(d->engine, &job))
		worker_run(&d->loop, &job, on_last_job_done, NULL);
}

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

void daemon_watch_network(struct daemon *d)
{
	set_reach(d);
	d->watch = netwatch_new(&d->loop, &d->bound, d->config.metered, on_network, d);
	on_network(d, netwatch_network(d->watch));
}

void daemon_take_config(struct daemon *d, const struct peer_config *fresh)
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
