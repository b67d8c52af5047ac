#include "directory/server.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "directory/secrets.h"
#include "directory/server_inside.h"
#include "shared/error.h"
#include "shared/frame.h"
#include "shared/log.h"
#include "shared/text.h"

enum { IDLE_SECONDS = 29 }; /* who is silent so long is gone; clients ping each 25 s */

/* --- what is due --- */

static void hurry_guests(struct server *s)
{
	struct session *guest;

	while ((guest = sessions_oldest_guest(s->sessions)) &&
	       guest->since + SESSION_GUEST_SECONDS * SECOND <= s->now)
		server_put_out(s, guest, LINK_CODE_IDLE);
}

static void check_suspects(struct server *s)
{
	struct wire_message m = { .type = WIRE_CHECK };
	struct session *who;
	bool is_gone;

	while ((who = checks_due(&s->checks, s->now, &is_gone))) {
		if (is_gone) {
			server_put_out(s, who, LINK_CODE_IDLE);
			continue;
		}
		m.check.nonce = who->check_nonce;
		server_tell(s, who, &m);
		link_ping(who->link);
	}
}

mono_ns server_step(struct server *s, mono_ns now, wall_ms wall)
{
	struct session *guest;
	mono_ns at;

	s->now = now;
	s->wall = wall;
	server_take_events(s);
	check_suspects(s);
	hurry_guests(s);
	if (failures_deadline(s->desk.failures) <= now)
		failures_flush(s->desk.failures, s->desk.registry, now);
	server_tell_due(s);

	at = mono_earlier(checks_deadline(&s->checks), failures_deadline(s->desk.failures));
	guest = sessions_oldest_guest(s->sessions);
	if (guest)
		at = mono_earlier(at, guest->since + SESSION_GUEST_SECONDS * SECOND);
	return at;
}

/* --- the life of a server --- */

int server_init_ksf(const char *data, enum ksf ksf, char *reason, size_t reason_size)
{
	char folder[PATH_MAX];
	int err;

	if (mkdir(data, 0700) < 0 && errno != EEXIST) {
		snprintf(reason, reason_size, _("%s cannot be made: %s."), data,
			 strerror(errno));
		return ERR_IO;
	}
	/* the keys last: with them the directory is there */
	err = registry_sqlite_create(data, ksf, reason, reason_size);
	if (err < 0)
		return err;
	secrets_folder(folder, data);
	err = secrets_make(folder, reason, reason_size);
	if (err < 0)
		return err;
	return keystore_make(data, reason, reason_size);
}

int server_init(const char *data, char *reason, size_t reason_size)
{
	return server_init_ksf(data, KSF_ARGON2ID_256M, reason, reason_size);
}

void server_configure(struct server *s, const struct server_config *config)
{
	s->desk.registration = config->registration;
	s->place = config->has_place ? config->place : (struct directory_place){ 0 };
	s->online_max = config->online_max ? config->online_max : SERVER_ONLINE_MAX;
	s->guests_max = config->guests_max ? config->guests_max : SERVER_GUESTS_MAX;
	s->contacts_max = config->contacts_max ? config->contacts_max : WIRE_CONTACTS_MAX;
	if (config->has_limits)
		limits_configure(s->desk.limits, &config->limits);
}

/* The holder of `config`, or one in this process with the secrets that lie in `data`. */
static int open_holder(struct server *s, const struct server_config *config, char *reason,
		       size_t reason_size)
{
	int err = 0;

	if (!config->holder)
		err = holder_local_open(&s->own_holder, config->data, reason, reason_size);
	s->desk.holder = config->holder ? config->holder : s->own_holder;
	return err;
}

/* The store, the keys and the key-holder, which fit one another. */
static int open_stores(struct server *s, const struct server_config *config, char *reason,
		       size_t reason_size)
{
	struct login_desk *desk = &s->desk;
	int err = registry_sqlite_open(&desk->registry, config->data, config->is_hasty, reason,
				       reason_size);

	if (!err)
		err = open_holder(s, config, reason, reason_size);
	if (!err)
		err = keystore_open(&s->keys, config->data, reason, reason_size);
	if (err < 0 || !desk->holder->public_key(desk->holder))
		return err;
	if (server_bind_holder(s))
		return 0;
	snprintf(reason, reason_size,
		 _("The accounts in %s were made with another key-holder's secrets. Bring back "
		   "the secrets that belong to them, or the accounts."),
		 config->data);
	return ERR_AUTH;
}

