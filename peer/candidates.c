#include "peer/candidates.h"

#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 64 }; /* interface addresses looked at: more is a strange machine */

struct own_candidates {
	struct address host[HOST_MAX];
	unsigned host_count;
	struct address observed; /* family 0: not known */
	struct candidates published;
};

struct own_candidates *own_candidates_new(void)
{
	return memory_new(sizeof(struct own_candidates));
}

void own_candidates_free(struct own_candidates *c)
{
	free(c);
}

static bool is_same(const struct candidates *a, const struct candidates *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++) {
		if (a->list[i].kind != b->list[i].kind ||
		    !address_equal(&a->list[i].address, &b->list[i].address))
			return false;
	}
	return true;
}

static bool gather(struct own_candidates *c)
{
	bool is_local = c->observed.family && address_is_loopback(&c->observed);
	struct candidates all = { 0 };

	for (unsigned i = 0; i < c->host_count; i++) {
		const struct address *a = &c->host[i];

		/* A link-local v6 address means nothing without its interface. */
		if (a->family == 6 && address_is_link_local(a))
			continue;
		if (!address_is_loopback(a) || is_local)
			candidates_add(&all, CANDIDATE_HOST, a);
	}
	if (c->observed.family)
		candidates_add(&all, CANDIDATE_REFLEXIVE, &c->observed);
	if (is_same(&all, &c->published))
		return false;
	c->published = all;
	return true;
}

bool own_candidates_set_host(struct own_candidates *c, const struct address *list,
			     unsigned count, uint16_t port)
{
	c->host_count = count < HOST_MAX ? count : HOST_MAX;
	for (unsigned i = 0; i < c->host_count; i++) {
		c->host[i] = list[i];
		c->host[i].port = port;
		c->host[i].scope = 0;
	}
	return gather(c);
}

bool own_candidates_set_observed(struct own_candidates *c, const struct address *observed)
{
	c->observed = observed ? *observed : (struct address){ 0 };
	return gather(c);
}

const struct candidates *own_candidates(const struct own_candidates *c)
{
	return &c->published;
}
