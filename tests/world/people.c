#include "tests/world/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "tests/world/people_inside.h"

enum { AGAIN_S = 5 }; /* who did not get in tries again */

struct people *people_new(unsigned persons, const unsigned *machines)
{
	struct people *p = memory_new(sizeof *p);

	p->count = persons;
	memset(p->arrived, 0xff, sizeof p->arrived);
	for (unsigned a = 1; a <= persons; a++) {
		struct person_life *me = &p->persons[a];

		snprintf(me->name, sizeof me->name, "person-%u", a);
		me->first = me->hand = p->machine_count + 1;
		me->machines = machines[a - 1];
		p->machine_count += me->machines;
		for (unsigned m = me->first; m <= p->machine_count; m++)
			p->machines[m].person = a;
	}
	return p;
}

void people_free(struct people *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i <= p->home_count; i++) {
		for (unsigned b = 0; b < PERSONS; b++) {
			sayings_clear(&p->homes[i].said[b]);
			sayings_clear(&p->homes[i].shown[b]);
		}
	}
	free(p);
}

void people_live(struct people *p, struct world *w)
{
	p->world = w;
	for (unsigned a = 1; a <= p->count; a++)
		keeping_new_password(p, a, p->persons[a].password);
}

void people_invite(struct people *p)
{
	for (unsigned a = 1; a <= p->count; a++)
		world_invite(p->world, p->persons[a].invitation);
}

/* --- who and where --- */

unsigned people_owner(const struct people *p, unsigned machine)
{
	return p->machines[machine].person;
}

unsigned people_machine_count(const struct people *p, unsigned person)
{
	return p->persons[person].machines;
}

struct dice *people_dice(const struct people *p)
{
	return world_dice(p->world);
}

unsigned people_named(const struct people *p, const char *name)
{
	unsigned i = 1;

	while (i <= p->count && strcmp(p->persons[i].name, name) != 0)
		i++;
	return i <= p->count ? i : 0;
}

unsigned people_home_of(const struct people *p, const struct device_public *key)
{
	unsigned i = p->home_count;

	while (i > 0 && !device_public_equal(&p->homes[i].key, key))
		i--;
	return i;
}

bool people_is_up(const struct people *p, unsigned machine)
{
	return p->machines[machine].home && world_engine(p->world, machine);
}

struct home *people_home(struct people *p, unsigned machine)
{
	return &p->homes[p->machines[machine].home];
}

static enum account_state state_of(const struct people *p, unsigned machine)
{
	struct engine_account account;

	engine_account(world_engine(p->world, machine), &account);
	return account.state;
}

bool people_is_in(const struct people *p, unsigned machine)
{
	enum account_state state;

	if (!people_is_up(p, machine) || p->machines[machine].doing == DOING_JOIN)
		return false;
	state = state_of(p, machine);
	return state == ACCOUNT_ONLINE || state == ACCOUNT_CONNECTING;
}

struct engine *people_hands(const struct people *p, unsigned machine)
{
	return people_is_in(p, machine) ? world_engine(p->world, machine) : NULL;
}

unsigned people_some_machine(const struct people *p, unsigned person, struct dice *d)
{
	const struct person_life *me = &p->persons[person];
	unsigned skip = dice_below(d, me->machines);

	for (unsigned i = 0; i < me->machines; i++) {
		unsigned m = me->first + (skip + i) % me->machines;

		if (people_is_in(p, m) && !p->machines[m].is_shut_out)
			return m;
	}
	return 0;
}

/* --- what is asked of an engine, and its answer --- */

bool people_begin(struct people *p, unsigned machine, enum doing doing)
{
	struct machine_use *u = &p->machines[machine];

	if (u->doing != DOING_NOTHING || !people_is_up(p, machine))
		return false;
	u->doing = doing;
	u->ticket = ++p->ticket;
	u->since = world_now(p->world);
	world_wake(p->world, machine);
	return true;
}

void people_undo(struct people *p, unsigned machine)
{
	struct machine_use *u = &p->machines[machine];

	u->doing = DOING_NOTHING;
	u->next = world_now(p->world) + AGAIN_S * SECOND;
}

