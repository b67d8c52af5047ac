#include "peer/relay_inside.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "peer/persons.h"
#include "peer/store.h"
#include "shared/error.h"

/* --- beginning and end --- */

struct relay *relay_new(struct rooms *rooms)
{
	struct relay *r = memory_new(sizeof *r);
	struct statement *s = db_sql(store_db(rooms->store), "SELECT rate FROM relay");

	r->rooms = rooms;
	r->look_at = NEVER;
	if (db_step(s) == 1) {
		int64_t rate = column_int(s, 0);

		r->rate = rate > 0 && rate <= UINT32_MAX ? (uint32_t)rate : 0;
	}
	db_done(s);
	address_book_set_relay(rooms->book, r->rate > 0);
	return r;
}

void relay_free(struct relay *r)
{
	free(r);
}

int relay_set(struct relay *r, bool is_on, uint32_t rate)
{
	struct store *store = r->rooms->store;
	struct statement *s;

	if (is_on && rate < RELAY_RATE_MIN)
		return ERR_LIMIT;
	r->rate = is_on ? rate : 0;
	store_write(store);
	s = db_sql(store_db(store), "INSERT OR REPLACE INTO relay(one, rate) VALUES(1,?)");
	bind_int(s, 1, r->rate);
	store_run(store, s);
	address_book_set_relay(r->rooms->book, is_on);
	if (!is_on)
		relay_carrier_stop(r);
	return 0;
}

bool relay_is_on(const struct relay *r, uint32_t *rate)
{
	*rate = r->rate;
	return r->rate > 0;
}

/* --- legs --- */

static struct way *way_numbered(const struct relay *r, uintptr_t number)
{
	struct way *w;

	for (unsigned i = 0; (w = reach_way_at(r->rooms->reach, i)) != NULL; i++) {
		if (w->number == number)
			return w;
	}
	return NULL;
}

struct way *relay_leg_way(const struct relay *r, const struct relay_leg *leg)
{
	struct way *w = leg->way ? way_numbered(r, leg->way) : NULL;

	return w && w->state == WAY_LINKED && w->link_number == leg->link_number ? w : NULL;
}

bool relay_leg_is(const struct relay_leg *leg, const struct way *w, uint32_t circuit)
{
	return leg->way == w->number && leg->link_number == w->link_number &&
	       leg->circuit == circuit;
}

uint32_t relay_new_circuit(struct relay *r, const struct way *w)
{
	r->next_circuit += 2;
	return link_is_initiator(w->link) ? r->next_circuit & ~1u : r->next_circuit | 1u;
}

bool relay_is_theirs(const struct way *w, uint32_t circuit)
{
	return (circuit & 1u) == (link_is_initiator(w->link) ? 1u : 0u);
}

bool relay_is_fit(const struct way *w)
{
	return w->state == WAY_LINKED && w->path_kind != PATH_RELAYED &&
	       person_is_open(w->person) && w->person->consent != CONSENT_NEVER;
}

void relay_target(uint8_t out[16], const uint8_t nonce[16], const struct person *p,
		  const struct device_public *device)
{
	static const char label[] = "palique-relay-v1";
	crypto_generichash_state state;

	crypto_generichash_init(&state, nonce, 16, 16);
	crypto_generichash_update(&state, (const uint8_t *)label, sizeof label - 1);
	crypto_generichash_update(&state, p->identity.bytes, sizeof p->identity.bytes);
	crypto_generichash_update(&state, device->bytes, sizeof device->bytes);
	crypto_generichash_final(&state, out, 16);
}

/* --- messages --- */

void relay_say_answer(struct relay *r, struct way *to, uint32_t circuit, int error)
{
	struct wire_message m = { .type = WIRE_RELAY_ANSWER };

	m.relay_answer.circuit = circuit;
	m.relay_answer.error = error;
	m.relay_answer.rate = r->rate;
	reach_say(r->rooms->reach, to, &m);
}

void relay_say_close(struct relay *r, const struct relay_leg *leg)
{
	struct wire_message m = { .type = WIRE_RELAY_CLOSE };
	struct way *w = relay_leg_way(r, leg);

	m.relay_close.circuit = leg->circuit;
	if (w)
		reach_say(r->rooms->reach, w, &m);
}

int relay_hear(struct relay *r, struct way *from, const struct wire_message *m)
{
	switch (m->type) {
	case WIRE_RELAY_OPEN:
		return relay_carrier_open(r, from, &m->relay_open);
	case WIRE_RELAY_OFFER:
		return relay_end_offer(r, from, &m->relay_offer);
	case WIRE_RELAY_ANSWER:
		/* One that came too late is of nobody's any more. */
		if (!relay_end_answer(r, from, &m->relay_answer))
			relay_carrier_answer(r, from, &m->relay_answer);
		return 0;
	case WIRE_RELAY_CLOSE:
		if (!relay_end_close(r, from, m->relay_close.circuit))
			relay_carrier_close(r, from, m->relay_close.circuit);
		return 0;
	default:
		return ERR_FORMAT;
	}
}

mono_ns relay_step(struct relay *r)
{
	return mono_earlier(relay_end_step(r), relay_carrier_step(r));
}

/* --- what is shown --- */

struct relay_report relay_report(const struct relay *r)
{
	struct relay_report report = { .bytes = r->carried };

	for (unsigned i = 0; i < RELAY_CIRCUITS; i++) {
		const struct relay_circuit *c = &r->circuits[i];

		if (!c->from.way || !c->is_joined)
			continue;
		report.circuits++;
		report.bytes += c->bytes;
	}
	return report;
}

const struct name *relay_of_tunnel(const struct relay *r, uint32_t tunnel)
{
	for (unsigned i = 0; i < RELAY_ATTEMPTS; i++) {
		const struct relay_attempt *a = &r->attempts[i];
		const struct way *w = NULL;

		if (a->target && a->tunnel == tunnel && tunnel)
			w = relay_leg_way(r, &a->leg);
		if (w)
			return &w->person->name;
	}
	return NULL;
}
