/* As one of the two who talk: asking contacts to carry, and being reached through one. */
#include <sodium.h>
#include <string.h>

#include "peer/account.h"
#include "peer/persons.h"
#include "peer/relay_inside.h"
#include "shared/error.h"

static struct relay_attempt *attempt_for(struct relay *r, const struct way *w)
{
	for (unsigned i = 0; i < RELAY_ATTEMPTS; i++) {
		if (r->attempts[i].target == w->number)
			return &r->attempts[i];
	}
	return NULL;
}

static struct relay_attempt *new_attempt(struct relay *r, const struct way *w)
{
	for (unsigned i = 0; i < RELAY_ATTEMPTS; i++) {
		struct relay_attempt *a = &r->attempts[i];

		if (a->target)
			continue;
		*a = (struct relay_attempt){ .target = w->number,
					     .direct_since = NEVER,
					     .used_at = r->rooms->now };
		return a;
	}
	return NULL;
}

static struct way *target_of(const struct relay *r, const struct relay_attempt *a)
{
	return relay_way_numbered(r, a->target);
}

/* --- asking --- */

/* Has agreed, by its own signed word. */
static bool is_relay(const struct relay *r, const struct way *w)
{
	const struct peer_record *record = address_book_of(r->rooms->book, w->person,
							   &w->device);

	return record && record->is_relay;
}

static bool was_asked(const struct relay_attempt *a, const struct way *w)
{
	for (unsigned i = 0; i < a->tried_count; i++) {
		if (a->tried[i] == w->link_number)
			return true;
	}
	return false;
}

/* Of those with a link the one with the quickest; who is online without a link is called, to be
 * asked the next time. */
static struct way *best_relay(struct relay *r, struct relay_attempt *a,
			      const struct way *target)
{
	struct way *best = NULL, *w;

	a->is_calling = false;
	for (unsigned i = 0; (w = reach_way_at(r->rooms->reach, i)) != NULL; i++) {
		if (w == target || !person_is_open(w->person) || !is_relay(r, w) ||
		    was_asked(a, w))
			continue;
		if (w->state == WAY_IDLE && w->is_present)
			w->is_wanted = true;
		a->is_calling |= w->state == WAY_DIALLING || w->is_wanted;
		if (!relay_is_fit(w))
			continue;
		if (!best || link_round_trip(w->link) < link_round_trip(best->link))
			best = w;
	}
	return best;
}

/* False: there is nobody to ask. Who cannot be told now counts as one that refuses. */
static bool ask(struct relay *r, struct relay_attempt *a, struct relay_ask *place,
		const struct way *target)
{
	struct wire_message m = { .type = WIRE_RELAY_OPEN };
	struct way *w = a->tried_count < RELAY_TRIED ? best_relay(r, a, target) : NULL;

	if (!w)
		return false;
	a->tried[a->tried_count++] = w->link_number;
	m.relay_open.circuit = relay_new_circuit(r, w);
	randombytes_buf(m.relay_open.nonce, sizeof m.relay_open.nonce);
	relay_target(m.relay_open.target, m.relay_open.nonce, target->person, &target->device);
	if (reach_say(r->rooms->reach, w, &m) < 0)
		return true;
	place->leg = (struct relay_leg){ w->number, w->link_number, m.relay_open.circuit };
	place->until = r->rooms->now + RELAY_ANSWER;
	return true;
}

static void ask_some(struct relay *r, struct relay_attempt *a, const struct way *target)
{
	for (unsigned i = 0; i < RELAY_ASKED; i++) {
		while (a->asked[i].leg.way == 0) {
			if (!ask(r, a, &a->asked[i], target))
				return;
		}
	}
}

/* --- the end of it --- */

static void drop_tunnel(struct relay *r, struct relay_attempt *a)
{
	if (!a->tunnel)
		return;
	reach_untunnelled(r->rooms->reach, a->tunnel);
	endpoint_tunnel_close(r->rooms->endpoint, a->tunnel);
	a->tunnel = 0;
	relay_say_close(r, &a->leg);
}

static void end(struct relay *r, struct relay_attempt *a)
{
	for (unsigned i = 0; i < RELAY_ASKED; i++) {
		if (a->asked[i].leg.way)
			relay_say_close(r, &a->asked[i].leg);
	}
	drop_tunnel(r, a);
	*a = (struct relay_attempt){ 0 };
}

/* --- what relays say --- */

/* Opened a while ago, and it has led to nothing; or what it led to is over. */
static bool is_futile(const struct relay *r, const struct relay_attempt *a)
{
	return a->was_used || r->rooms->now >= a->used_at + RELAY_ANSWER;
}