static void answered(struct people *p, unsigned machine, int err)
{
	keeping_answered(p, machine, err);
	people_undo(p, machine);
}

bool people_is_proving(const struct people *p, unsigned person)
{
	const struct person_life *me = &p->persons[person];

	for (unsigned m = me->first; m < me->first + me->machines; m++)
		if (p->machines[m].doing >= DOING_JOIN && p->machines[m].doing <= DOING_CODE)
			return true;
	return world_now(p->world) < me->quiet_until;
}

/* --- what is shown --- */

static void on_message(struct people *p, unsigned machine, const struct event *event)
{
	const struct message *m = &event->message;
	unsigned with = people_named(p, m->contact.text);
	struct home *home = people_home(p, machine);
	struct saying *s;

	if (!with) {
		world_fail(p->world, "machine %u hears from a stranger", machine);
		return;
	}
	if (plays_is_one(m))
		return;
	s = sayings_note(&home->shown[with], m->text.data, m->text.size);
	s->author = people_home_of(p, &m->author);
	s->is_ours = m->is_ours;
	home->heard += event->kind == EVENT_HEARD;
	if (event->kind == EVENT_HEARD)
		consents_heard(p, machine, with);
	p->counts.heard += event->kind == EVENT_HEARD;
}

static void on_link(struct people *p, struct home *home, const struct event *event)
{
	unsigned with = people_named(p, event->name.text);

	if (event->is_linked)
		p->counts.links[event->path_kind]++;
	else
		home->linked_to[with] = (struct address){ 0 };
}

/* A link that has gone on at another address since it was last looked at. */
static void look_at_links(struct people *p, unsigned machine)
{
	struct engine *e = people_hands(p, machine);
	struct home *home = people_home(p, machine);
	struct contact c;

	for (unsigned b = 1; e && b <= p->count; b++) {
		struct address *was = &home->linked_to[b];

		if (engine_contact(e, p->persons[b].name, &c) < 0)
			c = (struct contact){ 0 };
		if (!c.is_linked)
			c.path.remote = (struct address){ 0 };
		consents_note(p, home, b, &c);
		p->counts.repaired += was->family && c.path.remote.family &&
				      !address_equal(was, &c.path.remote);
		*was = c.path.remote;
	}
}

static void on_shown(struct people *p, unsigned machine, const struct event *event)
{
	struct home *home = people_home(p, machine);

	if (event->id <= home->last_event)
		world_fail(p->world, "machine %u: event %llu follows %llu", machine,
			   (unsigned long long)event->id, (unsigned long long)home->last_event);
	home->last_event = event->id;
	if (event->kind == EVENT_HEARD || event->kind == EVENT_SAID)
		on_message(p, machine, event);
	if (event->kind == EVENT_LINK)
		on_link(p, home, event);
	if (getenv("TRACE_EVENTS") && event->kind != EVENT_HEARD && event->kind != EVENT_SAID)
		printf("    %.3f machine %u: event %d %s %s %d\n", world_now(p->world) / 1e9,
		       machine, event->kind, event->name.text, event->detail, event->account);
}

void people_on_event(void *user, unsigned machine, const struct event *event)
{
	struct people *p = user;

	if (event->kind != EVENT_ANSWER) {
		if (event->id > people_home(p, machine)->caught_up) /* else told already */
			on_shown(p, machine, event);
	} else if (event->ticket >> 60 == 1) {
		wishes_answered(p, event);
	} else if (p->machines[machine].doing && event->ticket == p->machines[machine].ticket) {
		answered(p, machine, event->error);
	}
}

struct catching_up {
	struct people *p;
	unsigned machine;
};

static bool each_missed(void *user, const struct event *event)
{
	struct catching_up *c = user;

	on_shown(c->p, c->machine, event);
	return true;
}

static void move_in(struct people *p, unsigned machine)
{
	struct home *home;

	if (p->home_count == HOMES_MAX)
		abort();
	home = &p->homes[++p->home_count];
	home->machine = machine;
	home->person = p->machines[machine].person;
	home->may_be_out = p->persons[home->person].throws_out;
	for (unsigned b = 0; b < PERSONS; b++)
		home->restricted_since[b] = NEVER;
	home->key = *engine_device(world_engine(p->world, machine));
	p->machines[machine].home = p->home_count;
}

