#include "directory/server.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "directory/admin.h"
#include "directory/checks.h"
#include "directory/introduce.h"
#include "directory/keystore.h"
#include "directory/registry.h"
#include "directory/sessions.h"
#include "directory/watchers.h"
#include "shared/error.h"
#include "shared/frame.h"
#include "shared/key_query.h"
#include "shared/text.h"

struct server {
	struct keystore *keys;
	struct endpoint *endpoint;
	struct login_desk desk;   /* registry, limits, mode */
	struct names *names;
	struct presence *presence;
	struct watchers *watchers;
	struct sessions *sessions;
	struct checks checks;
	struct directory_place place;
	uint32_t online_max, guests_max, contacts_max;
	struct server_status counts;
	mono_ns started, now;
	wall_ms wall;
	struct buf in, out;       /* one message each, used again and again */
};

enum {
	IDLE_SECONDS = 29,        /* who is silent so long is gone; clients ping each 25 s */
	RETRY_SECONDS = 5,        /* told when the store fails */
};

/* What a session may say and how fast. A frame costs one, a list one more for each 32 names;
 * an honest client that comes online says a few dozen. */
static const struct bucket_size message_rate = { 2000, 20 };
static const struct bucket_size introduction_rate = { 200, 100 };
static const struct bucket_size suspicion_rate = { 10, 3000 };

/* --- telling --- */

/* Encodes once; the frame is in s->out. */
static void frame(struct server *s, const struct wire_message *m)
{
	session_frame(m, &s->out);
}

static int tell_frame(struct server *s, struct session *to, enum wire_type type)
{
	int err = session_send_frame(to, buf_view(&s->out));

	if (err == 0)
		s->counts.messages_out[type]++;
	return err;
}

/* For what need not come if the client does not read. */
static int tell(struct server *s, struct session *to, const struct wire_message *m)
{
	frame(s, m);
	return tell_frame(s, to, m->type);
}

static void refuse(struct server *s, struct session *to, enum wire_type about, int err,
                   uint32_t retry_after)
{
	struct wire_message m = { .type = WIRE_REFUSAL };

	m.refusal.about = about;
	m.refusal.error = err;
	m.refusal.retry_after = retry_after;
	tell(s, to, &m);
}

/* --- the end of a session --- */

/* The record dies with the connection; contacts hear of it at the end of this step. */
static void end(struct server *s, struct session *who)
{
	checks_forget(&s->checks, who);
	if (who->record) {
		unsigned slot = record_slot(who->record);

		presence_leave(s->presence, who->record);
		who->record = NULL;
		watchers_leave(s->watchers, who->account, slot);
		watchers_changed(s->watchers, who->account);
		names_release(s->names, who->account);
	}
	link_set_user(who->link, NULL);
	sessions_remove(s->sessions, who);
}

static void drop(struct server *s, struct session *who, enum link_code code)
{
	struct link *link = who->link;

	end(s, who);
	link_close(link, code, s->now);
}

/* --- what clients say: each returns 0, or an error that ends the link --- */

static int on_publish(struct server *s, struct session *who, const struct wire_message *m)
{
	presence_publish(who->record, &m->publish.knock, &m->publish.candidates);
	watchers_changed(s->watchers, who->account);
	return 0;
}

/* The number of a name from outside, held while it is looked at. */
static int add(struct server *s, struct session *who, const struct name *name,
               struct bytes greeting)
{
	name_id id = names_hold(s->names, name);
	int err = 0;

	if (id != who->account)
		err = watchers_add(s->watchers, who->account, record_slot(who->record), id,
		                   greeting);
	names_release(s->names, id);
	return err;
}

static int on_list(struct server *s, struct session *who, const struct wire_message *m)
{
	unsigned slot = record_slot(who->record);
	struct bytes none = { 0 };
	int err = 0;

	if (m->list.is_first) {
		watchers_remove_all(s->watchers, who->account, slot);
		who->listed = 0;
	}
	who->listed += m->list.count;
	if (who->listed > s->contacts_max)
		err = ERR_LIMIT;
	for (unsigned i = 0; i < m->list.count && !err; i++)
		err = add(s, who, &m->list.names[i], none);
	if (err < 0)
		refuse(s, who, WIRE_LIST, err, 0);
	if (m->list.is_last)
		watchers_ready(s->watchers, who->account, slot);
	return 0;
}

