#include "shared/link_attempt.h"

#include "shared/link.h"

/* The ways have changed: the newest datagram goes there, or one made now. */
static void go_there(struct link *l, mono_ns now)
{
	if (l->fan->size && now - l->fan->made_at > LINK_FAN_STALE)
		link_hurry(l, now);
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
	if (!link_hurry(l, now))
		link_fan_repeat(fan);
	if (fan->repeat_wait < LINK_FAN_REPEAT_MAX)
		fan->repeat_wait *= 2;
	fan->repeat_at = now + fan->repeat_wait;
}
