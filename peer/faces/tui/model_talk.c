/* The messages of a conversation, as a list. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "peer/faces/tui/model_inside.h"
#include "shared/error.h"

struct said *talk_find(const struct talk *t, uint64_t id)
{
	/* From the end: that is where what changes stands. */
	for (size_t i = t->count; id && i > 0; i--)
		if (t->list[i - 1].id == id)
			return &t->list[i - 1];
	return NULL;
}

void talk_to_bottom(struct talk *t)
{
	t->up = 0;
	t->anchor = 0;
}

/* Days of two messages differ where these do. */
static int day_of(const struct json *message)
{
	time_t seconds = (time_t)(json_int(message, "timestamp", 0) / 1000);
	struct tm tm;

	return localtime_r(&seconds, &tm) ? tm.tm_year * 366 + tm.tm_yday : 0;
}

static bool is_apart(const struct json *m)
{
	return json_get(m, "file") || json_bool(m, "forwarded", false) ||
	       json_int(m, "missing", 0) > 0;
}

static bool make_said(struct said *s, const struct json *message)
{
	uint64_t id;

	if (json_id(message, "id", &id) < 0)
		return false;
	*s = (struct said){
		.id = id,
		.is_own = json_bool(message, "own", false),
		.message = json_keep((struct json *)message),
		.day = day_of(message),
		.written = json_int(message, "timestamp", 0),
		.bot = json_text(message, "bot"),
		.is_passing = json_int(message, "life", 0) > 0 ||
			      json_int(message, "expiresAt", 0) > 0,
		.is_apart = is_apart(message),
	};
	return true;
}

void talk_insert(struct talk *t, size_t at, const struct json *messages)
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

void talk_drop(struct talk *t, size_t from, size_t count)
{
	for (size_t i = from; i < from + count; i++)
		json_free(t->list[i].message);
	memmove(t->list + from, t->list + from + count,
		(t->count - from - count) * sizeof *t->list);
	t->count -= count;
}

void talk_set_last(struct talk *t, const struct json *message)
{
	struct json *last = message ? json_keep((struct json *)message) : NULL;

	json_free(t->last);
	t->last = last;
}

void talk_replace(struct talk *t, const struct json *message)
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
		talk_set_last(t, message);
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

/* What somebody looks at is not new to them. */
static void take_unread(struct model *m, struct talk *t, uint64_t id)
{
	bool is_seen = m->is_looked_at && t->up == 0 && !strcmp(m->open, t->name);

	if (!t->unread++ && !is_seen)
		t->first_unread = id;
	if (!is_seen)
		memcpy(m->rings, t->name, sizeof m->rings);
}

void talk_take_new(struct model *m, const struct json *p, bool is_own)
{
	struct talk *t = model_talk(m, json_text(p, "conversation"));
	struct json *message, *list;
	uint64_t id;

	if (!t || json_id(p, "id", &id) < 0)
		return;
	message = message_of(p, is_own);
	talk_set_last(t, message);
	list = json_add(json_array(), message);
	if (t->is_here && !t->has_newer) {
		talk_insert(t, t->count, list);
		if (t->up == 0 && t->count > MODEL_KEPT + MODEL_PAGE) {
			talk_drop(t, 0, t->count - MODEL_KEPT);
			t->has_older = true;
		}
	}
	json_free(list);
	if (is_own)
		t->first_unread = 0;
	else
		take_unread(m, t, id);
	model_changed(m);
}

/* The first of theirs that was not read, of the newest. */
uint64_t talk_first_unread(const struct talk *t)
{
	unsigned left = t->unread;

	for (size_t i = t->count; i > 0 && left; i--)
		if (!t->list[i - 1].is_own && --left == 0)
			return t->list[i - 1].id;
	return 0;
}
