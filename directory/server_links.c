#include "directory/server_inside.h"

#include <sodium.h>
#include <string.h>

#include "shared/error.h"
#include "shared/key_query.h"
#include "shared/log.h"

/* Message type -> what is done with it when a guest says it, and when a client does; NULL: neither
 * may. */
static const struct row {
	server_handler *guest, *client;
} rows[128] = {
	[WIRE_REGISTER_START] = { server_on_login, NULL },
	[WIRE_REGISTER_FINISH] = { server_on_login, NULL },
	[WIRE_LOGIN_START] = { server_on_login, server_on_login },
	[WIRE_LOGIN_FINISH] = { server_on_login, server_on_login },
	[WIRE_ENROL] = { server_on_login, NULL },
	[WIRE_RECOVER] = { server_on_login, NULL },
	[WIRE_RESET] = { server_on_login, NULL },
	[WIRE_PASSWORD_START] = { server_on_login, server_on_login },
	[WIRE_PASSWORD_FINISH] = { server_on_login, server_on_login },
	[WIRE_VAULT_GET] = { server_on_login, server_on_vault_get },
	[WIRE_VAULT_PUT] = { NULL, server_on_vault_put },
	[WIRE_DEVICES_PUT] = { NULL, server_on_devices_put },
	[WIRE_RECOVERY_PUT] = { NULL, server_on_recovery_put },
	[WIRE_DELETE] = { NULL, server_on_delete },
	[WIRE_PUBLISH] = { NULL, server_on_publish },
	[WIRE_LIST] = { NULL, server_on_list },
	[WIRE_LIST_ADD] = { NULL, server_on_list_add },
	[WIRE_LIST_REMOVE] = { NULL, server_on_list_remove },
	[WIRE_INTRODUCE] = { NULL, server_on_introduce },
	[WIRE_SUSPECT] = { NULL, server_on_suspect },
	[WIRE_CHECK_ANSWER] = { NULL, server_on_check_answer },
};

static server_handler *handler_of(const struct session *who, enum wire_type type)
{
	return who->state == SESSION_GUEST ? rows[type].guest : rows[type].client;
}

/* A message counts one; what makes us keep or send much, one more for each KiB of it. */
static uint32_t cost_of(const struct wire_message *m)
{
	switch (m->type) {
	case WIRE_LIST:
		return 1 + m->list.count / 32;
	case WIRE_VAULT_PUT:
		return 1 + (uint32_t)m->vault_put.part.size / 1024;
	case WIRE_VAULT_GET:
		return 1 + WIRE_VAULT_GET_PART / 1024;
	default:
		return 1;
	}
}

static int handle(struct server *s, struct session *who, const struct wire_message *m)
{
	server_handler *on_message = handler_of(who, m->type);

	if (!on_message)
		return ERR_FORMAT;
	if (!server_charge(s, who, cost_of(m)))
		return ERR_BUSY;
	s->counts.messages_in[m->type]++;
	return on_message(s, who, m);
}

static void take_answers(struct server *s);

static void welcome(struct server *s, struct session *who)
{
	struct wire_message m = { .type = WIRE_WELCOME };
	struct path path = link_path(who->link);

	m.welcome.name = *names_of(s->names, who->account);
	m.welcome.observed = path.remote;
	if (!address_is_unicast(&m.welcome.observed))
		m.welcome.observed = (struct address){ 0 };
	m.welcome.sight_count = sights_for(&s->sights, &path, m.welcome.sights);
	m.welcome.now = s->wall;
	m.welcome.vault_version = who->vault_version;
	m.welcome.failed = who->failed;
	who->owes_welcome = server_tell(s, who, &m) < 0;
	if (!who->owes_welcome)
		who->owes_observed = false; /* it has just been said */
}

/* All whole messages that are there, unless an answer must be waited for. By ticket, since
 * any message may end the session. */
static void read_messages(struct server *s, uint64_t ticket)
{
	struct session *who;
	struct wire_message m;
	bool was_guest;
	int err;

	while ((who = sessions_by_ticket(s->sessions, ticket)) && !who->is_waiting) {
		if (who->owes_welcome)
			welcome(s, who);
		if (who->owes_welcome)
			return;
		if (who->owes_observed)
			server_tell_observed(s, who);
		if (who->vault_now)
			server_tell_vault(s, who, who->vault_now);
		was_guest = who->state == SESSION_GUEST;
		err = session_read(who, &s->in, &m);
		if (err == 0)
			return;
		if (err > 0)
			err = handle(s, who, &m);
		sodium_memzero(&m, was_guest ? sizeof m : 0);
		if (err < 0 && err != ERR_CLOSED)
			log_event(LOG_INFO, "protocol-broken", "error", log_error(err), NULL);
		who = sessions_by_ticket(s->sessions, ticket);
		if (err < 0 && who) {
			server_put_out(s, who,
				       err == ERR_CLOSED ? LINK_CODE_BYE : LINK_CODE_PROTOCOL);
			return;
		}
		take_answers(s);
	}
}

