#include "shared/candidate.h"

#include <string.h>

uint32_t candidate_priority(const struct candidate *c)
{
	/* Section 5.1.2.2, and between its values our own: a mapped port needs no luck, but
	 * is a way around, as a reflexive one. */
	static const uint32_t type_preference[] = {
		[CANDIDATE_HOST] = 126,
		[CANDIDATE_MAPPED] = 110,
		[CANDIDATE_REFLEXIVE] = 100,
		[CANDIDATE_RELAY] = 0,
	};
	const struct address *a = &c->address;
	uint32_t local_preference = (address_is_global(a) ? 0u : 2u) +
				    (a->family == 6 ? 1u : 0u);

	return type_preference[c->kind] << 24 | local_preference << 8 | (256 - 1);
}

void candidates_add(struct candidates *all, enum candidate_kind kind, const struct address *a)
{
	struct candidate fresh = { .kind = kind, .address = *a };
	unsigned place = 0;

	fresh.address.scope = 0;
	if (!address_is_unicast(a))
		return;
	for (unsigned i = 0; i < all->count; i++)
		if (address_equal(&all->list[i].address, &fresh.address))
			return;
	while (place < all->count &&
	       candidate_priority(&all->list[place]) >= candidate_priority(&fresh))
		place++;
	if (place == CANDIDATES_MAX)
		return;
	if (all->count < CANDIDATES_MAX)
		all->count++;
	memmove(&all->list[place + 1], &all->list[place],
		(all->count - 1 - place) * sizeof all->list[0]);
	all->list[place] = fresh;
}
