#include "peer/grants.h"

#include <stdlib.h>

#include "peer/account.h"
#include "peer/conversations.h"
#include "peer/events.h"
#include "peer/grants_inside.h"
#include "peer/persons.h"
#include "peer/reach.h"
#include "peer/store.h"
#include "peer/way.h"
#include "shared/error.h"
#include "shared/frame.h"

/* Chat goes before: a part is said while the line has more room than this. */
#define GRANTS_ROOM  ((size_t)8 * FRAME_MAX)
#define GRANTS_AGAIN (20 * MILLISECOND) /* looked for room */

/* One link to another device of ours. */
struct line_of_grants {
	uint64_t link_number;
	struct device_public device;
	bool is_told;    /* it has heard what it may have: */
	uint64_t told;   /* ... the number of the grant; 0: nothing */
	unsigned owed;   /* parts that it asked for */
	uint64_t before; /* ... behind this; 0: from the newest */
	unsigned asked;  /* parts that we asked for and did not get yet */
	bool has_asked;  /* ever */
	bool is_torn;    /* what came of them could not be stored: the link is begun anew */
};

struct grants {
	struct rooms *rooms;
	struct line_of_grants *lines;
	unsigned count;
	struct buf bodies;
	int64_t place;  /* the next one that comes in stands there, ... */
	bool has_place; /* ... if this is known */
	unsigned came;  /* since faces were told */
};

struct grants *grants_new(struct rooms *rooms)
{
	struct grants *g = memory_new(sizeof *g);

	g->rooms = rooms;
	return g;
}

void grants_free(struct grants *g)
{
	if (!g)
		return;
	buf_clear(&g->bodies);
	free(g->lines);
	free(g);
}

/* What is under way follows what was lost: it is asked for anew, from what the store has. */
void grants_reload(struct grants *g)
{
	for (unsigned i = 0; i < g->count; i++) {
		g->lines[i].is_torn |= g->lines[i].has_asked;
		g->lines[i].is_told = false;
	}
	g->has_place = false;
}

/* --- one line for each link --- */

static struct line_of_grants *line_of(struct grants *g, const struct way *w)
{
	for (unsigned i = 0; i < g->count; i++) {
		if (g->lines[i].link_number == w->link_number)
			return &g->lines[i];
	}
	g->lines = memory_grow(g->lines, g->count + 1, sizeof *g->lines);
	g->lines[g->count] = (struct line_of_grants){ .link_number = w->link_number,
						      .device = w->device };
	return &g->lines[g->count++];
}

static struct way *way_of(const struct grants *g, const struct line_of_grants *line)
{
	struct way *w;

	for (unsigned i = 0; (w = reach_way_at(g->rooms->reach, i)) != NULL; i++) {
		if (w->state == WAY_LINKED && w->link_number == line->link_number)
			return w;
	}
	return NULL;
}

static void forget_those_that_ended(struct grants *g)
{
	for (unsigned i = 0; i < g->count; i++) {
		if (!way_of(g, &g->lines[i]))
			g->lines[i--] = g->lines[--g->count];
	}
}

/* --- the older device --- */

void grants_give(struct grants *g, const struct device_public *device, wall_ms since,
		 bool is_given)
{
	struct given given = given_read(g->rooms, device);
	uint64_t now = g->rooms->wall > 0 ? (uint64_t)g->rooms->wall : 1;

	given.number = !is_given ? 0 : now > given.number ? now : given.number + 1;
	given.since = since;
	given.upto = events_last(g->rooms->events);
	given_write(g->rooms, device, &given);
	for (unsigned i = 0; i < g->count; i++) {
		if (device_public_equal(&g->lines[i].device, device))
			g->lines[i].is_told = false;
	}
}

/* That nothing is given is said where it was otherwise. */
static void tell(struct grants *g, struct way *w, struct line_of_grants *line)
{
	struct given given = given_read(g->rooms, &w->device);
	struct wire_message m = { .type = WIRE_GRANT };

	m.grant.number = given.number;
	m.grant.since = given.since;
	line->is_told = given.number == line->told || reach_say(g->rooms->reach, w, &m) == 0;
	if (line->is_told)
		line->told = given.number;
}

static int on_get(struct grants *g, const struct way *w, const struct wire_history_get *get)
{
	struct line_of_grants *line = line_of(g, w);

	if (given_read(g->rooms, &w->device).number != get->number)
		return 0; /* it asks for a grant of before, and hears of the one of now */
	if (!get->goes_on) {
		line->before = get->before;
		line->owed = 0;
	}
	if (line->owed >= GRANTS_ASKED)
		return ERR_LIMIT;
	line->owed++;
	return 0;
}

/* False: the line is full. */
static bool answer(struct grants *g, struct way *w, struct line_of_grants *line)
{
	struct given given = given_read(g->rooms, &w->device);
	struct wire_message *m;
	bool is_said;

	if (given.number == 0)
		line->owed = 0;
	if (line->owed == 0)
		return true;
	if (line_room(&w->line) < GRANTS_ROOM)
		return false;
	m = memory_new(sizeof *m);
	m->type = WIRE_HISTORY;
	grants_part(g->rooms, &given, line->before, &m->history, &g->bodies);
	is_said = reach_say(g->rooms->reach, w, m) == 0;
	if (is_said) {
		line->owed--;
		if (m->history.count > 0)
			line->before = m->history.list[m->history.count - 1].at;
	}
	free(m);
	return is_said;
}

/* --- the newer device --- */

