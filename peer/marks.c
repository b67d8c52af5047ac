#include "peer/marks.h"

#include <stdlib.h>
#include <string.h>

#include "peer/conversations.h"
#include "peer/events.h"
#include "peer/expiry.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/settings.h"
#include "peer/way.h"
#include "shared/error.h"

enum { LATER_MAX = WIRE_DEVICES_MAX, ROOM = 4096 /* bytes in a line, for one conversation */ };

/* READ that we cannot believe yet: of what is not here, or not known to be delivered. Or that was
 * believed in a step that may be undone: nobody says it again. */
struct later {
	struct device_public author;
	uint64_t next;
	struct device_public said_by;
	bool is_by_us;
	uint64_t taken; /* in this step; 0: not yet */
};

struct marks_of {
	uint64_t changed; /* what is read, counted in marks.changes; 0: not since the start */
	bool is_ahead;    /* something was undone: what is unread is counted when it changes */
	uint64_t unread;  /* as it was when that was looked at */
	unsigned later_count;
	struct later later[LATER_MAX];
	mono_ns later_at, later_pause;
	uint64_t later_unread; /* as it was when they were looked at */

	bool is_said; /* that we type; */
	mono_ns said_at, silent_at;
	uint64_t said_behind; /* ... behind so many messages of ours */
	bool is_typing;       /* they do */
	mono_ns typing_until, typed_at;
	uint64_t heard; /* of theirs, when they began to */
};

struct marks {
	struct rooms *rooms;
	uint64_t changes;
	uint64_t step; /* counts from 1 */
};

struct marks *marks_new(struct rooms *rooms)
{
	struct marks *m = memory_new(sizeof *m);

	m->rooms = rooms;
	m->step = 1;
	return m;
}

void marks_free(struct marks *m)
{
	free(m);
}

static struct marks_of *marks_of(struct marks *m, struct person *p)
{
	if (!p->marks) {
		p->marks = memory_new(sizeof *p->marks);
		p->marks->changed = ++m->changes;
	}
	return p->marks;
}

void marks_changed(struct marks *m, struct person *p)
{
	marks_of(m, p)->changed = ++m->changes;
}

void marks_reload(struct marks *m)
{
	struct person *p;

	for (unsigned i = 0; (p = persons_at(m->rooms->persons, i)) != NULL; i++) {
		struct marks_of *of = p->marks;

		if (!of)
			continue;
		of->is_ahead = true; /* counted anew */
		for (unsigned k = 0; k < of->later_count; k++) {
			if (of->later[k].taken)
				of->later_at = m->rooms->now;
			of->later[k].taken = 0;
		}
	}
}

/* --- what is read --- */

/* What is read here is new nowhere: our other devices that are there are told at once. */
static void call_own(struct marks *m)
{
	const struct person *self = persons_self(m->rooms->persons);

	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (self->ways[i] && self->ways[i]->state == WAY_IDLE)
			self->ways[i]->is_wanted = true;
	}
}

void marks_read(struct marks *m, struct person *p, uint64_t up_to)
{
	uint64_t before = p->read_up_to;
	bool is_news = conversations_read(m->rooms->conversations, p, up_to);

	if (p->read_up_to == before)
		return;
	persons_save(m->rooms->persons, p);
	expiry_read(m->rooms->expiry, p);
	if (!is_news)
		return;
	marks_changed(m, p);
	call_own(m);
}

/* Whether they get read marks. */
static bool tells_read(const struct marks *m, const struct person *p)
{
	if (p->tells_read >= 0)
		return p->tells_read;
	return settings_number(m->rooms->store, "tells_read", true);
}

/* That of the same is replaced; NULL: there is no place. */
static struct later *place_for(struct marks_of *of, const struct later *what)
{
	for (unsigned i = 0; i < of->later_count; i++) {
		if (device_public_equal(&of->later[i].author, &what->author) &&
		    of->later[i].is_by_us == what->is_by_us)
			return &of->later[i];
	}
	if (of->later_count == LATER_MAX)
		return NULL;
	of->later[of->later_count] = (struct later){ 0 };
	return &of->later[of->later_count++];
}

static void keep_for_later(struct marks *m, struct person *p, const struct later *what)
{
	struct marks_of *of = marks_of(m, p);
	struct later *place = place_for(of, what);

	if (!place)
		place = &of->later[LATER_MAX - 1];
	*place = *what;
	of->later_pause = MARKS_LATER;
	of->later_at = m->rooms->now + MARKS_LATER;
	of->later_unread = p->conversation->unread;
}

static void keep_until_stored(struct marks *m, struct person *p, const struct later *what)
{
	struct later *place = place_for(marks_of(m, p), what);

	if (!place || (place->next && !place->taken))
		return; /* what waits says more */
	*place = *what;
	place->taken = m->step;
}

