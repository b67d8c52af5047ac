#include "peer/relay_inside.h"

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

/* --- messages --- */

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
