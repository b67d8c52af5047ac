#include "directory/server_inside.h"

#include <sodium.h>

#include "shared/error.h"

/* How fast a session may ask for these; it hears nothing beyond. */
static const struct bucket_size introduction_rate = { 200, 100 };
static const struct bucket_size suspicion_rate = { 10, 3000 };

enum { RELIST_COST = 40 }; /* as many messages as it weighs */

/* --- what clients say: each returns 0, or an error that ends the link --- */

int server_on_publish(struct server *s, struct session *who, const struct wire_message *m)
{
	int err = presence_publish(who->record, &m->publish.open, &m->publish.shut);

	if (!err)
		watchers_changed(s->watchers, who->account);
	/* what is no newer says nothing new; a record that is not the device's own breaks rules */
	return err == ERR_EXISTS ? 0 : err;
}

/* The number of a name from outside, held while it is looked at. */
static int add(struct server *s, struct session *who, const struct name *name,
	       enum consent consent, struct bytes greeting)
{
	name_id id = names_hold(s->names, name);
	int err = 0;

	if (id != who->account)
		err = watchers_add(s->watchers, who->account, record_slot(who->record), id,
				   consent, greeting);
	names_release(s->names, id);
	return err;
}

int server_on_list(struct server *s, struct session *who, const struct wire_message *m)
{
	unsigned slot = record_slot(who->record);
	struct bytes none = { 0 };
	int err = 0;

	if (m->list.is_first && who->has_listed && !server_charge(s, who, RELIST_COST))
		return ERR_BUSY;
	who->has_listed = true;
	if (m->list.is_first) {
		watchers_remove_all(s->watchers, who->account, slot);
		who->listed = 0;
	}
	who->listed += m->list.count;
	if (who->listed > s->contacts_max)
		err = ERR_LIMIT;
	for (unsigned i = 0; i < m->list.count && !err; i++)
		err = add(s, who, &m->list.list[i].name, m->list.list[i].consent, none);
	if (err < 0)
		server_refuse(s, who, WIRE_LIST, err, 0);
	if (m->list.is_last)
		watchers_ready(s->watchers, who->account, slot);
	return 0;
}

int server_on_list_add(struct server *s, struct session *who, const struct wire_message *m)
{
	unsigned slot = record_slot(who->record);
	name_id id = names_find(s->names, &m->list_add.name);
	bool is_listed = id != NAMES_NONE &&
			 watchers_lists(s->watchers, who->account, slot, id);
	int err = ERR_LIMIT;

	/* Who takes a name off and on again makes us tell the other each time. */
	if (id != NAMES_NONE && watchers_has_listed(s->watchers, who->account, id) &&
	    !server_charge(s, who, RELIST_COST))
		return ERR_BUSY;

	if (is_listed || watchers_listed(s->watchers, who->account, slot) < s->contacts_max)
		err = add(s, who, &m->list_add.name, m->list_add.consent, m->list_add.greeting);
	if (err < 0)
		server_refuse(s, who, WIRE_LIST_ADD, err, 0);
	return 0;
}

int server_on_list_remove(struct server *s, struct session *who, const struct wire_message *m)
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
	server_tell(s, record_user(to), m);
}

static mono_ns round_trip(void *user, const struct record *of)
{
	const struct session *who = record_user(of);

	(void)user;
	return link_round_trip(who->link);
}

int server_on_introduce(struct server *s, struct session *who, const struct wire_message *m)
{
	const struct introduce_calls calls = { round_trip, tell_introduction, s };

	if (!bucket_take(&who->introductions, &introduction_rate, 1, s->now, NULL))
		return 0;
	s->counts.introductions += introduce(s->introductions, s->names, s->presence,
					     s->watchers, who->account, who->record,
					     &m->introduce.name, &calls, s->now);
	return 0;
}

int server_on_suspect(struct server *s, struct session *who, const struct wire_message *m)
{
	name_id id = names_find(s->names, &m->suspect.name);
	struct record *r;
	uint64_t nonce;

	if (id == NAMES_NONE || !watchers_sees(s->watchers, who->account, id))
		return 0;
	r = presence_find(s->presence, id, &m->suspect.device);
	if (!r || !bucket_take(&who->suspicions, &suspicion_rate, 1, s->now, NULL))
		return 0;
	randombytes_buf(&nonce, sizeof nonce);
	checks_begin(&s->checks, record_user(r), nonce, s->now);
	return 0;
}

int server_on_check_answer(struct server *s, struct session *who, const struct wire_message *m)
{
	/* The packet it came in has said all: the device is there (see checks_due()). */
	(void)s;
	(void)who;
	(void)m;
	return 0;
}

/* --- what they are told --- */

/* false: nothing to say after all. */
static bool fill_presence(struct server *s, const struct watchers_due *due,
			  struct wire_message *m)
{
	enum consent consent = watchers_consent(s->watchers, due->about, due->to);

	m->type = WIRE_PRESENCE;
	m->presence.name = *names_of(s->names, due->about);
	m->presence.device_count = 0;
	m->presence.devices.version = 0;
	if (!watchers_sees(s->watchers, due->to, due->about))
		return true;
	m->presence.device_count = presence_devices(s->presence, due->about, consent,
						    m->presence.online);
	(void)presence_list(s->presence, due->about, &m->presence.devices);
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

void server_tell_due(struct server *s)
{
	struct watchers_due due;
	struct wire_message m;

	while (watchers_next(s->watchers, &due)) {
		bool is_presence = due.kind == WATCHERS_PRESENCE;
		uint8_t full = 0;

		if (!(is_presence ? fill_presence(s, &due, &m) : fill_asked(s, &due, &m)))
			continue;
		server_frame(s, &m);
		for (unsigned slot = 0; slot < PRESENCE_SLOTS; slot++) {
			struct session *who;
			struct record *r = NULL;
			int err;

			if (due.slots & 1 << slot)
				r = presence_at(s->presence, due.to, slot);
			if (!r)
				continue;
			who = record_user(r);
			err = who->owes_welcome ? ERR_FULL : server_tell_frame(s, who, m.type);
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
