/* What the engine tells by itself, taken into the model. */
#include <stdio.h>
#include <string.h>

#include "peer/faces/tui/model_inside.h"
#include "shared/error.h"
#include "shared/text.h"

/* How far one of ours has come: 0, 1 delivered, 2 read. */
static int how_far(const char *state)
{
	return !state ? 0 : !strcmp(state, "read") ? 2 : !strcmp(state, "delivered");
}

/* What is read is not delivered afterwards, though it may be told in this order. */
static void on_delivery(struct model *m, const struct json *p)
{
	struct talk *t = model_find(m, json_text(p, "conversation"));
	const char *state = json_text(p, "state");
	uint64_t up_to, last;
	int reached = how_far(state), asked = 0;

	if (!t || !state || json_id(p, "upTo", &up_to) < 0)
		return;
	for (size_t i = t->count; i > 0; i--) {
		struct said *s = &t->list[i - 1];

		if (!s->is_own || s->id > up_to ||
		    how_far(json_text(s->message, "state")) >= reached)
			continue;
		/* Of several devices one alone is spoken of: the engine knows of whose. */
		if (json_bool(p, "otherDevice", false) && asked++ < MODEL_ASKED_AGAIN)
			model_ask(m, ASKED_MESSAGE, t->name, s->id, "getMessage",
				  json_set_id(json_object(), "id", s->id));
		else if (!json_bool(p, "otherDevice", false)) {
			json_set_text(s->message, "state", state);
			s->width = 0;
		}
	}
	if (t->last && json_bool(t->last, "own", false) &&
	    !json_bool(p, "otherDevice", false) && json_id(t->last, "id", &last) == 0 &&
	    last <= up_to && how_far(json_text(t->last, "state")) < reached)
		json_set_text(t->last, "state", state);
}

static void on_changed(struct model *m, const struct json *p)
{
	struct talk *t = model_find(m, json_text(p, "conversation"));
	const struct json *message = json_get(p, "message");
	uint64_t id;

	if (!t || json_id(p, "id", &id) < 0)
		return;
	if (message && json_is_object(message)) {
		talk_replace(t, message);
		return;
	}
	for (size_t i = 0; i < t->count; i++)
		if (t->list[i].id == id)
			talk_drop(t, i, 1);
}

static void on_transfer(struct model *m, const struct json *p)
{
	static const char *const fleeting[] = { "rate", "secondsLeft", "error", "reason" };
	struct talk *t = model_find(m, json_text(p, "conversation"));
	const struct json *value;
	struct json *file;
	struct said *s;
	const char *key;
	uint64_t id;
	void *it = NULL;

	if (!t || json_id(p, "id", &id) < 0 || !(s = talk_find(t, id)))
		return;
	file = (struct json *)json_get(s->message, "file");
	if (!file)
		return;
	for (size_t i = 0; i < sizeof fleeting / sizeof *fleeting; i++)
		json_set(file, fleeting[i], json_null());
	while ((key = json_each(p, &it, &value)))
		if (strcmp(key, "id") && strcmp(key, "conversation") && strcmp(key, "own") &&
		    strcmp(key, "eventId"))
			json_set(file, key, json_keep((struct json *)value));
	s->width = 0;
	/* Its small image is made, or checked, a moment after the message. */
	if (json_has(p, "eventId") && !json_bool(file, "hasThumbnail", false))
		model_ask(m, ASKED_MESSAGE, t->name, id, "getMessage",
			  json_set_id(json_object(), "id", id));
}

static void on_typing(struct model *m, const struct json *p)
{
	struct talk *t = model_find(m, json_text(p, "conversation"));

	if (t && t->contact)
		json_set_bool(t->contact, "typing", json_bool(p, "typing", false));
}

static void on_account(struct model *m)
{
	model_ask(m, ASKED_STATUS, "", 0, "status", NULL);
}

static void on_notice(struct model *m, const struct json *p, bool is_warning)
{
	const char *name = json_text(p, "name"), *detail = json_text(p, "detail");

	if (detail)
		model_notice(m, is_warning, "%s%s%s", name ? name : "", name ? " " : "",
			     detail);
}

static void on_proposal(struct model *m, const struct json *p)
{
	const char *bot = json_text(p, "bot"), *to = json_text(p, "conversation");

	if (bot && to)
		model_notice(m, false, _("bot %s wants to say something to %s: /proposals"),
			     bot, to);
}

/* Something about one contact. */
static void on_person(struct model *m, const struct json *p)
{
	const char *name = json_text(p, "name");
	const struct json *contact = json_get(p, "contact");

	if (!name)
		name = json_text(p, "conversation");
	if (contact && json_is_object(contact))
		model_take_contact(m, contact);
	else if (name)
		model_ask(m, ASKED_CONTACT, name, 0, "getContact",
			  json_set_text(json_object(), "name", name));
}

void model_notified(struct model *m, const char *method, const struct json *p)
{
	const char *name = json_text(p, "name");

	if (!strcmp(method, "receive")) {
		talk_take_new(m, p, false);
	} else if (!strcmp(method, "sent")) {
		talk_take_new(m, p, true);
	} else if (!strcmp(method, "delivery")) {
		on_delivery(m, p);
	} else if (!strcmp(method, "changed")) {
		on_changed(m, p);
	} else if (!strcmp(method, "transferProgress")) {
		on_transfer(m, p);
	} else if (!strcmp(method, "typing")) {
		on_typing(m, p);
	} else if (!strcmp(method, "read")) {
		struct talk *t = model_find(m, json_text(p, "conversation"));
		if (t)
			t->unread = (unsigned)json_int(p, "unread", 0);
	} else if (!strcmp(method, "account")) {
		on_account(m);
	} else if (!strcmp(method, "warning") || !strcmp(method, "notice")) {
		on_notice(m, p, *method == 'w');
	} else if (!strcmp(method, "history")) {
		if (json_bool(p, "over", false)) {
			for (size_t i = 0; i < m->count; i++)
				m->talks[i]->is_here = false;
			model_want_newest(m);
		}
	} else if (!strcmp(method, "profile") && json_bool(p, "own", false)) {
		on_account(m);
	} else if (!strcmp(method, "proposal")) {
		on_proposal(m, p);
	} else if (strcmp(method, "devices") && strcmp(method, "proposalSettled")) {
		on_person(m, p);
	}
	if (!strcmp(method, "contactRequest") && name && strlen(name) < sizeof m->rings)
		memcpy(m->rings, name, strlen(name) + 1);
	if (!strcmp(method, "contactRequest") && name)
		model_notice(m, false, _("%s wants to talk with you: /accept %s"), name, name);
	if (!strcmp(method, "keyChanged") && name)
		model_notice(m, true,
			     _("%s shows another key; nothing is sent until you accept it: "
			       "/safety, /accept %s"),
			     name, name);
	model_changed(m);
}
