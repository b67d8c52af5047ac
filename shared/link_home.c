#include "shared/link_home.h"

#include <sodium.h>

#include "shared/link.h"

/* --- connection ids --- */

void link_map_cid(struct link *l, const uint8_t *cid, size_t size)
{
	cid_map_put(l->home->cids, bytes_of(cid, size), l);
}

void link_unmap_cid(struct link *l, const uint8_t *cid, size_t size)
{
	cid_map_remove(l->home->cids, bytes_of(cid, size), l);
}

void link_cid_new(const struct link_home *home, ngtcp2_cid *cid, size_t size)
{
	cid->datalen = size;
	do
		randombytes_buf(cid->data, size);
	while (cid_map_get(home->cids, bytes_of(cid->data, size)));
}

/* --- the queue of those that may have something to send --- */

void link_wake(struct link *l)
{
	struct link_home *home = l->home;

	if (l->is_queued)
		return;
	l->is_queued = true;
	l->next_sending = NULL;
	l->previous_sending = home->sending_last;
	if (home->sending_last)
		home->sending_last->next_sending = l;
	else
		home->sending = l;
	home->sending_last = l;
}

void link_sleep(struct link *l)
{
	struct link_home *home = l->home;

	if (!l->is_queued)
		return;
	l->is_queued = false;
	if (l->previous_sending)
		l->previous_sending->next_sending = l->next_sending;
	else
		home->sending = l->next_sending;
	if (l->next_sending)
		l->next_sending->previous_sending = l->previous_sending;
	else
		home->sending_last = l->previous_sending;
}
