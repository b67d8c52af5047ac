#include "shared/link_clock.h"

#include "shared/link.h"

enum { HURRY_STEPS = 6 };
#define LIBRARY_AHEAD_MAX (600 * SECOND)

mono_ns link_library_now(const struct link *l, mono_ns now)
{
	return now + l->library_ahead;
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

		if (at == NEVER || (at > now && at - now > LIBRARY_AHEAD_MAX))
			break;
		if (at > library)
			l->library_ahead += at - library;
		if (ngtcp2_conn_handle_expiry(l->conn, link_library_now(l, now)) != 0)
			break;
		has_probed = quic_has_probed(l->conn, probes) || in_flight(l) < before;
	}
	link_keep_alive_set(l);
	link_wake(l);
	return has_probed;
}

mono_ns link_library_due(const struct link *l)
{
	mono_ns at = ngtcp2_conn_get_expiry(l->conn);

	return at == NEVER || at < l->library_ahead ? at : at - l->library_ahead;
}
