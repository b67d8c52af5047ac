#include "peer/faces/tui/model_inside.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/text.h"

/* --- requests and notices --- */

void model_ask(struct model *m, enum asked asked, const char *name, uint64_t id,
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

static void tell(struct model *m, const char *method, struct json *take_params)
{
	model_ask(m, ASKED_NOTHING, "", 0, method, take_params);
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

struct talk *model_talk(struct model *m, const char *name)
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

void model_changed(struct model *m)
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
	t->asking++;
	model_ask(m, asked, t->name, id, "getMessages", params);
}

void model_want_older(struct model *m)
{
	struct talk *t = model_open(m);

	if (t && t->is_here && t->has_older && !t->asking && t->count)
		ask_page(m, t, ASKED_OLDER, "before", t->list[0].id, MODEL_PAGE);
}

void model_want_newer(struct model *m)
{
	struct talk *t = model_open(m);

	if (t && t->is_here && t->has_newer && !t->asking && t->count)
		ask_page(m, t, ASKED_NEWER, "after", t->list[t->count - 1].id, MODEL_PAGE);
}

void model_want_newest(struct model *m)
{
	struct talk *t = model_open(m);

	/* What comes behind an older question takes the place of its answer. */
	if (t)
		ask_page(m, t, ASKED_NEWEST, NULL, 0, MODEL_PAGE);
}

void model_want_oldest(struct model *m)
{
	struct talk *t = model_open(m);

	if (!t || !t->is_here)
		return;
	t->anchor = 0;
	t->up = SIZE_MAX / 2; /* as far as there is something */
	if (t->has_older)
		ask_page(m, t, ASKED_OLDEST, "after", 0, MODEL_PAGE);
}

void model_choose(struct model *m, const char *name)
{
	struct talk *t = name ? model_talk(m, name) : NULL;

	snprintf(m->open, sizeof m->open, "%s", t ? t->name : "");
	if (t && !t->is_here)
		model_want_newest(m);
	if (t) {
		talk_to_bottom(t);
		t->chosen = 0;
		if (t->is_here && t->unread)
			t->first_unread = talk_first_unread(t);
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
		t->is_out_of_sight = true;
		t->wanted = 0;
	} else {
		ask_page(m, t, ASKED_AROUND, "before", id, MODEL_PAGE / 2);
	}
}

void model_forget(struct model *m, const char *name)
{
	struct talk *t = model_find(m, name);

	if (!t)
		return;
	forget_list(t);
	talk_set_last(t, NULL);
	t->is_here = false;
	t->unread = 0;
	if (t == model_open(m))
		model_want_newest(m);
	model_changed(m);
}

void model_look(struct model *m, bool is_looked_at)
{
	if (m->is_looked_at != is_looked_at)
		m->revision++;
	m->is_looked_at = is_looked_at;
}

bool model_is_looked_at(const struct model *m)
{
	return m->is_looked_at;
}

bool model_next_ring(struct model *m, char name[64])
{
	memcpy(name, m->rings, sizeof m->rings);
	*m->rings = '\0';
	return *name != '\0';
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
	tell(m, "markRead", json_set_id(of_conversation(t->name), "upTo", id));
	m->revision++;
}

/* --- answers --- */

void model_take_contact(struct model *m, const struct json *contact)
{
	struct talk *t = model_talk(m, json_text(contact, "name"));

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

		model_take_contact(m, contact);
		if (name)
			model_ask(m, ASKED_LAST, name, 0, "getMessages",
				  json_set_int(of_conversation(name), "limit", 1));
	}
	m->is_ready = true;
}