static int on_list_add(struct server *s, struct session *who, const struct wire_message *m)
{
	unsigned slot = record_slot(who->record);
	int err = ERR_LIMIT;

	if (watchers_listed(s->watchers, who->account, slot) < s->contacts_max)
		err = add(s, who, &m->list_add.name, m->list_add.greeting);
	if (err < 0)
		refuse(s, who, WIRE_LIST_ADD, err, 0);
	return 0;
}

static int on_list_remove(struct server *s, struct session *who, const struct wire_message *m)
{
	name_id id = names_find(s->names, &m->list_remove.name);

	if (id != NAMES_NONE)
		watchers_remove(s->watchers, who->account, record_slot(who->record), id);
	return 0;
}

static void tell_introduction(void *user, struct record *to, const struct wire_message *m)
{
	struct server *s = user;

	/* one that does not fit is lost: who wants to talk asks again */
	tell(s, record_user(to), m);
}

static int on_introduce(struct server *s, struct session *who, const struct wire_message *m)
{
	if (!bucket_take(&who->introductions, &introduction_rate, 1, s->now, NULL))
		return 0;
	if (introduce(s->names, s->presence, s->watchers, who->account, who->record,
	              &m->introduce.name, tell_introduction, s))
		s->counts.introductions++;
	return 0;
}

static int on_suspect(struct server *s, struct session *who, const struct wire_message *m)
{
	name_id id = names_find(s->names, &m->suspect.name);
	struct record *r;
	uint64_t nonce;

	if (id == NAMES_NONE || !watchers_mutual(s->watchers, who->account, id))
		return 0;
	r = presence_find(s->presence, id, &m->suspect.device);
	if (!r || !bucket_take(&who->suspicions, &suspicion_rate, 1, s->now, NULL))
		return 0;
	randombytes_buf(&nonce, sizeof nonce);
	checks_begin(&s->checks, record_user(r), nonce, s->now);
	return 0;
}

static int on_check_answer(struct server *s, struct session *who, const struct wire_message *m)
{
	/* The packet it came in has said all: the device is there (see checks_due()). */
	(void)s;
	(void)who;
	(void)m;
	return 0;
}

static int on_guest(struct server *s, struct session *who, const struct wire_message *m)
{
	uint32_t retry_after;
	int err;

	/* before asking: an answer may be there at once */
	who->is_waiting = true;
	err = login_message(who->login, &s->desk, m, who->ticket, s->now, s->wall, &retry_after);
	if (err == 0)
		return 0;
	who->is_waiting = false;
	if (err == ERR_STATE)
		return err;
	s->counts.refused_logins++;
	refuse(s, who, m->type, err, retry_after);
	return 0;
}

/* Message type -> who may send it and what is done with it. */
static const struct row {
	enum wire_side from;
	int (*handle)(struct server *s, struct session *who, const struct wire_message *m);
} rows[128] = {
	[WIRE_REGISTER_START] = { WIRE_FROM_GUEST, on_guest },
	[WIRE_REGISTER_FINISH] = { WIRE_FROM_GUEST, on_guest },
	[WIRE_LOGIN_START] = { WIRE_FROM_GUEST, on_guest },
	[WIRE_LOGIN_FINISH] = { WIRE_FROM_GUEST, on_guest },
	[WIRE_PUBLISH] = { WIRE_FROM_CLIENT, on_publish },
	[WIRE_LIST] = { WIRE_FROM_CLIENT, on_list },
	[WIRE_LIST_ADD] = { WIRE_FROM_CLIENT, on_list_add },
	[WIRE_LIST_REMOVE] = { WIRE_FROM_CLIENT, on_list_remove },
	[WIRE_INTRODUCE] = { WIRE_FROM_CLIENT, on_introduce },
	[WIRE_SUSPECT] = { WIRE_FROM_CLIENT, on_suspect },
	[WIRE_CHECK_ANSWER] = { WIRE_FROM_CLIENT, on_check_answer },
};

static int handle(struct server *s, struct session *who, const struct wire_message *m)
{
	const struct row *row = &rows[m->type];
	uint32_t cost = m->type == WIRE_LIST ? 1 + m->list.count / 32 : 1;
	enum wire_side side = who->state == SESSION_GUEST ? WIRE_FROM_GUEST : WIRE_FROM_CLIENT;

	if (row->from != side)
		return ERR_FORMAT;
	if (!bucket_take(&who->messages, &message_rate, cost, s->now, NULL))
		return ERR_BUSY;
	s->counts.messages_in[m->type]++;
	return row->handle(s, who, m);
}

static void take_answers(struct server *s);

static void welcome(struct server *s, struct session *who)
{
	struct wire_message m = { .type = WIRE_WELCOME };

	m.welcome.name = *names_of(s->names, who->account);
	m.welcome.observed = link_path(who->link).remote;
	m.welcome.now = s->wall;
	who->owes_welcome = tell(s, who, &m) < 0;
}

