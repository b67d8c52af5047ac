#include "peer/faces/tui/model.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

struct model {
	struct json *account, *profile;
	struct talk **talks;
	size_t count, capacity;
	char open[64];
	bool is_ready;
	unsigned revision;
	struct request *requests;
	size_t request_count, request_capacity;
	struct notice notices[MODEL_NOTICES];
	size_t notice_count;
};

/* --- requests and notices --- */

static void ask(struct model *m, enum asked asked, const char *name, uint64_t id,
		const char *method, struct json *take_params)
{
	struct request *r;

	if (m->request_count == m->request_capacity) {
		m->request_capacity = m->request_capacity ? 2 * m->request_capacity : 16;
		m->requests = memory_grow(m->requests, m->request_capacity,
					  sizeof *m->requests);
	}
	r = &m->requests[m->request_count++];
	*r = (struct request){
		.asked = asked, .method = method, .params = take_params, .id = id
	};
	snprintf(r->name, sizeof r->name, "%s", name);
}

bool model_next_request(struct model *m, struct request *r)
{
	if (!m->request_count)
		return false;
	*r = m->requests[0];
	memmove(m->requests, m->requests + 1, --m->request_count * sizeof *m->requests);
	return true;
}

void model_tell(struct model *m, const char *method, struct json *take_params)
{
	ask(m, ASKED_NOTHING, "", 0, method, take_params);
}

void model_notice(struct model *m, bool is_error, const char *format, ...)
{
	struct notice *n;
	va_list arguments;

	if (m->notice_count == MODEL_NOTICES)
		memmove(m->notices, m->notices + 1, --m->notice_count * sizeof *m->notices);
	n = &m->notices[m->notice_count++];
	*n = (struct notice){ .is_error = is_error };
	va_start(arguments, format);
	vsnprintf(n->words, sizeof n->words, format, arguments);
	va_end(arguments);
}

bool model_next_notice(struct model *m, struct notice *n)
{
	if (!m->notice_count)
		return false;
	*n = m->notices[0];
	memmove(m->notices, m->notices + 1, --m->notice_count * sizeof *m->notices);
	return true;
}

void model_touch(struct model *m)
{
	m->revision++;
}

unsigned model_revision(const struct model *m)
{
	return m->revision;
}

/* --- conversations --- */

static void forget_list(struct talk *t)
{
	for (size_t i = 0; i < t->count; i++)
		json_free(t->list[i].message);
	t->count = 0;
}

static void talk_free(struct talk *t)
{
	forget_list(t);
	free(t->list);
	json_free(t->contact);
	json_free(t->last);
	compose_free(t->compose);
	free(t);
}

struct talk *model_find(const struct model *m, const char *name)
{
	for (size_t i = 0; name && i < m->count; i++)
		if (!strcmp(m->talks[i]->name, name))
			return m->talks[i];
	return NULL;
}

static struct talk *talk_of(struct model *m, const char *name)
{
	struct talk *t = model_find(m, name);

	if (t || !name || !*name || strlen(name) >= sizeof t->name)
		return t;
	if (m->count == m->capacity) {
		m->capacity = m->capacity ? 2 * m->capacity : 16;
		m->talks = memory_grow(m->talks, m->capacity, sizeof *m->talks);
	}
	t = memory_new(sizeof *t);
	snprintf(t->name, sizeof t->name, "%s", name);
	t->compose = compose_new();
	m->talks[m->count++] = t;
	return t;
}

static bool is_state(const struct json *contact, const char *state)
{
	const char *is = json_text(contact, "state");

	return is && !strcmp(is, state);
}

static int64_t time_of(const struct talk *t)
{
	return t->last ? json_int(t->last, "arrivedAt", json_int(t->last, "timestamp", 0)) : 0;
}

