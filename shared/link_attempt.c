#include "shared/link_attempt.h"

#include "shared/link.h"

enum { HURRY_STEPS = 6 };
#define LIBRARY_AHEAD_MAX (12 * SECOND) /* well below every idle timeout */

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

/* The library makes a probe now, instead of when its timer says: false if nothing is in
 * flight, or its clock would run too far ahead. */
static bool hurry(struct link *l, mono_ns now)
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

/* The ways have changed: the newest datagram goes there, or one made now. */
static void go_there(struct link *l, mono_ns now)
{
	if (l->fan->size && now - l->fan->made_at > LINK_FAN_STALE)
		hurry(l, now);
	link_wake(l);
}

void link_offer(struct link *l, const struct path *path, bool is_proved)
{
	mono_ns now = l->home->now;

	if (l->state != LINK_SHAKING || !l->fan || (l->is_relayed_only && !path->tunnel))
		return;
	if (link_fan_offer(l->fan, path, is_proved, LINK_OFFERS_MAX, now))
		go_there(l, now);
}

void link_add_path(struct link *l, const struct path *path)
{
	unsigned most = LINK_OFFERS_MAX + LINK_OFFERS_HEARD;

	if (!l->fan || (l->is_relayed_only && !path->tunnel))
		return;
	if (!l->fan->is_offered && !path->tunnel
		    ? link_fan_add(l->fan, &path->remote)
		    : link_fan_offer(l->fan, path, false, most, l->home->now))
		link_wake(l);
}

/* Where an authentic answer came from the handshake is said again, soon at first. */
mono_ns link_attempt_at(const struct link *l)
{
	return l->fan && l->fan->repeat_at ? l->fan->repeat_at : NEVER;
}

void link_attempt_tick(struct link *l, mono_ns now)
{
	struct link_fan *fan = l->fan;

	if (link_attempt_at(l) > now)
		return;
	if (!hurry(l, now))
		link_fan_repeat(fan);
	if (fan->repeat_wait < LINK_FAN_REPEAT_MAX)
		fan->repeat_wait *= 2;
	fan->repeat_at = now + fan->repeat_wait;
}
