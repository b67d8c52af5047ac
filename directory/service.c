#include "directory/service.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "directory/fitness.h"
#include "directory/health.h"
#include "directory/holder_socket.h"
#include "directory/keyholder_child.h"
#include "directory/keystore.h"
#include "directory/metrics.h"
#include "directory/notify.h"
#include "directory/secrets.h"
#include "directory/serve.h"
#include "shared/error.h"
#include "shared/text.h"
#include "shared/udp.h"

/* At the start, for the key-holder to be there: another process may come later, a child that
 * does not end is only slow. */
enum { HOLDER_SECONDS = 5, CHILD_SECONDS = 30 };
#define HOLDER_AT_ONCE (300 * MILLISECOND) /* who is there has answered: nothing to tell */

struct service {
	uv_loop_t loop;
	struct serve *serve;
	struct health *health; /* NULL: not asked for */
	struct holder *holder;
	struct address health_at; /* as configured */
	const struct service_place *place;
	struct config config;
	struct fitness fitness;
	mono_ns fitness_at; /* when it was looked at */
	uv_signal_t term, interrupt, hangup;
	uv_timer_t look, watchdog;
};

/* --- how it goes --- */

static void look(struct service *s)
{
	struct fitness before = s->fitness;
	struct address one;

	fitness_check(&s->fitness, s->place->data, server_registry(serve_server(s->serve)),
		      s->holder, serve_addresses(s->serve, &one, 1));
	fitness_log(&before, &s->fitness);
	s->fitness_at = clock_now();
}

static void on_look(uv_timer_t *timer)
{
	look(timer->data);
}

/* Not for each question anew: whoever asks often is told what was so a moment ago. */
static void look_again(struct service *s)
{
	if (clock_now() - s->fitness_at >= SECOND)
		look(s);
}

static bool is_ready(void *user, struct buf *out)
{
	struct service *s = user;
	char line[128];

	look_again(s);
	for (int i = 0; i < FITNESS_PARTS; i++) {
		int err = s->fitness.err[i];

		snprintf(line, sizeof line, "%s %s\n", fitness_name((enum fitness_part)i),
			 err ? error_name(err) : "ok");
		(void)buf_append(out, bytes_text(line));
	}
	return fitness_is_ready(&s->fitness);
}

static void metrics(void *user, struct buf *out)
{
	struct service *s = user;
	struct server_status status;

	look_again(s);
	server_status(serve_server(s->serve), &status);
	metrics_text(out, &status, &s->fitness);
}

static const struct health_calls health_calls = { .is_ready = is_ready, .metrics = metrics };

/* Another address than before, or none: the old listener stays where the new cannot be. */
static int set_health(struct service *s, const struct config *config, char *reason,
		      size_t reason_size)
{
	struct address bound;
	char text[ADDRESS_TEXT_SIZE];
	struct health *fresh = NULL;
	int err = 0;

	if (config->has_health && s->health && address_equal(&config->health, &s->health_at))
		return 0;
	if (config->has_health)
		err = health_start(&fresh, &s->loop, &config->health, &health_calls, s, &bound,
				   reason, reason_size);
	if (err < 0)
		return err;
	health_stop(s->health);
	s->health = fresh;
	s->health_at = config->health;
	if (fresh) {
		address_print(&bound, text);
		log_event(LOG_NOTICE, "health-listening", "on", text, NULL);
	}
	return 0;
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	notify_send("WATCHDOG=1");
}

/* --- signals --- */

static void on_end(uv_signal_t *signal, int number)
{
	struct service *s = signal->data;

	(void)number;
	notify_send("STOPPING=1");
	log_event(LOG_NOTICE, "stopping", "clients-return-in",
		  log_int(s->config.restart_seconds), NULL);
	uv_close((uv_handle_t *)&s->term, NULL);
	uv_close((uv_handle_t *)&s->interrupt, NULL);
	uv_close((uv_handle_t *)&s->hangup, NULL);
	uv_close((uv_handle_t *)&s->look, NULL);
	uv_close((uv_handle_t *)&s->watchdog, NULL);
	health_stop(s->health);
	s->health = NULL;
	serve_stop(s->serve);
	s->serve = NULL;
	if (s->holder)
		s->holder->close(s->holder);
}