static void read_input(struct server *s, uint64_t ticket)
{
	s->reading = ticket;
	read_messages(s, ticket);
	s->reading = 0; /* no ticket */
}

/* --- what the registry answers --- */

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
	server_put_out(s, oldest, LINK_CODE_REPLACED);
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
		server_end(s, record_user(old));
	make_room(s, who->account);
	who->record = presence_enter(s->presence, who->account, certificate, who);
	presence_observed(who->record, &seen);
	presence_set_list(s->presence, who->account, &a->devices);
	who->state = SESSION_IN;
	who->vault_version = a->vault_version;
	who->failed = a->failed + failures_take(s->desk.failures, &a->name);
	s->counts.key_logins++;
	welcome(s, who);
	watchers_enter(s->watchers, who->account, record_slot(who->record));
}

/* By device: one that was stolen keeps no other of its account out. */
static bool is_too_often(struct server *s, const struct device_public *device, uint32_t *wait)
{
	struct name by; /* what is counted by has the size of a name */

	bytes_to_hex(bytes_of(device->bytes, (sizeof by.text - 1) / 2), by.text);
	return limits_take(s->desk.limits, LIMIT_COME, NULL, &by, s->now, wait) < 0;
}

static void on_client_answer(struct server *s, struct session *who,
			     const struct registry_answer *a)
{
	const struct certificate *c = link_certificate(who->link);
	uint32_t wait;
	bool is_known = a->err == 0 && c && identity_public_equal(&c->identity, &a->identity) &&
			device_public_equal(&c->device, link_device(who->link)) &&
			device_list_find(&a->devices, &c->device) &&
			certificate_holds(c, s->wall);

	if (is_known && a->is_suspended) {
		s->counts.refused_logins++;
		server_put_out_suspended(s, who);
	} else if (is_known && is_too_often(s, &c->device, &wait)) {
		/* Every visit is told to contacts, and asks those who do not list back. */
		server_refuse(s, who, WIRE_WELCOME, ERR_BUSY, wait);
		server_put_out(s, who, LINK_CODE_RESTART);
	} else if (is_known) {
		let_in(s, who, a, c);
	} else if (a->err == 0 || a->err == ERR_NOT_FOUND) {
		server_refuse(s, who, WIRE_WELCOME, ERR_REFUSED, 0);
		s->counts.refused_logins++;
		server_put_out(s, who, LINK_CODE_UNKNOWN);
	} else {
		server_refuse(s, who, WIRE_WELCOME, ERR_BUSY, SERVER_RETRY_SECONDS);
		server_put_out(s, who, LINK_CODE_RESTART);
	}
}

/* Once a minute: what the operator must know, and what to do. */
static void note_trouble(struct server *s, int err)
{
	if (err != ERR_IO && err != ERR_FULL && err != ERR_LOCKED && err != ERR_CORRUPT)
		return;
	if (s->store_failed_at && s->now < s->store_failed_at + 60 * SECOND)
		return;
	s->store_failed_at = s->now ? s->now : 1;
	log_event(LOG_ERROR, "store-failed", "error", log_error(err), "do",
		  err == ERR_FULL      ? "make room on the disk"
		  : err == ERR_CORRUPT ? "stop, and restore a backup"
		  : err == ERR_LOCKED  ? "end the other program that has accounts.db open"
				       : "look at the disk: read-only or failing",
		  NULL);
}

static void take_answer(struct server *s, const struct registry_answer *a)
{
	struct session *who = sessions_by_ticket(s->sessions, a->ticket);

	note_trouble(s, a->err);
	if (!who)
		return;
	if (who->state == SESSION_LOOKING) {
		who->is_waiting = false;
		on_client_answer(s, who, a);
	} else if (handler_of(who, who->asked) == server_on_login) {
		server_on_login_answer(s, who, a);
	} else {
		server_on_account_answer(s, who, a);
	}
}

/* An answer that came later than its question: what was said behind that is in the link. */
static void resume_later(struct server *s, uint64_t ticket)
{
	if (ticket == s->reading)
		return;
	if (s->resumed_count == s->resumed_room) {
		s->resumed_room = s->resumed_room ? s->resumed_room * 2 : 16;
		s->resumed = memory_grow(s->resumed, s->resumed_room, sizeof *s->resumed);
	}
	s->resumed[s->resumed_count++] = ticket;
}