static void close_stores(struct server *s)
{
	if (s->desk.registry)
		s->desk.registry->close(s->desk.registry);
	if (s->own_holder)
		s->own_holder->close(s->own_holder);
	keystore_close(s->keys);
}

int server_open(struct server **out, const struct server_config *config, mono_ns now,
		wall_ms wall, char *reason, size_t reason_size)
{
	struct limits_config limits = limits_default();
	struct endpoint_config ec = {
		.policy = ENDPOINT_ANYONE,
		.idle_timeout = IDLE_SECONDS * SECOND,
		.keep_alive = NEVER,
	};
	struct server *s = memory_new(sizeof *s);
	uint8_t key[16];
	int err;

	*out = NULL;
	err = open_stores(s, config, reason, reason_size);
	if (err < 0) {
		close_stores(s);
		free(s);
		return err;
	}
	s->desk.registry->hurry(s->desk.registry);
	s->now = s->started = now;
	s->wall = wall;
	randombytes_buf(key, sizeof key);
	s->names = names_new(key);
	s->presence = presence_new();
	s->watchers = watchers_new(s->names);
	s->sessions = sessions_new();
	s->introductions = introductions_new(key);
	s->desk.limits = limits_new(&limits, key);
	s->desk.failures = failures_new(key);
	s->desk.ksf = s->desk.registry->ksf(s->desk.registry);
	buf_init(&s->in, SESSION_FRAME_MAX);
	buf_init(&s->out, FRAME_HEADER + FRAME_MAX);
	server_configure(s, config);
	ec.device = s->keys->noise;
	ec.knock = knock_of_directory(&s->keys->noise.public);
	s->endpoint = endpoint_new(&ec, now);
	device_wipe(&ec.device);
	*out = s;
	return 0;
}

void server_goodbye(struct server *s, uint32_t retry_after, mono_ns now)
{
	struct wire_message m = { .type = WIRE_LEAVING, .leaving.retry_after = retry_after };

	s->now = now;
	for (struct session *who = sessions_clients_first(s->sessions); who; who = who->next)
		if (who->state == SESSION_IN)
			server_tell(s, who, &m);
	failures_flush(s->desk.failures, s->desk.registry, now);
	endpoint_close_all(s->endpoint, LINK_CODE_RESTART, now);
}

void server_close(struct server *s)
{
	if (!s)
		return;
	sessions_free(s->sessions); /* logins under way count as failed */
	failures_flush(s->desk.failures, s->desk.registry, s->now);
	failures_free(s->desk.failures);
	endpoint_free(s->endpoint);
	introductions_free(s->introductions);
	watchers_free(s->watchers);
	presence_free(s->presence);
	names_free(s->names);
	limits_free(s->desk.limits);
	close_stores(s);
	buf_clear(&s->in);
	buf_clear(&s->out);
	free(s->resumed);
	free(s);
}

struct endpoint *server_endpoint(struct server *s)
{
	return s->endpoint;
}

const struct device_public *server_key(const struct server *s)
{
	return &s->keys->noise.public;
}

void server_set_sights(struct server *s, const struct sight *list, unsigned count)
{
	sights_set(&s->sights, list, count);
}

/* --- for administration --- */

struct registry *server_registry(struct server *s)
{
	return s->desk.registry;
}

const struct directory_place *server_place(const struct server *s)
{
	return &s->place;
}

wall_ms server_wall(const struct server *s)
{
	return s->wall;
}

void server_status(const struct server *s, struct server_status *out)
{
	struct presence_counts online = presence_counts(s->presence);

	*out = s->counts;
	out->online_devices = online.devices;
	out->online_accounts = online.accounts;
	out->accounts = s->desk.registry->count(s->desk.registry);
	out->traffic = endpoint_counters(s->endpoint);
	out->uptime = s->now - s->started;
}

bool server_is_online(const struct server *s, const char *name)
{
	struct name n;
	name_id id;

	if (name_parse(&n, bytes_text(name)) < 0)
		return false;
	id = names_find(s->names, &n);
	return id != NAMES_NONE && presence_is_online(s->presence, id);
}
