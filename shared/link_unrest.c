#include "shared/link_unrest.h"

#include "shared/link.h"

enum { HURRY_STEPS = 6 };
#define HURRY_AHEAD_MAX (600 * SECOND)

mono_ns link_library_now(const struct link *l, mono_ns now)
{
	return now + l->unrest.ahead;
}

mono_ns link_round_trip(const struct link *l)
{
	ngtcp2_conn_stat stat;

	ngtcp2_conn_get_conn_stat(l->conn, &stat);
	return stat.smoothed_rtt;
}

void link_keep_alive_set(struct link *l)
{
	ngtcp2_conn_set_keep_alive_timeout(l->conn, l->keep_alive == NEVER ? 0 : l->keep_alive);
}

static uint64_t in_flight(const struct link *l)
{
	ngtcp2_conn_stat stat;

	ngtcp2_conn_get_conn_stat(l->conn, &stat);
	return stat.bytes_in_flight;
}

bool link_hurry(struct link *l, mono_ns now)
{
	uint64_t before = in_flight(l);
	size_t probes = quic_pto_count(l->conn);
	bool has_probed = false;

	if (before == 0)
		return false;
	ngtcp2_conn_set_keep_alive_timeout(l->conn, 0); /* not this timer */
	for (int i = 0; i < HURRY_STEPS && !has_probed; i++) {
		mono_ns at = ngtcp2_conn_get_expiry(l->conn);
		mono_ns library = link_library_now(l, now);

		if (at == NEVER || (at > library && at - library > HURRY_AHEAD_MAX))
			break;
		if (at > library)
			l->unrest.ahead += at - library;
		if (ngtcp2_conn_handle_expiry(l->conn, link_library_now(l, now)) != 0)
			break;
		has_probed = quic_has_probed(l->conn, probes) || in_flight(l) < before;
	}
	link_keep_alive_set(l);
	link_wake(l);
	return has_probed;
}

static mono_ns at_least(mono_ns wait, mono_ns round_trips)
{
	return wait > round_trips ? wait : round_trips;
}

static bool is_between_peers(const struct link *l)
{
	return l->certificate && l->home->config->policy == ENDPOINT_ADMITTED;
}

void link_unrest_heard(struct link *l, mono_ns now)
{
	struct link_unrest *u = &l->unrest;

	u->at = 0;
	if (!u->has_data || l->state != LINK_IS_UP || !is_between_peers(l))
		return;
	u->has_data = false;
	u->left = LINK_UNREST_PINGS;
	u->wait = at_least(LINK_UNREST_AFTER, 3 * link_round_trip(l));
	u->at = now + u->wait;
}

static void ping(struct link *l, mono_ns now)
{
	link_hurry(l, now);
	l->wants_ping = true;
	link_wake(l);
}

void link_unrest_begin(struct link *l, mono_ns now)
{
	struct link_unrest *u = &l->unrest;

	if (l->state != LINK_IS_UP)
		return;
	u->left = LINK_UNREST_PINGS;
	u->wait = at_least(LINK_UNREST_SOON, link_round_trip(l));
	u->at = now + u->wait;
	ping(l, now);
}

void link_unrest_tick(struct link *l, mono_ns now)
{
	struct link_unrest *u = &l->unrest;

	if (u->at == 0 || now < u->at)
		return;
	ping(l, now);
	u->wait *= 2;
	u->at = --u->left ? now + u->wait : 0;
}

mono_ns link_unrest_at(const struct link *l)
{
	return l->unrest.at ? l->unrest.at : NEVER;
}