static int by_time(const void *a, const void *b)
{
	const struct talk *s = *(struct talk *const *)a, *t = *(struct talk *const *)b;
	bool s_asks = is_state(s->contact, "requests"),
	     t_asks = is_state(t->contact, "requests");

	if (s_asks != t_asks)
		return t_asks - s_asks;
	if (time_of(s) != time_of(t))
		return time_of(s) < time_of(t) ? 1 : -1;
	return strcmp(s->name, t->name);
}

static void changed(struct model *m)
{
	if (m->count)
		qsort(m->talks, m->count, sizeof *m->talks, by_time);
	m->revision++;
}

size_t model_count(const struct model *m)
{
	return m->count;
}

struct talk *model_at(const struct model *m, size_t i)
{
	assert(i < m->count);
	return m->talks[i];
}

struct talk *model_open(const struct model *m)
{
	return model_find(m, m->open);
}

struct said *talk_find(const struct talk *t, uint64_t id)
{
	/* From the end: that is where what changes stands. */
	for (size_t i = t->count; id && i > 0; i--)
		if (t->list[i - 1].id == id)
			return &t->list[i - 1];
	return NULL;
}

/* --- messages --- */

static bool make_said(struct said *s, const struct json *message)
{
	uint64_t id;

	if (json_id(message, "id", &id) < 0)
		return false;
	*s = (struct said){
		.id = id,
		.is_own = json_bool(message, "own", false),
		.message = json_keep((struct json *)message),
	};
	return true;
}

static void insert(struct talk *t, size_t at, const struct json *messages)
{
	size_t count = json_count(messages), room = t->count + count;

	if (room > t->capacity) {
		t->capacity = room + MODEL_PAGE;
		t->list = memory_grow(t->list, t->capacity, sizeof *t->list);
	}
	for (size_t i = 0; i < count; i++) {
		struct said s;

		if (!make_said(&s, json_at(messages, i)))
			continue;
		if (talk_find(t, s.id)) {
			json_free(s.message);
			continue;
		}
		memmove(t->list + at + 1, t->list + at, (t->count - at) * sizeof *t->list);
		t->list[at++] = s;
		t->count++;
	}
}

static void drop(struct talk *t, size_t from, size_t count)
{
	for (size_t i = from; i < from + count; i++)
		json_free(t->list[i].message);
	memmove(t->list + from, t->list + from + count,
		(t->count - from - count) * sizeof *t->list);
	t->count -= count;
}

static void set_last(struct talk *t, const struct json *message)
{
	struct json *last = message ? json_keep((struct json *)message) : NULL;

	json_free(t->last);
	t->last = last;
}

static void replace(struct talk *t, const struct json *message)
{
	uint64_t id, last;
	struct said *s;

	if (json_id(message, "id", &id) < 0)
		return;
	s = talk_find(t, id);
	if (s) {
		json_free(s->message);
		make_said(s, message);
	}
	if (t->last && json_id(t->last, "id", &last) == 0 && last == id)
		set_last(t, message);
}

/* A notification's fields as a Message. */
static struct json *message_of(const struct json *p, bool is_own)
{
	static const char *const outer[] = { "id", "conversation" };
	struct json *m = json_object();
	const struct json *value;
	const char *key;
	void *it = NULL;

	for (size_t i = 0; i < 2; i++)
		json_set_text(m, outer[i], json_text(p, outer[i]));
	json_set_bool(m, "own", is_own);
	json_set_int(m, "timestamp", json_int(p, "timestamp", 0));
	json_set_int(m, "arrivedAt", json_int(p, "arrivedAt", json_int(p, "timestamp", 0)));
	json_set_text(m, "state", is_own ? "queued" : "received");
	while ((key = json_each(json_get(p, "message"), &it, &value)))
		json_set(m, key, json_keep((struct json *)value));
	return m;
}