void people_on_start(void *user, unsigned machine)
{
	struct people *p = user;
	struct machine_use *u = &p->machines[machine];
	struct catching_up c = { .p = p, .machine = machine };
	struct engine *e = world_engine(p->world, machine);
	struct home *home;

	if (!u->home)
		move_in(p, machine);
	home = people_home(p, machine);
	if (u->doing != DOING_NOTHING)
		answered(p, machine, ERR_TIMEOUT); /* nobody was told */
	u->next = 0;
	if (!device_public_equal(&home->key, engine_device(e)))
		world_fail(p->world, "machine %u has another device key", machine);
	if (engine_last_event(e) < home->last_event)
		world_fail(p->world,
			   "machine %u forgot events: %llu were shown, %llu are there", machine,
			   (unsigned long long)home->last_event,
			   (unsigned long long)engine_last_event(e));
	engine_events_since(e, home->last_event, each_missed, &c);
	home->caught_up = home->last_event;
	parcels_start(p, machine);
}

/* --- coming in --- */

static void join(struct people *p, unsigned machine, const struct uri *to)
{
	struct machine_use *u = &p->machines[machine];
	struct person_life *me = &p->persons[u->person];
	struct uri link = *to;

	if (me->invitation[0]) {
		link.kind = URI_INVITATION;
		snprintf(link.code, sizeof link.code, "%s", me->invitation);
	}
	if (people_begin(p, machine, DOING_JOIN) &&
	    engine_join(world_engine(p->world, machine), &link, me->name,
			bytes_text(me->password), u->ticket) < 0)
		people_undo(p, machine);
}

static void log_in(struct people *p, unsigned machine, const struct uri *to)
{
	struct machine_use *u = &p->machines[machine];
	struct person_life *me = &p->persons[u->person];

	if (!people_begin(p, machine, DOING_LOGIN))
		return;
	memcpy(u->password, me->tries_maybe && me->maybe[0] ? me->maybe : me->password,
	       sizeof u->password);
	me->tries_maybe = !me->tries_maybe;
	if (engine_login(world_engine(p->world, machine), me->name, &to->place,
			 to->has_directory_key ? &to->directory_key : NULL,
			 bytes_text(u->password), false, u->ticket) < 0)
		people_undo(p, machine);
}

static void recover(struct people *p, unsigned machine, const struct uri *to)
{
	struct machine_use *u = &p->machines[machine];
	struct person_life *me = &p->persons[u->person];

	if (!people_begin(p, machine, DOING_RECOVER))
		return;
	keeping_new_password(p, u->person, u->password);
	if (engine_recover(world_engine(p->world, machine), me->name, &to->place,
			   to->has_directory_key ? &to->directory_key : NULL, &me->code,
			   bytes_text(u->password), u->ticket) < 0)
		people_undo(p, machine);
}

void people_come_in(struct people *p, unsigned machine)
{
	struct machine_use *u = &p->machines[machine];
	struct person_life *me = &p->persons[u->person];
	struct uri link = world_link(p->world, dice_chance(people_dice(p), 700));

	if (!world_server(p->world) && !link.has_directory_key)
		link = world_link(p->world, true);
	if (!me->has_joined)
		join(p, machine, &link);
	else if (u->by_code && me->has_code && !me->maybe[0])
		recover(p, machine, &link);
	else
		log_in(p, machine, &link);
}

/* What was said while it was out it is given only with something that is said later. */
static void forget_arrival(struct people *p, unsigned machine)
{
	p->machines[machine].is_late = true;
	for (unsigned h = 1; h <= p->home_count; h++)
		for (unsigned b = 1; b <= p->count; b++)
			p->arrived[h][p->machines[machine].home][b] = NEVER_ARRIVED;
}

