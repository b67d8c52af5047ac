#include "peer/candidates.h"

#include <stdlib.h>
#include <string.h>

struct own_candidates {
	struct network network;
	struct nat nat;
	struct address observed4, observed6; /* family 0: not known */
	struct address mapped[CANDIDATES_MAX];
	unsigned mapped_count;
	struct candidates published;
	uint64_t version;
};

struct own_candidates *own_candidates_new(void)
{
	return memory_new(sizeof(struct own_candidates));
}

void own_candidates_free(struct own_candidates *c)
{
	free(c);
}

/* Whether strangers can be told of it. A directory that is itself on our side of the router says
 * nothing of its outside; then any address is believed that could be one. */
static bool is_outside(const struct own_candidates *c, const struct address *mapped)
{
	const struct address *seen = &c->observed4;

	if (mapped->family == 6)
		return network_has(&c->network, mapped);
	if (seen->family == 4 && address_is_global(seen))
		return address_same_ip(mapped, seen);
	return address_is_global(mapped) ||
	       (seen->family == 4 && address_same_ip(mapped, seen));
}

/* Our own port at the outer address: where somebody has forwarded it by hand in the router, and where
 * a NAT that keeps ports could not keep this one for the directory. */
static void add_own_port(struct own_candidates *c)
{
	struct address a = c->observed4;

	a.port = c->network.port;
	if (address_is_global(&a) && c->nat.mapping != NAT_NONE)
		candidates_add(&c->published, CANDIDATE_REFLEXIVE, &a);
}

static void gather(struct own_candidates *c)
{
	bool is_local = (c->observed4.family && address_is_loopback(&c->observed4)) ||
			(c->observed6.family && address_is_loopback(&c->observed6));

	memset(&c->published, 0, sizeof c->published);
	for (unsigned i = 0; i < c->network.address_count; i++) {
		struct address a = c->network.addresses[i];

		a.port = c->network.port;
		/* A link-local v6 address means nothing without its interface. */
		if (a.family == 6 && address_is_link_local(&a))
			continue;
		if (!address_is_loopback(&a) || is_local)
			candidates_add(&c->published, CANDIDATE_HOST, &a);
	}
	for (unsigned i = 0; i < c->mapped_count; i++) {
		if (is_outside(c, &c->mapped[i]))
			candidates_add(&c->published, CANDIDATE_MAPPED, &c->mapped[i]);
	}
	if (c->observed4.family)
		candidates_add(&c->published, CANDIDATE_REFLEXIVE, &c->observed4);
	add_own_port(c);
	if (c->observed6.family)
		candidates_add(&c->published, CANDIDATE_REFLEXIVE, &c->observed6);
	c->version++;
}

/* An address is left that this may be the outside of. */
static bool may_hold(const struct network *n, const struct address *observed)
{
	for (unsigned i = 0; i < n->address_count; i++)
		if (n->addresses[i].family == observed->family &&
		    !address_is_link_local(&n->addresses[i]) &&
		    address_is_loopback(&n->addresses[i]) == address_is_loopback(observed))
			return true;
	return false;
}

void own_candidates_set_network(struct own_candidates *c, const struct network *network)
{
	if (network_equal(&c->network, network))
		return;
	c->network = *network;
	/* Nobody will say that it is not true any more. */
	if (!may_hold(network, &c->observed4))
		c->observed4.family = 0;
	if (!may_hold(network, &c->observed6))
		c->observed6.family = 0;
	gather(c);
}

static bool replace(struct address *old, const struct address *fresh)
{
	if (fresh->family == old->family && (fresh->family == 0 || address_equal(fresh, old)))
		return false;
	*old = *fresh;
	return true;
}

void own_candidates_set_observed(struct own_candidates *c, const struct address *observed)
{
	const struct address none = { 0 };
	bool is_other;

	if (observed && observed->family) {
		is_other = replace(observed->family == 4 ? &c->observed4 : &c->observed6,
				   observed);
	} else {
		is_other = replace(&c->observed4, &none);
		is_other = replace(&c->observed6, &none) || is_other;
	}
	if (is_other)
		gather(c);
}

void own_candidates_set_nat(struct own_candidates *c, const struct nat *nat)
{
	if (nat->mapping == c->nat.mapping && nat->filtering == c->nat.filtering &&
	    nat->low == c->nat.low && nat->high == c->nat.high)
		return;
	c->nat = *nat;
	gather(c);
}

void own_candidates_set_mapped(struct own_candidates *c, const struct address *list,
			       unsigned count)
{
	bool is_same;

	if (count > CANDIDATES_MAX)
		count = CANDIDATES_MAX;
	is_same = count == c->mapped_count;
	for (unsigned i = 0; is_same && i < count; i++)
		is_same = address_equal(&c->mapped[i], &list[i]);
	if (is_same)
		return;
	memset(c->mapped, 0, sizeof c->mapped);
	for (unsigned i = 0; i < count; i++)
		c->mapped[i] = list[i];
	c->mapped_count = count;
	gather(c);
}

const struct candidates *own_candidates(const struct own_candidates *c)
{
	return &c->published;
}

const struct network *own_candidates_network(const struct own_candidates *c)
{
	return &c->network;
}

const struct nat *own_candidates_nat(const struct own_candidates *c)
{
	return &c->nat;
}

const struct address *own_candidates_observed(const struct own_candidates *c)
{
	return c->observed4.family ? &c->observed4 : &c->observed6;
}

uint64_t own_candidates_version(const struct own_candidates *c)
{
	return c->version;
}