static void take_new(struct model *m, const struct json *p, bool is_own)
{
	struct talk *t = talk_of(m, json_text(p, "conversation"));
	struct json *message, *list;

	if (!t)
		return;
	message = message_of(p, is_own);
	set_last(t, message);
	list = json_add(json_array(), message);
	if (t->is_here && !t->has_newer) {
		size_t before = t->count;

		insert(t, t->count, list);
		if (!is_own && t->up == 0 && t->count > before &&
		    t->count > MODEL_KEPT + MODEL_PAGE) {
			drop(t, 0, t->count - MODEL_KEPT);
			t->has_older = true;
		}
	}
	json_free(list);
	if (!is_own)
		t->unread++;
	changed(m);
}

/* --- asking --- */

static struct json *of_conversation(const char *name)
{
	return json_set_text(json_object(), "conversation", name);
}

static void ask_page(struct model *m, struct talk *t, enum asked asked, const char *key,
		     uint64_t id, int limit)
{
	struct json *params = json_set_int(of_conversation(t->name), "limit", limit);

	if (key)
		json_set_id(params, key, id);
	t->is_asking = true;
	ask(m, asked, t->name, id, "getMessages", params);
}

void model_want_older(struct model *m)
{
	struct talk *t = model_open(m);

	if (t && t->is_here && t->has_older && !t->is_asking && t->count)
		ask_page(m, t, ASKED_OLDER, "before", t->list[0].id, MODEL_PAGE);
}

void model_want_newer(struct model *m)
{
	struct talk *t = model_open(m);

	if (t && t->is_here && t->has_newer && !t->is_asking && t->count)
		ask_page(m, t, ASKED_NEWER, "after", t->list[t->count - 1].id, MODEL_PAGE);
}

void model_want_newest(struct model *m)
{
	struct talk *t = model_open(m);

	if (t && !t->is_asking)
		ask_page(m, t, ASKED_NEWEST, NULL, 0, MODEL_PAGE);
}

void model_choose(struct model *m, const char *name)
{
	struct talk *t = name ? talk_of(m, name) : NULL;

	snprintf(m->open, sizeof m->open, "%s", t ? t->name : "");
	if (t && !t->is_here)
		model_want_newest(m);
	if (t) {
		t->up = 0;
		t->chosen = 0;
	}
	m->revision++;
}

void model_go_to(struct model *m, const char *name, uint64_t id)
{
	struct talk *t;

	model_choose(m, name);
	t = model_open(m);
	if (!t)
		return;
	t->wanted = id;
	if (t->is_here && talk_find(t, id)) {
		t->chosen = id;
		t->wanted = 0;
	} else {
		ask_page(m, t, ASKED_AROUND, "before", id, MODEL_PAGE / 2);
	}
}

void model_mark_read(struct model *m, struct talk *t)
{
	uint64_t id = 0;

	for (size_t i = t->count; i > 0 && !id; i--)
		if (!t->list[i - 1].is_own)
			id = t->list[i - 1].id;
	if (!t->unread || !id || t->has_newer)
		return;
	t->unread = 0;
	model_tell(m, "markRead", json_set_id(of_conversation(t->name), "upTo", id));
	m->revision++;
}

/* --- answers --- */

static void take_contact(struct model *m, const struct json *contact)
{
	struct talk *t = talk_of(m, json_text(contact, "name"));

	if (!t)
		return;
	json_free(t->contact);
	t->contact = json_keep((struct json *)contact);
	t->unread = (unsigned)json_int(contact, "unread", 0);
}

static void take_contacts(struct model *m, const struct json *contacts)
{
	for (size_t i = 0; i < m->count; i++) {
		json_free(m->talks[i]->contact);
		m->talks[i]->contact = NULL;
	}
	for (size_t i = 0; i < json_count(contacts); i++) {
		const struct json *contact = json_at(contacts, i);
		const char *name = json_text(contact, "name");

		take_contact(m, contact);
		if (name)
			ask(m, ASKED_LAST, name, 0, "getMessages",
			    json_set_int(of_conversation(name), "limit", 1));
	}
	m->is_ready = true;
}

