#include "shared/link_unrest.h"

#include "shared/link.h"

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

static mono_ns at_least(mono_ns wait, mono_ns round_trips)
{
	return wait > round_trips ? wait : round_trips;
}

static bool is_between_peers(const struct link *l)
{
	return l->certificate && l->home->config->policy == ENDPOINT_ADMITTED;
}

void link_unrest_heard(struct link *l, size_t size, mono_ns now)
{
	struct link_unrest *u = &l->unrest;
	/* Of data that is not in order the library tells nothing, but its size does. */
	bool has_data = u->has_data || size >= LINK_UNREST_LARGE;
	bool is_waiting = u->is_after_data && u->at && u->left == LINK_UNREST_PINGS;
	/* After a move they may know of us and yet not be let to say more. */
	bool has_moved = !u->is_after_data && u->at;

	u->has_data = false;
	u->at = 0; /* a ping is answered, or was not needed */
	if (l->state != LINK_IS_UP || !is_between_peers(l) ||
	    (!has_data && !is_waiting && !has_moved))
		return;
	u->is_after_data = true;
	u->left = LINK_UNREST_PINGS;
	u->wait = at_least(LINK_UNREST_AFTER, 3 * link_round_trip(l));
	u->at = now + u->wait;
}

static void ping(struct link *l, bool is_pressing)
{
	l->unrest.is_pressing = is_pressing;
	l->wants_ping = true;
	link_wake(l);
}

void link_unrest_begin(struct link *l, bool is_pressing, mono_ns now)
{
	struct link_unrest *u = &l->unrest;

	if (l->state != LINK_IS_UP)
		return;
	u->is_after_data = false;
	u->left = LINK_UNREST_PINGS;
	u->wait = at_least(LINK_UNREST_SOON, link_round_trip(l));
	u->at = now + u->wait;
	ping(l, is_pressing);
}

void link_unrest_tick(struct link *l, mono_ns now)
{
	struct link_unrest *u = &l->unrest;

	if (u->at == 0 || now < u->at)
		return;
	ping(l, true);
	u->wait *= 2;
	u->at = --u->left ? now + u->wait : 0;
}

bool link_unrest_presses(struct link *l)
{
	bool is_pressing = l->unrest.is_pressing && l->wants_ping;

	l->unrest.is_pressing = false;
	return is_pressing;
}

mono_ns link_unrest_at(const struct link *l)
{
	return l->unrest.at ? l->unrest.at : NEVER;
}
