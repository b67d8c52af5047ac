/* What is so in truth, and what the engines show of it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/people_inside.h"

static bool say_why(char *why, size_t why_size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Always false. */
static bool say_why(char *why, size_t why_size, const char *format, ...)
{
	va_list args;

	if (!why)
		return false;
	va_start(args, format);
	vsnprintf(why, why_size, format, args);
	va_end(args);
	return false;
}

static bool has_contact(const struct people *p, unsigned machine, unsigned b, struct contact *c)
{
	struct engine *e = people_hands(p, machine);

	return e && engine_contact(e, p->persons[b].name, c) == 0;
}

bool people_sees_online(const struct people *p, unsigned machine, unsigned b)
{
	struct contact c;

	return has_contact(p, machine, b, &c) && c.is_online;
}

bool people_is_linked(const struct people *p, unsigned machine, unsigned b)
{
	struct contact c;

	return has_contact(p, machine, b, &c) && c.is_linked;
}

bool people_is_cut_off(const struct people *p, unsigned machine)
{
	struct engine_account account;
	struct engine *e;
	struct contact c;

	if (!people_is_up(p, machine))
		return true;
	e = world_engine(p->world, machine);
	engine_account(e, &account);
	if (account.state != ACCOUNT_REFUSED && account.state != ACCOUNT_NONE)
		return false;
	for (unsigned b = 1; b <= p->count; b++)
		if (engine_contact(e, p->persons[b].name, &c) == 0 && c.is_linked)
			return false;
	return true;
}

uint64_t people_heard_on(const struct people *p, unsigned machine)
{
	return p->homes[p->machines[machine].home].heard;
}

/* One of the person's machines that is in. */
static unsigned first_in(const struct people *p, unsigned a)
{
	const struct person_life *me = &p->persons[a];

	for (unsigned m = me->first; m < me->first + me->machines; m++)
		if (people_is_in(p, m))
			return m;
	return 0;
}

bool people_presence_is_true(struct people *p, char *why, size_t why_size)
{
	for (unsigned m = 1; m <= p->machine_count; m++) {
		for (unsigned b = 1; b <= p->count; b++) {
			unsigned a = p->machines[m].person;
			bool should = first_in(p, b) && people_are_mutual(p, a, b) &&
				      p->persons[b].consent[a] != CONSENT_HIDDEN;

			if (a != b && people_is_in(p, m) &&
			    people_sees_online(p, m, b) != should)
				return say_why(why, why_size, "machine %u sees person %u %s", m,
					       b,
					       should ? "offline, who is there"
						      : "online, who is not");
		}
	}
	return true;
}

/* --- histories --- */

struct reading {
	struct people *p;
	struct sayings *all;
	unsigned machine;
	uint64_t id;
};

static bool each_read(void *user, const struct message *m)
{
	struct reading *r = user;
	struct saying *s;

	if (r->id && m->id >= r->id)
		world_fail(r->p->world, "machine %u: ids of a history do not fall", r->machine);
	r->id = m->id;
	if (plays_is_one(m))
		return true;
	s = sayings_note(r->all, m->text.data, m->text.size);
	s->author = people_home_of(r->p, &m->author);
	s->is_ours = m->is_ours;
	s->fate = ACCEPTED;
	return true;
}

void truth_read(struct people *p, unsigned machine, unsigned b, struct sayings *all)
{
	struct reading r = { .p = p, .all = all, .machine = machine };

	engine_history(world_engine(p->world, machine), p->persons[b].name, 0, 1 << 30,
		       each_read, &r);
	sayings_turn_round(all);
}

void truth_of(const struct sayings *all, unsigned author, struct sayings *out)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].author == author)
			sayings_note(out, all->list[i].text, all->list[i].size)->fate =
				all->list[i].fate;
}

/* --- what is owed --- */

/* The newest text of `author` in the conversation with `b`, and how many there are. */
struct newest {
	const struct device_public *author;
	uint8_t hash[32];
	size_t size, count;
};

static bool each_of_author(void *user, const struct message *m)
{
	struct newest *n = user;

	if (plays_is_one(m))
		return true;
	if (!device_public_equal(&m->author, n->author))
		return true;
	if (n->count++ == 0) {
		n->size = m->text.size;
		memset(n->hash, 0, sizeof n->hash);
		memcpy(n->hash, m->text.data, m->text.size < 32 ? m->text.size : 32);
	}
	return true;
}

static struct newest newest_of(struct people *p, unsigned machine, unsigned b, unsigned author)
{
	struct newest n = { .author = &p->homes[author].key };