/* The first of theirs that was not read, of the newest. */
static uint64_t first_unread(const struct talk *t)
{
	unsigned left = t->unread;

	for (size_t i = t->count; i > 0 && left; i--)
		if (!t->list[i - 1].is_own && --left == 0)
			return t->list[i - 1].id;
	return 0;
}

static void take_page(struct model *m, struct talk *t, const struct request *r,
		      const struct json *messages)
{
	bool is_full = json_count(messages) == MODEL_PAGE;

	t->is_asking = false;
	switch (r->asked) {
	case ASKED_NEWEST:
		forget_list(t);
		insert(t, 0, messages);
		t->is_here = true;
		t->has_older = is_full;
		t->has_newer = false;
		t->up = 0;
		t->first_unread = first_unread(t);
		set_last(t, t->count ? t->list[t->count - 1].message : NULL);
		break;
	case ASKED_OLDER:
		insert(t, 0, messages);
		t->has_older = is_full;
		if (t->count > MODEL_KEPT) {
			drop(t, MODEL_KEPT, t->count - MODEL_KEPT);
			t->has_newer = true;
		}
		break;
	case ASKED_NEWER:
		insert(t, t->count, messages);
		t->has_newer = is_full;
		if (t->count > MODEL_KEPT) {
			drop(t, 0, t->count - MODEL_KEPT);
			t->has_older = true;
		}
		break;
	case ASKED_AROUND: /* what stands before it: now itself, and what is behind */
		forget_list(t);
		insert(t, 0, messages);
		t->is_here = true;
		t->has_older = json_count(messages) == MODEL_PAGE / 2;
		t->has_newer = true;
		ask(m, ASKED_MESSAGE, t->name, r->id, "getMessage",
		    json_set_id(json_object(), "id", r->id));
		break;
	default:
		break;
	}
}

static void take_message(struct model *m, struct talk *t, uint64_t id,
			 const struct json *message)
{
	struct json *list;

	if (talk_find(t, id) || t->wanted != id) {
		replace(t, message);
		return;
	}
	list = json_add(json_array(), json_keep((struct json *)message));
	insert(t, t->count, list);
	json_free(list);
	t->chosen = id;
	t->wanted = 0;
	ask_page(m, t, ASKED_NEWER, "after", id, MODEL_PAGE);
}

void model_answer(struct model *m, const struct request *r, const struct json *result,
		  const char *words)
{
	struct talk *t = model_find(m, r->name);
	const struct json *value;

	if (!result) {
		if (t)
			t->is_asking = false;
		if (t && r->asked == ASKED_CONTACT) {
			json_free(t->contact);
			t->contact = NULL;
		} else if (*words) {
			model_notice(m, true, "%s", words);
		}
		changed(m);
		return;
	}
	switch (r->asked) {
	case ASKED_STATUS:
		json_free(m->account);
		json_free(m->profile);
		m->account = json_keep((struct json *)json_get(result, "account"));
		value = json_get(result, "profile");
		m->profile = value ? json_keep((struct json *)value) : NULL;
		break;
	case ASKED_CONTACTS:
		take_contacts(m, json_get(result, "contacts"));
		break;
	case ASKED_CONTACT:
		take_contact(m, json_get(result, "contact"));
		break;
	case ASKED_LAST:
		if (t)
			set_last(t, json_at(json_get(result, "messages"), 0));
		break;
	case ASKED_NEWEST:
	case ASKED_OLDER:
	case ASKED_NEWER:
	case ASKED_AROUND:
		if (t)
			take_page(m, t, r, json_get(result, "messages"));
		break;
	case ASKED_MESSAGE:
		if (t)
			take_message(m, t, r->id, json_get(result, "message"));
		break;
	case ASKED_SUBSCRIBE:
	case ASKED_DEVICES:
	case ASKED_NOTHING:
		value = json_get(result, "contact");
		if (value && json_is_object(value))
			take_contact(m, value);
		break;
	}
	changed(m);
}

/* --- notifications --- */

