#include "directory/server_inside.h"

#include <sodium.h>

#include "shared/error.h"
#include "shared/log.h"

bool server_bind_holder(struct server *s)
{
	const uint8_t *key = s->desk.holder->public_key(s->desk.holder);
	int err;

	if (s->is_bound || !key)
		return s->is_bound;
	err = s->desk.registry->bind_holder(s->desk.registry, key);
	if (err == ERR_AUTH)
		log_event(LOG_ERROR, "wrong-key-holder", "do",
			  "these accounts were made with other secrets: bring those back",
			  NULL);
	s->is_bound = err == 0;
	return s->is_bound;
}

/* What a step of the login came to: 0, or an error that ends the link. `who` may be gone
 * afterwards. */
static int say(struct server *s, struct session *who, int result, struct wire_message *reply)
{
	const struct device_list *changed;
	struct device_list list;
	struct name name;

	if (result == 0)
		return 0; /* asked again: still waiting */
	who->is_waiting = false;
	if (result < 0)
		return result;
	s->counts.refused_logins += reply->type == WIRE_REFUSAL;
	s->counts.registrations += reply->type == WIRE_REGISTER_DONE;
	s->counts.logins += reply->type == WIRE_LOGIN_DONE;
	if (reply->type == WIRE_PASSWORD_DONE)
		server_outdate(s, who, login_name(who->login), LOGIN_NEW_PASSWORD);
	changed = login_devices(who->login);
	if (changed) {
		list = *changed;
		name = *login_name(who->login);
	}
	server_reply(s, who, reply);
	sodium_memzero(reply, sizeof *reply);
	if (changed)
		server_devices_changed(s, &name, &list);
	return 0;
}

int server_on_login(struct server *s, struct session *who, const struct wire_message *m)
{
	struct address from = link_path(who->link).remote;
	struct wire_message reply;
	int result;

	if (!who->login)
		who->login = login_new(
			&s->desk, link_handshake_hash(who->link), &from,
			who->state == SESSION_GUEST ? NULL : names_of(s->names, who->account));
	if (!server_bind_holder(s)) {
		server_refuse(s, who, m->type, ERR_BUSY, SERVER_RETRY_SECONDS);
		return 0;
	}
	/* what may be said again and again, once somebody has proved to be the owner */
	if ((m->type == WIRE_PASSWORD_FINISH || m->type == WIRE_ENROL) &&
	    !server_may_write(s, who, m->type))
		return 0;
	/* before asking: an answer may be there at once */
	who->is_waiting = true;
	who->asked = m->type;
	result = login_message(who->login, m, who->ticket, s->now, s->wall, &reply);
	return say(s, who, result, &reply);
}

void server_on_login_answer(struct server *s, struct session *who,
			    const struct registry_answer *a)
{
	struct wire_message reply;

	say(s, who, login_registry_answer(who->login, a, who->ticket, &reply), &reply);
}

void server_on_holder_answer(struct server *s, struct session *who,
			     const struct holder_answer *a)
{
	struct wire_message reply;

	say(s, who, login_holder_answer(who->login, a, &reply), &reply);
}
