/* An address as a test writes it down. */
#ifndef PALIQUE_TESTS_AT_H
#define PALIQUE_TESTS_AT_H

#include <stdlib.h>

#include "shared/address.h"

/* "1.2.3.4:5", "[::1]:5"; without a port it has port 1. */
static inline struct address at(const char *text)
{
	struct address a;

	if (address_parse(&a, text, 1) < 0)
		abort();
	return a;
}

#endif