	engine_history(world_engine(p->world, machine), p->persons[b].name, 0, 1 << 30,
		       each_of_author, &n);
	return n;
}

/* Whether what machine `d` said to `b` is on machine `e` (of b, or of d's owner), up to the end. */
static bool has_the_newest(struct people *p, unsigned d, unsigned e, unsigned b)
{
	unsigned author = p->machines[d].home, reader = p->machines[e].home;
	unsigned with = p->machines[e].person == b ? p->machines[d].person : b;
	struct newest said = newest_of(p, d, b, author), there = newest_of(p, e, with, author);

	if (said.count <= p->arrived[author][reader][b])
		return true; /* nothing since it arrived */
	return said.size == there.size && memcmp(said.hash, there.hash, 32) == 0;
}

static bool nothing_is_owed_by(struct people *p, unsigned d, unsigned b, char *why, size_t size)
{
	unsigned a = p->machines[d].person;
	struct contact c = { 0 };

	if (!has_contact(p, d, b, &c) || c.state != CONTACT_MUTUAL || c.is_key_changed ||
	    c.queued || c.held)
		return say_why(why, size,
			       "machine %u owes person %u something (state %d, %llu queued, "
			       "%llu held)",
			       d, b, (int)c.state, (unsigned long long)c.queued,
			       (unsigned long long)c.held);
	for (unsigned e = 1; e <= p->machine_count; e++) {
		unsigned owner = p->machines[e].person;

		if (e != d && (owner == a || owner == b) && people_is_in(p, e) &&
		    !has_the_newest(p, d, e, b))
			return say_why(
				why, size,
				"machine %u owes machine %u something, said to person %u", d, e,
				b);
	}
	return true;
}

bool people_nothing_is_owed(struct people *p, char *why, size_t why_size)
{
	for (unsigned d = 1; d <= p->machine_count; d++) {
		for (unsigned b = 1; b <= p->count; b++) {
			unsigned a = p->machines[d].person;

			if (a != b && people_is_in(p, d) && first_in(p, b) &&
			    people_are_mutual(p, a, b) &&
			    people_consent(p, a, b) < CONSENT_NEVER &&
			    !nothing_is_owed_by(p, d, b, why, why_size))
				return false;
		}
	}
	return true;
}

/* --- all machines of a person --- */

/* A request is no contact yet, and told to each machine by itself. */
static bool same_contact(const struct contact *x, bool has_x, const struct contact *y,
			 bool has_y)
{
	has_x = has_x && x->state != CONTACT_REQUESTS;
	has_y = has_y && y->state != CONTACT_REQUESTS;
	if (!has_x || !has_y)
		return has_x == has_y;
	return x->state == y->state && x->consent == y->consent &&
	       x->is_hidden_from == y->is_hidden_from && x->has_identity == y->has_identity &&
	       (!x->has_identity || identity_public_equal(&x->identity, &y->identity)) &&
	       x->is_verified == y->is_verified;
}

static bool two_agree(struct people *p, unsigned m, unsigned n, char *why, size_t why_size)
{
	struct engine *x = people_hands(p, m), *y = people_hands(p, n);
	const struct device_list *l = engine_devices(x), *k = engine_devices(y);

	for (unsigned b = 1; b <= p->count; b++) {
		struct contact c = { 0 }, d = { 0 };

		if (!same_contact(&c, has_contact(p, m, b, &c), &d, has_contact(p, n, b, &d)))
			return say_why(
				why, why_size,
				"machines %u and %u of one person differ about person %u", m, n,
				b);
	}
	if (l->version != k->version || memcmp(l->signature, k->signature, 64) != 0)
		return say_why(why, why_size, "machines %u and %u have different device lists",
			       m, n);
	if (engine_requests(x) != engine_requests(y))
		return say_why(why, why_size, "machines %u and %u have different settings", m,
			       n);
	if (!engine_device_is_online(x, engine_device(y)))
		return say_why(why, why_size, "machine %u sees machine %u of its own offline",
			       m, n);
	return true;
}

/* The list has those devices that are in, and no other. */
static bool list_is_true(struct people *p, unsigned m, char *why, size_t why_size)
{
	const struct person_life *me = &p->persons[p->machines[m].person];
	const struct device_list *l = engine_devices(people_hands(p, m));
	unsigned in = 0;

	for (unsigned n = me->first; n < me->first + me->machines; n++) {
		if (p->machines[n].is_shut_out)
			continue;
		in++;
		if (!device_list_find(l, &people_home(p, n)->key))
			return say_why(why, why_size,
				       "machine %u misses machine %u in the list", m, n);
	}
	if (l->count != in)
		return say_why(why, why_size, "machine %u has a list of %u devices, %u are in",
			       m, l->count, in);
	return true;
}