static void take_answers(struct server *s)
{
	struct registry *r = s->desk.registry;
	struct holder *h = s->desk.holder;
	struct registry_answer a;
	struct holder_answer held;
	bool any = true;

	while (any) {
		any = false;
		while (r->next(r, &a)) {
			any = true;
			take_answer(s, &a);
			resume_later(s, a.ticket);
			sodium_memzero(a.record, sizeof a.record);
		}
		while (h->next(h, &held)) {
			struct session *who = sessions_by_ticket(s->sessions, held.ticket);

			any = true;
			if (who)
				server_on_holder_answer(s, who, &held);
			resume_later(s, held.ticket);
			sodium_memzero(&held, sizeof held);
		}
	}
}

/* --- what the endpoint tells --- */

/* The new session's ticket, 0: none was made. */
static uint64_t on_up(struct server *s, struct link *link)
{
	bool is_guest = link_pattern(link) == LINK_NK;
	struct address from = link_path(link).remote;
	struct session *who;

	/* Somebody gives way, of those who crowd: nobody keeps others out by filling the room. */
	if (is_guest && sessions_guests(s->sessions) >= s->guests_max)
		server_put_out(s, sessions_crowding_guest(s->sessions), LINK_CODE_RESTART);
	if (!is_guest && sessions_clients(s->sessions) >= s->online_max) {
		link_set_user(link, NULL);
		link_close(link, LINK_CODE_RESTART, s->now); /* "come back later" */
		return 0;
	}
	who = sessions_add(s->sessions, link, is_guest, s->now);
	link_set_user(link, who);
	if (is_guest) {
		who->login = login_new(&s->desk, link_handshake_hash(link), &from, NULL);
	} else {
		const struct certificate *c = link_certificate(link);
		static const struct identity_public nobody;

		who->is_waiting = true;
		s->desk.registry->device(s->desk.registry, who->ticket, link_device(link),
					 c ? &c->identity : &nobody);
	}
	return who->ticket;
}

static void on_moved(struct server *s, struct session *who)
{
	struct address seen = link_path(who->link).remote;

	if (!who->record || !presence_observed(who->record, &seen))
		return;
	server_tell_observed(s, who);
	if (record_is_published(who->record))
		watchers_changed(s->watchers, who->account);
}

static void on_writable(struct server *s, struct session *who)
{
	if (who->record)
		watchers_writable(s->watchers, who->account, record_slot(who->record));
}

/* false: there have been too many from there. */
static bool may_ask(struct server *s, enum limit which, const struct path *path)
{
	uint32_t wait;

	return limits_take(s->desk.limits, which, &path->remote, NULL, s->now, &wait) == 0;
}

static void on_key_query(struct server *s, const struct path *path,
			 const struct key_query_nonce *nonce)
{
	uint8_t answer[KEY_ANSWER_SIZE];

	if (!may_ask(s, LIMIT_KEY_QUERY, path))
		return;
	key_answer_encode(answer, nonce, &s->keys->noise.public);
	endpoint_send_stray(s->endpoint, path, BYTES(answer), 0);
}

/* The answer says what the asker's own datagram told us, and goes to no other IP than it came
 * from. */
static void on_sight_question(struct server *s, const struct path *path,
			      const struct sight_question *q)
{
	uint8_t answer[SIGHT_ANSWER_SIZE];
	struct path back;

	if (!sights_answer(&s->sights, path, q, &back) || !may_ask(s, LIMIT_SIGHT, path))
		return;
	sight_answer_encode(answer, &q->nonce, &path->remote);
	endpoint_send_stray(s->endpoint, &back, BYTES(answer), 0);
	s->counts.sights++;
}

static void on_stray(struct server *s, const struct path *path, struct bytes data)
{
	struct key_query_nonce nonce;
	struct sight_question question;

	if (key_query_decode(&nonce, data) == 0)
		on_key_query(s, path, &nonce);
	else if (sight_question_decode(&question, data) == 0)
		on_sight_question(s, path, &question);
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
		server_end(s, who);
		return;
	}
	if (event->kind == LINK_MOVED)
		on_moved(s, who);
	if (event->kind == LINK_WRITABLE)
		on_writable(s, who);
	if (event->kind == LINK_READABLE && event->stream != LINK_CONTROL) {
		server_put_out(s, who, LINK_CODE_PROTOCOL);
		return;
	}
	read_input(s, who->ticket);
}

void server_take_events(struct server *s)
{
	struct link_event event;

	while (endpoint_next(s->endpoint, &event))
		on_event(s, &event);
	take_answers(s);
	while (s->resumed_count)
		read_input(s, s->resumed[--s->resumed_count]);
}