static void on_delivery(struct model *m, const struct json *p)
{
	static const char *const order[] = { "queued", "delivered", "read" };
	struct talk *t = model_find(m, json_text(p, "conversation"));
	const char *state = json_text(p, "state");
	uint64_t up_to;
	int reached = 0;

	if (!t || !state || json_id(p, "upTo", &up_to) < 0)
		return;
	for (int i = 0; i < 3; i++)
		if (!strcmp(state, order[i]))
			reached = i;
	for (size_t i = 0; i < t->count; i++) {
		struct said *s = &t->list[i];
		const char *was = json_text(s->message, "state");
		int had = was && !strcmp(was, "read") ? 2 : was && !strcmp(was, "delivered");

		if (!s->is_own || s->id > up_to || had >= reached)
			continue;
		/* Of several devices one alone is spoken of: the engine knows of whose. */
		if (json_bool(p, "otherDevice", false))
			ask(m, ASKED_MESSAGE, t->name, s->id, "getMessage",
			    json_set_id(json_object(), "id", s->id));
		else
			json_set_text(s->message, "state", state);
	}
	if (t->last && json_bool(t->last, "own", false) && !json_bool(p, "otherDevice", false))
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
		replace(t, message);
		return;
	}
	for (size_t i = 0; i < t->count; i++)
		if (t->list[i].id == id)
			drop(t, i, 1);
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
		ask(m, ASKED_MESSAGE, t->name, id, "getMessage",
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
	ask(m, ASKED_STATUS, "", 0, "status", NULL);
}

static void on_notice(struct model *m, const struct json *p, bool is_warning)
{
	const char *name = json_text(p, "name"), *detail = json_text(p, "detail");

	if (detail)
		model_notice(m, is_warning, "%s%s%s", name ? name : "", name ? " " : "",
			     detail);
}

/* Something about one contact. */
static void on_person(struct model *m, const struct json *p)
{
	const char *name = json_text(p, "name");
	const struct json *contact = json_get(p, "contact");

	if (!name)
		name = json_text(p, "conversation");
	if (contact && json_is_object(contact))
		take_contact(m, contact);
	else if (name)
		ask(m, ASKED_CONTACT, name, 0, "getContact",
		    json_set_text(json_object(), "name", name));
}

void model_notified(struct model *m, const char *method, const struct json *p)
{
	const char *name = json_text(p, "name");

	if (!strcmp(method, "receive")) {
		take_new(m, p, false);
	} else if (!strcmp(method, "sent")) {
		take_new(m, p, true);
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
	} else if (strcmp(method, "devices")) {
		on_person(m, p);
	}
	if (!strcmp(method, "contactRequest") && name)
		model_notice(m, false, _("%s wants to talk with you: /accept %s"), name, name);
	if (!strcmp(method, "keyChanged") && name)
		model_notice(m, true,
			     _("%s shows another key; nothing is sent until you accept it: "
			       "/safety, /accept %s"),
			     name, name);
	changed(m);
}

/* --- life --- */

struct model *model_new(void)
{
	struct model *m = memory_new(sizeof *m);

	ask(m, ASKED_SUBSCRIBE, "", 0, "subscribe", NULL);
	ask(m, ASKED_STATUS, "", 0, "status", NULL);
	ask(m, ASKED_CONTACTS, "", 0, "listContacts", NULL);
	return m;
}

void model_free(struct model *m)
{
	struct request r;

	if (!m)
		return;
	while (model_next_request(m, &r))
		json_free(r.params);
	for (size_t i = 0; i < m->count; i++)
		talk_free(m->talks[i]);
	free(m->talks);
	free(m->requests);
	json_free(m->account);
	json_free(m->profile);
	free(m);
}

const struct json *model_account(const struct model *m)
{
	return m->account;
}

const struct json *model_profile(const struct model *m)
{
	return m->profile;
}

bool model_is_ready(const struct model *m)
{
	return m->is_ready;
}
