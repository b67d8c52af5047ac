/* Carrying for two contacts of ours. */
#include "peer/relay_inside.h"

#include <sodium.h>

#include "shared/error.h"

static struct relay_circuit *circuit_of(struct relay *r, const struct way *w, uint32_t number)
{
	for (unsigned i = 0; i < RELAY_CIRCUITS; i++) {
		struct relay_circuit *c = &r->circuits[i];

		if (c->from.way &&
		    (relay_leg_is(&c->from, w, number) || relay_leg_is(&c->to, w, number)))
			return c;
	}
	return NULL;
}

/* Of any of the person's devices. */
static bool is_of(const struct relay *r, uintptr_t number, const struct person *p)
{
	const struct way *w = relay_way_numbered(r, number);

	return w && w->person == p;
}

/* A place, unless the contact has too many already. */
static struct relay_circuit *place_for(struct relay *r, const struct way *w)
{
	struct relay_circuit *place = NULL;
	unsigned count = 0;

	for (unsigned i = 0; i < RELAY_CIRCUITS; i++) {
		if (!r->circuits[i].from.way)
			place = place ? place : &r->circuits[i];
		else
			count += is_of(r, r->circuits[i].from.way, w->person);
	}
	return count < RELAY_OF_ONE ? place : NULL;
}

/* Each costs a look at every device that we know. */
static bool is_too_often(struct relay *r, const struct way *w)
{
	struct relay_opens *place = &r->opens[0];
	mono_ns now = r->rooms->now;

	for (unsigned i = 0; i < RELAY_CIRCUITS; i++) {
		if (r->opens[i].way == w->number) {
			place = &r->opens[i];
			break;
		}
		if (r->opens[i].since < place->since)
			place = &r->opens[i];
	}
	if (place->way != w->number || now >= place->since + 60 * SECOND)
		*place = (struct relay_opens){ .way = w->number, .since = now };
	return ++place->count > RELAY_OPENS_A_MINUTE;
}

static struct way *find_target(struct relay *r, const struct wire_relay_open *m)
{
	uint8_t target[16];
	struct way *w;

	for (unsigned i = 0; (w = reach_way_at(r->rooms->reach, i)) != NULL; i++) {
		if (!w->person->has_identity)
			continue;
		relay_target(target, m->nonce, w->person, &w->device);
		if (sodium_memcmp(target, m->target, sizeof target) == 0)
			return w;
	}
	return NULL;
}

static int offer(struct relay *r, struct relay_circuit *c, const struct way *from,
		 struct way *to)
{
	struct wire_message m = { .type = WIRE_RELAY_OFFER };

	c->to = (struct relay_leg){ to->number, to->link_number, relay_new_circuit(r, to) };
	m.relay_offer.circuit = c->to.circuit;
	m.relay_offer.identity = from->person->identity;
	m.relay_offer.device = from->device;
	return reach_say(r->rooms->reach, to, &m);
}

/* Somebody whom we know and could link to, but nobody has had a reason to. */
static bool may_call(const struct way *to)
{
	return to->state != WAY_LINKED && to->is_present && person_is_open(to->person) &&
	       person_consent(to->person) == CONSENT_DIRECT;
}

static int begin(struct relay *r, struct way *from, const struct wire_relay_open *m)
{
	struct relay_circuit *place, c = {
		.from = { from->number, from->link_number, m->circuit },
		.until = r->rooms->now + RELAY_ANSWER,
	};
	struct way *to;

	if (r->rate == 0 || !relay_is_fit(from))
		return ERR_REFUSED;
	place = is_too_often(r, from) ? NULL : place_for(r, from);
	if (!place)
		return ERR_BUSY;
	to = find_target(r, m);
	/* Somebody whom we do not know, or who is not online: the same to who asks. */
	if (!to || to == from || !(relay_is_fit(to) || may_call(to)))
		return ERR_NOT_FOUND;
	if (!relay_is_fit(to)) {
		to->is_wanted = true;
		c.to.way = to->number;
	} else if (offer(r, &c, from, to) < 0) {
		return ERR_BUSY;
	}
	*place = c;
	return 0;
}

int relay_carrier_open(struct relay *r, struct way *from, const struct wire_relay_open *m)
{
	int err;

	if (!relay_is_theirs(from, m->circuit) || circuit_of(r, from, m->circuit))
		return ERR_FORMAT;
	err = begin(r, from, m);
	if (err < 0)
		relay_say_answer(r, from, m->circuit, err);
	return 0;
}