static bool same_listen(const struct config *a, const struct config *b)
{
	if (a->listen_count != b->listen_count)
		return false;
	for (unsigned i = 0; i < a->listen_count; i++)
		if (!address_equal(&a->listen[i], &b->listen[i]))
			return false;
	return true;
}

static bool same_sights(const struct config *a, const struct config *b)
{
	if (a->sight_port != b->sight_port || a->outside_count != b->outside_count)
		return false;
	for (unsigned i = 0; i < a->outside_count; i++)
		if (!address_equal(&a->outside[i], &b->outside[i]))
			return false;
	return true;
}

static void needs_restart(const char *key)
{
	log_event(LOG_WARNING, "config-needs-restart", "key", key, "do",
		  "it holds from the next start on", NULL);
}

static int reload(struct service *s, char *reason, size_t reason_size)
{
	struct config fresh;
	int err;

	config_init(&fresh);
	err = config_read(&fresh, s->place->config_path, reason, reason_size);
	if (err < 0 && err != ERR_NOT_FOUND)
		return err;
	err = set_health(s, &fresh, reason, reason_size);
	if (err < 0)
		return err;
	/* what the command line said goes on */
	fresh.listen_given = s->config.listen_given;
	fresh.json_given = s->config.json_given;
	if (fresh.listen_given) {
		fresh.listen_count = s->config.listen_count;
		memcpy(fresh.listen, s->config.listen, sizeof fresh.listen);
	}
	if (!same_listen(&fresh, &s->config))
		needs_restart("listen");
	if (!same_sights(&fresh, &s->config))
		needs_restart("sight-port, outside-address");
	if (strcmp(fresh.keyholder, s->config.keyholder) != 0)
		needs_restart("keyholder");
	log_init(fresh.log_level, fresh.log_json || fresh.json_given);
	serve_reload(s->serve, &fresh);
	/* what runs, for the next comparison */
	fresh.listen_count = s->config.listen_count;
	memcpy(fresh.listen, s->config.listen, sizeof fresh.listen);
	fresh.sight_port = s->config.sight_port;
	fresh.outside_count = s->config.outside_count;
	memcpy(fresh.outside, s->config.outside, sizeof fresh.outside);
	memcpy(fresh.keyholder, s->config.keyholder, sizeof fresh.keyholder);
	s->config = fresh;
	return 0;
}

static void on_hangup(uv_signal_t *signal, int number)
{
	struct service *s = signal->data;
	char reason[512] = "";

	(void)number;
	notify_reloading(clock_now());
	if (reload(s, reason, sizeof reason) < 0)
		log_event(LOG_ERROR, "config-kept", "reason", reason, "do",
			  "the old one holds: mend it, palique-directory check-config, reload",
			  NULL);
	else
		log_event(LOG_NOTICE, "config-reloaded", NULL);
	notify_send("READY=1");
}

static void on_signal(struct service *s, uv_signal_t *handle, int number, uv_signal_cb call)
{
	uv_signal_init(&s->loop, handle);
	handle->data = s;
	uv_signal_start(handle, call, number);
}

/* --- the life --- */

static void on_timer(struct service *s, uv_timer_t *timer, mono_ns every, uv_timer_cb call)
{
	uv_timer_init(&s->loop, timer);
	timer->data = s;
	if (every != NEVER)
		uv_timer_start(timer, call, every / MILLISECOND, every / MILLISECOND);
}

/* --- the key-holder --- */

static void on_answers(void *user)
{
	struct service *s = user;

	if (s->serve)
		serve_wake(s->serve);
}

