#include "peer/attention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/bytes.h"
#include "shared/text.h"

enum news { NEWS_NONE, NEWS_TALK, NEWS_REQUEST, NEWS_KEY };
enum { LOOKED_COUNT = 8, OVER_COUNT = ATTENTION_SLOTS };

/* One contact's news of a kind: shown, or about to be. */
struct slot {
	enum news news; /* NEWS_NONE: free */
	struct name name;
	unsigned count;      /* messages */
	uint64_t last;       /* of them: the id of the one that `text` is of */
	char *text;          /* of the last one, safe; NULL: none, or not to be shown */
	bool is_due;         /* something is to be shown; from `not_before` on */
	bool is_being_shown; /* the desktop has not said yet how it calls it */
	bool is_seen;        /* while that was so: to be taken away when it has */
	mono_ns not_before;
	mono_ns touched;
	uint32_t id; /* as the desktop calls it; 0: not shown */
};

struct attention {
	struct slot slots[ATTENTION_SLOTS];
	mono_ns not_before; /* of all */
	struct {
		struct name name;
		mono_ns until;
	} looked[LOOKED_COUNT];
	uint32_t over[OVER_COUNT];
	unsigned over_count;
};

struct attention *attention_new(void)
{
	return memory_new(sizeof(struct attention));
}

static void slot_clear(struct slot *s)
{
	free(s->text);
	*s = (struct slot){ 0 };
}

void attention_forget(struct attention *a)
{
	for (unsigned i = 0; i < ATTENTION_SLOTS; i++)
		slot_clear(&a->slots[i]);
	a->over_count = 0;
}

void attention_free(struct attention *a)
{
	if (a)
		attention_forget(a);
	free(a);
}

/* --- what comes --- */

static enum news news_of(const struct event *event)
{
	switch (event->kind) {
	case EVENT_HEARD:
		return NEWS_TALK;
	case EVENT_REQUEST:
		return NEWS_REQUEST;
	case EVENT_KEY_CHANGED:
		return NEWS_KEY;
	default:
		return NEWS_NONE;
	}
}

static const struct name *name_of(const struct event *event)
{
	return event->kind == EVENT_HEARD ? &event->message.contact : &event->name;
}

bool attention_wants(const struct event *event)
{
	return news_of(event) != NEWS_NONE || event->kind == EVENT_SEEN ||
	       event->kind == EVENT_CHANGED || event->kind == EVENT_CONTACT;
}

/* The first characters, in one line. The caller's to free; NULL: there are none. */
static char *beginning(const char *text, size_t size)
{
	struct buf plain = { 0 };
	char *safe;
	size_t at = 0, left = ATTENTION_TEXT_CHARACTERS;

	for (size_t i = 0; i < size && i < ATTENTION_BODY_MAX; i++)
		buf_append_byte(&plain,
				text[i] == '\n' || text[i] == '\t' ? ' ' : (uint8_t)text[i]);
	safe = text_safe((char *)plain.data, plain.size, false);
	buf_clear(&plain);
	while (safe[at] && left) {
		at++;
		while ((safe[at] & 0xc0) == 0x80)
			at++;
		left--;
	}
	if (safe[at]) {
		buf_append(&plain, bytes_of(safe, at));
		buf_append(&plain, bytes_text("…"));
		buf_append_byte(&plain, 0);
		free(safe);
		return (char *)plain.data;
	}
	if (*safe)
		return safe;
	free(safe);
	return NULL;
}

static char *text_of(const struct event *event)
{
	const struct message *m = &event->message;

	if (event->kind == EVENT_REQUEST)
		return beginning(event->greeting, strlen(event->greeting));
	if (event->kind != EVENT_HEARD)
		return NULL;
	if (m->has_file && !m->text.size)
		return beginning((const char *)m->file.name.data, m->file.name.size);
	return beginning((const char *)m->text.data, m->text.size);
}

