#include "peer/network.h"

#include <string.h>

static bool is_same(const struct address *a, const struct address *b)
{
	return a->family == b->family &&
	       (a->family == 0 || (address_equal(a, b) && a->scope == b->scope));
}

bool network_equal(const struct network *a, const struct network *b)
{
	if (a->port != b->port || a->address_count != b->address_count ||
	    a->link_count != b->link_count || a->is_metered != b->is_metered ||
	    a->wakes != b->wakes)
		return false;
	for (unsigned i = 0; i < a->address_count; i++) {
		if (!is_same(&a->addresses[i], &b->addresses[i]))
			return false;
	}
	for (unsigned i = 0; i < a->link_count; i++) {
		if (a->links[i] != b->links[i])
			return false;
	}
	return is_same(&a->gateway4, &b->gateway4) && is_same(&a->toward4, &b->toward4) &&
	       is_same(&a->gateway6, &b->gateway6) && is_same(&a->toward6, &b->toward6);
}

bool network_has(const struct network *n, const struct address *a)
{
	for (unsigned i = 0; i < n->address_count; i++) {
		if (address_same_ip(&n->addresses[i], a))
			return true;
	}
	return false;
}