/* All whole messages that are there, unless an answer must be waited for. By ticket, since
 * any message may end the session. */
static void read_input(struct server *s, uint64_t ticket)
{
	struct session *who;
	struct wire_message m;
	int err;

	while ((who = sessions_by_ticket(s->sessions, ticket)) && !who->is_waiting) {
		if (who->owes_welcome)
			welcome(s, who);
		if (who->owes_welcome)
			return;
		err = session_read(who, &s->in, &m);
		if (err == 0)
			return;
		if (err > 0)
			err = handle(s, who, &m);
		sodium_memzero(&m, who->state == SESSION_GUEST ? sizeof m : 0);
		if (err < 0) {
			drop(s, who, err == ERR_CLOSED ? LINK_CODE_BYE : LINK_CODE_PROTOCOL);
			return;
		}
		take_answers(s);
	}
}

/* --- what the registry answers --- */

static void on_guest_answer(struct server *s, struct session *who, const struct registry_answer *a)
{
	struct wire_message reply;
	enum wire_type about;
	int err = login_answer(who->login, &s->desk, a, &reply, &about);

	if (err < 0) {
		s->counts.refused_logins++;
		refuse(s, who, about, err, err == ERR_BUSY ? RETRY_SECONDS : 0);
		return;
	}
	s->counts.registrations += reply.type == WIRE_REGISTER_DONE;
	s->counts.logins += reply.type == WIRE_LOGIN_DONE;
	tell(s, who, &reply);
	sodium_memzero(&reply, sizeof reply);
}

/* Room for one more device of the account: the one longest here gives way. */
static void make_room(struct server *s, name_id account)
{
	struct session *oldest = NULL;

	for (unsigned slot = 0; slot < PRESENCE_SLOTS; slot++) {
		struct record *r = presence_at(s->presence, account, slot);
		struct session *who = r ? record_user(r) : NULL;

		if (!who)
			return;
		if (!oldest || who->ticket < oldest->ticket)
			oldest = who;
	}
	drop(s, oldest, LINK_CODE_REPLACED);
}

static void let_in(struct server *s, struct session *who, const struct registry_answer *a,
                   const struct certificate *certificate)
{
	struct address seen = link_path(who->link).remote;
	struct record *old;

	who->account = names_hold(s->names, &a->name);
	/* A newer link of the same device: the endpoint ends the older one by itself. */
	old = presence_find(s->presence, who->account, &certificate->device);
	if (old)
		end(s, record_user(old));
	make_room(s, who->account);
	who->record = presence_enter(s->presence, who->account, certificate, who);
	presence_observed(who->record, &seen);
	who->state = SESSION_IN;
	s->counts.key_logins++;
	welcome(s, who);
}

static void on_client_answer(struct server *s, struct session *who, const struct registry_answer *a)
{
	const struct certificate *c = link_certificate(who->link);
	bool is_known = a->err == 0 && c && identity_public_equal(&c->identity, &a->identity) &&
	                device_public_equal(&c->device, link_device(who->link)) &&
	                (c->not_after == 0 || c->not_after > s->wall);

	if (is_known) {
		let_in(s, who, a, c);
	} else if (a->err == 0 || a->err == ERR_NOT_FOUND) {
		refuse(s, who, WIRE_WELCOME, ERR_REFUSED, 0);
		s->counts.refused_logins++;
		drop(s, who, LINK_CODE_UNKNOWN);
	} else {
		refuse(s, who, WIRE_WELCOME, ERR_BUSY, RETRY_SECONDS);
		drop(s, who, LINK_CODE_RESTART);
	}
}

static void take_answers(struct server *s)
{
	struct registry_answer a;

	while (s->desk.registry->next(s->desk.registry, &a)) {
		struct session *who = sessions_by_ticket(s->sessions, a.ticket);

		if (who) {
			who->is_waiting = false;
			if (who->state == SESSION_GUEST)
				on_guest_answer(s, who, &a);
			else
				on_client_answer(s, who, &a);
		}
		sodium_memzero(&a, sizeof a);
	}
}

/* --- what the endpoint tells --- */