/* Contacts have the newest list too, unless it is hidden from them that we are there. */
static bool list_is_known(struct people *p, unsigned m, char *why, size_t why_size)
{
	for (unsigned b = 1; b <= p->count; b++) {
		unsigned a = p->machines[m].person, n = first_in(p, b);
		struct contact c;

		if (a == b || !n || !people_are_mutual(p, a, b) || !has_contact(p, m, b, &c) ||
		    p->persons[b].consent[a] == CONSENT_HIDDEN)
			continue;
		if (c.devices != engine_devices(people_hands(p, n))->count)
			return say_why(why, why_size,
				       "machine %u knows %u devices of person %u", m, c.devices,
				       b);
	}
	return true;
}

bool people_machines_agree(struct people *p, char *why, size_t why_size)
{
	for (unsigned m = 1; m <= p->machine_count; m++) {
		struct engine_account account;
		unsigned first = first_in(p, p->machines[m].person);

		if (!people_is_in(p, m))
			continue;
		engine_account(people_hands(p, m), &account);
		if (account.is_vault_due)
			return say_why(why, why_size,
				       "machine %u has changes that are not in the "
				       "vault",
				       m);
		if (!list_is_true(p, m, why, why_size) || !list_is_known(p, m, why, why_size))
			return false;
		if (m != first && !two_agree(p, first, m, why, why_size))
			return false;
	}
	return true;
}

/* --- settled --- */

static void arrive(struct people *p, unsigned d, unsigned e, unsigned b)
{
	unsigned author = p->machines[d].home, reader = p->machines[e].home;
	uint32_t *arrived = &p->arrived[author][reader][b];

	if (*arrived == NEVER_ARRIVED)
		*arrived = (uint32_t)newest_of(p, d, b, author).count;
}

/* After a key change: what was said until now is not asked for in its order. */
static void settle_pair(struct people *p, unsigned a, unsigned b)
{
	for (unsigned h = 1; h <= p->home_count; h++) {
		struct home *home = &p->homes[h];

		if (home->person == a)
			home->settled[b] = !home->is_gone && people_is_in(p, home->machine)
						   ? newest_of(p, home->machine, b, h).count
						   : SIZE_MAX;
	}
}

void people_settled(struct people *p)
{
	for (unsigned a = 1; a <= p->count; a++) {
		for (unsigned b = 1; b <= p->count; b++) {
			if (a != b && people_are_mutual(p, a, b) && p->is_unsettled[a][b])
				settle_pair(p, a, b);
		}
	}
	for (unsigned d = 1; d <= p->machine_count; d++) {
		unsigned a = p->machines[d].person;

		if (!people_is_in(p, d))
			continue;
		people_home(p, d)->may_be_out = p->persons[a].throws_out = false;
		for (unsigned b = 1; b <= p->count; b++) {
			if (a == b || !people_are_mutual(p, a, b) ||
			    people_consent(p, a, b) >= CONSENT_NEVER)
				continue;
			p->is_unsettled[a][b] = p->is_unsettled[b][a] = false;
			for (unsigned e = 1; e <= p->machine_count; e++) {
				unsigned owner = p->machines[e].person;

				if (e != d && people_is_in(p, e) && (owner == a || owner == b))
					arrive(p, d, e, b);
			}
		}
	}
}

void people_remember_contacts(struct people *p, unsigned person)
{
	struct person_life *me = &p->persons[person];

	for (unsigned b = 1; b <= p->count; b++)
		me->is_remembered[b] = has_contact(p, me->hand, b, &me->remembered[b]);
}

void people_expect_contacts(struct people *p, unsigned person)
{
	struct person_life *me = &p->persons[person];

	for (unsigned m = me->first; m < me->first + me->machines; m++) {
		for (unsigned b = 1; b <= p->count && people_is_in(p, m); b++) {
			const struct contact *was = &me->remembered[b];
			struct contact c = { 0 };
			bool is = has_contact(p, m, b, &c);

			if (!same_contact(was, me->is_remembered[b], &c, is))
				world_fail(p->world,
					   "machine %u came in anew, and its contact %u is "
					   "another "
					   "than before: known %d, was %d; state %d, was %d; "
					   "verified %d, was %d; identity %02x, was %02x",
					   m, b, is, me->is_remembered[b], (int)c.state,
					   (int)was->state, c.is_verified, was->is_verified,
					   c.identity.bytes[0], was->identity.bytes[0]);
		}
	}
}
