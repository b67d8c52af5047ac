#include "peer/punch_inside.h"

#include <string.h>

/* By more than a tenth, and by more than engines and timers make of it. */
static bool is_slower(mono_ns v6, mono_ns v4)
{
	return v6 * 10 > v4 * 11 && v6 > v4 + MILLISECOND;
}

bool path_is_better(enum path_kind a, mono_ns a_round_trip, enum path_kind b,
		    mono_ns b_round_trip)
{
	bool is_timed = a_round_trip > 0 && b_round_trip > 0;

	if (b == PATH_NONE || a == PATH_NONE)
		return a != PATH_NONE;
	/* v6 has the right of way only while it costs nothing; relays and tunnels have none. */
	if (is_timed && a == PATH_IPV6 && b > PATH_IPV6 && b < PATH_RELAYED)
		return !is_slower(a_round_trip, b_round_trip);
	if (is_timed && b == PATH_IPV6 && a > PATH_IPV6 && a < PATH_RELAYED)
		return is_slower(b_round_trip, a_round_trip);
	if (a != b)
		return a < b;
	/* Of one kind the other must be clearly slower, or two would take turns. */
	return is_timed && a_round_trip * 11 < b_round_trip * 10 &&
	       a_round_trip + MILLISECOND < b_round_trip;
}

/* By how many bits two addresses agree from the front; of different families: by none. */
static unsigned common_bits(const struct address *a, const struct address *b)
{
	unsigned bits = 0, end = a->family == 4 ? 32 : 128;

	if (a->family != b->family)
		return 0;
	while (bits < end && !((a->ip[bits / 8] ^ b->ip[bits / 8]) & (0x80 >> (bits % 8))))
		bits++;
	return bits;
}

/* As far as can be told without the interfaces' masks: /64 of v6, /24 of v4. */
static bool is_in_our_network(const struct punch *p, const struct address *a)
{
	for (unsigned i = 0; i < p->local_count; i++)
		if (common_bits(&p->locals[i], a) >= (a->family == 4 ? 24 : 64))
			return true;
	return false;
}

static bool is_their_host(const struct punch *p, const struct address *a)
{
	for (unsigned i = 0; i < p->goal.candidates.count; i++)
		if (p->goal.candidates.list[i].kind == CANDIDATE_HOST &&
		    address_same_ip(&p->goal.candidates.list[i].address, a))
			return true;
	return false;
}

static bool is_mapped(const struct punch *p, const struct address *a)
{
	for (unsigned i = 0; i < p->goal.candidates.count; i++)
		if (p->goal.candidates.list[i].kind == CANDIDATE_MAPPED &&
		    address_equal(&p->goal.candidates.list[i].address, a))
			return true;
	return false;
}

static enum path_kind find_kind(const struct punch *p, const struct path *path, int kind)
{
	const struct address *a = &path->remote;

	if (address_is_loopback(a))
		return PATH_LOOPBACK;
	if (!address_is_global(a) || (a->family == 6 && is_in_our_network(p, a)))
		return PATH_LAN;
	if (a->family == 6)
		return PATH_IPV6;
	if (path->socket >= PATH_EXTRA)
		return PATH_SPRAYED;
	if (kind == CANDIDATE_MAPPED || is_mapped(p, a))
		return PATH_MAPPED;
	if (kind == CANDIDATE_HOST || is_their_host(p, a) || p->goal.theirs.mapping == NAT_NONE)
		return PATH_PUBLIC;
	return kind == 0 && p->spray.has_begun ? PATH_SPRAYED : PATH_PUNCHED;
}

static struct punch_way *find_way(struct punch *p, const struct path *path)
{
	for (unsigned i = 0; i < p->way_count; i++)
		if (path_same_flow(&p->ways[i].path, path))
			return &p->ways[i];
	return NULL;
}

/* One that has been tried in vain, when there are too many. */
static struct punch_way *find_place(struct punch *p)
{
	if (p->way_count < PUNCH_WAYS)
		return &p->ways[p->way_count++];
	for (unsigned i = 0; i < PUNCH_WAYS; i++)
		if (!p->ways[i].is_proved && p->ways[i].next == NEVER)
			return &p->ways[i];
	return NULL;
}

struct punch_way *punch_way_add(struct punch *p, const struct path *path, int kind)
{
	struct punch_way *w = find_way(p, path);
	const struct address *a = &path->remote;

	if (w)
		return w;
	if (!address_is_unicast(a) ||
	    (a->family == 6 && address_is_link_local(a) && a->scope == 0))
		return NULL; /* on which of our links, nobody can tell */
	w = find_place(p);
	if (!w)
		return NULL;
	*w = (struct punch_way){
		.path = *path,
		.kind = find_kind(p, path, kind),
		.next = NEVER,
		.began = NEVER,
	};
	/* Who was heard from there has opened it. */
	w->is_behind = kind != 0 && a->family == 4 && address_is_global(a) &&
		       kind != CANDIDATE_MAPPED && p->goal.theirs.filtering != NAT_OPEN;
	/* Where the directory lives among private addresses what it sees is no host's. */
	w->is_far = kind == CANDIDATE_HOST && !address_is_global(a) &&
		    !address_is_loopback(a) && p->goal.our_public.family != 0 &&
		    !p->has_public_peer && !is_in_our_network(p, a);
	return w;
}

unsigned punch_way_tries(const struct punch *p, const struct punch_way *w)
{
	static const unsigned by_sharers[] = { PUNCH_TRIES, PUNCH_TRIES, 3, 2 };
	unsigned sharers = 0, tries;

	for (unsigned i = 0; i < p->way_count; i++)
		sharers += !p->ways[i].is_proved &&
			   address_same_ip(&p->ways[i].path.remote, &w->path.remote);
	tries = sharers < 4 ? by_sharers[sharers] : 1;
	if (w->is_far && tries > 2)
		tries = 2;
	/* The introduction to come needs the most of what may be spent. */
	if (p->goal.is_awaited && !p->goal.is_introduced && tries > 3)
		tries = 3;
	return tries;
}

bool punch_way_is_worth(const struct punch *p, const struct punch_way *w, bool is_heard)
{
	/* The last is for who is heard from where nobody said; and those next door answer at
	 * once. */
	if (is_heard)
		return p->unproved_offers < PUNCH_OFFERS_UNPROVED;
	if (w->is_far || (w->kind <= PATH_LAN && p->unproved_lan_offers == 2))
		return false;
	return p->unproved_offers < PUNCH_OFFERS_UNPROVED - 1;
}
