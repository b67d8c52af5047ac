#include "directory/server_inside.h"

#include <string.h>

#include "shared/error.h"

/* What a session may say and how fast. A frame costs one, a list one more for each 32 names;
 * an honest client that comes online says a few dozen. */
static const struct bucket_size message_rate = { 2000, 20 };

/* --- telling --- */

void server_frame(struct server *s, const struct wire_message *m)
{
	session_frame(m, &s->out);
}

int server_tell_frame(struct server *s, struct session *to, enum wire_type type)
{
	int err = session_send_frame(to, buf_view(&s->out));

	if (err == 0)
		s->counts.messages_out[type]++;
	return err;
}

int server_tell(struct server *s, struct session *to, const struct wire_message *m)
{
	server_frame(s, m);
	return server_tell_frame(s, to, m->type);
}

void server_refuse(struct server *s, struct session *to, enum wire_type about, int err,
		   uint32_t retry_after)
{
	struct wire_message m = { .type = WIRE_REFUSAL };

	m.refusal.about = about;
	m.refusal.error = err;
	m.refusal.retry_after = retry_after;
	server_tell(s, to, &m);
}

void server_reply(struct server *s, struct session *to, const struct wire_message *m)
{
	if (server_tell(s, to, m) < 0)
		server_put_out(s, to, LINK_CODE_RESTART);
}

void server_refuse_answer(struct server *s, struct session *to, enum wire_type about, int err)
{
	switch (err) {
	case ERR_AUTH:
	case ERR_STATE:
	case ERR_NOT_FOUND:
		server_refuse(s, to, about, err, 0);
		return;
	}
	server_refuse(s, to, about, ERR_BUSY, SERVER_RETRY_SECONDS);
}

void server_tell_observed(struct server *s, struct session *who)
{
	struct wire_message m = { .type = WIRE_OBSERVED };

	m.observed.observed = link_path(who->link).remote;
	m.observed.observed.scope = 0;
	who->owes_observed = !who->owes_welcome && address_is_unicast(&m.observed.observed) &&
			     server_tell(s, who, &m) < 0;
}

bool server_charge(struct server *s, struct session *who, uint32_t cost)
{
	return bucket_take(&who->messages, &message_rate, cost, s->now, NULL);
}

/* --- the end of a session --- */

void server_drop_vault(struct server *s, struct session *who)
{
	if (!who->vault)
		return;
	for (unsigned i = 0; i < s->putting_count; i++)
		if (s->putting[i] == who) {
			s->putting_count--;
			memmove(s->putting + i, s->putting + i + 1,
				(s->putting_count - i) * sizeof *s->putting);
			break;
		}
	session_drop_vault(who);
}

void server_end(struct server *s, struct session *who)
{
	checks_forget(&s->checks, who);
	server_drop_vault(s, who);
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

void server_put_out(struct server *s, struct session *who, enum link_code code)
{
	struct link *link = who->link;

	server_end(s, who);
	link_close(link, code, s->now);
}

void server_put_out_suspended(struct server *s, struct session *who)
{
	server_refuse(s, who, WIRE_WELCOME, ERR_SUSPENDED, SERVER_SUSPENDED_SECONDS);
	server_put_out(s, who, LINK_CODE_RESTART);
}