static void ask(struct grants *g, struct way *w, struct line_of_grants *line,
		const struct granted *granted)
{
	struct wire_message m = { .type = WIRE_HISTORY_GET };

	m.history_get.number = granted->number;
	while (line->asked < GRANTS_ASKED) {
		m.history_get.goes_on = line->asked > 0;
		m.history_get.before = line->asked > 0 ? 0 : granted->at;
		if (reach_say(g->rooms->reach, w, &m) < 0)
			return;
		line->asked++;
		line->has_asked = true;
	}
}

static int on_grant(struct grants *g, struct way *w, const struct wire_grant *grant)
{
	struct granted granted = granted_read(g->rooms, &w->device);
	struct line_of_grants *line = line_of(g, w);

	if (grant->number == 0) {
		granted.is_over = true;
		line->asked = 0;
		granted_write(g->rooms, &w->device, &granted);
		return 0;
	}
	if (grant->number < granted.number)
		return 0;
	if (grant->number > granted.number) {
		granted = (struct granted){ .number = grant->number };
		granted_write(g->rooms, &w->device, &granted);
	}
	if (!granted.is_over && line->asked == 0)
		ask(g, w, line, &granted);
	return 0;
}

static void tell_faces(struct grants *g, bool is_over)
{
	struct event e = { .kind = EVENT_HISTORY,
			   .message_id = (uint64_t)-g->place,
			   .is_over = is_over };

	events_add(g->rooms->events, &e);
	g->came = 0;
}

static bool has_device(const struct person *p, const struct device_public *device)
{
	for (unsigned i = 0; i < p->devices.count; i++) {
		if (device_public_equal(&p->devices.devices[i].device, device))
			return true;
	}
	return false;
}

/* Numbers that our own chains cannot have, or somebody else's device for one of ours. */
static bool is_sound(struct grants *g, const struct wire_told *told, const struct person *p)
{
	const struct person *other = told->is_ours ? p : persons_self(g->rooms->persons);

	return told->say.seq < CHAIN_MAX && told->delivered <= CHAIN_MAX &&
	       told->read <= CHAIN_MAX && !has_device(other, &told->say.author);
}

/* Somebody whom this device does not know any more is passed over, and what it said itself: that is
 * here, or its numbers are others' by now. */
static int take(struct grants *g, const struct wire_told *told)
{
	struct rooms *r = g->rooms;
	struct person *p = persons_find(r->persons, &told->contact);
	struct chain chain;
	int64_t conversation;
	uint64_t id;
	int err;

	if (!p || p->is_self ||
	    device_public_equal(&told->say.author, account_device(r->account)))
		return 0;
	if (!is_sound(g, told, p))
		return ERR_FORMAT;
	conversation = conversations_find_chain(r->conversations, p, &told->theirs, &told->ours,
						&told->say.author, told->is_ours, &chain);
	err = conversations_recall(r->conversations, p, conversation, &chain, &told->say,
				   told->arrived_at, g->place, &id);
	if (err == 0) {
		g->place--;
		g->came++;
	}
	if (err == 0 || err == ERR_EXISTS)
		conversations_recalled(r->conversations, &chain, told->delivered, told->read);
	return err == ERR_EXISTS ? 0 : err;
}

static int on_history(struct grants *g, struct way *w, const struct wire_history *history)
{
	struct granted granted = granted_read(g->rooms, &w->device);
	struct line_of_grants *line = line_of(g, w);
	struct wire_message again = { .type = WIRE_HISTORY_GET };
	int err;

	if (line->asked == 0 || line->is_torn || granted.is_over)
		return 0; /* of a grant that was taken back, or behind the end */
	line->asked--;
	if (!g->has_place)
		g->place = grants_place(g->rooms);
	g->has_place = true;
	store_write(g->rooms->store);
	for (unsigned i = 0; i < history->count; i++) {
		const struct wire_told *told = &history->list[i];

		if (granted.at != 0 && told->at >= granted.at)
			return ERR_FORMAT;
		granted.at = told->at;
		err = take(g, told);
		if (err == ERR_FORMAT)
			return err;
		if (err < 0) { /* our disk, not their fault: the commit fails */
			store_failed(g->rooms->store, err);
			return 0;
		}
	}
	granted.is_over = history->count == 0;
	granted_write(g->rooms, &w->device, &granted);
	if (granted.is_over || g->came >= GRANTS_TELL_EACH)
		tell_faces(g, granted.is_over);
	again.history_get.number = granted.number;
	again.history_get.goes_on = true;
	if (!granted.is_over && reach_say(g->rooms->reach, w, &again) == 0)
		line->asked++;
	return 0;
}

/* --- both --- */

int grants_hear(struct grants *g, struct way *from, const struct wire_message *m)
{
	if (!from->person->is_self)
		return ERR_REFUSED;
	switch (m->type) {
	case WIRE_GRANT:
		return on_grant(g, from, &m->grant);
	case WIRE_HISTORY_GET:
		return on_get(g, from, &m->history_get);
	default:
		return on_history(g, from, &m->history);
	}
}

mono_ns grants_step(struct grants *g)
{
	mono_ns deadline = NEVER;
	struct way *w;

	forget_those_that_ended(g);
	for (unsigned i = 0; (w = reach_way_at(g->rooms->reach, i)) != NULL; i++) {
		struct line_of_grants *line;

		if (!w->person->is_self || w->state != WAY_LINKED)
			continue;
		line = line_of(g, w);
		line->is_torn = line->is_torn && !granted_read(g->rooms, &w->device).is_over;
		if (line->is_torn) {
			reach_hang_up(g->rooms->reach, w, LINK_CODE_BYE);
			w->is_wanted = true;
			continue;
		}
		if (!line->is_told)
			tell(g, w, line);
		if (!answer(g, w, line))
			deadline = g->rooms->now + GRANTS_AGAIN;
		else if (line->owed > 0)
			g->rooms->has_more = true; /* the others come first */
	}
	return deadline;
}
