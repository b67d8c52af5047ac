#include "peer/daemon_inside.h"

#include <stdio.h>

#include "shared/error.h"
#include "shared/text.h"
#include "shared/udp_socket.h"

/* --- the directory in this process --- */

int daemon_host(void *user, const struct address *listen, char *reason, size_t reason_size)
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

/* --- the whole --- */

void daemon_stop(void *user)
{
	struct daemon *d = user;

	d->wants_stop = true;
	if (!d->is_stopping)
		udp_wake(d->udp);
}

static void on_wake(void *user)
{
	struct daemon *d = user;

	if (!d->is_stopping)
		udp_wake(d->udp);
}

void daemon_open_api(struct daemon *d)
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
	struct api_config api = {
		.engine = d->engine,
		.home = &d->home,
		.config = &d->config,
		.started = clock_wall(),
		.user = d,
		.send = daemon_face_send,
		.backlog = daemon_face_backlog,
		.end = daemon_face_end,
		.wake = on_wake,
		.stop = daemon_stop,
		.host = daemon_host,
		.host_status = on_host_status,
		.host_invite = on_host_invite,
		.export_account = on_export,
		.export_status = on_export_status,
		.export_history = on_export_history,
		.export_history_status = on_export_history_status,
		.open_web = daemon_open_web,
		.close_web = daemon_close_web,
		.happened = daemon_happened,
		.seen = daemon_seen,
	};

	d->exporter = exporter_new(&config);
	d->history_export = history_export_new(&history);
	d->api = api_new(&api);
}