static int take_read(struct marks *m, struct person *p, const struct later *read)
{
	struct rooms *r = m->rooms;
	struct event e = { .name = p->name };
	bool is_ours;
	enum read_heard heard = conversations_hear_read(r->conversations, p, &read->author,
							read->next, read->is_by_us, &is_ours,
							&e.message_id);

	if (heard == READ_WRONG)
		return ERR_FORMAT;
	if (heard == READ_LATER || heard == READ_PARTLY)
		keep_for_later(m, p, read);
	if (heard == READ_KNOWN || heard == READ_LATER)
		return 0;
	if (heard == READ_NEW)
		keep_until_stored(m, p, read);
	marks_changed(m, p);
	if (!is_ours)
		expiry_read(r->expiry, p);
	if (!e.message_id)
		return 0; /* nothing that is shown */
	e.kind = is_ours ? EVENT_READ : EVENT_SEEN;
	events_add(r->events, &e);
	return 0;
}

/* Whose conversation it is: on a way to a device of ours anybody's. */
static struct person *person_about(struct marks *m, const struct way *from,
				   const struct conversation_id *id)
{
	struct person *p;

	if (!from->person->is_self) {
		p = from->person;
		return p->conversation->has_identity &&
				       memcmp(&p->conversation->wire, id, sizeof *id) == 0
			       ? p
			       : NULL;
	}
	for (unsigned i = 0; (p = persons_at(m->rooms->persons, i)) != NULL; i++) {
		if (p->conversation->has_identity &&
		    memcmp(&p->conversation->wire, id, sizeof *id) == 0)
			return p;
	}
	return NULL;
}

static int hear_read(struct marks *m, struct way *from, const struct wire_read *read)
{
	struct person *p = person_about(m, from, &read->conversation);

	if (read->next >= CHAIN_MAX)
		return ERR_FORMAT;
	if (!p)
		return 0; /* of before a key changed, or of one whom we do not know yet */
	return take_read(m, p,
			 &(struct later){ .author = read->author,
					  .next = read->next,
					  .said_by = from->device,
					  .is_by_us = from->person->is_self });
}

/* A device that is no more of the account that it spoke for is believed nothing more. */
static bool still_speaks(struct marks *m, const struct person *p, const struct later *later)
{
	const struct person *of = later->is_by_us ? persons_self(m->rooms->persons) : p;

	return of &&
	       (of->devices.version == 0 || device_list_find(&of->devices, &later->said_by));
}

/* Out of the list comes what is neither stored now nor was taken in this step. */
static unsigned take_out(struct marks *m, struct marks_of *of, struct later out[LATER_MAX])
{
	unsigned count = 0, left = 0;

	for (unsigned i = 0; i < of->later_count; i++) {
		if (of->later[i].taken == m->step)
			of->later[left++] = of->later[i];
		else if (!of->later[i].taken)
			out[count++] = of->later[i];
	}
	of->later_count = left;
	return count;
}

/* What could not be believed when it came. */
static mono_ns look_again(struct marks *m, struct person *p)
{
	struct marks_of *of = p->marks;
	mono_ns pause = of->later_pause * 2;
	struct later later[LATER_MAX];
	unsigned count = take_out(m, of, later);

	if (count == 0)
		return NEVER;
	if (m->rooms->now < of->later_at && of->later_unread == p->conversation->unread) {
		memcpy(of->later + of->later_count, later, count * sizeof *later);
		of->later_count += count;
		return of->later_at;
	}
	for (unsigned i = 0; i < count; i++) {
		if (still_speaks(m, p, &later[i]))
			(void)take_read(m, p, &later[i]);
	}
	of->later_unread = p->conversation->unread;
	of->later_pause = pause < MARKS_LATER_MOST ? pause : MARKS_LATER_MOST;
	of->later_at = m->rooms->now + of->later_pause;
	return of->later_count ? of->later_at : NEVER;
}

/* --- saying how far it is read --- */

struct saying {
	struct marks *marks;
	struct way *way;
	const struct person *about;
	int err;
};

static bool say_read(void *user, const struct device_public *author, uint64_t next)
{
	struct saying *s = user;
	struct wire_message m = { .type = WIRE_READ };

	m.read.conversation = s->about->conversation->wire;
	m.read.author = *author;
	m.read.next = next;
	s->err = reach_say(s->marks->rooms->reach, s->way, &m);
	return s->err == 0;
}

/* False: there is no room now, or it cannot be read. */
static bool say_reads(struct marks *m, struct way *w, struct person *p)
{
	struct saying s = { m, w, p, 0 };

	if (!p->conversation->has_identity)
		return true;
	if (line_room(&w->line) < ROOM)
		return false;
	return conversations_reads(m->rooms->conversations, p, w->person->is_self, say_read,
				   &s) == 0 &&
	       s.err == 0;
}

/* The one whose change is the oldest of those that were not said there. */
static struct person *next_changed(struct marks *m, const struct way *w)
{
	struct person *p, *found = NULL;

	for (unsigned i = 0; (p = persons_at(m->rooms->persons, i)) != NULL; i++) {
		struct marks_of *of = marks_of(m, p);

		if (of->changed > w->reads_said &&
		    (!found || of->changed < found->marks->changed))
			found = p;
	}
	return found;
}