/* The new session's ticket, 0: none was made. */
static uint64_t on_up(struct server *s, struct link *link)
{
	bool is_guest = link_pattern(link) == LINK_NK;
	struct address from = link_path(link).remote;
	struct session *who;

	if (is_guest ? sessions_guests(s->sessions) >= s->guests_max
	             : sessions_clients(s->sessions) >= s->online_max) {
		link_set_user(link, NULL);
		link_close(link, LINK_CODE_RESTART, s->now); /* "come back later" */
		return 0;
	}
	who = sessions_add(s->sessions, link, is_guest, s->now);
	link_set_user(link, who);
	if (is_guest) {
		who->login = login_new(link_handshake_hash(link), &from);
	} else {
		who->is_waiting = true;
		s->desk.registry->device(s->desk.registry, who->ticket, link_device(link));
	}
	return who->ticket;
}

static void on_moved(struct server *s, struct session *who)
{
	struct address seen = link_path(who->link).remote;

	if (who->record && presence_observed(who->record, &seen) &&
	    record_is_published(who->record))
		watchers_changed(s->watchers, who->account);
}

static void on_writable(struct server *s, struct session *who)
{
	if (who->record)
		watchers_writable(s->watchers, who->account, record_slot(who->record));
}

static void on_stray(struct server *s, const struct path *path, struct bytes data)
{
	struct key_query_nonce nonce;
	uint8_t answer[KEY_ANSWER_SIZE];
	uint32_t wait;

	if (key_query_decode(&nonce, data) < 0)
		return;
	if (limits_take(s->desk.limits, LIMIT_KEY_QUERY, &path->remote, NULL, s->now, &wait) < 0)
		return;
	key_answer_encode(answer, &nonce, &s->keys->noise.public);
	endpoint_send_stray(s->endpoint, path, BYTES(answer));
}

static void on_event(struct server *s, const struct link_event *event)
{
	struct session *who;

	if (event->kind == STRAY) {
		on_stray(s, &event->path, event->data);
		return;
	}
	if (event->kind == LINK_UP) {
		uint64_t ticket = on_up(s, event->link);

		take_answers(s);
		read_input(s, ticket);
		return;
	}
	who = link_user(event->link);
	if (!who)
		return;
	if (event->kind == LINK_DOWN) {
		end(s, who);
		return;
	}
	if (event->kind == LINK_MOVED)
		on_moved(s, who);
	if (event->kind == LINK_WRITABLE)
		on_writable(s, who);
	if (event->kind == LINK_READABLE && event->stream != LINK_CONTROL) {
		drop(s, who, LINK_CODE_PROTOCOL);
		return;
	}
	read_input(s, who->ticket);
}

/* --- what is due --- */

static void hurry_guests(struct server *s)
{
	struct session *guest;

	while ((guest = sessions_oldest_guest(s->sessions)) &&
	       guest->since + SESSION_GUEST_SECONDS * SECOND <= s->now)
		drop(s, guest, LINK_CODE_IDLE);
}

static void check_suspects(struct server *s)
{
	struct wire_message m = { .type = WIRE_CHECK };
	struct session *who;
	bool is_gone;

	while ((who = checks_due(&s->checks, s->now, &is_gone))) {
		if (is_gone) {
			drop(s, who, LINK_CODE_IDLE);
			continue;
		}
		m.check.nonce = who->check_nonce;
		tell(s, who, &m);
		link_ping(who->link);
	}
}

/* false: nothing to say after all. */
static bool fill_presence(struct server *s, const struct watchers_due *due, struct wire_message *m)
{
	m->type = WIRE_PRESENCE;
	m->presence.name = *names_of(s->names, due->about);
	m->presence.device_count = 0;
	if (watchers_mutual(s->watchers, due->to, due->about))
		m->presence.device_count =
			presence_devices(s->presence, due->about, m->presence.devices);
	return true;
}

static bool fill_asked(struct server *s, const struct watchers_due *due, struct wire_message *m)
{
	struct record *r = NULL;

	for (unsigned slot = 0; slot < PRESENCE_SLOTS && !r; slot++)
		r = presence_at(s->presence, due->about, slot);
	if (!r)
		return false;
	m->type = WIRE_ASKED;
	m->asked.name = *names_of(s->names, due->about);
	m->asked.identity = record_certificate(r)->identity;
	m->asked.greeting = due->greeting;
	return true;
}

static void tell_due(struct server *s)
{
	struct watchers_due due;
	struct wire_message m;

	while (watchers_next(s->watchers, &due)) {
		bool is_presence = due.kind == WATCHERS_PRESENCE;
		uint8_t full = 0;

		if (!(is_presence ? fill_presence(s, &due, &m) : fill_asked(s, &due, &m)))
			continue;
		frame(s, &m);
		for (unsigned slot = 0; slot < PRESENCE_SLOTS; slot++) {
			struct record *r = NULL;
			int err;

			if (due.slots & 1 << slot)
				r = presence_at(s->presence, due.to, slot);
			if (!r)
				continue;
			err = tell_frame(s, record_user(r), m.type);
			if (err == ERR_FULL)
				full |= 1 << slot;
			if (err == 0 && is_presence)
				s->counts.presence_notes++;
			if (err == 0 && !is_presence)
				s->counts.asked++;
		}
		if (full)
			watchers_later(s->watchers, &due, full);
	}
}