/* The child that has the secrets. Those of an older directory are moved to it first. */
static int begin_child(struct service *s, char *reason, size_t reason_size)
{
	struct holder_dialer dialer;
	char folder[PATH_MAX];
	int err;

	secrets_folder(folder, s->place->data);
	if (s->place->secrets)
		snprintf(folder, sizeof folder, "%s", s->place->secrets);
	err = keystore_split(s->place->data, folder, reason, reason_size);
	if (err < 0)
		return err;
	dialer = keyholder_child(folder, s->place->keyholder_user,
				 s->config.log_json || s->config.json_given);
	s->holder = holder_socket_new(&s->loop, &dialer, on_answers, s);
	err = holder_socket_meet(s->holder, CHILD_SECONDS * SECOND, true);
	if (err < 0)
		snprintf(
			reason, reason_size,
			_("The key-holder with the secrets in %s does not start; above it says "
			  "why. If they are lost: palique-directory keyholder join FILE FILE "
			  "--secrets %s"),
			folder, folder);
	return err;
}

static int begin_holder(struct service *s, char *reason, size_t reason_size)
{
	struct holder_dialer dialer;

	if (!s->config.keyholder[0])
		return begin_child(s, reason, reason_size);
	dialer = holder_dialer_path(s->config.keyholder);
	s->holder = holder_socket_new(&s->loop, &dialer, on_answers, s);
	/* devices log in without it; and when it comes it is found */
	if (holder_socket_meet(s->holder, HOLDER_AT_ONCE, false) < 0) {
		log_event(LOG_WARNING, "keyholder-awaited", "socket", s->config.keyholder,
			  "seconds", log_int(HOLDER_SECONDS), "do",
			  "systemctl status palique-keyholder", NULL);
		(void)holder_socket_meet(s->holder, HOLDER_SECONDS * SECOND, false);
	}
	return 0;
}

static int begin_serving(struct service *s, char *reason, size_t reason_size)
{
	int err = serve_start(&s->serve, &s->loop, s->place->data, &s->config, s->holder,
			      reason, reason_size);

	if (err == ERR_EXISTS) {
		size_t used = strlen(reason);

		snprintf(reason + used, reason_size - used,
			 _(" Try: palique-directory serve --data %s --listen "
			   "ADDRESS:OTHER-PORT"),
			 s->place->data);
	}
	if (!err) {
		err = set_health(s, &s->config, reason, reason_size);
		if (err < 0)
			serve_stop(s->serve);
	}
	return err;
}

static int begin(struct service *s, char *reason, size_t reason_size)
{
	int err = begin_holder(s, reason, reason_size);

	/* who has no directory here is told so by who knows best what to do about it */
	if (!err || (err == ERR_NOT_FOUND && !s->holder))
		err = begin_serving(s, reason, reason_size);
	if (err < 0) {
		if (s->holder)
			s->holder->close(s->holder);
		return err;
	}
	on_signal(s, &s->term, SIGTERM, on_end);
	on_signal(s, &s->interrupt, SIGINT, on_end);
	on_signal(s, &s->hangup, SIGHUP, on_hangup);
	on_timer(s, &s->look, FITNESS_SECONDS * SECOND, on_look);
	on_timer(s, &s->watchdog, notify_watchdog(), on_watchdog);
	look(s);
	notify_send("READY=1");
	log_event(LOG_NOTICE, "ready", NULL);
	return 0;
}

int service_run(const struct service_place *place, const struct config *config, char *reason,
		size_t reason_size)
{
	struct service s = { .place = place, .config = *config };
	int err;

	if (uv_loop_init(&s.loop) < 0) {
		snprintf(reason, reason_size, "%s", _("The event loop cannot start."));
		return ERR_IO;
	}
	err = begin(&s, reason, reason_size);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	uv_loop_close(&s.loop);
	if (!err)
		log_event(LOG_NOTICE, "stopped", NULL);
	return err;
}