static void tend_machine(struct people *p, unsigned machine)
{
	struct machine_use *u = &p->machines[machine];
	struct person_life *me = &p->persons[u->person];
	enum account_state state;

	if (!people_is_up(p, machine)) {
		if (u->doing != DOING_NOTHING)
			answered(p, machine, ERR_TIMEOUT);
		return;
	}
	state = state_of(p, machine);
	if (u->doing != DOING_NOTHING || state == ACCOUNT_JOINING)
		return;
	if (state == ACCOUNT_ONLINE || state == ACCOUNT_CONNECTING) {
		me->has_joined = true;
		if (u->was_out)
			forget_arrival(p, machine);
		u->was_out = false;
		return;
	}
	u->was_out |= state == ACCOUNT_REFUSED;
	if (state == ACCOUNT_REFUSED && !people_home(p, machine)->may_be_out)
		world_fail(p->world, "machine %u is refused, and nobody asked for that",
			   machine);
	if (u->is_shut_out || world_now(p->world) < u->next ||
	    people_is_proving(p, u->person) || (!me->has_joined && machine != me->first))
		return;
	people_come_in(p, machine);
}

void people_tend(struct people *p)
{
	for (unsigned m = 1; m <= p->machine_count; m++) {
		tend_machine(p, m);
		look_at_links(p, m);
	}
	for (unsigned a = 1; a <= p->count; a++) {
		struct person_life *me = &p->persons[a];

		if (!people_is_in(p, me->hand) || p->machines[me->hand].is_shut_out ||
		    dice_chance(people_dice(p), 5)) {
			unsigned other = people_some_machine(p, a, people_dice(p));

			me->hand = other ? other : me->hand;
		}
		if (!people_is_in(p, me->hand))
			continue;
		wishes_tend(p, a);
		keeping_tend(p, a);
	}
}

bool people_have_joined(const struct people *p)
{
	for (unsigned a = 1; a <= p->count; a++)
		if (!p->persons[a].has_joined)
			return false;
	return true;
}

bool people_all_in(const struct people *p, char *why, size_t why_size)
{
	for (unsigned m = 1; m <= p->machine_count; m++) {
		const struct machine_use *u = &p->machines[m];
		bool is_in = people_is_in(p, m);

		if (u->is_shut_out ? !is_in
				   : is_in && u->doing == DOING_NOTHING &&
					     !p->persons[u->person].maybe[0])
			continue;
		snprintf(why, why_size,
			 u->is_shut_out ? "machine %u is in, and should not be (%d)"
			 : is_in ? "machine %u has no answer, or no password is sure (%d)"
				 : "machine %u cannot come in (%d)",
			 m, (int)u->doing);
		return false;
	}
	return true;
}

struct people_counts people_counts(const struct people *p)
{
	struct people_counts counts = p->counts;

	counts.unanswered = counts.said - counts.accepted - counts.refused;
	return counts;
}

void people_print(struct people *p)
{
	static const char *const wishes[] = { "nothing", "contact", "blocked" };
	static const char *const states[] = { "asked", "requests", "mutual", "blocked" };

	for (unsigned m = 1; m <= p->machine_count; m++) {
		const struct person_life *me = &p->persons[p->machines[m].person];
		struct engine *e = world_engine(p->world, m);
		struct engine_account account = { 0 };

		if (e)
			engine_account(e, &account);
		printf("  machine %u of %s: %s, account state %d, vault %llu%s, list %llu of "
		       "%u, "
		       "home %u, doing %d, %s\n",
		       m, me->name, e ? "on" : "off", (int)account.state,
		       (unsigned long long)account.vault_version,
		       account.is_vault_due ? " due" : "",
		       e ? (unsigned long long)engine_devices(e)->version : 0,
		       e ? engine_devices(e)->count : 0, p->machines[m].home,
		       (int)p->machines[m].doing, account.trouble);
		for (unsigned b = 1; b <= p->count && e; b++) {
			struct contact c;

			if (b == p->machines[m].person)
				continue;
			printf("    wants of %u: %s; ", b, wishes[me->wish[b]]);
			if (engine_contact(e, p->persons[b].name, &c) == 0)
				printf("has %s, %s, %s, %llu queued, %llu held, %u "
				       "devices%s%s\n",
				       states[c.state], c.is_online ? "online" : "offline",
				       c.is_linked ? "linked" : "not linked",
				       (unsigned long long)c.queued, (unsigned long long)c.held,
				       c.devices, c.is_key_changed ? ", key changed" : "",
				       c.is_verified ? ", verified" : "");
			else
				printf("has nothing\n");
		}
	}
}
