#include "shared/link_path.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/link.h"

/* --- following --- */

void link_stay_small(struct link *l, mono_ns now)
{
	l->small_for = l->small_for ? l->small_for * 2 : LINK_SIZE_PENALTY;
	if (l->small_for > LINK_SIZE_PENALTY_MAX)
		l->small_for = LINK_SIZE_PENALTY_MAX;
	l->small_until = now + l->small_for;
}

static void move_to(struct link *l, const struct path *path, size_t size, mono_ns now)
{
	bool is_known = address_equal(&path->remote, &l->proved_path.remote);

	l->path = *path;
	if (is_known) {
		l->proved_path = *path;
		l->is_unproved = false;
		return;
	}
	l->is_unproved = true;
	l->unproved_from = size;
	l->unproved_sent = 0;
	l->proof_packet = l->crypto.sealed + 1;
	l->wants_ping = true;    /* something that must be acknowledged */
	link_stay_small(l, now); /* the new path may carry less */
}

/* Where the newest authentic packet came from is where the other side is. */
void link_follow(struct link *l, const struct path *path, size_t size, mono_ns now)
{
	bool is_new = l->crypto.has_new[LEVEL_DATA];

	if (l->state == LINK_SHAKING) {
		is_new = is_new || l->crypto.has_new[LEVEL_INITIAL] ||
			 l->crypto.has_new[LEVEL_HANDSHAKE];
		if ((is_new || l->fan) && (!l->is_initiator || l->is_path_fixed)) {
			l->path = *path;
			free(l->fan);
			l->fan = NULL;
		}
		return;
	}
	if (path_equal(path, &l->path))
		l->unproved_from += size;
	else if (is_new)
		move_to(l, path, size, now);
	if (l->is_unproved && l->crypto.acknowledged >= l->proof_packet) {
		l->is_unproved = false;
		l->proved_path = l->path;
		l->has_moved = true;
	}
}

/* --- several addresses at once --- */

void link_add_address(struct link *l, const struct address *a)
{
	struct link_fan *fan = l->fan;

	if (!fan || fan->count == CANDIDATES_MAX || !address_is_unicast(a))
		return;
	for (unsigned i = 0; i < fan->count; i++)
		if (address_equal(&fan->addresses[i], a))
			return;
	fan->addresses[fan->count] = *a;
	if (fan->size)
		fan->pending |= 1u << fan->count;
	fan->count++;
	link_wake(l);
}

size_t link_fan_next(struct link_fan *fan, uint8_t *room, struct path *path)
{
	for (unsigned i = 0; i < fan->count; i++) {
		if (!(fan->pending & 1u << i))
			continue;
		fan->pending &= ~(1u << i);
		*path = (struct path){ .remote = fan->addresses[i] };
		memcpy(room, fan->last, fan->size);
		return fan->size;
	}
	return 0;
}

void link_fan_out(struct link_fan *fan, const uint8_t *datagram, size_t size, struct path *path)
{
	assert(size <= sizeof fan->last);
	memcpy(fan->last, datagram, size);
	fan->size = size;
	fan->pending = (1u << fan->count) - 2; /* all but the first, which gets it now */
	*path = (struct path){ .remote = fan->addresses[0] };
}

/* How large the next datagram may be; 0: none now. */
size_t link_size_allowed(const struct link *l, mono_ns now)
{
	size_t size = LINK_DATAGRAM_SAFE;

	if (l->state == LINK_IS_UP && now >= l->small_until)
		size = !l->is_loopback                        ? ENDPOINT_DATAGRAM_MAX
		       : address_is_loopback(&l->path.remote) ? ENDPOINT_LOOPBACK_MAX
							      : LINK_DATAGRAM_SAFE;
	if (l->is_unproved) {
		uint64_t most = LINK_AMPLIFICATION * l->unproved_from;
		uint64_t left = most > l->unproved_sent ? most - l->unproved_sent : 0;

		if (left < size)
			size = left;
	}
	return size;
}
