#include "shared/link_fan.h"

#include <assert.h>
#include <string.h>

static unsigned same_ip(const struct link_fan *fan, const struct address *a)
{
	unsigned same = 0;

	for (unsigned i = 0; i < fan->count; i++)
		same += address_same_ip(&fan->ways[i].path.remote, a);
	return same;
}

static struct link_way *find(struct link_fan *fan, const struct path *path)
{
	for (unsigned i = 0; i < fan->count; i++) {
		struct link_way *w = &fan->ways[i];

		if (path_same_flow(&w->path, path))
			return w;
	}
	return NULL;
}

static void gets_last(struct link_fan *fan, const struct link_way *w)
{
	if (fan->size)
		fan->pending |= 1u << (w - fan->ways);
}

bool link_fan_add(struct link_fan *fan, const struct address *a)
{
	struct path path = { .remote = *a };
	struct link_way *w;

	if (fan->count == CANDIDATES_MAX || !address_is_unicast(a) || find(fan, &path) ||
	    same_ip(fan, a) >= LINK_FAN_SAME_IP)
		return false;
	w = &fan->ways[fan->count++];
	*w = (struct link_way){ .path = path, .is_repeated = true };
	gets_last(fan, w);
	return true;
}

static struct link_way *room_for(struct link_fan *fan, bool is_proved, unsigned most)
{
	struct link_way *unproved = NULL;
	unsigned count = 0;

	for (unsigned i = 0; i < fan->count; i++) {
		if (fan->ways[i].is_proved)
			continue;
		unproved = &fan->ways[i];
		count++;
	}
	if (!is_proved && count >= most)
		return NULL;
	if (fan->count < CANDIDATES_MAX)
		return &fan->ways[fan->count++];
	return is_proved ? unproved : NULL;
}

bool link_fan_offer(struct link_fan *fan, const struct path *path, bool is_proved,
		    unsigned most, mono_ns now)
{
	struct link_way *w = find(fan, path);

	if (!path->tunnel && !address_is_unicast(&path->remote))
		return false;
	if (w && (w->is_proved || !is_proved))
		return false;
	if (!w) {
		w = room_for(fan, is_proved, most);
		if (!w)
			return false;
		*w = (struct link_way){ 0 };
	}
	w->path = *path;
	w->is_proved = w->is_repeated = is_proved;
	if (is_proved) {
		fan->repeat_wait = LINK_FAN_REPEAT;
		fan->repeat_at = now + fan->repeat_wait;
	}
	gets_last(fan, w);
	return true;
}

void link_fan_keep(struct link_fan *fan, const uint8_t *datagram, size_t size, mono_ns now)
{
	assert(size <= sizeof fan->last);
	memcpy(fan->last, datagram, size);
	fan->size = size;
	fan->made_at = now;
	fan->pending = 0;
	for (unsigned i = 0; i < fan->count; i++)
		if (fan->ways[i].is_repeated || !fan->ways[i].is_sent)
			fan->pending |= 1u << i;
}

size_t link_fan_next(struct link_fan *fan, uint8_t *room, struct path *path)
{
	for (unsigned i = 0; i < fan->count; i++) {
		if (!(fan->pending & 1u << i))
			continue;
		fan->pending &= ~(1u << i);
		fan->ways[i].is_sent = true;
		*path = fan->ways[i].path;
		memcpy(room, fan->last, fan->size);
		return fan->size;
	}
	return 0;
}

void link_fan_repeat(struct link_fan *fan)
{
	for (unsigned i = 0; i < fan->count; i++)
		if (fan->ways[i].is_repeated)
			gets_last(fan, &fan->ways[i]);
}

bool link_fan_proves(const struct link_fan *fan, const struct path *path)
{
	if (path->tunnel)
		return true;
	for (unsigned i = 0; i < fan->count; i++)
		if (path_same_remote(&fan->ways[i].path, path))
			return fan->ways[i].is_proved || fan->count == 1;
	return false;
}

bool link_fan_is_loopback(const struct link_fan *fan)
{
	for (unsigned i = 0; i < fan->count; i++)
		if (fan->ways[i].path.tunnel || !address_is_loopback(&fan->ways[i].path.remote))
			return false;
	return fan->count > 0;
}
