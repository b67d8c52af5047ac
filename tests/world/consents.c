/* Who may have whose address, and that nobody else gets it: no datagram goes straight to who may not
 * know where we are, nothing is heard from who may not talk to us, no record has an address for who may
 * not have one. The first person is everybody's: somebody has to relay. */
#include <stdio.h>

#include "peer/address_book.h"
#include "peer/persons.h"
#include "tests/world/people_inside.h"

/* What was under way, and the end of a link, may still go out; of who sleeps, when it wakes. */
#define GRACE (10 * SECOND)

void people_set_consent(struct people *p, unsigned a, unsigned b, enum consent consent)
{
	if (a != b && a != 1 && b != 1)
		p->persons[a].consent[b] = consent;
}

enum consent people_consent(const struct people *p, unsigned a, unsigned b)
{
	enum consent x = p->persons[a].consent[b], y = p->persons[b].consent[a];

	return x > y ? x : y;
}

bool people_lift_bans(struct people *p)
{
	bool has_any = false;

	for (unsigned a = 1; a <= p->count; a++) {
		for (unsigned b = 1; b <= p->count; b++) {
			if (p->persons[a].consent[b] < CONSENT_NEVER)
				continue;
			p->persons[a].consent[b] = CONSENT_DIRECT;
			has_any = true;
		}
	}
	return has_any;
}

void people_be_strict(struct people *p, bool is_strict)
{
	p->is_strict = is_strict;
}

void consents_note(struct people *p, struct home *home, unsigned b, const struct contact *c)
{
	if (c->consent == CONSENT_DIRECT || c->state != CONTACT_MUTUAL)
		home->restricted_since[b] = NEVER;
	else if (home->restricted_since[b] == NEVER || world_is_asleep(p->world, home->machine))
		home->restricted_since[b] = world_now(p->world);
}

void consents_decide(struct people *p, struct engine *e, unsigned b, const struct contact *c,
		     enum consent consent)
{
	bool is_hidden = consent == CONSENT_HIDDEN;

	if (c->is_hidden_from != is_hidden)
		engine_hide_from(e, p->persons[b].name, is_hidden);
	if (!is_hidden && c->consent != consent)
		engine_set_consent(e, p->persons[b].name, consent);
}

/* As it knows now, for longer than the grace. */
static bool is_restricted(const struct people *p, unsigned machine, unsigned b)
{
	mono_ns since = p->homes[p->machines[machine].home].restricted_since[b];
	struct contact c;

	return since != NEVER && world_now(p->world) >= since + GRACE &&
	       engine_contact(world_engine(p->world, machine), p->persons[b].name, &c) == 0 &&
	       c.consent != CONSENT_DIRECT;
}

/* By its own decision, or, when all is calm, by anybody's. */
static bool may_send(const struct people *p, unsigned from, unsigned to)
{
	unsigned a = p->machines[from].person, b = p->machines[to].person;

	if (a == b)
		return true;
	if (p->is_kept_from[a][b])
		return false;
	if (is_restricted(p, from, b))
		return false;
	/* Who hides says what it has to say. */
	if (people_consent(p, a, b) == CONSENT_HIDDEN)
		return true;
	return !p->is_strict || people_consent(p, a, b) == CONSENT_DIRECT;
}

void people_on_send(void *user, unsigned from, unsigned machines)
{
	const struct people *p = user;
	unsigned to = 0;

	for (unsigned m = 1; m <= p->machine_count; m++) {
		if (!(machines & 1u << m))
			continue;
		if (may_send(p, from, m))
			return;
		to = m;
	}
	if (to)
		world_fail(p->world,
			   "machine %u sends straight to machine %u, against what was decided",
			   from, to);
}

void consents_heard(struct people *p, unsigned machine, unsigned b)
{
	if (p->is_strict && people_consent(p, p->machines[machine].person, b) == CONSENT_NEVER)
		world_fail(p->world, "machine %u hears from person %u, which was never to be",
			   machine, b);
}

/* On machine `m` is where `d` is. */
static bool knows_address(const struct people *p, unsigned m, unsigned d)
{
	struct rooms *rooms = engine_rooms(world_engine(p->world, m));
	const struct device_public *device = engine_device(world_engine(p->world, d));
	const struct peer_record *record;
	const struct person *person;
	struct name name;

	if (name_parse(&name, bytes_text(p->persons[p->machines[d].person].name)) < 0)
		return false;
	person = persons_find(rooms->persons, &name);
	record = person ? address_book_of(rooms->book, person, device) : NULL;
	return record && record->candidates.count > 0;
}

/* Who may never link gets no new record, and keeps what it had when it still might. */
void people_judge_addresses(struct people *p)
{
	for (unsigned m = 1; m <= p->machine_count; m++) {
		for (unsigned d = 1; d <= p->machine_count; d++) {
			unsigned a = p->machines[m].person, b = p->machines[d].person;

			if (a == b || !people_is_in(p, m) || !people_is_in(p, d) ||
			    !people_are_mutual(p, a, b) ||
			    p->persons[b].consent[a] != CONSENT_RELAY)
				continue;
			if (knows_address(p, m, d))
				world_fail(p->world,
					   "machine %u knows where machine %u is, and may not",
					   m, d);
		}
	}
}