static bool take_tunnel(struct relay *r, struct relay_attempt *a, struct way *via,
			uint32_t circuit, bool is_ours)
{
	struct way *target = target_of(r, a);

	if (!target)
		return false;
	a->tunnel = endpoint_tunnel_open(r->rooms->endpoint, via->link, circuit);
	if (!a->tunnel)
		return false;
	a->leg = (struct relay_leg){ via->number, via->link_number, circuit };
	a->is_ours = is_ours;
	a->was_used = false;
	a->used_at = r->rooms->now;
	a->direct_since = NEVER;
	reach_tunnelled(r->rooms->reach, target, a->tunnel, is_ours);
	return true;
}

/* Both may ask at once, and would close each other's tunnel: then what the smaller device key has
 * asked for is used. */
static bool is_ours_to_use(const struct relay *r, const struct way *target)
{
	return memcmp(account_device(r->rooms->account)->bytes, target->device.bytes,
		      sizeof target->device.bytes) < 0;
}

static void use_answer(struct relay *r, struct relay_attempt *a, const struct relay_leg *leg,
		       struct way *from)
{
	const struct way *target = target_of(r, a);

	if (a->tunnel && !a->is_ours && target && target->state != WAY_LINKED &&
	    (is_ours_to_use(r, target) || is_futile(r, a)))
		drop_tunnel(r, a);
	if (a->tunnel || !take_tunnel(r, a, from, leg->circuit, true))
		relay_say_close(r, leg);
}

bool relay_end_answer(struct relay *r, struct way *from, const struct wire_relay_answer *m)
{
	for (unsigned i = 0; i < RELAY_ATTEMPTS; i++) {
		struct relay_attempt *a = &r->attempts[i];

		for (unsigned k = 0; a->target && k < RELAY_ASKED; k++) {
			struct relay_leg leg = a->asked[k].leg;

			if (!leg.way || !relay_leg_is(&leg, from, m->circuit))
				continue;
			a->asked[k].leg.way = 0; /* the next one may be asked */
			if (m->error == 0)
				use_answer(r, a, &leg, from);
			return true;
		}
	}
	return false;
}

static unsigned tunnels_by(const struct relay *r, const struct way *via)
{
	unsigned count = 0;

	for (unsigned i = 0; i < RELAY_ATTEMPTS; i++)
		count += r->attempts[i].target && r->attempts[i].tunnel &&
			 r->attempts[i].leg.way == via->number;
	return count;
}

/* They would not ask for it if the link that we have still worked, or we shall see. */
static bool is_linked_still(struct relay *r, const struct relay_attempt *a, struct way *w)
{
	if (w->state != WAY_LINKED || w->is_lost)
		return false;
	if (r->rooms->now < link_last_heard(w->link) + way_patience(w))
		return true;
	if (!a || !a->tunnel || link_path(w->link).tunnel != a->tunnel)
		return false; /* beside a direct path a tunnel does no harm */
	reach_ping(r->rooms->reach, w);
	return true;
}

/* What is offered to no purpose, again and again, must not keep others away. */
static bool was_futile(const struct relay_attempt *a, const struct way *via)
{
	for (unsigned i = 0; i < RELAY_ASKED; i++) {
		if (a->futile[i] == via->link_number)
			return true;
	}
	return false;
}

/* Of what both have asked for one; of what is offered the first, unless it has led to nothing. */
static bool may_replace(struct relay *r, struct relay_attempt *a, const struct way *w,
			const struct way *via)
{
	if (a->tunnel && !is_futile(r, a))
		return a->is_ours && !is_ours_to_use(r, w) && !was_futile(a, via);
	if (a->tunnel && !a->is_ours && !a->was_used)
		a->futile[a->futile_count++ % RELAY_ASKED] = a->leg.link_number;
	return !was_futile(a, via);
}

/* Somebody wants to talk to us through this contact: whom we know, and who may. */
static int accept(struct relay *r, struct way *from, const struct wire_relay_offer *m)
{
	struct person *p = persons_of_identity(r->rooms->persons, &m->identity);
	struct relay_attempt *a;
	struct way *w;

	if (!relay_is_fit(from) || !p || !person_may_link(p))
		return ERR_REFUSED;
	w = reach_way(r->rooms->reach, p, &m->device);
	if (!w || w == from)
		return ERR_REFUSED;
	a = attempt_for(r, w);
	if (is_linked_still(r, a, w))
		return ERR_REFUSED;
	if (tunnels_by(r, from) >= RELAY_OFFERS_OF_ONE || (a && !may_replace(r, a, w, from)))
		return ERR_BUSY;
	a = a ? a : new_attempt(r, w);
	if (a)
		drop_tunnel(r, a);
	if (!a || !take_tunnel(r, a, from, m->circuit, false))
		return ERR_BUSY;
	return 0;
}

