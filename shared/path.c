#include "shared/path.h"

bool path_equal(const struct path *a, const struct path *b)
{
	return a->socket == b->socket && address_equal(&a->local, &b->local) &&
	       address_equal(&a->remote, &b->remote);
}