mono_ns server_step(struct server *s, mono_ns now, wall_ms wall)
{
	struct session *guest;
	struct link_event event;
	mono_ns at;

	s->now = now;
	s->wall = wall;
	while (endpoint_next(s->endpoint, &event))
		on_event(s, &event);
	take_answers(s);
	check_suspects(s);
	hurry_guests(s);
	tell_due(s);

	at = checks_deadline(&s->checks);
	guest = sessions_oldest_guest(s->sessions);
	if (guest)
		at = mono_earlier(at, guest->since + SESSION_GUEST_SECONDS * SECOND);
	return at;
}

/* --- the life of a server --- */

int server_init_ksf(const char *data, enum ksf ksf, char *reason, size_t reason_size)
{
	int err;

	if (mkdir(data, 0700) < 0 && errno != EEXIST) {
		snprintf(reason, reason_size, _("%s cannot be made: %s."), data, strerror(errno));
		return ERR_IO;
	}
	/* the keys last: with them the directory is there */
	err = registry_sqlite_create(data, ksf, reason, reason_size);
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

int server_open(struct server **out, const struct server_config *config, mono_ns now, wall_ms wall,
                char *reason, size_t reason_size)
{
	struct limits_config limits = limits_default();
	struct endpoint_config ec = {
		.policy = ENDPOINT_ANYONE,
		.idle_timeout = IDLE_SECONDS * SECOND,
		.keep_alive = NEVER,
	};
	struct keystore *keys = NULL;
	struct registry *registry;
	uint8_t key[16];
	struct server *s;
	int err;

	*out = NULL;
	err = registry_sqlite_open(&registry, config->data, config->is_hasty, reason, reason_size);
	if (err < 0)
		return err;
	err = keystore_open(&keys, config->data, reason, reason_size);
	if (err < 0) {
		registry->close(registry);
		return err;
	}
	s = memory_new(sizeof *s);
	s->keys = keys;
	s->now = s->started = now;
	s->wall = wall;
	randombytes_buf(key, sizeof key);
	s->names = names_new(key);
	s->presence = presence_new();
	s->watchers = watchers_new(s->names);
	s->sessions = sessions_new();
	s->desk.opaque = &keys->opaque;
	s->desk.registry = registry;
	s->desk.limits = limits_new(&limits, key);
	s->desk.ksf = registry->ksf(registry);
	buf_init(&s->in, SESSION_FRAME_MAX);
	buf_init(&s->out, FRAME_HEADER + FRAME_MAX);
	server_configure(s, config);
	ec.device = keys->noise;
	ec.knock = knock_of_directory(&keys->noise.public);
	s->endpoint = endpoint_new(&ec, now);
	device_wipe(&ec.device);
	*out = s;
	return 0;
}

void server_goodbye(struct server *s, mono_ns now)
{
	s->now = now;
	endpoint_close_all(s->endpoint, LINK_CODE_RESTART, now);
}

void server_close(struct server *s)
{
	if (!s)
		return;
	sessions_free(s->sessions);
	endpoint_free(s->endpoint);
	watchers_free(s->watchers);
	presence_free(s->presence);
	names_free(s->names);
	limits_free(s->desk.limits);
	s->desk.registry->close(s->desk.registry);
	keystore_close(s->keys);
	buf_clear(&s->in);
	buf_clear(&s->out);
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

/* --- administration --- */

struct json *server_admin(struct server *s, const struct json *request)
{
	struct admin_desk desk = {
		.registry = s->desk.registry,
		.key = &s->keys->noise.public,
		.place = s->place,
		.server = s,
		.now = s->wall,
	};

	return admin_answer(&desk, request);
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

unsigned server_drop(struct server *s, const struct name *name)
{
	name_id id = names_find(s->names, name);
	unsigned count = 0;

	for (unsigned slot = 0; id != NAMES_NONE && slot < PRESENCE_SLOTS; slot++) {
		struct record *r = presence_at(s->presence, id, slot);

		if (!r)
			continue;
		drop(s, record_user(r), LINK_CODE_UNKNOWN);
		count++;
	}
	return count;
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