int relay_end_offer(struct relay *r, struct way *from, const struct wire_relay_offer *m)
{
	if (!relay_is_theirs(from, m->circuit))
		return ERR_FORMAT;
	relay_say_answer(r, from, m->circuit, accept(r, from, m));
	return 0;
}

bool relay_end_close(struct relay *r, struct way *from, uint32_t circuit)
{
	for (unsigned i = 0; i < RELAY_ATTEMPTS; i++) {
		struct relay_attempt *a = &r->attempts[i];

		if (!a->target || !a->tunnel || !relay_leg_is(&a->leg, from, circuit))
			continue;
		drop_tunnel(r, a); /* another one may have been asked for */
		return true;
	}
	return false;
}

/* --- what is due --- */

/* One that has a tunnel: false when it is not needed any more. */
static bool is_needed(struct relay *r, struct relay_attempt *a, struct way *target)
{
	struct way *via = relay_leg_way(r, &a->leg);
	mono_ns now = r->rooms->now;
	bool is_linked = target->state == WAY_LINKED,
	     is_inside = is_linked && link_path(target->link).tunnel == a->tunnel;

	if (!via || !relay_is_fit(via))
		return false;
	if (is_inside) {
		a->used_at = via->last_used = now;
		a->was_used = true;
		a->direct_since = NEVER;
		return true;
	}
	if (!is_linked) {
		a->direct_since = NEVER; /* what was there is gone again */
		return now < a->used_at + RELAY_AGAIN;
	}
	if (a->direct_since == NEVER)
		a->direct_since = now;
	return now < a->direct_since + RELAY_SETTLED;
}

/* Not only offered: we look for them. */
static bool is_sought(const struct relay_attempt *a, const struct way *w)
{
	if (w->state == WAY_LINKED)
		return w->is_lost;
	return a->is_sought || w->is_wanted || way_owes(w);
}

static void give_up_asking(struct relay *r, struct relay_attempt *a)
{
	for (unsigned i = 0; i < RELAY_ASKED; i++) {
		struct relay_ask *asked = &a->asked[i];

		if (asked->leg.way && r->rooms->now >= asked->until) {
			relay_say_close(r, &asked->leg);
			asked->leg.way = 0;
		}
	}
}

/* One that waits for answers: false when nobody is left to ask. */
static bool is_hopeful(const struct relay *r, const struct relay_attempt *a,
		       const struct way *target)
{
	bool is_open = a->is_calling;

	if (!is_sought(a, target))
		return false;
	for (unsigned i = 0; i < RELAY_ASKED; i++)
		is_open |= a->asked[i].leg.way != 0;
	return is_open && r->rooms->now < a->used_at + RELAY_AGAIN;
}

/* Somebody offered us a tunnel to whom we look for, and nobody comes through it. */
static bool is_in_vain(const struct relay *r, const struct relay_attempt *a,
		       const struct way *w)
{
	return !a->is_ours && w->state != WAY_LINKED &&
	       (is_futile(r, a) || a->futile_count > 0);
}

static mono_ns attempt_deadline(const struct relay *r, const struct relay_attempt *a)
{
	mono_ns deadline = a->used_at + RELAY_AGAIN;

	if (a->tunnel && a->direct_since != NEVER)
		deadline = a->direct_since + RELAY_SETTLED;
	else if (a->tunnel)
		deadline = is_futile(r, a) ? r->rooms->now + RELAY_LOOK
					   : a->used_at + RELAY_ANSWER;
	for (unsigned i = 0; i < RELAY_ASKED; i++) {
		if (a->asked[i].leg.way)
			deadline = mono_earlier(deadline, a->asked[i].until);
	}
	return deadline;
}

mono_ns relay_end_step(struct relay *r)
{
	mono_ns deadline = NEVER;
	struct way *w;

	while ((w = reach_next_stranded(r->rooms->reach)) != NULL) {
		struct relay_attempt *a = attempt_for(r, w);

		a = a ? a : new_attempt(r, w);
		if (a)
			a->is_sought = true;
	}
	for (unsigned i = 0; i < RELAY_ATTEMPTS; i++) {
		struct relay_attempt *a = &r->attempts[i];

		if (!a->target)
			continue;
		w = target_of(r, a);
		give_up_asking(r, a);
		if (w && is_sought(a, w) && (!a->tunnel || is_in_vain(r, a, w)))
			ask_some(r, a, w);
		if (!w || !(a->tunnel ? is_needed(r, a, w) : is_hopeful(r, a, w))) {
			end(r, a);
			continue;
		}
		deadline = mono_earlier(deadline, attempt_deadline(r, a));
	}
	return deadline;
}