static void end(struct relay *r, struct relay_circuit *c)
{
	struct way *from = relay_leg_way(r, &c->from);

	if (from && c->is_joined) {
		r->carried += endpoint_relay_bytes(r->rooms->endpoint, from->link,
						   c->from.circuit);
		endpoint_relay_part(r->rooms->endpoint, from->link, c->from.circuit);
	}
	*c = (struct relay_circuit){ 0 };
}

static void give_up(struct relay *r, struct relay_circuit *c, int error)
{
	struct way *from = relay_leg_way(r, &c->from);

	if (from && !c->is_joined)
		relay_say_answer(r, from, c->from.circuit, error);
	else
		relay_say_close(r, &c->from);
	relay_say_close(r, &c->to);
	end(r, c);
}

bool relay_carrier_answer(struct relay *r, struct way *from, const struct wire_relay_answer *m)
{
	struct relay_circuit *c = circuit_of(r, from, m->circuit);
	struct way *asker;

	if (!c || c->is_joined || !relay_leg_is(&c->to, from, m->circuit))
		return false;
	asker = relay_leg_way(r, &c->from);
	if (m->error != 0 || !asker ||
	    endpoint_relay_join(r->rooms->endpoint, asker->link, c->from.circuit, from->link,
				c->to.circuit, r->rate) < 0) {
		give_up(r, c, m->error != 0 ? ERR_NOT_FOUND : ERR_BUSY);
		return true;
	}
	c->is_joined = true;
	c->used_at = r->rooms->now;
	r->look_at = mono_earlier(r->look_at, r->rooms->now + RELAY_LOOK);
	relay_say_answer(r, asker, c->from.circuit, 0);
	return true;
}

bool relay_carrier_close(struct relay *r, struct way *from, uint32_t number)
{
	struct relay_circuit *c = circuit_of(r, from, number);

	if (!c)
		return false;
	if (relay_leg_is(&c->from, from, number))
		relay_say_close(r, &c->to);
	else
		relay_say_close(r, &c->from);
	end(r, c);
	return true;
}

void relay_carrier_stop(struct relay *r)
{
	for (unsigned i = 0; i < RELAY_CIRCUITS; i++) {
		if (r->circuits[i].from.way)
			give_up(r, &r->circuits[i], ERR_REFUSED);
	}
}

/* What carries something keeps both links from being taken for idle. */
static void look(struct relay *r, struct relay_circuit *c, struct way *from, struct way *to)
{
	uint64_t bytes = endpoint_relay_bytes(r->rooms->endpoint, from->link, c->from.circuit);

	if (bytes != c->bytes)
		from->last_used = to->last_used = c->used_at = r->rooms->now;
	c->bytes = bytes;
}

/* Who was called first: false when that has come to nothing. */
static bool go_on(struct relay *r, struct relay_circuit *c, const struct way *from)
{
	struct way *to = relay_way_numbered(r, c->to.way);

	if (!to || !from || !relay_is_fit(from) || r->rooms->now >= c->until)
		return false;
	return relay_is_fit(to) ? offer(r, c, from, to) == 0 : may_call(to);
}

mono_ns relay_carrier_step(struct relay *r)
{
	mono_ns now = r->rooms->now, deadline = NEVER;
	bool is_time = now >= r->look_at;

	if (is_time)
		r->look_at = NEVER;
	for (unsigned i = 0; i < RELAY_CIRCUITS; i++) {
		struct relay_circuit *c = &r->circuits[i];
		struct way *from, *to;

		if (!c->from.way)
			continue;
		from = relay_leg_way(r, &c->from);
		if (c->to.link_number == 0) {
			if (!go_on(r, c, from))
				give_up(r, c, ERR_NOT_FOUND);
			else
				deadline = mono_earlier(deadline, c->until);
			continue;
		}
		to = relay_leg_way(r, &c->to);
		if (from && to && c->is_joined && is_time)
			look(r, c, from, to);
		if (!from || !to || !relay_is_fit(from) || !relay_is_fit(to) ||
		    (c->is_joined ? now >= c->used_at + RELAY_IDLE : now >= c->until)) {
			give_up(r, c, ERR_NOT_FOUND);
			continue;
		}
		if (c->is_joined)
			r->look_at = mono_earlier(r->look_at, now + RELAY_LOOK);
		else
			deadline = mono_earlier(deadline, c->until);
	}
	return mono_earlier(deadline, r->look_at);
}
