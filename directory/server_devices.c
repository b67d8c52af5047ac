#include "directory/server_inside.h"

#include "shared/error.h"

/* What a device that is online makes of another list: it stays; it is the account's no more; or
 * its certificate is of an identity that was, and it comes back with another. */
static void judge(struct server *s, struct session *who, const struct device_list *list)
{
	const struct certificate *c = record_certificate(who->record);

	if (!device_list_find(list, &c->device)) {
		server_refuse(s, who, WIRE_WELCOME, ERR_REFUSED, 0);
		server_put_out(s, who, LINK_CODE_UNKNOWN);
	} else if (!identity_public_equal(&c->identity, &list->identity)) {
		server_put_out(s, who, LINK_CODE_RESTART);
	}
}

void server_devices_changed(struct server *s, const struct name *name,
			    const struct device_list *list)
{
	name_id id = names_find(s->names, name);

	for (unsigned slot = 0; id != NAMES_NONE && slot < PRESENCE_SLOTS; slot++) {
		struct record *r = presence_at(s->presence, id, slot);

		if (r)
			judge(s, record_user(r), list);
	}
	if (id == NAMES_NONE || !presence_is_online(s->presence, id))
		return;
	presence_set_list(s->presence, id, list);
	watchers_changed(s->watchers, id);
}

static void outdate_all(struct session *who, const struct session *by, const struct name *name,
			enum login_news news)
{
	for (; who; who = who->next)
		if (who != by && who->login)
			login_outdate(who->login, name, news);
}

void server_outdate(struct server *s, const struct session *by, const struct name *name,
		    enum login_news news)
{
	outdate_all(sessions_oldest_guest(s->sessions), by, name, news);
	outdate_all(sessions_clients_first(s->sessions), by, name, news);
}

static unsigned put_out_all(struct server *s, const struct name *name, enum link_code code,
			    bool is_suspended)
{
	name_id id = names_find(s->names, name);
	unsigned count = 0;

	server_outdate(s, NULL, name, LOGIN_NO_ENTRY);
	for (unsigned slot = 0; id != NAMES_NONE && slot < PRESENCE_SLOTS; slot++) {
		struct record *r = presence_at(s->presence, id, slot);

		if (r && is_suspended)
			server_put_out_suspended(s, record_user(r));
		else if (r)
			server_put_out(s, record_user(r), code);
		count += r != NULL;
	}
	return count;
}

unsigned server_drop(struct server *s, const struct name *name, enum link_code code)
{
	return put_out_all(s, name, code, false);
}

unsigned server_suspend(struct server *s, const struct name *name)
{
	return put_out_all(s, name, LINK_CODE_RESTART, true);
}