static struct slot *find(struct attention *a, enum news news, const struct name *name)
{
	for (unsigned i = 0; i < ATTENTION_SLOTS; i++)
		if (a->slots[i].news == news && name_equal(&a->slots[i].name, name))
			return &a->slots[i];
	return NULL;
}

/* A free one; or the one that has stood on the desktop for longest, which stays there. NULL: all wait. */
static struct slot *take(struct attention *a)
{
	struct slot *oldest = NULL;

	for (unsigned i = 0; i < ATTENTION_SLOTS; i++) {
		struct slot *s = &a->slots[i];
		if (s->news == NEWS_NONE)
			return s;
		if (!s->is_due && !s->is_being_shown &&
		    (!oldest || s->touched < oldest->touched))
			oldest = s;
	}
	if (oldest)
		slot_clear(oldest);
	return oldest;
}

static bool was_looked_at(const struct attention *a, const struct name *name, mono_ns now)
{
	for (unsigned i = 0; i < LOOKED_COUNT; i++)
		if (a->looked[i].until > now && name_equal(&a->looked[i].name, name))
			return true;
	return false;
}

/* A text that is no more is shown no longer. */
static void take_back(struct attention *a, const struct event *event)
{
	struct slot *s = find(a, NEWS_TALK, &event->name);

	if (!s || s->last != event->message_id || !s->text || event->change == CHANGE_REACTIONS)
		return;
	free(s->text);
	s->text = NULL;
	s->is_due = true;
}

/* From the desktop, if it is there. */
static void end(struct attention *a, struct slot *s)
{
	if (s->is_being_shown) {
		s->is_seen = true;
		s->is_due = false;
		return;
	}
	if (s->id && a->over_count < OVER_COUNT)
		a->over[a->over_count++] = s->id;
	slot_clear(s);
}

static void end_of(struct attention *a, enum news news, const struct name *name)
{
	struct slot *s = find(a, news, name);

	if (s)
		end(a, s);
}

/* What takes something from the desktop. */
static void hear_end(struct attention *a, const struct event *event,
		     const struct attention_rules *rules)
{
	if (event->kind == EVENT_CHANGED)
		take_back(a, event);
	if (event->kind == EVENT_SEEN)
		end_of(a, NEWS_TALK, &event->name);
	if (event->kind != EVENT_CONTACT || !rules->is_decided)
		return;
	end_of(a, NEWS_REQUEST, &event->name);
	end_of(a, NEWS_KEY, &event->name);
}

void attention_hear(struct attention *a, const struct event *event,
		    const struct attention_rules *rules, mono_ns now)
{
	enum news news = news_of(event);
	const struct name *name = name_of(event);
	struct slot *s;

	hear_end(a, event, rules);
	if (news == NEWS_NONE || rules->notifications == NOTIFICATIONS_OFF || rules->is_busy ||
	    rules->is_looked_at || was_looked_at(a, name, now))
		return;
	s = find(a, news, name);
	if (!s) {
		s = take(a);
		if (!s)
			return;
		s->news = news;
		s->name = *name;
		s->not_before = now;
	}
	s->touched = now;
	s->is_seen = false;
	s->count++;
	s->last = event->message.id;
	free(s->text);
	s->text = rules->notifications == NOTIFICATIONS_ALL ? text_of(event) : NULL;
	s->is_due = true;
}

void attention_seen(struct attention *a, const char *text, mono_ns now)
{
	struct name name;
	unsigned oldest = 0;

	if (name_parse(&name, bytes_text(text)) < 0)
		return;
	for (unsigned i = 0; i < LOOKED_COUNT; i++) {
		if (name_equal(&a->looked[i].name, &name)) {
			oldest = i;
			break;
		}
		if (a->looked[i].until < a->looked[oldest].until)
			oldest = i;
	}
	a->looked[oldest].name = name;
	a->looked[oldest].until = now + ATTENTION_LOOKED_MS * MILLISECOND;
	for (unsigned i = 0; i < ATTENTION_SLOTS; i++)
		if (a->slots[i].news != NEWS_NONE && name_equal(&a->slots[i].name, &name))
			end(a, &a->slots[i]);
}

