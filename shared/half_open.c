#include "shared/half_open.h"

#include "shared/link.h"

void half_open_add(struct half_open *h, struct link *l)
{
	l->is_half_open = true;
	l->half_previous = h->newest;
	l->half_next = NULL;
	if (h->newest)
		h->newest->half_next = l;
	else
		h->oldest = l;
	h->newest = l;
	h->count++;
}

void half_open_remove(struct half_open *h, struct link *l)
{
	if (!l->is_half_open)
		return;
	l->is_half_open = false;
	if (l->half_previous)
		l->half_previous->half_next = l->half_next;
	else
		h->oldest = l->half_next;
	if (l->half_next)
		l->half_next->half_previous = l->half_previous;
	else
		h->newest = l->half_previous;
	h->count--;
}

struct link *half_open_crowding(const struct half_open *h, const struct link *l)
{
	struct link *oldest = NULL;
	unsigned others = 0;

	for (struct link *x = h->newest; x; x = x->half_previous) {
		if (x == l || !x->certificate ||
		    !identity_public_equal(&x->certificate->identity,
					   &l->certificate->identity))
			continue;
		others++;
		oldest = x;
	}
	return others >= HALF_OPEN_EACH ? oldest : NULL;
}
