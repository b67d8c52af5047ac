#include "shared/device_links.h"

#include <string.h>

#include "shared/link.h"

#define TIE_HELD (3 * SECOND)

void device_links_init(struct device_links *d, const struct device_public *ours)
{
	d->first = cid_map_new();
	d->ours = *ours;
}

void device_links_clear(struct device_links *d)
{
	cid_map_free(d->first);
	d->first = NULL;
}

struct link *device_links_of(const struct device_links *d, const struct device_public *device)
{
	return cid_map_get(d->first, BYTES(device->bytes));
}

void device_links_add(struct device_links *d, struct link *l)
{
	l->same_next = device_links_of(d, &l->device);
	cid_map_put(d->first, BYTES(l->device.bytes), l);
	l->is_listed = true;
}

void device_links_remove(struct device_links *d, struct link *l)
{
	struct bytes key = BYTES(l->device.bytes);
	struct link *x;

	if (!l->is_listed)
		return;
	l->is_listed = false;
	x = device_links_of(d, &l->device);
	if (x == l && l->same_next) {
		cid_map_put(d->first, key, l->same_next);
	} else if (x == l) {
		cid_map_remove(d->first, key, l);
	} else {
		while (x->same_next != l)
			x = x->same_next;
		x->same_next = l->same_next;
	}
}

static bool we_are_smaller(const struct device_links *d, const struct device_public *device)
{
	return memcmp(d->ours.bytes, device->bytes, sizeof device->bytes) < 0;
}

struct link *device_links_tie_holder(const struct device_links *d,
				     const struct device_public *device, mono_ns now)
{
	if (!we_are_smaller(d, device))
		return NULL;
	for (struct link *x = device_links_of(d, device); x; x = x->same_next) {
		bool is_young = x->state == LINK_IS_UP && !x->is_confirmed &&
				now - x->up_at < TIE_HELD;

		if (x->is_initiator &&
		    ((x->state == LINK_SHAKING && !x->is_yielding) || is_young))
			return x;
	}
	return NULL;
}

struct link *device_links_better(const struct device_links *d, const struct link *l)
{
	for (struct link *x = device_links_of(d, &l->device); x; x = x->same_next)
		if (x != l && x->state == LINK_IS_UP && x->is_initiator != l->is_initiator &&
		    l->began <= x->up_at && x->is_initiator == we_are_smaller(d, &l->device))
			return x;
	return NULL;
}