/* --- what is shown --- */

static void write_talk(const struct slot *s, struct attention_note *note)
{
	snprintf(note->title, sizeof note->title, "%s", s->name.text);
	if (s->count == 1)
		snprintf(note->body, sizeof note->body, "%s",
			 s->text ? s->text : _("A new message"));
	else if (s->text)
		snprintf(note->body, sizeof note->body,
			 ngettext("(%u message) %s", "(%u messages) %s", s->count), s->count,
			 s->text);
	else
		snprintf(note->body, sizeof note->body,
			 ngettext("%u new message", "%u new messages", s->count), s->count);
}

static void write_note(const struct slot *s, struct attention_note *note)
{
	switch (s->news) {
	case NEWS_REQUEST:
		snprintf(note->title, sizeof note->title, _("%s wants to talk with you"),
			 s->name.text);
		snprintf(note->body, sizeof note->body, "%s",
			 s->text ? s->text : _("You can accept, or block them."));
		break;
	case NEWS_KEY:
		snprintf(note->title, sizeof note->title, _("%s shows another key"),
			 s->name.text);
		snprintf(note->body, sizeof note->body, "%s",
			 _("Nothing is sent to them until you decide."));
		break;
	default:
		write_talk(s, note);
	}
}

bool attention_next(struct attention *a, struct attention_note *note, mono_ns now)
{
	struct slot *next = NULL;

	if (now < a->not_before)
		return false;
	for (unsigned i = 0; i < ATTENTION_SLOTS; i++) {
		struct slot *s = &a->slots[i];
		if (s->is_due && !s->is_being_shown && s->not_before <= now &&
		    (!next || s->not_before < next->not_before))
			next = s;
	}
	if (!next)
		return false;
	note->slot = (unsigned)(next - a->slots);
	note->replaces = next->id;
	write_note(next, note);
	next->is_due = false;
	next->is_being_shown = true;
	next->not_before = now + ATTENTION_PAUSE_MS * MILLISECOND;
	a->not_before = now + ATTENTION_BETWEEN_MS * MILLISECOND;
	return true;
}

void attention_shown(struct attention *a, unsigned slot, uint32_t id)
{
	struct slot *s = &a->slots[slot];

	if (!s->is_being_shown)
		return; /* forgotten meanwhile */
	s->is_being_shown = false;
	s->id = id;
	if (!id && !s->is_due)
		slot_clear(s);
	else if (s->is_seen)
		end(a, s);
}

bool attention_next_over(struct attention *a, uint32_t *id)
{
	if (!a->over_count)
		return false;
	*id = a->over[--a->over_count];
	return true;
}

/* What waits to be shown in its place is a new one, and is counted from there. */
void attention_closed(struct attention *a, uint32_t id)
{
	for (unsigned i = 0; i < ATTENTION_SLOTS; i++) {
		struct slot *s = &a->slots[i];
		if (s->news == NEWS_NONE || !id || s->id != id)
			continue;
		if (s->is_due || s->is_being_shown)
			s->id = 0;
		else
			slot_clear(s);
	}
}

const char *attention_whose(const struct attention *a, uint32_t id)
{
	for (unsigned i = 0; i < ATTENTION_SLOTS; i++)
		if (a->slots[i].news != NEWS_NONE && id && a->slots[i].id == id)
			return a->slots[i].name.text;
	return NULL;
}

mono_ns attention_deadline(const struct attention *a)
{
	mono_ns first = NEVER;

	for (unsigned i = 0; i < ATTENTION_SLOTS; i++)
		if (a->slots[i].is_due && !a->slots[i].is_being_shown)
			first = mono_earlier(first, a->slots[i].not_before);
	return first != NEVER && first < a->not_before ? a->not_before : first;
}
