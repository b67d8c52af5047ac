/* Persons and one another: whom they want as contacts, what they say. Done at the machine where the
 * person sits; the others of the same person must come to the same by themselves. */
#include <stdio.h>
#include <string.h>

#include "tests/world/people_inside.h"

/* A ticket of a saying names it: whose home, to whom, which. */
static uint64_t saying_ticket(unsigned home, unsigned to, size_t index)
{
	return 1ull << 60 | (uint64_t)home << 52 | (uint64_t)to << 44 | index;
}

void wishes_answered(struct people *p, const struct event *event)
{
	struct home *home = &p->homes[event->ticket >> 52 & 0xff];
	unsigned to = event->ticket >> 44 & 0xff;
	struct saying *s = &home->said[to].list[event->ticket & 0xffffffff];

	s->fate = event->error == 0 ? ACCEPTED : REFUSED;
	if (event->error == 0)
		p->counts.accepted++;
	else
		p->counts.refused++;
}

/* --- contacts --- */

static void fulfil(struct people *p, unsigned a, unsigned b)
{
	unsigned machine = p->persons[a].hand;
	struct engine *e = people_hands(p, machine);
	struct contact c = { 0 };
	const char *name = p->persons[b].name;
	bool is_known;

	if (!e || world_now(p->world) < p->machines[machine].ready)
		return;
	is_known = engine_contact(e, name, &c) == 0;
	switch (p->persons[a].wish[b]) {
	case WISH_NOTHING:
		if (is_known && c.state != CONTACT_REQUESTS)
			engine_remove(e, name);
		break;
	case WISH_CONTACT:
		if (!is_known || c.state == CONTACT_BLOCKED)
			engine_add(e, name, NULL, NULL);
		else if (c.state == CONTACT_REQUESTS || c.is_key_changed)
			engine_accept(e, name);
		else if (!p->is_invisible[a])
			consents_decide(p, e, b, &c, p->persons[a].consent[b]);
		break;
	case WISH_BLOCKED:
		if (!is_known || c.state != CONTACT_BLOCKED)
			engine_block(e, name);
		break;
	}
	world_wake(p->world, machine);
}

void people_wish(struct people *p, unsigned a, unsigned b, enum wish wish)
{
	p->persons[a].wish[b] = wish;
	fulfil(p, a, b);
}

enum wish people_wishes(const struct people *p, unsigned a, unsigned b)
{
	return p->persons[a].wish[b];
}

bool people_are_mutual(const struct people *p, unsigned a, unsigned b)
{
	return p->persons[a].wish[b] == WISH_CONTACT && p->persons[b].wish[a] == WISH_CONTACT;
}

/* What waits since a contact's key changed waits on the machine where it was written. */
static void release_held(struct people *p, unsigned machine)
{
	struct engine *e = people_hands(p, machine);
	struct contact c;

	for (unsigned b = 1; e && b <= p->count; b++) {
		if (engine_contact(e, p->persons[b].name, &c) < 0 || c.held == 0 ||
		    c.state != CONTACT_MUTUAL)
			continue;
		engine_accept(e, p->persons[b].name);
		world_wake(p->world, machine);
	}
}

void wishes_tend(struct people *p, unsigned a)
{
	const struct person_life *me = &p->persons[a];

	for (unsigned b = 1; b <= p->count; b++)
		if (b != a)
			fulfil(p, a, b);
	if (dice_chance(people_dice(p), 100))
		for (unsigned m = me->first; m < me->first + me->machines; m++)
			release_held(p, m);
}

static void fiddle(struct people *p, unsigned machine, unsigned b)
{
	struct engine *e = people_hands(p, machine);
	const char *name = p->persons[b].name;
	struct dice *d = people_dice(p);

	if (!e)
		return;
	switch (dice_below(d, 4)) {
	case 0:
		engine_verify(e, name, true);
		break;
	case 1:
		engine_verify(e, name, false);
		break;
	case 2:
		engine_set_requests(e, (enum request_policy)dice_below(d, 3));
		break;
	default:
		engine_block(e, name); /* by mistake */
		break;
	}
	world_wake(p->world, machine);
}

void people_differ(struct people *p, unsigned a, unsigned b)
{
	const struct person_life *me = &p->persons[a];

	for (unsigned m = me->first; m < me->first + me->machines; m++)
		if (m == me->hand || dice_chance(people_dice(p), 500))
			fiddle(p, m, b);
}

/* --- texts --- */

static void make_text(struct people *p, char *text, size_t size, unsigned home, unsigned b,
		      size_t index)
{
	static const char *const words[] = { "hola ", "λόγος ", "пока ", "語 ",
					     "🙂",  "word ",  "é",     "\n" };
	size_t at = snprintf(text, size + 1, "%zu %u>%u " WORLD_MARKER " ", index, home, b);
	struct dice *d = people_dice(p);

	if (at >= size) { /* too short for all that: still different from its neighbours */
		for (at = 0; at < size; at++)
			text[at] = at == 0 ? '!' + index % 94 : '!' + dice_below(d, 94);
		text[size] = 0;
		return;
	}
	while (at < size) {
		const char *word = words[dice_below(d, sizeof words / sizeof *words)];
		size_t length = strlen(word);

		if (length > size - at) {
			word = ".";
			length = 1;
		}
		memcpy(text + at, word, length);
		at += length;
	}
	text[size] = 0;
}

uint64_t wishes_note(struct people *p, unsigned machine, unsigned b, struct bytes text)
{
	unsigned home = p->machines[machine].home;
	struct sayings *said = &p->homes[home].said[b];

	sayings_note(said, text.data, text.size);
	p->counts.said++;
	return saying_ticket(home, b, said->count - 1);
}

void wishes_refused(struct people *p, struct saying *s)
{
	s->fate = REFUSED;
	p->counts.refused++;
}

void wishes_say(struct people *p, unsigned machine, unsigned b, const struct engine_text *what)
{
	struct sayings *said = &people_home(p, machine)->said[b];
	uint64_t ticket = wishes_note(p, machine, b, what->text);

	if (engine_say(people_hands(p, machine), what, ticket) < 0)
		wishes_refused(p, &said->list[said->count - 1]);
	world_wake(p->world, machine);
}

void people_say(struct people *p, unsigned machine, unsigned b, size_t size)
{
	unsigned home = p->machines[machine].home;
	struct engine_text what = { .to = p->persons[b].name };
	char text[WIRE_TEXT_MAX + 64];

	if (!people_hands(p, machine))
		return;
	make_text(p, text, size, home, b, p->homes[home].said[b].count);
	what.text = bytes_of(text, size);
	wishes_say(p, machine, b, &what);
}

void people_greet_all(struct people *p)
{
	for (unsigned m = 1; m <= p->machine_count; m++)
		for (unsigned b = 1; b <= p->count; b++)
			if (b != p->machines[m].person)
				people_say(p, m, b, 60);
}