static void say_to_contact(struct marks *m, struct way *w)
{
	struct marks_of *of = marks_of(m, w->person);

	if (of->changed <= w->reads_said || w->person->is_unseen)
		return;
	if (!tells_read(m, w->person) || say_reads(m, w, w->person))
		w->reads_said = of->changed;
}

static void say_to_own(struct marks *m, struct way *w)
{
	struct person *p;

	while (w->reads_said < m->changes && (p = next_changed(m, w)) != NULL) {
		if (!say_reads(m, w, p))
			return; /* there is room when it has read some of it: another step */
		w->reads_said = p->marks->changed;
	}
}

static void say_all_reads(struct marks *m)
{
	struct way *w;

	for (unsigned i = 0; (w = reach_way_at(m->rooms->reach, i)) != NULL; i++) {
		if (w->state != WAY_LINKED || !person_is_open(w->person))
			continue;
		if (w->reads_link != w->link_number) {
			w->reads_link = w->link_number;
			w->reads_said = 0;
		}
		if (w->person->is_self)
			say_to_own(m, w);
		else
			say_to_contact(m, w);
	}
}

/* --- typing --- */

static void say_typing(struct marks *m, struct person *p, bool is_typing)
{
	struct wire_message message = { .type = WIRE_TYPING };

	message.typing.conversation = p->conversation->wire;
	message.typing.is_typing = is_typing;
	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (p->ways[i])
			(void)reach_say(m->rooms->reach, p->ways[i], &message);
	}
}

void marks_type(struct marks *m, struct person *p, bool is_typing)
{
	struct marks_of *of = marks_of(m, p);
	mono_ns now = m->rooms->now;
	uint64_t said = p->conversation->ours.next;

	if (of->said_behind != said)
		of->is_said = false; /* a message has said so */
	of->said_behind = said;
	of->silent_at = now + MARKS_TYPING_SILENCE;
	if (is_typing ? of->is_said && now < of->said_at + MARKS_TYPING_AGAIN : !of->is_said)
		return;
	of->is_said = is_typing;
	of->said_at = now;
	if (person_is_open(p) && !p->is_unseen)
		say_typing(m, p, is_typing);
}

/* What their devices have said so far. */
static uint64_t count_heard(const struct person *p)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < WIRE_DEVICES_MAX; i++) {
		if (p->ways[i] && p->ways[i]->talk_count > 0)
			count += p->ways[i]->talks[0]->chain.next;
	}
	return count;
}

static void set_typing(struct marks *m, struct person *p, bool is_typing)
{
	struct event e = { .kind = EVENT_TYPING, .name = p->name, .is_typing = is_typing };
	struct marks_of *of = marks_of(m, p);
	mono_ns now = m->rooms->now;

	if (of->is_typing == is_typing ||
	    (is_typing && of->typed_at && now < of->typed_at + SECOND))
		return;
	of->is_typing = is_typing;
	of->typed_at = now;
	events_pass(m->rooms->events, &e);
}

static int hear_typing(struct marks *m, struct way *from, const struct wire_typing *typing)
{
	struct person *p = person_about(m, from, &typing->conversation);

	if (from->person->is_self)
		return ERR_FORMAT;
	if (!p)
		return 0;
	set_typing(m, p, typing->is_typing);
	p->marks->typing_until = m->rooms->now + MARKS_TYPING_HEARD;
	p->marks->heard = count_heard(p);
	return 0;
}

static mono_ns watch_typing(struct marks *m, struct person *p)
{
	struct marks_of *of = p->marks;
	mono_ns now = m->rooms->now, deadline = NEVER;

	if (of->is_said && now >= of->silent_at)
		marks_type(m, p, false);
	if (of->is_said)
		deadline = of->silent_at;
	if (of->is_typing && (now >= of->typing_until || !p->is_linked || !person_is_open(p) ||
			      count_heard(p) != of->heard))
		set_typing(m, p, false);
	return of->is_typing ? mono_earlier(deadline, of->typing_until) : deadline;
}

/* --- the whole --- */

int marks_hear(struct marks *m, struct way *from, const struct wire_message *message)
{
	if (from->state != WAY_LINKED || !person_is_open(from->person))
		return 0;
	switch (message->type) {
	case WIRE_READ:
		return hear_read(m, from, &message->read);
	case WIRE_TYPING:
		return hear_typing(m, from, &message->typing);
	default:
		return ERR_FORMAT;
	}
}

mono_ns marks_step(struct marks *m)
{
	mono_ns deadline = NEVER;
	struct person *p;

	for (unsigned i = 0; (p = persons_at(m->rooms->persons, i)) != NULL; i++) {
		struct marks_of *of = marks_of(m, p);

		if (of->is_ahead && of->unread != p->conversation->unread) {
			conversations_count_unread(m->rooms->conversations, p);
			of->unread = p->conversation->unread;
		}
		deadline = mono_earlier(deadline, look_again(m, p));
		deadline = mono_earlier(deadline, watch_typing(m, p));
	}
	say_all_reads(m);
	m->step++;
	return deadline;
}

void marks_fill(const struct marks *m, const struct person *p, struct contact *out)
{
	out->is_typing = p->marks && p->marks->is_typing;
	out->tells_read = tells_read(m, p);
}
