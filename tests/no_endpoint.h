/* Included, once, by a program of the peer's lower rooms that has no endpoint: what an account
 * tells one is passed over. */
#ifndef PALIQUE_TESTS_NO_ENDPOINT_H
#define PALIQUE_TESTS_NO_ENDPOINT_H

#include "shared/endpoint.h"

void endpoint_set_knock(struct endpoint *e, const struct knock *knock)
{
	(void)e, (void)knock;
}

void endpoint_set_certificate(struct endpoint *e, const struct certificate *c)
{
	(void)e, (void)c;
}

#endif