static void take_page(struct model *m, struct talk *t, const struct request *r,
		      const struct json *result)
{
	const struct json *messages = json_get(result, "messages");
	size_t limit = r->asked == ASKED_AROUND ? MODEL_PAGE / 2 : MODEL_PAGE;
	bool is_full = json_count(messages) == limit || json_bool(result, "more", false);

	t->asking--;
	switch (r->asked) {
	case ASKED_NEWEST:
		forget_list(t);
		talk_insert(t, 0, messages);
		t->is_here = true;
		t->has_older = is_full;
		t->has_newer = false;
		talk_to_bottom(t);
		t->first_unread = talk_first_unread(t);
		talk_set_last(t, t->count ? t->list[t->count - 1].message : NULL);
		break;
	case ASKED_OLDER:
		talk_insert(t, 0, messages);
		t->has_older = is_full;
		if (t->count > MODEL_KEPT) {
			talk_drop(t, MODEL_KEPT, t->count - MODEL_KEPT);
			t->has_newer = true;
		}
		break;
	case ASKED_NEWER:
		talk_insert(t, t->count, messages);
		t->has_newer = is_full;
		/* Behind the one that somebody went to: it was at the end for a moment. */
		t->is_out_of_sight |= r->id == t->chosen;
		if (t->count > MODEL_KEPT) {
			talk_drop(t, 0, t->count - MODEL_KEPT);
			t->has_older = true;
		}
		break;
	case ASKED_OLDEST:
		forget_list(t);
		talk_insert(t, 0, messages);
		t->has_older = false;
		t->has_newer = is_full;
		t->anchor = 0;
		t->up = SIZE_MAX / 2;
		break;
	case ASKED_AROUND: /* what stands before it: now itself, and what is behind */
		forget_list(t);
		talk_insert(t, 0, messages);
		t->is_here = true;
		t->has_older = is_full;
		t->has_newer = true;
		model_ask(m, ASKED_MESSAGE, t->name, r->id, "getMessage",
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
		talk_replace(t, message);
		return;
	}
	list = json_add(json_array(), json_keep((struct json *)message));
	talk_insert(t, t->count, list);
	json_free(list);
	t->chosen = id;
	t->is_out_of_sight = true;
	t->wanted = 0;
	ask_page(m, t, ASKED_NEWER, "after", id, MODEL_PAGE);
}

static bool is_page(enum asked asked)
{
	return asked == ASKED_NEWEST || asked == ASKED_OLDER || asked == ASKED_NEWER ||
	       asked == ASKED_OLDEST || asked == ASKED_AROUND;
}

void model_answer(struct model *m, const struct request *r, const struct json *result,
		  const char *words)
{
	struct talk *t = model_find(m, r->name);
	const struct json *value;

	if (!result) {
		if (t && is_page(r->asked))
			t->asking--;
		if (t && r->asked == ASKED_CONTACT) {
			json_free(t->contact);
			t->contact = NULL;
		} else if (*words) {
			model_notice(m, true, "%s", words);
		}
		model_changed(m);
		return;
	}
	switch (r->asked) {
	case ASKED_STATUS:
		json_free(m->account);
		m->account = json_keep((struct json *)json_get(result, "account"));
		break;
	case ASKED_CONTACTS:
		take_contacts(m, json_get(result, "contacts"));
		break;
	case ASKED_CONTACT:
		model_take_contact(m, json_get(result, "contact"));
		break;
	case ASKED_LAST:
		if (t)
			talk_set_last(t, json_at(json_get(result, "messages"), 0));
		break;
	case ASKED_NEWEST:
	case ASKED_OLDER:
	case ASKED_NEWER:
	case ASKED_OLDEST:
	case ASKED_AROUND:
		if (t)
			take_page(m, t, r, result);
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
			model_take_contact(m, value);
		break;
	}
	model_changed(m);
}

/* --- life --- */

struct model *model_new(void)
{
	struct model *m = memory_new(sizeof *m);

	m->is_looked_at = true;
	model_ask(m, ASKED_SUBSCRIBE, "", 0, "subscribe", NULL);
	model_ask(m, ASKED_STATUS, "", 0, "status", NULL);
	model_ask(m, ASKED_CONTACTS, "", 0, "listContacts", NULL);
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
	free(m);
}

const struct json *model_account(const struct model *m)
{
	return m->account;
}

bool model_is_ready(const struct model *m)
{
	return m->is_ready;
}
