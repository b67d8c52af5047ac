#include "shared/path.h"

bool path_same_remote(const struct path *a, const struct path *b)
{
	if (a->tunnel || b->tunnel)
		return a->tunnel == b->tunnel;
	return address_equal(&a->remote, &b->remote);
}

bool path_same_flow(const struct path *a, const struct path *b)
{
	return path_same_remote(a, b) && (a->tunnel || a->socket == b->socket);
}

bool path_equal(const struct path *a, const struct path *b)
{
	if (a->tunnel || b->tunnel)
		return a->tunnel == b->tunnel;
	return a->socket == b->socket && address_equal(&a->local, &b->local) &&
	       address_equal(&a->remote, &b->remote);
}
